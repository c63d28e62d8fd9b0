//! Which trials count: those during which nobody else disturbed the host. What came out of a trial plays no part.

use crate::backend::host::Noise;

/// How much noise a trial may have seen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gate {
    /// Share of the host's core time that was busy with other things.
    pub foreign: f64,
    /// Share of the host's core time that the hypervisor gave to others.
    pub steal: f64,
    /// How much slower or faster a fixed piece of work was after the trial than before it.
    pub drift: f64,
}

impl Default for Gate {
    fn default() -> Self {
        Gate { foreign: 0.05, steal: 0.01, drift: 0.05 }
    }
}

impl Gate {
    /// Every trial counts; for tests of what else the rule says.
    pub const OPEN: Gate = Gate { foreign: f64::INFINITY, steal: f64::INFINITY, drift: f64::INFINITY };

    /// Why a trial does not count.
    pub fn rejects(&self, noise: &Noise) -> Option<&'static str> {
        let above = |share: Option<f64>, most: f64| share.is_some_and(|share| share > most);
        if above(noise.foreign, self.foreign) {
            Some("other programs used the cores")
        } else if above(noise.steal, self.steal) {
            Some("the hypervisor gave the cores to others")
        } else if noise.drift.abs() > self.drift {
            Some("the cores changed their speed")
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_noise_rejects() {
        let quiet = Noise { foreign: Some(0.01), steal: Some(0.0), drift: 0.01, ..Noise::default() };
        assert_eq!(Gate::default().rejects(&quiet), None);
        let noisy = [
            Noise { foreign: Some(0.3), ..quiet.clone() },
            Noise { steal: Some(0.05), ..quiet.clone() },
            Noise { drift: -0.2, ..quiet.clone() },
        ];
        for noise in noisy {
            assert!(Gate::default().rejects(&noise).is_some() && Gate::OPEN.rejects(&noise).is_none());
        }
    }
}
