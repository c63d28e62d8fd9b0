//! Every finding, word for word: a model, and everything that is said about it.

use std::collections::BTreeSet;

use gilsim::model::{Code, Options, Source, load};

/// What is said of a model called `m.yaml`, errors and warnings, as plain text.
pub fn said(text: &str, variant: Option<&str>, sets: &[&str]) -> String {
    let source = Source { name: "m.yaml".to_owned(), text: text.to_owned() };
    let sets: Vec<String> = sets.iter().map(|set| (*set).to_owned()).collect();
    let read_profile = &|_: &str| Err("there is no such file".to_owned());
    let options = Options { variant, sets: &sets, read_profile, ..Options::default() };
    let findings = load(&source, &options).map_or_else(|findings| findings, |loaded| loaded.warnings);
    findings.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

#[test]
fn every_finding_word_for_word() {
    for (name, model, expected) in CASES {
        let found = said(model, None, &[]);
        assert_eq!(found, *expected, "{name}\n{found}\n");
    }
}

/// Codes of findings that other floors make, or that wait for what is not simulated yet.
const ELSEWHERE: &[Code] = &[Code::E204, Code::E303, Code::W504, Code::W505];

#[test]
fn every_code_has_a_case() {
    let seen: BTreeSet<Code> = Code::ALL
        .iter()
        .copied()
        .filter(|code| CASES.iter().any(|(_, _, said)| said.contains(&format!(" {}: ", code.word()))))
        .collect();
    let missing: Vec<&Code> =
        Code::ALL.iter().filter(|code| !seen.contains(code) && !ELSEWHERE.contains(code)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn findings_in_settings_point_into_the_setting() {
    let model = "name: x\nmachine: {scheduler: fair}\nthreads: {a: {do: [cpu: 5ms]}}\nwhat_if: {slow: {set: {threads.a.do.0.cpu: 5}}}\n";
    let cases: &[(&[&str], &str)] = &[
        (
            &["machine.cores=0"],
            "--set:1:15: error E304: 0 cores; a machine has 1 to 4096\n   1 | machine.cores=0\n     |               ^",
        ),
        (
            &["machine.cors=3"],
            "--set:1:1: error E403: path \"machine.cors\" does not exist\n   1 | machine.cors=3\n     | ^^^^^^^^^^^^ did you mean \"cores\"?\n     \
             = allowed here: cores, scheduler, runqueue, tick, devices, profile, costs",
        ),
        (
            &["run"],
            "--set:1:1: error E403: a setting is path=value\n   1 | run\n     | ^^^\n     = as in --set machine.cores=2",
        ),
        (
            &["threads.a.do.1.cpu=1ms"],
            "--set:1:1: error E403: path \"threads.a.do.1.cpu\" does not exist: the items of threads.a.do are numbered 0 to 0\n   \
             1 | threads.a.do.1.cpu=1ms\n     | ^^^^^^^^^^^^^^^^^^",
        ),
        (
            &["machine.cores={"],
            "--set:1:15: error E101: not YAML: unclosed bracket '{'\n   1 | machine.cores={\n     |               ^",
        ),
        (
            &["python.version=3.12"],
            "--set:1:16: error E106: a Python version needs quotes\n   1 | python.version=3.12\n     |                ^^^^ did you mean \"3.12\"?",
        ),
        (&["machine.scheduler.fair.slice=1ms", "run.seed=5", "threads.a.do.0={io: 1ms}", "locks={}"], ""),
    ];
    for (sets, expected) in cases {
        assert_eq!(said(model, None, sets), *expected, "{sets:?}");
    }
    let place = "   4 | what_if: {slow: {set: {threads.a.do.0.cpu: 5}}}\n     | ";
    let found = said(model, Some("slow"), &[]);
    let indent = " ".repeat(43);
    assert_eq!(
        found,
        format!("m.yaml:4:44: error E104: duration needs a unit\n{place}{indent}^ did you mean 5ms or 5us?")
    );
    let found = said(model, Some("slw"), &[]);
    let indent = " ".repeat(9);
    let expected = format!("{place}{indent}^ did you mean \"slow\"?\n     = variants: slow");
    assert_eq!(found, format!("m.yaml:4:10: error E403: no variant \"slw\" under what_if\n{expected}"));
}

/// A title, a model, and everything that is said about it.
#[rustfmt::skip]
const CASES: &[(&str, &str, &str)] = &[
    (
        "E101 documents",
        r#"name: x
---
name: y
"#,
        r#"m.yaml:2:1: error E101: more than one document
   2 | ---
     | ^^^
     = put each model into a file of its own"#,
    ),
    (
        "E101 duplicate keys, all of them",
        r#"name: x
name: y
threads: {a: {do: [cpu: 5ms], do: []}}
"#,
        r#"m.yaml:2:1: error E101: duplicate key "name"
   2 | name: y
     | ^^^^
   1 | name: x
     | ---- first here
m.yaml:3:31: error E101: duplicate key "do"
   3 | threads: {a: {do: [cpu: 5ms], do: []}}
     |                               ^^
   3 | threads: {a: {do: [cpu: 5ms], do: []}}
     |               -- first here"#,
    ),
    (
        "E101 tab",
        "name: x\nthreads:\n\ta: {}\n",
        r#"m.yaml:3:2: error E101: not YAML: a tab where only spaces may stand
   3 |     a: {}
     |     ^
     = indent with spaces"#,
    ),
    (
        "E101 unclosed",
        r#"name: x
threads: {a: {do: [cpu: 5ms]}
"#,
        r#"m.yaml:2:10: error E101: not YAML: unclosed bracket '{'
   2 | threads: {a: {do: [cpu: 5ms]}
     |          ^"#,
    ),
    (
        "E101 merge key",
        r#"name: x
base: &b {do: [cpu: 5ms]}
threads: {a: {<<: *b}}
"#,
        r#"m.yaml:2:1: error E102: unknown key "base"
   2 | base: &b {do: [cpu: 5ms]}
     | ^^^^
     = all fields: gilsim help format
m.yaml:3:14: error E202: a thread needs its steps
   3 | threads: {a: {<<: *b}}
     |              ^
     = list them under do
m.yaml:3:15: error E101: merge keys are not supported
   3 | threads: {a: {<<: *b}}
     |               ^^
     = write the fields out"#,
    ),
    (
        "E101 tag",
        r#"name: !!python/object/apply:os.system [ls]
threads: {a: {do: [cpu: 5ms]}}
"#,
        r#"m.yaml:1:39: error E101: tags are not supported
   1 | name: !!python/object/apply:os.system [ls]
     |                                       ^
     = write the plain value"#,
    ),
    (
        "E101 unknown alias",
        r#"name: *x
threads: {a: {do: [cpu: 5ms]}}
"#,
        r#"m.yaml:1:7: error E101: not YAML: alias references unknown anchor
   1 | name: *x
     |       ^"#,
    ),
    (
        "E101 alias of itself",
        r#"name: x
threads: &t {a: *t}
"#,
        r#"m.yaml:2:17: error E101: an alias inside of what it names
   2 | threads: &t {a: *t}
     |                 ^^"#,
    ),
    (
        "E101 key that is no word",
        r#"name: x
? [a, b]
: 1
threads: {a: {do: [cpu: 5ms]}}
"#,
        r#"m.yaml:2:3: error E101: a key must be a word
   2 | ? [a, b]
     |   ^"#,
    ),
    (
        "E101 empty",
        r#"# nothing
"#,
        r#"m.yaml:1:1: error E101: the model is empty
   1 | # nothing
     | ^
     = a model needs a name and threads or processes"#,
    ),
    (
        "E101 control character",
        "name: \"a\x1b[2J\"\nthreads: {a: {do: [cpu: 5ms]}}\n",
        r#"m.yaml:1:9: error E101: not YAML: unexpected character: `\u{1b}'
   1 | name: "a\x1b[2J"
     |         ^^^^"#,
    ),
    (
        "E102 with and without suggestion",
        r#"name: x
machine: {cors: 4, colour: red}
threads: {a: {do: [cpu: 5ms]}}
"#,
        r#"m.yaml:2:11: error E102: unknown key "cors"
   2 | machine: {cors: 4, colour: red}
     |           ^^^^ did you mean "cores"?
     = allowed here: cores, scheduler, runqueue, tick, devices, profile, costs
m.yaml:2:20: error E102: unknown key "colour"
   2 | machine: {cors: 4, colour: red}
     |                    ^^^^^^
     = allowed here: cores, scheduler, runqueue, tick, devices, profile, costs"#,
    ),
    (
        "E102 companion",
        r#"name: x
threads: {a: {do: [{cpu: 5ms, device: disk}, {sleep: 1ms, until: 2ms}]}}
"#,
        r#"m.yaml:2:31: error E102: "device" does not go with "cpu"
   2 | threads: {a: {do: [{cpu: 5ms, device: disk}, {sleep: 1ms, until: 2ms}]}}
     |                               ^^^^^^
m.yaml:2:59: error E102: unknown key "until"
   2 | threads: {a: {do: [{cpu: 5ms, device: disk}, {sleep: 1ms, until: 2ms}]}}
     |                                                           ^^^^^"#,
    ),
    (
        "E103 both",
        r#"name: x
processes: {b: {do: []}}
threads: {a: {do: [cpu: 5ms]}}
"#,
        r#"m.yaml:2:1: error E103: a model has either threads or processes, not both
   2 | processes: {b: {do: []}}
     | ^^^^^^^^^
     = processes may list their threads"#,
    ),
    (
        "E103 neither",
        r#"name: x
"#,
        r#"m.yaml:1:1: error E103: a model needs threads or processes
   1 | name: x
     | ^^^^"#,
    ),
    (
        "E103 in a process",
        r#"name: x
processes: {a: {do: [], threads: {}}, b: {}}
"#,
        r#"m.yaml:2:17: error E103: a process has either do or threads, not both
   2 | processes: {a: {do: [], threads: {}}, b: {}}
     |                 ^^
     = move the steps into a thread called main
m.yaml:2:42: error E103: a process needs do or threads
   2 | processes: {a: {do: [], threads: {}}, b: {}}
     |                                          ^"#,
    ),
    (
        "E104 bare, spaced, unknown unit",
        r#"name: x
threads: {a: {do: [cpu: 5, io: 5 ms, sleep: 5msec, native: 1.5]}}
"#,
        r#"m.yaml:2:25: error E104: duration needs a unit
   2 | threads: {a: {do: [cpu: 5, io: 5 ms, sleep: 5msec, native: 1.5]}}
     |                         ^ did you mean 5ms or 5us?
m.yaml:2:32: error E104: no space between a number and its unit
   2 | threads: {a: {do: [cpu: 5, io: 5 ms, sleep: 5msec, native: 1.5]}}
     |                                ^^^^ did you mean 5ms?
m.yaml:2:45: error E104: unknown unit "msec"; units are ns, us, ms, s, min, h
   2 | threads: {a: {do: [cpu: 5, io: 5 ms, sleep: 5msec, native: 1.5]}}
     |                                             ^^^^^ did you mean 5ms?
m.yaml:2:60: error E104: duration needs a unit
   2 | threads: {a: {do: [cpu: 5, io: 5 ms, sleep: 5msec, native: 1.5]}}
     |                                                            ^^^ did you mean 1.5ms or 1.5us?"#,
    ),
    (
        "E104 through an alias",
        r#"name: x
threads: {a: {do: [cpu: &x 5, cpu: *x]}}
"#,
        r#"m.yaml:2:28: error E104: duration needs a unit
   2 | threads: {a: {do: [cpu: &x 5, cpu: *x]}}
     |                            ^ did you mean 5ms or 5us?
m.yaml:2:36: error E104: duration needs a unit
   2 | threads: {a: {do: [cpu: &x 5, cpu: *x]}}
     |                                    ^^ did you mean 5ms or 5us?"#,
    ),
    (
        "E104 through a parameter",
        r#"name: x
params: {work: 5}
threads: {a: {do: [cpu: $work]}}
"#,
        r#"m.yaml:3:25: error E104: duration needs a unit
   3 | threads: {a: {do: [cpu: $work]}}
     |                         ^^^^^ did you mean 5ms or 5us?
   2 | params: {work: 5}
     |                - $work is declared here"#,
    ),
    (
        "E105 durations",
        r#"name: x
threads: {a: {do: [cpu: -5ms, io: .nan, sleep: 1001h, native: 0.1ns]}}
"#,
        r#"m.yaml:2:25: error E105: a duration cannot be negative
   2 | threads: {a: {do: [cpu: -5ms, io: .nan, sleep: 1001h, native: 0.1ns]}}
     |                         ^^^^
m.yaml:2:35: error E105: a duration must be a finite number, found .nan
   2 | threads: {a: {do: [cpu: -5ms, io: .nan, sleep: 1001h, native: 0.1ns]}}
     |                                   ^^^^
m.yaml:2:48: error E105: a duration cannot be longer than 1000h
   2 | threads: {a: {do: [cpu: -5ms, io: .nan, sleep: 1001h, native: 0.1ns]}}
     |                                                ^^^^^
m.yaml:2:63: error E105: a duration cannot be finer than 1ns
   2 | …: -5ms, io: .nan, sleep: 1001h, native: 0.1ns]}}
     |                                          ^^^^^"#,
    ),
    (
        "E105 ranges",
        r#"name: x
machine: {scheduler: {round-robin: {quantum: 0ms}}, devices: {d: {at_once: 0}}}
python: {switch_interval: 0ms}
run: {max_events: 0}
format: 2
threads: {a: {nice: 20, affinity: [4, 0], do: [io: 1ms]}}
"#,
        r#"m.yaml:2:46: error E105: a quantum must be above 0
   2 | machine: {scheduler: {round-robin: {quantum: 0ms}}, devices: {d: {at_once: 0}}}
     |                                              ^^^
m.yaml:2:76: error E105: a device serves at least one request at once
   2 | …{quantum: 0ms}}, devices: {d: {at_once: 0}}}
     |                                          ^
m.yaml:3:27: error E105: the switch interval must be above 0
   3 | python: {switch_interval: 0ms}
     |                           ^^^
m.yaml:4:19: error E105: max_events must be above 0
   4 | run: {max_events: 0}
     |                   ^
m.yaml:5:9: error E105: this version reads format 1
   5 | format: 2
     |         ^
m.yaml:6:15: warning W507: the round-robin scheduler does not look at nice
   6 | threads: {a: {nice: 20, affinity: [4, 0], do: [io: 1ms]}}
     |               ^^^^
m.yaml:6:21: error E105: nice is from -20 to 19
   6 | threads: {a: {nice: 20, affinity: [4, 0], do: [io: 1ms]}}
     |                     ^^
m.yaml:6:36: error E105: there is no core 4; cores are 0 to 3
   6 | threads: {a: {nice: 20, affinity: [4, 0], do: [io: 1ms]}}
     |                                    ^"#,
    ),
    (
        "E105 speeds",
        r#"name: x
machine: {cores: {count: 2, speeds: [1, 0.3333, 0]}}
threads: {a: {do: [cpu: 5ms]}}
"#,
        r#"m.yaml:2:26: error E105: 2 cores with 3 speeds
   2 | machine: {cores: {count: 2, speeds: [1, 0.3333, 0]}}
     |                          ^
     = one speed for each core
m.yaml:2:41: error E105: a speed is above 0 and at most 100, with at most three decimals
   2 | machine: {cores: {count: 2, speeds: [1, 0.3333, 0]}}
     |                                         ^^^^^^"#,
    ),
    (
        "E105 distributions",
        r#"name: x
run: {seed: 1}
threads:
  a:
    do:
    - cpu: {uniform: [6ms, 2ms]}
    - cpu: {choice: [1ms, 2ms], weights: [1]}
    - cpu: {choice: [1ms], weights: [0]}
    - cpu: {pareto: {scale: 1ms, shape: 0}}
    - cpu: {exponential: 1ms, min: 2ms, max: 1ms}
"#,
        r#"m.yaml:6:22: error E105: the low end 6ms is above the high end 2ms
   6 |     - cpu: {uniform: [6ms, 2ms]}
     |                      ^
m.yaml:7:21: error E105: 2 values with 1 weights
   7 |     - cpu: {choice: [1ms, 2ms], weights: [1]}
     |                     ^
     = one weight for each value, and at least one value
m.yaml:8:21: error E105: the weights must sum to a number above 0 that fits 64 bits
   8 |     - cpu: {choice: [1ms], weights: [0]}
     |                     ^
m.yaml:9:41: error E105: the shape is from 0.001 to 1000, with at most three decimals
   9 |     - cpu: {pareto: {scale: 1ms, shape: 0}}
     |                                         ^
m.yaml:10:13: error E105: min 2ms is above max 1ms
  10 |     - cpu: {exponential: 1ms, min: 2ms, max: 1ms}
     |             ^^^^^^^^^^^"#,
    ),
    (
        "E106",
        r#"name: x
python: {version: 3.10}
threads: {a: {do: [cpu: 5ms]}}
"#,
        r#"m.yaml:2:19: error E106: a Python version needs quotes
   2 | python: {version: 3.10}
     |                   ^^^^ did you mean "3.10"?"#,
    ),
    (
        "E106 unknown",
        r#"name: x
python: {version: "3.15"}
threads: {a: {do: [cpu: 5ms]}}
"#,
        r#"m.yaml:2:19: error E106: Python "3.15" is not supported
   2 | python: {version: "3.15"}
     |                   ^^^^^^
     = supported are "2.7" and "3.2" to "3.14""#,
    ),
    (
        "E107",
        r#"name: x
threads: {a: {daemon: yes, do: [cpu: 5ms]}, b: {daemon: "true", do: [cpu: 5ms]}}
"#,
        r#"m.yaml:2:11: warning W502: 2 CPU-bound threads share one GIL: they take turns, whatever the number of cores
   2 | threads: {a: {daemon: yes, do: [cpu: 5ms]}, b: {daemon: "true", do: [cpu: 5ms]}}
     |           ^
m.yaml:2:23: error E107: expected true or false, found "yes"
   2 | threads: {a: {daemon: yes, do: [cpu: 5ms]}, b: {daemon: "true", do: [cpu: 5ms]}}
     |                       ^^^ did you mean true?
m.yaml:2:57: error E107: expected true or false, found "true"
   2 | threads: {a: {daemon: yes, do: [cpu: 5ms]}, b: {daemon: "true", do: [cpu: 5ms]}}
     |                                                         ^^^^^^ did you mean true?"#,
    ),
    (
        "E108 kinds",
        r#"name: x
machine: {cores: twelve, scheduler: [fair], costs: 5us}
run: {seed: "1", max_events: 1_000}
locks: ~
threads: {a: {count: 010, do: cpu}}
"#,
        r#"m.yaml:2:18: error E108: expected a whole number, found "twelve"
   2 | machine: {cores: twelve, scheduler: [fair], costs: 5us}
     |                  ^^^^^^
m.yaml:2:37: error E108: expected fair | round-robin | fifo | priority | sjf | stcf | mlfq | lottery | stride | edf | rate-monotonic, found a list
   2 | machine: {cores: twelve, scheduler: [fair], costs: 5us}
     |                                     ^
m.yaml:2:52: error E108: expected a map, found "5us"
   2 | machine: {cores: twelve, scheduler: [fair], costs: 5us}
     |                                                    ^^^
m.yaml:3:13: error E108: expected a whole number, found "1"
   3 | run: {seed: "1", max_events: 1_000}
     |             ^^^
m.yaml:3:30: error E108: expected a whole number, found 1_000
   3 | run: {seed: "1", max_events: 1_000}
     |                              ^^^^^ did you mean 1000?
m.yaml:4:8: error E108: expected a map of names, found nothing
   4 | locks: ~
     |        ^
m.yaml:5:22: error E108: a number does not begin with 0, found 010
   5 | threads: {a: {count: 010, do: cpu}}
     |                      ^^^ did you mean 10?
m.yaml:5:31: error E108: expected a list of steps, found "cpu"
   5 | threads: {a: {count: 010, do: cpu}}
     |                               ^^^"#,
    ),
    (
        "E108 no name",
        r#"threads: {a: {do: [cpu: 5ms]}}
"#,
        r#"m.yaml:1:1: error E108: a model needs a name
   1 | threads: {a: {do: [cpu: 5ms]}}
     | ^^^^^^^
     = name: what it shows"#,
    ),
    (
        "E108 nothing",
        r#"name: ~
threads:
"#,
        r#"m.yaml:1:7: error E108: expected text, found nothing
   1 | name: ~
     |       ^
m.yaml:2:8: error E108: expected a map of names, found nothing
   2 | threads:
     |        ^"#,
    ),
    (
        "E108 words",
        r#"name: x
python: {build: free-thread, next_holder: lifo}
threads: {a: {do: [cpu: 5ms]}}
"#,
        r#"m.yaml:2:17: error E108: expected gil | free-threaded, found "free-thread"
   2 | python: {build: free-thread, next_holder: lifo}
     |                 ^^^^^^^^^^^ did you mean "free-threaded"?
m.yaml:2:43: error E108: expected fifo | futex | random, found "lifo"
   2 | python: {build: free-thread, next_holder: lifo}
     |                                           ^^^^ did you mean "fifo"?"#,
    ),
    (
        "E108 steps",
        r#"name: x
run: {until: 1s}
threads: {a: {do: [[cpu], {}, {show: all}, {repeat: ever, do: [cpu: 1ms]}, {print: []}, {cpu: {uniform: 5ms}}, {cpu: {gauss: 5ms}}]}}
"#,
        r#"m.yaml:3:20: error E108: expected a step such as "cpu: 10ms", found a list
   3 | threads: {a: {do: [[cpu], {}, {show: all}, {repeat: ever, do: [cpu: 1ms]}, {print: []}, {cpu: {unifo…
     |                    ^
m.yaml:3:27: error E108: expected a step such as "cpu: 10ms", found a map
   3 | threads: {a: {do: [[cpu], {}, {show: all}, {repeat: ever, do: [cpu: 1ms]}, {print: []}, {cpu: {unifo…
     |                           ^
m.yaml:3:38: error E108: expected threads, found "all"
   3 | threads: {a: {do: [[cpu], {}, {show: all}, {repeat: ever, do: [cpu: 1ms]}, {print: []}, {cpu: {unifo…
     |                                      ^^^
m.yaml:3:53: error E108: expected a whole number or forever, found "ever"
   3 | threads: {a: {do: [[cpu], {}, {show: all}, {repeat: ever, do: [cpu: 1ms]}, {print: []}, {cpu: {unifo…
     |                                                     ^^^^
m.yaml:3:84: error E108: expected text, found a list
   3 | …{repeat: ever, do: [cpu: 1ms]}, {print: []}, {cpu: {uniform: 5ms}}, {cpu: {gauss: 5ms}}]}}
     |                                          ^
m.yaml:3:105: error E108: expected two durations, [low, high], found "5ms"
   3 | …pu: 1ms]}, {print: []}, {cpu: {uniform: 5ms}}, {cpu: {gauss: 5ms}}]}}
     |                                          ^^^
m.yaml:3:119: error E102: unknown key "gauss"
   3 | …int: []}, {cpu: {uniform: 5ms}}, {cpu: {gauss: 5ms}}]}}
     |                                          ^^^^^
     = allowed here: uniform, normal, exponential, choice, pareto, min, max, weights"#,
    ),
    (
        "E109 pattern",
        r#"name: x
locks: {9a: {}, a.b: {}, nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn: {}}
threads: {a: {do: [{with: 9a, do: []}, {with: a.b, do: []}, {with: nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn, do: []}]}}
"#,
        r#"m.yaml:2:9: error E109: "9a" is not a usable name
   2 | locks: {9a: {}, a.b: {}, nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn: {}}
     |         ^^
     = a letter, then at most 62 letters, digits, _ or -
m.yaml:2:17: error E109: "a.b" is not a usable name
   2 | locks: {9a: {}, a.b: {}, nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn: {}}
     |                 ^^^
     = a letter, then at most 62 letters, digits, _ or -
m.yaml:2:26: error E109: "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn…" is not a usable name
   2 | locks: {9a: {}, a.b: {}, nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn: {}}
     |                          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
     = a letter, then at most 62 letters, digits, _ or -"#,
    ),
    (
        "E109 member",
        r#"name: x
threads: {a: {count: 3, do: [cpu: 1ms]}, a-2: {do: []}, a-4: {do: []}, a-02: {do: []}, main: {count: 2, do: []}}
"#,
        r#"m.yaml:2:11: warning W502: 3 CPU-bound threads share one GIL: they take turns, whatever the number of cores
   2 | threads: {a: {count: 3, do: [cpu: 1ms]}, a-2: {do: []}, a-4: {do: []}, a-02: {do: []}, main: {count:…
     |           ^
m.yaml:2:42: error E109: "a-2" is also the name of a member of "a"
   2 | threads: {a: {count: 3, do: [cpu: 1ms]}, a-2: {do: []}, a-4: {do: []}, a-02: {do: []}, main: {count:…
     |                                          ^^^
m.yaml:2:88: error E109: the thread called main is the main thread, and a process has one
   2 | …do: []}, a-4: {do: []}, a-02: {do: []}, main: {count: 2, do: []}}
     |                                          ^^^^
     = choose another name"#,
    ),
    (
        "shared objects and time-outs",
        r#"name: x
queues: {jobs: {capacity: 0}, all: {}}
semaphores: {slots: {value: 3}}
barriers: {all: {}}
conditions: {changed: {lock: slots}}
events: {ready: {across: processes}}
threads: {a: {do: [put: slots, {with: ready, do: []}, {get: jobs, else: [cpu: 5]}, {store: x, add: y}]}}
"#,
        r#"m.yaml:2:27: error E105: capacity must be above 0
   2 | queues: {jobs: {capacity: 0}, all: {}}
     |                           ^
m.yaml:4:12: error E108: a barrier needs parties
   4 | barriers: {all: {}}
     |            ^^^
     = parties: 3
m.yaml:4:12: error E109: the barrier "all" has the name of a queue
   4 | barriers: {all: {}}
     |            ^^^
m.yaml:5:30: error E203: no lock called "slots"
   5 | conditions: {changed: {lock: slots}}
     |                              ^^^^^
     = no lock is declared
m.yaml:7:25: error E203: no queue called "slots"
   7 | threads: {a: {do: [put: slots, {with: ready, do: []}, {get: jobs, else: [cpu: 5]}, {store: x, add: y…
     |                         ^^^^^
     = declared: jobs, all
m.yaml:7:39: error E203: no lock, semaphore or condition called "ready"
   7 | threads: {a: {do: [put: slots, {with: ready, do: []}, {get: jobs, else: [cpu: 5]}, {store: x, add: y…
     |                                       ^^^^^
     = declared: slots, changed
m.yaml:7:67: error E202: else without timeout
   7 | …ots, {with: ready, do: []}, {get: jobs, else: [cpu: 5]}, {store: x, add: y}]}}
     |                                          ^^^^
     = timeout: 10ms says when it is done
m.yaml:7:100: error E108: expected a whole number, found "y"
   7 | … jobs, else: [cpu: 5]}, {store: x, add: y}]}}
     |                                          ^"#,
    ),
    (
        "E110 settings",
        r#"name: x
machine: {cores: 4}
python: {version: "2.7", main_guard: false, check_interval: 100}
pools: {p: {workers: 2}}
expect: [max latency(jobs) == 4ms]
threads: {a: {do: [{cpu: 1ms}]}}
"#,
        r#"m.yaml:4:1: error E110: not simulated yet: pools
   4 | pools: {p: {workers: 2}}
     | ^^^^^
m.yaml:5:22: error E402: no span called "jobs"
   5 | expect: [max latency(jobs) == 4ms]
     |                      ^^^^"#,
    ),
    (
        "W506",
        r#"name: x
python: {start_method: spawn, main_guard: false}
processes: {main: {do: [cpu: 1ms, start: w]}, w: {do: [cpu: 1ms]}}
"#,
        r#"m.yaml:2:43: warning W506: children of "main" import this module again, and their first start raises
   2 | python: {start_method: spawn, main_guard: false}
     |                                           ^^^^^
     = Python needs such starts under if __name__ == "__main__": main_guard: true, and under do"#,
    ),
    (
        "E201",
        r#"name: x
threads: {a: {do: [cpuu: 5ms, {cpu: 5ms, io: 5ms}, spleep, {device: disk}]}}
"#,
        r#"m.yaml:2:20: error E201: unknown step "cpuu"
   2 | threads: {a: {do: [cpuu: 5ms, {cpu: 5ms, io: 5ms}, spleep, {device: disk}]}}
     |                    ^^^^ did you mean "cpu"?
m.yaml:2:42: error E201: one step with two verbs, "cpu" and "io"
   2 | threads: {a: {do: [cpuu: 5ms, {cpu: 5ms, io: 5ms}, spleep, {device: disk}]}}
     |                                          ^^
     = write each verb as a list item of its own
m.yaml:2:52: error E201: expected a step such as "cpu: 10ms", found "spleep"
   2 | threads: {a: {do: [cpuu: 5ms, {cpu: 5ms, io: 5ms}, spleep, {device: disk}]}}
     |                                                    ^^^^^^ did you mean "sleep"?
m.yaml:2:61: error E201: "device" without the step it belongs to
   2 | threads: {a: {do: [cpuu: 5ms, {cpu: 5ms, io: 5ms}, spleep, {device: disk}]}}
     |                                                             ^^^^^^"#,
    ),
    (
        "E202",
        r#"name: x
threads: {a: {do: [repeat: 3, {with: l}, {do: []}, {cpu: 5ms, do: []}]}, b: {}}
locks: {l: {}}
"#,
        r#"m.yaml:2:20: error E202: "repeat" needs the steps it encloses
   2 | threads: {a: {do: [repeat: 3, {with: l}, {do: []}, {cpu: 5ms, do: []}]}, b: {}}
     |                    ^^^^^^
     = list them under do, beside the verb
m.yaml:2:32: error E202: "with" needs the steps it encloses
   2 | threads: {a: {do: [repeat: 3, {with: l}, {do: []}, {cpu: 5ms, do: []}]}, b: {}}
     |                                ^^^^
     = list them under do, beside the verb
m.yaml:2:43: error E202: do without repeat, with or span
   2 | threads: {a: {do: [repeat: 3, {with: l}, {do: []}, {cpu: 5ms, do: []}]}, b: {}}
     |                                           ^^
m.yaml:2:63: error E202: "cpu" has no do
   2 | …eat: 3, {with: l}, {do: []}, {cpu: 5ms, do: []}]}, b: {}}
     |                                          ^^
m.yaml:2:77: error E202: a thread needs its steps
   2 | … l}, {do: []}, {cpu: 5ms, do: []}]}, b: {}}
     |                                          ^
     = list them under do"#,
    ),
    (
        "E203",
        r#"name: x
locks: {database: {}}
threads: {a: {do: [{with: databse, do: [cpu: $work]}, {io: 1ms, device: disk}, start: b]}}
"#,
        r#"m.yaml:3:27: error E203: no lock, semaphore or condition called "databse"
   3 | threads: {a: {do: [{with: databse, do: [cpu: $work]}, {io: 1ms, device: disk}, start: b]}}
     |                           ^^^^^^^ did you mean "database"?
     = declared: database
m.yaml:3:46: error E203: no parameter called "work"
   3 | threads: {a: {do: [{with: databse, do: [cpu: $work]}, {io: 1ms, device: disk}, start: b]}}
     |                                              ^^^^^
     = parameters are declared under params
m.yaml:3:73: error E203: no device called "disk"
   3 | …e, do: [cpu: $work]}, {io: 1ms, device: disk}, start: b]}}
     |                                          ^^^^
     = no device is declared
m.yaml:3:87: error E203: no group called "b"
   3 | …work]}, {io: 1ms, device: disk}, start: b]}}
     |                                          ^
     = declared: a"#,
    ),
    (
        "E203 profile",
        r#"name: x
machine: {profile: linx}
threads: {a: {do: [cpu: 5ms]}}
"#,
        r#"m.yaml:2:20: error E203: no profile "linx": there is no such file
   2 | machine: {profile: linx}
     |                    ^^^^ did you mean "linux"?
     = built in are ideal and linux; anything else is the path of a calibration file"#,
    ),
    (
        "E205",
        r#"name: x
locks: {l: {}, r: {kind: rlock}}
threads:
  a:
    do:
    - with: l
      do:
      - acquire: l
    - {with: r, do: [acquire: r, release: r]}
    - {acquire: l}
    - {release: l}
    - {acquire: l}
"#,
        r#"m.yaml:8:9: warning E205: the thread already holds "l" and will wait for itself
   8 |       - acquire: l
     |         ^^^^^^^
     = an rlock may be acquired again: kind: rlock
m.yaml:10:8: warning E205: the thread already holds "l" and will wait for itself
  10 |     - {acquire: l}
     |        ^^^^^^^
     = an rlock may be acquired again: kind: rlock
m.yaml:12:8: warning E205: the thread already holds "l" and will wait for itself
  12 |     - {acquire: l}
     |        ^^^^^^^
     = an rlock may be acquired again: kind: rlock"#,
    ),
    (
        "E206 too often",
        r#"name: x
threads: {main: {do: [start: a, start: a, {start: b, count: 2}, {start: b, count: 2}]}, a: {do: []}, b: {count: 3, do: []}}
"#,
        r#"m.yaml:2:33: error E206: "a" has been started
   2 | threads: {main: {do: [start: a, start: a, {start: b, count: 2}, {start: b, count: 2}]}, a: {do: []},…
     |                                 ^^^^^
     = a thread can be started only once
m.yaml:2:66: error E206: 2 members of "b" are to be started, but only 1 left
   2 | …rt: a, start: a, {start: b, count: 2}, {start: b, count: 2}]}, a: {do: []}, b: {count: 3, do: []}}
     |                                          ^^^^^
     = a thread can be started only once"#,
    ),
    (
        "E105 start",
        r#"name: x
threads: {main: {do: [{start: a, count: 0}]}, a: {do: []}}
"#,
        r#"m.yaml:2:41: error E105: at least one member is started
   2 | threads: {main: {do: [{start: a, count: 0}]}, a: {do: []}}
     |                                         ^"#,
    ),
    (
        "E206 in a loop",
        r#"name: x
threads: {main: {do: [{repeat: 2, do: [start: a]}]}, a: {count: 3, do: []}}
"#,
        r#"m.yaml:2:40: error E206: all 3 members of "a" have been started
   2 | threads: {main: {do: [{repeat: 2, do: [start: a]}]}, a: {count: 3, do: []}}
     |                                        ^^^^^
     = a thread can be started only once"#,
    ),
    (
        "E206 join",
        r#"name: x
threads: {main: {do: [join: a, start: a, join: main]}, a: {do: []}}
"#,
        r#"m.yaml:2:23: error E206: "a" is joined before it is started
   2 | threads: {main: {do: [join: a, start: a, join: main]}, a: {do: []}}
     |                       ^^^^
     = Python cannot join a thread before it is started
m.yaml:2:42: error E206: "main" would wait for its own end
   2 | threads: {main: {do: [join: a, start: a, join: main]}, a: {do: []}}
     |                                          ^^^^"#,
    ),
    (
        "E206 nobody",
        r#"name: x
threads: {main: {do: [cpu: 1ms]}, a: {do: [start: b]}, b: {do: [start: a]}}
"#,
        r#"m.yaml:2:35: error E206: nothing that runs starts "a"
   2 | threads: {main: {do: [cpu: 1ms]}, a: {do: [start: b]}, b: {do: [start: a]}}
     |                                   ^
     = only steps of groups that themselves wait for a start step name it
m.yaml:2:56: error E206: nothing that runs starts "b"
   2 | threads: {main: {do: [cpu: 1ms]}, a: {do: [start: b]}, b: {do: [start: a]}}
     |                                                        ^
     = only steps of groups that themselves wait for a start step name it"#,
    ),
    (
        "E207",
        r#"name: x
locks: {l: {}}
threads: {a: {interpreter: own, do: [{with: l, do: []}]}}
"#,
        r#"m.yaml:3:45: error E207: "a" has interpreters of its own, which cannot use the lock "l"
   3 | threads: {a: {interpreter: own, do: [{with: l, do: []}]}}
     |                                             ^
     = with interpreter: shared they can"#,
    ),
    (
        "E208",
        r#"name: x
locks: {l: {}}
processes: {a: {count: 2, do: [{with: l, do: []}]}, b: {do: [{with: l, do: []}]}}
"#,
        r#"m.yaml:3:69: error E208: the lock "l" is already used in "a", and locks do not cross processes
   3 | …: [{with: l, do: []}]}, b: {do: [{with: l, do: []}]}}
     |                                          ^
     = across: processes shares it; across: copies gives each process its own"#,
    ),
    (
        "E209 scheduler",
        r#"name: x
machine: {scheduler: {fifo: {quantum: 5ms}}}
threads: {a: {do: [cpu: 5ms]}}
"#,
        r#"m.yaml:2:30: error E209: the fifo scheduler has no quantum
   2 | machine: {scheduler: {fifo: {quantum: 5ms}}}
     |                              ^^^^^^^
     = it has no parameters"#,
    ),
    (
        "E209 quanta",
        r#"name: x
machine: {scheduler: {round-robin: {quantum: [1ms, 2ms]}}}
threads: {a: {do: [cpu: 5ms]}}
"#,
        r#"m.yaml:2:46: error E209: the round-robin scheduler has one quantum; only mlfq has one for each queue
   2 | machine: {scheduler: {round-robin: {quantum: [1ms, 2ms]}}}
     |                                              ^
     = write one duration, as in 10ms"#,
    ),
    (
        "E105 queues",
        r#"name: x
machine: {scheduler: {mlfq: {queues: 3, quantum: [1ms, 0ms], allotment: 0ms}}}
threads: {a: {tickets: 0, do: [cpu: 5ms]}}
"#,
        r#"m.yaml:2:50: error E105: 2 entries of quantum for 3 queues
   2 | machine: {scheduler: {mlfq: {queues: 3, quantum: [1ms, 0ms], allotment: 0ms}}}
     |                                                  ^
     = one for each queue, from the highest on
m.yaml:2:56: error E105: a quantum must be above 0
   2 | machine: {scheduler: {mlfq: {queues: 3, quantum: [1ms, 0ms], allotment: 0ms}}}
     |                                                        ^^^
m.yaml:2:73: error E105: an allotment must be above 0
   2 | …ues: 3, quantum: [1ms, 0ms], allotment: 0ms}}}
     |                                          ^^^
