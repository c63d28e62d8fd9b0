//! Walks through programs beforehand: what random lengths they will need, and how much time they demand in all.
//!
//! The draws come from the same named streams as in a simulation, so prediction and measurement do the same.

use std::collections::BTreeMap;

use crate::ids::ThreadId;
use crate::model::{Cursor, Length, Op, Scenario};
use crate::rng::Stream;
use crate::time::Span;

/// No thread of a real run needs more steps than this.
const MOST_STEPS: u64 = 5_000_000;
/// No thread of a real run needs more random lengths than this.
const MOST_DRAWS: usize = 500_000;

/// What a thread will do.
#[derive(Debug, Default)]
pub(super) struct Walk {
    /// For every purpose (`cpu`, `native`, `io`, `sleep`) its random lengths, in order.
    pub draws: BTreeMap<&'static str, Vec<u64>>,
    /// The sum of all lengths up to the horizon.
    pub demand: Span,
    /// Whether the walk was given up: the program is too long for a real run.
    pub too_long: bool,
}

/// Walks through a thread's program, to its end or until its own steps alone reach the horizon.
pub(super) fn walk(scenario: &Scenario, thread: ThreadId) -> Walk {
    let declared = &scenario.threads()[thread];
    let program = &scenario.programs()[declared.program];
    let mut streams: BTreeMap<&'static str, Stream> = BTreeMap::new();
    let mut walk = Walk::default();
    let mut cursor = Cursor::default();
    let horizon = scenario.run().until.map(|until| Span::from_ns(until.ns()));
    let mut steps = 0;
    while let Some(op) = cursor.fetch(program) {
        steps += 1;
        if steps > MOST_STEPS || walk.draws.values().any(|drawn| drawn.len() > MOST_DRAWS) {
            walk.too_long = horizon.is_none() || !walk.draws.is_empty();
            break;
        }
        if let Some((purpose, length)) = length_of(op) {
            let length = match length {
                Length::Fixed(span) => *span,
                Length::Random(distribution) => {
                    let name = format!("{}/{purpose}", declared.stream);
                    let stream = streams.entry(purpose).or_insert_with(|| Stream::new(scenario.run().seed, &name));
                    let drawn = distribution.sample(stream);
                    walk.draws.entry(purpose).or_default().push(drawn);
                    Span::from_ns(drawn)
                }
            };
            walk.demand = Span::from_ns(walk.demand.ns().saturating_add(length.ns()));
        }
        // Real steps never take less than their length, but for a little calibration error: hence the reserve.
        if horizon.is_some_and(|horizon| walk.demand.ns() / 5 > horizon.ns() / 4) {
            break;
        }
        cursor.advance();
    }
    if let Some(horizon) = horizon {
        walk.demand = walk.demand.min(horizon);
    }
    walk
}

/// The purpose of a step's draws and its length, for steps that have one. The purposes are those of the kernel.
pub(super) fn length_of(op: &Op) -> Option<(&'static str, &Length)> {
    match op {
        Op::Cpu(length) => Some(("cpu", length)),
        Op::Native(length) | Op::NativeHoldingGil(length) => Some(("native", length)),
        Op::Io { length, .. } => Some(("io", length)),
        Op::Sleep(length) => Some(("sleep", length)),
        _ => None,
    }
}
