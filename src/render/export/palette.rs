//! The looks of states on paper: colours that colour-blind readers tell apart (Okabe and Ito's), and for each state a
//! pattern, so that a grey print says the same.

use crate::trace::State;

/// How a stretch of time is filled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Look {
    /// The colour below.
    pub fill: &'static str,
    /// What is drawn over it in each cell of 6 by 6, as SVG; may be nothing.
    pub pattern: &'static str,
    /// The colour of the border, if it has one.
    pub border: Option<&'static str>,
    /// The colour of text on it.
    pub text: &'static str,
}

const BLUE: &str = "#0072B2";
const SKY: &str = "#56B4E9";
const VERMILLION: &str = "#D55E00";
const ORANGE: &str = "#E69F00";
const YELLOW: &str = "#F0E442";
const GREEN: &str = "#009E73";
const PURPLE: &str = "#CC79A7";
const GREY: &str = "#999999";
const BLACK: &str = "#000000";
const WHITE: &str = "#FFFFFF";

const RISING: &str = r##"<path d="M-1 1L1 -1M0 6L6 0M5 7L7 5" stroke="#000" stroke-width=".8"/>"##;
const FALLING: &str = r##"<path d="M-1 5L1 7M0 0L6 6M5 -1L7 1" stroke="#000" stroke-width="1.4"/>"##;
const WHITE_RISING: &str = r##"<path d="M-1 1L1 -1M0 6L6 0M5 7L7 5" stroke="#fff" stroke-width="1.4"/>"##;
const CROSSED: &str = r##"<path d="M0 0L6 6M0 6L6 0" stroke="#000" stroke-width=".7"/>"##;
const GREY_CROSSED: &str = r##"<path d="M0 0L6 6M0 6L6 0" stroke="#999" stroke-width=".7"/>"##;
const GRID: &str = r##"<path d="M0 3H6M3 0V6" stroke="#000" stroke-width=".7"/>"##;
const LEVEL: &str = r##"<path d="M0 1.5H6M0 4.5H6" stroke="#000" stroke-width=".7"/>"##;
const WHITE_LEVEL: &str = r##"<path d="M0 3H6" stroke="#fff" stroke-width="2"/>"##;
const UPRIGHT: &str = r##"<path d="M1.5 0V6M4.5 0V6" stroke="#000" stroke-width=".7"/>"##;
const WHITE_BARS: &str = r##"<path d="M1.5 0V6" stroke="#fff" stroke-width="1.2"/>"##;
const DOTS: &str = r##"<circle cx="3" cy="3" r="1"/>"##;
const WHITE_DOTS: &str = r##"<circle cx="3" cy="3" r="1.4" fill="#fff"/>"##;
const DOTS_AND_BAR: &str = r##"<circle cx="3" cy="4" r="1"/><path d="M0 1H6" stroke="#D55E00" stroke-width="1.6"/>"##;
const WAVES: &str = r##"<path d="M0 3Q1.5 .5 3 3T6 3" fill="none" stroke="#009E73"/>"##;

/// The look of a state.
pub(super) fn look(state: State) -> Look {
    let (fill, pattern) = match state {
        State::Python => (BLUE, ""),
        State::Native => (SKY, LEVEL),
        State::NativeGil => (VERMILLION, WHITE_BARS),
        State::WantsGil => (ORANGE, RISING),
        State::Forced => (ORANGE, FALLING),
        State::Runnable => (YELLOW, DOTS),
        State::RunnableGil => (YELLOW, DOTS_AND_BAR),
        State::Io => (WHITE, WAVES),
        State::Sleep => (WHITE, ""),
        State::Lock => (PURPLE, CROSSED),
        State::Queue => (PURPLE, GRID),
        State::Event => (PURPLE, WHITE_DOTS),
        State::Condition => (PURPLE, WHITE_RISING),
        State::Barrier => (PURPLE, UPRIGHT),
        State::Join => (PURPLE, WHITE_LEVEL),
        State::StartUp => (GREY, UPRIGHT),
        State::Overhead => (GREY, DOTS),
        State::Suspended => (WHITE, GREY_CROSSED),
        State::Done => (WHITE, ""),
    };
    let border = match state {
        State::Runnable | State::RunnableGil => Some(BLACK),
        State::Io => Some(GREEN),
        State::Sleep | State::Suspended => Some(GREY),
        _ => None,
    };
    let text = if matches!(state, State::Python | State::NativeGil) { WHITE } else { BLACK };
    Look { fill, pattern, border, text }
}

/// Looks are states by number; behind them those of a GIL that is held.
pub(super) const HELD_LOOK: u8 = State::ALL.len() as u8;

/// A GIL that is held: two greys in turn, so that one holder ends where the next begins.
pub(super) const HELD: [Look; 2] = [
    Look { fill: "#BBBBBB", pattern: "", border: None, text: BLACK },
    Look { fill: "#DDDDDD", pattern: "", border: None, text: BLACK },
];

#[cfg(test)]
mod tests {
    use super::*;

    /// A grey print, and a reader who does not see colours, must tell any two states apart.
    #[test]
    fn no_two_states_look_the_same_without_colour() {
        // How light the fills are, in rough steps.
        let shade = |fill: &str| match fill {
            BLUE => 1,
            VERMILLION | GREY => 2,
            SKY | ORANGE | PURPLE => 3,
            YELLOW => 4,
            _ => 5,
        };
        let states: Vec<State> = State::ALL.iter().copied().filter(|state| *state != State::Done).collect();
        for (i, a) in states.iter().enumerate() {
            for b in &states[i + 1..] {
                let (a_look, b_look) = (look(*a), look(*b));
                let differ = a_look.pattern != b_look.pattern || shade(a_look.fill) != shade(b_look.fill);
                assert!(differ, "{} and {} look the same in grey", a.word(), b.word());
            }
        }
    }
}
