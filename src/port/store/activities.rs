//! What rolling out needs of the record: activities, as logs of events.

use async_trait::async_trait;

use crate::domain::activity::{ActivityEvent, ActivityState, ActivityStatus, FencingToken, IllegalEvent};
use crate::domain::id::{Digest, Fqn, Revision, SourceName, StageName};
use crate::domain::plan::{ActivityId, PlannedActivity};
use crate::domain::time::Timestamp;

use super::StoreError;

/// A recorded activity.
#[derive(Debug, Clone, PartialEq)]
pub struct ActivityRecord {
    /// What was planned.
    pub planned: PlannedActivity,
    /// The plan it belongs to.
    pub plan: Digest,
    /// The source.
    pub source: SourceName,
    /// The commit.
    pub revision: Revision,
    /// What its events fold into.
    pub state: ActivityState,
    /// When it was planned.
    pub planned_at: Timestamp,
}

/// Where an activity stands, without what it planned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StageStanding {
    /// Which.
    pub id: ActivityId,
    /// The plan it belongs to.
    pub plan: Digest,
    /// The product's major version.
    pub product: Fqn,
    /// Where it stands.
    pub status: ActivityStatus,
    /// Why it did not go as planned, if so.
    pub message: Option<String>,
}

/// Why an event was not appended.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// Somebody else holds the container by now: stop at once, and write nothing more.
    #[error("the container is held by another by now")]
    Fenced,
    /// The event cannot follow: our own mistake.
    #[error(transparent)]
    Illegal(#[from] IllegalEvent),
    /// The record failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A line of a task's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// The task's place in the plan.
    pub task: usize,
    /// The attempt, from 1.
    pub attempt: u32,
    /// When.
    pub at: Timestamp,
    /// The line, without its end.
    pub line: String,
}

/// What rolling out needs of the record.
#[async_trait]
pub trait ActivityBook: Send + Sync {
    /// Activities that have not ended, oldest plan first, in the plan's order.
    async fn unfinished(&self) -> Result<Vec<ActivityRecord>, StoreError>;

    /// One activity.
    async fn activity(&self, id: &ActivityId) -> Result<Option<ActivityRecord>, StoreError>;

    /// All activities of a revision, in the plan's order.
    async fn activities_of(&self, source: &SourceName, revision: &Revision) -> Result<Vec<ActivityRecord>, StoreError>;

    /// Where the activities of a revision at one stage stand, in the plan's order, without what was planned.
    async fn stage_standing(
        &self,
        source: &SourceName,
        revision: &Revision,
        stage: &StageName,
    ) -> Result<Vec<StageStanding>, StoreError>;

    /// How many activities of a revision at one stage stand at one of these statuses, counted up to `most`:
    /// asked often, and answered without reading them all.
    async fn count_at(
        &self,
        source: &SourceName,
        revision: &Revision,
        stage: &StageName,
        statuses: &[ActivityStatus],
        most: usize,
    ) -> Result<usize, StoreError>;

    /// Of the source's products, the newest activity of each container that moves it to the latest
    /// recorded content and has not succeeded: what keeps the source from being as Git says. What has begun
    /// belongs to it until it ends, also where its product has left the source since.
    async fn troubled(&self, source: &SourceName) -> Result<Vec<ActivityRecord>, StoreError>;

    /// Takes the activity's container for `holder` until `until`, and appends `Claimed` with a new token.
    /// `None` when another activity of the container is running, when another holds it for this one and its
    /// time is not over at `at`, or when this one has ended.
    ///
    /// A claim is taken over from an earlier run of the same holder (after a crash), and from anybody whose
    /// time is over. The first of a commit at a stage leaves that untold. It is kept and handed back as a [`Leased::Container`](super::Leased::Container).
    async fn claim(
        &self,
        id: &ActivityId,
        holder: &str,
        at: Timestamp,
        until: Timestamp,
    ) -> Result<Option<FencingToken>, StoreError>;

    /// Appends one event; returns the state after it. `Succeeded` also records what runs in the container and
    /// marks the version as released. Final events free the container. Another status than before leaves the
    /// stage [untold](super::ReportBook::untold).
    ///
    /// `token` is `None` only for the events of activities that never begin.
    async fn append(
        &self,
        id: &ActivityId,
        token: Option<FencingToken>,
        event: &ActivityEvent,
        at: Timestamp,
    ) -> Result<ActivityState, AppendError>;

    /// The log of events.
    async fn events(&self, id: &ActivityId) -> Result<Vec<(Timestamp, ActivityEvent)>, StoreError>;

    /// Adds lines to the log of a task, which was begun under `token`; `Fenced` when another holds the
    /// container by now. The record keeps at most 10,000 lines a task.
    async fn append_log(&self, id: &ActivityId, token: FencingToken, lines: &[LogLine]) -> Result<(), StoreError>;

    /// The lines of all tasks of an activity, in the order in which they came.
    async fn log(&self, id: &ActivityId) -> Result<Vec<LogLine>, StoreError>;
}
