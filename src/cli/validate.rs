//! `gilsim validate` and `gilsim calibrate`.

mod page;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::analysis::verdict::Verdict;
use crate::backend::calibrate::calibrate as measure;
use crate::backend::cpython::{Cpython, Interpreter, Options as CpythonOptions, Places, find};
use crate::backend::host::Facts;
use crate::backend::real::Workers;
use crate::cli::Exit;
use crate::cli::args::{Calibrate, ReportFormat, Validate, WorkersArg};
use crate::cli::input;
use crate::cli::output::{Failure, Screen};
use crate::cli::progress::Progress;
use crate::model::{self, Options, Source};
use crate::render::{self, ComparedPart, Unvalidated, ValidationPart, ValidationReport};
use crate::study::validate::{CALIBRATED, Case, Costs, Gate, Outcome, Request, Validated, Variants, validate as study};

/// Where interpreters are looked for.
fn places() -> Places {
    let path = std::env::var_os("PATH").map(|path| std::env::split_paths(&path).collect()).unwrap_or_default();
    Places { path, home: std::env::var_os("HOME").map(PathBuf::from), scratch: std::env::temp_dir() }
}

/// The interpreters that were asked for; a closed list of specs.
fn interpreters(specs: &[String], screen: &Screen) -> Result<Vec<Interpreter>, Failure> {
    let mut found = Vec::new();
    for spec in specs {
        match find(spec, &places()) {
            Ok(answer) => {
                answer.skipped.iter().filter(|_| screen.verbose).for_each(|why| screen.say(&format!("skipped: {why}")));
                found.extend(answer.interpreters);
            }
            Err(error) => return Err(Failure::Says(Exit::Workers, format!("error: {error}"))),
        }
    }
    Ok(found)
}

/// The default interpreter, if there is one.
fn default_interpreter(screen: &Screen) -> Vec<Interpreter> {
    match crate::backend::cpython::default_interpreter(&places()) {
        Ok(interpreter) => vec![interpreter],
        Err(error) => {
            screen.say(&format!("{error}; going on without Python"));
            Vec::new()
        }
    }
}

/// Measures this host.
pub fn calibrate(args: &Calibrate, screen: &Screen) -> Result<Exit, Failure> {
    let asked = interpreters(&args.python, screen)?;
    let interpreters = if args.python.is_empty() { default_interpreter(screen) } else { asked };
    if !screen.quiet {
        screen.say("measuring this host; leave it alone meanwhile");
    }
    let found = measure(&interpreters, &std::env::temp_dir());
    let text = found.yaml("calibrated");
    screen.stream(args.output.as_deref(), |writer| writer.write_all(text.as_bytes()))?;
    Ok(Exit::Holds)
}

/// Compares predictions with actual workers.
pub fn validate(args: &Validate, screen: &Screen) -> Result<Exit, Failure> {
    let interrupted = on_interrupt();
    let arms = workers(args, &interrupted, screen)?;
    let models = input::models(&args.models)?;
    if args.format == ReportFormat::Html {
        page::single(args, models.len(), arms.len())?;
    }
    let mut exit = Exit::Holds;
    let mut finished: Vec<Finished> = Vec::new();
    let mut broken: Vec<(String, String)> = Vec::new();
    for workers in arms {
        let costs = costs(args, &workers, screen);
        for path in models.iter() {
            if interrupted.load(Ordering::Relaxed) {
                break;
            }
            match one(path, args, &workers, (&costs, &interrupted), screen) {
                Ok(done) => {
                    exit = exit.and(done.exit());
                    // On a screen each model is told when it is done; a file appears when all are.
                    if args.format == ReportFormat::Text && args.output.is_none() {
                        screen.print(&done.with_report(|report| text(report, args, screen)))?;
                    }
                    finished.push(done);
                }
                Err(why) => {
                    exit = exit.and(Exit::Usage);
                    broken.push((path.display().to_string(), why));
                }
            }
        }
    }
    let several = finished.len() + broken.len() > 1;
    match (args.format, &args.output) {
        (ReportFormat::Json, _) => print(&json(&finished), args, screen)?,
        (ReportFormat::Html, _) => finished.iter().try_for_each(|done| page::page(done, args, screen))?,
        (ReportFormat::Text, None) if several => screen.print(&campaign(&finished, &broken))?,
        (ReportFormat::Text, None) => {}
        (ReportFormat::Text, Some(_)) => {
            let texts = finished.iter().map(|done| done.with_report(|report| text(report, args, screen)));
            let table = if several { campaign(&finished, &broken) } else { String::new() };
            print(&(texts.collect::<String>() + &table), args, screen)?;
        }
    }
    Ok(if interrupted.load(Ordering::Relaxed) { Exit::Interrupted } else { exit })
}

