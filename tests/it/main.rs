//! Everything that is tested from outside the library.

mod common;
#[cfg(target_os = "linux")]
mod conformance;
mod models;
mod numbers;
mod readme;
#[cfg(target_os = "linux")]
mod real;
mod tidy;
#[cfg(target_os = "linux")]
mod validation;