m.yaml:3:15: warning W507: the mlfq scheduler does not look at tickets
   3 | threads: {a: {tickets: 0, do: [cpu: 5ms]}}
     |               ^^^^^^^
m.yaml:3:24: error E105: a thread has 1 to 1000000000 tickets
   3 | threads: {a: {tickets: 0, do: [cpu: 5ms]}}
     |                        ^"#,
    ),
    (
        "E301 period",
        r#"name: x
machine: {scheduler: {mlfq: {queues: 0}}}
threads: {a: {period: 5ms, do: [cpu: 5ms]}}
"#,
        r#"m.yaml:2:38: error E105: 0 queues; mlfq has 1 to 64
   2 | machine: {scheduler: {mlfq: {queues: 0}}}
     |                                      ^
m.yaml:3:15: error E301: "a" is released for ever, and the run has no horizon
   3 | threads: {a: {period: 5ms, do: [cpu: 5ms]}}
     |               ^^^^^^
     = give the run a horizon, as in run: {until: 1s}"#,
    ),
    (
        "E209 version",
        r#"name: x
python: {version: "3.11", build: free-threaded}
threads: {a: {interpreter: own, do: []}}
"#,
        r#"m.yaml:2:34: error E209: Python 3.11 has no free-threaded build; 3.13 is the first
   2 | python: {version: "3.11", build: free-threaded}
     |                                  ^^^^^^^^^^^^^
m.yaml:3:28: error E209: Python 3.11 has one GIL for all interpreters; 3.12 is the first with own ones
   3 | threads: {a: {interpreter: own, do: []}}
     |                            ^^^"#,
    ),
    (
        "E209 start method",
        r#"name: x
python: {version: "3.3", start_method: spawn}
threads: {a: {do: [cpu: 5ms]}}
"#,
        r#"m.yaml:2:40: error E209: Python 3.3 only forks; 3.4 was the first with other start methods
   2 | python: {version: "3.3", start_method: spawn}
     |                                        ^^^^^"#,
    ),
    (
        "E209 places",
        r#"name: x
processes: {a: {nice: 5, threads: {main: {daemon: true, do: []}}}, b: {runtime: native, interpreter: own, do: []}}
"#,
        r#"m.yaml:2:17: error E209: nice belongs to a thread, and this process lists its threads
   2 | processes: {a: {nice: 5, threads: {main: {daemon: true, do: []}}}, b: {runtime: native, interpreter:…
     |                 ^^^^
     = write it at the thread
m.yaml:2:36: error E209: the main thread is never a daemon
   2 | processes: {a: {nice: 5, threads: {main: {daemon: true, do: []}}}, b: {runtime: native, interpreter:…
     |                                    ^^^^
m.yaml:2:102: error E209: a native process has no interpreter
   2 | …]}}}, b: {runtime: native, interpreter: own, do: []}}
     |                                          ^^^"#,
    ),
    (
        "E301",
        r#"name: x
threads: {a: {do: [{repeat: forever, do: [cpu: 1ms]}]}, b: {daemon: true, do: [{repeat: forever, do: [cpu: 1ms]}]}}
"#,
        r#"m.yaml:2:11: warning W502: 2 CPU-bound threads share one GIL: they take turns, whatever the number of cores
   2 | threads: {a: {do: [{repeat: forever, do: [cpu: 1ms]}]}, b: {daemon: true, do: [{repeat: forever, do:…
     |           ^
m.yaml:2:21: error E301: "a" never ends, and the run has no horizon
   2 | threads: {a: {do: [{repeat: forever, do: [cpu: 1ms]}]}, b: {daemon: true, do: [{repeat: forever, do:…
     |                     ^^^^^^
     = give the run a horizon, as in run: {until: 1s}"#,
    ),
    (
        "E301 only daemons",
        r#"name: x
threads: {b: {daemon: true, do: [{repeat: forever, do: [io: 1ms]}]}}
"#,
        r#"m.yaml:2:35: error E301: "b" never ends, and the run has no horizon
   2 | threads: {b: {daemon: true, do: [{repeat: forever, do: [io: 1ms]}]}}
     |                                   ^^^^^^
     = give the run a horizon, as in run: {until: 1s}"#,
    ),
    (
        "E302",
        r#"name: x
run: {until: 1s}
threads: {a: {do: [{repeat: forever, do: [cpu: 0ms, show: threads, {repeat: 0, do: [cpu: 1ms]}]}]}}
"#,
        r#"m.yaml:3:21: error E302: this loop never ends and takes no time
   3 | threads: {a: {do: [{repeat: forever, do: [cpu: 0ms, show: threads, {repeat: 0, do: [cpu: 1ms]}]}]}}
     |                     ^^^^^^
     = give it a step that takes time"#,
    ),
    (
        "E304 threads",
        r#"name: x
threads: {a: {count: 1000000, do: []}, b: {do: []}, c: {count: 1000001, do: []}, d: {count: 99999999999999999999, do: []}}
"#,
        r#"m.yaml:2:1: error E304: 1000003 threads in all; a model has at most 1000000
   2 | threads: {a: {count: 1000000, do: []}, b: {do: []}, c: {count: 1000001, do: []}, d: {count: 99999999…
     | ^^^^^^^
     = raise the limit with --max-threads
m.yaml:2:64: error E304: 1000001 members; a model has at most 1000000 threads
   2 | …00000, do: []}, b: {do: []}, c: {count: 1000001, do: []}, d: {count: 99999999999999999999, do: []}}
     |                                          ^^^^^^^
     = raise the limit with --max-threads
m.yaml:2:93: error E105: 99999999999999999999 is too large
   2 | …c: {count: 1000001, do: []}, d: {count: 99999999999999999999, do: []}}
     |                                          ^^^^^^^^^^^^^^^^^^^^"#,
    ),
    (
        "E304 cores",
        r#"name: x
machine: {cores: 4097}
threads: {a: {do: [cpu: 5ms]}}
"#,
        r#"m.yaml:2:18: error E304: 4097 cores; a machine has 1 to 4096
   2 | machine: {cores: 4097}
     |                  ^^^^
     = raise the limit with --max-cores"#,
    ),
    (
        "E304 no cores",
        r#"name: x
machine: {cores: 0}
threads: {a: {do: [cpu: 5ms]}}
"#,
        r#"m.yaml:2:18: error E304: 0 cores; a machine has 1 to 4096
   2 | machine: {cores: 0}
     |                  ^"#,
    ),
    (
        "E304 products",
        r#"name: x
processes: {a: {count: 1000000, threads: {b: {count: 1000000, do: []}}}}
"#,
        r#"m.yaml:2:13: error E304: 1000000000000 threads in all; a model has at most 1000000
   2 | processes: {a: {count: 1000000, threads: {b: {count: 1000000, do: []}}}}
     |             ^
     = raise the limit with --max-threads"#,
    ),
    (
        "E304 time",
        r#"name: x
threads: {a: {do: [{repeat: 1000000000000, do: [{repeat: 1000000000000, do: [sleep: 1h]}]}]}}
"#,
        r#"m.yaml:2:11: error E304: "a" demands more than 1000h, the longest run there is
   2 | threads: {a: {do: [{repeat: 1000000000000, do: [{repeat: 1000000000000, do: [sleep: 1h]}]}]}}
     |           ^
     = give the run a horizon, as in run: {until: 1s}"#,
    ),
    (
        "E304 work",
        r#"name: x
threads: {a: {count: 1000, do: [sleep: 900h]}, b: {count: 1000, do: [cpu: 900h, cpu: 10h, sleep: 1h]}}
"#,
        r#"m.yaml:2:1: error E304: the threads demand more work than all cores do in 1000h, the longest run there is
   2 | threads: {a: {count: 1000, do: [sleep: 900h]}, b: {count: 1000, do: [cpu: 900h, cpu: 10h, sleep: 1h]…
     | ^^^^^^^
     = give the run a horizon, as in run: {until: 1s}"#,
    ),
    (
        "E304 arrivals",
        r#"name: x
threads: {a: {count: 3, arrivals: {every: 900h}, do: []}}
"#,
        r#"m.yaml:2:35: error E304: member 3 would arrive after more than 1000h
   2 | threads: {a: {count: 3, arrivals: {every: 900h}, do: []}}
     |                                   ^"#,
    ),
    (
        "E401",
        r#"name: x
expect: [makespan = 5ms, makespan, finish(a) >= 5ms within 1%, "output contains x"]
threads: {a: {do: [cpu: 5ms]}}
"#,
        r#"m.yaml:2:19: error E401: unknown comparison "="
   2 | expect: [makespan = 5ms, makespan, finish(a) >= 5ms within 1%, "output contains x"]
     |                   ^
     = comparisons are == <= >= < > about
m.yaml:2:34: error E401: expected one of == <= >= < > about, found the end
   2 | expect: [makespan = 5ms, makespan, finish(a) >= 5ms within 1%, "output contains x"]
     |                                  ^
m.yaml:2:53: error E401: within goes with == and about only
   2 | expect: [makespan = 5ms, makespan, finish(a) >= 5ms within 1%, "output contains x"]
     |                                                     ^^^^^^
m.yaml:2:81: error E401: expected a text in quotes, found "x"
   2 | …h(a) >= 5ms within 1%, "output contains x"]
     |                                          ^"#,
    ),
    (
        "E402",
        r#"name: x
expect: [makespam == 5ms, finish(b) == 5ms, {that: makespan == 5, because: why}, finish == 5ms, held(l) == 5ms, work(a-*) == 5ms, exit(main) == 0]
threads: {a: {do: [cpu: 5ms]}}
"#,
        r#"m.yaml:2:10: error E402: unknown metric "makespam"
   2 | expect: [makespam == 5ms, finish(b) == 5ms, {that: makespan == 5, because: why}, finish == 5ms, held…
     |          ^^^^^^^^ did you mean "makespan"?
     = all metrics: gilsim help metrics
m.yaml:2:34: error E402: no thread, group or process called "b"
   2 | expect: [makespam == 5ms, finish(b) == 5ms, {that: makespan == 5, because: why}, finish == 5ms, held…
     |                                  ^
m.yaml:2:64: error E402: makespan is a time and is compared with a duration
   2 | …s, finish(b) == 5ms, {that: makespan == 5, because: why}, finish == 5ms, held(l) == 5ms, work(a-*) …
     |                                          ^
     = write 5ms, or 5us
m.yaml:2:82: error E402: finish needs threads
   2 | …s, {that: makespan == 5, because: why}, finish == 5ms, held(l) == 5ms, work(a-*) == 5ms, exit(main)…
     |                                          ^^^^^^
     = as in finish(*)
m.yaml:2:102: error E402: no lock called "l"
   2 | …= 5, because: why}, finish == 5ms, held(l) == 5ms, work(a-*) == 5ms, exit(main) == 0]
     |                                          ^"#,
    ),
    (
        "E403 what_if",
        r#"name: x
what_if:
  v:
    set: {threads.b.count: 2, python.biuld: gil, threads.a.do.1.cpu: 5ms, machine..cores: 1, params.x: 1}
threads: {a: {do: [cpu: 5ms]}}
"#,
        r#"m.yaml:4:11: error E403: path "threads.b.count" does not exist: threads has no b
   4 |     set: {threads.b.count: 2, python.biuld: gil, threads.a.do.1.cpu: 5ms, machine..cores: 1, params.…
     |           ^^^^^^^^^^^^^^^
m.yaml:4:50: error E403: path "threads.a.do.1.cpu" does not exist: the items of threads.a.do are numbered 0 to 0
   4 |     set: {threads.b.count: 2, python.biuld: gil, threads.a.do.1.cpu: 5ms, machine..cores: 1, params.…
     |                                                  ^^^^^^^^^^^^^^^^^^
m.yaml:4:75: error E403: path "machine..cores" does not exist: a part of it is empty
   4 | …on.biuld: gil, threads.a.do.1.cpu: 5ms, machine..cores: 1, params.x: 1}
     |                                          ^^^^^^^^^^^^^^
m.yaml:4:94: error E403: path "params.x" does not exist: params has no x
   4 | …ads.a.do.1.cpu: 5ms, machine..cores: 1, params.x: 1}
     |                                          ^^^^^^^^"#,
    ),
    (
        "W501",
        r#"name: x
locks: {l: {}}
machine: {devices: {d: {}}}
params: {work: 5ms}
threads: {a: {do: [cpu: 5ms]}}
"#,
        r#"m.yaml:2:9: warning W501: the lock "l" is not used
   2 | locks: {l: {}}
     |         ^
m.yaml:3:21: warning W501: the device "d" is not used
   3 | machine: {devices: {d: {}}}
     |                     ^
m.yaml:4:10: warning W501: the parameter work is not used
   4 | params: {work: 5ms}
     |          ^^^^"#,
    ),
    (
        "W502",
        r#"name: x
threads: {a: {count: 2, do: [cpu: 5ms]}, b: {do: [cpu: 5ms, sleep: 1ms]}}
"#,
        r#"m.yaml:2:11: warning W502: 2 CPU-bound threads share one GIL: they take turns, whatever the number of cores
   2 | threads: {a: {count: 2, do: [cpu: 5ms]}, b: {do: [cpu: 5ms, sleep: 1ms]}}
     |           ^"#,
    ),
    (
        "W503",
        r#"name: x
threads: {a: {do: [cpu: 5ms, {io: {exponential: 5ms}}]}}
"#,
        r#"m.yaml:2:31: warning W503: random, but no seed is written; 1 is used
   2 | threads: {a: {do: [cpu: 5ms, {io: {exponential: 5ms}}]}}
     |                               ^^
     = write run: {seed: 1}, or another seed"#,
    ),
    (
        "W503 lottery, W507 protocol",
        r#"name: x
machine: {scheduler: lottery}
locks: {l: {protocol: inherit}}
threads: {a: {do: [{with: l, do: [cpu: 5ms]}]}}
"#,
        r#"m.yaml:2:22: warning W503: random, but no seed is written; 1 is used
   2 | machine: {scheduler: lottery}
     |                      ^^^^^^^
     = write run: {seed: 1}, or another seed
m.yaml:3:13: warning W507: the lottery scheduler does not look at priorities
   3 | locks: {l: {protocol: inherit}}
     |             ^^^^^^^^"#,
    ),
    (
        "W507",
        r#"name: x
machine: {scheduler: fifo}
threads: {a: {nice: 5, priority: 1, tickets: 5, at: 1ms, do: [cpu: 1ms]}, main: {do: [start: a]}}
"#,
        r#"m.yaml:3:15: warning W507: the fifo scheduler does not look at nice
   3 | threads: {a: {nice: 5, priority: 1, tickets: 5, at: 1ms, do: [cpu: 1ms]}, main: {do: [start: a]}}
     |               ^^^^
m.yaml:3:24: warning W507: the fifo scheduler does not look at priority
   3 | threads: {a: {nice: 5, priority: 1, tickets: 5, at: 1ms, do: [cpu: 1ms]}, main: {do: [start: a]}}
     |                        ^^^^^^^^
m.yaml:3:37: warning W507: the fifo scheduler does not look at tickets
   3 | threads: {a: {nice: 5, priority: 1, tickets: 5, at: 1ms, do: [cpu: 1ms]}, main: {do: [start: a]}}
     |                                     ^^^^^^^
m.yaml:3:49: warning W507: a start step says when this arrives
   3 | threads: {a: {nice: 5, priority: 1, tickets: 5, at: 1ms, do: [cpu: 1ms]}, main: {do: [start: a]}}
     |                                                 ^^"#,
    ),
];
