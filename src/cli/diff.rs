//! `gilsim diff`: two models, timelines or snapshots compared by meaning.

use std::fs::File;
use std::io::{self, BufReader};
use std::path::Path;

use crate::analysis::diff::Ignore;
use crate::cli::Exit;
use crate::cli::args::{Changes, Diff, DiffFormat};
use crate::cli::input;
use crate::cli::output::{Failure, Screen};
use crate::cli::pages::{tell_cropped, whole};
use crate::cli::progress::Progress;
use crate::cli::shots;
use crate::model::{self, Options, Scenario};
use crate::ratio::Ratio;
use crate::render::{self, DiffReport, DiffSide, Excerpt, Recording};
use crate::rng;
use crate::study::{self, Told};
use crate::trace::{Facts, Observer};

/// What a side is, by the ending of its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Model,
    Timeline,
    Snapshot,
}

/// One side as the command line names it.
struct Side<'s> {
    path: &'s Path,
    what_if: Option<&'s str>,
    changes: Changes,
}

/// Compares two sides; exit code 1 if they differ.
pub fn diff(args: &Diff, screen: &Screen) -> Result<Exit, Failure> {
    let ignore = ignore(&args.ignore)?;
    let (a, b) = sides(args)?;
    if [a.kind(), b.kind()].contains(&Kind::Snapshot) {
        return snapshots(args, &a, &b, screen);
    }
    let progress = Progress::begin(screen, true, "comparing", unit(a.kind(), b.kind()), 2);
    // Only a page needs the records themselves.
    let page = args.format == DiffFormat::Html;
    let (mut of_a, mut of_b) = (page.then(Recording::default), page.then(Recording::default));
    let (told_a, told_b) =
        study::both(|| a.told(&progress, screen, of_a.as_mut()), || b.told(&progress, screen, of_b.as_mut()));
    let (told_a, told_b) = (told_a?, told_b?);
    let comparison = told_a.against(&told_b, &ignore);
    drop(progress);
    let (name_a, name_b) = (a.name(), b.name());
    let report = DiffReport { a: side(&name_a, &told_a), b: side(&name_b, &told_b), comparison: &comparison };
    match of_a.zip(of_b) {
        Some((of_a, of_b)) => html(args, screen, &report, (&told_a, &of_a), (&told_b, &of_b))?,
        None => print(args, screen, &report)?,
    }
    Ok(if comparison.is_same() { Exit::Holds } else { Exit::Fails })
}

/// What the progress counts: bytes of files, records of runs.
fn unit(a: Kind, b: Kind) -> &'static str {
    match (a, b) {
        (Kind::Timeline, Kind::Timeline) => "bytes",
        (Kind::Timeline, _) | (_, Kind::Timeline) => "bytes and records",
        _ => "records",
    }
}

/// The page that shows both runs on one scale, with the first sentences of the comparison above them.
fn html(
    args: &Diff,
    screen: &Screen,
    report: &DiffReport<'_>,
    a: (&Told, &Recording),
    b: (&Told, &Recording),
) -> Result<(), Failure> {
    let mut text = String::new();
    let style = render::Style { width: 10_000, ..render::Style::default() };
    render::diff_text(&mut text, report, style).expect("a string takes everything");
    let remarks: Vec<String> = text.lines().take_while(|line| !line.is_empty()).map(str::to_owned).collect();
    tell_cropped(a.1, screen);
    tell_cropped(b.1, screen);
    let input = render::PageInput {
        primary: render::View { report: whole(a.0), records: a.1 },
        secondary: Some(render::View { report: whole(b.0), records: b.1 }),
        measured: None,
        remarks: &remarks,
    };
    screen.stream(args.output.as_deref(), |writer| render::page(writer, &input))
}

fn print(args: &Diff, screen: &Screen, report: &DiffReport<'_>) -> Result<(), Failure> {
    let mut text = String::new();
    let written = match args.format {
        DiffFormat::Json => render::diff_json(&mut text, report),
        DiffFormat::Text | DiffFormat::Html => {
            render::diff_text(&mut text, report, screen.style(args.output.is_some(), args.all))
        }
    };
    written.expect("a string takes everything");
    screen.stream(args.output.as_deref(), |writer| writer.write_all(text.as_bytes()))
}

fn side<'t>(name: &'t str, told: &'t Told) -> DiffSide<'t> {
    DiffSide {
        name,
        facts: &told.facts,
        cast: &told.cast,
        lanes: &told.lanes,
        digest: told.digest,
        records: told.track.len() as u64,
    }
}

/// The two sides that the arguments name. What changes a model changes the second one.
fn sides(args: &Diff) -> Result<(Side<'_>, Side<'_>), Failure> {
    let b = args.b.as_deref().unwrap_or(&args.a);
    let changes = Changes { limits: args.changes.limits.clone(), ..Changes::default() };
    let first = Side { path: &args.a, what_if: None, changes };
    let second = Side { path: b, what_if: args.what_if.as_deref(), changes: args.changes.clone() };
    if args.b.is_none() && !second.is_changed() {
        return Err(Failure::usage(
            "one model is compared with itself changed: name a second file, or say --what-if or --set",
        ));
    }
    if second.kind() != Kind::Model && second.is_changed() {
        return Err(Failure::usage(format!("{} is no model: --what-if and --set change models", b.display())));
    }
    Ok((first, second))
}

