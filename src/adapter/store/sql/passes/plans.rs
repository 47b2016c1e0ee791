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

async fn write_changes(connection: &mut Connection, plan: &Plan) -> Result<(), StoreError> {
    let changes: Vec<(i64, &Change, String, String)> = (0_i64..)
        .zip(&plan.changes)
        .map(|(place, change)| {
            Ok((place, change, to_word("a change's kind", &change.kind)?, to_json("a change", change)?))
        })
        .collect::<Result<_, StoreError>>()?;
    CHANGES
        .insert(connection, &changes, |values, (place, change, kind, body)| {
            values
                .put(plan.digest.as_str())
                .put(*place)
                .put(change.product.as_str())
                .put(kind.as_str())
                .put(change.from.as_ref().map(|version| version.version.to_string()))
                .put(change.to.as_ref().map(|version| version.version.to_string()))
                .put(body.as_str());
        })
        .await?;
    Ok(())
}

/// Writes what policies said in the pass of this row.
pub async fn write_verdicts(connection: &mut Connection, row: i64, pass: &Pass) -> Result<(), StoreError> {
    let verdicts: Vec<(i64, &VerdictEntry, String, String)> = (0_i64..)
        .zip(&pass.verdicts)
        .map(|(place, entry)| {
            Ok((place, entry, to_word("a policy event", &entry.event)?, to_json("a verdict", &entry.verdict)?))
        })
        .collect::<Result<_, StoreError>>()?;
    VERDICTS
        .insert(connection, &verdicts, |values, (place, entry, event, body)| {
            values
                .put(row)
                .put(*place)
                .put(entry.product.as_str())
                .put(event.as_str())
                .put(entry.stage.as_ref().map(StageName::as_str))
                .put(entry.verdict.policies.as_str())
                .put(entry.verdict.allows())
                .put(body.as_str());
        })
        .await?;
    Ok(())
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
