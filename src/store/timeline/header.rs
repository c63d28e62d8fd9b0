//! The header: what the model says about itself, and who appears.

use std::collections::BTreeSet;

use crate::ids::{CoreId, GilId, GroupId, Id, IdVec, ObjectId, ProcId};
use crate::store::json::{Fields, Value};
use crate::store::timeline::{FORMAT, LATEST};
use crate::time::Span;
use crate::trace::{Actor, Cast, Facts, ObjectKind, Thing};

/// Why a field is not usable.
pub(super) type Wrong = String;

/// Most cores; no machine has more, and each takes memory.
const MOST_CORES: usize = 1 << 16;

pub(super) fn header(fields: &Fields<'_>) -> Result<(Facts, Cast), Wrong> {
    let format = fields.get("format").ok_or("not a timeline: a header with \"format\" is due here")?;
    if *format != Value::Number(FORMAT) {
        return Err(format!("\"format\" is {}; this version of gilsim reads format {FORMAT}", shown(format)));
    }
    if fields.get("threads").is_none() {
        return Err("the header names no \"threads\"; write the timeline again with this version of gilsim".into());
    }
    let cast = cast(fields)?;
    Ok((facts(fields, &cast)?, cast))
}

fn facts(fields: &Fields<'_>, cast: &Cast) -> Result<Facts, Wrong> {
    let Some(Value::Object(model)) = fields.get("model") else { return Err(wrong("model", "an object")) };
    let provenance = text(fields, "provenance")?;
    let known = Facts::PROVENANCES.into_iter().find(|known| *known == provenance);
    let intervals = numbers(fields, "intervals_ns", LATEST)?.into_iter().map(Span::from_ns).collect::<Vec<_>>();
    if intervals.len() != cast.gils.len() {
        return Err("\"intervals_ns\" and \"gils\" are of different length".into());
    }
    Ok(Facts {
        name: text(model, "name")?.to_string(),
        about: optional_text(fields, "about")?,
        digest: text(model, "digest")?.to_string(),
        variant: optional_text(fields, "variant")?,
        seed: number(fields, "seed", u64::MAX)?,
        profile: text(fields, "profile")?.to_string(),
        provenance: known.ok_or_else(|| wrong("provenance", &Facts::PROVENANCES.join(" or ")))?,
        semantics: number(fields, "semantics", u32::MAX.into())? as u32,
        streams: text(fields, "streams")?.to_string(),
        intervals,
        free_threaded: truth(fields, "free_threaded")?,
    })
}

fn cast(fields: &Fields<'_>) -> Result<Cast, Wrong> {
    let groups: IdVec<GroupId, String> = texts(fields, "groups")?.into_iter().collect();
    let (processes, process_groups) = processes(fields, groups.len())?;
    let cores: IdVec<CoreId, u64> = numbers(fields, "speeds", u64::MAX)?.into_iter().collect();
    if cores.len() > MOST_CORES || number(fields, "cores", u64::MAX)? != cores.len() as u64 {
        return Err(wrong("speeds", &format!("as many numbers as \"cores\" says, at most {MOST_CORES}")));
    }
    let mut cast = Cast {
        processes,
        process_groups,
        groups,
        threads: IdVec::new(),
        gils: texts(fields, "gils")?.into_iter().collect(),
        locks: texts(fields, "locks")?.into_iter().collect(),
        objects: things(fields)?,
        // Timelines of before there were any say nothing of them.
        spans: fields.get("spans").map_or(Ok(Vec::new()), |_| texts(fields, "spans"))?.into_iter().collect(),
        cores,
        scale: number(fields, "scale", u64::MAX)?.max(1),
    };
    once(cast.processes.values().map(String::as_str), "processes")?;
    once(cast.gils.values().map(String::as_str), "gils")?;
    once(cast.locks.values().map(String::as_str), "locks")?;
    once(cast.objects.values().map(|thing| thing.name.as_str()), "objects")?;
    once(cast.spans.values().map(String::as_str), "spans")?;
    let threads: Result<IdVec<_, Actor>, Wrong> =
        objects(fields, "threads")?.into_iter().map(|thread| actor(thread, &cast)).collect();
    cast.threads = threads.map_err(|what| format!("in \"threads\": {what}"))?;
    let names: Vec<String> = cast.threads.ids().map(|id| cast.full_name(id)).collect();
    once(names.iter().map(String::as_str), "threads")?;
    Ok(cast)
}

/// Shared objects other than locks; a timeline without any does not list them.
fn things(fields: &Fields<'_>) -> Result<IdVec<ObjectId, Thing>, Wrong> {
    if fields.get("objects").is_none() {
        return Ok(IdVec::new());
    }
    let thing = |object: &Fields<'_>| {
        let kind = text(object, "kind")?;
        let kinds = || ObjectKind::ALL.iter().map(|kind| kind.word()).collect::<Vec<_>>().join(", ");
        let kind = ObjectKind::from_word(kind).ok_or_else(|| wrong("kind", &format!("one of {}", kinds())))?;
        let initial = match object.get("initial") {
            Some(Value::Number(initial)) => i64::try_from(*initial).ok(),
            _ => None,
        };
        let initial = initial.ok_or_else(|| wrong("initial", "a whole number of at most 64 bits"))?;
        Ok(Thing { name: text(object, "name")?.to_string(), kind, initial })
    };
    objects(fields, "objects")?.into_iter().map(thing).collect()
}

/// Names and groups of processes.
type Processes = (IdVec<ProcId, String>, IdVec<ProcId, Option<GroupId>>);

