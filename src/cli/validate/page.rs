//! `gilsim validate --format html`: the predicted run with the typical trial over it.

use crate::cli::args::Validate;
use crate::cli::output::{Failure, Screen};
use crate::cli::pages::{tell_cropped, whole};
use crate::cli::validate::{Finished, part};
use crate::render::{self, ComparedPart, Recording};
use crate::rng;
use crate::study::validate::{Case, Drawn, Outcome};
use crate::study::{self, Told};
use crate::trace::{Facts, Observer};

/// A page shows one prediction and its measurements.
pub(super) fn single(args: &Validate, models: usize, workers: usize) -> Result<(), Failure> {
    let what = match (models, workers, args.what_if.as_deref()) {
        (1, 1, name) if name != Some("all") => return Ok(()),
        (1, 1, _) => "--what-if all asks for several variants: name one",
        (1, _, _) => "there are several interpreters: name one with --python",
        _ => "there are several models: name one",
    };
    Err(Failure::usage(format!("a page shows one model on one set of workers, but {what}")))
}

/// Writes the page; where nothing could be measured it says why on stderr.
pub(super) fn page(done: &Finished, args: &Validate, screen: &Screen) -> Result<(), Failure> {
    let unseen = |why: &str| screen.say(&format!("no page was written: {why}"));
    for case in &done.validated.cases {
        match (&case.outcome, part(case).outcome) {
            (_, Err(why)) => unseen(why),
            (Outcome::Compared(compared), Ok(shown)) => match &compared.drawn {
                Some(drawn) => write(done, case, drawn, &shown, args, screen)?,
                None => unseen(compared.reason.unwrap_or("there is no trial to draw")),
            },
            (_, Ok(_)) => {}
        }
    }
    Ok(())
}

fn write(
    done: &Finished,
    case: &Case,
    drawn: &Drawn,
    shown: &ComparedPart<'_>,
    args: &Validate,
    screen: &Screen,
) -> Result<(), Failure> {
    let digest = study::scenario_digest(&drawn.predicted).hex();
    let facts = Facts::of(&drawn.predicted, digest, case.variant.clone(), rng::VERSION);
    let (mut predicted, mut measured) = (Recording::default(), Recording::default());
    let told = Told::by_model(&drawn.predicted, facts, &mut predicted);
    (0..).zip(&drawn.records).for_each(|(index, record)| measured.record(index, record));
    tell_cropped(&predicted, screen);
    let mut notes = render::validation_notes(shown);
    let mut remarks: Vec<String> = notes.pop().into_iter().collect();
    remarks.push(format!("Measured with {}; {}; prediction with {}.", done.workers, done.host, done.costs));
    remarks.extend(case.note.clone());
    let tables = render::validation_tables(shown);
    let over = render::Measured {
        cast: shown.typical.map_or(&told.cast, |typical| &typical.cast),
        records: &measured,
        runs: shown.comparison.trials() as u32,
        spreads: &drawn.spreads,
        tables: &tables,
        notes: &notes,
    };
    let primary = render::View { report: whole(&told), records: &predicted };
    let input = render::PageInput { primary, secondary: None, measured: Some(over), remarks: &remarks };
    screen.stream(args.output.as_deref(), |writer| render::page(writer, &input))
}
