//! From models to scenarios: the example models, and every rule that gives a number or a name.

use gilsim::ids::{CoreId, GroupId, InterpId, ThreadId};
use gilsim::model::expect::Claim;
use gilsim::model::{
    Arrival, Code, Length, Loaded, Members, NextHolder, Op, Options, PolicyName, RunQueue, Scenario, Source,
    StartMethod, load,
};
use gilsim::ratio::Ratio;
use gilsim::rng::{Distribution, Shape};
use gilsim::time::{Instant, Span};

fn loaded(text: &str, variant: Option<&str>, sets: &[&str]) -> Loaded {
    let source = Source { name: "m.yaml".to_owned(), text: text.to_owned() };
    let sets: Vec<String> = sets.iter().map(|set| (*set).to_owned()).collect();
    let read_profile = &|path: &str| match path {
        "mine.yaml" => Ok("name: mine\nmachine: {costs: {wakeup: {busy: 2us}, migration: 3us}}\n".to_owned()),
        "broken.yaml" => Ok("machine: {costs: {wakeup: 5}}\n".to_owned()),
        _ => Err("there is no such file".to_owned()),
    };
    let options = Options { variant, sets: &sets, read_profile, ..Options::default() };
    load(&source, &options).unwrap_or_else(|findings| panic!("{}", findings[0]))
}

fn scenario(text: &str) -> Scenario {
    loaded(text, None, &[]).scenario
}

/// A model of threads with these lines.
fn threads(threads: &str) -> Scenario {
    scenario(&format!("name: x\nrun: {{until: 1s, seed: 1}}\n{threads}"))
}

fn names(scenario: &Scenario) -> Vec<String> {
    scenario.threads().ids().map(|thread| scenario.full_name(thread)).collect()
}

fn python_names(scenario: &Scenario) -> Vec<&str> {
    scenario.threads().values().map(|thread| thread.python_name.as_str()).collect()
}

fn ms(ms: u64) -> Span {
    Span::from_ms(ms)
}

fn fixed(ms: u64) -> Length {
    Length::Fixed(Span::from_ms(ms))
}

fn ops(scenario: &Scenario, thread: usize) -> &[Op] {
    let program = scenario.threads()[ThreadId(thread as u32)].program;
    &scenario.programs()[program].ops
}

#[test]
fn twelve_threads_of_one_process_share_one_gil() {
    let model = scenario(CPU_THREADS);
    assert_eq!((model.machine().cores.len(), model.machine().scale, model.profile()), (4, 1, "ideal"));
    assert_eq!((model.machine().scheduler.policy, model.machine().scheduler.slice), (PolicyName::Fair, ms(3)));
    assert_eq!(
        (model.processes().len(), model.threads().len(), model.gils().len(), model.programs().len()),
        (1, 12, 1, 1)
    );
    assert_eq!(names(&model)[11], "main/waster-12");
    assert_eq!(python_names(&model)[..2], ["Thread-1 (waster)", "Thread-2 (waster)"]);
    let gil = &model.gils().values().as_slice()[0];
    assert_eq!((gil.name.as_str(), gil.interval, gil.next_holder), ("main", ms(5), NextHolder::Fifo));
    assert_eq!(ops(&model, 0), [Op::Cpu(fixed(50))]);
    assert_eq!(model.expectations().len(), 4);
    assert_eq!((model.run().until, model.run().seed, model.run().max_events), (None, 1, 100_000_000));
}

#[test]
fn twelve_processes_have_a_gil_each() {
    let model = scenario(CPU_PROCESSES);
    assert_eq!(
        (model.processes().len(), model.threads().len(), model.gils().len(), model.programs().len()),
        (12, 12, 12, 1)
    );
    assert_eq!(names(&model)[2], "waster-3/waster-3");
    assert_eq!(python_names(&model)[2], "MainThread");
    let thread = &model.threads()[ThreadId(2)];
    assert_eq!(
        (thread.stream.as_str(), thread.group, thread.arrival),
        ("waster#3/waster#1", GroupId(0), Arrival::At(Span::ZERO))
    );
    assert_eq!(model.groups()[GroupId(0)].members, Members::Processes(0..12));
    let pids: Vec<u32> = model.processes().values().map(|process| process.pid).collect();
    assert_eq!(pids[..3], [1000, 1001, 1002]);
}

