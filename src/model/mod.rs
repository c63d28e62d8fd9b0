//! Models: from YAML text through all checks to a [`Scenario`] that is valid by construction.

pub mod expect;
mod program;
mod scenario;

pub use program::{Cursor, Length, Op, Program};
pub use scenario::*;
