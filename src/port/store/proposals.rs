//! What reviewing needs of the record: what became of looking at proposals. Nothing of a proposal
//! enters products, versions or activities: it is not the mesh's state, and may never be.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::domain::forge::{Proposal, PullState, ReviewVerdict};
use crate::domain::id::{Digest, Revision, SourceName};
use crate::domain::report::Report;
use crate::domain::time::Timestamp;

use super::StoreError;

/// So many closed proposals of a source are kept, the newest.
pub const CLOSED_KEPT: usize = 500;

/// All that an assessment depends on. While none of it differs, nothing is assessed twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReviewInputs {
    /// The proposal's commit.
    pub head: Revision,
    /// Where its branch stood.
    pub base: Revision,
    /// The commit of the branch whose pass was recorded last: what the mesh is taken to be.
    pub recorded: Option<Revision>,
    /// The policies that were asked.
    pub policies: Digest,
    /// The platform that was planned for.
    pub platform: Digest,
}

/// What is recorded of a proposal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProposalRecord {
    /// The source into whose branch it is to be merged.
    pub source: SourceName,
    /// Which.
    pub proposal: Proposal,
    /// Whether it may still be merged.
    pub state: PullState,
    /// What was assessed.
    pub inputs: ReviewInputs,
    /// The commit that merging gave, where it merges.
    pub result: Option<Revision>,
    /// Whether its head stands in another repository.
    pub is_fork: bool,
    /// Who opened it; empty for a merge group.
    pub author: String,
    /// Its title: anybody's text; empty for a merge group.
    pub title: String,
    /// What became of it.
    pub verdict: ReviewVerdict,
    /// The same in one line.
    pub summary: String,
    /// Whether a comment was wanted. Once there is one, it is kept right.
    pub commented: bool,
    /// How often it was asked to be assessed again though nothing may differ, and was not. In a record
    /// that is written: how many of those this assessment answers.
    pub again: u64,
    /// When.
    pub assessed_at: Timestamp,
}

/// A line of `get proposals`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProposalRow {
    /// The source.
    pub source: SourceName,
    /// Which: `pull/12`.
    pub proposal: String,
    /// `open`, `merged`, `closed`.
    pub state: String,
    /// The proposal's commit.
    pub head: Revision,
    /// The commit of the branch that it was merged with.
    pub base: Revision,
    /// What merging gave, where it merges.
    pub result: Option<Revision>,
    /// Whether its head stands in another repository.
    pub fork: bool,
    /// Who opened it.
    pub author: String,
    /// Its title.
    pub title: String,
    /// `untouched`, `accepted`, `refused`, `conflicted`, `not-evaluated`.
    pub verdict: String,
    /// The same in one line.
    pub summary: String,
    /// When it was assessed (RFC 3339).
    pub assessed_at: String,
}

/// What reviewing needs of the record.
#[async_trait]
pub trait ProposalBook: Send + Sync {
    /// What is recorded of a proposal; `None` when it was never assessed.
    async fn proposal(&self, source: &SourceName, proposal: &Proposal) -> Result<Option<ProposalRecord>, StoreError>;

    /// The open ones of a source, by proposal.
    async fn open_proposals(&self, source: &SourceName) -> Result<Vec<ProposalRecord>, StoreError>;

    /// Records an assessment in the place of an earlier one, and what forges should show because of
    /// it, in one transaction. Where it answers somebody who asked for it, the checks of its head are
    /// written anew though they may say the same ([`ReportBook::write_anew`](super::ReportBook::write_anew)).
    /// Another head than before settles the earlier one: what was not written of it is given up, unless
    /// it is a head of another open proposal or a commit of the branch. Where the branch has got the head
    /// meanwhile, as a pass that was recorded since says, its statuses are the branch's, and are left as they are.
    async fn record_proposal(&self, record: &ProposalRecord, reports: &[Report]) -> Result<(), StoreError>;

    /// It can no longer be merged; whether it was open until now. What was not written of it is given up,
    /// in the same way. Of a source, the newest [`CLOSED_KEPT`] are kept.
    async fn close_proposal(
        &self,
        source: &SourceName,
        proposal: &Proposal,
        state: PullState,
    ) -> Result<bool, StoreError>;

    /// Has it assessed again when it is looked at next, though nothing may differ. An assessment that is
    /// under way does not count: it answers only what was asked before it began.
    async fn assess_again(&self, source: &SourceName, proposal: &Proposal) -> Result<(), StoreError>;
}
