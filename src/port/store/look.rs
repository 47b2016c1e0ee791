//! What people look at. Rows are plain and serialise as the `-o json` of `get`.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::domain::finding::Finding;
use crate::domain::id::{Digest, ForgeName, Fqn, Revision, SourceName};

use super::{LeaseRow, ProposalRow, StoreError, WakeRow};

/// A line of `get sources`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SourceRow {
    /// Its name.
    pub name: SourceName,
    /// Its URL, without credentials.
    pub url: String,
    /// Its branch.
    pub branch: String,
    /// The revision whose pass was recorded last.
    pub revision: Option<Revision>,
    /// How many descriptors it has.
    pub descriptors: u64,
    /// How many of them stand with errors.
    pub with_errors: u64,
    /// When it was looked at last (RFC 3339).
    pub seen_at: Option<String>,
    /// Why it is not as it should be: a stable word.
    pub condition: Option<String>,
    /// The same in a sentence.
    pub message: Option<String>,
}

/// A line of `get products`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProductRow {
    /// The product's major version.
    pub product: Fqn,
    /// Its name for people.
    pub display_name: String,
    /// Its domain.
    pub domain: String,
    /// Its owner.
    pub owner: String,
    /// The latest version.
    pub version: String,
    /// Its digest.
    pub digest: Digest,
    /// The source.
    pub source: SourceName,
    /// The root file.
    pub path: String,
    /// Whether it has left its source.
    pub retired: bool,
    /// What it reads of others.
    pub upstream: Vec<Fqn>,
}

/// A line of `get versions`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VersionRow {
    /// The product's major version.
    pub product: Fqn,
    /// The number.
    pub version: String,
    /// The content's digest.
    pub digest: Digest,
    /// The commit with which it came.
    pub revision: Revision,
    /// Whether some container has run it.
    pub released: bool,
    /// When it was recorded (RFC 3339).
    pub recorded_at: String,
}

/// A line of `get containers`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ContainerRow {
    /// The product's major version.
    pub product: Fqn,
    /// The stage.
    pub stage: String,
    /// What runs.
    pub version: String,
    /// Its digest.
    pub digest: Digest,
    /// From which commit.
    pub revision: Revision,
    /// The activity that brought it there.
    pub activity: String,
    /// Since when (RFC 3339).
    pub since: String,
}

/// A line of `get activities`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ActivityRow {
    /// Its id.
    pub activity: String,
    /// The product's major version.
    pub product: Fqn,
    /// The stage.
    pub stage: String,
    /// Where it moves to.
    pub version: String,
    /// Where it stands.
    pub status: String,
    /// How many tasks have succeeded.
    pub done: u64,
    /// How many there are.
    pub tasks: u64,
    /// The source.
    pub source: SourceName,
    /// The commit.
    pub revision: Revision,
    /// When it was planned (RFC 3339).
    pub planned_at: String,
    /// Why it failed or was refused, in a sentence.
    pub message: Option<String>,
    /// How many events of it were refused: late, duplicate or forged results, which change nothing.
    pub refused_events: u64,
}

/// A line of `get reports`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReportRow {
    /// The source.
    pub source: SourceName,
    /// The commit.
    pub revision: Revision,
    /// `status`, `check`, `comment` or `deployment`.
    pub sort: String,
    /// The context.
    pub context: String,
    /// The wanted state.
    pub state: String,
    /// The wanted description.
    pub description: String,
    /// `published`, `waiting`, or `given-up`.
    pub delivery: String,
    /// Why it could not be written, if so.
    pub message: Option<String>,
}

/// A line of `get events`: who decided what, and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AuditRow {
    /// Grows with time.
    pub id: i64,
    /// When (RFC 3339).
    pub at: String,
    /// What happened: `pass-recorded`, `version-recorded`, `product-retired`, `activity-succeeded`, …
    pub kind: String,
    /// What it happened to.
    pub subject: String,
    /// The source.
    pub source: Option<SourceName>,
    /// The commit.
    pub revision: Option<Revision>,
    /// Digests and reasons.
    pub detail: Value,
}

