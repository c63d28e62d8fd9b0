//! An independent oracle for the kernel: a second simulator, written from the rules and not from the engine.
//! It is checked by hand-worked examples and by laws; then thousands of random models are run through both.

mod answer;
mod case;
mod engine;
mod laws;
pub mod random;
mod ticks;

use answer::Answer;
use case::{Case, Process, Rules, Scheduler, Step, Thread};

/// How many random cases are run. The seeds are 0, 1, 2 …
const CASES: u64 = 10_000;

/// Threads of one Python process on an otherwise plain machine.
fn threads(cores: usize, interval: u64, programs: Vec<Vec<Step>>) -> Case {
    let threads = programs.into_iter().map(|steps| Thread { at: 0, priority: 0, steps }).collect();
    let processes = vec![Process { at: 0, interval: Some(interval), threads }];
    Case { cores, rules: Rules::Cpython, scheduler: Scheduler::Fifo, processes }
}

/// A native program: when it arrives, its priority and its steps.
fn native(at: u64, priority: i64, steps: Vec<Step>) -> Process {
    Process { at, interval: None, threads: vec![Thread { at: 0, priority, steps }] }
}

/// Native programs that only compute: when each arrives, how long it takes, and its priority.
fn natives(cores: usize, scheduler: Scheduler, programs: &[(u64, u64, i64)]) -> Case {
    let process = |&(at, us, priority): &(u64, u64, i64)| native(at, priority, vec![Step::Cpu(us)]);
    Case { cores, rules: Rules::Cpython, scheduler, processes: programs.iter().map(process).collect() }
}

fn ends(answer: &Answer) -> Vec<u64> {
    answer.threads.iter().map(|thread| thread.at.expect("finished")).collect()
}

/// Cases with the ends of their threads, worked out by hand.
fn examples() -> Vec<(&'static str, Case, Vec<u64>)> {
    use Step::{Cpu, Holding, Io, Repeat, Sleep, With};
    let wasters = |cores, count| threads(cores, 5, vec![vec![Cpu(50)]; count]);
    let rr = |quantum| Scheduler::RoundRobin { quantum };
    let twelve_programs = [[146; 4], [148; 4], [150; 4]].concat();
    // Each round of the convoy: 1000 of io, a whole interval of waiting, 100 of cpu.
    let convoy = vec![vec![Repeat(20, vec![Io(1000), Cpu(100)])], vec![Cpu(200_000)]];
    let served = vec![Repeat(5, vec![Cpu(1), Io(49)])];
    let locked = vec![With(vec![Cpu(2), Io(10), Cpu(2)])];
    let asked_in_c = vec![vec![Holding(7), Io(3)], vec![Cpu(20)]];
    // The second drops at 12 and the first at 24, when the other one has got the core to ask.
    let one_core = Case { scheduler: rr(4), ..threads(1, 5, vec![vec![Io(1), Cpu(20)], vec![Cpu(20)]]) };
    let mut stalled = threads(1, 5, vec![vec![Cpu(10)]]);
    stalled.processes.extend(natives(1, Scheduler::Fifo, &[(3, 5, 1)]).processes);
    stalled.scheduler = Scheduler::Priority;
    let textbook = [(0, 24, 0), (0, 3, 0), (0, 3, 0)];
    vec![
        ("twelve wasters", wasters(4, 12), (545..=600).step_by(5).collect()),
        ("two wasters on a core each", wasters(2, 2), vec![95, 100]),
        ("two wasters on one core: nobody can ask", wasters(1, 2), vec![50, 100]),
        ("convoy", threads(2, 5000, convoy), vec![20 * 6100, 200_000 + 20 * 100]),
        ("eight servers", threads(4, 5, vec![served; 8]), (250..=257).collect()),
        ("uninterruptible", threads(2, 5, vec![vec![Holding(200)], vec![Cpu(1)]]), vec![200, 201]),
        ("asked while uninterruptible", threads(2, 5, asked_in_c), vec![15, 27]),
        // The sleeper waits an interval after each sleep; the reader is through before anybody else has begun to wait.
        ("sleeps of no time", threads(2, 5, vec![vec![Repeat(3, vec![Sleep(0)])], vec![Cpu(100)]]), vec![15, 100]),
        ("calls of no time", threads(2, 5, vec![vec![Repeat(3, vec![Io(0)])], vec![Cpu(100)]]), vec![0, 100]),
        ("one lock", threads(2, 5, vec![locked; 2]), vec![14, 28]),
        ("round robin and the GIL on one core", one_core, vec![40, 32]),
        ("a holder without a core", stalled, vec![15, 8]),
        ("twelve programs", natives(4, rr(3), &[(0, 50, 0); 12]), twelve_programs),
        ("preemption", natives(1, Scheduler::Priority, &[(0, 10, 0), (3, 5, 1), (4, 2, 2)]), vec![17, 10, 6]),
        ("Silberschatz, FCFS", natives(1, Scheduler::Fifo, &textbook), vec![24, 27, 30]),
        ("Silberschatz, RR", natives(1, rr(4), &textbook), vec![30, 7, 10]),
    ]
}

