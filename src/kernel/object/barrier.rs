//! `threading.Barrier`: nobody goes on before everybody has come.
//!
//! The last one to come opens it; then it drains, and who comes again meanwhile waits until the last one has left.

use super::{Answer, Line};
use crate::trace::ObjectAct;

/// Who is inside.
#[derive(Clone, Debug)]
pub(crate) struct Barrier {
    parties: u64,
    inside: u64,
    draining: bool,
}

impl Barrier {
    pub fn new(parties: u64) -> Barrier {
        Barrier { parties, inside: 0, draining: false }
    }

    /// One step of `Barrier.wait`: `inside` says whether the visitor has been counted.
    pub fn answer(&mut self, inside: &mut bool) -> Answer {
        match (*inside, self.draining) {
            // Too early for the next round.
            (false, true) => Answer::wait(Line::First),
            (false, false) => self.come(inside),
            // Woken by somebody who left the round before, or by nobody in particular.
            (true, false) => Answer::wait(Line::First),
            (true, true) => self.leave(),
        }
    }

    fn come(&mut self, inside: &mut bool) -> Answer {
        self.inside += 1;
        if self.inside < self.parties {
            *inside = true;
            return Answer { line: Some(Line::First), ..Answer::done(ObjectAct::Arrive, self.inside) };
        }
        self.draining = true;
        Answer { act: Some((ObjectAct::Open, self.inside as i64 - 1)), ..self.leave() }
    }

    fn leave(&mut self) -> Answer {
        let opened = self.inside == self.parties;
        self.inside -= 1;
        if self.inside == 0 {
            self.draining = false;
        }
        let answer = Answer::done(ObjectAct::Leave, self.inside);
        if opened || self.inside == 0 { answer.notify(Line::First, usize::MAX) } else { answer }
    }
}
