//! Nine things that must hold in every timeline, simulated or measured, checked from its records alone.
//!
//! What must hold while time passes is checked whenever time advances, so that the order of records within one instant
//! does not matter. Only the first violation of each is kept.

use std::collections::BTreeSet;

use crate::analysis::affinity::Seats;
use crate::analysis::now::{Now, Segment, elapsed};
use crate::analysis::{Lanes, Metrics};
use crate::ids::{CoreId, GilId, IdVec, ProcId, ThreadId};
use crate::time::{Instant, Span};
use crate::trace::{Cast, Ending, GilAct, Observer, Record, State, What, Why};

/// What must hold, in the order of their numbers.
pub const CLAIMS: [&str; 9] = [
    "each core runs at most one thread",
    "each GIL has at most one holder",
    "whoever runs Python holds its GIL",
    "every thread's segments tile its life without gap or overlap",
    "what ran is the work that was demanded",
    "the cores were busy no longer than they existed",
    "no core is idle while a thread wants it",
    "no GIL is free while a thread waits for it",
    "table numbers are the sums of the drawn segments",
];

/// The verdict on each of [`CLAIMS`].
#[derive(Clone, Debug, PartialEq)]
pub struct Invariants(pub [Verdict; 9]);

/// The verdict on one invariant.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Verdict {
    /// It holds.
    #[default]
    Holds,
    /// It does not.
    Broken {
        /// When it was broken first.
        at: Instant,
        /// How, with names.
        sentence: String,
    },
    /// Nobody looked.
    Unchecked,
}

impl Invariants {
    /// How many were checked.
    pub fn checked(&self) -> usize {
        self.0.iter().filter(|verdict| **verdict != Verdict::Unchecked).count()
    }

    /// How many of those hold.
    pub fn hold(&self) -> usize {
        self.0.iter().filter(|verdict| **verdict == Verdict::Holds).count()
    }

    /// The broken ones: number, when first, how.
    pub fn broken(&self) -> impl Iterator<Item = (usize, Instant, &str)> {
        self.0.iter().enumerate().filter_map(|(index, verdict)| match verdict {
            Verdict::Broken { at, sentence } => Some((index + 1, *at, sentence.as_str())),
            _ => None,
        })
    }
}

/// Watches a timeline and checks the nine invariants.
#[derive(Clone, Debug)]
pub struct Checker<'c> {
    cast: &'c Cast,
    at: Instant,
    now: Now,
    seats: Seats,
    gils: IdVec<GilId, GilState>,
    /// Woken by a drop of the GIL and not yet there.
    on_the_way: IdVec<ThreadId, bool>,
    /// Who has to be looked at before time passes.
    changed: BTreeSet<ThreadId>,
    contested: BTreeSet<GilId>,
    accounts: IdVec<ThreadId, Account>,
    busy_ns: u128,
    first_arrival: Option<Instant>,
    verdicts: [Verdict; 9],
}

#[derive(Clone, Copy, Debug, Default)]
struct GilState {
    holder: Option<ThreadId>,
    parked: u32,
    on_the_way: u32,
}

/// What a thread can have done: its time on cores times their speeds, in units of 1 / scale ns.
#[derive(Clone, Copy, Debug, Default)]
struct Account {
    /// In `python`, where the free-threading factor counts.
    python: u128,
    /// In `native` and `native-gil`.
    native: u128,
}