/// Raised by the first Ctrl-C; the second one ends this process at once.
fn on_interrupt() -> Arc<AtomicBool> {
    let flag = Arc::new(AtomicBool::new(false));
    for (signal, code) in [(signal_hook::consts::SIGINT, 130), (signal_hook::consts::SIGTERM, 143)] {
        // Where signals cannot be caught they end the process, as they would without this.
        let _ = signal_hook::flag::register_conditional_shutdown(signal, code, flag.clone());
        let _ = signal_hook::flag::register(signal, flag.clone());
    }
    flag
}

fn workers(args: &Validate, interrupted: &Arc<AtomicBool>, screen: &Screen) -> Result<Vec<Workers>, Failure> {
    let python = |interpreter| {
        let interrupted = Some(interrupted.clone());
        let options = CpythonOptions { interrupted, ..CpythonOptions::new(std::env::temp_dir()) };
        Workers::Cpython(Box::new(Cpython::new(interpreter, options)))
    };
    match args.backend {
        Some(WorkersArg::Native) => Ok(vec![Workers::native(None)]),
        Some(WorkersArg::Cpython) if args.python.is_empty() => {
            Ok(interpreters(&["python3".to_owned()], screen)?.into_iter().map(python).collect())
        }
        _ if !args.python.is_empty() => Ok(interpreters(&args.python, screen)?.into_iter().map(python).collect()),
        _ => {
            let found: Vec<Workers> = default_interpreter(screen).into_iter().map(python).collect();
            Ok(if found.is_empty() { vec![Workers::native(None)] } else { found })
        }
    }
}

/// The costs of the prediction: a profile that was asked for, or what this host costs now.
fn costs(args: &Validate, workers: &Workers, screen: &Screen) -> Costs {
    if let Some(profile) = &args.changes.profile {
        return Costs { name: profile.clone(), text: None };
    }
    if !screen.quiet {
        screen.say("calibrating; leave this host alone until the verdict");
    }
    let interpreters = match workers {
        Workers::Native(_) => Vec::new(),
        Workers::Cpython(cpython) => vec![cpython.interpreter().clone()],
    };
    let found = measure(&interpreters, &std::env::temp_dir());
    Costs { name: CALIBRATED.to_owned(), text: Some(found.yaml(CALIBRATED)) }
}

/// A model that is done, with everything that its report borrows.
struct Finished {
    file: String,
    model: String,
    workers: String,
    host: String,
    costs: String,
    validated: Validated,
}

fn one(
    path: &Path,
    args: &Validate,
    workers: &Workers,
    (costs, interrupted): (&Costs, &AtomicBool),
    screen: &Screen,
) -> Result<Finished, String> {
    let limits = input::limits(&args.changes.limits);
    let source = match input::read(path, &limits) {
        Ok(source) => source,
        Err(unread) => {
            unread.report(screen);
            return Err("it cannot be read".to_owned());
        }
    };
    // The profile is the prediction's business alone.
    let sets = input::settings(&crate::cli::args::Changes { profile: None, ..args.changes.clone() });
    let base = Options { sets: &sets, limits, read_profile: &input::read_profile, ..Options::default() };
    let variants = match args.what_if.as_deref() {
        None => Variants::Own,
        Some("all") => Variants::All,
        Some(name) => Variants::One(name.to_owned()),
    };
    let progress = Progress::begin(screen, !screen.verbose, "validating", "trials", 1);
    let told = |trials: usize, rejected: usize, most: usize| {
        progress.reach((trials + rejected) as u64, most as u64);
        if screen.verbose {
            screen.say(&format!("{trials} trials, {rejected} rejected"));
        }
    };
    let request = Request {
        source: &source,
        base,
        workers,
        variants,
        runs: args.runs,
        costs,
        as_written: args.as_written,
        gate: Gate::default(),
        keep_disturbed: args.despite_noise,
        prediction_settings: &[],
        worker_settings: &[],
        keep_drawn: args.format == ReportFormat::Html,
        interrupted,
        progress: &told,
    };
    match study(&request) {
        Ok(validated) => Ok(finished(&source, workers, costs, validated)),
        Err(findings) => {
            input::report(&findings, screen);
            // An error comes with at least one finding.
            Err(findings.first().map(ToString::to_string).unwrap_or_default())
        }
    }
}

