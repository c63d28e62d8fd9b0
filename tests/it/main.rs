//! Everything that is tested from outside the library.

mod common;
mod models;
mod numbers;
mod readme;
mod tidy;
mod timelines;