impl<'c> Checker<'c> {
    /// A checker for a timeline with this cast.
    pub fn new(cast: &'c Cast) -> Checker<'c> {
        Checker {
            cast,
            at: Instant::ZERO,
            now: Now::new(cast.threads.len()),
            seats: Seats::new(cast),
            gils: IdVec::filled(cast.gils.len(), GilState::default()),
            on_the_way: IdVec::filled(cast.threads.len(), false),
            changed: BTreeSet::new(),
            contested: BTreeSet::new(),
            accounts: IdVec::filled(cast.threads.len(), Account::default()),
            busy_ns: 0,
            first_arrival: None,
            verdicts: Default::default(),
        }
    }

    /// The verdicts, once the timeline is over. The ninth compares two observers of the same run.
    pub fn finish(mut self, views: Option<(&Metrics, &Lanes)>) -> Invariants {
        let open: Vec<Segment> = self.now.open(self.at).collect();
        open.iter().for_each(|segment| self.spend(segment));
        self.check_cores_existed();
        match views {
            Some((metrics, lanes)) => self.check_sums(metrics, lanes),
            None => self.verdicts[8] = Verdict::Unchecked,
        }
        Invariants(self.verdicts)
    }

    fn broken(&mut self, number: usize, sentence: impl FnOnce(&Cast) -> String) {
        let verdict = &mut self.verdicts[number - 1];
        if *verdict == Verdict::Holds {
            *verdict = Verdict::Broken { at: self.at, sentence: sentence(self.cast) };
        }
    }

    /// Everything that must hold while time passes.
    fn advance(&mut self, to: Instant) {
        if to < self.at {
            self.broken(4, |_| format!("time goes back to {to}"));
        }
        if to <= self.at {
            return;
        }
        self.check_cores_shared();
        self.check_holders();
        self.check_idle();
        self.check_free_gils();
        self.at = to;
    }

    fn check_cores_shared(&mut self) {
        let Some(core) = self.seats.crowded() else { return };
        let there = |id: &ThreadId| self.now.core(*id) == Some(core) && self.now.state(*id).is_some_and(State::on_core);
        let names: Vec<String> = self.cast.threads.ids().filter(there).map(|id| self.cast.label(id)).collect();
        self.broken(1, |_| format!("core {} runs {} at the same time", core.0, names.join(" and ")));
    }

    fn check_holders(&mut self) {
        for thread in std::mem::take(&mut self.changed) {
            let in_python = self.now.state(thread).is_some_and(State::in_python);
            let Some(gil) = self.cast.threads[thread].gil.filter(|_| in_python) else { continue };
            let holder = self.gils[gil].holder;
            if holder != Some(thread) {
                self.broken(3, |cast| {
                    let held = holder.map_or("nobody".into(), |holder| cast.label(holder));
                    format!("{} runs Python, but its GIL is held by {held}", cast.label(thread))
                });
            }
        }
    }

    fn check_idle(&mut self) {
        let Some((core, class)) = self.seats.wasted() else { return };
        let waits = |id: &ThreadId| self.seats.class(*id) == class && self.seats.may_run(*id) && self.wants_core(*id);
        let Some(thread) = self.cast.threads.ids().find(waits) else { return };
        self.broken(7, |cast| format!("core {} is idle, but {} waits for a core", core.0, cast.label(thread)));
    }

    fn wants_core(&self, thread: ThreadId) -> bool {
        self.now.state(thread).is_some_and(State::wants_core)
    }

    fn quota(&mut self, process: ProcId, throttled: bool) {
        let own = |id: &ThreadId| self.cast.threads[*id].process == process && self.wants_core(*id);
        let wants: Vec<ThreadId> = self.cast.threads.ids().filter(own).collect();
        self.seats.throttle(process, throttled, wants.into_iter());
    }

    fn check_free_gils(&mut self) {
        for gil in std::mem::take(&mut self.contested) {
            let GilState { holder: None, parked: 1.., on_the_way: 0 } = self.gils[gil] else { continue };
            let parked =
                |id: &ThreadId| self.cast.threads[*id].gil == Some(gil) && self.now.state(*id) == Some(State::WantsGil);
            let Some(thread) = self.cast.threads.ids().find(parked) else { continue };
            self.broken(8, |cast| {
                format!("the GIL of {} is free, but {} waits for it", cast.gils[gil], cast.label(thread))
            });
        }
    }

    fn state(&mut self, thread: ThreadId, from: Option<State>, to: State, core: Option<CoreId>, why: Why) {
        let before = self.now.state(thread);
        if before != from {
            let word = |state: Option<State>| state.map_or("not there", State::word);
            self.broken(4, |cast| {
                let name = cast.label(thread);
                format!("{name} leaves the state {}, but it was {}", word(from), word(before))
            });
        }
        self.first_arrival.get_or_insert(self.at);
        let old_core = self.now.core(thread);
        if let Some(segment) = self.now.turn(self.at, thread, to, core) {
            self.spend(&segment);
        }
        self.seats.turn(thread, (before, old_core), (to, core));
        self.turn_gil(thread, before, to, why);
        self.changed.insert(thread);
    }

    /// Counts who is parked and who is on the way to a GIL: woken, but not there yet. A wake-up is not always a record
    /// (who waits for a core, parks and is woken within one instant still waits for a core), so everybody counts who is
    /// about to be on a core, unless it was interrupted in work that needs no GIL: that leads from such work to `runnable`.
    fn turn_gil(&mut self, thread: ThreadId, before: Option<State>, to: State, why: Why) {
        let Some(gil) = self.cast.threads[thread].gil else { return };
        let was = self.on_the_way[thread];
        let comes = match before {
            Some(State::Native | State::StartUp) => to == State::Overhead,
            Some(State::Runnable | State::Overhead) => was,
            _ => true,
        };
        let is = matches!(to, State::Runnable | State::Overhead) && (comes || why == Why::GilSignal);
        let state = &mut self.gils[gil];
        state.on_the_way = state.on_the_way + u32::from(is) - u32::from(was);
        state.parked = state.parked + u32::from(to == State::WantsGil) - u32::from(before == Some(State::WantsGil));
        self.on_the_way[thread] = is;
        self.contested.insert(gil);
    }

    fn gil(&mut self, gil: GilId, thread: ThreadId, act: GilAct) {
        let holder = self.gils[gil].holder;
        match (act, holder) {
            (GilAct::Grant { .. }, Some(holder)) => self.broken(2, |cast| {
                let (taker, holder) = (cast.label(thread), cast.label(holder));
                format!("{taker} takes the GIL of {}, but {holder} holds it", cast.gils[gil])
            }),
            (GilAct::Drop { .. }, holder) if holder != Some(thread) => self.broken(2, |cast| {
                format!("{} drops the GIL of {}, but does not hold it", cast.label(thread), cast.gils[gil])
            }),
            _ => {}
        }
        match act {
            GilAct::Grant { .. } => self.gils[gil].holder = Some(thread),
            GilAct::Drop { .. } => self.gils[gil].holder = None,
            GilAct::Request => {}
        }
        self.changed.extend(holder);
        self.changed.insert(thread);
        self.contested.insert(gil);
    }

    fn spend(&mut self, segment: &Segment) {
        self.accounts[segment.thread].add(self.cast, segment);
        if segment.state.on_core() {
            self.busy_ns += u128::from(segment.length().ns());
        }
    }

    fn account(&mut self, thread: ThreadId, done: Span, demanded: Span) {
        // The thread may still be in its last state: state changes close the instant.
        let mut account = self.accounts[thread];
        if let Some(segment) = self.now.open_of(thread, self.at) {
            account.add(self.cast, &segment);
        }
        if done != demanded {
            self.broken(5, |cast| format!("{} did {done} of work, but {demanded} were demanded", cast.label(thread)));
        } else if !account.covers(self.cast, thread, done) {
            self.broken(5, |cast| format!("the time that {} ran does not make {done} of work", cast.label(thread)));
        }
    }

    fn check_finished(&mut self) {
        let unfinished = |id: &ThreadId| {
            !self.cast.threads[*id].daemon && self.now.state(*id).is_some_and(|state| state != State::Done)
        };
        if let Some(thread) = self.cast.threads.ids().find(unfinished) {
            self.broken(4, |cast| format!("the run is finished, but {} has not ended", cast.label(thread)));
        }
    }

    fn check_cores_existed(&mut self) {
        let lasted = self.first_arrival.map_or(Span::ZERO, |first| elapsed(first, self.at));
        let cores = self.cast.cores.len() as u128;
        let busy = self.busy_ns;
        if busy > cores * u128::from(lasted.ns()) {
            self.broken(6, |_| format!("{busy}ns on {cores} cores in {lasted}"));
        }
    }

    fn check_sums(&mut self, metrics: &Metrics, lanes: &Lanes) {
        let wrong = |id: &ThreadId| metrics.threads[*id].states != lanes.totals(*id);
        if let Some(thread) = self.cast.threads.ids().find(wrong) {
            self.broken(9, |cast| format!("the table and the picture of {} differ", cast.label(thread)));
        }
        if let Some(gil) = self.cast.gils.ids().find(|id| metrics.gils[*id].busy != lanes.gil_busy(*id)) {
            self.broken(9, |cast| format!("the table and the picture of the GIL of {} differ", cast.gils[gil]));
        }
        if let Some(core) = self.cast.cores.ids().find(|id| metrics.cores[*id].busy != lanes.core_busy(*id)) {
            self.broken(9, |_| format!("the table and the picture of core {} differ", core.0));
        }
    }
}

impl Account {
    fn add(&mut self, cast: &Cast, segment: &Segment) {
        let rate = segment.core.map_or(cast.scale, |core| cast.cores[core]);
        let done = u128::from(segment.length().ns()) * u128::from(rate);
        match segment.state {
            State::Python => self.python += done,
            State::Native | State::NativeGil => self.native += done,
            _ => {}
        }
    }

