//! Floor 2: CPU only. From bytes to a located, resolved, checked descriptor, or to findings that
//! say where and what. Each room wraps one library. In reading order: `yaml` (bytes to content
//! with places), `refs` (references replaced), `schema` (structure), `rules` (meaning), `assess`
//! (the whole way of one descriptor).
//!
//! Nothing here opens files, keeps a clock or talks to anybody: bytes come through
//! [`crate::port::tree::Tree`]. All limits stand in `limits`.

mod limits;
mod leniency;
mod report;
mod yaml;
mod refs;
mod schema;
mod rules;
pub mod contract;
mod discover;
pub mod fix;
mod assess;
pub mod record;
pub mod verdicts;
pub mod policy;
mod catalogue;

pub use assess::{Assessment, Locator, Settings, assess, assess_all, assess_among, assess_commit};
pub use catalogue::catalogue;
pub use discover::{Discovery, discover};
pub use refs::Names;
pub use schema::dpds_schema;

#[cfg(any(test, fuzzing))]
pub mod properties;
#[cfg(test)]
mod tests;
