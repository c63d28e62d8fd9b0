//! Views of one run: text with a picture, JSON, timelines, a page, snapshots. Everything is written into a writer handed in.

mod check;
pub mod export;
mod glyph;
mod help;
mod json;
mod jsonl;
mod layout;
mod object;
mod page;
mod picture;
mod report;
mod rows;
mod snapshot;
mod table;
mod text;
mod timeline;
mod words;

pub use check::{
    Result as CheckResult, Row, check_github, check_json, check_junit, check_sarif, check_text, count_findings,
};
pub use glyph::{colour, glyph, holder_glyph, legend, partly};
pub use help::{metrics_help, policies_help, states_help};
pub use json::json;
pub use jsonl::{JsonLines, json_header, json_line};
pub use layout::escape;
pub use page::{Measured, PAGE_RECORDS, PageInput, Recording, Spread, View, page};
pub use report::{Change, Facts, Report, Style};
pub use snapshot::{Excerpt, snapshot};
pub use text::text;
pub use timeline::{Timeline, timeline_line, timeline_names};

/// The version of the formats that `--format json` and `--format jsonl` write.
pub const FORMAT: u32 = 1;

/// The version of gilsim that outputs name.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

#[cfg(test)]
mod tests;
