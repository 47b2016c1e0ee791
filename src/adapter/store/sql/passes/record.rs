//! The one transaction that records a pass.

use serde_json::{Value, json};

use crate::adapter::store::encode::to_column;
use crate::adapter::store::sql::connection::{Connection, query, query_scalar};
use crate::domain::id::SourceName;
use crate::domain::source::Condition;
use crate::domain::time::{Timestamp, to_millis};
use crate::port::store::{Pass, SourceRecord, StoreError};

use super::{descriptors, plans, reading, rollouts, versions};
use crate::adapter::store::sql::audit::{self, AuditEvent};
use crate::adapter::store::sql::{reports, sharing::terms, telling};

/// What the record knows of a pass that is to be recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// It is new.
    New,
    /// It has no plan, and the source stands where it stood: only what was read is written again.
    Again,
    /// Its plan was recorded before: nothing is left to be done.
    Recorded,
}

/// Records a pass. Recording a plan a second time changes nothing; an empty plan is recorded again
/// when the source has moved in between.
pub async fn record(connection: &mut Connection, pass: &Pass) -> Result<(), StoreError> {
    let before = reading::source(connection, &pass.plan.source).await?;
    let standing = standing(connection, pass, before.as_ref()).await?;
    if standing == Standing::Recorded {
        return Ok(());
    }
    write_source(connection, pass, before.as_ref()).await?;
    descriptors::write(connection, pass).await?;
    if standing == Standing::New {
        let mut decisions = vec![pass_recorded(pass)];
        let row = plans::write(connection, pass).await?;
        plans::write_verdicts(connection, row, pass).await?;
        let retired = versions::write(connection, pass, &mut decisions).await?;
        rollouts::supersede(connection, pass, &retired, &mut decisions).await?;
        rollouts::write(connection, pass).await?;
        audit::write(connection, &pass.plan.source, Some(&pass.plan.revision), pass.at, &decisions).await?;
    }
    terms::was_decided(connection, &pass.plan.source).await?;
    telling::are_of_now(connection, &pass.plan.source).await?;
    let mut wanted = pass.reports.clone();
    for report in &pass.instead {
        if reports::stands(connection, report).await? {
            wanted.push(report.clone());
        }
    }
    reports::want(connection, &wanted, pass.at).await
}

async fn standing(
    connection: &mut Connection,
    pass: &Pass,
    before: Option<&SourceRecord>,
) -> Result<Standing, StoreError> {
    let plan = &pass.plan;
    if plan.is_empty() {
        let last: Option<String> = query_scalar("SELECT plan FROM sources WHERE name = $1 AND plan IS NOT NULL")
            .bind(plan.source.as_str())
            .fetch_optional(&mut *connection)
            .await?;
        let stays = before.is_some_and(|source| {
            source.revision.as_ref() == Some(&plan.revision)
                && source.policies.as_ref() == Some(&plan.policies)
                && source.platform.as_ref() == Some(&pass.platform)
        });
        return Ok(if stays && last.as_deref() == Some(plan.digest.as_str()) {
            Standing::Again
        } else {
            Standing::New
        });
    }
    if plans::is_recorded(connection, &plan.digest).await? {
        return Ok(Standing::Recorded);
    }
    let recorded = before.map_or(0, |source| source.sequence);
    if plan.sequence < recorded {
        let why =
            format!("another pass of '{}' was recorded meanwhile, and this one has to be planned anew", plan.source);
        return Err(StoreError::Unavailable(why));
    }
    Ok(Standing::New)
}

async fn write_source(
    connection: &mut Connection,
    pass: &Pass,
    before: Option<&SourceRecord>,
) -> Result<(), StoreError> {
    let plan = &pass.plan;
    let sequence =
        if plan.is_empty() { before.map_or(0, |source| source.sequence) } else { plan.sequence.saturating_add(1) };
    note_condition(connection, &plan.source, &pass.url, &pass.branch, pass.condition.as_ref(), pass.at).await?;
    query("UPDATE sources SET revision = $2, policies = $3, platform = $4, plan = $5, sequence = $6 WHERE name = $1")
        .bind(plan.source.as_str())
        .bind(plan.revision.as_str())
        .bind(plan.policies.as_str())
        .bind(pass.platform.as_str())
        .bind(plan.digest.as_str())
        .bind(to_column(sequence))
        .execute(connection)
        .await?;
    Ok(())
}

/// Notes that a source was looked at. A condition that comes or goes is a thing to be traced; one
/// that stays is not.
pub async fn note_condition(
    connection: &mut Connection,
    source: &SourceName,
    url: &str,
    branch: &str,
    condition: Option<&Condition>,
    at: Timestamp,
) -> Result<(), StoreError> {
    let before = reading::source(connection, source).await?.and_then(|source| source.condition);
    query(
        "INSERT INTO sources (name, url, branch, condition_reason, condition_message, seen_at)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (name) DO UPDATE SET
             url = excluded.url,
             branch = excluded.branch,
             condition_reason = excluded.condition_reason,
             condition_message = excluded.condition_message,
             seen_at = excluded.seen_at",
    )
    .bind(source.as_str())
    .bind(url)
    .bind(branch)
    .bind(condition.map(|condition| condition.reason.as_str()))
    .bind(condition.map(|condition| condition.message.as_str()))
    .bind(to_millis(at))
    .execute(&mut *connection)
    .await?;
    if before.as_ref().map(|condition| &condition.reason) == condition.map(|condition| &condition.reason) {
        return Ok(());
    }
    let detail = match condition {
        Some(condition) => json!({"reason": condition.reason, "message": condition.message}),
        None => json!({"reason": Value::Null}),
    };
    let event = AuditEvent { kind: "source-condition", subject: source.to_string(), detail };
    audit::write(connection, source, None, at, &[event]).await
}

fn pass_recorded(pass: &Pass) -> AuditEvent {
    let plan = &pass.plan;
    AuditEvent {
        kind: "pass-recorded",
        subject: plan.source.to_string(),
        detail: json!({
            "plan": plan.digest.as_str(),
            "policies": plan.policies.as_str(),
            "platform": pass.platform.as_str(),
            "sequence": plan.sequence,
            "descriptors": pass.descriptors.len(),
            "gone": pass.gone.len(),
            "changes": plan.changes.len(),
            "activities": plan.activities.len(),
            "refused": plan.refused,
        }),
    }
}
