//! The shape of a profile: costs that somebody measured.

use crate::model::decode::Percent;
use crate::model::spec::machine::MachineCosts;
use crate::model::spec::python::{NextHolderWord, PythonCosts};
use crate::model::spec::shape::{shape, words};
use crate::time::Span;

shape! {
    /// A profile: what a machine and an interpreter cost. A field written in the model wins, item by item.
    Profile "profile" {
        /// what it is called
        name: String = "the file's name";
        /// where its numbers come from
        about: String = "none";
        /// tick and costs of the operating system
        machine: ProfileMachine = "no costs";
        /// costs of the interpreter, and which waiter a drop wakes
        python: ProfilePython = "no costs, fifo";
        /// the fair scheduler's slice
        fair: FairSlice = "3ms";
    }
}

shape! {
    /// The operating system of a profile.
    ProfileMachine "profile machine" {
        /// period of the scheduler's tick
        tick: Span = "0ms";
        /// what its actions cost
        costs: MachineCosts = "nothing";
    }
}

shape! {
    /// The interpreter of a profile.
    ProfilePython "profile python" {
        /// which waiter a drop wakes
        next_holder: NextHolderWord = "fifo";
        /// futex: how often who asked for the GIL takes the signal meant for another waiter
        stolen_signals: Percent = "0%";
        /// what its actions cost
        costs: PythonCosts = "nothing";
    }
}

shape! {
    /// The slice of the fair scheduler.
    FairSlice "fair slice" {
        /// the slice on one core
        base: Span = "3ms";
        /// none, or logarithmic: times 1 + log2(cores), whole, at most 8 cores counted
        scaling: Scaling = "none";
    }
}

words! {
    /// How the slice grows with the number of cores.
    Scaling {
        /// Not at all.
        None = "none",
        /// Times 1 + ⌊log2(min(cores, 8))⌋, as Linux scales its tunables.
        Logarithmic = "logarithmic",
    }
}
