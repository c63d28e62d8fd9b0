use super::*;
use crate::analysis::play::{self, Play};
use crate::analysis::tests::watch;
use crate::ids::GroupId;
use crate::ids::ThreadId;
use crate::model::expect::MetricName;
use crate::trace::{Ending, State, WaitsFor};

fn metric(name: MetricName, selector: &str) -> Metric {
    Metric { name, selector: (!selector.is_empty()).then(|| selector.to_string()) }
}

fn claim(aggregate: Option<Aggregate>, metric: Metric, op: Comparison, value: Value) -> Claim {
    Claim::Metric { aggregate, metric, op, value }
}

fn ms(ms: u64) -> Value {
    Value::Time(Span::from_ms(ms))
}

fn number(text: &str) -> Value {
    Value::Number(Ratio::parse(text).unwrap())
}

fn evaluate_one(cast: &Cast, play: &Play, claim: Claim) -> Outcome {
    let metrics = watch(cast, play, 64).0;
    let expectation = Expectation { text: "as written".into(), because: Some("so".into()), claim };
    let outcome = evaluate(cast, &metrics, &[expectation]).remove(0);
    assert_eq!((outcome.text.as_str(), outcome.because.as_deref()), ("as written", Some("so")));
    assert_eq!(outcome.holds, outcome.miss.is_none());
    outcome
}

/// On the two threads of [`play::two_threads`]: a ends at 15 ms, b at 20 ms; waits a 5, b 5 + 5.
fn on_two(claim: Claim) -> Outcome {
    evaluate_one(&play::cast(2, &["a", "b"]), &play::two_threads(), claim)
}

type Said<'a> = (bool, &'a str, Option<(&'a str, &'a str, &'a str, Option<&'a str>)>);

/// Holds, value, and of a miss: who, value, bound, distance.
fn says(outcome: &Outcome) -> Said<'_> {
    let miss = outcome.miss.as_ref();
    (
        outcome.holds,
        &outcome.value,
        miss.map(|miss| (miss.who.as_str(), miss.value.as_str(), miss.bound.as_str(), miss.distance.as_deref())),
    )
}

#[test]
fn metrics_of_the_run() {
    use Comparison::*;
    use MetricName::*;
    let holds = |name, op, value| on_two(claim(None, metric(name, ""), op, value)).holds;
    assert!(holds(Makespan, Equal(None), ms(20)));
    assert!(!holds(Makespan, Less, ms(20)));
    assert!(holds(Makespan, AtMost, ms(20)));
    assert!(!holds(Makespan, More, ms(20)));
    assert!(holds(CoresBusy, Equal(None), number("1.0")));
    assert!(holds(MaxInPython, Equal(None), number("1")));
    assert!(holds(GilSwitches, Equal(None), number("4")));
    assert!(holds(GilForced, AtLeast, number("2")));
    assert!(holds(GilBusy, Equal(None), ms(20)));
    assert!(holds(Work, Equal(None), ms(20)));
    assert!(holds(Fairness, Equal(None), number("1")));
    // 1.0 x work, 50% of makespan
    assert!(holds(Makespan, AtLeast, Value::Times(Ratio::ONE, metric(Work, ""))));
    assert!(!holds(Makespan, AtMost, Value::Times(Ratio::new(1, 2), metric(Makespan, ""))));
}

#[test]
fn about_and_within_are_exact_at_their_edges() {
    use Comparison::*;
    let about = |op, text: &str| {
        let value = Value::Time(Span::from_ns((Ratio::parse(text).unwrap().num() * 1000) as u64));
        on_two(claim(None, metric(MetricName::Makespan, ""), op, value)).holds
    };
    // 20 ms is within 5 % of V for 20/1.05 = 19.0476… ≤ V ≤ 20/0.95 = 21.0526… ms.
    let twentieth = Ratio::new(1, 20);
    assert!(!about(About(twentieth), "19047"));
    assert!(about(About(twentieth), "19048"));
    assert!(about(About(twentieth), "21052"));
    assert!(!about(About(twentieth), "21053"));
    assert!(about(Equal(Some(Ratio::new(1, 4))), "16000"));
    assert!(!about(Equal(Some(Ratio::new(1, 4))), "15999"));
}