fn finished(source: &Source, workers: &Workers, costs: &Costs, validated: Validated) -> Finished {
    let facts = Facts::read();
    let kernel = facts.kernel.map_or_else(|| "unknown kernel".to_owned(), |kernel| format!("Linux {kernel}"));
    let model = model::load(source, &Options { read_profile: &input::read_profile, ..Options::default() });
    let costs = match &costs.text {
        Some(_) => "costs measured on this host just before".to_owned(),
        None => format!("profile {}", costs.name),
    };
    Finished {
        file: source.name.clone(),
        model: model.map_or_else(|_| source.name.clone(), |loaded| loaded.scenario.name().to_owned()),
        workers: workers.name(),
        host: format!("{kernel}, {} usable cores", facts.usable_cores),
        costs,
        validated,
    }
}

impl Finished {
    fn exit(&self) -> Exit {
        if self.validated.is_broken() {
            return Exit::Workers;
        }
        match self.validated.verdict() {
            Verdict::Agrees | Verdict::KnownDivergence => Exit::Holds,
            Verdict::Disagrees => Exit::Fails,
            Verdict::Inconclusive => Exit::Inconclusive,
        }
    }

    fn with_report<T>(&self, act: impl FnOnce(&ValidationReport<'_>) -> T) -> T {
        let parts: Vec<ValidationPart<'_>> = self.validated.cases.iter().map(part).collect();
        act(&self.report(&parts))
    }

    fn report<'a>(&'a self, parts: &'a [ValidationPart<'a>]) -> ValidationReport<'a> {
        ValidationReport {
            model: &self.model,
            file: &self.file,
            workers: &self.workers,
            host: &self.host,
            costs: &self.costs,
            parts,
            ranking: self.validated.ranking.as_ref(),
            verdict: self.validated.verdict(),
            interrupted: self.validated.interrupted,
        }
    }
}

fn part(case: &Case) -> ValidationPart<'_> {
    let outcome = match &case.outcome {
        Outcome::Refused(why) | Outcome::Broken(why) => Err(why.as_str()),
        Outcome::Compared(compared) => Ok(ComparedPart {
            comparison: &compared.comparison,
            holds: compared.holds.zip(compared.interval_ns),
            typical: compared.typical.as_ref(),
            rejected: (compared.rejected, compared.reason),
            kept: compared.kept,
            cap: compared.cap,
            noisy: compared.is_too_noisy(),
            verdict: compared.verdict(),
        }),
    };
    ValidationPart { variant: case.variant.as_deref(), note: case.note.as_deref(), outcome }
}

fn text(report: &ValidationReport<'_>, args: &Validate, screen: &Screen) -> String {
    let mut text = String::new();
    let style = screen.style(args.output.is_some(), args.all);
    render::validation_text(&mut text, report, style).expect("a string takes everything");
    text.push('\n');
    text
}

fn with_reports<T>(finished: &[Finished], act: impl FnOnce(&[ValidationReport<'_>]) -> T) -> T {
    let parts: Vec<Vec<ValidationPart<'_>>> =
        finished.iter().map(|done| done.validated.cases.iter().map(part).collect()).collect();
    let reports: Vec<ValidationReport<'_>> =
        finished.iter().zip(&parts).map(|(done, parts)| done.report(parts)).collect();
    act(&reports)
}

/// The table of several models or interpreters. One row is one line, however wide.
fn campaign(finished: &[Finished], broken: &[(String, String)]) -> String {
    let broken: Vec<Unvalidated<'_>> = broken.iter().map(|(file, why)| Unvalidated { file, why }).collect();
    let mut text = String::new();
    let written = with_reports(finished, |reports| render::campaign_text(&mut text, reports, &broken));
    written.expect("a string takes everything");
    text
}

fn json(finished: &[Finished]) -> String {
    let mut text = String::new();
    with_reports(finished, |reports| render::validation_json(&mut text, reports)).expect("a string takes everything");
    text
}

fn print(text: &str, args: &Validate, screen: &Screen) -> Result<(), Failure> {
    screen.stream(args.output.as_deref(), |writer| writer.write_all(text.as_bytes()))
}