/// More of them, each about the order of what happens at one instant.
fn ties() -> Vec<(&'static str, Case, Vec<u64>)> {
    use Step::{Cpu, Holding, Sleep};
    let rr = |quantum| Scheduler::RoundRobin { quantum };
    // Both arrive at 5: a thread of an old process before a new process, for its id is lower.
    let mut arrivals = natives(1, Scheduler::Fifo, &[(0, 0, 0), (5, 2, 0)]);
    arrivals.processes[0] = Process { interval: Some(5), ..native(0, 0, vec![Cpu(1)]) };
    arrivals.processes[0].threads[0].at = 5;
    // At 2 the first thread takes the core of the third, the lower one, and then the second that of the fourth. That is
    // core 0, so the second has the GIL before the first.
    let mut urgent = natives(2, Scheduler::Priority, &[(2, 1, 3), (0, 6, 0), (0, 6, 1)]);
    urgent.processes[0].interval = Some(5);
    urgent.processes[0].threads.push(Thread { at: 0, priority: 2, steps: vec![Cpu(1)] });
    // At 12 the first is asked to drop, its quantum ends and both others time out. They find the GIL locked and park again;
    // then it drops and the second takes over. At 13 the first is queued before the third, which was parked until then.
    let holder = vec![vec![Holding(12), Cpu(2)], vec![Cpu(1)], vec![Cpu(1)]];
    let check_point = Case { scheduler: rr(4), ..threads(1, 4, holder) };
    // At 7 the third is back for no time, on the core of the second. At 8 it is back again and the quanta of both others
    // end, in the order of the cores: the second makes room for it, then the first makes room for the second.
    let late = native(7, 0, vec![Cpu(2)]);
    let sleeper = native(0, 0, vec![Cpu(6), Sleep(1), Sleep(1), Cpu(1)]);
    let two_ends = Case {
        cores: 2,
        rules: Rules::Cpython,
        scheduler: rr(1),
        processes: vec![late, native(0, 0, vec![Cpu(9)]), sleeper],
    };
    vec![
        ("arrivals in the order of ids", arrivals, vec![6, 8]),
        ("whoever preempts gets the core", urgent, vec![4, 3, 8, 6]),
        ("a quantum ends before the check point", check_point, vec![15, 13, 16]),
        ("quanta end in the order of cores", two_ends, vec![10, 9, 9]),
    ]
}