#[test]
fn every_thread_or_an_aggregate() {
    use Comparison::*;
    let finish = |aggregate, op, value| on_two(claim(aggregate, metric(MetricName::Finish, "*"), op, value));
    assert_eq!(says(&finish(None, AtMost, ms(20))), (true, "15ms … 20ms", None));
    let miss = Some(("b", "20ms", "16ms", Some("4ms more")));
    assert_eq!(says(&finish(None, AtMost, ms(16))), (false, "15ms … 20ms", miss));
    assert!(finish(Some(Aggregate::Any), AtMost, ms(16)).holds);
    assert!(!finish(Some(Aggregate::All), AtMost, ms(16)).holds);
    assert_eq!(says(&finish(Some(Aggregate::Max), Equal(None), ms(20))), (true, "20ms", None));
    assert_eq!(says(&finish(Some(Aggregate::Total), Equal(None), ms(35))), (true, "35ms", None));
    assert_eq!(says(&finish(Some(Aggregate::Mean), Equal(None), ms(17))).1, "17.5ms");
    let miss = Some(("", "15ms", "16ms", Some("1ms less")));
    assert_eq!(says(&finish(Some(Aggregate::Min), AtLeast, ms(16))), (false, "15ms", miss));
    assert_eq!(says(&finish(Some(Aggregate::Percentile(50)), Equal(None), ms(15))), (true, "15ms", None));
}

#[test]
fn single_waits() {
    use Comparison::*;
    let wait = |aggregate, op, value, who| on_two(claim(aggregate, metric(MetricName::EachWaitGil, who), op, value));
    assert!(wait(None, Equal(None), ms(5), "*").holds);
    assert_eq!(wait(Some(Aggregate::Total), Equal(None), ms(15), "*").value, "15ms");
    assert_eq!(wait(Some(Aggregate::Percentile(99)), Equal(None), ms(5), "b").value, "5ms");
    assert_eq!(wait(Some(Aggregate::Mean), Equal(None), ms(5), "b").value, "5ms");
}

#[test]
fn who_never_waited_waited_no_time() {
    let cast = play::free_threaded(play::cast(1, &["a"]), (1, 1));
    let mut play = Play::default();
    play.at(0).python(0, 0).at(1).end(Ending::Horizon);
    let max = |op| {
        let wait = metric(MetricName::EachWaitGil, "a");
        evaluate_one(&cast, &play, claim(Some(Aggregate::Max), wait, op, ms(5))).holds
    };
    assert!(max(Comparison::AtMost));
    assert!(!max(Comparison::AtLeast));
}

#[test]
fn the_unfinished_and_the_absent() {
    let mut cast = play::cast(2, &["a", "b", "c"]);
    cast.processes.push("other".into());
    cast.process_groups.push(None);
    let mut play = Play::default();
    play.at(0).grant(0).python(0, 0).off(1, State::Io).output(0, "all started").at(9).end(Ending::Horizon);
    let finish = |aggregate, who| {
        evaluate_one(&cast, &play, claim(aggregate, metric(MetricName::Finish, who), Comparison::AtMost, ms(100)))
    };
    let missing = |who, why| (false, why, Some((who, why, "100ms", None)));
    assert_eq!(says(&finish(None, "a")), missing("main/a", "not finished at the horizon"));
    assert_eq!(says(&finish(Some(Aggregate::Max), "b")), missing("main/b", "not finished at the horizon"));
    assert_eq!(says(&finish(None, "c")), missing("main/c", "never started"));
    // A group without members is vacuous.
    assert!(finish(None, "nobody").holds);
    let first_run = claim(None, metric(MetricName::FirstRun, "b"), Comparison::AtMost, ms(1));
    assert_eq!(evaluate_one(&cast, &play, first_run).value, "never ran");
    let exit = claim(None, metric(MetricName::Exit, "main"), Comparison::Equal(None), number("0"));
    assert_eq!(evaluate_one(&cast, &play, exit).value, "still running at the horizon");
}

#[test]
fn printed_lines_and_deadlocks() {
    let cast = play::cast(2, &["a", "b"]);
    let mut play = Play::default();
    play.at(0).grant(0).python(0, 0).at(7).output(0, "now all started").output(0, "all started again");
    let holder = Some(ThreadId(1));
    let cycle = vec![WaitsFor { thread: ThreadId(0), what: "lock database".into(), holder }];
    play.at(9).end(Ending::Deadlock { cycle });
    let of = |claim| evaluate_one(&cast, &play, claim);
    assert!(of(Claim::OutputContains("started ag".into())).holds);
    assert_eq!(says(&of(Claim::OutputContains("x".into()))).1, "never printed");
    let time = |text: &str, op| of(Claim::TimeOf { text: text.into(), op, value: Span::from_ms(7) });
    assert_eq!(says(&time("all started", Comparison::Equal(None))), (true, "7ms", None));
    let miss = Some(("", "7ms", "7ms", Some("0ms less")));
    assert_eq!(says(&time("all started", Comparison::More)).2, miss);
    assert_eq!(time("never", Comparison::AtMost).value, "never printed");
    assert_eq!(says(&of(Claim::Deadlock(true))), (true, "deadlock", None));
    assert!(!of(Claim::Deadlock(false)).holds);
    assert!(on_two(Claim::Deadlock(false)).holds);
}

