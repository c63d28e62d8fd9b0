//! One record: the words and names of a line back into numbers.

use std::collections::BTreeMap;

use crate::ids::{CoreId, Id, IdVec, ProcId, ThreadId};
use crate::model::Code;
use crate::store::json::{Fields, Value};
use crate::store::timeline::LATEST;
use crate::store::timeline::header::{
    Wrong, number, objects, optional_id, optional_text, shown, text, texts, truth, wrong,
};
use crate::time::{Instant, Span};
use crate::trace::{Cast, Ending, GilAct, JobAct, LockAct, ObjectAct, Record, SpanAct, State, WaitsFor, What, Why};

/// The kinds of records.
const KINDS: [&str; 12] =
    ["state", "dispatch", "gil", "lock", "object", "job", "span", "quota", "output", "account", "exit", "end"];

/// Reads the records of one timeline.
pub(super) struct Decoder<'c> {
    cast: &'c Cast,
    processes: BTreeMap<&'c str, ProcId>,
    threads: BTreeMap<(ProcId, &'c str), ThreadId>,
    gils: BTreeMap<&'c str, u32>,
    locks: BTreeMap<&'c str, u32>,
    objects: BTreeMap<&'c str, u32>,
    spans: BTreeMap<&'c str, u32>,
    states: IdVec<ThreadId, Option<State>>,
}

fn places<K: Id>(names: &IdVec<K, String>) -> BTreeMap<&str, u32> {
    names.iter().map(|(id, name)| (name.as_str(), id.index() as u32)).collect()
}

