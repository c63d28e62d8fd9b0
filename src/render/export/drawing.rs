//! The document that an SVG drawing is: geometry, lanes, axis, legend.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::Write;

use crate::ids::ThreadId;
use crate::render::layout::{columns, crop};
use crate::trace::State;

use super::axis::{Unit, step};
use super::palette::{HELD, HELD_LOOK, Look, look};
use super::sink::{Put, Sink};
use super::text::xml;

/// Something to draw.
pub(super) struct Drawing<'a> {
    pub title: &'a str,
    pub notes: Vec<String>,
    pub rows: Vec<Row>,
    /// The time at the right edge.
    pub total: u64,
    pub unit: Unit,
}

/// A line of the drawing.
pub(super) enum Row {
    /// What the lanes below are.
    Heading(String),
    /// One core, GIL or thread.
    Lane {
        /// At the left.
        label: String,
        /// In full, for those who point at it or do not see it.
        name: String,
        bars: Vec<Bar>,
        /// Whether bars that are wide enough are named.
        named: bool,
    },
}

/// A stretch of a lane.
pub(super) struct Bar {
    pub start: u64,
    pub end: u64,
    pub look: Option<u8>,
    /// A strip at the foot.
    pub also: Option<u8>,
    pub thread: Option<ThreadId>,
}

// All lengths are pixels at 96 to the inch, but for those that say otherwise.
const WIDTH: u64 = 1000;
const MARGIN: u64 = 16;
const TITLE: u64 = 24;
const NOTE: u64 = 15;
const HEADING: u64 = 20;
const PITCH: u64 = 18;
const BAR: u64 = 14;
const STRIP: u64 = 5;
const LEGEND: u64 = 20;
/// The width of a character of the small font.
const SMALL: u64 = 6;
/// Longer names are cut.
const LONGEST_LABEL: u64 = 24;
/// So many ticks at most.
const TICKS: u64 = 8;