#[test]
fn loops_are_flattened() {
    let model = scenario(IO_THREADS);
    let io = Op::Io { length: fixed(49), device: None };
    assert_eq!(ops(&model, 0), [Op::Repeat { times: Some(5), end: 4 }, Op::Cpu(fixed(1)), io, Op::Again { start: 1 }]);
}

#[test]
fn variants_change_the_model_and_its_expectations() {
    let base = loaded(CONVOY, None, &[]);
    let variants: Vec<_> =
        base.variants.iter().map(|variant| (variant.name.as_str(), variant.has_expectations)).collect();
    assert_eq!(variants, [("no-cruncher", true), ("short-interval", true)]);
    assert_eq!(base.variants[0].about.as_deref(), Some("the same server alone"));
    assert!(base.scenario.threads()[ThreadId(1)].daemon);
    assert_eq!(base.scenario.run().until, Some(Instant::from_ns(1_000_000_000)));
    let alone = loaded(CONVOY, Some("no-cruncher"), &[]).scenario;
    assert_eq!(names(&alone), ["main/server"]);
    assert_eq!(alone.groups()[GroupId(1)].members, Members::Threads(1..1));
    assert_eq!(alone.expectations()[0].text, "finish(server) == 22ms");
    let short = loaded(CONVOY, Some("short-interval"), &["python.switch_interval=1ms", "run.seed=7"]).scenario;
    assert_eq!((short.gils().values().as_slice()[0].interval, short.run().seed), (ms(1), 7));
    let native = loaded(NATIVE_RELEASES_GIL, Some("keeps-the-gil"), &[]).scenario;
    assert_eq!(ops(&native, 0)[2], Op::NativeHoldingGil(fixed(18)));
}

#[test]
fn a_variant_without_expectations_expects_nothing_unless_it_inherits() {
    let model =
        "name: x\nthreads: {a: {do: []}}\nexpect: [makespan == 0ms]\nwhat_if: {plain: {}, same: {expect: inherit}}\n";
    assert_eq!(loaded(model, None, &[]).scenario.expectations().len(), 1);
    assert_eq!(loaded(model, Some("plain"), &[]).scenario.expectations().len(), 0);
    assert_eq!(loaded(model, Some("same"), &[]).scenario.expectations().len(), 1);
    let variants = loaded(model, None, &[]).variants;
    assert_eq!(variants.iter().map(|variant| variant.has_expectations).collect::<Vec<_>>(), [false, true]);
}

#[test]
fn a_free_threaded_build_has_a_factor_and_no_gil() {
    let base = scenario(FREE_THREADED);
    assert_eq!((base.machine().scale, base.interpreters()[InterpId(0)].factor), (1, Ratio::ONE));
    let free = loaded(FREE_THREADED, Some("free-threaded"), &[]).scenario;
    assert_eq!(free.gils().len(), 0);
    assert_eq!(free.interpreters()[InterpId(0)].factor, Ratio::new(11, 10));
    assert_eq!((free.machine().scale, free.machine().cores[CoreId(0)]), (10, 10));
}

#[test]
fn own_interpreters_have_own_gils_and_nobody_uses_the_main_one() {
    let model = scenario(SUBINTERPRETERS);
    let gils: Vec<&str> = model.gils().values().map(|gil| gil.name.as_str()).collect();
    assert_eq!(gils, ["main/worker-1", "main/worker-2", "main/worker-3", "main/worker-4"]);
    assert_eq!(model.interpreters().len(), 4);
    assert!(model.threads().values().all(|thread| thread.own_interpreter));
    assert_eq!(model.interpreters()[InterpId(0)].costs.interpreter_start, ms(10));
    let shared = loaded(SUBINTERPRETERS, Some("shared-gil"), &[]).scenario;
    assert_eq!((shared.gils().len(), shared.interpreters().len()), (1, 1));
}

