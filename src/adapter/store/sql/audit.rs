//! Who decided what, and why: written in the transaction of the decision itself.

use serde_json::Value;

use crate::adapter::store::sql::connection::{Bulk, Connection};
use crate::domain::id::{Revision, SourceName};
use crate::domain::time::{Timestamp, to_millis};
use crate::port::store::StoreError;

/// One decision.
#[derive(Debug, Clone)]
pub struct AuditEvent {
    /// What happened.
    pub kind: &'static str,
    /// What it happened to.
    pub subject: String,
    /// Digests and reasons.
    pub detail: Value,
}

const EVENTS: Bulk =
    Bulk { into: "INSERT INTO audit_events (at, kind, subject, source, revision, detail)", columns: 6, conflict: "" };

/// Writes decisions that were taken about a source at a revision.
pub async fn write(
    connection: &mut Connection,
    source: &SourceName,
    revision: Option<&Revision>,
    at: Timestamp,
    events: &[AuditEvent],
) -> Result<(), StoreError> {
    EVENTS
        .insert(connection, events, |values, event| {
            values
                .put(to_millis(at))
                .put(event.kind)
                .put(event.subject.as_str())
                .put(source.as_str())
                .put(revision.map(Revision::as_str))
                .put(event.detail.to_string());
        })
        .await?;
    Ok(())
}