impl Drawing<'_> {
    /// Writes the document.
    pub fn write<W: Write>(&self, label: &dyn Fn(ThreadId) -> String, out: &mut Sink<W>) {
        let place = Place::of(self);
        let used = self.used();
        self.head(&place, &used, out.buffer());
        self.grid(&place, out.buffer());
        let mut y = place.top;
        for row in &self.rows {
            match row {
                Row::Heading(text) => {
                    let text = xml(text);
                    let baseline = y + HEADING - 6;
                    put(
                        out.buffer(),
                        format_args!("<text x=\"{MARGIN}\" y=\"{baseline}\" font-weight=\"bold\">{text}</text>\n"),
                    );
                    y += HEADING;
                }
                Row::Lane { label: short, name, bars, named } => {
                    lane_head(short, name, y, &place, out.buffer());
                    self.bars(bars, &place, out.buffer());
                    if *named {
                        self.names(bars, label, &place, out.buffer());
                    }
                    out.buffer().text("</g>\n");
                    y += PITCH;
                }
            }
            out.settle();
        }
        legend(&used, &place, out.buffer());
        out.buffer().text("</svg>\n");
    }

    /// All looks that occur, and whether a strip does.
    fn used(&self) -> Used {
        let bars = self.rows.iter().filter_map(|row| match row {
            Row::Lane { bars, .. } => Some(bars),
            Row::Heading(_) => None,
        });
        let mut used = Used::default();
        for bar in bars.flatten() {
            used.looks.extend(bar.look);
            used.looks.extend(bar.also);
            used.strips |= bar.also.is_some();
        }
        used
    }

    fn head(&self, place: &Place, used: &Used, out: &mut Vec<u8>) {
        let height = place.bottom + LEGEND + used.rows() * LEGEND + MARGIN;
        let title = xml(self.title);
        put(
            out,
            format_args!(
                "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" viewBox=\"0 0 {WIDTH} \
                 {height}\" role=\"img\" aria-labelledby=\"gilsim-title gilsim-desc\" font-family=\"monospace\" \
                 font-size=\"10\">\n<title id=\"gilsim-title\">{title}</title>\n<desc id=\"gilsim-desc\">{}</desc>\n",
                xml(&self.describe(used))
            ),
        );
        out.text("<defs>\n");
        used.looks.iter().for_each(|number| pattern(*number, out));
        put(out, format_args!("</defs>\n<rect width=\"{WIDTH}\" height=\"{height}\" fill=\"#fff\"/>\n"));
        let shown = xml(&crop(self.title, (WIDTH - 2 * MARGIN) as usize / 9, "…"));
        put(out, format_args!("<text x=\"{MARGIN}\" y=\"{}\" font-size=\"15\">{shown}</text>\n", MARGIN + 10));
        for (line, note) in self.notes.iter().enumerate() {
            let y = MARGIN + TITLE + line as u64 * NOTE;
            put(out, format_args!("<text x=\"{MARGIN}\" y=\"{y}\" fill=\"#444\">{}</text>\n", xml(note)));
        }
    }

    /// The drawing in words, for those who do not see it.
    fn describe(&self, used: &Used) -> String {
        let lanes: Vec<&str> = self.rows.iter().filter_map(Row::name).collect();
        let mut text = format!("A timeline. {} Lanes: {}.", self.notes.join(" "), lanes.join(", "));
        for state in used.states() {
            let _ = write!(text, " {}: {}.", state.word(), state.meaning());
        }
        text
    }

    fn grid(&self, place: &Place, out: &mut Vec<u8>) {
        let step = step(self.total, TICKS);
        let (top, bottom) = (place.top, place.bottom - 4);
        put(out, format_args!("<path d=\"M{} {bottom}H{}", place.left, place.left + place.width));
        for tick in (0..=self.total).step_by(step as usize) {
            put(out, format_args!("M{} {top}V{}", self.x(tick, place).plus(place.left), bottom + 4));
        }
        out.text("\" fill=\"none\" stroke=\"#ccc\" stroke-width=\".6\"/>\n");
        for tick in (0..=self.total).step_by(step as usize) {
            let (x, text) = (self.x(tick, place).plus(place.left), self.unit.exact(tick));
            let y = bottom + 15;
            put(
                out,
                format_args!("<text x=\"{x}\" y=\"{y}\" text-anchor=\"middle\">{text}{}</text>\n", self.unit.name),
            );
        }
    }

    /// All bars of one look of one lane are one path.
    fn bars(&self, bars: &[Bar], place: &Place, out: &mut Vec<u8>) {
        let looks: BTreeSet<(bool, u8)> =
            bars.iter().flat_map(|bar| [bar.look.map(|l| (false, l)), bar.also.map(|l| (true, l))]).flatten().collect();
        for (strip, number) in looks {
            let height = if strip { STRIP } else { BAR };
            let shape = look_of(number);
            put(out, format_args!("<path fill=\"{}\"", fill(number)));
            if let Some(border) = shape.border {
                put(out, format_args!(" stroke=\"{border}\" stroke-width=\".6\""));
            }
            out.text(" d=\"");
            let chosen = bars.iter().filter(|bar| if strip { bar.also } else { bar.look } == Some(number));
            for bar in chosen {
                let (from, to) = (self.x(bar.start, place), self.x(bar.end, place));
                put(out, format_args!("M{from} {}H{to}V{BAR}H{from}Z", BAR - height));
            }
            out.text("\"/>\n");
        }
    }

    /// Names stand in the bars that are wide enough for them.
    fn names(&self, bars: &[Bar], label: &dyn Fn(ThreadId) -> String, place: &Place, out: &mut Vec<u8>) {
        let works = |bar: &&Bar| bar.look.is_some_and(is_work);
        for bar in bars.iter().filter(works) {
            let Some(thread) = bar.thread else { continue };
            let (from, to) = (self.x(bar.start, place), self.x(bar.end, place));
            let room = (to.0 - from.0) / Hundredths::ONE / SMALL;
            let name = label(thread);
            if width_of(&name) > room {
                continue;
            }
            let (middle, shape) = (Hundredths((from.0 + to.0) / 2), look_of(bar.look.unwrap_or_default()));
            let halo = if shape.pattern.is_empty() {
                ""
            } else {
                " stroke=\"#fff\" stroke-width=\"2\" paint-order=\"stroke\""
            };
            let (color, name) = (if halo.is_empty() { shape.text } else { "#000" }, xml(&name));
            put(
                out,
                format_args!(
                    "<text x=\"{middle}\" y=\"10.5\" text-anchor=\"middle\" fill=\"{color}\"{halo}>{name}</text>\n"
                ),
            );
        }
    }

    fn x(&self, at: u64, place: &Place) -> Hundredths {
        let hundredths = u128::from(at) * u128::from(place.width * Hundredths::ONE) / u128::from(self.total);
        Hundredths(hundredths as u64)
    }
}

impl Row {
    fn name(&self) -> Option<&str> {
        match self {
            Row::Heading(_) => None,
            Row::Lane { name, .. } => Some(name),
        }
    }
}

/// Where things stand.
struct Place {
    /// The left edge of the time axis, and its length.
    left: u64,
    width: u64,
    /// The upper edge of the first row, and the lower edge of the last one.
    top: u64,
    bottom: u64,
}

impl Place {
    fn of(drawing: &Drawing) -> Place {
        let labels = drawing.rows.iter().map(|row| match row {
            Row::Heading(_) => 0,
            Row::Lane { label, .. } => width_of(label).min(LONGEST_LABEL),
        });
        let left = MARGIN + labels.max().unwrap_or_default() * SMALL + 10;
        let top = MARGIN + TITLE + drawing.notes.len() as u64 * NOTE;
        let heights = drawing.rows.iter().map(|row| if row.name().is_some() { PITCH } else { HEADING });
        Place { left, width: WIDTH - left - 2 * MARGIN, top, bottom: top + heights.sum::<u64>() + 6 }
    }
}

/// What occurs in a drawing.
#[derive(Default)]
struct Used {
    looks: BTreeSet<u8>,
    strips: bool,
}

