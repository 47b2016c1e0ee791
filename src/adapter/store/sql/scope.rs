//! What a write is about.

use crate::domain::id::SourceName;
use crate::domain::plan::ActivityId;

/// What a write is about, and so what may not be written by others meanwhile. On a file this is all the
/// same, because there is one writer; on a server it says which locks are taken, and in which order
/// (`postgres::locks`).
#[derive(Debug, Clone, Copy)]
pub enum Scope<'s> {
    /// What is decided about a source: passes, conditions, proposals, decisions of people.
    Source(&'s SourceName),
    /// An activity and its container: claims, events, logs.
    Activity(&'s ActivityId),
    /// The ledger of deliveries.
    Deliveries,
    /// Nothing but the rows that are written: each statement says itself under which condition it may
    /// write them (an edition, a token, a lease).
    Rows,
}
