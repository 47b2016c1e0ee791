//! Appending an event, with all that follows from it, in one transaction.

use serde_json::Value;

use crate::adapter::store::encode::{to_column, to_json};
use crate::adapter::store::outcome;
use crate::adapter::store::postgres::locks;
use crate::adapter::store::sql::connection::{Connection, query};
use crate::domain::activity::{ActivityEvent, ActivityState, ActivityStatus, FencingToken, IllegalEvent};
use crate::domain::plan::{ActivityId, PlannedActivity};
use crate::domain::time::{Timestamp, to_millis};
use crate::port::store::{ActivityRecord, AppendError, StoreError};

use super::{claim, load};
use crate::adapter::store::sql::audit::{self, AuditEvent};
use crate::adapter::store::sql::{sharing::terms, telling};

/// Appends one event, and answers with the state after it.
pub async fn append(
    connection: &mut Connection,
    id: &ActivityId,
    token: Option<FencingToken>,
    event: &ActivityEvent,
    at: Timestamp,
) -> Result<ActivityState, AppendError> {
    locks::activities(connection, [id], []).await?;
    let record = load::known(connection, id).await?;
    admit(connection, &record, token, event).await?;
    let state = record.state.clone().after(event)?;
    write_event(connection, &record.planned, token, event, &state, at).await?;
    if state.status.is_final() {
        end(connection, &record, event, &state, at).await?;
    }
    if state.status != record.state.status {
        terms::has_changed(connection, &record.source).await?;
        telling::leave_untold(connection, &record).await?;
    }
    Ok(state)
}

/// Counts an event that came too late, twice, or from somebody else.
pub async fn count_refused(connection: &mut Connection, id: &ActivityId) -> Result<(), StoreError> {
    query("UPDATE activities SET refused = refused + 1 WHERE id = $1").bind(id.as_str()).execute(connection).await?;
    Ok(())
}

/// Whether this caller may write this event. Claims are written by `claim` alone.
async fn admit(
    connection: &mut Connection,
    record: &ActivityRecord,
    token: Option<FencingToken>,
    event: &ActivityEvent,
) -> Result<(), AppendError> {
    let illegal = || IllegalEvent { state: Box::new(record.state.clone()), event: Box::new(event.clone()) };
    match token {
        Some(token) => {
            let current = claim::of(connection, &record.planned.container).await?;
            if current.token != token.0 || record.state.token != Some(token) {
                return Err(AppendError::Fenced);
            }
        }
        None if outcome::needs_no_claim(&record.state, event) => {}
        None => return Err(illegal().into()),
    }
    if matches!(event, ActivityEvent::Claimed { .. }) { Err(illegal().into()) } else { Ok(()) }
}

/// Adds the event to the log, and writes what the log folds into now where listings find it.
pub async fn write_event(
    connection: &mut Connection,
    planned: &PlannedActivity,
    token: Option<FencingToken>,
    event: &ActivityEvent,
    state: &ActivityState,
    at: Timestamp,
) -> Result<(), StoreError> {
    query(
        "INSERT INTO activity_events (activity, seq, at, kind, token, body)
         SELECT $1, coalesce(max(seq), 0) + 1, $2, $3, $4, $5 FROM activity_events WHERE activity = $1",
    )
    .bind(planned.id.as_str())
    .bind(to_millis(at))
    .bind(outcome::kind(event))
    .bind(token.map(|token| to_column(token.0)))
    .bind(to_json("an event", event)?)
    .execute(&mut *connection)
    .await?;
    query("UPDATE activities SET status = $2, done = $3, message = $4 WHERE id = $1")
        .bind(planned.id.as_str())
        .bind(state.status.as_str())
        .bind(outcome::done(state))
        .bind(outcome::message(planned, state, event))
        .execute(connection)
        .await?;
    Ok(())
}

/// What follows from an activity's end.
async fn end(
    connection: &mut Connection,
    record: &ActivityRecord,
    event: &ActivityEvent,
    state: &ActivityState,
    at: Timestamp,
) -> Result<(), StoreError> {
    let planned = &record.planned;
    let message = outcome::message(planned, state, event);
    let mut detail = outcome::audit_detail(planned, record.plan.as_str(), event, message.as_deref());
    if state.status == ActivityStatus::Succeeded {
        write_container(connection, record, state, at).await?;
        let released = release(connection, planned).await?;
        if let (false, Some(fields)) = (released, detail.as_object_mut()) {
            tracing::warn!(activity = %planned.id, "what runs now was replaced in the record while it was rolled out");
            fields.insert("replacedMeanwhile".to_owned(), Value::Bool(true));
        }
    }
    claim::free(connection, &planned.container, &planned.id, at).await?;
    let Some(kind) = outcome::audit_kind(event) else { return Ok(()) };
    let decision = AuditEvent { kind, subject: planned.id.to_string(), detail };
    audit::write(connection, &record.source, Some(&record.revision), at, &[decision]).await
}

/// Records what runs in the container.
async fn write_container(
    connection: &mut Connection,
    record: &ActivityRecord,
    state: &ActivityState,
    at: Timestamp,
) -> Result<(), StoreError> {
    let planned = &record.planned;
    query(
        "INSERT INTO containers (product, stage, version, digest, revision, activity, results, since)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
         ON CONFLICT (product, stage) DO UPDATE SET
             version = excluded.version,
             digest = excluded.digest,
             revision = excluded.revision,
             activity = excluded.activity,
             results = excluded.results,
             since = excluded.since",
    )
    .bind(planned.container.product.as_str())
    .bind(planned.container.stage.as_str())
    .bind(planned.to.version.to_string())
    .bind(planned.to.digest.as_str())
    .bind(record.revision.as_str())
    .bind(planned.id.as_str())
    .bind(to_json("the results", &outcome::results(planned, state))?)
    .bind(to_millis(at))
    .execute(connection)
    .await?;
    Ok(())
}

/// Marks the version as released. `false` when its number is recorded with other content by now.
async fn release(connection: &mut Connection, planned: &PlannedActivity) -> Result<bool, StoreError> {
    let marked = query("UPDATE versions SET released = 1 WHERE product = $1 AND version = $2 AND digest = $3")
        .bind(planned.container.product.as_str())
        .bind(planned.to.version.to_string())
        .bind(planned.to.digest.as_str())
        .execute(connection)
        .await?;
    Ok(marked > 0)
}
