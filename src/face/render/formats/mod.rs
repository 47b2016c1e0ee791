//! What is written for other programs: each as its own format's rules say.

mod github;
mod json;
mod junit;
mod sarif;

pub use github::github;
pub use json::{document, validation_json, validation_schema};
pub use junit::junit;
pub use sarif::sarif;