impl<'c> Decoder<'c> {
    pub fn new(cast: &'c Cast) -> Decoder<'c> {
        Decoder {
            cast,
            processes: cast.processes.iter().map(|(id, name)| (name.as_str(), id)).collect(),
            threads: cast.threads.iter().map(|(id, actor)| ((actor.process, actor.name.as_str()), id)).collect(),
            gils: places(&cast.gils),
            locks: places(&cast.locks),
            objects: cast.objects.iter().map(|(id, thing)| (thing.name.as_str(), id.0)).collect(),
            spans: places(&cast.spans),
            states: IdVec::filled(cast.threads.len(), None),
        }
    }

    /// The record of a line that should have this index.
    pub fn record(&mut self, index: u64, fields: &Fields<'_>) -> Result<Record, Wrong> {
        let found = number(fields, "i", u64::MAX)?;
        if found != index {
            return Err(format!("\"i\" is {found}; records are numbered without gaps, and {index} is due"));
        }
        let cause = match fields.get("cause") {
            Some(Value::Null) => None,
            _ => Some(number(fields, "cause", u64::MAX)?),
        };
        if cause.is_some_and(|cause| cause >= index) {
            return Err(format!(
                "\"cause\" is {}; a cause comes before its record, {index}",
                cause.unwrap_or_default()
            ));
        }
        let at = Instant::from_ns(number(fields, "t", LATEST)?);
        Ok(Record { at, what: self.what(fields)?, cause })
    }

    fn what(&mut self, fields: &Fields<'_>) -> Result<What, Wrong> {
        match text(fields, "kind")? {
            "state" => self.state(fields),
            "dispatch" => self.dispatch(fields),
            "gil" => self.gil(fields),
            "lock" => self.lock(fields),
            "object" => self.object(fields),
            "job" => self.job(fields),
            "span" => self.span(fields),
            "quota" => Ok(What::Quota { process: self.process(fields)?, throttled: truth(fields, "throttled")? }),
            "output" => Ok(What::Output { thread: self.thread(fields)?, text: text(fields, "text")?.to_string() }),
            "account" => self.account(fields),
            "exit" => self.exit(fields),
            "end" => Ok(What::End { ending: self.ending(fields)? }),
            _ => Err(choice(fields, "kind", &KINDS)),
        }
    }

    fn state(&mut self, fields: &Fields<'_>) -> Result<What, Wrong> {
        let thread = self.thread(fields)?;
        let from = match fields.get("from") {
            Some(Value::Null) => None,
            _ => Some(state(fields, "from")?),
        };
        let to = state(fields, "to")?;
        let before = self.states[thread].replace(to);
        if before != from {
            let before = before.map_or("null".into(), |state| format!("\"{}\"", state.word()));
            return Err(format!("\"from\" must be {before}, the state that this thread was in"));
        }
        let core = self.core(fields)?;
        if core.is_some() != to.on_core() {
            let allowed =
                if to.on_core() { "a number: this state is one on a core" } else { "null: this state is one off core" };
            return Err(wrong("core", allowed));
        }
        let why = text(fields, "why")?;
        let why = Why::from_word(why).ok_or_else(|| words(fields, "why", Why::ALL.iter().map(|why| why.word())))?;
        Ok(What::State { thread, from, to, core, why })
    }

    fn dispatch(&self, fields: &Fields<'_>) -> Result<What, Wrong> {
        let preempted = optional_text(fields, "preempted")?;
        Ok(What::Dispatch {
            core: self.core(fields)?.ok_or_else(|| wrong("core", "a number"))?,
            thread: self.thread(fields)?,
            switched: truth(fields, "switched")?,
            migrated: truth(fields, "migrated")?,
            preempted: preempted.map(|name| self.full(&name)).transpose()?,
        })
    }

    fn gil(&self, fields: &Fields<'_>) -> Result<What, Wrong> {
        let thread = self.thread(fields)?;
        let act = match text(fields, "act")? {
            "request" => GilAct::Request,
            "grant" => GilAct::Grant { switched: truth(fields, "switched")? },
            "drop" => GilAct::Drop { forced: truth(fields, "forced")? },
            _ => return Err(choice(fields, "act", &["request", "grant", "drop"])),
        };
        Ok(What::Gil { gil: named(fields, "gil", &self.gils)?, thread, act })
    }

    fn lock(&self, fields: &Fields<'_>) -> Result<What, Wrong> {
        let thread = self.thread(fields)?;
        let act = match text(fields, "act")? {
            "acquire" => LockAct::Acquire,
            "release" => LockAct::Release,
            "hand-over" => LockAct::HandOver,
            _ => return Err(choice(fields, "act", &["acquire", "release", "hand-over"])),
        };
        Ok(What::Lock { lock: named(fields, "lock", &self.locks)?, thread, act })
    }

    fn object(&self, fields: &Fields<'_>) -> Result<What, Wrong> {
        let act = text(fields, "act")?;
        let acts = || ObjectAct::ALL.iter().map(|act| act.word());
        let act = ObjectAct::from_word(act).ok_or_else(|| words(fields, "act", acts()))?;
        let value = match fields.get("value") {
            Some(Value::Number(value)) => i64::try_from(*value).ok(),
            _ => None,
        };
        Ok(What::Object {
            object: named(fields, "object", &self.objects)?,
            thread: self.thread(fields)?,
            act,
            value: value.ok_or_else(|| wrong("value", "a whole number of at most 64 bits"))?,
        })
    }

    fn job(&self, fields: &Fields<'_>) -> Result<What, Wrong> {
        let word = text(fields, "act")?;
        let act = JobAct::ALL.into_iter().find(|act| act.word() == word);
        Ok(What::Job {
            thread: self.thread(fields)?,
            number: number(fields, "number", u64::MAX)?,
            released: Instant::from_ns(number(fields, "released", LATEST)?),
            act: act.ok_or_else(|| words(fields, "act", JobAct::ALL.into_iter().map(JobAct::word)))?,
        })
    }

    fn span(&self, fields: &Fields<'_>) -> Result<What, Wrong> {
        let word = text(fields, "act")?;
        let act = SpanAct::ALL.into_iter().find(|act| act.word() == word);
        let act = act.ok_or_else(|| words(fields, "act", SpanAct::ALL.iter().map(|act| act.word())))?;
        Ok(What::Span { span: named(fields, "span", &self.spans)?, thread: self.thread(fields)?, act })
    }

    fn account(&self, fields: &Fields<'_>) -> Result<What, Wrong> {
        let span = |key| number(fields, key, LATEST).map(Span::from_ns);
        Ok(What::Account {
            thread: self.thread(fields)?,
            python_work: span("python_work_ns")?,
            native_work: span("native_work_ns")?,
            demanded: span("demanded_ns")?,
            finished: truth(fields, "finished")?,
        })
    }

    fn exit(&self, fields: &Fields<'_>) -> Result<What, Wrong> {
        let code = match fields.get("code") {
            Some(Value::Number(code)) => i32::try_from(*code).ok(),
            _ => None,
        };
        Ok(What::Exit { process: self.process(fields)?, code: code.ok_or_else(|| wrong("code", "an exit code"))? })
    }

    fn ending(&self, fields: &Fields<'_>) -> Result<Ending, Wrong> {
        let threads = || texts(fields, "threads")?.iter().map(|name| self.full(name)).collect::<Result<Vec<_>, _>>();
        Ok(match text(fields, "ending")? {
            "finished" => Ending::Finished,
            "horizon" => Ending::Horizon,
            "deadlock" => Ending::Deadlock { cycle: self.cycle(fields)? },
            "livelock" => Ending::Livelock { threads: threads()? },
            "event-cap" => Ending::EventCap { threads: threads()? },
            "model-error" => {
                let allowed = || wrong("detail", "a code as E204, a colon and a sentence, with one thread");
                let (code, detail) = text(fields, "detail")?.split_once(": ").ok_or_else(allowed)?;
                let code = Code::from_word(code).ok_or_else(allowed)?.word();
                let [thread] = threads()?[..] else { return Err(allowed()) };
                Ending::ModelError { code, thread, detail: detail.to_string() }
            }
            _ => {
                let words = ["finished", "horizon", "deadlock", "livelock", "event-cap", "model-error"];
                return Err(choice(fields, "ending", &words));
            }
        })
    }

    fn cycle(&self, fields: &Fields<'_>) -> Result<Vec<WaitsFor>, Wrong> {
        let wait = |wait: &Fields<'_>| {
            let holder = optional_text(wait, "holder")?;
            Ok(WaitsFor {
                thread: self.full(text(wait, "thread")?)?,
                what: text(wait, "what")?.to_string(),
                holder: holder.map(|holder| self.full(&holder)).transpose()?,
            })
        };
        objects(fields, "cycle")?.into_iter().map(wait).collect()
    }

