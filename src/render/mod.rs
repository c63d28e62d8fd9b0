//! Views of one run: text with a picture, JSON, timelines, a page, snapshots. Everything is written into a writer handed in.

mod campaign;
mod check;
mod diff;
pub mod export;
mod glyph;
mod help;
mod json;
mod jsonl;
mod layout;
mod object;
mod object_words;
mod page;
mod picture;
mod report;
mod rows;
mod shot;
mod snapshot;
mod spans;
mod table;
mod text;
mod timeline;
mod validation;
mod words;

pub use campaign::{Unvalidated, campaign_text};
pub use check::{
    Result as CheckResult, Row, annotation, check_github, check_json, check_junit, check_sarif, check_text,
    count_findings,
};
pub use diff::{DiffReport, DiffSide, diff_json, diff_text, verdict_sentence};
pub use glyph::{colour, glyph, holder_glyph, legend, partly};
pub use help::{metrics_help, policies_help, states_help};
pub use json::json;
pub use jsonl::{JsonLines, json_header, json_line};
pub use layout::escape;
pub use page::{Measured, PAGE_RECORDS, PageInput, Recording, View, page};
pub use report::{Change, Facts, Report, Style};
pub use shot::{ShotChanges, ShotRow, shot_changes, shot_diff, shot_json, shot_metrics, shot_sentence, shot_value};
pub use snapshot::{Excerpt, snapshot};
pub use text::text;
pub use timeline::{Timeline, timeline_line, timeline_names};
pub use validation::{
    ComparedPart, Table, ValidationPart, ValidationReport, validation_json, validation_notes, validation_tables,
    validation_text,
};

/// The version of the formats that `--format json` and `--format jsonl` write.
pub const FORMAT: u32 = 1;

/// The version of gilsim that outputs name.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

#[cfg(test)]
mod tests;
