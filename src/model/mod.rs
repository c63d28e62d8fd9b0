//! Models: from YAML text through all checks to a [`Scenario`] that is valid by construction.
//!
//! ```text
//!   text ── yaml ──► tree ── patch, params ──► tree ── decode, spec ──► shapes ── lower ──► Scenario
//!                      └──────────── report: every finding with its place ───────────┘
//! ```

mod code;
mod decode;
mod diagnostic;
pub mod expect;
mod expect_parse;
mod lower;
mod params;
mod patch;
mod policies;
mod profile;
mod program;
mod quantity;
mod reference;
mod report;
mod scenario;
mod schema;
mod shared;
mod show;
mod spec;
mod tree;
pub mod validation;
mod yaml;

pub use code::Code;
pub use diagnostic::{Diagnostic, Label, Place, Severity, Source, Suggestion};
pub use policies::PolicyName;
pub use program::{Cursor, Length, Op, Program, Use};
pub use quantity::{Fault, duration};
pub use reference::{help_errors, help_format, help_metrics, help_steps};
pub use scenario::*;
pub use schema::schema;
pub use show::visible;
pub use validation::Validation;

use decode::{At, Decode, Named};
use report::Report;
use spec::Model;
use spec::run::VariantExpectations;
use tree::{Node, Spot, Value};

/// How a model is to be read.
pub struct Options<'a> {
    /// The variant under `what_if` to read instead of the model itself.
    pub variant: Option<&'a str>,
    /// Settings of the command line, `path=value`, applied in order after the variant's own.
    pub sets: &'a [String],
    /// What a model may ask for.
    pub limits: Limits,
    /// Reads every thread of a model without processes as a process of its own: what-if for a question that no setting asks.
    pub as_processes: bool,
    /// Reads the profile at a path; this floor reads no files.
    pub read_profile: &'a dyn Fn(&str) -> Result<String, String>,
}

impl Default for Options<'_> {
    fn default() -> Self {
        let read_profile = &|_: &str| Err("files are not read here".to_owned());
        Options { variant: None, sets: &[], limits: Limits::default(), as_processes: false, read_profile }
    }
}

/// What a model may ask for. Each limit has a flag that an error names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a file: `--max-model-size`.
    pub file_bytes: u64,
    /// YAML nodes, aliases and parameters counted in full: `--max-nodes`.
    pub nodes: usize,
    /// Nesting of the YAML: `--max-depth`.
    pub depth: usize,
    /// Threads, all members of all processes, and as many processes: `--max-threads`.
    pub threads: u32,
    /// Cores: `--max-cores`.
    pub cores: u32,
    /// Operations of all programs: `--max-steps`.
    pub steps: u64,
    /// The event cap of a model that writes none: `--max-events`.
    pub events: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            file_bytes: 1024 * 1024,
            nodes: 200_000,
            depth: 64,
            threads: 1_000_000,
            cores: 4096,
            steps: 1_000_000,
            events: 100_000_000,
        }
    }
}

/// A model that has passed every check.
#[derive(Debug)]
pub struct Loaded {
    /// The model.
    pub scenario: Scenario,
    /// What is suspicious in it.
    pub warnings: Vec<Diagnostic>,
    /// Its variants, in the order of the file.
    pub variants: Vec<Variant>,
    /// How it is compared with actual workers.
    pub validation: Validation,
}

/// A variant that a model declares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variant {
    /// Its name.
    pub name: String,
    /// What a reader should notice.
    pub about: Option<String>,
    /// Whether it is expected to do anything.
    pub has_expectations: bool,
}

/// Reads a model and checks everything. In case of an error the answer holds all findings, errors and warnings.
pub fn load(source: &Source, options: &Options) -> Result<Loaded, Vec<Diagnostic>> {
    let mut report = Report::default();
    let loaded = read(source, options, &mut report);
    let failed = report.has_errors();
    let findings = report.finish();
    match loaded {
        Some((scenario, variants, validation)) if !failed => {
            Ok(Loaded { scenario, warnings: findings, variants, validation })
        }
        _ => Err(findings),
    }
}

