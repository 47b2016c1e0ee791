//! Who asks, and what they mean.

use std::collections::BTreeSet;

use crate::domain::activity::ActivityStatus;
use crate::domain::forge::PullState;
use crate::domain::id::{Digest, Revision, StageName};
use crate::port::forge::ForgeError;
use crate::port::requests::{Origin, Request};
use crate::port::store::{ActivityRecord, StoreError};

use super::super::Engine;
use super::Stop;

/// What of a source's work is meant.
#[derive(Debug, Clone)]
pub(super) enum Meant {
    /// All of it.
    All,
    /// What was planned for this commit.
    Commit(Revision),
    /// What is shown at this commit, the one that was looked at last: also what earlier ones left.
    Shown(Revision),
    /// What this plan has.
    Plan(Digest),
}

impl Meant {
    pub(super) fn has(&self, record: &ActivityRecord) -> bool {
        match self {
            Meant::All | Meant::Shown(_) => true,
            Meant::Commit(revision) => record.revision == *revision,
            Meant::Plan(plan) => record.plan == *plan,
        }
    }

    /// The same in a few words.
    pub(super) fn words(&self) -> String {
        match self {
            Meant::All => "the source".to_owned(),
            Meant::Commit(revision) | Meant::Shown(revision) => format!("the commit {}", revision.short()),
            Meant::Plan(plan) => format!("the plan {}", plan.short()),
        }
    }
}

impl Engine {
    /// Refuses whoever may not ask. What a payload claims does not count; the forge is asked. Who may
    /// write beside the record may ask for everything.
    pub(super) async fn admit(&self, request: &Request) -> Result<(), Stop> {
        if !self.settings.sources.contains_key(&request.source) {
            return Err(Stop::Refuse(format!("there is no source '{}'", request.source)));
        }
        if let Origin::Machine { .. } = request.origin {
            return Ok(());
        }
        let Some(reviews) = self.ports.reviews.get(&request.source) else {
            return Err(Stop::Refuse("nobody can be asked whether its author may".to_owned()));
        };
        match reviews.may_write(&request.source, &request.by.name).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(Stop::Outsider(format!("{} may not write to the repository", request.by.name))),
            Err(error) => Err(self.stopped(&error)),
        }
    }

    fn stopped(&self, error: &ForgeError) -> Stop {
        self.later(error).map_or_else(|| Stop::Refuse(error.to_string()), Stop::Later)
    }

    /// What is meant: by a comment, what was merged by its pull request, because that is what its author
    /// saw; by a button, the commit that it stands at.
    pub(super) async fn meant(&self, request: &Request) -> Result<Meant, Stop> {
        let pull = match &request.origin {
            Origin::Machine { plan: Some(plan) } => return Ok(Meant::Plan(plan.clone())),
            Origin::Machine { plan: None } => return Ok(Meant::All),
            Origin::Button { head, .. } => return Ok(Meant::Commit(head.clone())),
            Origin::Comment { pull, .. } => *pull,
        };
        let Some(reviews) = self.ports.reviews.get(&request.source) else {
            return Err(Stop::Refuse("the forge has no pull requests".to_owned()));
        };
        let asked = reviews.pull_request(&request.source, pull).await.map_err(|error| self.stopped(&error))?;
        let Some(pull) = asked else { return Err(Stop::Refuse(format!("there is no pull request {pull}"))) };
        match (pull.state, pull.merge_commit) {
            (PullState::Merged, Some(commit)) => Ok(Meant::Commit(commit)),
            (PullState::Merged, None) => {
                Err(Stop::Refuse("the forge does not say as which commit it was merged".to_owned()))
            }
            (PullState::Open, _) => {
                Err(Stop::Refuse("the pull request is not merged: nothing of it is rolled out yet".to_owned()))
            }
            (PullState::Closed, _) => Err(Stop::Refuse("the pull request was closed without being merged".to_owned())),
        }
    }

    /// A button at the commit that was looked at last stands where all that waits is shown, and means that.
    pub(super) async fn as_shown(&self, request: &Request, meant: &Meant) -> Result<Meant, StoreError> {
        match (&request.origin, meant) {
            (Origin::Button { .. }, Meant::Commit(commit)) => {
                let source = self.ports.store.source(&request.source).await?;
                let is_last = source.and_then(|source| source.revision).is_some_and(|last| last == *commit);
                Ok(if is_last { Meant::Shown(commit.clone()) } else { meant.clone() })
            }
            _ => Ok(meant.clone()),
        }
    }

    /// What waits of what is meant, at one stage or at all.
    pub(super) async fn waiting(
        &self,
        request: &Request,
        meant: &Meant,
        stage: Option<&StageName>,
    ) -> Result<Vec<ActivityRecord>, Stop> {
        let mut waiting = self.ports.store.unfinished().await?;
        waiting.retain(|record| {
            record.source == request.source
                && record.state.status == ActivityStatus::Waiting
                && stage.is_none_or(|stage| record.planned.container.stage == *stage)
                && meant.has(record)
        });
        Ok(waiting)
    }

    /// Refuses a stage that the mesh does not have.
    pub(super) fn known_stage(&self, stage: &StageName) -> Result<(), Stop> {
        let stages = &self.settings.platform.stages;
        if stages.iter().any(|other| other.name == *stage) {
            return Ok(());
        }
        let names: Vec<&str> = stages.iter().map(|stage| stage.name.as_str()).collect();
        Err(Stop::Refuse(format!("there is no stage '{stage}'; there are: {}", names.join(", "))))
    }
}

/// The plans of these activities.
pub(super) fn plans_of(activities: &[ActivityRecord]) -> BTreeSet<Digest> {
    activities.iter().map(|record| record.plan.clone()).collect()
}
