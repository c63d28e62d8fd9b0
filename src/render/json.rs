//! `--format json`: everything a program may want to know of a run. Stable; keys are only ever added.

use std::fmt::{self, Write};

use crate::analysis::{ObjectMetrics, Outcome, Samples, ThreadMetrics};
use crate::ids::ThreadId;
use crate::render::jsonl::identity;
use crate::render::object::{Object, document};
use crate::render::report::Report;
use crate::render::spans::PERCENTILES;
use crate::time::{Instant, Span};
use crate::trace::{Cast, Ending, Thing};

/// Writes the result of a run.
pub fn json(out: &mut impl Write, report: &Report<'_>) -> fmt::Result {
    document(out, |o| result(o, report))
}

/// The keys of a result, for outputs that hold it among other things.
pub(in crate::render) fn result(o: &mut Object<'_>, report: &Report<'_>) -> fmt::Result {
    let (facts, metrics) = (report.facts, report.metrics);
    identity(o, facts)?;
    o.object("ending", |o| ending(o, report))?;
    o.object("metrics", |o| totals(o, report))?;
    o.objects("threads", report.cast.threads.ids(), |o, id| thread(o, report, id))?;
    o.objects("gils", report.cast.gils.ids(), |o, id| {
        let gil = &metrics.gils[id];
        o.text("name", &report.cast.gils[id])?;
        o.number("busy_ns", gil.busy.ns())?;
        o.number("switches", gil.switches)?;
        o.number("forced", gil.forced)?;
        o.number("requests", gil.requests)
    })?;
    o.objects("cores", report.cast.cores.ids(), |o, id| {
        o.number("id", id.0)?;
        o.number("busy_ns", metrics.cores[id].busy.ns())?;
        o.number("overhead_ns", metrics.cores[id].overhead.ns())
    })?;
    o.objects("locks", report.cast.locks.ids(), |o, id| {
        o.text("name", &report.cast.locks[id])?;
        o.number("held_ns", metrics.locks[id].ns())
    })?;
    o.objects("objects", report.cast.objects.iter(), |o, (id, thing)| object_numbers(o, thing, &metrics.objects[id]))?;
    o.objects("spans", report.cast.spans.ids(), |o, id| {
        let span = &metrics.spans[id];
        o.text("name", &report.cast.spans[id])?;
        o.number("begun", span.begun)?;
        let throughput = span.throughput(metrics.makespan).map(|rate| rate.to_decimals(3));
        o.optional_text("throughput", throughput.as_deref())?;
        o.object("latency_ns", |o| {
            samples(o, &span.latency)?;
            o.optional_number("mean", span.latency.mean().map(Span::ns))?;
            o.truth("exact", span.latency.is_exact())
        })
    })?;
    o.objects("output", &metrics.output, |o, line| {
        o.number("at_ns", line.at.ns())?;
        who(o, report.cast, line.thread)?;
        o.text("text", &line.text)
    })?;
    o.objects("expectations", report.outcomes, expectation)?;
    o.object("invariants", |o| invariants(o, report))?;
    o.number("events", report.events)?;
    o.number("records", metrics.records)?;
    o.text("timeline_digest", &report.digest.hex())
}

fn ending(o: &mut Object<'_>, report: &Report<'_>) -> fmt::Result {
    o.text("kind", report.metrics.ending_word())?;
    o.number("at_ns", report.metrics.end.ns())?;
    let (detail, threads) = ending_parts(report.metrics.ending.as_ref(), report.cast);
    o.text("detail", &detail)?;
    o.texts("threads", threads.iter().map(String::as_str))
}

/// What an ending has to say, and the full names of the threads it names.
pub(in crate::render) fn ending_parts(ending: Option<&Ending>, cast: &Cast) -> (String, Vec<String>) {
    let names = |threads: &[ThreadId]| threads.iter().map(|id| cast.full_name(*id)).collect::<Vec<_>>();
    match ending {
        None | Some(Ending::Finished | Ending::Horizon) => (String::new(), Vec::new()),
        Some(Ending::Deadlock { cycle }) => {
            let waits = cycle.iter().map(|wait| {
                let holder = wait.holder.map(|holder| format!(" ({})", cast.full_name(holder))).unwrap_or_default();
                format!("{} waits for {}{holder}", cast.full_name(wait.thread), wait.what)
            });
            (waits.collect::<Vec<_>>().join("; "), cycle.iter().map(|wait| cast.full_name(wait.thread)).collect())
        }
        Some(Ending::Livelock { threads } | Ending::EventCap { threads }) => (String::new(), names(threads)),
        Some(Ending::ModelError { code, thread, detail }) => (format!("{code}: {detail}"), names(&[*thread])),
    }
}

