//! The time.

use crate::domain::time::Timestamp;

/// Tells the time. Nothing else in the engine does.
pub trait Clock: Send + Sync {
    /// The time now.
    fn now(&self) -> Timestamp;
}
