//! `gilsim check`.

use std::path::Path;

use crate::cli::Exit;
use crate::cli::args::{Check, CheckFormat};
use crate::cli::input;
use crate::cli::output::{Failure, Screen};
use crate::model::Options;
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
        let checked = check_file(&path, args, &sets)?;
        let name = input::name(&path);
        for one in &checked {
            if args.format == CheckFormat::Text {
                input::report(&one.diagnostics, screen);
            }
            exit = exit.and(judge(one));
        }
        all.extend(checked.into_iter().map(|one| (name.clone(), one)));
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

fn check_file(path: &Path, args: &Check, sets: &[String]) -> Result<Vec<Checked>, Failure> {
    let mut limits = input::limits(&args.changes.limits);
    limits.events = limits.events.min(EVENTS);
    let source = match input::read(path, &limits)? {
        Ok(source) => source,
        Err(finding) => return Ok(vec![Checked { variant: None, diagnostics: vec![*finding], result: None }]),
    };
    let options = Options { sets, limits, read_profile: &input::read_profile, ..Options::default() };
    Ok(study::check(&source, &options, args.determinism))
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
