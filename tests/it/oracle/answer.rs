//! What the oracle and the engine are compared by.

use std::fmt;

use gilsim::trace::State;

/// The states whose times are compared. Start-up, overhead and the like do not occur in these models.
pub const STATES: [State; 10] = [
    State::Python,
    State::Native,
    State::NativeGil,
    State::WantsGil,
    State::Forced,
    State::Runnable,
    State::RunnableGil,
    State::Io,
    State::Sleep,
    State::Lock,
];

/// What a run comes to, as far as it is compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub threads: Vec<Finish>,
    pub gils: Vec<Counts>,
}

/// A thread's end and where its time went.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Finish {
    /// When it ended; `None` = it did not.
    pub at: Option<u64>,
    /// Total time in each of [`STATES`].
    pub times: [u64; STATES.len()],
}

/// What is counted about a GIL.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Grants to a thread other than the last holder, the first one included.
    pub switches: u64,
    /// Drops while a request was pending.
    pub forced: u64,
    /// Times the request went from clear to set.
    pub requests: u64,
}

impl Finish {
    /// The total time in a state.
    pub fn time(&self, state: State) -> u64 {
        self.times[place(state)]
    }

    /// Adds to the total time in a state.
    pub fn add(&mut self, state: State, us: u64) {
        self.times[place(state)] += us;
    }
}

fn place(state: State) -> usize {
    STATES.iter().position(|each| *each == state).expect("a state that these models have")
}

/// One line for each thread and each GIL.
impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (t, thread) in self.threads.iter().enumerate() {
            let end = thread.at.map_or("never".to_string(), |at| at.to_string());
            write!(f, "  thread {t} ends at {end}:")?;
            for state in STATES.iter().filter(|state| thread.time(**state) > 0) {
                write!(f, " {} {}", state.word(), thread.time(*state))?;
            }
            writeln!(f)?;
        }
        for (g, gil) in self.gils.iter().enumerate() {
            writeln!(f, "  GIL {g}: {} switches, {} forced, {} requests", gil.switches, gil.forced, gil.requests)?;
        }
        Ok(())
    }
}
