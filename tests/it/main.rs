//! Everything that is tested from outside the library.

mod common;
mod diffs;
mod errors;
mod exports;
mod fuzz;
mod lowering;
mod machine;
mod models;
mod numbers;
mod readme;
mod snapshots;
mod tidy;
mod timelines;
mod traps;
