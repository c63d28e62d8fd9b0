//! `gilsim run`.

use std::io::{self, IsTerminal, Write};

use crate::cli::Exit;
use crate::cli::args::{Format, Run};
use crate::cli::input;
use crate::cli::output::{Failure, Screen};
use crate::cli::pages::tell_cropped;
use crate::cli::progress::Progress;
use crate::cli::report;
use crate::model::{self, Diagnostic, Loaded, Options, Source};
use crate::render::export::{Export, Settings};
use crate::render::{self, Facts, JsonLines, Recording, Report, Timeline};
use crate::study::{self, Simulation};
use crate::trace::{Cast, Ending, Nobody, Observer};
use crate::{rng, study::simulate};

/// A text report simulates changes only of runs with at most so many events, and lets each have at most ten times as many.
const EVENTS_FOR_CHANGES: u64 = 200_000;
/// And only of models with at most so many threads.
const THREADS_FOR_CHANGES: usize = 1_000;

/// Simulates a model and prints what was asked for.
pub fn run(args: &Run, screen: &Screen) -> Result<Exit, Failure> {
    let limits = input::limits(&args.changes.limits);
    let source = match input::read(&args.model, &limits) {
        Ok(source) => source,
        Err(unread) => {
            unread.report(screen);
            return Ok(Exit::Usage);
        }
    };
    let sets = input::settings(&args.changes);
    let options = Options {
        variant: args.what_if.as_deref(),
        sets: &sets,
        limits,
        read_profile: &input::read_profile,
        ..Options::default()
    };
    let loaded = match model::load(&source, &options) {
        Ok(loaded) => loaded,
        Err(findings) => return refuse(&findings, screen),
    };
    input::report(&loaded.warnings, screen);
    let digest = study::scenario_digest(&loaded.scenario).hex();
    let facts = Facts::of(&loaded.scenario, digest, args.what_if.clone(), rng::VERSION);
    let simulation = match args.format {
        Format::Text => text(args, screen, &source, &options, &loaded, &facts)?,
        Format::Json => {
            let simulation = observed(&loaded, screen, true, Nobody);
            let mut text = String::new();
            render::json(&mut text, &report(&simulation, &facts)).expect("a string takes everything");
            screen.stream(args.output.as_deref(), |writer| writer.write_all(text.as_bytes()))?;
            simulation
        }
        Format::Jsonl => stream(args, screen, |writer| {
            let cast = Cast::of(&loaded.scenario);
            let mut lines = JsonLines::new(&cast, &facts, writer);
            let simulation = observed(&loaded, screen, args.output.is_some(), &mut lines);
            lines.finish().map(|_| simulation)
        })?,
        Format::Timeline => stream(args, screen, |writer| {
            let cast = Cast::of(&loaded.scenario);
            let mut timeline = Timeline::new(&cast, writer);
            let simulation = observed(&loaded, screen, args.output.is_some(), &mut timeline);
            timeline.finish().map(|_| simulation)
        })?,
        Format::Html => html(args, screen, &source, &options, &loaded, &facts)?,
        Format::Csv => export(Export::Csv, args, screen, &loaded)?,
        Format::Chrome => export(Export::Chrome, args, screen, &loaded)?,
        Format::Perfetto => export(Export::Perfetto, args, screen, &loaded)?,
        Format::Speedscope => export(Export::Speedscope, args, screen, &loaded)?,
        Format::Svg => export(Export::Svg, args, screen, &loaded)?,
        Format::Gantt => export(Export::Gantt, args, screen, &loaded)?,
    };
    if screen.verbose {
        screen.say(&format!("{} events, timeline {}", simulation.events, simulation.digest.hex()));
    }
    Ok(exit(&simulation))
}

/// Simulates, and tells how far that has got. Where the result itself scrolls over the terminal, nobody needs to be told.
fn observed<O: Observer>(loaded: &Loaded, screen: &Screen, apart: bool, observer: O) -> Simulation {
    let shown = apart || !io::stdout().is_terminal();
    let progress = Progress::begin(screen, shown, "simulating", "records", 1);
    simulate(&loaded.scenario, (observer, progress.watch(&loaded.scenario)))
}

fn refuse(findings: &[Diagnostic], screen: &Screen) -> Result<Exit, Failure> {
    input::report(findings, screen);
    Ok(Exit::Usage)
}