impl Used {
    fn states(&self) -> impl Iterator<Item = State> {
        self.looks.iter().filter_map(|number| State::ALL.get(*number as usize).copied())
    }

    /// The legend: a look, what it is called, what it means.
    fn legend(&self) -> Vec<(u8, bool, &'static str, &'static str)> {
        let mut items: Vec<_> =
            self.states().map(|state| (state as u8, false, state.word(), state.meaning())).collect();
        if self.looks.iter().any(|number| *number >= HELD_LOOK) {
            items.push((HELD_LOOK, false, "GIL held", "some thread holds the GIL"));
        }
        if self.strips {
            items.push((
                State::Python as u8,
                true,
                "+ ran for less than half of the column",
                "ran, but not most of the time",
            ));
        }
        items
    }

    fn rows(&self) -> u64 {
        arrange(&self.legend()).last().map_or(0, |(_, row)| row + 1)
    }
}

/// The places of legend entries: x and row.
fn arrange(items: &[(u8, bool, &str, &str)]) -> Vec<(u64, u64)> {
    let mut places = Vec::new();
    let (mut x, mut row) = (MARGIN, 0);
    for (_, _, name, _) in items {
        let width = 30 + width_of(name) * SMALL + 14;
        if x + width > WIDTH - MARGIN && x > MARGIN {
            (x, row) = (MARGIN, row + 1);
        }
        places.push((x, row));
        x += width;
    }
    places
}

fn legend(used: &Used, place: &Place, out: &mut Vec<u8>) {
    let items = used.legend();
    for ((number, strip, name, meaning), (x, row)) in items.iter().zip(arrange(&items)) {
        let y = place.bottom + LEGEND + row * LEGEND;
        put(out, format_args!("<g transform=\"translate({x},{y})\"><title>{}</title>", xml(meaning)));
        let (top, height) = if *strip { (BAR - STRIP, STRIP) } else { (0, BAR) };
        let border = look_of(*number).border.unwrap_or("#666");
        put(out, format_args!("<rect y=\"{top}\" width=\"24\" height=\"{height}\" fill=\"{}\"", fill(*number)));
        put(
            out,
            format_args!(
                " stroke=\"{border}\" stroke-width=\".6\"/><text x=\"30\" y=\"11\">{}</text></g>\n",
                xml(name)
            ),
        );
    }
}

fn lane_head(label: &str, name: &str, y: u64, place: &Place, out: &mut Vec<u8>) {
    let (name, label) = (xml(name), xml(&crop(label, LONGEST_LABEL as usize, "…")));
    put(out, format_args!("<g transform=\"translate({},{y})\"><title>{name}</title>", place.left));
    put(out, format_args!("<text x=\"-8\" y=\"10.5\" text-anchor=\"end\">{label}</text>\n"));
}

/// The definition of a pattern, for looks that have one.
fn pattern(number: u8, out: &mut Vec<u8>) {
    let Look { fill, pattern, .. } = look_of(number);
    if let Some(state) = State::ALL.get(number as usize).filter(|_| !pattern.is_empty()) {
        let word = state.word();
        put(
            out,
            format_args!("<pattern id=\"gilsim-{word}\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\">"),
        );
        put(out, format_args!("<rect width=\"6\" height=\"6\" fill=\"{fill}\"/>{pattern}</pattern>\n"));
    }
}

fn look_of(number: u8) -> Look {
    let held = HELD[number.saturating_sub(HELD_LOOK) as usize % HELD.len()];
    State::ALL.get(number as usize).map_or(held, |state| look(*state))
}

fn fill(number: u8) -> String {
    let Look { fill, pattern, .. } = look_of(number);
    match State::ALL.get(number as usize).filter(|_| !pattern.is_empty()) {
        Some(state) => format!("url(#gilsim-{})", state.word()),
        None => fill.to_string(),
    }
}

fn is_work(number: u8) -> bool {
    State::ALL.get(number as usize).is_none_or(|state| state.is_running())
}

/// A length in hundredths of a pixel, written in pixels.
#[derive(Clone, Copy)]
struct Hundredths(u64);

impl Hundredths {
    const ONE: u64 = 100;

    fn plus(self, pixels: u64) -> Hundredths {
        Hundredths(self.0 + pixels * Hundredths::ONE)
    }
}

impl std::fmt::Display for Hundredths {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (whole, rest) = (self.0 / Hundredths::ONE, self.0 % Hundredths::ONE);
        match (rest, rest % 10) {
            (0, _) => write!(f, "{whole}"),
            (_, 0) => write!(f, "{whole}.{}", rest / 10),
            _ => write!(f, "{whole}.{rest:02}"),
        }
    }
}

/// How wide a name is, in characters of a font whose characters are all of one width.
fn width_of(text: &str) -> u64 {
    columns(text) as u64
}

fn put(out: &mut Vec<u8>, text: std::fmt::Arguments) {
    out.write_fmt(text).expect("a vector takes everything");
}