/// A shared object other than a lock: what it held at the end, and for how long how much.
fn object_numbers(o: &mut Object<'_>, thing: &Thing, numbers: &ObjectMetrics) -> fmt::Result {
    o.text("name", &thing.name)?;
    o.text("kind", thing.kind.word())?;
    o.number("last", numbers.last)?;
    o.objects("held", &numbers.times, |o, (value, time)| {
        o.number("value", *value)?;
        o.number("time_ns", time.ns())
    })
}

fn totals(o: &mut Object<'_>, report: &Report<'_>) -> fmt::Result {
    let metrics = report.metrics;
    let gils = metrics.all_gils();
    o.number("makespan_ns", metrics.makespan.ns())?;
    o.number("work_ns", metrics.total(ThreadMetrics::work).ns())?;
    o.number("python_work_ns", metrics.total(|thread| thread.python_work).ns())?;
    o.number("native_work_ns", metrics.total(|thread| thread.native_work).ns())?;
    o.text("cores_busy", &metrics.cores_busy().to_decimals(3))?;
    o.number("max_running", metrics.max_running)?;
    o.number("max_in_python", metrics.max_in_python)?;
    o.number("gil_busy_ns", gils.busy.ns())?;
    o.number("gil_switches", gils.switches)?;
    o.number("gil_forced", gils.forced)?;
    o.number("gil_requests", gils.requests)?;
    o.number("context_switches", metrics.count(|thread| thread.switches))?;
    o.number("preemptions", metrics.count(|thread| thread.preemptions))?;
    o.number("migrations", metrics.count(|thread| thread.migrations))?;
    o.text("fairness", &metrics.fairness(report.cast.threads.ids()).to_decimals(3))
}

fn thread(o: &mut Object<'_>, report: &Report<'_>, id: ThreadId) -> fmt::Result {
    let (actor, thread) = (&report.cast.threads[id], &report.metrics.threads[id]);
    let instant = |at: Option<Instant>| at.map(Instant::ns);
    o.text("process", &report.cast.processes[actor.process])?;
    o.text("name", &actor.name)?;
    o.text("group", &report.cast.groups[actor.group])?;
    o.truth("daemon", actor.daemon)?;
    o.optional_number("arrival_ns", instant(thread.arrival))?;
    o.optional_number("first_run_ns", instant(thread.first_run))?;
    o.optional_number("finish_ns", instant(thread.finish))?;
    o.optional_number("exit", report.metrics.exits[actor.process])?;
    o.object("states_ns", |o| thread.states.iter().try_for_each(|(state, time)| o.number(state.word(), time.ns())))?;
    o.number("python_work_ns", thread.python_work.ns())?;
    o.number("native_work_ns", thread.native_work.ns())?;
    o.object("each_wait_gil_ns", |o| samples(o, &thread.each_wait_gil))?;
    o.number("switches", thread.switches)?;
    o.number("preemptions", thread.preemptions)?;
    o.number("migrations", thread.migrations)?;
    if thread.jobs.released == 0 {
        return Ok(());
    }
    o.object("jobs", |o| {
        o.number("released", thread.jobs.released)?;
        o.number("finished", thread.jobs.finished)?;
        o.number("misses", thread.jobs.misses)?;
        o.object("response_ns", |o| samples(o, &thread.jobs.responses))?;
        o.object("turnaround_ns", |o| samples(o, &thread.jobs.turnarounds))
    })
}

fn samples(o: &mut Object<'_>, samples: &Samples) -> fmt::Result {
    let ns = |span: Option<Span>| span.map(Span::ns);
    o.number("count", samples.count())?;
    if samples.is_empty() {
        return Ok(());
    }
    for (name, percent) in PERCENTILES {
        o.optional_number(name, ns(samples.percentile(percent)))?;
    }
    o.optional_number("max", ns(samples.largest()))
}

fn expectation(o: &mut Object<'_>, outcome: &Outcome) -> fmt::Result {
    o.text("text", &outcome.text)?;
    o.truth("holds", outcome.holds)?;
    o.text("value", &outcome.value)?;
    o.optional_text("because", outcome.because.as_deref())?;
    let Some(miss) = &outcome.miss else { return Ok(()) };
    o.object("miss", |o| {
        o.text("who", &miss.who)?;
        o.text("value", &miss.value)?;
        o.text("bound", &miss.bound)?;
        o.optional_text("distance", miss.distance.as_deref())
    })
}

fn invariants(o: &mut Object<'_>, report: &Report<'_>) -> fmt::Result {
    o.number("checked", report.invariants.checked() as u64)?;
    o.number("hold", report.invariants.hold() as u64)?;
    o.objects("broken", report.invariants.broken(), |o, (number, at, sentence)| {
        o.number("number", number as u64)?;
        o.number("at_ns", at.ns())?;
        o.text("text", sentence)
    })
}

/// A thread by its two names.
fn who(o: &mut Object<'_>, cast: &Cast, thread: ThreadId) -> fmt::Result {
    let actor = &cast.threads[thread];
    o.text("process", &cast.processes[actor.process])?;
    o.text("thread", &actor.name)
}
