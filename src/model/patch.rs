//! Settings: `path=value` changes the tree before it is decoded, so that every check runs on what was changed.

use crate::model::Limits;
use crate::model::code::Code;
use crate::model::diagnostic::Source;
use crate::model::report::Report;
use crate::model::tree::{Entry, Key, Node, Spot, Value, crop};
use crate::model::yaml;

/// A setting from the command line, `path=value` with the value in flow YAML.
pub fn apply_text(tree: &mut Node, setting: &str, limits: &Limits, report: &mut Report) {
    let source = report.add_text(Source { name: "--set".to_owned(), text: setting.to_owned() });
    let whole = Spot { source, start: 0, end: u32::try_from(setting.len()).unwrap_or(u32::MAX) };
    let Some((path, _)) = setting.split_once('=') else {
        report.error(Code::E403, whole, "a setting is path=value").help("as in --set machine.cores=2");
        return;
    };
    if let Some(value) = yaml::read(source, path.len() + 1, limits, report) {
        apply(tree, path.trim(), whole.part(0, path.len()), value, report);
    }
}

/// Sets the value at a path, or reports that the path does not exist.
pub fn apply(tree: &mut Node, path: &str, spot: Spot, value: Node, report: &mut Report) {
    if check(tree, path, spot, report) {
        set(tree, path, spot, value);
    }
}

/// Whether a path exists, or can; if not, that is reported.
pub fn check(tree: &Node, path: &str, spot: Spot, report: &mut Report) -> bool {
    let Err(obstacle) = locate(tree, path) else { return true };
    let message = format!("path \"{}\" does not exist: {}", crop(path), obstacle.reason);
    let finding = report.error(Code::E403, spot, message);
    finding.suggest(&obstacle.word, obstacle.known.iter().map(String::as_str));
    false
}

/// At most so many names are searched for one that may have been meant.
const KNOWN: usize = 1000;

/// Why a path cannot be followed.
struct Obstacle {
    reason: String,
    word: String,
    known: Vec<String>,
}

fn locate(tree: &Node, path: &str) -> Result<(), Obstacle> {
    let parts: Vec<&str> = path.split('.').collect();
    let mut node = Some(tree);
    for (depth, part) in parts.iter().enumerate() {
        let (before, last) = (&parts[..depth], depth + 1 == parts.len());
        if part.is_empty() {
            return Err(blocked("a part of it is empty"));
        }
        node = match node.map(|node| &node.value) {
            // A map that does not exist yet can be made.
            None | Some(Value::Nothing) => absent(&[], before, part, last)?,
            Some(Value::Map(entries)) => match entries.iter().find(|entry| entry.key.text == *part) {
                Some(entry) => Some(&entry.value),
                None => absent(entries, before, part, last)?,
            },
            Some(Value::List(items)) => Some(item(items, before, part)?),
            // `scheduler: fair` is short for `scheduler: {fair: {}}`.
            Some(Value::Scalar(scalar)) if scalar.text == *part && !last => None,
            Some(Value::Scalar(_)) => return Err(blocked(format!("{} is a single value", before.join(".")))),
        };
    }
    Ok(())
}

fn blocked(reason: impl Into<String>) -> Obstacle {
    Obstacle { reason: reason.into(), word: String::new(), known: Vec::new() }
}

/// A part that is not there can be made, unless it is the name of something that the author would have declared.
fn absent<'n>(entries: &[Entry], before: &[&str], part: &str, last: bool) -> Result<Option<&'n Node>, Obstacle> {
    let must_exist = holds_names(before) && (!last || before == ["params"]);
    if !must_exist {
        return Ok(None);
    }
    Err(Obstacle {
        reason: format!("{} has no {}", before.join("."), crop(part)),
        word: part.to_owned(),
        known: entries.iter().take(KNOWN).map(|entry| entry.key.text.clone()).collect(),
    })
}

fn item<'n>(items: &'n [Node], before: &[&str], part: &str) -> Result<&'n Node, Obstacle> {
    let index = part.parse::<usize>().ok();
    index.and_then(|index| items.get(index)).ok_or_else(|| {
        let list = before.join(".");
        blocked(match items.len() {
            0 => format!("the list {list} is empty"),
            length => format!("the items of {list} are numbered 0 to {}", length - 1),
        })
    })
}

/// Whether the keys of the map at this path are names that the author chose.
fn holds_names(path: &[&str]) -> bool {
    const NAMED: &[&str] = &[
        "locks",
        "semaphores",
        "queues",
        "events",
        "conditions",
        "barriers",
        "variables",
        "pools",
        "threads",
        "processes",
        "params",
        "what_if",
    ];
    match path {
        [only] => NAMED.contains(only),
        ["machine", "devices"] | ["processes", _, "threads"] => true,
        _ => false,
    }
}

/// Follows a path that [`locate`] has found possible, makes what is missing, and puts the value at its end.
fn set(tree: &mut Node, path: &str, spot: Spot, value: Node) {
    let mut node = tree;
    for part in path.split('.') {
        if !matches!(node.value, Value::Map(_) | Value::List(_)) {
            *node = Node { spot, value: Value::Map(Vec::new()) };
        }
        let next = match &mut node.value {
            Value::Map(entries) => child(entries, part, path, spot),
            Value::List(items) => part.parse::<usize>().ok().and_then(|index| items.get_mut(index)),
            _ => None,
        };
        let Some(next) = next else { return };
        node = next;
    }
    *node = value;
}

fn child<'n>(entries: &'n mut Vec<Entry>, part: &str, path: &str, spot: Spot) -> Option<&'n mut Node> {
    let place = entries.iter().position(|entry| entry.key.text == part).unwrap_or_else(|| {
        let key = Key { text: part.to_owned(), spot, patched: Some(path.to_owned()) };
        entries.push(Entry { key, value: Node { spot, value: Value::Nothing } });
        entries.len() - 1
    });
    entries.get_mut(place).map(|entry| &mut entry.value)
}
