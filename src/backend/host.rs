//! The host of a measurement: its facts, and who else used it meanwhile.
//!
//! On other systems than Linux what cannot be read is `None`, never a guess.

use std::fs;
use std::hint::black_box;
use std::time::Duration;

use crate::time::Span;

/// What a measurement ran on.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts {
    /// The kernel's release.
    pub kernel: Option<String>,
    /// The processor's name.
    pub cpu: Option<String>,
    /// How many cores this process may really use: its affinity, bounded by the quotas of its control groups (rounded
    /// down, at least one).
    pub usable_cores: usize,
    /// The kernel's tick rate, where its configuration says it.
    pub hz: Option<u32>,
    /// How late the kernel may fire this thread's timers.
    pub timer_slack: Option<Span>,
}

impl Facts {
    /// The facts of this host.
    pub fn read() -> Facts {
        let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get());
        let kernel = text("/proc/sys/kernel/osrelease");
        Facts {
            cpu: text("/proc/cpuinfo").and_then(|text| field(&text, "model name")),
            hz: kernel.as_deref().and_then(tick_rate),
            usable_cores: quota("/proc/self/cgroup").map_or(cores, |quota| cores.min(quota.max(1))),
            timer_slack: text("/proc/self/timerslack_ns").and_then(|text| text.parse().ok()).map(Span::from_ns),
            kernel,
        }
    }
}

fn text(path: &str) -> Option<String> {
    fs::read_to_string(path).ok().map(|text| text.trim().to_owned())
}

fn field(text: &str, name: &str) -> Option<String> {
    let line = text.lines().find(|line| line.starts_with(name))?;
    line.split_once(':').map(|(_, value)| value.trim().to_owned())
}

/// `CONFIG_HZ` of the running kernel, where its configuration lies in `/boot`.
fn tick_rate(kernel: &str) -> Option<u32> {
    let config = text(&format!("/boot/config-{kernel}"))?;
    config.lines().find_map(|line| line.strip_prefix("CONFIG_HZ=")).and_then(|hz| hz.parse().ok())
}

/// The smallest number of whole cores that the quotas on the way up through the control groups (version 2) leave.
fn quota(groups: &str) -> Option<usize> {
    let own = text(groups)?.lines().find_map(|line| line.strip_prefix("0::").map(str::to_owned))?;
    let mut path = std::path::PathBuf::from(format!("/sys/fs/cgroup{own}"));
    let mut least = None;
    while path.starts_with("/sys/fs/cgroup") {
        if let Some(cores) = path.join("cpu.max").to_str().and_then(text).as_deref().and_then(whole_cores) {
            least = Some(least.map_or(cores, |least: usize| least.min(cores)));
        }
        path.pop();
    }
    least
}

/// `QUOTA PERIOD` in microseconds, or `max PERIOD`.
fn whole_cores(text: &str) -> Option<usize> {
    let (quota, period) = text.split_once(' ')?;
    let (quota, period): (usize, usize) = (quota.parse().ok()?, period.parse().ok()?);
    quota.checked_div(period)
}

/// What a trial itself used, by the kernel's own counts of its threads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Own {
    /// Core time.
    pub used: Span,
    /// Time in run queues (`schedstat`), where it is known.
    pub queued: Option<Span>,
    /// Involuntary context switches, where they are known.
    pub involuntary: Option<u64>,
}

/// Who else used the host during a trial.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Noise {
    /// How long the watch lasted.
    pub elapsed: Span,
    /// Share of the host's core time that the hypervisor gave to others.
    pub steal: Option<f64>,
    /// Share of the host's core time that was busy, but not with this trial.
    pub foreign: Option<f64>,
    /// Core time that other programs and the hypervisor took.
    pub taken: Option<Span>,
    /// What the trial itself used and waited for.
    pub own: Own,
    /// The load average of one minute when it began.
    pub load: Option<f64>,
    /// For how long some runnable thread of the host had to wait for a core (pressure stall information).
    pub pressure: Option<Span>,
    /// By how much a fixed piece of work took longer after the trial than before it; 0 = the same speed.
    pub drift: f64,
}

