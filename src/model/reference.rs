//! The reference pages, generated from the declarations that also read models.

use std::fmt::Write;

use crate::model::code::Code;
use crate::model::decode::Decode;
use crate::model::expect::{MetricName, Scope, Unit};
use crate::model::profile::BUILT_IN;
use crate::model::program::Length;
use crate::model::spec::shape::Section;
use crate::model::spec::verbs::{Takes, VERBS, Verb};
use crate::model::spec::{NOT_SIMULATED, sections};

/// The width of generated paragraphs.
const WIDTH: usize = 110;

/// The page of `gilsim help format`.
pub fn help_format() -> String {
    let mut page = String::from(
        "THE MODEL FORMAT\n\nA model is one YAML document. Every field has a default except the name and the steps.\n\
         A duration is a plain decimal number and its unit: ns, us, ms, s, min, h.\n",
    );
    for section in sections() {
        page.push_str(&section_text(&section));
    }
    page.push('\n');
    page.push_str(RULES);
    page.push('\n');
    page.push_str(&help_steps());
    page.push_str("\nT is ");
    page.push_str(&Length::kind());
    page.push_str(".\n\nPROFILES\n");
    for (name, text) in BUILT_IN {
        let _ = write!(page, "\n{name}:\n{}", indented(text));
    }
    page.push_str(
        "\nNOT SIMULATED YET\n\nThe format knows these, and a model that uses them is refused with E110.\n\n",
    );
    for (_, what) in NOT_SIMULATED {
        let _ = writeln!(page, "  {what}");
    }
    page
}

/// What no single field says.
const RULES: &str = "\
RULES
  Names begin with a letter and have at most 63 letters, digits, _ and -. The members of a group with count: 3 are
  name-1, name-2, name-3; no other name may equal one of them.
  $name, without quotes, stands for the value of params.name, anywhere but in params and what_if.
  A path, in what_if.set and --set, is the keys from the top with dots between them; list items by number from 0, as in
  threads.worker.do.0.cpu. It may name fields that are not written; declared names must exist. Variants are applied first,
  then --set in order. A variant's expect replaces the model's; expect: inherit keeps them; without it, nothing is expected.
  A group that some step starts does not start by itself. start and join look for threads of the same process first, then
  for processes.
  The thread called main is MainThread. The others are Thread-1, Thread-2 … in declaration order, since 3.10 with the name
  of their group. The first process has the process id 1000, the next one 1001, and so on in declaration order.
  Every process has its own locks, called process/lock where the model declares processes.
  Random draws of a thread come from the stream process/group#member (process#member/group#member where the model declares
  processes), arrivals from group/arrivals.
  A span begins at the arrival of its thread, if that is its first step, or else when the step before has ended; waiting for
  a core and the GIL before its first step belongs to it. It ends when its last step has ended.
  A quota is that of one member of a process, for all its threads. Its first period begins with the process; what is not used
  is lost; when it is used up, all threads lose their cores until the next period, and the holder of the GIL keeps the GIL.
  Costs of the model win over those of the profile, item by item; a process's python block wins over the model's.
";

fn section_text(section: &Section) -> String {
    let mut text = format!("\n{}\n{}\n\n", section.word.to_uppercase(), section.about);
    for field in &section.fields {
        let path = format!("{}.{}", section.word, field.key);
        let later = NOT_SIMULATED.iter().any(|(listed, _)| *listed == path);
        let _ = writeln!(text, "  {}: {}{}", field.key, field.kind, if later { "  (not simulated yet)" } else { "" });
        let default = match field.default {
            "required" => " (required)".to_owned(),
            "" => String::new(),
            default => format!(" (default: {default})"),
        };
        wrapped(&mut text, &format!("{}{default}", field.doc), "      ");
    }
    text
}