    fn core(&self, fields: &Fields<'_>) -> Result<Option<CoreId>, Wrong> {
        optional_id(fields, "core", self.cast.cores.len())
    }

    fn process(&self, fields: &Fields<'_>) -> Result<ProcId, Wrong> {
        let name = text(fields, "proc")?;
        self.processes.get(name).copied().ok_or_else(|| unknown(fields, "proc"))
    }

    fn thread(&self, fields: &Fields<'_>) -> Result<ThreadId, Wrong> {
        let process = self.process(fields)?;
        let name = text(fields, "thread")?;
        self.threads.get(&(process, name)).copied().ok_or_else(|| unknown(fields, "thread"))
    }

    /// A thread by its full name.
    fn full(&self, name: &str) -> Result<ThreadId, Wrong> {
        // Processes' names have no slash, so the first one separates.
        let parts = name.split_once('/');
        let found = parts.and_then(|(process, thread)| self.threads.get(&(*self.processes.get(process)?, thread)));
        found.copied().ok_or_else(|| format!("the header knows no thread \"{}\"", name.escape_debug()))
    }
}

fn named<K: Id>(fields: &Fields<'_>, key: &str, names: &BTreeMap<&str, u32>) -> Result<K, Wrong> {
    let name = text(fields, key)?;
    names.get(name).map(|place| K::new(*place as usize)).ok_or_else(|| unknown(fields, key))
}

fn state(fields: &Fields<'_>, key: &str) -> Result<State, Wrong> {
    let word = text(fields, key)?;
    State::from_word(word).ok_or_else(|| words(fields, key, State::ALL.iter().map(|state| state.word())))
}

fn unknown(fields: &Fields<'_>, key: &str) -> Wrong {
    let found = fields.get(key).map(shown).unwrap_or_default();
    format!("\"{key}\" is {found}, whom the header does not name")
}

fn choice(fields: &Fields<'_>, key: &str, allowed: &[&str]) -> Wrong {
    words(fields, key, allowed.iter().copied())
}

fn words<'w>(fields: &Fields<'_>, key: &str, allowed: impl Iterator<Item = &'w str>) -> Wrong {
    let found = fields.get(key).map(shown).unwrap_or_default();
    format!("\"{key}\" is {found}; allowed are {}", allowed.collect::<Vec<_>>().join(", "))
}
