//! `gilsim snapshot check | accept | review`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, BufRead, IsTerminal};
use std::path::{Path, PathBuf};

use crate::cli::Exit;
use crate::cli::args::{Ingredient, LimitArgs, Snapshot, SnapshotAct, SnapshotArgs, SnapshotFormat};
use crate::cli::input;
use crate::cli::output::{Failure, Screen};
use crate::cli::shots::{self, Fresh};
use crate::model::{self, Diagnostic, Options};
use crate::render;
use crate::rng;
use crate::store::{Shot, shot_name, shots_in};
use crate::study;
use crate::trace::Facts;

/// A model and where its snapshot is, or would be.
struct Place {
    model: PathBuf,
    /// Its path below the folder of models.
    name: String,
    shot: PathBuf,
}

/// What came of one model.
enum State {
    Same,
    /// What has changed does not matter: only pinned ingredients count, and these are the same.
    Pinned(String),
    Missing,
    Changed {
        /// One line, for an annotation.
        sentence: String,
        /// All that there is to say.
        block: String,
    },
    Broken,
}

/// Checks, accepts or reviews snapshots.
pub fn snapshot(args: &Snapshot, screen: &Screen) -> Result<Exit, Failure> {
    let (SnapshotAct::Check(of) | SnapshotAct::Accept(of) | SnapshotAct::Review(of)) = &args.act;
    let places = places(of)?;
    let source = source(&of.dir)?;
    let mut totals = Totals::default();
    for place in &places {
        if totals.stopped {
            totals.add("not looked at");
            continue;
        }
        let exit = one(&args.act, of, place, &source, &mut totals, screen)?;
        totals.exit = totals.exit.and(exit);
    }
    if of.models.is_empty() && !totals.stopped {
        orphans(of, &places, &mut totals, screen)?;
    }
    if of.format == SnapshotFormat::Text {
        screen.print(&format!("{}\n", totals.sentence()))?;
    }
    Ok(totals.exit)
}

fn one(
    act: &SnapshotAct,
    args: &SnapshotArgs,
    place: &Place,
    source: &str,
    totals: &mut Totals,
    screen: &Screen,
) -> Result<Exit, Failure> {
    let stored = if place.shot.exists() { Some(shots::read(&place.shot)?) } else { None };
    let Some(fresh) = simulated(&place.model, &args.limits, screen)? else {
        totals.add("with errors");
        return Ok(Exit::Usage);
    };
    if matches!(act, SnapshotAct::Accept(_)) {
        let written = accept(args, place, stored.as_ref(), &fresh, source)?;
        totals.add(if written { "written" } else { "unchanged" });
        return Ok(Exit::Holds);
    }
    let state = compare(args, stored.as_ref(), &fresh, place, screen)?;
    let told = tell(args, place, &state, screen)?;
    if told && matches!(act, SnapshotAct::Review(_)) {
        match asked(place, screen)? {
            Answer::Keep => {
                accept(args, place, stored.as_ref(), &fresh, source)?;
                totals.add("written");
                return Ok(Exit::Holds);
            }
            Answer::Leave => {}
            Answer::Stop => totals.stopped = true,
        }
    }
    let (word, exit) = match state {
        State::Same | State::Pinned(_) => ("unchanged", Exit::Holds),
        State::Missing => ("missing", Exit::Fails),
        State::Changed { .. } => ("changed", Exit::Fails),
        State::Broken => ("unreadable", Exit::Usage),
    };
    totals.add(word);
    Ok(exit)
}

/// How many models came to what, for the last line.
struct Totals {
    counts: BTreeMap<&'static str, usize>,
    exit: Exit,
    /// Somebody has had enough of a review.
    stopped: bool,
}

impl Default for Totals {
    fn default() -> Self {
        Totals { counts: BTreeMap::new(), exit: Exit::Holds, stopped: false }
    }
}

impl Totals {
    fn add(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }

    fn sentence(&self) -> String {
        let counts = self.counts.iter().map(|(what, count)| format!("{count} {what}"));
        format!("snapshots: {}", counts.collect::<Vec<_>>().join(", "))
    }
}

