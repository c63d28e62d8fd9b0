//! The machine: cores and their speeds, scheduler, tick, costs, devices.

use crate::ids::{CoreId, DeviceId, IdVec};
use crate::model::Limits;
use crate::model::code::Code;
use crate::model::decode::At;
use crate::model::lower::scheduler;
use crate::model::report::Report;
use crate::model::scenario::{Device, Machine, MachineCosts, Quota, RunQueue};
use crate::model::spec::Model;
use crate::model::spec::machine as shapes;
use crate::model::spec::machine::{CoreList, Cores, Cost, RunQueueWord, Wakeup, WakeupCosts};
use crate::model::spec::profile::Profile;
use crate::model::tree::Spot;
use crate::ratio::{Ratio, lcm};
use crate::time::{LONGEST, Span};

/// What holds without `cores`.
const DEFAULT_CORES: u64 = 4;

/// The machine of a model. Its scale is still that of the cores alone, see [`rescale`].
pub fn machine(model: &Model, profile: &Profile, limits: &Limits, report: &mut Report) -> Machine {
    let shape = model.machine.as_ref().map(|machine| &machine.value);
    let speeds = speeds(shape.and_then(|machine| machine.cores.as_ref()), limits, report);
    let from_profile = profile.machine.as_ref().map(|machine| &machine.value);
    let layers = [
        shape.and_then(|machine| machine.costs.as_ref()).map(|costs| &costs.value),
        from_profile.and_then(|machine| machine.costs.as_ref()).map(|costs| &costs.value),
    ];
    let tick = shape.and_then(|machine| machine.tick).or(from_profile.and_then(|machine| machine.tick));
    let run_queue = match shape.and_then(|machine| machine.runqueue).map(|queue| queue.value) {
        Some(RunQueueWord::PerCore) => RunQueue::PerCore,
        _ => RunQueue::Global,
    };
    let scale = speeds.iter().fold(1, |scale, speed| lcm(scale, speed.den() as u64).unwrap_or(scale));
    Machine {
        scheduler: scheduler::scheduler(
            shape.and_then(|machine| machine.scheduler.as_ref()),
            profile,
            speeds.len(),
            report,
        ),
        cores: speeds.iter().map(|speed| (speed.num() * u128::from(scale) / speed.den()) as u64).collect(),
        scale,
        run_queue,
        tick: tick.map_or(Span::ZERO, |tick| tick.value),
        costs: costs(layers),
    }
}

/// Chooses the scale so that the factors of all interpreters are whole numbers of units too.
pub fn rescale(machine: &mut Machine, factors: impl Iterator<Item = Ratio>) {
    // Speeds and factors have at most three decimals, so the scale divides 1000.
    let scale = factors.fold(machine.scale, |scale, factor| lcm(scale, factor.den() as u64).unwrap_or(scale));
    let times = scale / machine.scale;
    machine.cores.values_mut().for_each(|speed| *speed *= times);
    machine.scale = scale;
}

fn speeds(cores: Option<&At<Cores>>, limits: &Limits, report: &mut Report) -> Vec<Ratio> {
    let (count, spot, list) = match cores {
        None => (DEFAULT_CORES, Spot::default(), None),
        Some(At { value: Cores::Count(count), spot, .. }) => (*count, *spot, None),
        Some(At { value: Cores::List(list), spot, .. }) => counted(list, *spot, report),
    };
    if count == 0 || count > u64::from(limits.cores) {
        let message = format!("{count} cores; a machine has 1 to {}", limits.cores);
        let finding = report.error(Code::E304, spot, message);
        if count > 0 {
            finding.help("raise the limit with --max-cores");
        }
        // As many as there can be, so that nothing else is misjudged for this.
        return vec![Ratio::ONE; limits.cores as usize];
    }
    let all = list.unwrap_or_default();
    (0..count as usize).map(|core| all.get(core).copied().unwrap_or(Ratio::ONE)).collect()
}

fn counted(list: &CoreList, spot: Spot, report: &mut Report) -> (u64, Spot, Option<Vec<Ratio>>) {
    let Some(speeds) = &list.speeds else {
        let count = list.count.map_or(DEFAULT_CORES, |count| count.value);
        return (count, list.count.map_or(spot, |count| count.spot), None);
    };
    if let Some(count) = list.count.filter(|count| count.value != speeds.value.len() as u64) {
        let message = format!("{} cores with {} speeds", count.value, speeds.value.len());
        report.error(Code::E105, count.spot, message).help("one speed for each core");
    }
    for speed in &speeds.value {
        let fits = speed.value > Ratio::ZERO && speed.value <= Ratio::whole(100) && 1000 % speed.value.den() == 0;
        if !fits {
            report.error(Code::E105, speed.spot, "a speed is above 0 and at most 100, with at most three decimals");
            return (speeds.value.len() as u64, spot, None);
        }
    }
    (speeds.value.len() as u64, speeds.spot, Some(speeds.value.iter().map(|speed| speed.value).collect()))
}

