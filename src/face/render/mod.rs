//! Writing for people and for machines. Everything a user wrote (names, messages, lines of files)
//! goes through [`harmless`] before a terminal sees it; machine formats escape as their own rules say.

pub mod style;
mod harmless;
mod summary;
mod findings;
mod formats;
mod config_errors;
mod table;
mod plan;
mod change;
mod difference;

pub use change::{change, changes};
pub use config_errors::config_errors;
pub use difference::text_difference;
pub use findings::{TextOf, findings};
pub use formats::{document, github, junit, sarif, validation_json, validation_schema};
pub use harmless::{harmless, harmless_line};
pub use plan::plan;
pub use summary::{Counts, counted};
pub use table::{Table, time_short};
