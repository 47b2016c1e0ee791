//! One pass over one target: from a wake to a recorded plan. This page tells the whole story; the
//! rooms beside it do the steps.

mod decide;
mod scope;
mod weigh;

use std::collections::BTreeSet;
use std::sync::Arc;

use tracing::{info, warn};

use crate::check::Assessment;
use crate::domain::id::{Digest, Revision, SourceName};
use crate::domain::plan::Plan;
use crate::domain::source::{Condition, Head, Target};
use crate::port::store::{Bell, Matter, Pass, SourceRecord, StoreError};
use crate::port::tree::{ReadError, Tree};

use super::settings::Watched;
use super::{Engine, reports};
use crate::port::forge::ForgeError;

/// How a pass ended.
#[derive(Debug, Clone, PartialEq)]
pub enum PassOutcome {
    /// Everything is recorded for this revision, these policies and this platform already.
    Unchanged {
        /// The commit.
        revision: Revision,
    },
    /// A plan was recorded.
    Recorded {
        /// The plan; it may be empty.
        plan: Box<Plan>,
    },
    /// The source could not be seen. Everything stays as it was.
    NotSeen {
        /// Why.
        condition: Condition,
    },
}

/// Why a pass ended without a word about the source: our own side failed.
#[derive(Debug, thiserror::Error)]
pub enum PassError {
    /// The configuration has no such source.
    #[error("there is no source '{0}'")]
    UnknownSource(SourceName),
    /// The record failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The mirror could not be read after a fetch that went well.
    #[error(transparent)]
    Tree(#[from] ReadError),
    /// The forge did not answer what was asked about a proposal.
    #[error(transparent)]
    Forge(#[from] ForgeError),
    /// A proposal cannot be assessed for now.
    #[error("the proposal cannot be assessed for now: {0}")]
    NotAssessed(String),
    /// A thread of ours ended early.
    #[error("the pass was interrupted: {0}")]
    Interrupted(String),
}

/// A pass that is not recorded: what `plan` and `diff` show.
#[derive(Debug)]
pub struct Draft {
    /// All that would be recorded.
    pub pass: Pass,
    /// What was read, for excerpts.
    pub assessments: Vec<Arc<Assessment>>,
    /// The commit's files.
    pub tree: TreeHandle,
}

/// The files of the commit that a draft is about.
#[derive(Clone)]
pub struct TreeHandle(pub Arc<dyn Tree>);

impl std::fmt::Debug for TreeHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TreeHandle")
    }
}

/// A target that was seen at a commit.
struct Sighting<'a> {
    source: &'a SourceName,
    watched: &'a Watched,
    revision: Revision,
    policies: Digest,
    record: Option<SourceRecord>,
    /// Whether it is a proposal's merge result: then only what the proposal touches is looked at.
    is_proposal: bool,
    tree: Arc<dyn Tree>,
}

/// What looking at a proposal's merge result came to.
#[derive(Debug)]
pub(super) enum ProposalDraft {
    /// It touches no descriptor.
    Untouched,
    /// It would leave the branch without descriptors.
    Emptied,
    /// What it would do.
    Drafted(Box<Draft>),
}

impl Engine {
    /// Looks at a target, and records what is to be done about it.
    pub async fn pass(&self, target: &Target) -> Result<PassOutcome, PassError> {
        let watched = self.watched(&target.source)?;
        let revision = match self.see(target, watched).await {
            Ok(revision) => revision,
            Err(condition) => {
                warn!(source = %target.source, reason = %condition.reason, "{}", condition.message);
                let (store, now) = (&self.ports.store, self.ports.clock.now());
                store.note_condition(&target.source, &watched.url, &watched.branch, Some(&condition), now).await?;
                return Ok(PassOutcome::NotSeen { condition });
            }
        };
        let sighting = self.sight(target, watched, revision).await?;
        if self.is_settled(&sighting).await? {
            self.note(&sighting, None).await?;
            return Ok(PassOutcome::Unchanged { revision: sighting.revision });
        }
        let look = match self.look(&sighting).await? {
            Ok(look) => look,
            Err(condition) => {
                self.tell_emptied(&sighting, &condition).await?;
                return Ok(PassOutcome::NotSeen { condition });
            }
        };
        let weighed = self.weigh(&sighting, look).await?;
        // From here to the record nobody may append an event that these reports depend on.
        let mut standing = self.stand(sighting.source, Matter::Rollouts).await?;
        let pass = loop {
            let pass = self.decide(&sighting, &weighed).await?;
            match standing.store.record_pass(&pass).await {
                Ok(()) => break pass,
                Err(error) if standing.moved(&error).await? => {}
                Err(error) => return Err(error.into()),
            }
        };
        drop(standing);
        self.ring(Bell::Reports);
        self.ring(Bell::Rollouts);
        info!(source = %target.source, revision = %sighting.revision.short(), changes = pass.plan.changes.len(),
            activities = pass.plan.activities.len(), refused = pass.plan.refused.len(), "plan recorded");
        Ok(PassOutcome::Recorded { plan: Box::new(pass.plan) })
    }