/// The models that are meant, each with the place of its snapshot.
fn places(args: &SnapshotArgs) -> Result<Vec<Place>, Failure> {
    let base = std::slice::from_ref(&args.base);
    let models = input::models(if args.models.is_empty() { base } else { &args.models })?;
    let mut taken: BTreeMap<PathBuf, String> = BTreeMap::new();
    let mut places = Vec::new();
    for model in models {
        let below = model.strip_prefix(&args.base).map_err(|_| {
            Failure::usage(format!("{} is not below --models {}", model.display(), args.base.display()))
        })?;
        let name = below.to_string_lossy().replace('\\', "/");
        let shot = args.dir.join(shot_name(&name).map_err(Failure::usage)?);
        if let Some(other) = taken.insert(shot.clone(), name.clone()) {
            return Err(Failure::usage(format!("{other} and {name} would have the same snapshot, {}", shot.display())));
        }
        places.push(Place { model, name, shot });
    }
    Ok(places)
}

/// Who writes new snapshots: whoever wrote the others, if it was one; so that a test that owns them takes new ones as well.
fn source(folder: &Path) -> Result<String, Failure> {
    let shots = listed(folder)?;
    let mut sources = shots.iter().filter_map(|path| Some(Shot::read(path).ok()?.value("source")?.to_string()));
    let first = sources.next();
    let one = first.filter(|first| sources.all(|source| source == *first));
    Ok(one.unwrap_or_else(|| "gilsim snapshot".into()))
}

fn listed(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    shots_in(folder).map_err(|error| Failure::usage(format!("cannot read {}: {error}", folder.display())))
}

/// What the snapshot would hold now; nothing for a model with errors, which have been reported then.
fn simulated(path: &Path, limits: &LimitArgs, screen: &Screen) -> Result<Option<Fresh>, Failure> {
    let refused = |findings: &[Diagnostic]| input::report(findings, screen);
    let limits = input::limits(limits);
    let source = match input::read(path, &limits) {
        Ok(source) => source,
        Err(unread) => {
            unread.report(screen);
            return Ok(None);
        }
    };
    let options = Options { limits, read_profile: &input::read_profile, ..Options::default() };
    match model::load(&source, &options) {
        Ok(loaded) => {
            let digest = study::scenario_digest(&loaded.scenario).hex();
            Ok(Some(shots::fresh(&loaded.scenario, &Facts::of(&loaded.scenario, digest, None, rng::VERSION))))
        }
        Err(findings) => {
            refused(&findings);
            Ok(None)
        }
    }
}

fn compare(
    args: &SnapshotArgs,
    stored: Option<&Shot>,
    fresh: &Fresh,
    place: &Place,
    screen: &Screen,
) -> Result<State, Failure> {
    let Some(stored) = stored else { return Ok(State::Missing) };
    if render::shot_value(&stored.text, "format").is_none() {
        screen.say(&format!("error: {} holds no snapshot of a model", place.shot.display()));
        return Ok(State::Broken);
    }
    let pinned = Ingredient::pinned_by(&stored.text);
    let changes = render::shot_changes(&stored.text, &fresh.pinned(&pinned));
    if changes.is_same() {
        return Ok(State::Same);
    }
    let wanted = if args.what.is_empty() { pinned.clone() } else { args.what.clone() };
    if wanted.is_empty() {
        return Ok(changed(&changes, &[], args, screen));
    }
    let different = different(&stored.text, fresh, &wanted, place)?;
    if different.is_empty() {
        let words: Vec<&str> = wanted.iter().map(|what| what.word()).collect();
        return Ok(State::Pinned(words.join(", ")));
    }
    Ok(changed(&changes, &different, args, screen))
}

/// Of the wanted ingredients those that differ. Metrics can be read off any snapshot, others only where they are pinned.
fn different(stored: &str, fresh: &Fresh, wanted: &[Ingredient], place: &Place) -> Result<Vec<&'static str>, Failure> {
    let mut different = Vec::new();
    for what in wanted {
        let same = match (render::shot_value(stored, what.word()), what) {
            (Some(print), _) => print == fresh.print(*what),
            (None, Ingredient::Metrics) => render::shot_metrics(stored) == render::shot_metrics(&fresh.text),
            (None, _) => {
                let (shot, word) = (place.shot.display(), what.word());
                return Err(Failure::usage(format!(
                    "{shot} does not pin {word}; accept it once with --what {word}, or leave --what out"
                )));
            }
        };
        different.extend((!same).then_some(what.word()));
    }
    Ok(different)
}

