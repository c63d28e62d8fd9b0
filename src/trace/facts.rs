//! What a model says about itself, and where its timeline comes from.

use crate::model::Scenario;
use crate::time::Span;

/// The version of the rules by which a timeline comes about. It goes up when the same model gives another timeline, so that
/// a stored timeline can say why it differs.
pub const SEMANTICS: u32 = 2;

/// What a model says about itself, and where its timeline comes from.
#[derive(Clone, Debug, PartialEq)]
pub struct Facts {
    /// The model's name.
    pub name: String,
    /// What a reader should notice.
    pub about: Option<String>,
    /// The digest of the lowered scenario.
    pub digest: String,
    /// The variant's name, if this is one.
    pub variant: Option<String>,
    /// The seed of all random streams.
    pub seed: u64,
    /// The name of the cost profile.
    pub profile: String,
    /// `simulated` or `measured`.
    pub provenance: &'static str,
    /// The version of the rules that made the timeline, [`SEMANTICS`] for our own.
    pub semantics: u32,
    /// The version of the random streams.
    pub streams: String,
    /// The switch interval of each GIL.
    pub intervals: Vec<Span>,
    /// Whether some Python thread needs no GIL.
    pub free_threaded: bool,
}

impl Facts {
    /// Where timelines can come from.
    pub const PROVENANCES: [&str; 2] = ["simulated", "measured"];

    /// The facts of a scenario to simulate, with its digest and the version of its random streams.
    pub fn of(scenario: &Scenario, digest: String, variant: Option<String>, streams: &str) -> Facts {
        Facts {
            name: scenario.name().to_string(),
            about: scenario.about().map(str::to_string),
            digest,
            variant,
            seed: scenario.run().seed,
            profile: scenario.profile().to_string(),
            provenance: "simulated",
            semantics: SEMANTICS,
            streams: streams.to_string(),
            intervals: scenario.gils().values().map(|gil| gil.interval).collect(),
            free_threaded: scenario.interpreters().values().any(|interpreter| interpreter.gil.is_none()),
        }
    }
}