#[test]
fn started_groups_wait_for_their_start() {
    let model = scenario(SEED_PROGRAM);
    let group = &model.groups()[GroupId(1)];
    assert!(group.started && !model.groups()[GroupId(0)].started);
    assert_eq!(group.members, Members::Threads(1..13));
    assert_eq!(ops(&model, 0)[1], Op::Start { group: GroupId(1), count: None });
    assert_eq!(model.threads()[ThreadId(1)].arrival, Arrival::OnStart);
    assert_eq!(python_names(&model)[..2], ["MainThread", "Thread-1 (cpu_waster)"]);
    let old = loaded(SEED_PROGRAM, None, &["python.version=\"3.9\""]).scenario;
    assert_eq!(python_names(&old)[..3], ["MainThread", "Thread-1", "Thread-2"]);
    let newer = loaded(SEED_PROGRAM, None, &["python.version=\"3.10\""]).scenario;
    assert_eq!(python_names(&newer)[1], "Thread-1 (cpu_waster)");
    assert!(matches!(&model.expectations()[0].claim, Claim::TimeOf { text, .. } if text == "all started"));
}

#[test]
fn processes_merge_their_python_settings_and_have_their_own_locks() {
    let model = scenario(
        "name: x\npython: {version: \"3.14\", switch_interval: 1ms, costs: {fork: 2ms, spawn: 3ms}}\nlocks: {l: {}, r: {kind: rlock}}\n\
         processes:\n  web:\n    count: 2\n    python: {version: \"3.12\", costs: {fork: 5ms}}\n    threads:\n      main: {do: [start: w]}\n      \
         w: {count: 2, do: [{with: l, do: []}]}\n  db: {at: 3ms, do: [{with: r, do: []}, {acquire: r}, {release: r}]}\n  \
         native: {runtime: native, do: [cpu: 1ms]}\n",
    );
    assert_eq!(
        names(&model),
        ["web-1/main", "web-1/w-1", "web-1/w-2", "web-2/main", "web-2/w-1", "web-2/w-2", "db/db", "native/native"]
    );
    assert_eq!(
        python_names(&model),
        [
            "MainThread",
            "Thread-1 (w)",
            "Thread-2 (w)",
            "MainThread",
            "Thread-1 (w)",
            "Thread-2 (w)",
            "MainThread",
            "native"
        ]
    );
    let locks: Vec<_> = model
        .locks()
        .values()
        .map(|lock| (lock.name.as_str(), lock.sharing.process().expect("its own").0, lock.reentrant, lock.fair_after))
        .collect();
    assert_eq!(locks, [("web-1/l", 0, false, None), ("web-2/l", 1, false, None), ("db/r", 2, true, Some(ms(1)))]);
    let costs: Vec<_> = model.interpreters().values().map(|python| (python.costs.fork, python.costs.spawn)).collect();
    assert_eq!(costs, [(ms(5), ms(3)), (ms(5), ms(3)), (ms(2), ms(3))]);
    assert!(model.gils().values().all(|gil| gil.interval == ms(1)));
    let methods: Vec<_> = model.processes().values().map(|process| (process.start_method, process.python)).collect();
    assert_eq!(
        methods[1..],
        [(StartMethod::Fork, Some((3, 12))), (StartMethod::Forkserver, Some((3, 14))), (StartMethod::Fork, None)]
    );
    // Groups: the three processes first, then the threads of each member.
    let groups: Vec<_> = model.groups().values().map(|group| (group.name.as_str(), group.members.clone())).collect();
    assert_eq!(groups[0], ("web", Members::Processes(0..2)));
    assert_eq!(groups[4], ("w", Members::Threads(1..3)));
    assert_eq!(groups[6], ("w", Members::Threads(4..6)));
    assert_eq!(
        (ops(&model, 0), ops(&model, 3)),
        (&[Op::Start { group: GroupId(4), count: None }][..], &[Op::Start { group: GroupId(6), count: None }][..])
    );
    assert_eq!(model.threads()[ThreadId(4)].stream, "web#2/w#1");
    assert_eq!(model.processes().values().as_slice()[2].arrival, Arrival::At(ms(3)));
    assert_eq!(model.threads()[ThreadId(6)].arrival, Arrival::At(Span::ZERO));
}

