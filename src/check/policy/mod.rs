//! Rego: loading, checking, evaluating and testing policies; `regorus` is the library behind it.
//!
//! Everything here is a synchronous function over texts. A policy can still take its process down
//! (an endless loop, a billion-element range, a recursion that was not seen), so outside of tests
//! this room is entered in the child process of `adapter::policy_worker` only, never in the daemon.
//!
//! In reading order: [`file`](self) names what a policy folder holds; `settings` is what a package
//! says about itself; `set` loads and refuses; `graph` finds recursion and functions whose answer
//! is not a matter of the input; `sight` is whether a package can see its event; `evaluate` reads a
//! question and answers it; `answer` reads what a rule yielded; `testing` runs `test_` rules. Absent:
//! files, clocks, processes.

mod file;
mod settings;
mod problem;
mod graph;
mod walk;
mod set;
mod sight;
mod evaluate;
mod answer;
pub mod testing;
#[cfg(test)]
mod tests;

pub use evaluate::Evaluator;
pub use file::{MAX_FILE_BYTES, MAX_FILES, MAX_TOTAL_BYTES, PolicyFile, digest_of};
pub use problem::{NOT_LOADED, RULES};
pub use set::{Package, PolicySet};
pub use settings::PackageSettings;
