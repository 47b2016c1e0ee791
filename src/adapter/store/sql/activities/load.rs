//! Reading activities: what was planned, and what its log folds into.

use std::collections::HashMap;

use crate::adapter::store::encode::{damaged, name_list, to_column};
use crate::adapter::store::sql::connection::{Connection, Row, query};
use crate::domain::activity::{ActivityEvent, ActivityStatus, fold};
use crate::domain::id::{Revision, SourceName, StageName};
use crate::domain::plan::{ActivityId, PlannedActivity};
use crate::domain::time::Timestamp;
use crate::port::store::{ActivityRecord, StageStanding, StoreError};

/// The statements that select activities, and those that select their events: they are many, and
/// asked for together.
macro_rules! selection {
    ($activities:ident, $events:ident, $($condition:expr),+) => {
        pub const $activities: &str = concat!(
            "SELECT a.id, a.plan, a.source, a.revision, a.planned, a.planned_at FROM activities a WHERE ",
            $($condition,)+
            " ORDER BY a.number"
        );
        pub const $events: &str = concat!(
            "SELECT e.activity, e.body FROM activities a CROSS JOIN activity_events e WHERE e.activity = a.id AND ",
            $($condition,)+
            " ORDER BY e.activity, e.seq"
        );
    };
}

selection!(UNFINISHED, UNFINISHED_EVENTS, "a.status IN ('waiting', 'running')");
selection!(BY_ID, BY_ID_EVENTS, "a.id = $1");
selection!(BY_REVISION, BY_REVISION_EVENTS, "a.source = $1 AND a.revision = $2");