/// A timeline for other programs.
fn export(format: Export, args: &Run, screen: &Screen, loaded: &Loaded) -> Result<Simulation, Failure> {
    if format.is_binary() && args.output.is_none() && io::stdout().is_terminal() {
        return Err(Failure::usage("this format is no text: name a file with -o, or pipe it into one"));
    }
    let settings = Settings { title: loaded.scenario.name().to_string(), width: screen.style(false, args.all).width };
    stream(args, screen, |writer| {
        let cast = Cast::of(&loaded.scenario);
        let mut exporter = render::export::observer(format, &cast, &settings, writer);
        let simulation = observed(loaded, screen, args.output.is_some(), &mut exporter);
        exporter.finish().map(|_| simulation)
    })
}

fn stream(
    args: &Run,
    screen: &Screen,
    write: impl FnOnce(&mut dyn Write) -> io::Result<Simulation>,
) -> Result<Simulation, Failure> {
    let mut simulation = None;
    screen.stream(args.output.as_deref(), |writer| {
        simulation = Some(write(writer)?);
        Ok(())
    })?;
    Ok(simulation.expect("what was written was simulated"))
}

/// The report to read.
fn text(
    args: &Run,
    screen: &Screen,
    source: &Source,
    options: &Options,
    loaded: &Loaded,
    facts: &Facts,
) -> Result<Simulation, Failure> {
    let simulation = observed(loaded, screen, true, Nobody);
    let changes = changes(args, source, options, &simulation);
    let hints = hints(&command(args), args, loaded);
    let style = screen.style(args.output.is_some(), args.all);
    let mut text = String::new();
    render::text(&mut text, &Report { changes: &changes, hints: &hints, ..report(&simulation, facts) }, style)
        .expect("a string takes everything");
    screen.stream(args.output.as_deref(), |writer| writer.write_all(text.as_bytes()))?;
    Ok(simulation)
}

/// The page to open in a browser.
fn html(
    args: &Run,
    screen: &Screen,
    source: &Source,
    options: &Options,
    loaded: &Loaded,
    facts: &Facts,
) -> Result<Simulation, Failure> {
    let mut records = Recording::default();
    let simulation = observed(loaded, screen, true, &mut records);
    tell_cropped(&records, screen);
    let changes = changes(args, source, options, &simulation);
    let report = Report { changes: &changes, ..report(&simulation, facts) };
    let primary = render::View { report, records: &records };
    let input = render::PageInput { primary, secondary: None, measured: None, remarks: &[] };
    screen.stream(args.output.as_deref(), |writer| render::page(writer, &input))?;
    Ok(simulation)
}

/// What would change the result, unless the run was too long to repeat it several times.
fn changes(args: &Run, source: &Source, options: &Options, simulation: &Simulation) -> Vec<render::Change> {
    if simulation.events > EVENTS_FOR_CHANGES || simulation.cast.threads.len() > THREADS_FOR_CHANGES {
        return Vec::new();
    }
    let command = command(args);
    let changes = study::changes(source, options, 10 * EVENTS_FOR_CHANGES).into_iter();
    let named = changes.map(|change| render::Change {
        what: change.what,
        makespan: change.makespan,
        ending: change.ending,
        work: change.work,
        command: change.options.map(|options| format!("{command} {options}")),
    });
    named.collect()
}

/// The command that runs this model with these settings.
fn command(args: &Run) -> String {
    let sets = input::settings(&args.changes);
    let sets: String = sets.iter().map(|set| format!(" --set {}", quoted(set))).collect();
    format!("gilsim run {}{sets}", quoted(&args.model.display().to_string()))
}

/// A word as a shell wants it.
fn quoted(word: &str) -> String {
    let plain = word.chars().all(|c| c.is_alphanumeric() || "-_./=:,%+".contains(c));
    if plain { word.to_string() } else { format!("'{}'", word.replace('\'', "'\\''")) }
}

/// What to try next.
fn hints(command: &str, args: &Run, loaded: &Loaded) -> Vec<String> {
    let variant = loaded.variants.first().filter(|_| args.what_if.is_none());
    let mut hints: Vec<String> =
        variant.map(|variant| format!("{command} --what-if {}", variant.name)).into_iter().collect();
    let chosen = args.what_if.as_ref().map_or(String::new(), |variant| format!(" --what-if {variant}"));
    hints.push(format!("{command}{chosen} --format timeline"));
    hints
}

/// A deadlock that the model expects is no failure; one that it does not expect is.
fn exit(simulation: &Simulation) -> Exit {
    let stuck = match simulation.metrics.ending {
        Some(Ending::Finished | Ending::Horizon) | None => Exit::Holds,
        Some(Ending::Deadlock { .. }) if simulation.expects_deadlock => Exit::Holds,
        Some(_) => Exit::Stuck,
    };
    stuck.and(if simulation.holds() { Exit::Holds } else { Exit::Fails })
}
