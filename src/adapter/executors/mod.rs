//! Executors: services that run tasks. Two kinds: [`command`], a program of the platform's, and
//! [`sql`], the storage of containers in a database. What the one makes and the other publishes
//! passes through [`artifacts`].
//!
//! Absent: which tasks run, in which order and how often. That is the plan's and the engine's
//! business; an executor runs one attempt of one task.

pub mod artifacts;
pub mod command;
pub mod sql;

mod files;
mod mask;
mod names;
mod stop;

pub use artifacts::ArtifactStore;
pub use command::{CommandExecutor, CommandSpec};
pub use sql::{SqlExecutor, SqlSpec, Table};
