//! What would change a result: the same model with one thing different, simulated.

use crate::analysis::Meter;
use crate::backend::{Backend, Simulated};
use crate::model::{self, Options, Source};
use crate::time::Span;
use crate::trace::Cast;

/// A change that was simulated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What would be different.
    pub what: String,
    /// The makespan then.
    pub makespan: Span,
    /// The word of the ending then.
    pub ending: &'static str,
    /// The work done then.
    pub work: Span,
    /// The options that make the change on the command line; none where no option does.
    pub options: Option<String>,
}

/// A change to try: what it is, a variant of the model's or settings.
struct Candidate {
    what: String,
    variant: Option<String>,
    sets: Vec<String>,
    as_processes: bool,
}

/// Simulates the model's own variants and the changes that suggest themselves. `base` are the options of the run itself;
/// what does not apply to the model is left out.
pub fn changes(source: &Source, base: &Options, most_events: u64) -> Vec<Change> {
    let Ok(loaded) = model::load(source, base) else { return Vec::new() };
    let own = loaded.variants.iter().map(|variant| Candidate {
        what: variant.about.clone().unwrap_or_else(|| variant.name.clone()),
        variant: Some(variant.name.clone()),
        sets: Vec::new(),
        as_processes: false,
    });
    let candidates = own.chain(usual(&loaded.scenario));
    candidates.filter_map(|candidate| simulate(source, base, candidate, most_events)).collect()
}

/// The changes that anybody would ask about.
fn usual(scenario: &model::Scenario) -> Vec<Candidate> {
    let candidate =
        |what: &str, set: String| Candidate { what: what.into(), variant: None, sets: vec![set], as_processes: false };
    let cores = scenario.machine().cores.len();
    let mut usual = Vec::new();
    if let Some(interval) = shared_interval(scenario) {
        let tenth = Span::from_ns((interval.ns() / 10).max(1_000));
        usual.push(Candidate {
            what: "processes instead of threads".into(),
            variant: None,
            sets: Vec::new(),
            as_processes: true,
        });
        usual.push(candidate("a free-threaded build", "python.build=free-threaded".into()));
        usual.push(candidate("a tenth of the switch interval", format!("python.switch_interval={tenth}")));
    }
    usual.push(candidate("twice the cores", format!("machine.cores={}", cores * 2)));
    if cores > 1 && scenario.threads().len() > 1 {
        usual.push(candidate("a single core", "machine.cores=1".into()));
    }
    usual
}

/// The switch interval of the first GIL that several threads share.
fn shared_interval(scenario: &model::Scenario) -> Option<Span> {
    let users = |gil| scenario.threads().ids().filter(|thread| scenario.gil_of(*thread) == Some(gil)).count();
    let shared = scenario.gils().iter().find(|(id, _)| users(*id) > 1);
    shared.map(|(_, gil)| gil.interval)
}

fn simulate(source: &Source, base: &Options, candidate: Candidate, most_events: u64) -> Option<Change> {
    let sets: Vec<String> = base.sets.iter().cloned().chain(candidate.sets.iter().cloned()).collect();
    let capped: Vec<String> = sets.iter().cloned().chain([format!("run.max_events={most_events}")]).collect();
    let variant = candidate.variant.as_deref().or(base.variant);
    let options = Options { variant, sets: &capped, as_processes: candidate.as_processes, ..*base };
    let loaded = model::load(source, &options).ok()?;
    let cast = Cast::of(&loaded.scenario);
    let mut meter = Meter::new(&cast);
    let Ok(_) = Simulated.run(&loaded.scenario, &mut meter);
    let metrics = meter.finish();
    let named = candidate.variant.map(|name| format!("--what-if {name}"));
    let settings = candidate.sets.iter().map(|set| format!("--set {set}"));
    let options = named.into_iter().chain(settings).collect::<Vec<_>>().join(" ");
    Some(Change {
        what: candidate.what,
        makespan: metrics.makespan,
        ending: metrics.ending_word(),
        work: metrics.total(|thread| thread.work()),
        options: (!candidate.as_processes).then_some(options),
    })
}
