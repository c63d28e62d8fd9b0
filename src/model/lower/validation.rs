//! The `validate` block: the grammar of its metrics and the names that they select.

use crate::model::code::Code;
use crate::model::decode::At;
use crate::model::expect_parse;
use crate::model::lower::expectations::{Names, tell};
use crate::model::report::Report;
use crate::model::scenario::Scenario;
use crate::model::spec::Model;
use crate::model::spec::run as shapes;
use crate::model::validation::{Known, Listed, Validation};

/// Reads the block; selectors are checked where there is a scenario to check them against.
pub fn read(model: &Model, scenario: Option<&Scenario>, report: &mut Report) -> Validation {
    let Some(At { value: shape, .. }) = &model.validate else { return Validation::default() };
    let names = scenario.map(|scenario| Names::of(scenario, model));
    let metrics = shape.metrics.as_ref().map_or(&[][..], |metrics| &metrics.value);
    let known = shape.known.as_ref().map_or(&[][..], |known| &known.value);
    if let Some(runs) = shape.runs.filter(|runs| runs.value == 0) {
        report.error(Code::E105, runs.spot, "runs must be above 0");
    }
    Validation {
        runs: shape.runs.map_or(Validation::default().runs, |runs| runs.value),
        tolerance: shape.tolerance.map(|tolerance| tolerance.value.0),
        metrics: metrics.iter().filter_map(|metric| listed(metric, names.as_ref(), report)).collect(),
        known: known.iter().filter_map(|known| self::known(known, report)).collect(),
    }
}

fn listed(text: &At<String>, names: Option<&Names>, report: &mut Report) -> Option<Listed> {
    let (aggregate, metric) = match expect_parse::parse_metric(&text.value) {
        Ok(parsed) => parsed,
        Err(fault) => {
            tell(fault, text.spot, report);
            return None;
        }
    };
    if let Some((kind, selector, known)) = names.and_then(|names| names.unknown(&metric)) {
        let finding = report.error(Code::E402, text.spot, format!("no {kind} called \"{selector}\""));
        finding.suggest(selector, known.iter().map(String::as_str));
    }
    Some(Listed { text: text.value.clone(), aggregate, metric })
}

fn known(at: &At<shapes::Known>, report: &mut Report) -> Option<Known> {
    let shapes::Known { metric, least, most, because } = &at.value;
    let (Some(metric), Some(least), Some(most), Some(because)) = (metric, least, most, because) else {
        let finding = report.error(Code::E108, at.spot, "a known divergence needs metric, least, most and because");
        finding
            .help("least and most bound measured / predicted: {metric: makespan, least: 1.1, most: 1.3, because: …}");
        return None;
    };
    if least.value > most.value {
        report.error(Code::E105, least.spot, "least is above most");
        return None;
    }
    Some(Known { metric: metric.value.clone(), least: least.value, most: most.value, because: because.value.clone() })
}