impl Side<'_> {
    fn kind(&self) -> Kind {
        match self.path.extension().and_then(|ending| ending.to_str()) {
            Some("jsonl") => Kind::Timeline,
            Some("snap") => Kind::Snapshot,
            _ => Kind::Model,
        }
    }

    fn is_changed(&self) -> bool {
        let changes = &self.changes;
        let fields = changes.seed.is_some() || changes.profile.is_some() || changes.until.is_some();
        self.what_if.is_some() || fields || !changes.set.is_empty()
    }

    /// What the side is called in the report.
    fn name(&self) -> String {
        let mut name = input::name(self.path);
        if let Some(variant) = self.what_if {
            name.push_str(&format!(" --what-if {variant}"));
        }
        if self.is_changed() {
            input::settings(&self.changes).iter().for_each(|set| name.push_str(&format!(" --set {set}")));
        }
        name
    }

    fn told(&self, progress: &Progress, screen: &Screen, also: Option<&mut Recording>) -> Result<Told, Failure> {
        match self.kind() {
            Kind::Timeline => timeline(self.path, progress, also),
            _ => {
                let (scenario, facts) = self.scenario(screen)?;
                let watch = progress.watch(&scenario);
                Ok(Told::by_model(&scenario, facts, (watch, also)))
            }
        }
    }

    /// The model of this side.
    fn scenario(&self, screen: &Screen) -> Result<(Scenario, Facts), Failure> {
        let limits = input::limits(&self.changes.limits);
        let sets = input::settings(&self.changes);
        let refused = |findings: &[model::Diagnostic]| {
            input::report(findings, screen);
            Failure::Says(Exit::Usage, String::new())
        };
        let source = input::read(self.path, &limits).map_err(|unread| {
            unread.report(screen);
            Failure::Says(Exit::Usage, String::new())
        })?;
        let options = Options {
            variant: self.what_if,
            sets: &sets,
            limits,
            read_profile: &input::read_profile,
            ..Options::default()
        };
        let loaded = model::load(&source, &options).map_err(|findings| refused(&findings))?;
        let digest = study::scenario_digest(&loaded.scenario).hex();
        let facts = Facts::of(&loaded.scenario, digest, self.what_if.map(str::to_string), rng::VERSION);
        Ok((loaded.scenario, facts))
    }
}

fn timeline(path: &Path, progress: &Progress, also: impl Observer) -> Result<Told, Failure> {
    let name = input::name(path);
    let unreadable = |error: io::Error| Failure::usage(format!("cannot read {name}: {error}"));
    let file = File::open(path).map_err(unreadable)?;
    let bytes = file.metadata().map_err(unreadable)?.len();
    let reader = BufReader::with_capacity(1 << 18, progress.reader(file, bytes));
    Told::by_timeline(reader, also).map_err(|fault| Failure::usage(format!("{name}: {fault}")))
}

/// Compares what snapshots hold. A side that is none is made into one first.
fn snapshots(args: &Diff, a: &Side<'_>, b: &Side<'_>, screen: &Screen) -> Result<Exit, Failure> {
    if args.format == DiffFormat::Html {
        return Err(Failure::usage("a snapshot has no timeline to draw; a page needs two models or timelines"));
    }
    if !args.ignore.is_empty() {
        return Err(Failure::usage("a snapshot holds too little for --ignore; compare models or timelines"));
    }
    let text = |side: &Side<'_>| match side.kind() {
        Kind::Snapshot => shots::read(side.path).map(|shot| shot.text),
        Kind::Model => side.scenario(screen).map(|(scenario, facts)| shots::fresh(&scenario, &facts).text),
        Kind::Timeline => shot_of_timeline(side.path, screen),
    };
    let (mut a_text, mut b_text) = (text(a)?, text(b)?);
    if [a.kind(), b.kind()].contains(&Kind::Timeline) {
        (a_text, b_text) = (shots::of_records(&a_text), shots::of_records(&b_text));
    }
    let (a, b) = (a_text, b_text);
    let changes = render::shot_changes(&a, &b);
    let mut out = String::new();
    let written = match args.format {
        DiffFormat::Json => render::shot_json(&mut out, &changes),
        _ => render::shot_diff(&mut out, &changes, screen.style(args.output.is_some(), args.all)),
    };
    written.expect("a string takes everything");
    screen.stream(args.output.as_deref(), |writer| writer.write_all(out.as_bytes()))?;
    Ok(if changes.is_same() { Exit::Holds } else { Exit::Fails })
}

/// What a snapshot of a stored timeline would hold. It is read twice: who appears must be known before the first record.
fn shot_of_timeline(path: &Path, screen: &Screen) -> Result<String, Failure> {
    let progress = Progress::begin(screen, true, "reading", "bytes", 2);
    let told = timeline(path, &progress, None::<&mut Recording>)?;
    let mut excerpt = Excerpt::new(&told.cast);
    timeline(path, &progress, &mut excerpt)?;
    let mut text = String::new();
    render::snapshot(&mut text, &whole(&told), &excerpt).expect("a string takes everything");
    Ok(text)
}

/// What `--ignore` asks to look away from.
fn ignore(words: &[String]) -> Result<Ignore, Failure> {
    let mut ignore = Ignore::default();
    for word in words {
        let wrong = || {
            Failure::usage(format!(
                "--ignore {word:?} is not known; allowed are placement, time<1% and time<5us, with any number"
            ))
        };
        match word.strip_prefix("time<").map(str::trim) {
            None if word == "placement" => ignore.placement = true,
            None => return Err(wrong()),
            Some(bound) => match bound.strip_suffix('%') {
                Some(percent) => ignore.millionths = millionths(percent.trim()).ok_or_else(wrong)?,
                None => ignore.span = model::duration(bound).map_err(|_| wrong())?,
            },
        }
    }
    Ok(ignore)
}

fn millionths(percent: &str) -> Option<u64> {
    let value = Ratio::parse(percent)?.times(Ratio::whole(10_000))?;
    u64::try_from(value.num() / value.den()).ok().filter(|millionths| *millionths <= 1_000_000)
}