#[test]
fn processes_start_processes() {
    let model = scenario("name: x\nprocesses:\n  main: {do: [start: w, join: w]}\n  w: {count: 3, do: [cpu: 1ms]}\n");
    assert_eq!(ops(&model, 0), [Op::Start { group: GroupId(1), count: None }, Op::Join(GroupId(1))]);
    let arrivals: Vec<_> = model.processes().values().map(|process| process.arrival).collect();
    assert_eq!(arrivals, [Arrival::At(Span::ZERO), Arrival::OnStart, Arrival::OnStart, Arrival::OnStart]);
    assert_eq!(model.threads()[ThreadId(1)].arrival, Arrival::At(Span::ZERO));
}

fn us(us: u64) -> Length {
    Length::Fixed(Span::from_us(us))
}

#[test]
fn costs_may_spread_and_the_model_wins_item_by_item() {
    let costs = |text: &str| {
        let model = format!("name: x\nmachine: {{profile: linux, costs: {text}}}\nthreads: {{a: {{do: []}}}}\n");
        scenario(&model).machine().costs.clone()
    };
    let spread = |low, high| {
        Length::Random(Box::new(Distribution {
            shape: Shape::Uniform(low, high),
            min: 0,
            max: gilsim::time::LONGEST.ns(),
        }))
    };
    let slack = costs("{timer_slack: {uniform: [40us, 60us]}, wakeup: {idle: {uniform: [5us, 95us]}}}");
    assert_eq!([&slack.timer_slack, &slack.wakeup_idle], [&spread(40_000, 60_000), &spread(5_000, 95_000)]);
    assert_eq!(slack.wakeup_busy, spread(1_000, 9_000), "of the profile");
    let same = costs("{wakeup: {uniform: [5us, 95us]}}");
    assert_eq!([&same.wakeup_idle, &same.wakeup_busy], [&spread(5_000, 95_000); 2]);
}

#[test]
fn profiles_give_costs_and_the_model_wins() {
    let linux = loaded("name: x\nmachine: {profile: linux}\nthreads: {a: {do: []}}\n", None, &[]).scenario;
    let costs = &linux.machine().costs;
    assert_eq!(costs.wakeup_idle, us(30));
    assert_eq!(costs.wakeup_busy.bounds(), (Span::from_us(1), Span::from_us(9)));
    assert_eq!(costs.timer_slack.bounds(), (Span::from_us(45), Span::from_us(55)));
    assert_eq!((linux.machine().tick, linux.machine().scheduler.slice), (ms(4), Span::from_us(2_100)));
    assert_eq!(linux.gils().values().as_slice()[0].next_holder, NextHolder::Futex { stolen: Ratio::new(2, 5) });
    assert_eq!(linux.interpreters()[InterpId(0)].costs.fork, Span::from_us(600));
    let model = "name: x\nmachine: {profile: linux, tick: 0ms, scheduler: {fair: {slice: 3ms}}, costs: {wakeup: {idle: 5us}, context_switch: 0us}}\n\
                 python: {next_holder: fifo, version: \"3.14\", build: free-threaded, costs: {fork: 0ms}}\nthreads: {a: {do: []}}\n";
    let mixed = scenario(model);
    let costs = &mixed.machine().costs;
    assert_eq!((costs.context_switch, &costs.wakeup_idle), (Span::ZERO, &us(5)));
    assert_eq!(costs.wakeup_busy, linux.machine().costs.wakeup_busy);
    assert_eq!((mixed.machine().tick, mixed.machine().scheduler.slice), (Span::ZERO, ms(3)));
    let python = &mixed.interpreters()[InterpId(0)];
    assert_eq!((python.costs.fork, python.costs.spawn, python.factor), (Span::ZERO, ms(35), Ratio::new(11, 10)));
    let older = loaded(model, None, &["python.version='3.13'"]).scenario;
    assert_eq!(older.interpreters()[InterpId(0)].factor, Ratio::new(14, 10));
}

#[test]
fn a_profile_may_be_a_file_that_the_caller_reads() {
    let model = "name: x\nmachine: {profile: mine.yaml}\nthreads: {a: {do: []}}\n";
    let mine = scenario(model);
    assert_eq!(
        (mine.profile(), mine.machine().costs.migration, &mine.machine().costs.wakeup_busy),
        ("mine.yaml", Span::from_us(3), &us(2))
    );
    assert_eq!(mine.machine().costs.wakeup_idle, us(0));
    let source = Source { name: "m.yaml".to_owned(), text: model.replace("mine", "broken") };
    let read_profile = &|_: &str| Ok("machine: {costs: {wakeup: 5}}\n".to_owned());
    let findings = load(&source, &Options { read_profile, ..Options::default() }).expect_err("a broken profile");
    assert!(
        findings[0].to_string().starts_with("broken.yaml:1:27: error E104: duration needs a unit"),
        "{}",
        findings[0]
    );
}

