//! A calibration as a profile: YAML whose comments say how each number was obtained and how sure it is.

use std::fmt::Write;

use crate::backend::calibrate::{Calibration, Figure, PythonFigures};
use crate::time::Span;

/// The file.
pub(super) fn yaml(found: &Calibration, name: &str) -> String {
    let mut out = String::new();
    head(&mut out, found);
    let _ = writeln!(out, "name: {name}");
    let _ = writeln!(out, "about: measured on {} by gilsim calibrate", found.date);
    machine(&mut out, found);
    python(&mut out, found);
    let _ = writeln!(out, "fair:");
    let _ = writeln!(out, "  # Not measured: Linux 6.15 and later, sysctl_sched_base_slice.");
    let _ = writeln!(out, "  base: 0.7ms");
    let _ = writeln!(out, "  scaling: logarithmic");
    out
}

fn head(out: &mut String, found: &Calibration) {
    let unknown = || "unknown".to_owned();
    let host = &found.host;
    let _ = writeln!(out, "# Measured by gilsim calibrate on {}. Medians; the spread stands in brackets.", found.date);
    let _ = writeln!(out, "# host: {}, {} usable cores", host.cpu.clone().unwrap_or_else(unknown), host.usable_cores);
    let _ = writeln!(out, "# kernel: Linux {}", host.kernel.clone().unwrap_or_else(unknown));
    for python in &found.pythons {
        let error = python.error.as_ref().map(|error| format!(": NOT MEASURED, {}", one_line(error)));
        let _ = writeln!(out, "# interpreter: CPython {}{}", python.name, error.unwrap_or_default());
    }
    let share = |share: Option<f64>| share.map_or_else(unknown, |share| format!("{:.0} %", share * 100.0));
    let (foreign, steal) = (share(found.noise.foreign), share(found.noise.steal));
    let _ = writeln!(out, "# meanwhile others used {foreign} of the host, and the hypervisor gave away {steal}");
    if found.noise.foreign.is_some_and(|share| share > 0.05) || found.noise.steal.is_some_and(|share| share > 0.01) {
        let _ = writeln!(out, "# NOT MEASURED WELL: the host was not quiet. Measure again when it is.");
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A line with its value, or a comment where there is none.
fn line(out: &mut String, indent: &str, key: &str, value: Option<Span>, says: &str) {
    match value {
        Some(value) => {
            let _ = writeln!(out, "{indent}{key}: {} # {says}", value.short());
        }
        None => {
            let _ = writeln!(out, "{indent}# {key}: left out. {says}");
        }
    }
}

fn machine(out: &mut String, found: &Calibration) {
    let _ = writeln!(out, "machine:");
    let tick = match found.host.hz {
        Some(hz) => format!("HZ={hz}, read from the kernel's configuration"),
        None => format!("from the pauses on one core. {}", found.turns.says()),
    };
    line(out, "  ", "tick", found.tick(), &tick);
    let _ = writeln!(out, "  costs:");
    line(out, "    ", "context_switch", found.context_switch.median(), &found.context_switch.says());
    let _ = writeln!(out, "    wakeup:");
    line(out, "      ", "idle", found.wakeup(), &format!("GIL hand-off. {}", found.gap.says()));
    let ping_pong = found.wakeup_idle.as_ref().map_or_else(|| "one core only".to_owned(), Figure::says);
    let _ = writeln!(out, "      # compare: {ping_pong}");
    let busy = found.condvar.median().zip(found.context_switch.median()).map(|(one, two)| one.less(two));
    line(out, "      ", "busy", busy, &format!("less the context switch. {}", found.condvar.says()));
    let _ = writeln!(out, "    migration: 0us # not measured");
    let slack = match found.slack_is_of_holds() {
        true => format!("less two wake-ups. {}", found.hold.says()),
        false => format!("timed wait of 5ms less a wake-up, see below; not near what holds say: {}", found.hold.says()),
    };
    line(out, "    ", "timer_slack", found.timer_slack(), &slack);
    for (what, figures) in [("timed wait", &found.waits), ("sleep", &found.sleeps)] {
        for (length, figure) in figures {
            let _ = writeln!(out, "    # compare: {what} of {length}, late by {}", figure.says());
        }
    }
    let _ = writeln!(out, "    # compare: turns on one core. {}", found.turns.says());
}

/// How often a signal is stolen by who asked.
fn stolen(out: &mut String, python: Option<&PythonFigures>) {
    let how = "turns of eight computing threads that went straight back to who had asked";
    let measured = python.and_then(|python| Some((python, python.stolen_signals()?)));
    let _ = match measured {
        Some((python, percent)) => {
            let (back, all) = python.returns;
            writeln!(out, "  stolen_signals: {percent}% # {back} of {all} {how}")
        }
        None => writeln!(out, "  stolen_signals: 40% # NOT MEASURED here, that of another machine: {how}"),
    };
}

fn python(out: &mut String, found: &Calibration) {
    let _ = writeln!(out, "python:");
    let _ = writeln!(out, "  next_holder: futex # glibc's condition variable; not measured");
    let first = found.pythons.first();
    stolen(out, first);
    let _ = writeln!(out, "  costs:");
    let figure = |name: &str| first.and_then(|python| python.figure(name));
    for name in ["thread_start", "fork", "spawn", "forkserver", "interpreter_start"] {
        let own = figure(name).filter(|figure| figure.median().is_some());
        let says = own.map_or_else(|| "no interpreter here does it".to_owned(), Figure::says);
        match (name, own) {
            ("thread_start", None) => line(out, "    ", name, found.thread_start.median(), &found.thread_start.says()),
            _ => line(out, "    ", name, own.and_then(Figure::median), &says),
        }
    }
    let _ = writeln!(out, "    import_main: 0ms # depends on the program, so not guessed");
    let _ = writeln!(out, "    gil_take: 0us # below what can be measured beside the wake-up that follows");
    let _ = writeln!(out, "    gil_drop: 0us");
    let _ = writeln!(
        out,
        "    free_threading_factor: {{\"3.13\": 1.4, \"3.14\": 1.1}} # not measured: CPython's own account"
    );
    for python in &found.pythons {
        for (name, figure) in &python.figures {
            let _ = writeln!(out, "    # CPython {}, {name}: {}", python.name, figure.says());
        }
    }
}
