//! Named values: `$work` stands for the value of `params.work`.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::code::Code;
use crate::model::report::Report;
use crate::model::tree::{Entry, Form, Node, Scalar, Spot, Value, crop};

/// Puts the values of `params` in place of their names, everywhere but in `params` and `what_if` themselves. At most `limit`
/// nodes are added. Returns the parameters that nothing names.
pub fn substitute(tree: &mut Node, limit: usize, report: &mut Report) -> Vec<(String, Spot)> {
    let Value::Map(entries) = &mut tree.value else { return Vec::new() };
    let values = declared(entries, report);
    let mut work = Substitution { values, used: BTreeSet::new(), left: limit, report };
    for entry in entries.iter_mut().filter(|entry| !matches!(entry.key.text.as_str(), "params" | "what_if")) {
        work.visit(&mut entry.value);
    }
    let unused = work.values.iter().filter(|(name, _)| !work.used.contains(*name));
    unused.map(|(name, (spot, _))| (name.clone(), *spot)).collect()
}

fn declared(entries: &[Entry], report: &mut Report) -> BTreeMap<String, (Spot, Node)> {
    let params = entries.iter().find(|entry| entry.key.text == "params").and_then(|entry| entry.value.map());
    let mut values = BTreeMap::new();
    for Entry { key, value } in params.unwrap_or_default() {
        if reference(value).is_some() {
            report.error(Code::E108, value.spot, "a parameter's value cannot be another parameter");
        }
        values.insert(key.text.clone(), (key.spot, value.clone()));
    }
    values
}

/// The name in an unquoted `$name`.
fn reference(node: &Node) -> Option<&str> {
    match &node.value {
        Value::Scalar(Scalar { text, form: Form::Word }) => {
            text.strip_prefix('$').filter(|name| name.starts_with(|first: char| first.is_ascii_alphabetic()))
        }
        _ => None,
    }
}

struct Substitution<'r> {
    values: BTreeMap<String, (Spot, Node)>,
    used: BTreeSet<String>,
    left: usize,
    report: &'r mut Report,
}

impl Substitution<'_> {
    fn visit(&mut self, node: &mut Node) {
        if let Some(name) = reference(node).map(str::to_owned) {
            return self.replace(node, name);
        }
        match &mut node.value {
            Value::List(items) => items.iter_mut().for_each(|item| self.visit(item)),
            Value::Map(entries) => entries.iter_mut().for_each(|entry| self.visit(&mut entry.value)),
            _ => {}
        }
    }

    fn replace(&mut self, node: &mut Node, name: String) {
        let Some((_, value)) = self.values.get(&name) else {
            let known = self.values.keys().map(String::as_str);
            let finding = self.report.error(Code::E203, node.spot, format!("no parameter called \"{}\"", crop(&name)));
            finding.suggest(&name, known).help("parameters are declared under params");
            self.report.mute(node.spot);
            return;
        };
        let size = size(value);
        if size > self.left {
            self.report
                .error(Code::E101, node.spot, "too many nodes after parameters")
                .help("raise the limit with --max-nodes");
            return;
        }
        self.left -= size;
        self.report.comes_from(node.spot, value.spot, format!("${name} is declared here"));
        // The top of the value is shown where it is used; what is inside of it, where it is written.
        *node = Node { spot: node.spot, value: value.value.clone() };
        self.used.insert(name);
    }
}

fn size(node: &Node) -> usize {
    1 + match &node.value {
        Value::List(items) => items.iter().map(size).sum(),
        Value::Map(entries) => entries.iter().map(|entry| size(&entry.value)).sum(),
        _ => 0,
    }
}
