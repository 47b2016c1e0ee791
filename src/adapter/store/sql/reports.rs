//! What forges should show, and what they were told.

use std::collections::BTreeSet;

use async_trait::async_trait;
use serde_json::json;

use crate::adapter::store::encode::{from_json, name_list, to_column, to_json};
use crate::adapter::store::postgres::locks;
use crate::adapter::store::sql::connection::{Bulk, Connection, Query, Row, query, query_scalar};
use crate::domain::forge::Proposal;
use crate::domain::id::{Revision, SourceName, StageName};
use crate::domain::report::{Report, ReportState, next_look};
use crate::domain::time::{Timestamp, from_millis, to_millis};
use crate::port::store::{Basis, Pause, ReportBook, StoreError, Untold, WantedReport};

use super::audit::{self, AuditEvent};
use super::{Scope, SqlStore, telling};

#[async_trait]
impl ReportBook for SqlStore {
    async fn unpublished(
        &self,
        sources: &[SourceName],
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<WantedReport>, StoreError> {
        select(UNPUBLISHED, &mut *self.read_once().await?, sources, now, limit).await
    }

    async fn sources_with_unpublished(&self) -> Result<Vec<SourceName>, StoreError> {
        let rows = query(SOURCES_WITH_UNPUBLISHED).fetch_all(&mut *self.read_once().await?).await?;
        rows.iter().map(|row| row.name("source")).collect()
    }

    async fn pending(&self, source: &SourceName, context: &str) -> Result<Vec<Revision>, StoreError> {
        let mut transaction = self.read_once().await?;
        let rows = query(PENDING_STATES).bind(source.as_str()).bind(context).fetch_all(&mut transaction).await?;
        rows.iter().map(|row| row.name("revision")).collect()
    }

    async fn want(&self, reports: &[Report], at: Timestamp) -> Result<(), StoreError> {
        let mut transaction = self.write(Scope::Rows).await?;
        let sources: BTreeSet<&SourceName> = reports.iter().map(|report| &report.source).collect();
        for source in sources {
            telling::are_of_now(&mut transaction, source).await?;
        }
        want(&mut transaction, reports, at).await?;
        Ok(transaction.commit().await?)
    }

    async fn untold(&self) -> Result<Vec<Untold>, StoreError> {
        telling::untold(&mut *self.read_once().await?).await
    }

    async fn tell(
        &self,
        stage: &StageName,
        basis: &Basis,
        reports: &[Report],
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let mut transaction = self.write(Scope::Rows).await?;
        telling::tell(&mut transaction, stage, basis, reports, at).await?;
        transaction.commit().await
    }

    async fn write_anew(&self, source: &SourceName, revision: &Revision, at: Timestamp) -> Result<(), StoreError> {
        let mut transaction = self.write(Scope::Rows).await?;
        write_anew(&mut transaction, source, revision, at).await?;
        Ok(transaction.commit().await?)
    }

    async fn wanted_comment(&self, source: &SourceName, pull: u64) -> Result<Option<Report>, StoreError> {
        let row = query(COMMENT)
            .bind(source.as_str())
            .bind(Proposal::Pull(pull).to_string())
            .fetch_optional(&mut *self.read_once().await?)
            .await?;
        Ok(row.as_ref().map(wanted).transpose()?.map(|wanted| wanted.report))
    }

    async fn published(&self, report: &WantedReport, external: Option<&str>, at: Timestamp) -> Result<(), StoreError> {
        let mut transaction = self.write(Scope::Rows).await?;
        // The forge's id is kept though another state is wanted by now: the next edition goes there.
        by_key(
            "UPDATE reports SET external = $6, published = CASE WHEN published < $5 THEN $5 ELSE published END, published_at = $7, verified_at = $7,
                verify_at = CASE WHEN edition = $5 THEN $8 END,
                failures = CASE WHEN edition = $5 THEN 0 ELSE failures END,
                message = CASE WHEN edition = $5 THEN NULL ELSE message END,
                given_up = CASE WHEN edition = $5 THEN 0 ELSE given_up END
             WHERE source = $1 AND subject = $2 AND sort = $3 AND context = $4",
            report,
        )
        .bind(external)
        .bind(to_millis(at))
        .bind(next_look(at, at).map(to_millis))
        .execute(&mut transaction)
        .await?;
        end_pauses(&mut transaction, &report.report, at).await?;
        Ok(transaction.commit().await?)
    }

    async fn failed(
        &self,
        report: &WantedReport,
        message: &str,
        again: Option<Timestamp>,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let mut transaction = self.write(Scope::Rows).await?;
        by_key(
            "UPDATE reports SET failures = failures + 1, message = $6, given_up = $7, due_at = $8
             WHERE source = $1 AND subject = $2 AND sort = $3 AND context = $4 AND edition = $5
               AND published < edition",
            report,
        )
        .bind(message)
        .bind(again.is_none())
        .bind(to_millis(again.unwrap_or(at)))
        .execute(&mut transaction)
        .await?;
        Ok(transaction.commit().await?)
    }

    async fn pause(
        &self,
        sources: &[SourceName],
        why: &Pause,
        until: Timestamp,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let mut transaction = self.write(Scope::Rows).await?;
        for source in sources {
            pause(&mut transaction, source, why, until, at).await?;
        }
        Ok(transaction.commit().await?)
    }

    async fn to_verify(
        &self,
        sources: &[SourceName],
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<WantedReport>, StoreError> {
        select(TO_VERIFY, &mut *self.read_once().await?, sources, now, limit).await
    }

    async fn verified(&self, report: &WantedReport, at: Timestamp) -> Result<(), StoreError> {
        let mut transaction = self.write(Scope::Rows).await?;
        let published_at: Option<i64> = query_scalar(
            "SELECT published_at FROM reports
             WHERE source = $1 AND subject = $2 AND sort = $3 AND context = $4 AND edition = $5 AND published = $5",
        )
        .bind(report.report.source.as_str())
        .bind(report.report.subject())
        .bind(report.report.sort())
        .bind(&report.report.context)
        .bind(to_column(report.edition))
        .fetch_optional(&mut transaction)
        .await?
        .flatten();
        let Some(published_at) = published_at else { return Ok(()) };
        by_key(
            "UPDATE reports SET verified_at = $6, verify_at = $7
             WHERE source = $1 AND subject = $2 AND sort = $3 AND context = $4 AND edition = $5",
            report,
        )
        .bind(to_millis(at))
        .bind(next_look(from_millis(published_at), at).map(to_millis))
        .execute(&mut transaction)
        .await?;
        Ok(transaction.commit().await?)
    }

    async fn lost(&self, report: &WantedReport, at: Timestamp) -> Result<(), StoreError> {
        let mut transaction = self.write(Scope::Rows).await?;
        by_key(
            "UPDATE reports SET edition = edition + 1, pending_since = $6, due_at = $6, verify_at = NULL, failures = 0
             WHERE source = $1 AND subject = $2 AND sort = $3 AND context = $4 AND edition = $5 AND published = $5",
            report,
        )
        .bind(to_millis(at))
        .execute(&mut transaction)
        .await?;
        Ok(transaction.commit().await?)
    }
}

/// A statement about one report; its parameters 1 to 5 are the key and the edition.
fn by_key<'q>(statement: &'static str, wanted: &'q WantedReport) -> Query<'q> {
    query(statement)
        .bind(wanted.report.source.as_str())
        .bind(wanted.report.subject())
        .bind(wanted.report.sort())
        .bind(&wanted.report.context)
        .bind(to_column(wanted.edition))
}

async fn select(
    statement: &'static str,
    connection: &mut Connection,
    sources: &[SourceName],
    now: Timestamp,
    limit: usize,
) -> Result<Vec<WantedReport>, StoreError> {
    let rows = query(statement)
        .bind(name_list(sources.iter().map(SourceName::as_str)))
        .bind(to_millis(now))
        .bind(to_column(limit as u64))
        .fetch_all(connection)
        .await?;
    rows.iter().map(wanted).collect()
}

/// Pauses one source. That we may not write is a thing to be traced, once; that we are at a limit is not.
async fn pause(
    connection: &mut Connection,
    source: &SourceName,
    why: &Pause,
    until: Timestamp,
    at: Timestamp,
) -> Result<(), StoreError> {
    let (sort, message) = match why {
        Pause::Limited { message } => (String::new(), message),
        Pause::Crowded { sort, message } => (format!("~{sort}"), message),
        Pause::Denied { sort, message } => ((*sort).to_owned(), message),
    };
    let sort = sort.as_str();
    let since: Option<i64> = query_scalar("SELECT since FROM forge_pauses WHERE source = $1 AND sort = $2")
        .bind(source.as_str())
        .bind(sort)
        .fetch_optional(&mut *connection)
        .await?;
    query(
        "INSERT INTO forge_pauses (source, sort, until, message, since) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (source, sort) DO UPDATE SET until = excluded.until, message = excluded.message",
    )
    .bind(source.as_str())
    .bind(sort)
    .bind(to_millis(until))
    .bind(message)
    .bind(to_millis(at))
    .execute(&mut *connection)
    .await?;
    if since.is_some() || !matches!(why, Pause::Denied { .. }) {
        return Ok(());
    }
    let detail = json!({"sort": sort, "message": message});
    let event = AuditEvent { kind: "forge-denied", subject: source.to_string(), detail };
    audit::write(connection, source, None, at, &[event]).await
}

/// Something was written: the account is not at its limit, and we may write reports of this sort.
async fn end_pauses(connection: &mut Connection, report: &Report, at: Timestamp) -> Result<(), StoreError> {
    let ended: Vec<String> =
        query_scalar("DELETE FROM forge_pauses WHERE source = $1 AND sort IN ('', $2) RETURNING sort")
            .bind(report.source.as_str())
            .bind(report.sort())
            .fetch_all(&mut *connection)
            .await?;
    if !ended.iter().any(|sort| !sort.is_empty()) {
        return Ok(());
    }
    let detail = json!({"sort": report.sort()});
    let event = AuditEvent { kind: "forge-allowed", subject: report.source.to_string(), detail };
    audit::write(connection, &report.source, None, at, &[event]).await
}

/// Commits whose status in a context is pending.
pub const PENDING_STATES: &str = "SELECT revision FROM reports
     WHERE state = 'pending' AND sort = 'status' AND source = $1 AND context = $2
     ORDER BY revision";

/// Sources of which something waits to be written.
pub const SOURCES_WITH_UNPUBLISHED: &str =
    "SELECT DISTINCT source FROM reports WHERE published < edition AND given_up = 0 ORDER BY source";

/// Reports that are due: statuses first, then the oldest. A pause is of all sorts (''), of one that is denied, or
/// of one of which there were too many ('~' before it).
pub const UNPUBLISHED: &str =
    "SELECT r.source, r.revision, r.context, r.state, r.description, r.target_url, r.detail, r.edition, r.failures,
            r.external
     FROM json_each($1) AS wanted CROSS JOIN reports r
     WHERE r.source = wanted.value AND r.published < r.edition AND r.given_up = 0 AND r.due_at <= $2
       AND NOT EXISTS (
         SELECT 1 FROM forge_pauses p
         WHERE p.source = r.source AND p.sort IN ('', r.sort, '~' || r.sort) AND p.until > $2)
     ORDER BY CASE r.sort WHEN 'status' THEN 0 WHEN 'check' THEN 1 WHEN 'comment' THEN 2 ELSE 3 END,
              r.pending_since, r.id
     LIMIT $3";

/// Reports that are shown and due to be read back.
pub const TO_VERIFY: &str =
    "SELECT r.source, r.revision, r.context, r.state, r.description, r.target_url, r.detail, r.edition, r.failures,
            r.external
     FROM json_each($1) AS wanted CROSS JOIN reports r
     WHERE r.source = wanted.value AND r.verify_at <= $2 AND r.published = r.edition
       AND NOT EXISTS (
         SELECT 1 FROM forge_pauses p WHERE p.source = r.source AND p.sort IN ('', r.sort) AND p.until > $2)
     ORDER BY r.verify_at, r.id
     LIMIT $3";

/// The comment of a pull request.
pub const COMMENT: &str =
    "SELECT source, revision, context, state, description, target_url, detail, edition, failures, external
     FROM reports WHERE source = $1 AND subject = $2 AND sort = 'comment'";

/// Whether there is a report of this key.
pub const STANDS: &str = "SELECT 1 FROM reports WHERE source = $1 AND subject = $2 AND sort = $3 AND context = $4";

/// Checks of a commit that are shown, from now on to be written once more.
pub const WRITE_ANEW: &str =
    "UPDATE reports SET edition = edition + 1, pending_since = $3, due_at = $3, verify_at = NULL
     WHERE source = $1 AND subject = $2 AND sort = 'check' AND published = edition";

/// What was never written of a commit, and is not to be written any more: nobody waits for it. What stands at
/// a commit of the branch, or at a head of another open proposal, goes on.
pub const SETTLE: &str = "UPDATE reports SET given_up = 1, message = $3
     WHERE source = $1 AND subject = $2 AND published = 0 AND given_up = 0
       AND NOT EXISTS (SELECT 1 FROM passes p WHERE p.source = $1 AND p.revision = $2)
       AND NOT EXISTS (SELECT 1 FROM proposals o WHERE o.source = $1 AND o.head = $2 AND o.state = 'open')";

/// What is wanted already stays as it is, unless it had been given up: then it is tried again. What
/// was shown until now begins to wait; what was waiting keeps its turn.
const WANTED: Bulk = Bulk {
    into: "INSERT INTO reports (source, revision, subject, sort, context, state, description, target_url, detail,
                                edition, wanted_at, pending_since, due_at)",
    columns: 13,
    conflict: "ON CONFLICT (source, subject, sort, context) DO UPDATE SET
            revision = excluded.revision,
            state = excluded.state,
            description = excluded.description,
            target_url = excluded.target_url,
            detail = excluded.detail,
            edition = reports.edition + CASE
                WHEN (reports.state, reports.description) <> (excluded.state, excluded.description)
                    OR reports.target_url IS DISTINCT FROM excluded.target_url
                    OR reports.detail IS DISTINCT FROM excluded.detail THEN 1
                ELSE 0
            END,
            pending_since = CASE
                WHEN reports.published = reports.edition THEN excluded.pending_since
                ELSE reports.pending_since
            END,
            wanted_at = excluded.wanted_at,
            due_at = excluded.due_at,
            failures = 0,
            given_up = 0,
            message = NULL
        WHERE (reports.state, reports.description, reports.revision)
                  <> (excluded.state, excluded.description, excluded.revision)
           OR reports.target_url IS DISTINCT FROM excluded.target_url
           OR reports.detail IS DISTINCT FROM excluded.detail
           OR reports.given_up = 1",
};

/// Wants these reports to be shown, within the transaction of what they report.
pub async fn want(connection: &mut Connection, reports: &[Report], at: Timestamp) -> Result<(), StoreError> {
    locks::reports(connection, reports.iter().map(|report| &report.source)).await?;
    let at = to_millis(at);
    let reports: Vec<(&Report, Option<String>)> = reports
        .iter()
        .map(|report| {
            let detail = report.detail.as_ref().map(|detail| to_json("a report's detail", detail)).transpose()?;
            Ok((report, detail))
        })
        .collect::<Result<_, StoreError>>()?;
    WANTED
        .upsert(&[0, 2, 3, 4], connection, &reports, |values, (report, detail)| {
            values
                .put(report.source.as_str())
                .put(report.revision.as_str())
                .put(report.subject())
                .put(report.sort())
                .put(report.context.as_str())
                .put(report.state.as_str())
                .put(report.description.as_str())
                .put(report.target_url.as_deref())
                .put(detail.as_deref())
                .put(1_i64)
                .put(at)
                .put(at)
                .put(at);
        })
        .await?;
    Ok(())
}

/// Whether something of the same key is wanted already.
pub async fn stands(connection: &mut Connection, report: &Report) -> Result<bool, StoreError> {
    let found: Option<i64> = query_scalar(STANDS)
        .bind(report.source.as_str())
        .bind(report.subject())
        .bind(report.sort())
        .bind(report.context.as_str())
        .fetch_optional(connection)
        .await?;
    Ok(found.is_some())
}

/// Has the checks of a commit written anew.
pub async fn write_anew(
    connection: &mut Connection,
    source: &SourceName,
    revision: &Revision,
    at: Timestamp,
) -> Result<(), StoreError> {
    let statement = query(WRITE_ANEW).bind(source.as_str()).bind(revision.as_str()).bind(to_millis(at));
    statement.execute(connection).await?;
    Ok(())
}

/// Gives up what was never written of a subject: a commit, or the comment of a proposal.
pub async fn settle(connection: &mut Connection, source: &SourceName, subject: &str) -> Result<(), StoreError> {
    let why = "it was not written before the proposal moved on";
    query(SETTLE).bind(source.as_str()).bind(subject).bind(why).execute(connection).await?;
    Ok(())
}

/// The state that stands as this word.
pub fn state(word: &str) -> Result<ReportState, StoreError> {
    crate::adapter::store::encode::from_word("state", word)
}

fn wanted(row: &Row) -> Result<WantedReport, StoreError> {
    let detail = row.text_or_none("detail")?;
    let report = Report {
        source: row.name("source")?,
        revision: row.name("revision")?,
        context: row.text("context")?,
        state: state(&row.text("state")?)?,
        description: row.text("description")?,
        target_url: row.text_or_none("target_url")?,
        detail: detail.map(|text| from_json("a report's detail", &text)).transpose()?,
    };
    Ok(WantedReport {
        report,
        edition: row.count("edition")?,
        failures: u32::try_from(row.count("failures")?).unwrap_or(u32::MAX),
        external: row.text_or_none("external")?,
    })
}