fn read(source: &Source, options: &Options, report: &mut Report) -> Option<(Scenario, Vec<Variant>, Validation)> {
    let limits = &options.limits;
    let text = report.add_text(source.clone());
    let mut tree = yaml::read(text, 0, limits, report)?;
    if tree.value == Value::Nothing {
        let spot = Spot { source: text, ..Spot::default() };
        report.error(Code::E101, spot, "the model is empty").help("a model needs a name and threads or processes");
        return None;
    }
    check_variants(&tree, report);
    if let Some(variant) = options.variant {
        apply_variant(&mut tree, variant, report);
    }
    for setting in options.sets {
        patch::apply_text(&mut tree, setting, limits, report);
    }
    if options.as_processes {
        tree.rename("threads", "processes");
    }
    let unused = params::substitute(&mut tree, limits.nodes, report);
    let mut model = Model::decode(&tree, report)?;
    let variants = variants(&model);
    if let Some(variant) = options.variant {
        use_expectations(&mut model, variant);
    }
    let profile = match model.machine.as_ref().and_then(|machine| machine.value.profile.as_ref()) {
        Some(At { value, spot, .. }) => profile::load(value, *spot, options.read_profile, limits, report),
        None => profile::load("ideal", Spot::default(), options.read_profile, limits, report),
    };
    let scenario = lower::lower(&model, &profile.unwrap_or_default(), limits, report);
    let validation = lower::validation(&model, scenario.as_ref(), report);
    for (name, spot) in unused {
        report.warning(Code::W501, spot, format!("the parameter {name} is not used"));
    }
    Some((scenario?, variants, validation))
}

/// The lines of `set` of a variant in the tree.
fn settings(variant: &Node) -> &[tree::Entry] {
    variant.get("set").and_then(Node::map).unwrap_or_default()
}

/// So many settings are looked at beforehand; beyond, only those of the variant that is read.
const CHECKED: usize = 1000;

/// Looks for paths that do not exist in any variant, whichever is read. A path inside of something that the same variant sets
/// is left to the reading of that variant.
fn check_variants(tree: &Node, report: &mut Report) {
    let variants = tree.get("what_if").and_then(Node::map).unwrap_or_default();
    let mut left = CHECKED;
    for settings in variants.iter().map(|variant| settings(&variant.value)) {
        for (place, entry) in settings.iter().take(left).enumerate() {
            let path = &entry.key.text;
            if !settings[..place].iter().any(|earlier| path.starts_with(&earlier.key.text)) {
                patch::check(tree, path, entry.key.spot, report);
            }
        }
        left = left.saturating_sub(settings.len());
    }
}

fn apply_variant(tree: &mut Node, variant: &str, report: &mut Report) {
    let variants = tree.get("what_if");
    let found = variants.and_then(|variants| variants.get(variant)).map(|variant| settings(variant).to_vec());
    let Some(settings) = found else {
        let spot = variants.map_or(tree.spot, |variants| variants.spot);
        let known: Vec<&str> =
            variants.and_then(Node::map).unwrap_or_default().iter().map(|entry| entry.key.text.as_str()).collect();
        let finding = report.error(Code::E403, spot, format!("no variant \"{variant}\" under what_if"));
        finding.suggest(variant, known.iter().copied());
        finding.help(match known.is_empty() {
            true => "this model has no variants; they are declared under what_if".to_owned(),
            false => format!("variants: {}", known.join(", ")),
        });
        return;
    };
    for entry in settings {
        patch::apply(tree, &entry.key.text, entry.key.spot, entry.value, report);
    }
}

fn variants(model: &Model) -> Vec<Variant> {
    let own = model.expect.as_ref().is_some_and(|expect| !expect.value.is_empty());
    let variant = |item: &decode::Item<spec::run::Variant>| Variant {
        name: item.name.clone(),
        about: item.value.about.as_ref().map(|about| about.value.clone()),
        has_expectations: match item.value.expect.as_ref().map(|expect| &expect.value) {
            None => false,
            Some(VariantExpectations::Inherit) => own,
            Some(VariantExpectations::Lines(lines)) => !lines.is_empty(),
        },
    };
    model.what_if.as_ref().map_or(&[][..], |what_if| &what_if.value.0).iter().map(variant).collect()
}

/// A variant's expectations replace the model's; `inherit` keeps them.
fn use_expectations(model: &mut Model, variant: &str) {
    let Some(At { value: Named(items), .. }) = &model.what_if else { return };
    let Some(item) = items.iter().find(|item| item.name == variant) else { return };
    match &item.value.expect {
        Some(At { value: VariantExpectations::Inherit, .. }) => {}
        Some(At { value: VariantExpectations::Lines(lines), spot, key }) => {
            model.expect = Some(At { value: lines.clone(), spot: *spot, key: *key });
        }
        None => model.expect = None,
    }
}
