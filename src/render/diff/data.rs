//! `diff --format json`. Stable; keys are only ever added.

use std::fmt::{self, Write};

use crate::analysis::diff::{Amount, Class, Difference, Moment, Row, Told};
use crate::render::diff::{DiffReport, DiffSide, verdict_sentence};
use crate::render::jsonl::json_record;
use crate::render::object::{Object, document};
use crate::render::{FORMAT, VERSION};
use crate::trace::Cast;

/// Writes a comparison.
pub fn diff_json(out: &mut impl Write, report: &DiffReport<'_>) -> fmt::Result {
    let comparison = report.comparison;
    document(out, |o| {
        o.number("format", FORMAT)?;
        o.text("gilsim", VERSION)?;
        o.truth("same", comparison.is_same())?;
        o.text("verdict", &verdict_sentence(report))?;
        o.object("a", |o| side(o, &report.a))?;
        o.object("b", |o| side(o, &report.b))?;
        o.objects("changed", comparison.rows.iter().filter(|row| row.differs()), changed)?;
        o.objects("setup", &comparison.setup, |o, setup| {
            o.text("what", setup.what)?;
            o.text("a", &setup.a)?;
            o.text("b", &setup.b)
        })?;
        o.objects("differences", &comparison.differences, |o, difference| one(o, report, difference))?;
        o.number("consequences", comparison.differences.iter().map(Difference::consequences).sum::<u64>())?;
        o.number("ignored", comparison.ignored)
    })
}

fn side(o: &mut Object<'_>, side: &DiffSide<'_>) -> fmt::Result {
    o.text("name", side.name)?;
    o.text("model", &side.facts.name)?;
    o.text("model_digest", &side.facts.digest)?;
    o.optional_text("variant", side.facts.variant.as_deref())?;
    o.text("provenance", side.facts.provenance)?;
    o.number("records", side.records)?;
    o.text("timeline_digest", &side.digest.hex())
}

fn changed(o: &mut Object<'_>, row: &Row) -> fmt::Result {
    o.text("metric", row.name)?;
    for (key, amount) in [("a", row.a), ("b", row.b)] {
        match amount {
            Amount::Time(span) => o.number(&format!("{key}_ns"), span.ns())?,
            Amount::Number(number) => o.text(key, &number.to_decimals(3))?,
        }
    }
    Ok(())
}

fn one(o: &mut Object<'_>, report: &DiffReport<'_>, difference: &Difference) -> fmt::Result {
    o.text("class", difference.class.word())?;
    o.number("times", difference.times)?;
    o.number("consequences", difference.consequences())?;
    o.object("follows", |o| {
        let counts = Class::ALL.iter().zip(difference.follows).filter(|(_, count)| *count > 0);
        counts.into_iter().try_for_each(|(class, count)| o.number(class.word(), count))
    })?;
    o.object("a", |o| told(o, report.a.cast, &difference.a))?;
    o.object("b", |o| told(o, report.b.cast, &difference.b))
}

fn told(o: &mut Object<'_>, cast: &Cast, told: &Told) -> fmt::Result {
    o.optional_text("thread", told.thread.map(|thread| cast.full_name(thread)).as_deref())?;
    optional(o, "record", cast, told.moment.as_ref())?;
    optional(o, "doing", cast, told.doing.as_ref())?;
    o.objects("causes", &told.causes, |o, moment| json_record(o, cast, moment.index, &moment.record))
}

fn optional(o: &mut Object<'_>, key: &str, cast: &Cast, moment: Option<&Moment>) -> fmt::Result {
    match moment {
        Some(moment) => o.object(key, |o| json_record(o, cast, moment.index, &moment.record)),
        None => o.optional_text(key, None),
    }
}
