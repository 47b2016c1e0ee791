//! Containers, activities, reports, passes and audit events.

use crate::adapter::store::encode::to_column;
use crate::adapter::store::sql::connection::{Connection, Row, query};
use crate::domain::id::SourceName;
use crate::port::store::{ActivityRow, AuditRow, ContainerRow, PassRow, ReportRow, StoreError};

pub async fn containers(connection: &mut Connection) -> Result<Vec<ContainerRow>, StoreError> {
    let rows = query(
        "SELECT product, stage, version, digest, revision, activity, since FROM containers ORDER BY product, stage",
    )
    .fetch_all(connection)
    .await?;
    let each = |row: &Row| {
        Ok(ContainerRow {
            product: row.name("product")?,
            stage: row.text("stage")?,
            version: row.text("version")?,
            digest: row.name("digest")?,
            revision: row.name("revision")?,
            activity: row.text("activity")?,
            since: row.time("since")?.to_string(),
        })
    };
    rows.iter().map(each).collect()
}

pub async fn activities(connection: &mut Connection, limit: usize) -> Result<Vec<ActivityRow>, StoreError> {
    let rows = query(
        "SELECT id, product, stage, version, status, done, tasks, source, revision, planned_at, message, refused
         FROM activities ORDER BY number DESC LIMIT $1",
    )
    .bind(to_column(limit as u64))
    .fetch_all(connection)
    .await?;
    let each = |row: &Row| {
        Ok(ActivityRow {
            activity: row.text("id")?,
            product: row.name("product")?,
            stage: row.text("stage")?,
            version: row.text("version")?,
            status: row.text("status")?,
            done: row.count("done")?,
            tasks: row.count("tasks")?,
            source: row.name("source")?,
            revision: row.name("revision")?,
            planned_at: row.time("planned_at")?.to_string(),
            message: row.text_or_none("message")?,
            refused_events: row.count("refused")?,
        })
    };
    rows.iter().map(each).collect()
}

pub async fn reports(connection: &mut Connection, limit: usize) -> Result<Vec<ReportRow>, StoreError> {
    let rows = query(
        "SELECT source, revision, sort, context, state, description,
                coalesce(message, CASE WHEN published < edition THEN (
                    SELECT p.message FROM forge_pauses p
                    WHERE p.source = reports.source AND p.sort IN ('', reports.sort, '~' || reports.sort) ORDER BY p.until DESC LIMIT 1
                ) END) AS message,
                CASE WHEN published = edition THEN 'published'
                     WHEN given_up = 1 THEN 'given-up'
                     ELSE 'waiting' END AS delivery
         FROM reports ORDER BY wanted_at DESC, id DESC LIMIT $1",
    )
    .bind(to_column(limit as u64))
    .fetch_all(connection)
    .await?;
    let each = |row: &Row| {
        Ok(ReportRow {
            source: row.name("source")?,
            revision: row.name("revision")?,
            sort: row.text("sort")?,
            context: row.text("context")?,
            state: row.text("state")?,
            description: row.text("description")?,
            delivery: row.text("delivery")?,
            message: row.text_or_none("message")?,
        })
    };
    rows.iter().map(each).collect()
}

pub async fn passes(
    connection: &mut Connection,
    source: Option<&SourceName>,
    limit: usize,
) -> Result<Vec<PassRow>, StoreError> {
    let rows = query(
        "SELECT source, revision, plan, policies, at FROM passes
         WHERE $1 IS NULL OR source = $1 ORDER BY id DESC LIMIT $2",
    )
    .bind(source.map(SourceName::as_str))
    .bind(to_column(limit as u64))
    .fetch_all(connection)
    .await?;
    let each = |row: &Row| {
        Ok(PassRow {
            source: row.name("source")?,
            revision: row.name("revision")?,
            plan: row.name("plan")?,
            policies: row.name("policies")?,
            at: row.time("at")?.to_string(),
        })
    };
    rows.iter().map(each).collect()
}

pub async fn audit(connection: &mut Connection, limit: usize) -> Result<Vec<AuditRow>, StoreError> {
    let rows =
        query("SELECT id, at, kind, subject, source, revision, detail FROM audit_events ORDER BY id DESC LIMIT $1")
            .bind(to_column(limit as u64))
            .fetch_all(connection)
            .await?;
    let each = |row: &Row| {
        Ok(AuditRow {
            id: row.number("id")?,
            at: row.time("at")?.to_string(),
            kind: row.text("kind")?,
            subject: row.text("subject")?,
            source: row.name_or_none("source")?,
            revision: row.name_or_none("revision")?,
            detail: row.json("detail")?,
        })
    };
    rows.iter().map(each).collect()
}
