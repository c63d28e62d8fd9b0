use super::*;

const SHOT: &str = "\
format   1
model    aa
seed     1

ending         finished at 10ms
makespan       10ms
gil_switches   2

thread        finished  ran
a             10ms      5ms

expectations   1 of 1 hold
invariants     9 of 9 hold

              0ms       5ms
a             #####.....

           0ms  a     python          gil-taken, core 0
           0ms  b     wants-gil       gil-locked
           5ms  b     gil request     main
           5ms  a     gil drop        main, on request
          10ms  -     end             finished

digest   11
";

#[test]
fn the_same_is_one_line() {
    let changes = shot_changes(SHOT, SHOT);
    assert!(changes.is_same());
    let mut out = String::new();
    shot_diff(&mut out, &changes, Style::default()).unwrap();
    assert_eq!(out, "The same snapshot.\n");
}

#[test]
fn metrics_and_events_are_named() {
    let other = SHOT
        .replace("makespan       10ms", "makespan       11ms")
        .replace("finished at 10ms", "finished at 11ms")
        .replace("           5ms  a     gil drop", "           6ms  a     gil drop")
        .replace("          10ms  -", "          11ms  -")
        .replace("           5ms  b     gil request     main\n", "")
        .replace("digest   11", "digest   22");
    let changes = shot_changes(SHOT, &other);
    let mut out = String::new();
    shot_diff(&mut out, &changes, Style::default()).unwrap();
    let expected = "\
The run takes 11ms instead of 10ms.
Of the events it shows 2 moved in time, 1 are gone, 0 are new.
  ending    finished at 10ms -> finished at 11ms
  makespan  10ms -> 11ms
  the first events that differ:
               0ms  a     python          gil-taken, core 0
               0ms  b     wants-gil       gil-locked
  -            5ms  b     gil request     main
  -            5ms  a     gil drop        main, on request
  -           10ms  -     end             finished
  +            6ms  a     gil drop        main, on request
  +           11ms  -     end             finished
";
    assert_eq!(out, expected);
    // From B to A everything is the other way round.
    assert_eq!(shot_changes(&other, SHOT).counts, (2, 0, 1));
}

#[test]
fn what_does_not_show_is_said_to_be_so() {
    let sentence = |from: &str, to: &str| shot_sentence(&shot_changes(SHOT, &SHOT.replace(from, to)));
    let hidden = "Nothing that the snapshot shows has changed, but the digest has: the timelines differ after it, or in details.";
    assert_eq!(sentence("digest   11", "digest   22"), hidden);
    let model = "The timeline is the same, byte for byte; the text differs (another model).";
    assert_eq!(sentence("model    aa", "model    bb"), model);
    let layout = "The timeline is the same, byte for byte; the text differs (another layout).";
    assert_eq!(sentence("#####.....", "####......"), layout);
}

#[test]
fn values_are_found() {
    assert_eq!(shot_value(SHOT, "makespan"), Some("10ms"));
    assert_eq!(shot_value(SHOT, "pinned"), None);
    assert_eq!(shot_value(&format!("{SHOT}\npinned   order\norder    77\n"), "order"), Some("77"));
    assert!(shot_metrics(SHOT).starts_with("ending         finished at 10ms\nmakespan"));
}
