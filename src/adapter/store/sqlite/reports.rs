//! What forges should show, and what they were told.

use async_trait::async_trait;
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

use crate::adapter::store::encode::to_column;
use crate::domain::id::{Revision, SourceName};
use crate::domain::report::{Report, ReportState};
use crate::domain::time::{Timestamp, to_millis};
use crate::port::store::{ReportBook, StoreError, WantedReport};

use super::SqliteStore;
use super::bulk::Bulk;
use super::rows::Columns;

#[async_trait]
impl ReportBook for SqliteStore {
    async fn unpublished(&self, now: Timestamp, limit: usize) -> Result<Vec<WantedReport>, StoreError> {
        let mut transaction = self.read().await?;
        let rows = sqlx::query(UNPUBLISHED)
            .bind(to_millis(now))
            .bind(to_column(limit as u64))
            .fetch_all(&mut *transaction)
            .await?;
        rows.iter().map(wanted).collect()
    }

    async fn pending(&self, source: &SourceName, context: &str) -> Result<Vec<Revision>, StoreError> {
        let mut transaction = self.read().await?;
        let rows = sqlx::query(PENDING_STATES).bind(source.as_str()).bind(context).fetch_all(&mut *transaction).await?;
        rows.iter().map(|row| row.name("revision")).collect()
    }

    async fn want(&self, reports: &[Report], at: Timestamp) -> Result<(), StoreError> {
        let mut transaction = self.write().await?;
        want(&mut transaction, reports, at).await?;
        Ok(transaction.commit().await?)
    }

    async fn published(&self, report: &WantedReport, at: Timestamp) -> Result<(), StoreError> {
        let mut transaction = self.write().await?;
        sqlx::query(
            "UPDATE reports SET published = ?4, published_at = ?5, failures = 0, message = NULL, given_up = 0
             WHERE source = ?1 AND revision = ?2 AND context = ?3 AND edition = ?4",
        )
        .bind(report.report.source.as_str())
        .bind(report.report.revision.as_str())
        .bind(&report.report.context)
        .bind(to_column(report.edition))
        .bind(to_millis(at))
        .execute(&mut *transaction)
        .await?;
        Ok(transaction.commit().await?)
    }

    async fn failed(
        &self,
        report: &WantedReport,
        message: &str,
        again: Option<Timestamp>,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let mut transaction = self.write().await?;
        sqlx::query(
            "UPDATE reports SET failures = failures + 1, message = ?5, given_up = ?6, due_at = ?7
             WHERE source = ?1 AND revision = ?2 AND context = ?3 AND edition = ?4 AND published < edition",
        )
        .bind(report.report.source.as_str())
        .bind(report.report.revision.as_str())
        .bind(&report.report.context)
        .bind(to_column(report.edition))
        .bind(message)
        .bind(again.is_none())
        .bind(to_millis(again.unwrap_or(at)))
        .execute(&mut *transaction)
        .await?;
        Ok(transaction.commit().await?)
    }
}

/// Commits whose status in a context is pending.
pub const PENDING_STATES: &str = "SELECT revision FROM reports
     WHERE state = 'pending' AND source = ?1 AND context = ?2
     ORDER BY revision";

/// Reports that are due, oldest first.
pub const UNPUBLISHED: &str = "SELECT source, revision, context, state, description, target_url, edition, failures
     FROM reports
     WHERE published < edition AND given_up = 0 AND due_at <= ?1
     ORDER BY pending_since, id
     LIMIT ?2";

/// What is wanted already stays as it is, unless it had been given up: then it is tried again. What
/// was shown until now begins to wait; what was waiting keeps its turn.
const WANTED: Bulk = Bulk {
    into: "INSERT INTO reports (source, revision, context, state, description, target_url,
                                edition, wanted_at, pending_since, due_at)",
    columns: 10,
    conflict: "ON CONFLICT (source, revision, context) DO UPDATE SET
            state = excluded.state,
            description = excluded.description,
            target_url = excluded.target_url,
            edition = edition + (
                (state, description) <> (excluded.state, excluded.description)
                OR target_url IS DISTINCT FROM excluded.target_url
            ),
            pending_since = CASE WHEN published = edition THEN excluded.pending_since ELSE pending_since END,
            wanted_at = excluded.wanted_at,
            due_at = excluded.due_at,
            failures = 0,
            given_up = 0,
            message = NULL
        WHERE (state, description) <> (excluded.state, excluded.description)
           OR target_url IS DISTINCT FROM excluded.target_url
           OR given_up = 1",
};

/// Wants these reports to be shown, within the transaction of what they report.
pub async fn want(connection: &mut SqliteConnection, reports: &[Report], at: Timestamp) -> Result<(), StoreError> {
    let at = to_millis(at);
    WANTED
        .insert(connection, reports, |values, report| {
            values
                .put(report.source.as_str())
                .put(report.revision.as_str())
                .put(report.context.as_str())
                .put(report.state.as_str())
                .put(report.description.as_str())
                .put(report.target_url.as_deref())
                .put(1_i64)
                .put(at)
                .put(at)
                .put(at);
        })
        .await?;
    Ok(())
}

/// The state that stands as this word.
pub fn state(word: &str) -> Result<ReportState, StoreError> {
    crate::adapter::store::encode::from_word("state", word)
}

fn wanted(row: &SqliteRow) -> Result<WantedReport, StoreError> {
    let report = Report {
        source: row.name("source")?,
        revision: row.name("revision")?,
        context: row.text("context")?,
        state: state(&row.text("state")?)?,
        description: row.text("description")?,
        target_url: row.text_or_none("target_url")?,
        detail: None,
    };
    Ok(WantedReport {
        report,
        edition: row.count("edition")?,
        failures: u32::try_from(row.count("failures")?).unwrap_or(u32::MAX),
    })
}
