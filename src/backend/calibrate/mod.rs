//! Measures this host: what a prediction needs to know of it, with spread, as a profile that any model may name.
//!
//! No model is run for this but one of our own (two computing threads under a GIL in user space), so that what is
//! calibrated is never what is compared.

mod figure;
mod os;
mod profile;
mod python;

use std::path::Path;
use std::time::Duration;

pub use figure::Figure;
pub use python::PythonFigures;

use crate::backend::cpython::Interpreter;
use crate::backend::host::{Facts, Noise, Own, Watch};
use crate::backend::native::Native;
use crate::model::{self, Options, Scenario, Source};
use crate::time::{Instant, Span};
use crate::trace::{GilAct, Record, What};

/// Everything that was measured.
#[derive(Clone, Debug)]
pub struct Calibration {
    /// On what.
    pub host: Facts,
    /// When: a date as in 2026-11-24.
    pub date: String,
    /// Who else used the host meanwhile.
    pub noise: Noise,
    /// Pipe ping-pong on one core.
    pub context_switch: Figure,
    /// Condition variable ping-pong on one core.
    pub condvar: Figure,
    /// Pipe ping-pong between two cores; none on one core.
    pub wakeup_idle: Option<Figure>,
    /// Sleeps, by their lengths.
    pub sleeps: Vec<(Span, Figure)>,
    /// Timed waits, by their lengths.
    pub waits: Vec<(Span, Figure)>,
    /// Pauses of two threads that compute on one core.
    pub turns: Figure,
    /// Holds of a GIL in user space by two computing threads, beyond the switch interval.
    pub hold: Figure,
    /// From a drop of that GIL to its take by the other thread.
    pub gap: Figure,
    /// Thread start without Python.
    pub thread_start: Figure,
    /// Per interpreter.
    pub pythons: Vec<PythonFigures>,
}

/// The lengths of sleeps and timed waits, each with how often it is tried.
const LENGTHS: [(Span, usize); 4] =
    [(Span::from_us(100), 60), (Span::from_ms(1), 60), (Span::from_ms(5), 40), (Span::from_ms(50), 8)];

/// The switch interval of the two threads.
const INTERVAL: Span = Span::from_ms(5);

/// Measures. Takes two to three seconds, and about as long for every interpreter.
pub fn calibrate(interpreters: &[Interpreter], scratch: &Path) -> Calibration {
    let host = Facts::read();
    let watch = Watch::start();
    let began = crate::backend::native::clock::cpu_time();
    let sleeps = LENGTHS.map(|(length, times)| (length, os::sleep_late(duration(length), times, "nanosleep")));
    let waits =
        LENGTHS.map(|(length, times)| (length, os::wait_late(duration(length), times, "timed wait for a condition")));
    let two = host.usable_cores > 1;
    let (hold, gap) = gil(two);
    let wakeup_idle =
        two.then(|| os::ping_pong([0, 1], "pipe ping-pong between two cores, one way, the woken core idle"));
    let context_switch = os::ping_pong([0, 0], "pipe ping-pong on one core, one way");
    let condvar = os::condvar_ping_pong();
    let thread_start = os::thread_start();
    let turns = os::turns_on_one_core();
    // What the threads of the measurements themselves used: two of the GIL's, two on one core.
    let own = Span::from_ns(crate::backend::native::clock::cpu_time() - began + 700_000_000);
    let noise = watch.stop(Own { used: own, ..Own::default() });
    let pythons = interpreters.iter().map(|interpreter| python::measure(interpreter, scratch)).collect();
    Calibration {
        host,
        date: date(),
        noise,
        context_switch,
        condvar,
        wakeup_idle,
        sleeps: sleeps.into(),
        waits: waits.into(),
        turns,
        hold,
        gap,
        thread_start,
        pythons,
    }
}

fn duration(span: Span) -> Duration {
    Duration::from_nanos(span.ns())
}

impl Calibration {
    /// The median of the timed waits of the default switch interval's length.
    fn wait_late(&self) -> Option<Span> {
        self.waits.iter().find(|(length, _)| *length == INTERVAL).and_then(|(_, figure)| figure.median())
    }

    /// What it costs to wake a thread onto an idle core. The hand-off of the GIL tells best: its waiter has slept for
    /// milliseconds, as in models; a ping-pong keeps the cores awake.
    pub fn wakeup(&self) -> Option<Span> {
        let well = |figure: &Figure| figure.median().filter(|_| figure.is_good());
        well(&self.gap).or_else(|| self.wakeup_idle.as_ref().and_then(Figure::median))
    }

