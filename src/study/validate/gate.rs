//! Which trials count: those during which nobody else disturbed the host. What came out of a trial plays no part.

use crate::backend::host::Noise;

/// How much noise a trial may have seen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gate {
    /// Share of the host's core time that was busy with other things.
    pub foreign: f64,
    /// Share of the host's core time that the hypervisor gave to others.
    pub steal: f64,
    /// How long the trial's own threads waited for cores, as a share of the core time that they used. It counts where others
    /// took at least as much core time: then they explain the wait. A model that has more threads than cores waits for
    /// itself.
    pub queued: f64,
    /// How much slower or faster a fixed piece of work was after the trial than before it.
    pub drift: f64,
}

impl Default for Gate {
    fn default() -> Self {
        Gate { foreign: 0.05, steal: 0.01, queued: 0.02, drift: 0.05 }
    }
}

impl Gate {
    /// Every trial counts; for tests of what else the rule says.
    pub const OPEN: Gate =
        Gate { foreign: f64::INFINITY, steal: f64::INFINITY, queued: f64::INFINITY, drift: f64::INFINITY };

    /// Why a trial does not count.
    pub fn rejects(&self, noise: &Noise) -> Option<&'static str> {
        let above = |share: Option<f64>, most: f64| share.is_some_and(|share| share > most);
        if above(noise.foreign, self.foreign) {
            Some("other programs used the cores")
        } else if above(noise.steal, self.steal) {
            Some("the hypervisor gave the cores to others")
        } else if self.is_kept_waiting(noise) {
            Some("its threads waited for cores that others used")
        } else if noise.drift.abs() > self.drift {
            Some("the cores changed their speed")
        } else {
            None
        }
    }

    fn is_kept_waiting(&self, noise: &Noise) -> bool {
        let (Some(queued), Some(taken)) = (noise.own.queued, noise.taken) else { return false };
        queued.ns() as f64 > self.queued * noise.own.used.ns() as f64 && taken >= queued
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::host::Own;
    use crate::time::Span;

    fn waiting(queued: u64, taken: u64) -> Noise {
        let own = Own { used: Span::from_ms(1000), queued: Some(Span::from_ms(queued)), involuntary: None };
        Noise { taken: Some(Span::from_ms(taken)), own, ..Noise::default() }
    }

    /// Twelve processes on two cores wait for each other most of the time; a wait below 2 % is not looked at.
    #[test]
    fn threads_that_wait_for_each_other_are_not_disturbed() {
        assert_eq!(Gate::default().rejects(&waiting(5_000, 60)), None);
        assert_eq!(Gate::default().rejects(&waiting(15, 60)), None);
    }

    #[test]
    fn only_noise_rejects() {
        let quiet = Noise { foreign: Some(0.01), steal: Some(0.0), drift: 0.01, ..Noise::default() };
        assert_eq!(Gate::default().rejects(&quiet), None);
        let noisy = [
            Noise { foreign: Some(0.3), ..quiet.clone() },
            Noise { steal: Some(0.05), ..quiet.clone() },
            Noise { drift: -0.2, ..quiet.clone() },
            // 50 of 1,000 ms in the queue, while others had a core for 60 ms.
            waiting(50, 60),
        ];
        for noise in noisy {
            assert!(Gate::default().rejects(&noise).is_some() && Gate::OPEN.rejects(&noise).is_none());
        }
    }
}
