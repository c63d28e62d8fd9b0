//! Names that would be taken for each other.

use std::collections::BTreeMap;

use crate::model::code::Code;
use crate::model::lower::declared::Objects;
use crate::model::lower::plan::Plan;
use crate::model::report::Report;
use crate::model::tree::Spot;

/// Checks that no member is called like something that is declared, and that there is one main thread in a process.
pub fn check(objects: &Objects, plan: &Plan, report: &mut Report) {
    check_members(objects, plan, report);
    for process in &plan.processes {
        for group in process.groups.iter().filter(|group| group.name == "main" && !process.single) {
            check_main(group.count, group.spot, group.daemon(), report);
        }
    }
}

fn check_main(count: u32, spot: Spot, daemon: bool, report: &mut Report) {
    if count > 1 {
        report
            .error(Code::E109, spot, "the thread called main is the main thread, and a process has one")
            .help("choose another name");
    }
    if daemon {
        report.error(Code::E209, spot, "the main thread is never a daemon");
    }
}

fn check_members(objects: &Objects, plan: &Plan, report: &mut Report) {
    let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
    let mut declared: Vec<(&str, Spot)> = Vec::new();
    for process in &plan.processes {
        if plan.declared {
            counts.insert(process.name, process.count);
            declared.push((process.name, process.spot));
        }
        for group in process.groups.iter().filter(|_| !process.single) {
            let most = counts.entry(group.name).or_default();
            *most = group.count.max(*most);
            declared.push((group.name, group.spot));
        }
    }
    declared.extend(objects.all.iter().map(|object| (object.name, object.spot)));
    for (name, spot) in declared {
        let Some((group, number)) = name.rsplit_once('-') else { continue };
        let is_member = number.parse::<u32>().is_ok_and(|index| {
            let count = counts.get(group).copied().unwrap_or(0);
            index.to_string() == number && count > 1 && (1..=count).contains(&index)
        });
        if is_member {
            report.error(Code::E109, spot, format!("\"{name}\" is also the name of a member of \"{group}\""));
        }
    }
}