/// The page of `gilsim help steps`.
pub fn help_steps() -> String {
    let mut page = String::from(
        "STEPS\nA step is one verb with its value and its companions. core, GIL: what it needs while it lasts.\n\n",
    );
    for verb in VERBS {
        let later = NOT_SIMULATED.iter().any(|(path, _)| path.strip_prefix("step.") == Some(verb.word));
        let needs = match (verb.core, verb.gil) {
            ("", "") => String::new(),
            ("", gil) => format!(" [GIL: {gil}]"),
            (core, gil) => format!(" [core: {core}, GIL: {gil}]"),
        };
        let _ = writeln!(page, "  {}{}", usage(verb), if later { "  (not simulated yet)" } else { "" });
        wrapped(&mut page, &format!("{}{needs}", verb.doc), "      ");
    }
    page
}

fn usage(verb: &Verb) -> String {
    let value = match verb.takes {
        Takes::Length => "T",
        Takes::Times => "N | forever",
        Takes::Name(kind) => kind,
        Takes::Text => "text",
        Takes::Threads => "threads",
        Takes::Branches => "list of <branch>",
        Takes::Task => "<task>",
    };
    let companions: String = verb.companions.iter().map(|companion| format!(", {companion}: …")).collect();
    format!("{}: {value}{companions}", verb.word)
}

/// The page of `gilsim help metrics`.
pub fn help_metrics() -> String {
    let mut page = String::from(
        "METRICS\nAn expectation is `[any|all|max|min|mean|total|p50|p95|p99] metric op value [within percent]`, \
         `deadlock == true|false`,\n`output contains \"text\"`, or `time of \"text\" op duration`. \
         op is one of == <= >= < > about.\nA value is a duration, a number, `20% of metric` or `1.5 x metric`.\n\n",
    );
    for metric in MetricName::ALL {
        let selector = match metric.scope() {
            Scope::Run => "",
            Scope::Threads => "(T)",
            Scope::RunOrThreads => " | (T)",
            Scope::Processes => "(P)",
            Scope::Lock => "(L)",
            Scope::Queue => "(Q)",
            Scope::Variable => "(V)",
            Scope::Kind => "(thread|process|gil|S)",
            Scope::Span => "(S)",
        };
        let unit = match metric.unit() {
            Unit::Time => "time",
            Unit::Number => "number",
        };
        let _ = writeln!(page, "  {}{selector}: {unit}", metric.word());
        wrapped(&mut page, metric.definition(), "      ");
    }
    page
}

/// The page of `gilsim help errors`.
pub fn help_errors() -> String {
    let mut page = String::from("ERRORS AND WARNINGS\n");
    for code in Code::ALL {
        let _ = writeln!(page, "\n{} {}", code.word(), code.title());
        wrapped(&mut page, code.explain(), "  ");
    }
    page
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {line}\n")).collect()
}

/// Appends a paragraph with lines of at most [`WIDTH`] characters.
fn wrapped(page: &mut String, text: &str, indent: &str) {
    let mut width = 0;
    for word in text.split_whitespace() {
        let length = word.chars().count() + 1;
        if width == 0 || width + length > WIDTH {
            page.push_str(if width == 0 { indent } else { "\n" });
            page.push_str(if width == 0 { "" } else { indent });
            width = indent.len();
        } else {
            page.push(' ');
        }
        page.push_str(word);
        width += length;
    }
    page.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_format_page_names_every_field_verb_and_gap() {
        let page = help_format();
        for section in sections() {
            for field in section.fields {
                assert!(page.contains(&format!("  {}: ", field.key)), "{}", field.key);
            }
        }
        assert!(VERBS.iter().all(|verb| page.contains(&format!("\n  {}: ", verb.word))));
        assert!(NOT_SIMULATED.iter().all(|(_, what)| page.contains(what)));
        assert!(page.lines().all(|line| line.chars().count() <= 240));
    }

    #[test]
    fn every_code_and_metric_is_explained() {
        assert!(Code::ALL.iter().all(|code| help_errors().contains(&format!("\n{} {}\n", code.word(), code.title()))));
        assert!(MetricName::ALL.iter().all(|metric| help_metrics().contains(&format!("  {}", metric.word()))));
    }
}