fn processes(fields: &Fields<'_>, groups: usize) -> Result<Processes, Wrong> {
    let (mut names, mut members) = (IdVec::new(), IdVec::new());
    for process in objects(fields, "processes")? {
        names.push(text(process, "name")?.to_string());
        members.push(optional_id(process, "group", groups)?);
    }
    Ok((names, members))
}

fn actor(thread: &Fields<'_>, cast: &Cast) -> Result<Actor, Wrong> {
    let process = text(thread, "proc")?;
    let found = cast.processes.iter().find(|(_, name)| *name == process).map(|(id, _)| id);
    let factor = numbers(thread, "factor", u64::MAX)?;
    let [num, den @ 1..=u64::MAX] = factor[..] else { return Err(wrong("factor", "two numbers, the second above 0")) };
    let affinity = match thread.get("affinity") {
        Some(Value::Null) => None,
        _ => Some(cores(thread, cast)?),
    };
    Ok(Actor {
        process: found.ok_or_else(|| format!("\"proc\" names no process: \"{}\"", process.escape_debug()))?,
        name: text(thread, "thread")?.to_string(),
        group: optional_id(thread, "group", cast.groups.len())?.ok_or_else(|| wrong("group", "a number"))?,
        daemon: truth(thread, "daemon")?,
        on_start: truth(thread, "on_start")?,
        gil: optional_id::<GilId>(thread, "gil", cast.gils.len())?,
        factor: (num, den),
        affinity,
    })
}

fn cores(thread: &Fields<'_>, cast: &Cast) -> Result<Box<[CoreId]>, Wrong> {
    let most = cast.cores.len() as u64;
    let cores = numbers(thread, "affinity", most.saturating_sub(1))?;
    Ok(cores.into_iter().map(|core| CoreId(core as u32)).collect())
}

fn once<'n>(names: impl Iterator<Item = &'n str>, key: &str) -> Result<(), Wrong> {
    let mut seen = BTreeSet::new();
    for name in names {
        if !seen.insert(name) {
            return Err(format!("\"{key}\" names \"{}\" twice", name.escape_debug()));
        }
    }
    Ok(())
}

/// The sentence about a field that is missing or of another kind.
pub(super) fn wrong(key: &str, allowed: &str) -> Wrong {
    format!("\"{key}\" must be {allowed}")
}

pub(super) fn text<'f>(fields: &'f Fields<'_>, key: &str) -> Result<&'f str, Wrong> {
    match fields.get(key) {
        Some(Value::Text(text)) => Ok(text),
        _ => Err(wrong(key, "a string")),
    }
}

pub(super) fn optional_text(fields: &Fields<'_>, key: &str) -> Result<Option<String>, Wrong> {
    match fields.get(key) {
        Some(Value::Null) => Ok(None),
        Some(Value::Text(text)) => Ok(Some(text.to_string())),
        _ => Err(wrong(key, "a string or null")),
    }
}

pub(super) fn number(fields: &Fields<'_>, key: &str, most: u64) -> Result<u64, Wrong> {
    let found = fields.get(key);
    count(found, most).ok_or_else(|| wrong(key, &format!("a whole number from 0 to {most}")))
}

pub(super) fn truth(fields: &Fields<'_>, key: &str) -> Result<bool, Wrong> {
    match fields.get(key) {
        Some(Value::Truth(truth)) => Ok(*truth),
        _ => Err(wrong(key, "true or false")),
    }
}

pub(super) fn optional_id<K: Id>(fields: &Fields<'_>, key: &str, many: usize) -> Result<Option<K>, Wrong> {
    match fields.get(key) {
        Some(Value::Null) => Ok(None),
        found => {
            let place = count(found, u64::MAX).filter(|place| *place < many as u64);
            place
                .map(|place| Some(K::new(place as usize)))
                .ok_or_else(|| wrong(key, &format!("null or a number below {many}")))
        }
    }
}

pub(super) fn objects<'f, 'l>(fields: &'f Fields<'l>, key: &str) -> Result<Vec<&'f Fields<'l>>, Wrong> {
    let object = |value: &'f Value<'l>| if let Value::Object(object) = value { Some(object) } else { None };
    let Some(Value::List(items)) = fields.get(key) else { return Err(wrong(key, "a list of objects")) };
    items.iter().map(|item| object(item).ok_or_else(|| wrong(key, "a list of objects"))).collect()
}

pub(super) fn texts(fields: &Fields<'_>, key: &str) -> Result<Vec<String>, Wrong> {
    let text = |value: &Value<'_>| if let Value::Text(text) = value { Some(text.to_string()) } else { None };
    let Some(Value::List(items)) = fields.get(key) else { return Err(wrong(key, "a list of strings")) };
    items.iter().map(|item| text(item).ok_or_else(|| wrong(key, "a list of strings"))).collect()
}

fn numbers(fields: &Fields<'_>, key: &str, most: u64) -> Result<Vec<u64>, Wrong> {
    let allowed = || wrong(key, &format!("a list of whole numbers from 0 to {most}"));
    let Some(Value::List(items)) = fields.get(key) else { return Err(allowed()) };
    items.iter().map(|item| count(Some(item), most).ok_or_else(allowed)).collect()
}

fn count(value: Option<&Value<'_>>, most: u64) -> Option<u64> {
    let Some(Value::Number(number)) = value else { return None };
    u64::try_from(*number).ok().filter(|number| *number <= most)
}

/// A value in a sentence.
pub(super) fn shown(value: &Value<'_>) -> String {
    match value {
        Value::Null => "null".into(),
        Value::Truth(truth) => truth.to_string(),
        Value::Number(number) => number.to_string(),
        Value::Text(text) => format!("\"{}\"", text.chars().take(40).collect::<String>().escape_debug()),
        Value::List(_) => "a list".into(),
        Value::Object(_) => "an object".into(),
    }
}
