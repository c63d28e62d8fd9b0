//! Everything that is tested from outside the library.

mod common;
#[cfg(target_os = "linux")]
mod conformance;
#[cfg(target_os = "linux")]
mod conformance_gils;
#[cfg(target_os = "linux")]
mod conformance_objects;
#[cfg(target_os = "linux")]
mod conformance_processes;
mod diffs;
mod endings;
mod errors;
mod exports;
mod fuzz;
mod gils;
mod help;
mod lowering;
mod machine;
mod models;
mod new;
mod numbers;
mod oracle;
mod page;
mod processes;
mod quota;
mod readme;
#[cfg(target_os = "linux")]
mod real;
#[cfg(target_os = "linux")]
mod real_horizon;
#[cfg(target_os = "linux")]
mod real_objects;
mod schema;
mod service;
mod snapshots;
mod sync;
mod textbook;
mod tidy;
mod timelines;
mod traps;
#[cfg(target_os = "linux")]
mod validation;
