//! `gilsim check`.

use std::path::Path;

use crate::cli::Exit;
use crate::cli::args::{Check, CheckFormat};
use crate::cli::input::{self, Unread};
use crate::cli::output::{Failure, Screen};
use crate::model::{Diagnostic, Options};
use crate::render::{self, CheckResult, Row};
use crate::study::{self, Checked, Determinism};
use crate::trace::Ending;

/// A run of `check` stops after so many events unless the model or a flag says more.
const EVENTS: u64 = 1_000_000;

/// Checks every model that the arguments name, all of them even where one is broken.
pub fn check(args: &Check, screen: &Screen) -> Result<Exit, Failure> {
    let sets = input::settings(&args.changes);
    let mut exit = Exit::Holds;
    let mut all: Vec<(String, Checked)> = Vec::new();
    for path in input::models(&args.models)? {
        let checked = check_file(&path, args, &sets, screen);
        for one in &checked {
            if args.format == CheckFormat::Text {
                report(one, &checked[0], screen);
            }
            exit = exit.and(judge(one));
        }
        all.extend(checked.into_iter().map(|one| (input::name(&path), one)));
    }
    let rows: Vec<Row<'_>> = all.iter().map(|(file, checked)| row(file, checked)).collect();
    let mut text = String::new();
    let written = match args.format {
        CheckFormat::Text => render::check_text(&mut text, &rows),
        CheckFormat::Json => render::check_json(&mut text, &rows),
        CheckFormat::Junit => render::check_junit(&mut text, &rows),
        CheckFormat::Sarif => render::check_sarif(&mut text, &rows),
        CheckFormat::Github => render::check_github(&mut text, &rows),
    };
    written.expect("a string takes everything");
    screen.print(&text)?;
    Ok(exit)
}

/// Checks a file; one that cannot be read has failed.
fn check_file(path: &Path, args: &Check, sets: &[String], screen: &Screen) -> Vec<Checked> {
    let mut limits = input::limits(&args.changes.limits);
    limits.events = limits.events.min(EVENTS);
    let source = match input::read(path, &limits) {
        Ok(source) => source,
        Err(unread) => {
            let diagnostics = match unread {
                Unread::Wrong(finding) => vec![*finding],
                Unread::Failed(_) => {
                    unread.report(screen);
                    Vec::new()
                }
            };
            return vec![Checked { variant: None, diagnostics, result: None }];
        }
    };
    let options = Options { sets, limits, read_profile: &input::read_profile, ..Options::default() };
    study::check(&source, &options, args.determinism)
}

/// Says what is wrong with a model; of a variant only what is not wrong with the model itself.
fn report(checked: &Checked, model: &Checked, screen: &Screen) {
    let known = |finding: &Diagnostic| checked.variant.is_some() && model.diagnostics.contains(finding);
    let new: Vec<Diagnostic> = checked.diagnostics.iter().filter(|finding| !known(finding)).cloned().collect();
    let heard = new.iter().any(|finding| finding.is_error() || !screen.quiet);
    if let Some(variant) = checked.variant.as_deref().filter(|_| heard) {
        screen.say(&format!("with the variant {variant}:"));
    }
    input::report(&new, screen);
}

fn row<'a>(file: &'a str, checked: &'a Checked) -> Row<'a> {
    let result = checked.result.as_ref().map(|result| CheckResult {
        outcomes: &result.outcomes,
        invariants: &result.invariants,
        ending: &result.ending,
        differs_at: match result.determinism {
            Some(Determinism::Differs(index)) => Some(index),
            Some(Determinism::Same) | None => None,
        },
    });
    Row { file, variant: checked.variant.as_deref(), diagnostics: &checked.diagnostics, result }
}

/// The exit code of one model or variant.
fn judge(checked: &Checked) -> Exit {
    let Some(result) = &checked.result else { return Exit::Usage };
    let stuck = match result.ending {
        Ending::Finished | Ending::Horizon => false,
        Ending::Deadlock { .. } => !result.expects_deadlock,
        Ending::Livelock { .. } | Ending::EventCap { .. } | Ending::ModelError { .. } => true,
    };
    let holds = if checked.holds() { Exit::Holds } else { Exit::Fails };
    holds.and(if stuck { Exit::Stuck } else { Exit::Holds })
}
