//! Everything that is tested from outside the library.

mod common;
mod endings;
mod errors;
mod exports;
mod fuzz;
mod lowering;
mod machine;
mod models;
mod numbers;
mod page;
mod readme;
#[cfg(target_os = "linux")]
mod real;
mod tidy;
mod traps;
