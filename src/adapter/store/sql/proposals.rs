//! What became of looking at proposals.

use async_trait::async_trait;

use crate::adapter::store::encode::{from_word, to_column, to_word};
use crate::adapter::store::sql::connection::{Connection, Row, query, query_scalar};
use crate::domain::forge::{Proposal, PullState};
use crate::domain::id::SourceName;
use crate::domain::report::Report;
use crate::domain::time::to_millis;
use crate::port::store::{CLOSED_KEPT, ProposalBook, ProposalRecord, ProposalRow, ReviewInputs, StoreError};

use super::{Scope, SqlStore, reports, sharing::terms};

#[async_trait]
impl ProposalBook for SqlStore {
    async fn proposal(&self, source: &SourceName, proposal: &Proposal) -> Result<Option<ProposalRecord>, StoreError> {
        let mut transaction = self.read_once().await?;
        let row = query(ONE).bind(source.as_str()).bind(proposal.to_string()).fetch_optional(&mut transaction).await?;
        row.as_ref().map(record).transpose()
    }

    async fn open_proposals(&self, source: &SourceName) -> Result<Vec<ProposalRecord>, StoreError> {
        let mut transaction = self.read_once().await?;
        let rows = query(OPEN).bind(source.as_str()).fetch_all(&mut transaction).await?;
        let mut records: Vec<ProposalRecord> = rows.iter().map(record).collect::<Result<_, _>>()?;
        records.sort_by(|a, b| a.proposal.cmp(&b.proposal));
        Ok(records)
    }

    async fn record_proposal(&self, record: &ProposalRecord, reports: &[Report]) -> Result<(), StoreError> {
        let mut transaction = self.write(Scope::Source(&record.source)).await?;
        terms::was_said(&mut transaction, &record.source).await?;
        let (inputs, proposal) = (&record.inputs, record.proposal.to_string());
        let before: Option<String> =
            query_scalar(HEAD).bind(record.source.as_str()).bind(&proposal).fetch_optional(&mut transaction).await?;
        query(RECORD)
            .bind(record.source.as_str())
            .bind(&proposal)
            .bind(record.state.as_str())
            .bind(inputs.head.as_str())
            .bind(inputs.base.as_str())
            .bind(inputs.recorded.as_ref().map(|revision| revision.as_str()))
            .bind(inputs.policies.as_str())
            .bind(inputs.platform.as_str())
            .bind(record.result.as_ref().map(|revision| revision.as_str()))
            .bind(record.is_fork)
            .bind(&record.author)
            .bind(&record.title)
            .bind(to_word("verdict", &record.verdict)?)
            .bind(&record.summary)
            .bind(record.commented)
            .bind(to_millis(record.assessed_at))
            .bind(to_column(record.again))
            .execute(&mut transaction)
            .await?;
        if let Some(before) = before.filter(|before| *before != inputs.head.as_str()) {
            reports::settle(&mut transaction, &record.source, &before).await?;
        }
        let overtaken: i64 = query_scalar(OVERTAKEN)
            .bind(record.source.as_str())
            .bind(inputs.head.as_str())
            .bind(inputs.recorded.as_ref().map_or("", |revision| revision.as_str()))
            .fetch_one(&mut transaction)
            .await?;
        let of_branch = |report: &Report| overtaken > 0 && report.sort() != "comment";
        let reports: Vec<Report> = reports.iter().filter(|report| !of_branch(report)).cloned().collect();
        reports::want(&mut transaction, &reports, record.assessed_at).await?;
        if record.again > 0 {
            reports::write_anew(&mut transaction, &record.source, &inputs.head, record.assessed_at).await?;
        }
        Ok(transaction.commit().await?)
    }

