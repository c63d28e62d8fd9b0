//! When the members of a group arrive.

use crate::model::code::Code;
use crate::model::report::Report;
use crate::model::spec::threads::{Arrivals, Thread};
use crate::rng::{Distribution, Shape, Stream};
use crate::time::{LONGEST, Span};

/// The arrivals of `count` members: all at `at`; or one per gap, with fixed gaps the first at `at`, with random gaps the first
/// after one gap. Gaps are drawn from the stream called `stream`.
pub fn arrivals(thread: &Thread, count: u32, seed: u64, stream: &str, report: &mut Report) -> Vec<Span> {
    let first = thread.at.map_or(Span::ZERO, |at| at.value);
    let Some(arrivals) = thread.arrivals else { return vec![first; count as usize] };
    let mut draws = Stream::new(seed, stream);
    let gaps = match arrivals.value {
        Arrivals::Every(_) => None,
        Arrivals::Poisson(mean) => {
            Some(Distribution { shape: Shape::Exponential(mean.ns()), min: 0, max: LONGEST.ns() })
        }
    };
    let mut at = first.ns();
    let mut all = Vec::with_capacity(count as usize);
    for member in 0..count {
        let gap = match (&gaps, arrivals.value) {
            (Some(gaps), _) => gaps.sample(&mut draws),
            (None, Arrivals::Every(gap)) if member > 0 => gap.ns(),
            _ => 0,
        };
        at = at.saturating_add(gap);
        if at > LONGEST.ns() {
            report.error(
                Code::E304,
                arrivals.spot,
                format!("member {} would arrive after more than 1000h", member + 1),
            );
            return vec![first; count as usize];
        }
        all.push(Span::from_ns(at));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::decode::At;
    use crate::model::tree::Spot;

    fn thread(arrivals: Arrivals, at: Span) -> Thread {
        fn placed<T>(value: T) -> Option<At<T>> {
            Some(At { value, spot: Spot::default(), key: Spot::default() })
        }
        Thread { arrivals: placed(arrivals), at: placed(at), ..Thread::default() }
    }

    #[test]
    fn the_first_of_a_fixed_stream_comes_at_once_and_of_a_random_one_after_a_gap() {
        let mut report = Report::default();
        let every = thread(Arrivals::Every(Span::from_ms(10)), Span::from_ms(5));
        let found = arrivals(&every, 3, 1, "x/arrivals", &mut report);
        assert_eq!(found, [Span::from_ms(5), Span::from_ms(15), Span::from_ms(25)]);
        let poisson = thread(Arrivals::Poisson(Span::from_ms(10)), Span::ZERO);
        let found = arrivals(&poisson, 1000, 1, "x/arrivals", &mut report);
        assert!(found[0] > Span::ZERO && found.windows(2).all(|pair| pair[0] <= pair[1]));
        let mean = found[999].ns() / 1000;
        assert!((9_000_000..11_000_000).contains(&mean), "{mean}");
        assert!(!report.has_errors());
    }

    #[test]
    fn arrivals_end_where_the_clock_of_a_run_does() {
        let mut report = Report::default();
        report.add_text(crate::model::Source { name: String::new(), text: String::new() });
        let every = thread(Arrivals::Every(Span::from_ns(LONGEST.ns() / 2)), Span::ZERO);
        assert_eq!(arrivals(&every, 4, 1, "x/arrivals", &mut report).len(), 4);
        assert_eq!(report.finish()[0].message, "member 4 would arrive after more than 1000h");
    }
}
