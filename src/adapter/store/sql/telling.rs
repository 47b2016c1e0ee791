//! Which stages are untold, and telling them.
//!
//! Named races:
//! - *Two work out the reports of a stage, and the one that read first writes last.* `standings.told` says how
//!   the source stood when those were worked out that are recorded: what is older is refused.
//! - *Something changes between the reading and the writing.* What was worked out is recorded all the same, so
//!   that a source at which something changes all the time is told of at all; and the stage stays untold, so
//!   that its last state is told too.
//!
//! The row of the source in `standings` is written first by all of them, and locked with it on a server.

use crate::adapter::store::encode::to_column;
use crate::adapter::store::sql::connection::{Connection, Row, query};
use crate::domain::id::{SourceName, StageName};
use crate::domain::report::Report;
use crate::domain::time::Timestamp;
use crate::port::store::{ActivityRecord, Basis, StoreError, Untold};

use super::reports;

/// All that is untold.
pub const UNTOLD: &str = "SELECT source, stage, revision, plan FROM untold ORDER BY source, stage, revision";

/// All that is untold.
pub async fn untold(connection: &mut Connection) -> Result<Vec<Untold>, StoreError> {
    let rows = query(UNTOLD).fetch_all(connection).await?;
    let each = |row: &Row| {
        let (source, stage) = (row.name("source")?, row.name("stage")?);
        Ok(Untold { source, stage, revision: row.name("revision")?, plan: row.name("plan")? })
    };
    rows.iter().map(each).collect()
}

/// The activity's status is another by now.
pub async fn leave_untold(connection: &mut Connection, record: &ActivityRecord) -> Result<(), StoreError> {
    query(
        "INSERT INTO untold (source, stage, revision, plan) VALUES ($1, $2, $3, $4)
         ON CONFLICT (source, stage, revision) DO UPDATE SET plan = excluded.plan WHERE untold.plan <> excluded.plan",
    )
    .bind(record.source.as_str())
    .bind(record.planned.container.stage.as_str())
    .bind(record.revision.as_str())
    .bind(record.plan.as_str())
    .execute(connection)
    .await?;
    Ok(())
}

/// Reports are recorded that were worked out from how the source stands now.
pub async fn are_of_now(connection: &mut Connection, source: &SourceName) -> Result<(), StoreError> {
    query("UPDATE standings SET told = edition WHERE source = $1").bind(source.as_str()).execute(connection).await?;
    Ok(())
}

/// Wants reports that were worked out upon a basis, unless later ones are recorded.
pub async fn tell(
    connection: &mut Connection,
    stage: &StageName,
    basis: &Basis,
    wanted: &[Report],
    at: Timestamp,
) -> Result<(), StoreError> {
    let (source, edition) = (basis.source.as_str(), to_column(basis.edition));
    let is_newest = query(
        "INSERT INTO standings (source, edition, told) VALUES ($1, $2, $2)
         ON CONFLICT (source) DO UPDATE SET told = excluded.told WHERE standings.told <= excluded.told",
    );
    if is_newest.bind(source).bind(edition).execute(&mut *connection).await? == 0 {
        return Err(StoreError::Moved);
    }
    reports::want(connection, wanted, at).await?;
    query(
        "DELETE FROM untold WHERE source = $1 AND stage = $2
         AND EXISTS (SELECT 1 FROM standings s WHERE s.source = $1 AND s.edition = $3)",
    )
    .bind(source)
    .bind(stage.as_str())
    .bind(edition)
    .execute(connection)
    .await?;
    Ok(())
}
