//! Taking a container. The token of a container only ever grows; it is part of the log and of the
//! claim, and both are written in one transaction.

use crate::adapter::store::encode::to_column;
use crate::adapter::store::postgres::locks;
use crate::adapter::store::sql::connection::{Connection, query, query_scalar};
use crate::adapter::store::sql::{sharing::terms, telling};
use crate::domain::activity::{ActivityEvent, ActivityStatus, FencingToken};
use crate::domain::id::ContainerId;
use crate::domain::plan::ActivityId;
use crate::domain::time::{Timestamp, to_millis};
use crate::port::store::{ActivityRecord, StoreError};

use super::{append, load};

/// Who has a container.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Claim {
    /// The token that was given out last; 0 before the first.
    pub token: u64,
    /// By whom and for what it is held, if it is.
    pub held: Option<(String, String)>,
    /// When it is over unless it is renewed, in milliseconds.
    until: i64,
}

/// Takes the activity's container for `holder` until `until`.
pub async fn claim(
    connection: &mut Connection,
    id: &ActivityId,
    holder: &str,
    at: Timestamp,
    until: Timestamp,
) -> Result<Option<FencingToken>, StoreError> {
    locks::activities(connection, [id], []).await?;
    let record = load::known(connection, id).await?;
    if record.state.status.is_final() {
        return Ok(None);
    }
    let container = &record.planned.container;
    let before = of(connection, container).await?;
    let is_over = before.until <= to_millis(at);
    let may = before.held.as_ref().is_none_or(|(by, activity)| activity == id.as_str() && (by == holder || is_over));
    if !may {
        return Ok(None);
    }
    let token = FencingToken(before.token + 1);
    query(
        "INSERT INTO container_claims (product, stage, token, holder, activity, at, until)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (product, stage) DO UPDATE SET
             token = excluded.token,
             holder = excluded.holder,
             activity = excluded.activity,
             at = excluded.at,
             until = excluded.until",
    )
    .bind(container.product.as_str())
    .bind(container.stage.as_str())
    .bind(to_column(token.0))
    .bind(holder)
    .bind(id.as_str())
    .bind(to_millis(at))
    .bind(to_millis(until))
    .execute(&mut *connection)
    .await?;
    let begins = record.state.status == ActivityStatus::Waiting && is_first(connection, &record).await?;
    let event = ActivityEvent::Claimed { token };
    let state = record
        .state
        .clone()
        .after(&event)
        .map_err(|error| StoreError::Unusable(format!("{id} cannot be claimed: {error}")))?;
    append::write_event(connection, &record.planned, Some(token), &event, &state, at).await?;
    terms::has_changed(connection, &record.source).await?;
    if begins {
        // Of the others, their ends are enough.
        telling::leave_untold(connection, &record).await?;
    }
    Ok(Some(token))
}

/// Whether nothing of the activity's commit has begun at its stage.
async fn is_first(connection: &mut Connection, record: &ActivityRecord) -> Result<bool, StoreError> {
    let begun: Vec<ActivityStatus> =
        ActivityStatus::ALL.into_iter().filter(|status| *status != ActivityStatus::Waiting).collect();
    let stage = (&record.source, &record.revision, &record.planned.container.stage);
    Ok(load::count_at(connection, stage, &begun, 1).await? == 0)
}

/// Whether the token is the newest that was given out for the activity's container.
pub async fn is_newest(connection: &mut Connection, id: &ActivityId, token: FencingToken) -> Result<bool, StoreError> {
    let found: Option<i64> = query_scalar(
        "SELECT c.token FROM activities a JOIN container_claims c ON c.product = a.product AND c.stage = a.stage
         WHERE a.id = $1 AND c.activity = a.id AND c.token = $2",
    )
    .bind(id.as_str())
    .bind(to_column(token.0))
    .fetch_optional(connection)
    .await?;
    Ok(found.is_some())
}

/// Who has this container now.
pub async fn of(connection: &mut Connection, container: &ContainerId) -> Result<Claim, StoreError> {
    let row = query("SELECT token, holder, activity, until FROM container_claims WHERE product = $1 AND stage = $2")
        .bind(container.product.as_str())
        .bind(container.stage.as_str())
        .fetch_optional(connection)
        .await?;
    let Some(row) = row else { return Ok(Claim::default()) };
    let (holder, activity) = (row.text_or_none("holder")?, row.text_or_none("activity")?);
    Ok(Claim { token: row.count("token")?, held: holder.zip(activity), until: row.number("until")? })
}

/// Frees the container, if this activity has it. The token stays, so that the next one is greater.
pub async fn free(
    connection: &mut Connection,
    container: &ContainerId,
    id: &ActivityId,
    at: Timestamp,
) -> Result<(), StoreError> {
    query(
        "UPDATE container_claims SET holder = NULL, activity = NULL, at = $4
         WHERE product = $1 AND stage = $2 AND activity = $3",
    )
    .bind(container.product.as_str())
    .bind(container.stage.as_str())
    .bind(id.as_str())
    .bind(to_millis(at))
    .execute(connection)
    .await?;
    Ok(())
}
