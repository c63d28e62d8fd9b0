//! Expectations: their grammar, and whether their selectors select something.

use std::collections::BTreeSet;

use crate::model::code::Code;
use crate::model::expect::{Claim, Expectation, Metric, Scope, Value};
use crate::model::expect_parse::{self, Fault};
use crate::model::report::Report;
use crate::model::scenario::{self, Scenario, Thread};
use crate::model::spec::Model;
use crate::model::spec::run::{ExpectLine, VariantExpectations};
use crate::model::tree::{Form, Node, Spot, crop};

/// Reads the expectations that hold, and looks through those of all variants.
pub fn read(model: &Model, report: &mut Report) -> Vec<Expectation> {
    let own = model.expect.as_ref().map_or(&[][..], |expect| &expect.value);
    let expectations = own.iter().filter_map(|line| read_line(&line.value, report)).collect();
    let variants = model.what_if.as_ref().map_or(&[][..], |what_if| &what_if.value.0);
    for expect in variants.iter().filter_map(|variant| variant.value.expect.as_ref()) {
        if let VariantExpectations::Lines(lines) = &expect.value {
            lines.iter().for_each(|line| drop(read_line(&line.value, report)));
        }
    }
    expectations
}

fn read_line(line: &ExpectLine, report: &mut Report) -> Option<Expectation> {
    match expect_parse::parse(&line.that) {
        Ok(claim) => Some(Expectation { text: line.that.clone(), because: line.because.clone(), claim }),
        Err(fault) => {
            let (from, to) = fault.at;
            tell(fault, part(&line.node, from, to), report);
            None
        }
    }
}

pub(super) fn tell(fault: Fault, spot: Spot, report: &mut Report) {
    if fault.code == Code::E110 {
        report.not_simulated(&format!("metric {}", fault.message), spot);
        return;
    }
    let finding = report.error(fault.code, spot, fault.message);
    if let Some((word, known)) = fault.unknown {
        finding.suggest(&word, known);
    }
    if let Some(help) = fault.help {
        finding.help(help);
    }
}

/// The place of a part of an expectation's text. Where escapes or folding shift the text, it is the whole of it.
fn part(node: &Node, from: usize, to: usize) -> Spot {
    let length = (node.spot.end - node.spot.start) as usize;
    match node.scalar() {
        Some(scalar) if scalar.form != Form::Quoted && scalar.text.len() == length => node.spot.part(from, to),
        Some(scalar) if scalar.form == Form::Quoted && scalar.text.len() + 2 == length => {
            node.spot.part(from + 1, to + 1)
        }
        _ => node.spot,
    }
}

/// Checks the selectors of a scenario's expectations against its names.
pub fn check(scenario: &Scenario, model: &Model, report: &mut Report) {
    let lines = model.expect.as_ref().map_or(&[][..], |expect| &expect.value);
    if lines.is_empty() {
        return;
    }
    let names = Names::of(scenario, model);
    for line in lines {
        let Ok(Claim::Metric { metric, value, .. }) = expect_parse::parse(&line.value.that) else { continue };
        names.check(&metric, &line.value, report);
        if let Value::Times(_, other) = &value {
            names.check(other, &line.value, report);
        }
    }
}

/// The names that selectors can mean.
pub(super) struct Names {
    threads: BTreeSet<String>,
    processes: BTreeSet<String>,
    locks: BTreeSet<String>,
    queues: BTreeSet<String>,
    variables: BTreeSet<String>,
    spans: BTreeSet<String>,
    /// What can be counted: kinds of things, and stretches of work.
    counted: BTreeSet<String>,
}

