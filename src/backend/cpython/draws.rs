//! Walks through programs beforehand: what random lengths they will need, and how much time they demand in all.
//!
//! The draws come from the same named streams as in a simulation, so prediction and measurement do the same.

use std::collections::BTreeMap;

use crate::ids::{IdVec, ThreadId};
use crate::model::{Cursor, Length, Op, Program, Scenario};
use crate::rng::Stream;
use crate::time::Span;

/// No thread of a real run needs more steps than this.
pub(super) const MOST_STEPS: u64 = 5_000_000;
/// No thread of a real run needs more random lengths than this.
const MOST_DRAWS: usize = 500_000;

/// What a thread will do.
#[derive(Clone, Debug, Default)]
pub(super) struct Walk {
    /// For every purpose (`cpu`, `native`, `io`, `sleep`) its random lengths, in order; for `choose` the chosen branches.
    pub draws: BTreeMap<&'static str, Vec<u64>>,
    /// The sum of all lengths, to the end or to the bound of the walk, and at most: every time-out passes, and the steps
    /// behind it and under its `else` are done both.
    pub demand: Span,
    /// Whether the walk was given up: the program is too long for a real run.
    pub too_long: bool,
}

/// What all threads will do.
#[derive(Debug)]
pub(super) struct Plan {
    /// Per thread.
    pub walks: IdVec<ThreadId, Walk>,
    /// How long the run takes by the model's own lengths if everything happens one after another, or to the horizon.
    pub expected: Span,
}

impl Plan {
    /// Walks through all programs: to their ends, to the horizon, and those of daemons as long as a trial may last.
    pub fn of(scenario: &Scenario, timeout: impl Fn(Span) -> Span) -> Plan {
        let horizon = scenario.run().until.map(|until| Span::from_ns(until.ns()));
        let mut walks = IdVec::filled(scenario.threads().len(), Walk::default());
        let (daemons, others): (Vec<ThreadId>, Vec<ThreadId>) =
            scenario.threads().ids().partition(|thread| ends_with_others(scenario, *thread));
        let mut sum = 0u64;
        for thread in others {
            walks[thread] = walk(scenario, thread, horizon);
            sum = sum.saturating_add(walks[thread].demand.ns());
        }
        let expected = horizon.unwrap_or(Span::from_ns(sum));
        for thread in daemons {
            walks[thread] = walk(scenario, thread, Some(timeout(expected)));
        }
        Plan { walks, expected }
    }
}

/// Whether a thread is a daemon of a process that also has other threads.
fn ends_with_others(scenario: &Scenario, thread: ThreadId) -> bool {
    let declared = &scenario.threads()[thread];
    declared.daemon && scenario.threads().values().any(|other| other.process == declared.process && !other.daemon)
}

/// Walks through a thread's program, to its end or until its own steps alone take longer than `bound`.
fn walk(scenario: &Scenario, thread: ThreadId, bound: Option<Span>) -> Walk {
    let declared = &scenario.threads()[thread];
    let declared_program = &scenario.programs()[declared.program];
    let (program, certain) = (&both_ways(declared_program), certain(declared_program));
    let mut streams = Streams { seed: scenario.run().seed, name: &declared.stream, made: BTreeMap::new() };
    let mut walk = Walk::default();
    let mut cursor = Cursor::default();
    let (mut steps, mut least) = (0, 0u64);
    while let Some(op) = cursor.fetch(program) {
        steps += 1;
        if steps > MOST_STEPS || walk.draws.values().any(|drawn| drawn.len() > MOST_DRAWS) {
            walk.too_long = bound.is_none() || !walk.draws.is_empty();
            break;
        }
        if let Op::Choose { cumulative, places } = op {
            let branch = streams.of("choose").choose(cumulative);
            walk.draws.entry("choose").or_default().push(branch as u64);
            cursor.jump(places[branch]);
            continue;
        }
        if let Some((purpose, length)) = length_of(op) {
            let length = match length {
                Length::Fixed(span) => span.ns(),
                Length::Random(distribution) => {
                    let drawn = distribution.sample(streams.of(purpose));
                    walk.draws.entry(purpose).or_default().push(drawn);
                    drawn
                }
            };
            walk.demand = Span::from_ns(walk.demand.ns().saturating_add(length));
            if certain[cursor.place as usize] {
                least = least.saturating_add(length);
            }
        }
        // Real steps never take less than their length, but for a little calibration error: hence the reserve.
        if bound.is_some_and(|bound| least / 5 > bound.ns() / 4) {
            break;
        }
        cursor.advance();
    }
    walk
}

/// The streams of one thread, one for each purpose.
struct Streams<'n> {
    seed: u64,
    name: &'n str,
    made: BTreeMap<&'static str, Stream>,
}

impl Streams<'_> {
    fn of(&mut self, purpose: &'static str) -> &mut Stream {
        self.made.entry(purpose).or_insert_with(|| Stream::new(self.seed, &format!("{}/{purpose}", self.name)))
    }
}

/// The program without its jumps, so that a walk passes whatever may be done. They all lead forwards.
fn both_ways(program: &Program) -> Program {
    let straight = |(place, op): (usize, &Op)| match op {
        Op::Goto(_) => Op::Goto(place as u32 + 1),
        op => op.clone(),
    };
    Program { ops: program.ops.iter().enumerate().map(straight).collect() }
}

/// For every operation whether it is done, and takes its length, in any case: not where a time-out or a jump leads over it.
fn certain(program: &Program) -> Vec<bool> {
    let mut certain = vec![true; program.ops.len()];
    for (place, op) in program.ops.iter().enumerate() {
        if let Op::Timeout { otherwise: to, .. } | Op::Goto(to) = op {
            certain[place..(*to as usize).min(program.ops.len())].fill(false);
        }
        // One of several branches is done, and each but the last ends with a jump behind all of them.
        if let Op::Choose { places, .. } = op
            && let Some(Op::Goto(to)) = places.get(1).and_then(|second| program.ops.get(*second as usize - 1))
        {
            certain[place..(*to as usize).min(program.ops.len())].fill(false);
        }
    }
    certain
}

/// The purpose of a step's draws and its length, for steps that have one. The purposes are those of the kernel.
pub(super) fn length_of(op: &Op) -> Option<(&'static str, &Length)> {
    match op {
        Op::Cpu(length) | Op::StraightLine(length) => Some(("cpu", length)),
        Op::Native(length) | Op::NativeHoldingGil(length) => Some(("native", length)),
        Op::Io { length, .. } => Some(("io", length)),
        Op::Sleep(length) => Some(("sleep", length)),
        Op::Timeout { after, .. } => Some(("timeout", after)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Length {
        Length::Fixed(Span::from_ms(ms))
    }

    /// {get, timeout: 5ms, else: [{cpu: 7ms}]}, {cpu: 1ms}: the draws of both ways are needed, only the last step is sure.
    #[test]
    fn a_walk_passes_both_ways_and_knows_what_is_sure() {
        let program = Program {
            ops: vec![
                Op::Timeout { after: ms(5), otherwise: 3 },
                Op::Show,
                Op::Goto(4),
                Op::Cpu(ms(7)),
                Op::Cpu(ms(1)),
            ],
        };
        assert_eq!(certain(&program), [false, false, false, false, true]);
        let (program, mut cursor, mut seen) = (both_ways(&program), Cursor::default(), Vec::new());
        while cursor.fetch(&program).is_some() {
            seen.push(cursor.place);
            cursor.advance();
        }
        assert_eq!(seen, [0, 1, 3, 4]);
    }
}
