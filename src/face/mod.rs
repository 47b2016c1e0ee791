//! Floor 4: what people use. [`cli`] says which verbs there are and reads the command line,
//! [`verbs`] does what can be done with ports alone, [`render`] writes for people and for machines.
//!
//! Absent: no adapter is known here. Trees, judges and the record come in as ports, from `app`.
//! Nothing is printed but through an [`Output`].

pub mod cli;
pub mod http;
pub mod reference;
pub mod render;
pub mod setup;
pub mod verbs;
mod output;
mod validation;

pub use output::{ExitStatus, FlushedBefore, Output, PipeTolerant, Shared, terminal_width, wants_colour};
pub use validation::{ValidatedDescriptor, Validation};
