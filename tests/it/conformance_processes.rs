//! What the models of processes claim, on real interpreters: the same program as Python and as a model, the same answer.
//!
//! Each program prints what it found, and the model has to print or end the same way. Without a Python nothing is compared;
//! where `GILSIM_NEEDS_PYTHON` is set that is a failure.

use std::path::PathBuf;
use std::process::Command;

use gilsim::backend::cpython::{Places, default_interpreter};
use gilsim::trace::{Ending, What};

use crate::common::{finish, run, span};

/// The interpreter to compare with.
fn python() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").map(|path| std::env::split_paths(&path).collect()).unwrap_or_default();
    let places = Places { path, home: None, scratch: std::env::temp_dir() };
    match default_interpreter(&places) {
        Ok(interpreter) if interpreter.version.0 == 3 => Some(interpreter.path),
        Ok(_) => None,
        Err(error) => {
            assert!(std::env::var_os("GILSIM_NEEDS_PYTHON").is_none(), "no Python: {error}");
            None
        }
    }
}

/// What a program writes to its standard output, line by line, and whether its standard error has this text.
fn answer(name: &str, program: &str, error: &str) -> Option<(Vec<String>, bool)> {
    let python = python()?;
    let _alone = crate::common::alone();
    let file = std::env::temp_dir().join(format!("gilsim-{name}-{}.py", std::process::id()));
    std::fs::write(&file, program).expect("a scratch file");
    let output = Command::new(python).arg("-B").arg(&file).output().expect("a Python that runs");
    std::fs::remove_file(&file).expect("the scratch file");
    let out = String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect();
    Some((out, String::from_utf8_lossy(&output.stderr).contains(error)))
}

/// The child of an unguarded program ends with exit code 1, having run the lines before the start; the parent goes on.
#[test]
fn a_missing_guard_ends_the_child_only() {
    let program = "
import multiprocessing, sys
def work(): print('never')
print('module of', __name__, flush=True)
context = multiprocessing.get_context(METHOD)
child = context.Process(target=work)
child.start()
child.join()
print('exit code', child.exitcode)
";
    for method in ["spawn", "forkserver"] {
        let program = program.replace("METHOD", &format!("{method:?}"));
        let yaml = format!(
            "name: x
python: {{start_method: {method}, main_guard: false}}
processes:
  main: {{do: [{{print: 'module of {{__name__}}'}}, {{start: w}}, {{join: w}}]}}
  w: {{do: [{{print: never}}]}}
"
        );
        let (simulation, records) = run(&yaml, &[]);
        let mut told: Vec<String> = Vec::new();
        let mut raised = false;
        for record in &records {
            match &record.what {
                What::Output { text, .. } if text.starts_with("module") => told.push(text.clone()),
                What::Output { text, .. } => raised |= text.contains("finished its bootstrapping phase"),
                What::Exit { process, code } if simulation.cast.processes[*process] == "w" => {
                    told.push(format!("exit code {code}"));
                }
                _ => {}
            }
        }
        assert!(raised);
        assert_eq!(told, ["module of __main__", "module of __mp_main__", "exit code 1"]);
        if let Some(found) = answer(method, &program, "finished its bootstrapping phase") {
            assert_eq!(found, (told, true), "{method}");
        }
    }
}

/// A lock that another thread holds while a process forks is held in the child, and not in a spawned one.
#[test]
fn a_fork_leaves_a_lock_held() {
    let program = "
import multiprocessing, threading, time
lock = threading.Lock()
def hold():
    with lock: time.sleep(0.5)
def work(): print('got it' if lock.acquire(timeout=2) else 'never', flush=True)
if __name__ == '__main__':
    context = multiprocessing.get_context(METHOD)
    threading.Thread(target=hold).start()
    time.sleep(0.1)
    child = context.Process(target=work)
    child.start()
    child.join()
";
    for (method, expected) in [("fork", "never"), ("spawn", "got it")] {
        let yaml = format!(
            "name: x
python: {{start_method: {method}}}
locks: {{l: {{across: copies}}}}
processes:
  main:
    threads:
      hold: {{do: [{{with: l, do: [{{sleep: 500ms}}]}}]}}
      main: {{do: [{{sleep: 100ms}}, {{start: w}}, {{join: w}}]}}
  w: {{do: [{{acquire: l, timeout: 2s, else: [{{print: never}}]}}]}}
"
        );
        let (simulation, _) = run(&yaml, &[]);
        assert!(matches!(simulation.metrics.ending, Some(Ending::Finished)));
        let at = if expected == "never" { "2.1s" } else { "100ms" };
        assert_eq!(finish(&simulation, "w"), span(at), "{method}");
        let program = program.replace("METHOD", &format!("{method:?}"));
        if let Some((found, _)) = answer(method, &program, "") {
            assert_eq!(found, [expected], "{method}");
        }
    }
}

/// A process ends when its feeder has sent everything, and `put` has not waited for that: the exit of the child comes later
/// than its last line, and nothing is lost.
#[test]
fn a_child_sends_everything_before_it_ends() {
    let program = "
import multiprocessing
class Slow:
    def __reduce__(self):
        import time
        time.sleep(0.2)
        return int, ()
def work(queue):
    queue.put(Slow())
    queue.put(Slow())
    print('put', flush=True)
if __name__ == '__main__':
    context = multiprocessing.get_context('fork')
    queue = context.Queue()
    child = context.Process(target=work, args=(queue,))
    child.start()
    print('got', queue.get(), queue.get(), flush=True)
    child.join()
    print('exit code', child.exitcode)
";
    let yaml = "
name: x
python: {start_method: fork, costs: {pickle: 200ms}}
queues: {q: {across: processes}}
processes:
  main: {do: [{start: w}, {get: q}, {get: q}, {print: got}, {join: w}]}
  w: {do: [{put: q}, {put: q}, {print: put}]}
expect: [time of \"put\" == 0ms]
";
    let (simulation, _) = run(yaml, &[]);
    assert!(simulation.outcomes.iter().all(|outcome| outcome.holds));
    // Two items of 200 ms; the first is unpickled while the second is pickled.
    assert_eq!(finish(&simulation, "main"), span("600ms"));
    if let Some((found, _)) = answer("feeder", program, "") {
        assert_eq!(found, ["put", "got 0 0", "exit code 0"]);
    }
}