#[test]
fn schedulers_and_their_defaults() {
    let scheduler = |text: &str| {
        scenario(&format!("name: x\nmachine: {{scheduler: {text}}}\nthreads: {{a: {{do: []}}}}\n"))
            .machine()
            .scheduler
            .clone()
    };
    let fair = |text: &str| (scheduler(text).policy, scheduler(text).slice);
    assert_eq!(fair("fair"), (PolicyName::Fair, ms(3)));
    assert_eq!(fair("{fair: {slice: 1ms}}"), (PolicyName::Fair, ms(1)));
    let turns = |text: &str| (scheduler(text).policy, scheduler(text).quantum());
    assert_eq!(turns("round-robin"), (PolicyName::RoundRobin, ms(10)));
    assert_eq!(turns("{round-robin: {quantum: 4ms}}"), (PolicyName::RoundRobin, ms(4)));
    assert_eq!(turns("{stride: {quantum: 4ms}}"), (PolicyName::Stride, ms(4)));
    assert_eq!(scheduler("{fifo: {}}").policy, PolicyName::Fifo);
    let priority = |text: &str| {
        let found = scheduler(text);
        (found.policy, found.preemptive, found.quantum, found.ageing)
    };
    assert_eq!(priority("priority"), (PolicyName::Priority, true, None, Span::ZERO));
    let full = "{priority: {preemptive: false, quantum: 2ms, ageing: 7ms}}";
    assert_eq!(priority(full), (PolicyName::Priority, false, Some(ms(2)), ms(7)));
    let levels = |text: &str| {
        let found = scheduler(text);
        let levels: Vec<(Span, Span)> = found.levels.iter().map(|level| (level.quantum, level.allotment)).collect();
        (levels, found.boost)
    };
    let doubled = [10, 20, 40].map(|quantum| (ms(quantum), ms(quantum)));
    assert_eq!(levels("mlfq"), (doubled.to_vec(), ms(1000)));
    assert_eq!(levels("{mlfq: {quantum: 5ms, queues: 2, boost: 0ms}}"), (vec![(ms(5), ms(5)); 2], Span::ZERO));
    let listed = "{mlfq: {quantum: [1ms, 2ms], allotment: [4ms, 8ms]}}";
    assert_eq!(levels(listed).0, [(ms(1), ms(4)), (ms(2), ms(8))]);
    let queue = |text: &str| {
        scenario(&format!("name: x\nmachine: {{runqueue: {text}}}\nthreads: {{a: {{do: []}}}}\n")).machine().run_queue
    };
    assert_eq!((queue("global"), queue("per-core")), (RunQueue::Global, RunQueue::PerCore));
}

#[test]
fn speeds_are_whole_numbers_of_units() {
    let model = scenario("name: x\nmachine: {cores: {speeds: [1, 0.5, 0.333]}}\nthreads: {a: {do: []}}\n");
    assert_eq!(model.machine().scale, 1000);
    assert_eq!(model.machine().cores.values().copied().collect::<Vec<_>>(), [1000, 500, 333]);
    let free = "name: x\nmachine: {cores: {count: 2, speeds: [1, 0.25]}}\npython: {build: free-threaded, costs: {free_threading_factor: 1.1}}\nthreads: {a: {do: []}}\n";
    let model = scenario(free);
    assert_eq!((model.machine().scale, model.machine().cores.values().copied().collect::<Vec<_>>()), (20, vec![20, 5]));
}

