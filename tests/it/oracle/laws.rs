//! What must hold in every run, whoever makes it and whatever it decides about ties.

use gilsim::trace::State;

use super::answer::{Answer, Counts, Finish};
use super::case::{self, Case, Flat, Process, Thread};

/// The first law that an answer breaks.
pub fn broken(case: &Case, answer: &Answer) -> Option<String> {
    let mut finishes = answer.threads.iter();
    let mut gils = answer.gils.iter();
    let makespan = answer.threads.iter().filter_map(|thread| thread.at).max()?;
    let complaints = case.processes.iter().find_map(|process| {
        let mine: Vec<_> = finishes.by_ref().take(process.threads.len()).collect();
        let of_threads =
            process.threads.iter().zip(&mine).find_map(|(thread, finish)| of_thread(process, thread, finish));
        let of_gil = || process.interval.and_then(|_| of_gil(&mine, gils.next().expect("a GIL"), makespan));
        of_threads.or_else(of_gil)
    });
    complaints.or_else(|| of_machine(case, answer, makespan))
}

/// A thread did exactly what its program says, and was in some state all its life.
fn of_thread(process: &Process, thread: &Thread, finish: &Finish) -> Option<String> {
    let mut demanded = Finish::default();
    for step in case::flat(&thread.steps, process.interval.is_none()) {
        if let Flat::Burst(state, us) | Flat::Block(state, us) = step {
            demanded.add(state, us);
        }
    }
    let worked = [State::Python, State::Native, State::NativeGil, State::Io, State::Sleep];
    let wrong = worked.into_iter().find(|state| finish.time(*state) != demanded.time(*state));
    let life = finish.times.iter().sum::<u64>();
    let end = Some(process.at + thread.at + life);
    let of_life = (finish.at != end).then(|| format!("a life of {life} that ends at {:?}", finish.at));
    wrong.map(|state| format!("{} {} of {}", state.word(), finish.time(state), demanded.time(state))).or(of_life)
}

/// One thread at a time holds a GIL; a request leads to one forced drop at most.
fn of_gil(threads: &[&Finish], gil: &Counts, makespan: u64) -> Option<String> {
    let holding = [State::Python, State::NativeGil, State::RunnableGil];
    let held: u64 = threads.iter().flat_map(|thread| holding.map(|state| thread.time(state))).sum();
    let too_much = (held > makespan).then(|| format!("a GIL held for {held} of {makespan}"));
    too_much.or_else(|| (gil.forced > gil.requests).then(|| "more forced drops than requests".to_string()))
}

/// The cores are not in two places at once.
fn of_machine(case: &Case, answer: &Answer, makespan: u64) -> Option<String> {
    let on_core = [State::Python, State::Native, State::NativeGil];
    let busy: u64 = answer.threads.iter().flat_map(|thread| on_core.map(|state| thread.time(state))).sum();
    (busy > makespan * case.cores as u64).then(|| format!("cores busy for {busy} in {makespan}"))
}
