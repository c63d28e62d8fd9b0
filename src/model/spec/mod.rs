//! The shapes of the model format, each declared once: reader and reference page come from the same declaration.

pub mod length;
pub mod machine;
pub mod objects;
pub mod profile;
pub mod python;
pub mod run;
pub mod shape;
pub mod steps;
pub mod threads;
pub mod verbs;

use crate::model::code::Code;
use crate::model::decode::{Anything, At, Named};
use crate::model::report::Report;
use crate::model::tree::Node;
use shape::{Section, section, shape};

/// The parts of the format that are not simulated yet: where they stand, and what they are. The reader refuses them, and the
/// reference page lists them, from this one table.
pub const NOT_SIMULATED: &[(&str, &str)] =
    &[("model.pools", "pools"), ("step.submit", "submit, pools"), ("step.gather", "gather, pools")];

shape! {
    /// The whole file.
    Model "model" {
        /// version of the format
        format: u64 = "1";
        /// what the model is called
        name: String = "required";
        /// what a reader should notice
        about: String = "none";
        /// the hardware and its operating system
        machine: machine::Machine = "4 cores, fair, no costs";
        /// defaults for every process
        python: python::Python = "3.13 with a GIL";
        /// what `with`, `acquire` and `release` name
        locks: Named<objects::Lock> = "none";
        /// what `with`, `acquire` and `release` name, too
        semaphores: Named<objects::Semaphore> = "none";
        /// what `put` and `get` name
        queues: Named<objects::Queue> = "none";
        /// what `set`, `clear` and `wait` name
        events: Named<objects::Event> = "none";
        /// what `notify`, `notify_all` and `wait` name
        conditions: Named<objects::Condition> = "none";
        /// what `barrier` names
        barriers: Named<objects::Barrier> = "none";
        /// integers for race lessons
        variables: Named<i64> = "none";
        /// what `submit` and `gather` name
        pools: Named<objects::Pool> = "none";
        /// the threads of one process called main
        threads: Named<threads::ThreadWithSteps> = "either these or processes";
        /// each with its own memory, interpreter and GIL
        processes: Named<threads::Process> = "either these or threads";
        /// horizon, seed, event cap
        run: run::Run = "to the end, seed 1";
        /// what must hold; checked by run, check, sweep and validate
        expect: Vec<At<run::ExpectLine>> = "nothing";
        /// how the model is compared with actual workers
        validate: run::Validate = "of the command";
        /// named values, used as $name anywhere a value stands
        params: Named<Anything> = "none";
        /// named variants of this very model
        what_if: Named<run::Variant> = "none";
    } then check_model
}

fn check_model(model: &Model, node: &Node, report: &mut Report) {
    if node.get("name").is_none() {
        report.error(Code::E108, node.spot, "a model needs a name").help("name: what it shows");
    }
    match (node.entry("threads"), node.entry("processes")) {
        (Some(_), Some(processes)) => {
            let finding =
                report.error(Code::E103, processes.key.spot, "a model has either threads or processes, not both");
            finding.help("processes may list their threads");
        }
        (None, None) => {
            report.error(Code::E103, node.spot, "a model needs threads or processes");
        }
        _ => {}
    }
    if let Some(format) = model.format.filter(|format| format.value != 1) {
        report.error(Code::E105, format.spot, "this version reads format 1");
    }
}

/// Shapes that have exactly one of several fields.
pub const ALTERNATIVES: &[(&str, &[&str])] =
    &[("model", &["threads", "processes"]), ("process", &["do", "threads"]), ("arrivals", &["every", "poisson"])];

/// The sections of the reference page, in the order in which a reader meets them.
pub fn sections() -> Vec<Section> {
    vec![
        section::<Model>(),
        section::<machine::Machine>(),
        section::<machine::CoreList>(),
        section::<machine::PolicyParameters>(),
        section::<machine::Device>(),
        section::<machine::MachineCosts>(),
        section::<machine::WakeupCosts>(),
        section::<python::Python>(),
        section::<python::PythonCosts>(),
        section::<objects::Lock>(),
        section::<objects::Semaphore>(),
        section::<objects::Queue>(),
        section::<objects::Event>(),
        section::<objects::Condition>(),
        section::<objects::Barrier>(),
        section::<objects::Pool>(),
        section::<threads::Thread>(),
        section::<threads::ArrivalsMap>(),
        section::<threads::Process>(),
        section::<steps::Branch>(),
        section::<steps::Task>(),
        section::<length::Pareto>(),
        section::<machine::Quota>(),
        section::<run::Run>(),
        section::<run::Because>(),
        section::<run::Validate>(),
        section::<run::Known>(),
        section::<run::Variant>(),
    ]
}