#[test]
fn threads_take_all_their_fields() {
    let model =
        threads("threads: {a: {count: 2, at: 2ms, arrivals: {every: 3ms}, nice: -5, affinity: [2, 0, 2], do: []}}\n");
    let thread = &model.threads()[ThreadId(1)];
    assert_eq!((thread.name.as_str(), thread.arrival, thread.nice), ("a-2", Arrival::At(ms(5)), -5));
    assert_eq!(thread.affinity.as_deref(), Some(&[CoreId(0), CoreId(2)][..]));
    assert_eq!((thread.stream.as_str(), thread.daemon, thread.own_interpreter), ("main/a#2", false, false));
    let by_priority = threads("machine: {scheduler: priority}\nthreads: {a: {priority: -3, do: []}}\n");
    assert_eq!(by_priority.threads()[ThreadId(0)].priority, -3);
}

#[test]
fn poisson_arrivals_belong_to_their_group_and_seed() {
    let arrivals = |text: &str, group: &str| -> Vec<Arrival> {
        let model = scenario(text);
        model.threads().values().filter(|thread| thread.name.starts_with(group)).map(|thread| thread.arrival).collect()
    };
    let alone = "name: x\nrun: {seed: 3}\nthreads: {a: {count: 5, arrivals: {poisson: 100/s}, do: []}}\n";
    let joined = alone.replace("threads: {", "threads: {b: {count: 3, arrivals: {poisson: 10/s}, do: []}, ");
    assert_eq!(arrivals(alone, "a"), arrivals(&joined, "a"));
    assert_ne!(arrivals(alone, "a"), arrivals(&alone.replace("seed: 3", "seed: 4"), "a"));
    assert!(matches!(arrivals(alone, "a")[0], Arrival::At(first) if !first.is_zero()));
}

#[test]
fn random_lengths_keep_their_numbers() {
    let model = threads(
        "threads:\n  a:\n    do:\n    - cpu: {uniform: [2ms, 6ms]}\n    - cpu: {uniform: [2ms, 2ms]}\n    - cpu: {normal: [5ms, 1ms], min: 1ms}\n    - cpu: {exponential: 5ms, max: 50ms}\n    \
         - cpu: {choice: [1ms, 50ms], weights: [9, 1]}\n    - cpu: {pareto: {scale: 1ms, shape: 1.5}, max: 1s}\n    - cpu: {choice: [1ms, 2ms]}\n",
    );
    const HIGHEST: u64 = 3_600_000_000_000_000;
    let choice =
        |values: &[u64], cumulative: &[u64]| Shape::Choice { values: values.to_vec(), cumulative: cumulative.to_vec() };
    let expected = [
        (Shape::Uniform(2_000_000, 6_000_000), 0, HIGHEST),
        (Shape::Uniform(2_000_000, 2_000_000), 0, HIGHEST),
        (Shape::Normal(5_000_000, 1_000_000), 1_000_000, HIGHEST),
        (Shape::Exponential(5_000_000), 0, 50_000_000),
        (choice(&[1_000_000, 50_000_000], &[9, 10]), 0, HIGHEST),
        (Shape::Pareto { scale: 1_000_000, shape_milli: 1500 }, 0, 1_000_000_000),
        (choice(&[1_000_000, 2_000_000], &[1, 2]), 0, HIGHEST),
    ];
    for (op, (shape, min, max)) in ops(&model, 0).iter().zip(expected) {
        assert_eq!(*op, Op::Cpu(Length::Random(Box::new(Distribution { shape, min, max }))));
    }
}

#[test]
fn steps_become_operations() {
    let model = threads(
        "machine: {devices: {disk: {at_once: 2}}}\nlocks: {l: {}}\nthreads:\n  a:\n    do:\n    - with: l\n      do: [native: 1ms]\n    \
         - acquire: l\n    - release: l\n    - io: 1ms\n      device: disk\n    - sleep: 0ms\n    - {start: b, count: 1}\n    - join: b\n    \
         - print: \"hi {pid}\"\n    - show: threads\n    - repeat: forever\n      do: [cpu: 1ms]\n  b: {count: 2, do: []}\n",
    );
    use gilsim::ids::{DeviceId, LockId};
    let lock = LockId(0);
    let expected = [
        Op::Acquire(lock),
        Op::Native(fixed(1)),
        Op::Release(lock),
        Op::Acquire(lock),
        Op::Release(lock),
        Op::Io { length: fixed(1), device: Some(DeviceId(0)) },
        Op::Sleep(fixed(0)),
        Op::Start { group: GroupId(1), count: Some(1) },
        Op::Join(GroupId(1)),
        Op::Print("hi {pid}".into()),
        Op::Show,
        Op::Repeat { times: None, end: 14 },
        Op::Cpu(fixed(1)),
        Op::Again { start: 12 },
    ];
    assert_eq!(ops(&model, 0), expected);
    assert_eq!(model.devices().values().as_slice()[0].at_once, 2);
    let lock = &model.locks()[lock];
    assert_eq!((lock.name.as_str(), lock.fair_after), ("l", Some(ms(1))));
}

