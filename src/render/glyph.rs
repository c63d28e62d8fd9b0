//! One glyph, one colour and a few words for every state: the same in every picture.
//!
//! The colours are Okabe and Ito's, which people with any colour vision can tell apart; they only double the glyphs.

use anstyle::{Color, RgbColor, Style};

use crate::trace::State;

/// Glyph in ASCII and in UTF-8, colour, and what a legend says.
struct Look {
    ascii: char,
    utf8: char,
    rgb: Option<u32>,
    legend: &'static str,
}

const fn look(ascii: char, utf8: char, rgb: Option<u32>, legend: &'static str) -> Look {
    Look { ascii, utf8, rgb, legend }
}

const BLUE: Option<u32> = Some(0x0072B2);
const SKY: Option<u32> = Some(0x56B4E9);
const VERMILLION: Option<u32> = Some(0xD55E00);
const ORANGE: Option<u32> = Some(0xE69F00);
const YELLOW: Option<u32> = Some(0xF0E442);
const GREEN: Option<u32> = Some(0x009E73);
const PURPLE: Option<u32> = Some(0xCC79A7);
const GREY: Option<u32> = Some(0x999999);

fn look_of(state: State) -> Look {
    match state {
        State::StartUp => look('s', 's', GREY, "starts up"),
        State::Python => look('#', '█', BLUE, "runs Python"),
        State::Native => look('=', '▓', SKY, "runs native code"),
        State::NativeGil => look('%', '▚', VERMILLION, "native, keeps the GIL"),
        State::WantsGil => look('.', '░', ORANGE, "waits for the GIL"),
        State::Forced => look(',', '┄', ORANGE, "was made to let go"),
        State::Runnable => look(':', '▒', YELLOW, "waits for a core"),
        State::RunnableGil => look(';', '▤', YELLOW, "waits for a core, keeps the GIL"),
        State::Io => look('~', '~', GREEN, "I/O"),
        State::Sleep => look('z', 'z', None, "sleeps"),
        State::Lock => look('L', 'L', PURPLE, "waits for a lock"),
        State::Queue => look('q', 'q', PURPLE, "waits for a queue"),
        State::Event => look('e', 'e', PURPLE, "waits for an event or a start"),
        State::Condition => look('c', 'c', PURPLE, "waits for a condition"),
        State::Barrier => look('b', 'b', PURPLE, "waits at a barrier"),
        State::Join => look('j', 'j', PURPLE, "waits for an end"),
        State::Overhead => look('o', 'o', GREY, "overhead"),
        State::Suspended => look('x', 'x', GREY, "stopped"),
        State::Done => look(' ', ' ', None, "has ended"),
    }
}

/// The glyph of a state.
pub fn glyph(state: State, ascii: bool) -> char {
    let look = look_of(state);
    if ascii { look.ascii } else { look.utf8 }
}

/// The glyph of a thread that ran for less than half of a column. Without it short runs would never be seen.
pub fn partly(ascii: bool) -> char {
    if ascii { '+' } else { '▌' }
}

/// The colour of a state.
pub fn colour(state: State) -> Style {
    let colour = |rgb: u32| Color::Rgb(RgbColor((rgb >> 16) as u8, (rgb >> 8) as u8, rgb as u8));
    Style::new().fg_color(look_of(state).rgb.map(colour))
}

/// The colour of a state as style sheets write it: `#0072B2`.
pub(in crate::render) fn colour_code(state: State) -> Option<String> {
    look_of(state).rgb.map(|rgb| format!("#{rgb:06X}"))
}

/// What a legend says about a state.
pub fn legend(state: State) -> &'static str {
    look_of(state).legend
}

/// The glyph of the thread at this place in rows that show who holds something: `1` … `9`, `a` … `z`, `A` … `Z`, then `*`.
pub fn holder_glyph(place: usize) -> char {
    const GLYPHS: &[u8] = b"123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    GLYPHS.get(place).map_or('*', |glyph| char::from(*glyph))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use unicode_width::UnicodeWidthChar;

    use super::*;

    #[test]
    fn every_state_has_a_glyph_of_its_own_one_column_wide() {
        for ascii in [true, false] {
            let glyphs = State::ALL.iter().map(|state| glyph(*state, ascii)).chain([partly(ascii)]);
            let glyphs: Vec<char> = glyphs.collect();
            assert_eq!(glyphs.iter().collect::<BTreeSet<_>>().len(), State::ALL.len() + 1);
            assert!(glyphs.iter().all(|glyph| glyph.width() == Some(1)), "{glyphs:?}");
            assert!(!ascii || glyphs.iter().all(char::is_ascii));
        }
    }

    #[test]
    fn holders_count_on_in_letters() {
        let glyphs: String = [0, 8, 9, 34, 35, 60, 61, 1_000_000].map(holder_glyph).iter().collect();
        assert_eq!(glyphs, "19azAZ**");
    }
}
