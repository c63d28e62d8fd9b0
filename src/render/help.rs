//! The pages `help states` and `help metrics`: generated from the words themselves, so they cannot drift.

use std::fmt::{self, Write};

use crate::model::expect::{MetricName, Scope, Unit};
use crate::render::glyph::{colour, glyph, partly};
use crate::render::layout::{Line, Page, fit, wrap};
use crate::render::report::Style;
use crate::trace::{State, Why};

/// Every state with its glyph and meaning, and every reason for entering one.
pub fn states_help(out: &mut impl Write, style: Style) -> fmt::Result {
    let mut page = Page::new(out, style);
    page.prose("", "States of a thread, with their glyphs in pictures:")?;
    page.blank()?;
    for state in State::ALL {
        let mut head = Line::of("  ");
        head.coloured(colour(*state), glyph(*state, style.ascii).to_string());
        head.plain(format!("  {}", fit(state.word(), 14, "")));
        entry(&mut page, head, state.meaning())?;
    }
    let partly = Line::of(format!("  {}  {}", partly(style.ascii), fit("", 14, "")));
    entry(&mut page, partly, "ran for less than half of this column")?;
    page.blank()?;
    page.prose("", "The kernel sees a thread that wants the GIL as asleep; Python sees it as ready to run.")?;
    page.blank()?;
    page.prose("", "Reasons for which a thread enters a state (`why` in timelines):")?;
    page.blank()?;
    for why in Why::ALL {
        entry(&mut page, Line::of(format!("  {}", fit(why.word(), 17, ""))), why.meaning())?;
    }
    Ok(())
}

/// The scheduling policies: whom each runs next and when it takes a core away.
pub fn policies_help(out: &mut impl Write, style: Style) -> fmt::Result {
    let mut page = Page::new(out, style);
    page.prose("", "Scheduling policies, as machine.scheduler names them, with the defaults of their parameters:")?;
    for policy in crate::policy::ALL {
        page.blank()?;
        page.text(format!("{}  ({})", policy.word, policy.parameters))?;
        page.prose("  runs next  ", policy.rule)?;
        page.prose("  preempts   ", policy.preempts)?;
    }
    page.blank()?;
    page.prose(
        "",
        "How to write your own, with one that works: the documentation of gilsim::policy (src/policy/mod.rs).",
    )
}

/// Every metric with its definition.
pub fn metrics_help(out: &mut impl Write, style: Style) -> fmt::Result {
    let mut page = Page::new(out, style);
    page.prose("", "Metrics that expectations may name. Durations unless it says number; all comparisons are exact.")?;
    page.blank()?;
    for name in MetricName::ALL {
        let whom = format!("{}{}", name.word(), whom(name.scope()));
        let number = if name.unit() == Unit::Number { "number: " } else { "" };
        entry(&mut page, Line::of(format!("  {}", fit(&whom, 26, ""))), &format!("{number}{}", name.definition()))?;
    }
    page.blank()?;
    page.prose(
        "",
        "T: a thread, process/thread, a group, a process, prefix* or *. [T]: may be left out for the whole run.",
    )
}

fn whom(scope: Scope) -> &'static str {
    match scope {
        Scope::Run => "",
        Scope::Threads => "(T)",
        Scope::RunOrThreads => "[(T)]",
        Scope::Processes => "(process)",
        Scope::Lock => "(lock)",
        Scope::Queue => "(queue)",
        Scope::Variable => "(variable)",
        Scope::Kind => "(thread|process|gil|span)",
        Scope::Span => "(span)",
    }
}

/// A head and its text, which goes on below itself.
fn entry<W: Write>(page: &mut Page<'_, W>, head: Line, text: &str) -> fmt::Result {
    let indent = head.columns() + 1;
    let room = page.width().saturating_sub(indent).max(8);
    for (number, part) in wrap(text, room).into_iter().enumerate() {
        let mut line = if number == 0 { head.clone() } else { Line::of(" ".repeat(indent - 1)) };
        line.plain(format!(" {part}"));
        page.line(&line)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::layout::columns;

    fn page(of: impl Fn(&mut String, Style) -> fmt::Result, width: usize) -> String {
        let mut out = String::new();
        of(&mut out, Style { width, ..Style::default() }).unwrap();
        assert!(out.lines().all(|line| columns(line) <= width.max(40)), "{out}");
        out
    }

    #[test]
    fn every_word_is_on_its_page() {
        for width in [40, 80, 200] {
            let states = page(states_help, width);
            let metrics = page(metrics_help, width);
            let has = |page: &str, word: &str| {
                page.split_whitespace().any(|each| each.split(['(', '[']).next() == Some(word))
            };
            assert!(State::ALL.iter().all(|state| has(&states, state.word())));
            assert!(Why::ALL.iter().all(|why| has(&states, why.word())));
            assert!(MetricName::ALL.iter().all(|name| has(&metrics, name.word())));
        }
    }
}