/// The same two threads under each of the GILs, worked out by hand: one reads and computes, the other only computes.
fn rules() -> Vec<(&'static str, Case, Vec<u64>)> {
    use Step::{Cpu, Io, Repeat};
    let programs = || vec![vec![Repeat(5, vec![Io(10), Cpu(1)])], vec![Cpu(200)]];
    let case = |cores, rules| Case { rules, ..threads(cores, 20, programs()) };
    let ticks = |cores| Case { rules: Rules::Ticks, ..threads(cores, 5, vec![vec![Cpu(12)]; 2]) };
    let busy = |rules| Case { rules, ..threads(1, 5, vec![vec![Io(1), Cpu(20)], vec![Cpu(20)]]) };
    let busy = |rules| Case { scheduler: Scheduler::RoundRobin { quantum: 4 }, ..busy(rules) };
    vec![
        // Each return costs 20 until it may ask, or nothing.
        ("convoy", case(2, Rules::Cpython), vec![5 * 31, 205]),
        ("convoy, without forced switching", case(2, Rules::NoForcedSwitch), vec![5 * 31, 205]),
        ("convoy, with hand-off", case(2, Rules::HandOff), vec![5 * 31, 205]),
        ("convoy, with priority", case(2, Rules::IoPriority), vec![5 * 11, 205]),
        // The deadline of the second is 20 and so is, from 10 on, 30 that of the first: it waits until 30. The second then
        // has 50, and the first needs 5 in all.
        ("convoy, with deadlines", case(2, Rules::Bfs), vec![20 + 5 * 11, 205]),
        // One core. The first is back at 1, gets the core at 4, asks at 9 (on the core at 12) and is run from then on: the
        // second takes the GIL right back at 12, and the first never gets it before the end.
        // In turns of 5: the first has done its 12 after two turns of the second.
        ("ticks on two cores", ticks(2), vec![22, 24]),
        ("ticks on one core", ticks(1), vec![12, 24]),
        ("one core, without forced switching", busy(Rules::NoForcedSwitch), vec![40, 20]),
    ]
}

#[test]
fn the_oracle_agrees_with_hand_worked_examples() {
    for (name, case, expected) in examples().into_iter().chain(ties()).chain(rules()) {
        assert_eq!(ends(&ticks::run(&case)), expected, "{name}");
    }
}

#[test]
fn the_oracle_counts_as_the_glossary_says() {
    let counts = |case: &Case| {
        let gil = ticks::run(case).gils.remove(0);
        (gil.switches, gil.forced, gil.requests)
    };
    let by_name = |wanted: &str| examples().into_iter().find(|(name, ..)| *name == wanted).expect("an example").1;
    assert_eq!(counts(&by_name("twelve wasters")), (120, 108, 108));
    assert_eq!(counts(&by_name("two wasters on one core: nobody can ask")), (2, 0, 0));
    // Asked at 5 and dropped at 7 for io; asked and dropped at 15; each time the other one takes over.
    assert_eq!(counts(&by_name("asked while uninterruptible")), (4, 2, 2));
    assert_eq!(counts(&by_name("round robin and the GIL on one core")), (5, 2, 2));
}

#[test]
fn the_oracle_keeps_the_laws() {
    check("the oracle breaks a law", &|case| laws::broken(case, &ticks::run(case)));
}

#[test]
fn the_engine_agrees_with_the_oracle_on_the_examples() {
    let differences = examples().into_iter().chain(ties()).chain(rules()).filter_map(|(name, case, _)| {
        let difference = engine::difference(&case)?;
        Some(format!("{name}:\n{}\n{difference}", case.yaml()))
    });
    let differences: Vec<_> = differences.collect();
    assert!(differences.is_empty(), "\n{}", differences.join("\n"));
}

#[test]
fn the_engine_agrees_with_the_oracle_on_random_cases() {
    check("the engine and the oracle disagree", &engine::difference);
}

/// Runs all random cases; of the first that fails, shows the smallest case that fails too.
fn check(what: &str, complaint: &(dyn Fn(&Case) -> Option<String> + Sync)) {
    let fails = |case: &Case| complaint(case).is_some();
    let Some(seed) = first_seed(&|seed| fails(&random::case(seed))) else { return };
    let smallest = random::shrink(random::case(seed), &fails);
    let complaint = complaint(&smallest).expect("a case that fails");
    panic!("{what}; case {seed}, made smaller:\n{}\n{complaint}", smallest.yaml());
}

/// The first seed for which something holds. The cases do not depend on each other, so they are dealt out to all cores.
fn first_seed(holds: &(dyn Fn(u64) -> bool + Sync)) -> Option<u64> {
    let hands = std::thread::available_parallelism().map_or(1, |cores| cores.get() as u64);
    let find = |hand: u64| (hand..CASES).step_by(hands as usize).find(|seed| holds(*seed));
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..hands).map(|hand| scope.spawn(move || find(hand))).collect();
        workers.into_iter().filter_map(|worker| worker.join().expect("no panic")).min()
    })
}