    async fn close_proposal(
        &self,
        source: &SourceName,
        proposal: &Proposal,
        state: PullState,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.write(Scope::Source(source)).await?;
        let name = proposal.to_string();
        let closed =
            query("UPDATE proposals SET state = $3, again = 0 WHERE source = $1 AND proposal = $2 AND state = 'open'")
                .bind(source.as_str())
                .bind(&name)
                .bind(state.as_str())
                .execute(&mut transaction)
                .await?;
        let head: Option<String> =
            query_scalar(HEAD).bind(source.as_str()).bind(&name).fetch_optional(&mut transaction).await?;
        // As which commit it was merged is the branch's business, and the comment goes on under it.
        if let (true, PullState::Closed, Some(head)) = (closed > 0, state, head) {
            reports::settle(&mut transaction, source, &head).await?;
            reports::settle(&mut transaction, source, &name).await?;
        }
        query(
            "DELETE FROM proposals WHERE source = $1 AND state <> 'open' AND proposal NOT IN (
                 SELECT proposal FROM proposals WHERE source = $1 AND state <> 'open'
                 ORDER BY assessed_at DESC, proposal DESC LIMIT $2)",
        )
        .bind(source.as_str())
        .bind(to_column(CLOSED_KEPT as u64))
        .execute(&mut transaction)
        .await?;
        transaction.commit().await?;
        Ok(closed > 0)
    }

    async fn assess_again(&self, source: &SourceName, proposal: &Proposal) -> Result<(), StoreError> {
        let mut transaction = self.write(Scope::Source(source)).await?;
        query("UPDATE proposals SET again = again + 1 WHERE source = $1 AND proposal = $2")
            .bind(source.as_str())
            .bind(proposal.to_string())
            .execute(&mut transaction)
            .await?;
        Ok(transaction.commit().await?)
    }
}

/// The commit of a proposal that was assessed last.
pub const HEAD: &str = "SELECT head FROM proposals WHERE source = $1 AND proposal = $2";

/// Whether a pass was recorded of the head, and the branch is recorded there, or elsewhere than it was for the
/// assessment.
pub const OVERTAKEN: &str = "SELECT count(*) FROM sources s
     WHERE s.name = $1 AND (s.revision <> $3 OR s.revision = $2)
       AND EXISTS (SELECT 1 FROM passes p WHERE p.source = s.name AND p.revision = $2)";

/// An assessment. Who asked for another one while it was made still waits for it ($17 were answered).
pub const RECORD: &str = "INSERT INTO proposals (source, proposal, state, head, base, recorded, policies, platform,
         result, is_fork, author, title, verdict, summary, commented, again, assessed_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, 0, $16)
     ON CONFLICT (source, proposal) DO UPDATE SET
         state = excluded.state, head = excluded.head, base = excluded.base, recorded = excluded.recorded,
         policies = excluded.policies, platform = excluded.platform, result = excluded.result,
         is_fork = excluded.is_fork, author = excluded.author, title = excluded.title,
         verdict = excluded.verdict, summary = excluded.summary, commented = excluded.commented,
         again = CASE WHEN proposals.again > $17 THEN proposals.again - $17 ELSE 0 END,
         assessed_at = excluded.assessed_at";

/// One proposal.
pub const ONE: &str = "SELECT * FROM proposals WHERE source = $1 AND proposal = $2";

/// The open ones of a source.
pub const OPEN: &str = "SELECT * FROM proposals WHERE state = 'open' AND source = $1";

/// The newest rows, for people.
pub async fn rows(
    connection: &mut Connection,
    source: Option<&SourceName>,
    limit: usize,
) -> Result<Vec<ProposalRow>, StoreError> {
    let rows = query(
        "SELECT * FROM proposals WHERE $1 IS NULL OR source = $1
         ORDER BY assessed_at DESC, source, proposal LIMIT $2",
    )
    .bind(source.map(SourceName::as_str))
    .bind(to_column(limit as u64))
    .fetch_all(connection)
    .await?;
    let each = |row: &Row| {
        let record = record(row)?;
        Ok(ProposalRow {
            source: record.source,
            proposal: record.proposal.to_string(),
            state: record.state.as_str().to_owned(),
            head: record.inputs.head,
            base: record.inputs.base,
            result: record.result,
            fork: record.is_fork,
            author: record.author,
            title: record.title,
            verdict: record.verdict.as_str().to_owned(),
            summary: record.summary,
            assessed_at: record.assessed_at.to_string(),
        })
    };
    rows.iter().map(each).collect()
}

fn record(row: &Row) -> Result<ProposalRecord, StoreError> {
    Ok(ProposalRecord {
        source: row.name("source")?,
        proposal: row.name("proposal")?,
        state: from_word("state", &row.text("state")?)?,
        inputs: ReviewInputs {
            head: row.name("head")?,
            base: row.name("base")?,
            recorded: row.name_or_none("recorded")?,
            policies: row.name("policies")?,
            platform: row.name("platform")?,
        },
        result: row.name_or_none("result")?,
        is_fork: row.flag("is_fork")?,
        author: row.text("author")?,
        title: row.text("title")?,
        verdict: from_word("verdict", &row.text("verdict")?)?,
        summary: row.text("summary")?,
        commented: row.flag("commented")?,
        again: row.count("again")?,
        assessed_at: row.time("assessed_at")?,
    })
}