/// Watches the host from its start to its stop.
#[derive(Clone, Debug)]
pub struct Watch {
    began: std::time::Instant,
    cores: Option<Ticks>,
    load: Option<f64>,
    pressure: Option<u64>,
    probe: Duration,
}

/// Of the ticks of `/proc/stat`: `USER_HZ` is 100 on every platform of today.
const NS_PER_TICK: f64 = 1e7;

/// Ticks of 10 ms over all cores, from `/proc/stat`.
#[derive(Clone, Copy, Debug)]
struct Ticks {
    busy: u64,
    steal: u64,
    all: u64,
}

impl Watch {
    /// Starts watching. Takes about 5 ms, for the probe.
    pub fn start() -> Watch {
        let probe = spin_probe();
        Watch { began: now(), cores: ticks(), load: load(), pressure: pressure(), probe }
    }

    /// Stops watching; `own` is what the trial itself has used.
    pub fn stop(self, own: Own) -> Noise {
        let elapsed = now() - self.began;
        let ticks = ticks().zip(self.cores).map(|(after, before)| {
            let all = (after.all - before.all).max(1) as f64;
            let used = own.used.ns() as f64 / NS_PER_TICK;
            let foreign = ((after.busy - before.busy) as f64 - used).max(0.0);
            (all, foreign, (after.steal - before.steal) as f64)
        });
        let shares = ticks.map(|(all, foreign, steal)| (steal / all, foreign / all));
        Noise {
            elapsed: Span::from_ns(elapsed.as_nanos() as u64),
            steal: shares.map(|(steal, _)| steal),
            foreign: shares.map(|(_, foreign)| foreign),
            taken: ticks.map(|(_, foreign, steal)| Span::from_ns(((foreign + steal) * NS_PER_TICK) as u64)),
            own,
            load: self.load,
            pressure: pressure().zip(self.pressure).map(|(after, before)| Span::from_us(after - before)),
            drift: spin_probe().as_secs_f64() / self.probe.as_secs_f64() - 1.0,
        }
    }
}

/// user nice system idle iowait irq softirq steal …
fn ticks() -> Option<Ticks> {
    let stat = text("/proc/stat")?;
    let fields = stat.lines().next()?.split_whitespace().skip(1).map(|field| field.parse().unwrap_or(0));
    let fields: Vec<u64> = fields.take(8).collect();
    let [user, nice, system, idle, waiting, irq, softirq, steal] = fields[..] else { return None };
    let busy = user + nice + system + irq + softirq;
    Some(Ticks { busy, steal, all: busy + idle + waiting + steal })
}

fn load() -> Option<f64> {
    text("/proc/loadavg")?.split(' ').next()?.parse().ok()
}

/// The total of `some`, in microseconds.
fn pressure() -> Option<u64> {
    let text = text("/proc/pressure/cpu")?;
    text.lines().next()?.rsplit_once("total=")?.1.parse().ok()
}

/// How long a fixed piece of work takes: the best of many short tries, so that only a lasting change of speed shows.
fn spin_probe() -> Duration {
    let once = || {
        let began = now();
        let mut word = 1u64;
        for _ in 0..100_000 {
            word = black_box(word.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1));
        }
        now() - began
    };
    (0..25).map(|_| once()).min().unwrap_or_default().max(Duration::from_nanos(1))
}

/// The wall clock.
#[expect(clippy::disallowed_methods, reason = "the wall clock lives only in backend")]
pub(crate) fn now() -> std::time::Instant {
    std::time::Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotas_are_rounded_down() {
        assert_eq!(whole_cores("250000 100000"), Some(2));
        assert_eq!(whole_cores("max 100000"), None);
        assert_eq!(whole_cores("50000 100000"), Some(0));
    }

    #[test]
    fn a_watch_sees_time_pass() {
        let noise = Watch::start().stop(Own::default());
        assert!(noise.steal.is_none_or(|share| (0.0..=1.0).contains(&share)));
        assert!(noise.drift > -1.0);
        assert!(Facts::read().usable_cores >= 1);
    }
}