fn changed(changes: &render::ShotChanges, different: &[&str], args: &SnapshotArgs, screen: &Screen) -> State {
    let mut block = String::new();
    if !different.is_empty() {
        let _ = writeln!(block, "Of what is compared this differs: {}.", different.join(", "));
    }
    render::shot_diff(&mut block, changes, screen.style(args.format == SnapshotFormat::Github, false))
        .expect("a string takes everything");
    State::Changed { sentence: render::shot_sentence(changes), block }
}

/// Says what became of a model; returns whether there is something to accept.
fn tell(args: &SnapshotArgs, place: &Place, state: &State, screen: &Screen) -> Result<bool, Failure> {
    let model = render::escape(&input::name(&place.model));
    let (short, block) = match state {
        State::Same | State::Broken => return Ok(false),
        State::Pinned(words) if screen.verbose => {
            screen.print(&format!("{model}: changed, but not in what is compared ({words})\n"))?;
            return Ok(false);
        }
        State::Pinned(_) => return Ok(false),
        State::Missing => ("has no snapshot; keep what it does now: gilsim snapshot accept", String::new()),
        State::Changed { sentence, block } => (sentence.as_str(), block.clone()),
    };
    match args.format {
        SnapshotFormat::Github => screen.print(&render::annotation(&input::name(&place.model), "snapshot", short))?,
        SnapshotFormat::Text if block.is_empty() => screen.print(&format!("{model}: {short}\n"))?,
        SnapshotFormat::Text => screen.print(&format!("{model}: changed\n{block}\n"))?,
    }
    Ok(true)
}

/// What somebody said about a change.
enum Answer {
    Keep,
    Leave,
    Stop,
}

/// Asks whether to keep what a model does now. Without a terminal nobody can answer.
fn asked(place: &Place, screen: &Screen) -> Result<Answer, Failure> {
    if !io::stdin().is_terminal() {
        return Ok(Answer::Leave);
    }
    loop {
        screen.ask(&format!("{}: keep this? [y]es, [s]kip, [q]uit: ", render::escape(&place.name)));
        let mut answer = String::new();
        let read = io::stdin().lock().read_line(&mut answer);
        let read = read.map_err(|error| Failure::usage(format!("cannot read the answer: {error}")))?;
        match answer.trim() {
            "y" | "yes" => return Ok(Answer::Keep),
            "n" | "no" | "s" | "skip" => return Ok(Answer::Leave),
            "q" | "quit" => return Ok(Answer::Stop),
            // The end of the input: nobody will answer the next question either.
            _ if read == 0 => {
                screen.say("");
                return Ok(Answer::Stop);
            }
            _ => {}
        }
    }
}

/// Writes a snapshot if it is another one than before; returns whether it was written.
fn accept(
    args: &SnapshotArgs,
    place: &Place,
    stored: Option<&Shot>,
    fresh: &Fresh,
    source: &str,
) -> Result<bool, Failure> {
    let pinned = match (args.what.is_empty(), stored) {
        (false, _) => args.what.clone(),
        (true, Some(stored)) => Ingredient::pinned_by(&stored.text),
        (true, None) => Vec::new(),
    };
    let text = fresh.pinned(&pinned);
    let shot = match stored {
        Some(stored) => Shot { front: stored.front.clone(), ..Shot::new("", "", &text) },
        None => Shot::new(source, &input::name(&place.model).replace('\\', "/"), &text),
    };
    if stored == Some(&shot) {
        return Ok(false);
    }
    let path = &place.shot;
    let failed = |error| Failure::Says(Exit::Output, format!("error: cannot write {}: {error}", path.display()));
    shot.write(path).map_err(failed).map(|()| true)
}

/// Snapshots without a model.
fn orphans(args: &SnapshotArgs, places: &[Place], totals: &mut Totals, screen: &Screen) -> Result<(), Failure> {
    for path in listed(&args.dir)? {
        if places.iter().any(|place| place.shot == path) {
            continue;
        }
        totals.add("without a model");
        totals.exit = totals.exit.and(Exit::Fails);
        let (name, said) = (input::name(&path), "has no model any more; remove it if the model is gone for good");
        match args.format {
            SnapshotFormat::Github => screen.print(&render::annotation(&name, "snapshot", said))?,
            SnapshotFormat::Text => screen.print(&format!("{}: {said}\n", render::escape(&name)))?,
        }
    }
    Ok(())
}