    /// Whether this much core time can have done this much work. Each step's end is rounded up to a nanosecond, so more
    /// time than work is right where speeds or factors are fractions, and only there.
    fn covers(&self, cast: &Cast, thread: ThreadId, work: Span) -> bool {
        let (num, den) = cast.threads[thread].factor;
        let (scale, work) = (u128::from(cast.scale), u128::from(work.ns()));
        if scale == 1 && num == den && cast.cores.values().all(|rate| *rate == 1) {
            return self.python + self.native == work;
        }
        // Products of a horizon (62 bits), a speed and a factor fit 128 bits for every model that lowering accepts.
        let able = self.python.saturating_mul(den.into()).saturating_add(self.native.saturating_mul(num.into()));
        able >= work.saturating_mul(scale).saturating_mul(num.into())
    }
}

impl Observer for Checker<'_> {
    fn record(&mut self, _: u64, record: &Record) {
        self.advance(record.at);
        match &record.what {
            What::State { thread, from, to, core, why } => self.state(*thread, *from, *to, *core, *why),
            What::Gil { gil, thread, act } => self.gil(*gil, *thread, *act),
            What::Quota { process, throttled } => self.quota(*process, *throttled),
            What::Account { thread, python_work, native_work, demanded, finished: true } => {
                self.account(*thread, *python_work + *native_work, *demanded);
            }
            What::End { ending: Ending::Finished } => self.check_finished(),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests;
