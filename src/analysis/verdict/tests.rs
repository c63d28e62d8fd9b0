//! The rule against itself: what it must never say, how often it may be wrong, how soon it must be right.

use super::*;
use crate::analysis::interval::LOOKS;
use crate::rng::{Distribution, Shape, Stream};

fn percent(percent: u128) -> Ratio {
    Ratio::new(percent, 100)
}

fn claim(predicted: u128) -> Claim {
    Claim { predicted: Some(Ratio::whole(predicted)), margin: Class::Time.margin(), known: None }
}

fn seen(low: u128, high: u128) -> Interval<Ratio> {
    let [low, high] = [low, high].map(Ratio::whole);
    Interval { least: low, low, median: low, high, trials: 11 }
}

#[test]
fn the_three_outcomes() {
    // 1000 / 1.05 = 952.38; 1000 × 1.05 = 1050.
    let cases = [
        (953, 1049, Verdict::Agrees),
        (952, 1049, Verdict::Inconclusive),
        (953, 1050, Verdict::Inconclusive),
        (1051, 2000, Verdict::Disagrees),
        (100, 952, Verdict::Disagrees),
        (1000, 2000, Verdict::Inconclusive),
    ];
    for (low, high, verdict) in cases {
        assert_eq!(claim(1000).judge(&seen(low, high)), verdict, "{low} to {high}");
    }
}

#[test]
fn floors_and_what_does_not_exist() {
    let wait = Claim { predicted: Some(Ratio::ZERO), margin: Class::Wait.margin(), known: None };
    assert_eq!(wait.judge(&seen(0, 0)), Verdict::Agrees);
    assert_eq!(wait.judge(&seen(0, 199_999)), Verdict::Agrees);
    assert_eq!(wait.judge(&seen(200_001, 300_000)), Verdict::Disagrees);
    let count = Claim { predicted: Some(Ratio::ZERO), margin: Class::Count.margin(), known: None };
    assert_eq!(count.judge(&seen(0, 0)), Verdict::Agrees);
    let never = Claim { predicted: None, ..claim(0) };
    let values = [None, None, None, Some(Ratio::ONE), None, None, None, None, None, None, None];
    assert_eq!(never.judge(&interval(LOOKS[0], &values).expect("eleven")), Verdict::Agrees);
    assert_eq!(claim(5).judge(&interval(LOOKS[0], &values).expect("eleven")), Verdict::Disagrees);
}

#[test]
fn a_known_difference_must_stay_what_it_was() {
    let band = Band { least: Ratio::new(5, 4), most: Ratio::new(3, 2), because: "measured".into() };
    let known = Claim { known: Some(band), ..claim(1000) };
    assert_eq!(known.judge(&seen(1300, 1400)), Verdict::KnownDivergence);
    assert_eq!(known.judge(&seen(1000, 1001)), Verdict::Agrees, "the difference is gone");
    assert_eq!(known.judge(&seen(1600, 1700)), Verdict::Disagrees, "it has grown");
    assert_eq!(known.judge(&seen(1100, 1200)), Verdict::Disagrees, "it is another one");
    assert_eq!(known.judge(&seen(1400, 1600)), Verdict::Inconclusive);
}

#[test]
fn what_disagrees_dominates() {
    use Verdict::{Agrees, Disagrees, Inconclusive, KnownDivergence};
    assert_eq!(Agrees.and(KnownDivergence), KnownDivergence);
    assert_eq!(KnownDivergence.and(Inconclusive), Inconclusive);
    assert_eq!(Inconclusive.and(Disagrees), Disagrees);
    assert_eq!(Agrees.and(Agrees), Agrees);
}

#[test]
fn a_wider_margin_is_said_to_be_widened() {
    assert!(Margin::fixed(Class::Time, Some(percent(20))).widened);
    assert!(!Margin::fixed(Class::Time, Some(percent(2))).widened);
    assert!(!Margin::fixed(Class::Wait, Some(percent(20))).widened);
    assert_eq!(Margin::fixed(Class::Time, None), Class::Time.margin());
}

/// Verdicts and mean number of trials over `runs` validations whose true ratio of measured to predicted is `bias`
/// (per mille) and whose trials spread by `cv` (per mille).
struct Outcomes {
    agrees: u32,
    disagrees: u32,
    early: u32,
    trials: usize,
}

fn outcomes(runs: u32, bias: u64, cv: u64) -> Outcomes {
    let truth = 1_000 * bias;
    let distribution = Distribution { shape: Shape::Normal(truth, truth * cv / 1000), min: 1, max: u64::MAX };
    let mut stream = Stream::new(1, "verdict/self-test");
    let mut found = Outcomes { agrees: 0, disagrees: 0, early: 0, trials: 0 };
    for _ in 0..runs {
        let mut sequential = Sequential::new(claim(1_000_000), LOOKS.to_vec());
        let mut values = Vec::new();
        while values.len() < 31 && sequential.verdict() == Verdict::Inconclusive {
            values.push(Some(Ratio::whole(distribution.sample(&mut stream).into())));
            sequential.look(&values);
        }
        let agrees = sequential.verdict() == Verdict::Agrees;
        found.agrees += u32::from(agrees);
        found.disagrees += u32::from(sequential.verdict() == Verdict::Disagrees);
        found.early += u32::from(agrees && values.len() <= 21);
        found.trials += values.len();
    }
    found
}

#[test]
fn false_agreement_at_the_edge_of_the_margin_stays_below_five_percent() {
    for cv in [10, 20, 30, 50, 80] {
        for bias in [1050, 952] {
            let found = outcomes(2000, bias, cv);
            assert!(found.agrees <= 100, "bias {bias}, CV {cv}: {} of 2000", found.agrees);
        }
    }
}

#[test]
fn a_right_prediction_is_recognised_soon() {
    let found = outcomes(2000, 1000, 30);
    assert!(found.early >= 1800, "{} of 2000 within 21 trials", found.early);
    assert_eq!(found.disagrees, 0);
    assert!(found.trials <= 2000 * 16, "{} trials for 2000", found.trials);
}

#[test]
fn a_wrong_prediction_is_recognised() {
    for bias in [1103, 907] {
        let found = outcomes(2000, bias, 30);
        assert!(found.disagrees >= 1800, "bias {bias}: {} of 2000", found.disagrees);
        assert_eq!(found.agrees, 0);
    }
}