selection!(
    TROUBLED,
    TROUBLED_EVENTS,
    "a.source = $1 AND a.status NOT IN ('succeeded', 'superseded')
     AND NOT EXISTS (
       SELECT 1 FROM activities later
       WHERE later.product = a.product AND later.stage = a.stage AND later.number > a.number
         AND later.status <> 'superseded')
     AND EXISTS (
       SELECT 1 FROM products p JOIN versions v ON v.product = p.product AND v.version = p.version
       WHERE p.product = a.product
         AND (a.status = 'running' OR (p.retired = 0 AND v.digest = a.digest)))
     AND (a.status IN ('waiting', 'running') OR EXISTS (
       SELECT 1 FROM activities busy
       WHERE busy.product = a.product AND busy.stage = a.stage AND busy.status = 'running') OR NOT EXISTS (
       SELECT 1 FROM containers
       WHERE containers.product = a.product AND containers.stage = a.stage AND containers.digest = a.digest
         AND NOT ",
    is_disturbed!(),
    "))"
);

/// What keeps a source from being as Git says.
pub async fn troubled(connection: &mut Connection, source: &SourceName) -> Result<Vec<ActivityRecord>, StoreError> {
    let activities = query(TROUBLED).bind(source.as_str()).fetch_all(&mut *connection).await?;
    let events = query(TROUBLED_EVENTS).bind(source.as_str()).fetch_all(connection).await?;
    records(&activities, &events)
}

/// Activities that have not ended.
pub async fn unfinished(connection: &mut Connection) -> Result<Vec<ActivityRecord>, StoreError> {
    let activities = query(UNFINISHED).fetch_all(&mut *connection).await?;
    let events = query(UNFINISHED_EVENTS).fetch_all(connection).await?;
    records(&activities, &events)
}

/// One activity.
pub async fn one(connection: &mut Connection, id: &ActivityId) -> Result<Option<ActivityRecord>, StoreError> {
    let activities = query(BY_ID).bind(id.as_str()).fetch_all(&mut *connection).await?;
    let events = query(BY_ID_EVENTS).bind(id.as_str()).fetch_all(connection).await?;
    Ok(records(&activities, &events)?.pop())
}

/// One activity that the caller knows of.
pub async fn known(connection: &mut Connection, id: &ActivityId) -> Result<ActivityRecord, StoreError> {
    one(connection, id).await?.ok_or_else(|| StoreError::Unusable(format!("there is no activity '{id}'")))
}

/// The activities of a revision.
pub async fn of_revision(
    connection: &mut Connection,
    source: &SourceName,
    revision: &Revision,
) -> Result<Vec<ActivityRecord>, StoreError> {
    let activities =
        query(BY_REVISION).bind(source.as_str()).bind(revision.as_str()).fetch_all(&mut *connection).await?;
    let events = query(BY_REVISION_EVENTS).bind(source.as_str()).bind(revision.as_str()).fetch_all(connection).await?;
    records(&activities, &events)
}

/// The activities of a revision at one stage, without what was planned.
pub const AT_STAGE: &str = "SELECT id, plan, product, status, message FROM activities
     WHERE source = $1 AND revision = $2 AND stage = $3 ORDER BY number";

/// Where the activities of a revision at one stage stand. The columns are written with every event,
/// in its transaction, from what the log folds into.
pub async fn stage_standing(
    connection: &mut Connection,
    source: &SourceName,
    revision: &Revision,
    stage: &StageName,
) -> Result<Vec<StageStanding>, StoreError> {
    let rows = query(AT_STAGE)
        .bind(source.as_str())
        .bind(revision.as_str())
        .bind(stage.as_str())
        .fetch_all(connection)
        .await?;
    let each = |row: &Row| {
        let word = row.text("status")?;
        let status = ActivityStatus::ALL.into_iter().find(|status| status.as_str() == word);
        Ok(StageStanding {
            id: row.name("id")?,
            plan: row.name("plan")?,
            product: row.name("product")?,
            status: status.ok_or_else(|| damaged("an activity's status", &word))?,
            message: row.text_or_none("message")?,
        })
    };
    rows.iter().map(each).collect()
}

/// One row for each activity at a stage that stands so, up to a number of them.
pub const COUNT_AT: &str = "SELECT 1 FROM activities
     WHERE source = $1 AND revision = $2 AND stage = $3 AND status IN (SELECT value FROM json_each($4))
     LIMIT $5";

/// How many activities of a revision at a stage stand at one of these statuses, counted up to `most`.
pub async fn count_at(
    connection: &mut Connection,
    (source, revision, stage): (&SourceName, &Revision, &StageName),
    statuses: &[ActivityStatus],
    most: usize,
) -> Result<usize, StoreError> {
    let rows = query(COUNT_AT)
        .bind(source.as_str())
        .bind(revision.as_str())
        .bind(stage.as_str())
        .bind(name_list(statuses.iter().map(|status| status.as_str())))
        .bind(to_column(most as u64))
        .fetch_all(connection)
        .await?;
    Ok(rows.len())
}

/// The log of an activity.
pub async fn events(
    connection: &mut Connection,
    id: &ActivityId,
) -> Result<Vec<(Timestamp, ActivityEvent)>, StoreError> {
    let rows = query("SELECT at, body FROM activity_events WHERE activity = $1 ORDER BY seq")
        .bind(id.as_str())
        .fetch_all(connection)
        .await?;
    rows.iter().map(|row| Ok((row.time("at")?, row.json("body")?))).collect()
}

fn records(activities: &[Row], events: &[Row]) -> Result<Vec<ActivityRecord>, StoreError> {
    let mut logs: HashMap<String, Vec<ActivityEvent>> = HashMap::new();
    for row in events {
        logs.entry(row.text("activity")?).or_default().push(row.json("body")?);
    }
    let each = |row: &Row| {
        let planned: PlannedActivity = row.json("planned")?;
        let log = logs.remove(planned.id.as_str()).unwrap_or_default();
        let state =
            fold(planned.tasks.len(), &log).map_err(|error| damaged(&format!("the log of {}", planned.id), error))?;
        Ok(ActivityRecord {
            planned,
            plan: row.name("plan")?,
            source: row.name("source")?,
            revision: row.name("revision")?,
            state,
            planned_at: row.time("planned_at")?,
        })
    };
    activities.iter().map(each).collect()
}
