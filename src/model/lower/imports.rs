//! Top-level code: who runs it, and who imports it again.
//!
//! A child made by spawn or forkserver has nothing of its parent's memory. It imports the file of the program's main module
//! (`multiprocessing/spawn.py`, `_fixup_main_from_path`), under the name `__mp_main__`, and so runs again whatever does not
//! stand under the main guard.

use std::collections::BTreeSet;

use crate::model::code::Code;
use crate::model::lower::plan::{Plan, ProcessPlan};
use crate::model::lower::references::{Target, target};
use crate::model::lower::starts::{Starters, starters};
use crate::model::report::Report;
use crate::model::scenario::StartMethod;
use crate::model::spec::steps::{Action, Step};

/// Finds out who imports whose main module again, and checks what that means.
pub fn settle(plan: &mut Plan, report: &mut Report) {
    let starters = starters(plan);
    starters.keys().for_each(|target| mark(plan, *target));
    for here in 0..plan.processes.len() {
        plan.processes[here].imports = imports(plan, &starters, here);
    }
    plan.processes.iter().for_each(|process| without_effect(process, report));
    let programs: BTreeSet<usize> = plan.processes.iter().filter_map(|process| process.imports).collect();
    for program in programs {
        starts_at_import(plan, program, report);
    }
}

/// Marks what some step starts.
fn mark(plan: &mut Plan, target: Target) {
    match target {
        Target::Threads(process, group) => plan.processes[process].groups[group].started = true,
        Target::Process(process) => plan.processes[process].started = true,
    }
}

/// The process whose main module the members of a process import again: whoever started the program.
fn imports(plan: &Plan, starters: &Starters, here: usize) -> Option<usize> {
    let process = &plan.processes[here];
    let method = process.python.as_ref().map(|python| python.start_method);
    if !process.started || method.is_none_or(|method| method == StartMethod::Fork) {
        return None;
    }
    let mut seen = BTreeSet::from([here]);
    let mut program = here;
    while plan.processes[program].started {
        let starters = starters.get(&Target::Process(program)).into_iter().flatten();
        program = starters.map(|(process, _)| *process).find(|process| seen.insert(*process))?;
    }
    Some(program)
}

/// Modules that nobody runs, or that nobody could run.
fn without_effect(process: &ProcessPlan, report: &mut Report) {
    let Some(first) = process.module.0.first() else { return };
    if process.python.is_none() {
        report.error(Code::E209, first.spot, "a native process has no module");
    } else if process.started {
        let message = format!("\"{}\" is a child: it has the main module of its program", process.name);
        report.warning(Code::W507, first.spot, message).help("write module at the process that starts the others");
    } else if process.main_group().is_none() {
        let finding = report.error(Code::E209, first.spot, "no thread to run the module: it is the main thread's");
        finding.help("add a thread called main");
    }
}

/// A start of a process that children run into while they import the module: that is what the main guard is for.
fn starts_at_import(plan: &Plan, program: usize, report: &mut Report) {
    let process = &plan.processes[program];
    let child = plan.processes.iter().find(|child| child.imports == Some(program)).expect("somebody imports it");
    let mut first: Option<(Target, &Step)> = None;
    for steps in plan.top_level(child) {
        steps.each(&mut |step| {
            if let Action::Start { group, .. } = &step.action
                && let Some(target) = target(plan, program, &group.value)
            {
                first.get_or_insert((target, step));
            }
        });
    }
    match first {
        Some((Target::Process(_), step)) => {
            let spot =
                process.python.as_ref().and_then(|python| python.main_guard).map_or(step.spot, |guard| guard.spot);
            let message =
                format!("children of \"{}\" import this module again, and their first start raises", process.name);
            let finding = report.warning(Code::W506, spot, message);
            finding.help("Python needs such starts under if __name__ == \"__main__\": main_guard: true, and under do");
        }
        Some((Target::Threads(..), step)) => {
            let message = "a child that imports this module again would start threads that it does not have";
            let finding = report.error(Code::E209, step.spot, message);
            finding.help("start threads under the main guard, or after the first process");
        }
        None => {}
    }
}