    /// Does all of a pass over every descriptor, but records nothing. `at` is the commit to look
    /// at; without one, it is where the branch stands.
    pub async fn draft(&self, target: &Target, at: Option<&Revision>) -> Result<Result<Draft, Condition>, PassError> {
        let watched = self.watched(&target.source)?;
        let head = match self.see(target, watched).await {
            Ok(revision) => revision,
            Err(condition) => return Ok(Err(condition)),
        };
        let mut sighting = self.sight(target, watched, at.cloned().unwrap_or(head)).await?;
        if let Some(record) = sighting.record.as_mut() {
            record.revision = None;
        }
        let look = match self.look(&sighting).await? {
            Ok(look) => look,
            Err(condition) => return Ok(Err(condition)),
        };
        let weighed = self.weigh(&sighting, look).await?;
        let assessments = weighed.assessments();
        let pass = self.decide(&sighting, &weighed).await?;
        Ok(Ok(Draft { pass, assessments, tree: TreeHandle(Arc::clone(&sighting.tree)) }))
    }

    /// Does all of a pass over what differs between the branch at `base` and a proposal that was
    /// merged into it, and records nothing. `record` is what is recorded of the source: what the
    /// proposal is compared with.
    pub(super) async fn draft_proposal(
        &self,
        target: &Target,
        record: Option<&SourceRecord>,
        base: &Revision,
        merged: &Revision,
    ) -> Result<ProposalDraft, PassError> {
        let watched = self.watched(&target.source)?;
        let mut sighting = self.sight(target, watched, merged.clone()).await?;
        sighting.is_proposal = true;
        let was_recorded = record.is_some_and(|record| record.revision.is_some());
        // What is read follows from the two commits, whatever the last pass over the branch looked at.
        sighting.record = record.cloned().map(|record| SourceRecord {
            revision: record.revision.map(|_| base.clone()),
            policies: Some(sighting.policies.clone()),
            platform: Some(watched.platform.clone()),
            ..record
        });
        let mut look = match self.look(&sighting).await? {
            Ok(look) => look,
            Err(_) if was_recorded => return Ok(ProposalDraft::Emptied),
            Err(_) => return Ok(ProposalDraft::Untouched),
        };
        if !was_recorded {
            // All were read, because nobody knows yet which descriptors read which files.
            let touched = self.ports.source.touched(&target.source, base, merged).await?.unwrap_or_default();
            let touched: BTreeSet<_> = touched.into_iter().map(|touch| touch.path).collect();
            look.keep_reading(&touched);
        }
        if look.is_empty() {
            return Ok(ProposalDraft::Untouched);
        }
        let weighed = self.weigh(&sighting, look).await?;
        let assessments = weighed.assessments();
        let pass = self.decide(&sighting, &weighed).await?;
        let tree = TreeHandle(Arc::clone(&sighting.tree));
        Ok(ProposalDraft::Drafted(Box::new(Draft { pass, assessments, tree })))
    }

    pub(super) fn watched(&self, source: &SourceName) -> Result<&Watched, PassError> {
        self.settings.sources.get(source).ok_or_else(|| PassError::UnknownSource(source.clone()))
    }

    /// Fetches. What hides the source is a condition of it, and changes nothing else.
    pub(super) async fn see(&self, target: &Target, watched: &Watched) -> Result<Revision, Condition> {
        match self.ports.source.fetch(&target.source).await {
            Ok(Head::At { revision }) => Ok(revision),
            Ok(Head::EmptyRepository) => Err(Condition {
                reason: "empty".to_owned(),
                message: "the repository has no commit yet: push one to begin".to_owned(),
            }),
            Ok(Head::NoSuchBranch) => Err(Condition {
                reason: "no-such-branch".to_owned(),
                message: format!("the repository has no branch '{}'; all products stay as they are", watched.branch),
            }),
            Err(error) => Err(error.condition()),
        }
    }

    async fn sight<'a>(
        &self,
        target: &'a Target,
        watched: &'a Watched,
        revision: Revision,
    ) -> Result<Sighting<'a>, PassError> {
        Ok(Sighting {
            source: &target.source,
            watched,
            policies: self.ports.judge.policies(),
            record: self.ports.store.source(&target.source).await?,
            tree: self.ports.source.tree(&target.source, &revision).await?,
            is_proposal: false,
            revision,
        })
    }

    /// Whether all is recorded for this commit, and nothing of it is to be looked at again.
    async fn is_settled(&self, sighting: &Sighting<'_>) -> Result<bool, StoreError> {
        let is_recorded = sighting.record.as_ref().is_some_and(|record| {
            record.revision.as_ref() == Some(&sighting.revision)
                && record.policies.as_ref() == Some(&sighting.policies)
                && record.platform.as_ref() == Some(&sighting.watched.platform)
        });
        Ok(is_recorded && self.ports.store.held_back(sighting.source).await?.is_empty())
    }

    /// A commit without descriptors is no commit in which all products were removed. It is not
    /// recorded as looked at, so that the next one is compared with the one before it.
    async fn tell_emptied(&self, sighting: &Sighting<'_>, condition: &Condition) -> Result<(), StoreError> {
        warn!(source = %sighting.source, revision = %sighting.revision.short(), "{}", condition.message);
        let stages = self.settings.platform.stages.iter().map(|stage| stage.name.clone());
        let reports = reports::of_emptied(sighting.source, &sighting.revision, stages);
        self.ports.store.want(&reports, self.ports.clock.now()).await?;
        self.ring(Bell::Reports);
        self.note(sighting, Some(condition)).await
    }

    async fn note(&self, sighting: &Sighting<'_>, condition: Option<&Condition>) -> Result<(), StoreError> {
        let Watched { url, branch, .. } = sighting.watched;
        self.ports.store.note_condition(sighting.source, url, branch, condition, self.ports.clock.now()).await
    }
}
