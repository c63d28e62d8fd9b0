//! What `validate` prints: verdicts first, then what they rest on, predicted and measured lanes above each other.

use std::fmt::{self, Write};

use crate::analysis::Lane;
use crate::analysis::comparison::{Comparison, HoldDistance, Observed, Ranking, Row};
use crate::analysis::interval::Interval;
use crate::analysis::measure::Measure;
use crate::analysis::verdict::{Verdict, existing};
use crate::ids::ThreadId;
use crate::ratio::Ratio;
use crate::render::glyph::{colour, glyph, partly};
use crate::render::layout::{Line, Page, columns, escape, fit};
use crate::render::object::{Object, document};
use crate::render::report::Style;
use crate::render::{FORMAT, VERSION};
use crate::time::Span;
use crate::trace::State;

/// Everything that came of one model on one set of workers.
#[derive(Clone, Copy, Debug)]
pub struct ValidationReport<'a> {
    /// The model's name.
    pub model: &'a str,
    /// Its file.
    pub file: &'a str,
    /// Who did the work.
    pub workers: &'a str,
    /// The host: kernel, cores.
    pub host: &'a str,
    /// Where the prediction's costs come from.
    pub costs: &'a str,
    /// Its variants.
    pub parts: &'a [ValidationPart<'a>],
    /// Whether their order was right.
    pub ranking: Option<&'a Ranking>,
    /// Over everything.
    pub verdict: Verdict,
    /// Whether it stopped because somebody said so.
    pub interrupted: bool,
}

/// What came of one variant.
#[derive(Clone, Copy, Debug)]
pub struct ValidationPart<'a> {
    /// Its name; `None` = the model itself.
    pub variant: Option<&'a str>,
    /// How the host differs from the model's machine.
    pub note: Option<&'a str>,
    /// What was compared, or why nothing was.
    pub outcome: Result<ComparedPart<'a>, &'a str>,
}

/// A variant that was run.
#[derive(Clone, Copy, Debug)]
pub struct ComparedPart<'a> {
    /// The table.
    pub comparison: &'a Comparison,
    /// The distance of the holds and the switch interval in nanoseconds.
    pub holds: Option<(HoldDistance, u64)>,
    /// The trial to draw.
    pub typical: Option<&'a Observed>,
    /// Trials that did not count, and why the last of them did not.
    pub rejected: (usize, Option<&'static str>),
    /// Disturbed trials that count all the same.
    pub kept: usize,
    /// At most so many trials.
    pub cap: u64,
    /// Whether too many trials were disturbed.
    pub noisy: bool,
    /// The verdict.
    pub verdict: Verdict,
}

/// Writes the report to read.
pub fn validation_text(out: &mut impl Write, report: &ValidationReport<'_>, style: Style) -> fmt::Result {
    let mut page = Page::new(out, style);
    for part in report.parts {
        if let Some(note) = part.note {
            page.prose("", &escape(note))?;
        }
        let variant = part.variant.map(|variant| format!(" ({variant})")).unwrap_or_default();
        page.prose("", &escape(&format!("{}{variant}: {}", report.model, report.workers)))?;
        page.prose("", &escape(&format!("{}; prediction with {}", report.host, report.costs)))?;
        page.blank()?;
        match &part.outcome {
            Ok(compared) => compared_text(&mut page, compared)?,
            Err(why) => page.prose("", &escape(&format!("not compared: {why}")))?,
        }
        page.blank()?;
    }
    if let Some(ranking) = report.ranking {
        ranking_text(&mut page, ranking)?;
    }
    if report.interrupted {
        page.prose("", "interrupted: this is what the finished trials say")?;
    }
    page.text(format!("verdict: {}", report.verdict.words()))
}

/// Rows of cells; the first one names the columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// What it shows, for those who cannot see where it stands.
    pub caption: &'static str,
    /// The rows.
    pub rows: Vec<Vec<String>>,
}

/// What was compared: with the prediction that is judged, and with those that nobody calibrated.
pub fn validation_tables(part: &ComparedPart<'_>) -> [Table; 2] {
    let rows = &part.comparison.rows;
    let mut judged =
        vec![["metric", "predicted", "measured", "interval", "differs", "verdict"].map(str::to_owned).to_vec()];
    judged.extend(rows.iter().map(|row| cells(row).to_vec()));
    let mut others = vec![["without calibration", "ideal", "differs", "linux", "differs"].map(str::to_owned).to_vec()];
    others.extend(rows.iter().filter(|row| row.uncompared.is_none()).map(|row| uncalibrated(row).to_vec()));
    [
        Table { caption: "Prediction and measurement", rows: judged },
        Table { caption: "Predictions without calibration", rows: others },
    ]
}

