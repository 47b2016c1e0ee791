//! What people decided. A decision, what follows from it and its traces are one transaction.

use async_trait::async_trait;
use serde_json::json;

use crate::adapter::store::encode::name_list;
use crate::adapter::store::sql::connection::{Connection, Row, query, query_scalar};
use crate::domain::activity::{ActivityEvent, ActivityStatus, CancelCause};
use crate::domain::forge::{Approval, Hold, Person};
use crate::domain::id::{Digest, Fqn, RepoPath, SourceName, StageName};
use crate::domain::plan::ActivityId;
use crate::domain::time::to_millis;
use crate::port::store::{ApprovalBook, Decision, Ruling, StoreError};

use super::activities::{append, load};
use super::audit::{self, AuditEvent};
use super::sharing::terms;
use super::{Scope, SqlStore};

/// How long it is known which requests were decided, in milliseconds.
const KEPT: i64 = 90 * 24 * 3_600 * 1_000;

/// All approvals of a plan at a stage.
pub const APPROVALS: &str = "SELECT source, plan, stage, policies, name, via, at FROM approvals
     WHERE plan = $1 AND stage = $2 ORDER BY at, person";

/// Root files of which what failed is to be tried again.
pub const TO_RETRY: &str = "SELECT path FROM descriptors WHERE source = $1 AND retry = 1 ORDER BY path";

#[async_trait]
impl ApprovalBook for SqlStore {
    async fn decide(&self, decision: &Decision) -> Result<(), StoreError> {
        let mut transaction = self.write(Scope::Source(&decision.source)).await?;
        decide(&mut transaction, decision).await?;
        Ok(transaction.commit().await?)
    }

    async fn decided(&self, request: &str) -> Result<Option<String>, StoreError> {
        decided(&mut *self.read_once().await?, request).await
    }

    async fn approvals(&self, plan: &Digest, stage: &StageName) -> Result<Vec<Approval>, StoreError> {
        let mut transaction = self.read_once().await?;
        let rows = query(APPROVALS).bind(plan.as_str()).bind(stage.as_str()).fetch_all(&mut transaction).await?;
        let each = |row: &Row| {
            Ok(Approval {
                source: row.name("source")?,
                plan: row.name("plan")?,
                stage: row.name("stage")?,
                policies: row.name("policies")?,
                by: person(row)?,
                at: row.time("at")?,
            })
        };
        rows.iter().map(each).collect()
    }

    async fn holds(&self) -> Result<Vec<Hold>, StoreError> {
        let mut transaction = self.read_once().await?;
        let rows = query("SELECT source, nullif(plan, '') AS plan, name, via, at FROM holds ORDER BY at, source")
            .fetch_all(&mut transaction)
            .await?;
        let each = |row: &Row| {
            Ok(Hold {
                source: row.name("source")?,
                plan: row.name_or_none("plan")?,
                by: person(row)?,
                at: row.time("at")?,
            })
        };
        rows.iter().map(each).collect()
    }

    async fn to_retry(&self, source: &SourceName) -> Result<Vec<RepoPath>, StoreError> {
        let mut transaction = self.read_once().await?;
        let rows = query(TO_RETRY).bind(source.as_str()).fetch_all(&mut transaction).await?;
        rows.iter().map(|row| row.name("path")).collect()
    }
}

fn person(row: &Row) -> Result<Person, StoreError> {
    Ok(Person { name: row.text("name")?, via: row.text("via")? })
}

async fn decided(connection: &mut Connection, request: &str) -> Result<Option<String>, StoreError> {
    query_scalar("SELECT outcome FROM decisions WHERE request = $1").bind(request).fetch_optional(connection).await
}

async fn decide(connection: &mut Connection, decision: &Decision) -> Result<(), StoreError> {
    if decided(connection, &decision.request).await?.is_some() {
        return Ok(());
    }
    query("DELETE FROM decisions WHERE at < $1")
        .bind(to_millis(decision.at).saturating_sub(KEPT))
        .execute(&mut *connection)
        .await?;
    query("INSERT INTO decisions (request, outcome, at) VALUES ($1, $2, $3)")
        .bind(&decision.request)
        .bind(&decision.outcome)
        .bind(to_millis(decision.at))
        .execute(&mut *connection)
        .await?;
    match &decision.ruling {
        Ruling::Approve(approvals) => {
            for approval in approvals {
                approve(connection, approval).await?;
                resume(connection, decision, Some(&approval.plan)).await?;
            }
        }
        Ruling::Reject(activities) => {
            for id in activities {
                reject(connection, decision, id).await?;
            }
        }
        Ruling::Cancel(activities) => {
            for id in activities {
                cancel(connection, decision, id).await?;
            }
        }
        Ruling::Hold(holds) => {
            for hold in holds {
                write_hold(connection, hold).await?;
            }
        }
        Ruling::Resume { plan } => resume(connection, decision, plan.as_ref()).await?,
        Ruling::Retry { products, resumed } => {
            retry(connection, decision, products).await?;
            for plan in resumed {
                resume(connection, decision, Some(plan)).await?;
            }
        }
    }
    terms::was_decided(connection, &decision.source).await?;
    let event = AuditEvent { kind: kind(&decision.ruling), subject: subject(decision), detail: detail(decision) };
    audit::write(connection, &decision.source, None, decision.at, &[event]).await
}