impl Names {
    /// Names of groups without members are names too: what they select is nothing, and what is said of it holds.
    pub(super) fn of(scenario: &Scenario, model: &Model) -> Names {
        let groups = scenario.groups().values().map(|group| group.name.clone());
        let mut threads: BTreeSet<String> = groups.collect();
        // A process without members makes no groups of threads.
        let declared = model.processes.as_ref().map_or(&[][..], |processes| &processes.value.0);
        let listed = declared.iter().filter_map(|process| process.value.threads.as_ref());
        threads.extend(listed.flat_map(|listed| listed.value.names()).map(str::to_owned));
        let mut processes: BTreeSet<String> =
            scenario.processes().values().map(|process| process.name.clone()).collect();
        processes.extend(declared.iter().map(|process| process.name.clone()));
        threads.extend(processes.iter().cloned());
        for thread in scenario.threads().values() {
            let Thread { name, process, .. } = thread;
            threads.insert(name.clone());
            threads.insert(format!("{}/{name}", scenario.processes()[*process].name));
        }
        let declared = model.locks.as_ref().map_or(&[][..], |locks| &locks.value.0);
        let mut locks: BTreeSet<String> = declared.iter().map(|lock| lock.name.clone()).collect();
        locks.extend(scenario.locks().values().map(|lock| lock.name.clone()));
        let spans: BTreeSet<String> = scenario.spans().values().cloned().collect();
        let counted = spans.iter().cloned().chain(["thread", "process", "gil"].map(str::to_owned)).collect();
        let (queues, variables) = (BTreeSet::new(), BTreeSet::new());
        let mut names = Names { threads, processes, locks, queues, variables, spans, counted };
        let declared = model.queues.as_ref().map_or(&[][..], |queues| &queues.value.0);
        names.queues.extend(declared.iter().map(|queue| queue.name.clone()));
        let declared = model.variables.as_ref().map_or(&[][..], |variables| &variables.value.0);
        names.variables.extend(declared.iter().map(|variable| variable.name.clone()));
        for object in scenario.objects().values() {
            match object.form {
                scenario::Form::Queue { .. } | scenario::Form::ProcessQueue { .. } => {
                    names.queues.insert(object.name.clone())
                }
                scenario::Form::Variable { .. } => names.variables.insert(object.name.clone()),
                _ => false,
            };
        }
        names
    }

    /// What a selector that selects nothing was meant to name, the selector, and the names there are.
    pub(super) fn unknown<'m>(&self, metric: &'m Metric) -> Option<(&'static str, &'m str, &BTreeSet<String>)> {
        let selector = metric.selector.as_deref()?;
        let (kind, known) = match metric.name.scope() {
            Scope::Threads | Scope::RunOrThreads => ("thread, group or process", &self.threads),
            Scope::Processes => ("process", &self.processes),
            Scope::Lock => ("lock", &self.locks),
            Scope::Queue => ("queue", &self.queues),
            Scope::Variable => ("variable", &self.variables),
            Scope::Span => ("span", &self.spans),
            Scope::Kind => ("thread, process, gil or span", &self.counted),
            Scope::Run => return None,
        };
        (!selects(selector, known)).then_some((kind, selector, known))
    }

    fn check(&self, metric: &Metric, line: &ExpectLine, report: &mut Report) {
        let Some((kind, selector, known)) = self.unknown(metric) else { return };
        let start = line.that.find(&format!("({selector}")).or_else(|| line.that.find(selector)).unwrap_or(0);
        let from = start + usize::from(line.that[start..].starts_with('('));
        let spot = part(&line.node, from, from + selector.len());
        let finding = report.error(Code::E402, spot, format!("no {kind} called \"{}\"", crop(selector)));
        finding.suggest(selector, known.iter().map(String::as_str));
    }
}

fn selects(selector: &str, known: &BTreeSet<String>) -> bool {
    let Some(prefix) = selector.strip_suffix('*') else { return known.contains(selector) };
    let begins = known.range(prefix.to_owned()..).next().is_some_and(|name| name.starts_with(prefix));
    // A group without members, or with one, still answers to `group-*`.
    let group = prefix.strip_suffix("-1").or_else(|| prefix.strip_suffix('-'));
    begins || group.is_some_and(|group| known.contains(group))
}