/// What a reader must know of the tables, and at the end the verdict.
pub fn validation_notes(part: &ComparedPart<'_>) -> Vec<String> {
    let holds = part.holds.map(|(holds, interval)| hold_line(&holds, interval));
    holds.into_iter().chain(words(part)).collect()
}

fn compared_text<W: Write>(page: &mut Page<'_, W>, part: &ComparedPart<'_>) -> fmt::Result {
    // The verdict is what everybody looks for; the interval and the difference can be had with --width or --format json.
    for table in validation_tables(part) {
        draw(page, &table.rows, &[3, 4])?;
        page.blank()?;
    }
    if let Some((holds, interval)) = part.holds {
        page.prose("", &hold_line(&holds, interval))?;
        page.blank()?;
    }
    if let Some(typical) = part.typical {
        lanes(page, &part.comparison.predictions.calibrated, typical)?;
        page.blank()?;
    }
    for line in words(part) {
        page.prose("", &escape(&line))?;
    }
    Ok(())
}

fn cells(row: &Row) -> [String; 6] {
    let show = |value: Option<Ratio>| row.measure.show(value);
    let seen = row.interval();
    let interval = seen.as_ref().map(|seen| format!("{} .. {}", show(existing(seen.low)), show(existing(seen.high))));
    [
        row.measure.text.clone(),
        show(row.predicted),
        seen.map_or_else(|| "-".to_owned(), |_| show(row.median())),
        interval.unwrap_or_default(),
        difference(row.ratio_to(row.predicted)),
        said(row),
    ]
}

/// The verdict of a row; in brackets where the model does not ask for it.
fn said(row: &Row) -> String {
    let Some(verdict) = row.verdict() else { return "not compared".to_owned() };
    let margin = row.margin.relative.times(Ratio::whole(100)).unwrap_or(Ratio::ZERO);
    let widened = if row.margin.widened { ", widened" } else { "" };
    if row.measure.required {
        format!("{} ({margin}%{widened})", verdict.words())
    } else {
        format!("[{}, {margin}%]", verdict.words().to_lowercase())
    }
}

fn uncalibrated(row: &Row) -> [String; 5] {
    let [ideal, linux] = row.uncalibrated;
    let show = |value: Option<Ratio>| row.measure.show(value);
    let differs = |value: Option<Ratio>| difference(row.ratio_to(value));
    [row.measure.text.clone(), show(ideal), differs(ideal), show(linux), differs(linux)]
}

/// `+1.8%`: by how much the measured value is above the predicted one.
pub(in crate::render) fn difference(ratio: Option<Ratio>) -> String {
    let Some(ratio) = ratio else { return "-".to_owned() };
    let (num, den) = (ratio.num(), ratio.den());
    let (sign, distance) = if num >= den { ('+', num - den) } else { ('-', den - num) };
    let percent = Ratio::new(distance, den).times(Ratio::whole(100)).unwrap_or(Ratio::ZERO);
    format!("{sign}{}%", percent.to_decimals(1))
}

/// Draws a table. Where it is too wide for its page, columns that readers need least are left out first, in the order given.
fn draw<W: Write>(page: &mut Page<'_, W>, table: &[Vec<String>], least: &[usize]) -> fmt::Result {
    let count = table.first().map_or(0, Vec::len);
    let width = |column: usize| table.iter().map(|row| columns(&escape(&row[column]))).max().unwrap_or(0);
    let mut shown: Vec<(usize, usize)> = (0..count).map(|column| (column, width(column))).collect();
    for column in least {
        let whole: usize = shown.iter().map(|(_, width)| width + 2).sum();
        if whole > page.width() + 2 {
            shown.retain(|(each, _)| each != column);
        }
    }
    let left: Vec<Vec<String>> =
        table.iter().map(|row| shown.iter().map(|(column, _)| row[*column].clone()).collect()).collect();
    aligned(&left).into_iter().try_for_each(|line| page.text(line))
}