fn kind(ruling: &Ruling) -> &'static str {
    match ruling {
        Ruling::Approve(_) => "rollout-approved",
        Ruling::Reject(_) => "rollout-rejected",
        Ruling::Cancel(_) => "rollout-cancelled",
        Ruling::Hold(_) => "rollout-held",
        Ruling::Resume { .. } => "rollout-resumed",
        Ruling::Retry { .. } => "rollout-retried",
    }
}

fn subject(decision: &Decision) -> String {
    match &decision.ruling {
        Ruling::Approve(approvals) => {
            approvals.first().map_or_else(|| decision.source.to_string(), |approval| approval.plan.to_string())
        }
        _ => decision.source.to_string(),
    }
}

fn detail(decision: &Decision) -> serde_json::Value {
    let what = match &decision.ruling {
        Ruling::Approve(approvals) => json!(
            approvals
                .iter()
                .map(|it| json!({"plan": it.plan, "stage": it.stage, "policies": it.policies}))
                .collect::<Vec<_>>()
        ),
        Ruling::Reject(activities) | Ruling::Cancel(activities) => json!(activities),
        Ruling::Hold(holds) => json!(holds.iter().map(|hold| json!({"plan": hold.plan})).collect::<Vec<_>>()),
        Ruling::Resume { plan } => json!({"plan": plan}),
        Ruling::Retry { products, .. } => json!(products),
    };
    json!({"by": decision.by.name, "via": decision.by.via, "request": decision.request, "what": what})
}

async fn approve(connection: &mut Connection, approval: &Approval) -> Result<(), StoreError> {
    query(
        "INSERT INTO approvals (source, plan, stage, policies, person, name, via, at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING",
    )
    .bind(approval.source.as_str())
    .bind(approval.plan.as_str())
    .bind(approval.stage.as_str())
    .bind(approval.policies.as_str())
    .bind(approval.by.key())
    .bind(&approval.by.name)
    .bind(&approval.by.via)
    .bind(to_millis(approval.at))
    .execute(connection)
    .await?;
    Ok(())
}

async fn write_hold(connection: &mut Connection, hold: &Hold) -> Result<(), StoreError> {
    query("INSERT INTO holds (source, plan, name, via, at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING")
        .bind(hold.source.as_str())
        .bind(hold.plan.as_ref().map_or("", Digest::as_str))
        .bind(&hold.by.name)
        .bind(&hold.by.via)
        .bind(to_millis(hold.at))
        .execute(connection)
        .await?;
    Ok(())
}

/// Ends the holds of a plan, or without one all of the source.
async fn resume(connection: &mut Connection, decision: &Decision, plan: Option<&Digest>) -> Result<(), StoreError> {
    query("DELETE FROM holds WHERE source = $1 AND ($2 IS NULL OR plan = $2)")
        .bind(decision.source.as_str())
        .bind(plan.map(Digest::as_str))
        .execute(connection)
        .await?;
    Ok(())
}

async fn reject(connection: &mut Connection, decision: &Decision, id: &ActivityId) -> Result<(), StoreError> {
    let Some(record) = load::one(connection, id).await? else { return Ok(()) };
    if record.state.status != ActivityStatus::Waiting {
        return Ok(());
    }
    let event = ActivityEvent::Rejected { by: decision.by.to_string(), at: decision.at };
    append::append(connection, id, None, &event, decision.at)
        .await
        .map(|_| ())
        .map_err(|error| StoreError::Unusable(error.to_string()))
}

async fn cancel(connection: &mut Connection, decision: &Decision, id: &ActivityId) -> Result<(), StoreError> {
    let Some(record) = load::one(connection, id).await? else { return Ok(()) };
    let (by, at) = (decision.by.to_string(), decision.at);
    let event = match record.state.status {
        ActivityStatus::Waiting => ActivityEvent::Cancelled { by, at },
        ActivityStatus::Running if !record.state.is_ending() => {
            ActivityEvent::CancelRequested { why: CancelCause::Person(by), at }
        }
        _ => return Ok(()),
    };
    append::append(connection, id, None, &event, decision.at)
        .await
        .map(|_| ())
        .map_err(|error| StoreError::Unusable(error.to_string()))
}

async fn retry(connection: &mut Connection, decision: &Decision, products: &[Fqn]) -> Result<(), StoreError> {
    query(
        "UPDATE descriptors SET retry = 1
         WHERE source = $1 AND product IN (SELECT value FROM json_each($2))",
    )
    .bind(decision.source.as_str())
    .bind(name_list(products.iter().map(Fqn::as_str)))
    .execute(connection)
    .await?;
    Ok(())
}