/// A recorded finding.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FindingRow {
    /// The source.
    pub source: SourceName,
    /// The revision that was read when it was found.
    pub revision: Revision,
    /// The finding.
    #[serde(flatten)]
    pub finding: Finding,
}

/// One recorded pass.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PassRow {
    /// The source.
    pub source: SourceName,
    /// The commit.
    pub revision: Revision,
    /// The plan's digest.
    pub plan: Digest,
    /// The policies' digest.
    pub policies: Digest,
    /// When it was recorded (RFC 3339).
    pub at: String,
}

/// A line of `get deliveries`: an event that a forge delivered by webhook.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeliveryRow {
    /// The forge's name in the configuration.
    pub forge: ForgeName,
    /// Its id.
    pub delivery: String,
    /// What happened, in the forge's word.
    pub event: String,
    /// What of it.
    pub action: Option<String>,
    /// The repository.
    pub repository: Option<String>,
    /// The branch or reference.
    pub reference: Option<String>,
    /// The commit.
    pub head: Option<Revision>,
    /// When it came first (RFC 3339).
    pub received_at: String,
    /// How often it came; all but the first were dropped.
    pub times: u64,
    /// `woke`, `gap`, `command` or `ignored`.
    pub verdict: String,
    /// What it woke: sources, and proposals of sources.
    pub woke: Vec<String>,
}

/// What people look at. Every listing is in a stable order.
#[async_trait]
pub trait Look: Send + Sync {
    /// All sources.
    async fn sources(&self) -> Result<Vec<SourceRow>, StoreError>;
    /// All products.
    async fn products(&self) -> Result<Vec<ProductRow>, StoreError>;
    /// All versions, of one product or of all.
    async fn versions(&self, product: Option<&Fqn>) -> Result<Vec<VersionRow>, StoreError>;
    /// Some version's content, while it is kept. A number that was not released may get another one, so it is asked
    /// for by its digest.
    async fn content(&self, digest: &Digest) -> Result<Option<Value>, StoreError>;
    /// All containers.
    async fn container_rows(&self) -> Result<Vec<ContainerRow>, StoreError>;
    /// The newest activities, newest first, at most `limit`.
    async fn activity_rows(&self, limit: usize) -> Result<Vec<ActivityRow>, StoreError>;
    /// The newest reports, newest first, at most `limit`.
    async fn report_rows(&self, limit: usize) -> Result<Vec<ReportRow>, StoreError>;
    /// The newest deliveries, newest first, at most `limit`.
    async fn delivery_rows(&self, limit: usize) -> Result<Vec<DeliveryRow>, StoreError>;
    /// The newest audit events, newest first, at most `limit`.
    async fn audit_rows(&self, limit: usize) -> Result<Vec<AuditRow>, StoreError>;
    /// Findings that stand, by source and place.
    async fn finding_rows(&self, source: Option<&SourceName>) -> Result<Vec<FindingRow>, StoreError>;
    /// The proposals that were assessed last, newest first, at most `limit`.
    async fn proposal_rows(&self, source: Option<&SourceName>, limit: usize) -> Result<Vec<ProposalRow>, StoreError>;
    /// The newest passes of a source, newest first, at most `limit`.
    async fn pass_rows(&self, source: Option<&SourceName>, limit: usize) -> Result<Vec<PassRow>, StoreError>;
    /// What waits to be looked at and what is looked at, by source and proposal, at most `limit`.
    async fn wake_rows(&self, limit: usize) -> Result<Vec<WakeRow>, StoreError>;
    /// All that is held, by kind and subject; also what is over and was not taken by another yet.
    async fn lease_rows(&self) -> Result<Vec<LeaseRow>, StoreError>;
}