#[test]
fn parameters_stand_for_values_of_every_shape() {
    let model = "name: x\nparams: {work: 50ms, n: 3, body: [cpu: 1ms], who: b}\nthreads:\n  a: {count: $n, do: [cpu: $work, {repeat: $n, do: $body}, print: \"$work\"]}\n  b: {do: $body}\nmain: 1\n";
    let model = scenario(&model.replace("main: 1\n", "").replace(", who: b", ""));
    assert_eq!(model.threads().len(), 4);
    assert_eq!(ops(&model, 0)[0], Op::Cpu(fixed(50)));
    assert_eq!(ops(&model, 0)[1], Op::Repeat { times: Some(3), end: 4 });
    assert_eq!(ops(&model, 0)[4], Op::Print("$work".into()));
}

#[test]
fn settings_reach_parameters_lists_and_fields_that_are_not_written() {
    let text = "name: x\nparams: {work: 50ms}\nthreads: {a: {do: [cpu: $work, io: 1ms]}}\n";
    let sets = [
        "params.work=2ms",
        "threads.a.do.1.io=3ms",
        "machine.cores=2",
        "threads.a.count=2",
        "python.costs.gil_take=1us",
        "locks.l={}",
    ];
    let loaded = loaded(text, None, &sets);
    let model = loaded.scenario;
    assert_eq!((model.machine().cores.len(), model.threads().len(), model.locks().len()), (2, 2, 1));
    assert_eq!(ops(&model, 0), [Op::Cpu(fixed(2)), Op::Io { length: fixed(3), device: None }]);
    assert_eq!(model.interpreters()[InterpId(0)].costs.gil_take, Span::from_us(1));
    assert_eq!(loaded.warnings.iter().map(|found| found.code).collect::<Vec<_>>(), [Code::W501]);
}

#[test]
fn expectations_of_nobody_are_allowed_and_lines_have_reasons() {
    let model = scenario(
        "name: x\nthreads: {a: {count: 0, do: []}, b: {do: []}}\nexpect:\n- {that: \"finish(b) == 0ms\", because: it does nothing}\n\
         - total wait_gil(a) == 0ms\n- total wait_gil(a-*) == 0ms\n- finish(main/b) == 0ms\n- finish(main) == 0ms\n- work(*) == 0ms\n- exit(main) == 0\n",
    );
    assert_eq!(model.expectations().len(), 7);
    assert_eq!(model.expectations()[0].because.as_deref(), Some("it does nothing"));
}

#[test]
fn a_scenario_prints_the_same_every_time() {
    assert_eq!(format!("{:?}", scenario(CONVOY)), format!("{:?}", scenario(CONVOY)));
}

const CPU_THREADS: &str = r#"name: 12 CPU wasters as threads
about: >
  One process, twelve threads that only compute. Four cores are available,
  yet only one of the threads can run Python code at any moment.
machine:
  cores: 4
threads:
  waster:
    count: 12
    do:
      - cpu: 50ms
expect:
  - makespan == 600ms            # 12 x 50 ms, one after the other in small pieces
  - makespan >= 1.0 x work       # no speed-up at all
  - max_in_python == 1
  - cores_busy <= 1.0
"#;

const CPU_PROCESSES: &str = r#"name: 12 CPU wasters as processes
about: >
  Twelve processes. Each has its own memory, its own interpreter and its own
  GIL, so the four cores are the only limit.
machine:
  cores: 4
processes:
  waster:
    count: 12
    do:
      - cpu: 50ms
expect:
  - makespan == 150ms            # 600 ms of work on 4 cores
  - cores_busy >= 3.9
  - total wait_gil(waster-*) == 0ms
"#;

const IO_THREADS: &str = r#"name: I/O-bound threads
about: Eight downloads. Each thread lets go of the GIL while it waits.
machine:
  cores: 4