    /// How late the kernel's timers are: a hold lasts the interval, two wake-ups and this.
    pub fn timer_slack(&self) -> Option<Span> {
        let wakeup = self.wakeup().unwrap_or_default();
        let from_wait = self.wait_late().map(|late| late.less(wakeup));
        let from_hold = self.hold.median().filter(|_| self.hold.is_good()).map(|late| late.less(wakeup * 2));
        // On a busy host holds grow because a core is missing, while a sleeper still comes back in time.
        let near =
            |slack: &Span| from_wait.is_none_or(|wait| slack.ns() <= 2 * wait.ns() && wait.ns() <= 2 * slack.ns());
        from_hold.filter(|slack| !slack.is_zero()).filter(near).or(from_wait)
    }

    /// Whether the timer slack is that of the holds.
    pub(in crate::backend) fn slack_is_of_holds(&self) -> bool {
        let late = self.hold.median().map(|late| late.less(self.wakeup().unwrap_or_default() * 2));
        self.hold.is_good() && late.is_some() && late == self.timer_slack()
    }

    /// The period of the scheduler's tick, if the pauses on one core are multiples of a usual one.
    pub fn tick(&self) -> Option<Span> {
        if let Some(hz) = self.host.hz {
            return Some(Span::from_ns(1_000_000_000 / u64::from(hz)));
        }
        let pause = self.turns.median()?.ns();
        let usual = [1000u64, 300, 250, 100].map(|hz| 1_000_000_000 / hz);
        // With the usual slices a turn ends with the first tick after 0.7 to 3 ms.
        let near = |tick: &u64| pause.abs_diff(*tick) * 10 <= *tick;
        usual.into_iter().find(near).map(Span::from_ns)
    }

    /// The profile as a file.
    pub fn yaml(&self, name: &str) -> String {
        profile::yaml(self, name)
    }
}

/// Two computing threads under a GIL: their holds beyond the interval, and the gaps from each drop to the next take.
fn gil(two: bool) -> (Figure, Figure) {
    let (hold, gap) = two.then(turns_of_a_gil).flatten().unwrap_or_default();
    let hold = Figure::new(hold, "holds of a GIL in user space by two computing threads, beyond its interval of 5 ms");
    let gap = Figure::new(gap, "from a drop of that GIL to its take by the other thread, which sleeps on an idle core");
    (hold, gap)
}

fn turns_of_a_gil() -> Option<(Vec<u64>, Vec<u64>)> {
    let trial = Native::default().run_trial(&two_threads()).ok()?;
    let (mut holds, mut gaps) = (Vec::new(), Vec::new());
    let (mut granted, mut dropped): (Option<Instant>, Option<Instant>) = (None, None);
    for Record { at, what, .. } in &trial.records {
        match what {
            What::Gil { act: GilAct::Grant { switched: true }, .. } => {
                gaps.extend(dropped.take().map(|dropped| at.since(dropped).ns()));
                granted = Some(*at);
            }
            What::Gil { act: GilAct::Drop { forced: true }, .. } => {
                holds.extend(granted.take().map(|granted| at.since(granted).less(INTERVAL).ns()));
                dropped = Some(*at);
            }
            _ => {}
        }
    }
    Some((holds, gaps))
}

fn two_threads() -> Scenario {
    let text = "name: calibration\nmachine: {cores: 2}\nthreads: {t: {count: 2, do: [{cpu: 150ms}]}}\n";
    let source = Source { name: "calibration.yaml".to_owned(), text: text.to_owned() };
    model::load(&source, &Options::default()).expect("our own model is valid").scenario
}

/// Today, by the host's clock in UTC.
#[expect(clippy::disallowed_methods, reason = "the wall clock lives only in backend")]
fn date() -> String {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    civil(since.as_secs() / 86_400)
}

/// A day since 1970-01-01 in the Gregorian calendar, counted in eras of 400 years that begin in March.
fn civil(days: u64) -> String {
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (year, month) = if month < 10 { (year, month + 3) } else { (year + 1, month - 9) };
    format!("{:04}-{month:02}-{day:02}", year + era * 400)
}

#[cfg(test)]
mod tests {
    use super::civil;

    #[test]
    fn dates() {
        let cases = [(0, "1970-01-01"), (11_016, "2000-02-29"), (20_781, "2026-11-24"), (20_819, "2027-01-01")];
        for (days, date) in cases {
            assert_eq!(civil(days), date);
        }
    }
}