/// Each cost from the first layer that gives it.
fn costs(layers: [Option<&shapes::MachineCosts>; 2]) -> MachineCosts {
    let pick = |cost: fn(&shapes::MachineCosts) -> Option<At<Span>>| {
        layers.iter().flatten().find_map(|layer| cost(layer)).map_or(Span::ZERO, |cost| cost.value)
    };
    let wakeup = |item: fn(&WakeupCosts) -> Option<&At<Cost>>| {
        let layers = layers.iter().flatten().filter_map(|layer| layer.wakeup.as_ref());
        let mut found = layers.filter_map(|wakeup| match &wakeup.value {
            Wakeup::Same(Cost(length)) => Some(length.clone()),
            Wakeup::ByCore(costs) => item(costs).map(|cost| cost.value.0.clone()),
        });
        found.next().unwrap_or_default()
    };
    let slack = layers.iter().flatten().find_map(|layer| layer.timer_slack.as_ref());
    MachineCosts {
        context_switch: pick(|costs| costs.context_switch),
        wakeup_idle: wakeup(|costs| costs.idle.as_ref()),
        wakeup_busy: wakeup(|costs| costs.busy.as_ref()),
        migration: pick(|costs| costs.migration),
        cache_warmup: pick(|costs| costs.cache_warmup),
        timer_slack: slack.map_or_else(Default::default, |slack| slack.value.0.clone()),
    }
}

/// The devices of a model.
pub fn devices(model: &Model, report: &mut Report) -> IdVec<DeviceId, Device> {
    let declared = model.machine.as_ref().and_then(|machine| machine.value.devices.as_ref());
    let items = declared.map_or(&[][..], |devices| &devices.value.0);
    items
        .iter()
        .map(|item| {
            let at_once = item.value.at_once.map_or(1, |at_once| at_once.value);
            let fits = u32::try_from(at_once).ok().filter(|at_once| *at_once > 0);
            if let (None, Some(at)) = (fits, item.value.at_once) {
                report.error(Code::E105, at.spot, "a device serves at least one request at once");
            }
            Device { name: item.name.clone(), at_once: fits.unwrap_or(1) }
        })
        .collect()
}

/// Which of the named cores a thread may use, sorted.
pub fn affinity(cores: &At<Vec<At<u64>>>, existing: usize, report: &mut Report) -> Box<[CoreId]> {
    let mut found: Vec<CoreId> = Vec::new();
    for core in &cores.value {
        if core.value >= existing as u64 {
            report.error(
                Code::E105,
                core.spot,
                format!("there is no core {}; cores are 0 to {}", core.value, existing - 1),
            );
        } else {
            found.push(CoreId(core.value as u32));
        }
    }
    if cores.value.is_empty() {
        report.error(Code::E105, cores.spot, "a thread needs at least one core");
    }
    found.sort();
    found.dedup();
    found.into()
}

/// A limit on core time. Its ranges are those of Linux (`max_cfs_quota_period`, `min_cfs_quota_period`).
pub fn quota(quota: &At<shapes::Quota>, report: &mut Report) -> Option<Quota> {
    let cpu = quota.value.cpu?;
    let (least, most) = (Span::from_ms(1), Span::from_ms(1000));
    let period = quota.value.period.map_or(Span::from_ms(100), |period| period.value);
    if !(least..=most).contains(&period) {
        let spot = quota.value.period.map_or(quota.spot, |period| period.spot);
        report.error(Code::E105, spot, "a period is from 1ms to 1s");
        return None;
    }
    let budget = cpu.value.0.times(Ratio::whole(period.ns().into())).map(|ns| ns.num() / ns.den());
    match budget.and_then(|ns| u64::try_from(ns).ok()).map(Span::from_ns) {
        Some(budget) if budget >= least && budget <= LONGEST => Some(Quota { budget, period }),
        _ => {
            report.error(Code::E105, cpu.spot, "a quota is from 1ms to 1000h in each period");
            None
        }
    }
}
