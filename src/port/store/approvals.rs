//! What gates need of the record: what people decided about rollouts that wait.

use async_trait::async_trait;

use crate::domain::forge::{Approval, Hold, Person};
use crate::domain::id::{Digest, Fqn, RepoPath, SourceName, StageName};
use crate::domain::plan::ActivityId;
use crate::domain::time::Timestamp;

use super::StoreError;

/// What a person decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ruling {
    /// Plans may go on at stages. Holds of these plans end.
    Approve(Vec<Approval>),
    /// These activities never begin; those that have begun or ended meanwhile are left alone.
    Reject(Vec<ActivityId>),
    /// These activities end: those that run are to be stopped, those that wait never begin. Those that have
    /// ended, or are ending, are left alone.
    Cancel(Vec<ActivityId>),
    /// Nothing more begins.
    Hold(Vec<Hold>),
    /// Holds of the source end: of this plan, or all of them.
    Resume {
        /// The plan.
        plan: Option<Digest>,
    },
    /// The source's descriptors of these products are looked at again, and what failed of them is tried
    /// again.
    Retry {
        /// The products.
        products: Vec<Fqn>,
        /// Holds of these plans end.
        resumed: Vec<Digest>,
    },
}

/// A decision, with what it answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Which request it answers: the same request is decided once, whatever happens in between.
    pub request: String,
    /// The source that it is about.
    pub source: SourceName,
    /// What is decided.
    pub ruling: Ruling,
    /// Who decides.
    pub by: Person,
    /// When.
    pub at: Timestamp,
    /// What is answered, in a sentence.
    pub outcome: String,
}

/// What gates need of the record.
#[async_trait]
pub trait ApprovalBook: Send + Sync {
    /// Records a decision with all that follows from it and with audit events, in one transaction.
    /// Deciding about the same request twice changes nothing.
    async fn decide(&self, decision: &Decision) -> Result<(), StoreError>;

    /// What was answered to a request, if it was decided. Kept for 90 days.
    async fn decided(&self, request: &str) -> Result<Option<String>, StoreError>;

    /// All approvals of a plan at a stage, the oldest first; who approved twice counts as of the first time.
    async fn approvals(&self, plan: &Digest, stage: &StageName) -> Result<Vec<Approval>, StoreError>;

    /// All holds, the oldest first.
    async fn holds(&self) -> Result<Vec<Hold>, StoreError>;

    /// Root files of the source of which what failed is to be tried again. Recording a pass that read
    /// them ends it.
    async fn to_retry(&self, source: &SourceName) -> Result<Vec<RepoPath>, StoreError>;
}
