//! What passes read and write: sources, descriptors, versions, plans.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::domain::descriptor::{Content, VersionRef};
use crate::domain::finding::Finding;
use crate::domain::id::{ContainerId, Digest, Fqn, RepoPath, Revision, SourceName, StageName};
use crate::domain::plan::{ActivityId, Plan};
use crate::domain::policy::{PolicyEvent, Verdict};
use crate::domain::report::Report;
use crate::domain::source::Condition;
use crate::domain::time::Timestamp;

use super::StoreError;

/// What is recorded of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceRecord {
    /// Its name.
    pub name: SourceName,
    /// The revision whose pass was recorded last.
    pub revision: Option<Revision>,
    /// The policies that were asked then.
    pub policies: Option<Digest>,
    /// The digest of the platform (stages, executors, namespace, globs) that was planned for then.
    pub platform: Option<Digest>,
    /// How many passes with a plan were recorded.
    pub sequence: u64,
    /// Why it is not as it should be, if so.
    pub condition: Option<Condition>,
}

/// One descriptor of a revision: what was read, and what was found.
#[derive(Debug, Clone, PartialEq)]
pub struct DescriptorEntry {
    /// The root file.
    pub path: RepoPath,
    /// All files that were read for it, the root file among them.
    pub files: Vec<RepoPath>,
    /// The product, where it could be told.
    pub product: Option<Fqn>,
    /// The digest of its canonical content, where it has one.
    pub digest: Option<Digest>,
    /// What was found, by rules and by policies.
    pub findings: Vec<Finding>,
    /// Whether it is to be looked at again even when nothing touches it: it waits for something, or
    /// policies could not be evaluated.
    pub again: bool,
}

/// A version that was accepted.
#[derive(Debug, Clone, PartialEq)]
pub struct VersionEntry {
    /// The product's major version.
    pub product: Fqn,
    /// Number and content digest.
    pub version: VersionRef,
    /// The canonical content.
    pub content: Content,
    /// The root file.
    pub path: RepoPath,
    /// `info.displayName`, or the name.
    pub display_name: String,
    /// `info.domain`.
    pub domain: String,
    /// `info.owner.id`.
    pub owner: String,
    /// The ports of others that it reads.
    pub upstream: Vec<Fqn>,
}

/// What policies said about a product of a revision.
#[derive(Debug, Clone, PartialEq)]
pub struct VerdictEntry {
    /// The product.
    pub product: Fqn,
    /// The moment.
    pub event: PolicyEvent,
    /// The stage, where the event has one.
    pub stage: Option<StageName>,
    /// The answer.
    pub verdict: Verdict,
}

/// All that one pass found and decided; recorded in one transaction, before the first effect.
#[derive(Debug, Clone, PartialEq)]
pub struct Pass {
    /// The plan; it names source, revision, sequence and policies.
    pub plan: Plan,
    /// The source's URL, without credentials.
    pub url: String,
    /// The source's branch.
    pub branch: String,
    /// The digest of the platform that was planned for.
    pub platform: Digest,
    /// When.
    pub at: Timestamp,
    /// Whether `descriptors` are all of the source; if so, others that are recorded are forgotten.
    pub complete: bool,
    /// Descriptors that were read in this pass.
    pub descriptors: Vec<DescriptorEntry>,
    /// Root files that are gone.
    pub gone: Vec<RepoPath>,
    /// Findings that belong to no descriptor.
    pub findings: Vec<Finding>,
    /// New versions, to be recorded as their products' latest.
    pub versions: Vec<VersionEntry>,
    /// What policies said.
    pub verdicts: Vec<VerdictEntry>,
    /// What forges should show.
    pub reports: Vec<Report>,
    /// What they should show where something of the same sort and context stands at the commit already, which was
    /// said of it as a proposal; and else not.
    pub instead: Vec<Report>,
    /// Why the source is not as it should be, if so.
    pub condition: Option<Condition>,
}

/// A recorded version.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordedVersion {
    /// The product's major version.
    pub product: Fqn,
    /// Number and content digest.
    pub version: VersionRef,
    /// The canonical content.
    pub content: Content,
    /// The source that describes the product.
    pub source: SourceName,
    /// The root file there.
    pub path: RepoPath,
    /// Whether the product has left its source.
    pub retired: bool,
    /// Whether some container has run this version: then it is released, and never changes.
    pub released: bool,
}

/// What runs (or ran last) in a container.
#[derive(Debug, Clone, PartialEq)]
pub struct ContainerRecord {
    /// Which.
    pub container: ContainerId,
    /// What runs.
    pub version: VersionRef,
    /// From which commit.
    pub revision: Revision,
    /// The activity that brought it there.
    pub activity: ActivityId,
    /// The results of that activity's tasks, by task name.
    pub results: serde_json::Map<String, Value>,
    /// Since when.
    pub since: Timestamp,
    /// Whether a later activity has begun to move it elsewhere and did not succeed: then it may be anything
    /// in between.
    pub is_disturbed: bool,
}

/// A descriptor that stands with errors, though it was not looked at in this pass.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// The root file.
    pub path: RepoPath,
    /// How many errors rules found.
    pub errors: u32,
    /// How many errors policies found.
    pub refusals: u32,
}

/// What passes need of the record.
#[async_trait]
pub trait PassBook: Send + Sync {
    /// What is recorded of a source; `None` before its first pass.
    async fn source(&self, source: &SourceName) -> Result<Option<SourceRecord>, StoreError>;

    /// Notes that the source was looked at, and why it is not as it should be. Touches nothing else.
    async fn note_condition(
        &self,
        source: &SourceName,
        url: &str,
        branch: &str,
        condition: Option<&Condition>,
        at: Timestamp,
    ) -> Result<(), StoreError>;

    /// The root files of recorded descriptors that are, or have read, one of `files`.
    async fn descriptors_reading(&self, source: &SourceName, files: &[RepoPath]) -> Result<Vec<RepoPath>, StoreError>;

    /// All recorded descriptors: root file and product.
    async fn descriptors(&self, source: &SourceName) -> Result<Vec<(RepoPath, Option<Fqn>)>, StoreError>;

    /// The root files of descriptors that were recorded to be looked at `again`, and of products of
    /// the source whose newest activity at some stage was skipped, because what it waited for did not succeed.
    async fn held_back(&self, source: &SourceName) -> Result<Vec<RepoPath>, StoreError>;

    /// Recorded descriptors of the source that stand with errors.
    async fn standing(&self, source: &SourceName) -> Result<Vec<Standing>, StoreError>;

    /// The latest recorded version of each of these products, of all majors of the same name in
    /// the same namespace. Products that are not recorded are left out.
    async fn latest_versions(&self, products: &[Fqn]) -> Result<Vec<RecordedVersion>, StoreError>;

    /// Whether this number of this product was recorded before, and with which content: the
    /// digest and whether it was released.
    async fn version_numbers(&self, product: &Fqn) -> Result<Vec<(VersionRef, bool)>, StoreError>;

    /// What runs of these products, at all stages.
    async fn containers(&self, products: &[Fqn]) -> Result<Vec<ContainerRecord>, StoreError>;

    /// Records a pass, in one transaction: source, descriptors, findings, versions, changes,
    /// verdicts, plan, activities, reports, audit events. Activities of the same containers that
    /// wait are superseded; products in `Retired` changes are marked. Recording the same plan
    /// (by digest) twice changes nothing.
    async fn record_pass(&self, pass: &Pass) -> Result<(), StoreError>;

    /// A recorded plan, by its digest.
    async fn plan(&self, digest: &Digest) -> Result<Option<Plan>, StoreError>;
}