threads:
  download:
    count: 8
    do:
      - repeat: 5
        do:
          - cpu: 1ms             # build the request, parse the reply
          - io: 49ms             # wait for the network: no GIL, no core
expect:
  - makespan <= 300ms            # one after the other it would take 2000 ms
  - max wait_gil(download-*) <= 40ms
"#;

const CONVOY: &str = r#"name: convoy effect
about: >
  A thread that answers short requests shares the interpreter with one thread
  that only computes. Every time the short thread comes back from I/O it has to
  wait a whole switch interval for the GIL.
machine:
  cores: 4
python:
  switch_interval: 5ms
threads:
  server:
    do:
      - repeat: 20
        do:
          - io: 1ms
          - cpu: 100us
  cruncher:
    daemon: true                 # stops when all other threads are done
    do:
      - repeat: forever
        do:
          - cpu: 10ms
run:
  until: 1s
expect:
  - finish(server) >= 120ms      # alone it needs 22 ms
  - max wait_gil(server) >= 95ms
what_if:
  no-cruncher:
    about: the same server alone
    set: {threads.cruncher.count: 0}
    expect:
      - finish(server) == 22ms
  short-interval:
    about: a shorter switch interval shortens the wait
    set: {python.switch_interval: 500us}
    expect:
      - finish(server) <= 35ms
"#;

const NATIVE_RELEASES_GIL: &str = r#"name: native code that releases the GIL
about: >
  Four threads call a C function (NumPy, zlib, hashlib). It works without the
  GIL, so the calls overlap; only the Python code around them is serial.
machine:
  cores: 4
threads:
  cruncher:
    count: 4
    do:
      - repeat: 5
        do:
          - cpu: 2ms             # Python code around the call
          - native: 18ms         # C code, GIL released, needs a core
expect:
  - makespan <= 140ms            # one after the other: 400 ms
  - max_running >= 3
  - max_in_python == 1
what_if:
  keeps-the-gil:
    about: the same C function, but it never lets go of the GIL
    set:
      threads.cruncher.do:
        - repeat: 5
          do:
            - cpu: 2ms
            - native_holding_gil: 18ms
    expect:
      - makespan == 400ms
"#;

const FREE_THREADED: &str = r#"name: what if there were no GIL
about: Twelve CPU wasters on the normal build and on the free-threaded build.
machine:
  cores: 4
python:
  build: gil                     # gil | free-threaded
  costs:
    free_threading_factor: 1.1   # each thread runs about 10 % slower (an assumption)
threads:
  waster:
    count: 12
    do:
      - cpu: 50ms
expect:
  - makespan == 600ms
what_if:
  free-threaded:
    set: {python.build: free-threaded}
    expect:
      - makespan == 165ms        # 12 x 50 ms x 1.1 / 4 cores
      - max_in_python == 4
  free-threaded-one-core:
    about: without more cores, no gain
    set: {python.build: free-threaded, machine.cores: 1}
    expect:
      - makespan == 660ms
"#;

const SUBINTERPRETERS: &str = r#"name: sub-interpreters
about: >
  Four threads in one process, each in an interpreter of its own with a GIL of
  its own (PEP 684 / PEP 734).
machine:
  cores: 4
python:
  costs:
    interpreter_start: 10ms
threads:
  worker:
    count: 4
    interpreter: own             # shared (default) | own
    do:
      - cpu: 50ms
expect:
  - makespan == 60ms             # 10 ms to start + 50 ms, all at once
  - total wait_gil(worker-*) == 0ms
  - count(process) == 1
  - count(gil) == 4
what_if:
  shared-gil:
    set: {threads.worker.interpreter: shared}
    expect:
      - makespan >= 200ms
"#;

const SEED_PROGRAM: &str = r#"name: the seed program, step by step
about: The main thread starts twelve wasters, one start() after the other.
machine:
  cores: 4
threads:
  main:
    do:
      - print: "Starting 12 CPU Wasters..."
      - start: cpu_waster
      - print: "all started"
  cpu_waster:
    count: 12
    daemon: true
    do:
      - repeat: forever
        do:
          - cpu: 10ms
run:
  until: 2s
expect:
  - time of "all started" >= 100ms
"#;
