//! Taking a container. The token of a container only ever grows; it is part of the log and of the
//! claim, and both are written in one transaction.

use crate::adapter::store::encode::to_column;
use crate::adapter::store::sql::connection::{Connection, query};
use crate::domain::activity::{ActivityEvent, FencingToken};
use crate::domain::id::ContainerId;
use crate::domain::plan::ActivityId;
use crate::domain::time::{Timestamp, to_millis};
use crate::port::store::StoreError;

use super::{append, load};

/// Who has a container.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Claim {
    /// The token that was given out last; 0 before the first.
    pub token: u64,
    /// By whom and for what it is held, if it is.
    pub held: Option<(String, String)>,
}

/// Takes the activity's container for `holder`.
pub async fn claim(
    connection: &mut Connection,
    id: &ActivityId,
    holder: &str,
    at: Timestamp,
) -> Result<Option<FencingToken>, StoreError> {
    let record = load::known(connection, id).await?;
    if record.state.status.is_final() {
        return Ok(None);
    }
    let container = &record.planned.container;
    let before = of(connection, container).await?;
    let ours = before.held.as_ref().is_none_or(|(by, activity)| by == holder && activity == id.as_str());
    if !ours {
        return Ok(None);
    }
    let token = FencingToken(before.token + 1);
    query(
        "INSERT INTO container_claims (product, stage, token, holder, activity, at) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (product, stage) DO UPDATE SET
             token = excluded.token, holder = excluded.holder, activity = excluded.activity, at = excluded.at",
    )
    .bind(container.product.as_str())
    .bind(container.stage.as_str())
    .bind(to_column(token.0))
    .bind(holder)
    .bind(id.as_str())
    .bind(to_millis(at))
    .execute(&mut *connection)
    .await?;
    let event = ActivityEvent::Claimed { token };
    let state =
        record.state.after(&event).map_err(|error| StoreError::Unusable(format!("{id} cannot be claimed: {error}")))?;
    append::write_event(connection, &record.planned, Some(token), &event, &state, at).await?;
    Ok(Some(token))
}

/// Who has this container now.
pub async fn of(connection: &mut Connection, container: &ContainerId) -> Result<Claim, StoreError> {
    let row = query("SELECT token, holder, activity FROM container_claims WHERE product = $1 AND stage = $2")
        .bind(container.product.as_str())
        .bind(container.stage.as_str())
        .fetch_optional(connection)
        .await?;
    let Some(row) = row else { return Ok(Claim::default()) };
    let (holder, activity) = (row.text_or_none("holder")?, row.text_or_none("activity")?);
    Ok(Claim { token: row.count("token")?, held: holder.zip(activity) })
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