/// The lines of a table, its columns as wide as their widest cells.
pub(in crate::render) fn aligned(table: &[Vec<String>]) -> Vec<String> {
    let count = table.first().map_or(0, Vec::len);
    let width = |column: usize| table.iter().map(|row| columns(&escape(&row[column]))).max().unwrap_or(0);
    let widths: Vec<usize> = (0..count).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| fit(&escape(cell), *width, "…"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    table.iter().map(line).collect()
}

fn hold_line(holds: &HoldDistance, interval: u64) -> String {
    let near = |value: Ratio| Measure::duration(value);
    let distance = &holds.wasserstein;
    format!(
        "distribution of holds: Wasserstein distance {} ({} .. {}), a quarter of the interval is {}: {}; \
         largest gap of the distribution functions {}",
        near(distance.value),
        near(distance.low),
        near(distance.high),
        Span::from_ns(interval / 4).short(),
        holds.verdict(interval).words().to_lowercase(),
        holds.largest_gap.to_decimals(2)
    )
}

/// What a reader must know about the verdict.
fn words(part: &ComparedPart<'_>) -> Vec<String> {
    let mut lines = Vec::new();
    let (rejected, reason) = part.rejected;
    let trials = part.comparison.trials();
    let disturbed = match (rejected, reason) {
        (0, _) | (_, None) => "none rejected".to_owned(),
        (count, Some(reason)) => format!("{count} more rejected as disturbed ({reason})"),
    };
    lines.push(format!("{trials} trials of at most {}, {disturbed}; one more to warm up", part.cap));
    if let (1.., Some(reason)) = (part.kept, reason) {
        let kept = part.kept;
        lines.push(format!(
            "{kept} of them were disturbed ({reason}) and count all the same: a difference may be the host's"
        ));
    }
    if part.noisy {
        lines.push("the host was too noisy to tell: run it again when nothing else runs".to_owned());
    }
    for row in &part.comparison.rows {
        if let (Some(band), Some(Verdict::KnownDivergence)) = (&row.known, row.verdict()) {
            lines.push(format!("{}: known to differ, {}", row.measure.text, band.because));
        }
        if let Some(why) = row.uncompared.filter(|_| row.measure.required) {
            lines.push(format!("{}: not compared, {why}", row.measure.text));
        }
        if row.interval().is_some_and(|seen| is_noisy(&seen)) && row.measure.required {
            lines.push(format!(
                "{}: the least trial is more than 2 % below the median, which points to noise",
                row.measure.text
            ));
        }
    }
    lines.push(format!("{} on {trials} trials", part.verdict.words()));
    lines
}

fn is_noisy(seen: &Interval<Ratio>) -> bool {
    seen.least.times(Ratio::new(102, 100)).is_some_and(|edge| edge < seen.median)
}

/// Rows before the rest is left out.
const FIRST: usize = 6;

/// Each thread's predicted lane above its measured one, on one scale.
fn lanes<W: Write>(page: &mut Page<'_, W>, predicted: &Observed, measured: &Observed) -> fmt::Result {
    let all = page.style.all;
    let end = predicted.lanes.end.max(measured.lanes.end).ns();
    let own = predicted.lanes.width.max(measured.lanes.width).ns();
    let threads: Vec<ThreadId> = predicted.cast.threads.ids().collect();
    let shown = if all { threads.len() } else { threads.len().min(FIRST) };
    let names = threads.iter().take(shown).map(|thread| columns(&escape(&predicted.cast.label(*thread)))).max();
    let names = names.unwrap_or(0).min(page.width() / 4);
    let room = page.width().saturating_sub(names + 13).max(10) as u64;
    let column = (1..).map(|n| own * n).find(|width| end.div_ceil(*width) <= room).unwrap_or(own);
    for thread in threads.iter().take(shown) {
        let name = escape(&predicted.cast.label(*thread));
        for (name, what, run) in [(name.as_str(), "predicted", predicted), ("", "measured", measured)] {
            let mut line = Line::of(format!("{}  {what:<9}  ", fit(name, names, page.style.ellipsis())));
            let width = run.lanes.width.ns();
            draw_lane(&mut line, &run.lanes.threads[*thread].widened(width, column / width), column, page.style.ascii);
            page.line(&line)?;
        }
    }
    if shown < threads.len() {
        page.text(format!("  ... {} more (--all) ...", threads.len() - shown))?;
    }
    page.text(format!("1 column = {}, measured: the trial with the median makespan", Span::from_ns(column).short()))
}

fn draw_lane(line: &mut Line, lane: &Lane<State>, column: u64, ascii: bool) {
    for cell in lane.cells() {
        let ran: u64 = cell.iter().filter(|(state, _)| state.is_running()).map(|(_, time)| time.ns()).sum();
        let wanted = cell.iter().filter(|(state, _)| state.is_running() == (ran > 0));
        match wanted.max_by_key(|(_, time)| *time) {
            None => line.plain(" "),
            Some((state, _)) if ran > 0 && ran * 2 < column => line.coloured(colour(*state), partly(ascii)),
            Some((state, _)) => line.coloured(colour(*state), glyph(*state, ascii)),
        }
    }
}

fn ranking_text<W: Write>(page: &mut Page<'_, W>, ranking: &Ranking) -> fmt::Result {
    let mut table = vec![["ranking by makespan", "predicted", "measured"].map(str::to_owned).to_vec()];
    for each in &ranking.order {
        let measured = existing(each.measured.median).map_or_else(|| "none".to_owned(), Measure::duration);
        table.push(vec![each.name.clone(), Measure::duration(each.predicted), measured]);
    }
    draw(page, &table, &[])?;
    let (right, wrong, near) = ranking.pairs;
    page.prose("", &format!("pairs: {right} predicted right, {wrong} wrong, {near} too near each other to tell"))?;
    for (first, second) in &ranking.wrong {
        page.prose("", &escape(&format!("wrong: {first} was predicted to be shorter than {second}")))?;
    }
    page.blank()
}

/// Writes the report for programs.
pub fn validation_json(out: &mut impl Write, reports: &[ValidationReport<'_>]) -> fmt::Result {
    document(out, |o| {
        o.number("format", FORMAT)?;
        o.text("gilsim", VERSION)?;
        o.objects("models", reports, |o, report| {
            o.text("file", report.file)?;
            o.text("name", report.model)?;
            o.text("workers", report.workers)?;
            o.text("host", report.host)?;
            o.text("costs", report.costs)?;
            o.text("verdict", report.verdict.words())?;
            o.truth("interrupted", report.interrupted)?;
            o.objects("variants", report.parts, part_json)?;
            report.ranking.map_or(Ok(()), |ranking| o.object("ranking", |o| ranking_json(o, ranking)))
        })
    })
}

fn part_json(o: &mut Object<'_>, part: &ValidationPart<'_>) -> fmt::Result {
    o.optional_text("variant", part.variant)?;
    o.optional_text("note", part.note)?;
    let compared = match part.outcome {
        Err(why) => return o.text("not_compared", why),
        Ok(compared) => compared,
    };
    o.text("verdict", compared.verdict.words())?;
    o.number("trials", compared.comparison.trials() as u64)?;
    o.number("rejected", compared.rejected.0 as u64)?;
    o.number("disturbed_but_counted", compared.kept as u64)?;
    o.truth("too_noisy", compared.noisy)?;
    if let Some((holds, _)) = compared.holds {
        o.text("holds_wasserstein_ns", &holds.wasserstein.value.to_decimals(0))?;
        o.text("holds_kolmogorov_smirnov", &holds.largest_gap.to_decimals(3))?;
    }
    o.objects("metrics", &compared.comparison.rows, row_json)
}

fn row_json(o: &mut Object<'_>, row: &Row) -> fmt::Result {
    let exact = |value: Option<Ratio>| value.map(|value| value.to_decimals(3));
    o.text("metric", &row.measure.text)?;
    o.truth("required", row.measure.required)?;
    o.optional_text("predicted", exact(row.predicted).as_deref())?;
    o.optional_text("predicted_ideal", exact(row.uncalibrated[0]).as_deref())?;
    o.optional_text("predicted_linux", exact(row.uncalibrated[1]).as_deref())?;
    let seen = row.interval();
    for (key, value) in [
        ("measured", seen.map(|seen| seen.median)),
        ("measured_low", seen.map(|seen| seen.low)),
        ("measured_high", seen.map(|seen| seen.high)),
    ] {
        o.optional_text(key, exact(value.and_then(existing)).as_deref())?;
    }
    o.text("margin", &row.margin.relative.to_decimals(3))?;
    o.truth("widened", row.margin.widened)?;
    o.optional_text("verdict", row.verdict().map(Verdict::words))?;
    o.optional_text("not_compared", row.uncompared)
}

fn ranking_json(o: &mut Object<'_>, ranking: &Ranking) -> fmt::Result {
    o.texts("predicted_order", ranking.order.iter().map(|each| each.name.as_str()))?;
    o.number("right", ranking.pairs.0 as u64)?;
    o.number("wrong", ranking.pairs.1 as u64)?;
    o.number("too_near", ranking.pairs.2 as u64)
}
