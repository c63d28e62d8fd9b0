//! The table of named stretches of work: how many ended, how fast, and how long each took.

use std::fmt;

use crate::analysis::SpanMetrics;
use crate::render::layout::{Page, crop, escape};
use crate::render::report::Report;
use crate::render::table::{Column, grid};
use crate::time::Span;

/// The percentiles that every output shows, with their names.
pub(in crate::render) const PERCENTILES: [(&str, u8); 3] = [("p50", 50), ("p95", 95), ("p99", 99)];

/// Prints the table, where the model names any stretch of work.
pub(in crate::render) fn spans<W: fmt::Write>(page: &mut Page<'_, W>, report: &Report<'_>) -> fmt::Result {
    if report.cast.spans.is_empty() {
        return Ok(());
    }
    let most = page.width() / 3;
    let names: Vec<String> =
        report.cast.spans.values().map(|name| crop(&escape(name), most, page.style.ellipsis())).collect();
    grid(page, "span", &names, numbers(report))
}

fn numbers(report: &Report<'_>) -> Vec<Column> {
    let column = |title, rank, of: &dyn Fn(&SpanMetrics) -> String| Column {
        title,
        rank,
        cells: report.metrics.spans.values().map(of).collect(),
    };
    let time = |time: Option<Span>| time.map_or_else(|| "-".to_string(), Span::short);
    let throughput = |span: &SpanMetrics| span.throughput(report.metrics.makespan);
    let mut table = vec![
        column("ended", 0, &|span| span.count().to_string()),
        column("per second", 6, &|span| throughput(span).map_or_else(|| "-".to_string(), |rate| rate.to_decimals(1))),
        column("mean", 5, &|span| time(span.latency.mean())),
    ];
    for (rank, (title, percent)) in [4, 2, 1].into_iter().zip(PERCENTILES) {
        table.push(column(title, rank, &|span| time(span.latency.percentile(percent))));
    }
    table.push(column("max", 3, &|span| time(span.latency.largest())));
    if report.metrics.spans.values().any(|span| span.begun > span.count()) {
        table.push(column("unfinished", 1, &|span| (span.begun - span.count()).to_string()));
    }
    table
}