#[test]
fn locks_processes_and_counts() {
    let mut cast = play::cast(2, &["worker-1", "worker-2"]);
    cast.processes = ["worker-1", "worker-2", "web"].map(String::from).into_iter().collect();
    cast.process_groups = [Some(GroupId(0)), Some(GroupId(0)), None].into_iter().collect();
    cast.locks = ["web/database", "web/other"].map(String::from).into_iter().collect();
    let mut play = Play::default();
    play.at(0).lock(0, crate::trace::LockAct::Acquire).at(4).lock(0, crate::trace::LockAct::Release);
    play.exit(1).at(5).end(Ending::Horizon);
    let of = |name, who: &str, value| {
        evaluate_one(&cast, &play, claim(None, metric(name, who), Comparison::Equal(None), value)).holds
    };
    assert!(of(MetricName::Held, "database", ms(4)));
    assert!(of(MetricName::Held, "web/other", ms(0)));
    assert!(of(MetricName::Exit, "worker-1", number("1")));
    assert!(!of(MetricName::Exit, "worker", number("1")), "worker-2 still runs");
    assert!(of(MetricName::Count, "thread", number("2")));
    assert!(of(MetricName::Count, "process", number("3")));
    assert!(of(MetricName::Count, "gil", number("1")));
    assert!(of(MetricName::Share, "worker-1", number("0")));
    let mut play = Play::default();
    play.at(0).exit(-9).at(1).end(Ending::Horizon);
    let below = claim(None, metric(MetricName::Exit, "worker-1"), Comparison::Less, number("0"));
    let outcome = evaluate_one(&cast, &play, below);
    assert_eq!((outcome.holds, outcome.value.as_str()), (true, "-9"));
}

#[test]
fn every_metric_of_the_grammar_has_a_value() {
    let cast = play::with_requests(play::cast(2, &["a", "b"]));
    let mut metrics = watch(&cast, &play::two_threads(), 64).0;
    metrics.spans.values_mut().for_each(|span| span.latency.add(Span::from_ms(5)));
    for name in MetricName::ALL {
        use crate::model::expect::Scope::{self, Kind, Lock, Processes, Queue, Run, RunOrThreads, Threads, Variable};
        let selectors: &[&str] = match name.scope() {
            Run => &[""],
            Threads => &["*"],
            RunOrThreads => &["", "*"],
            Processes => &["main"],
            Lock => &["database"],
            Queue => &["jobs"],
            Variable => &["counter"],
            Kind => &["thread", "process", "gil", "request"],
            Scope::Span => &["request", "*"],
        };
        for selector in selectors {
            let readings = read(&cast, &metrics, &metric(*name, selector));
            assert!(
                !readings.is_empty() && readings.iter().all(|reading| reading.value.is_ok()),
                "{name:?} {readings:?}"
            );
        }
    }
}

#[test]
fn shares_add_up_exactly() {
    let names: Vec<String> = (1..=40).map(|n| format!("t-{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let cast = play::free_threaded(play::cast(1, &names), (1, 1));
    let mut play = Play::default();
    for n in 0..40 {
        play.python(n, 0).at_ns(1_000_003 * u64::from(n + 1) * u64::from(n + 7)).off(n, State::Done);
    }
    play.end(Ending::Finished);
    let total = claim(Some(Aggregate::Total), metric(MetricName::Share, "*"), Comparison::Equal(None), number("1"));
    let outcome = evaluate_one(&cast, &play, total);
    assert!(outcome.holds, "{outcome:?}");
}

#[test]
fn a_difference_that_rounding_hides_is_shown() {
    // share of 1 in 3: 0.333 exactly is 1/3000 too little.
    let cast = play::free_threaded(play::cast(3, &["a", "b", "c"]), (1, 1));
    let mut play = Play::default();
    play.at(0).python(0, 0).python(1, 1).python(2, 2).at(1).end(Ending::Horizon);
    let exactly = claim(None, metric(MetricName::Share, "a"), Comparison::Equal(None), number("0.333"));
    let outcome = evaluate_one(&cast, &play, exactly);
    assert_eq!(says(&outcome), (false, "0.333", Some(("a", "0.333", "0.333", Some("1/3000 more")))));
}
