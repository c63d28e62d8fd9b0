//! gilsim: a deterministic discrete-event simulator of CPU scheduling under Python's Global Interpreter Lock.
//!
//! # The house
//! ```text
//!   cli        parses arguments, prints, exits; the only floor that reads the environment
//!   study      runs variants and trials; joins backend and analysis
//!   store      files on disk, written whole
//!   render     text, JSON, lanes, a page: views of one trace
//!   analysis   metrics, lanes, invariants, expectations: pure rules over records
//!   backend    runs a scenario: simulated, or on a real CPython
//!   policy     one scheduling policy per file
//!   kernel     cores, threads, GILs: the discrete-event simulator
//!   trace      the one vocabulary of records
//!   model      YAML → all checks → Scenario
//!   time  ids  ratio  rng
//! ```
//! Nobody imports upwards; `tests/it/tidy.rs` enforces it.

pub mod analysis;
pub mod backend;
pub mod cli;
pub mod ids;
pub mod kernel;
pub mod model;
pub mod policy;
pub mod ratio;
pub mod render;
pub mod rng;
pub mod store;
pub mod study;
pub mod time;
pub mod trace;
