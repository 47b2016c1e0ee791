//! Plans, the passes that made them, and what policies said. A plan's changes and activities have
//! their own tables; a plan is put together from them when it is read.

use crate::adapter::store::encode::{to_json, to_word};
use crate::adapter::store::sql::connection::{Bulk, Connection, query, query_scalar};
use crate::domain::change::Change;
use crate::domain::id::{Digest, StageName};
use crate::domain::plan::Plan;
use crate::domain::time::to_millis;
use crate::port::store::{Pass, StoreError, VerdictEntry};

const CHANGES: Bulk = Bulk {
    into: "INSERT INTO changes (plan, place, product, kind, from_version, to_version, body)",
    columns: 7,
    conflict: "",
};

const VERDICTS: Bulk = Bulk {
    into: "INSERT INTO verdicts (pass, place, product, event, stage, policies, allows, body)",
    columns: 8,
    conflict: "",
};

/// The activities of a plan, in its order.
pub const ACTIVITIES: &str =
    "SELECT planned FROM activities WHERE source = $1 AND revision = $2 AND plan = $3 ORDER BY number";

/// Whether the plan was recorded.
pub async fn is_recorded(connection: &mut Connection, digest: &Digest) -> Result<bool, StoreError> {
    let found: Option<i64> =
        query_scalar("SELECT 1 FROM plans WHERE digest = $1").bind(digest.as_str()).fetch_optional(connection).await?;
    Ok(found.is_some())
}

/// Writes the plan with its changes, but without its activities, and the pass. Answers with the
/// pass's row.
pub async fn write(connection: &mut Connection, pass: &Pass) -> Result<i64, StoreError> {
    let plan = &pass.plan;
    if !is_recorded(connection, &plan.digest).await? {
        query(
            "INSERT INTO plans (digest, source, revision, policies, body, recorded_at) VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(plan.digest.as_str())
        .bind(plan.source.as_str())
        .bind(plan.revision.as_str())
        .bind(plan.policies.as_str())
        .bind(to_json("a plan", &without_lists(plan))?)
        .bind(to_millis(pass.at))
        .execute(&mut *connection)
        .await?;
        write_changes(connection, plan).await?;
    }
    query_scalar(
        "INSERT INTO passes (source, revision, plan, policies, platform, at) VALUES ($1, $2, $3, $4, $5, $6)
         RETURNING id",
    )
    .bind(plan.source.as_str())
    .bind(plan.revision.as_str())
    .bind(plan.digest.as_str())
    .bind(plan.policies.as_str())
    .bind(pass.platform.as_str())
    .bind(to_millis(pass.at))
    .fetch_one(connection)
    .await
}

fn without_lists(plan: &Plan) -> Plan {
    Plan {
        source: plan.source.clone(),
        revision: plan.revision.clone(),
        sequence: plan.sequence,
        policies: plan.policies.clone(),
        changes: Vec::new(),
        refused: plan.refused.clone(),
        activities: Vec::new(),
        held: plan.held.clone(),
        withdrawn: plan.withdrawn.clone(),
        findings: plan.findings.clone(),
        digest: plan.digest.clone(),
    }
}

/// A row with parts that are written as JSON or as a word.
struct Row<'a, T> {
    place: i64,
    of: &'a T,
    word: String,
    body: String,
}

async fn write_changes(connection: &mut Connection, plan: &Plan) -> Result<(), StoreError> {
    for (start, part) in (0_i64..).step_by(Bulk::ROWS).zip(plan.changes.chunks(Bulk::ROWS)) {
        let part = rows(start, part, change_row)?;
        CHANGES
            .insert(connection, &part, |values, row| {
                values
                    .put(plan.digest.as_str())
                    .put(row.place)
                    .put(row.of.product.as_str())
                    .put(row.word.as_str())
                    .put(row.of.from.as_ref().map(|version| version.version.to_string()))
                    .put(row.of.to.as_ref().map(|version| version.version.to_string()))
                    .put(row.body.as_str());
            })
            .await?;
    }
    Ok(())
}

/// The rows of a part that begins at this place.
fn rows<T>(
    start: i64,
    part: &[T],
    row: impl Fn(i64, &T) -> Result<Row<'_, T>, StoreError>,
) -> Result<Vec<Row<'_, T>>, StoreError> {
    (start..).zip(part).map(|(place, of)| row(place, of)).collect()
}

fn change_row(place: i64, change: &Change) -> Result<Row<'_, Change>, StoreError> {
    let word = to_word("a change's kind", &change.kind)?;
    Ok(Row { place, of: change, word, body: to_json("a change", change)? })
}

/// Writes what policies said in the pass of this row.
pub async fn write_verdicts(connection: &mut Connection, pass_row: i64, pass: &Pass) -> Result<(), StoreError> {
    for (start, part) in (0_i64..).step_by(Bulk::ROWS).zip(pass.verdicts.chunks(Bulk::ROWS)) {
        let part = rows(start, part, verdict_row)?;
        VERDICTS
            .insert(connection, &part, |values, row| {
                values
                    .put(pass_row)
                    .put(row.place)
                    .put(row.of.product.as_str())
                    .put(row.word.as_str())
                    .put(row.of.stage.as_ref().map(StageName::as_str))
                    .put(row.of.verdict.policies.as_str())
                    .put(row.of.verdict.allows())
                    .put(row.body.as_str());
            })
            .await?;
    }
    Ok(())
}

fn verdict_row(place: i64, entry: &VerdictEntry) -> Result<Row<'_, VerdictEntry>, StoreError> {
    let word = to_word("a policy event", &entry.event)?;
    Ok(Row { place, of: entry, word, body: to_json("a verdict", &entry.verdict)? })
}

/// A recorded plan, whole.
pub async fn read(connection: &mut Connection, digest: &Digest) -> Result<Option<Plan>, StoreError> {
    let row = query("SELECT body FROM plans WHERE digest = $1")
        .bind(digest.as_str())
        .fetch_optional(&mut *connection)
        .await?;
    let Some(row) = row else { return Ok(None) };
    let mut plan: Plan = row.json("body")?;
    let changes = query("SELECT body FROM changes WHERE plan = $1 ORDER BY place")
        .bind(digest.as_str())
        .fetch_all(&mut *connection)
        .await?;
    plan.changes = changes.iter().map(|row| row.json("body")).collect::<Result<_, _>>()?;
    let activities = query(ACTIVITIES)
        .bind(plan.source.as_str())
        .bind(plan.revision.as_str())
        .bind(digest.as_str())
        .fetch_all(connection)
        .await?;
    plan.activities = activities.iter().map(|row| row.json("planned")).collect::<Result<_, _>>()?;
    Ok(Some(plan))
}
