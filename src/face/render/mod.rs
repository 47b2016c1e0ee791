//! Writing for people and for machines. Everything a user wrote (names, messages, lines of files)
//! goes through [`harmless`] before a terminal sees it; machine formats escape as their own rules say.

pub mod style;
mod harmless;
mod summary;
mod findings;
mod config_errors;
mod json;
mod sarif;
mod github;
mod junit;
mod table;
mod plan;
mod change;

pub use change::{change, changes};
pub use config_errors::config_errors;
pub use findings::{TextOf, findings};
pub use github::github;
pub use harmless::{harmless, harmless_line};
pub use json::{document, validation_json, validation_schema};
pub use junit::junit;
pub use plan::plan;
pub use sarif::sarif;
pub use summary::{Counts, counted};
pub use table::{Table, digest_short, time_short};
