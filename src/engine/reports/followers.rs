//! Commits that tell of what earlier ones began. Such a commit is pending at a stage until that has
//! ended, also when it is no longer the newest one: nobody else would settle its status.

use std::collections::BTreeSet;

use crate::domain::id::{Digest, Revision, SourceName, StageName};
use crate::domain::plan::ActivityId;
use crate::domain::report::ReportContext;
use crate::port::store::{ActivityRecord, StoreError};

use super::super::Engine;
use super::newest;

/// This many passes are looked through for those that came after a commit.
const PASSES: usize = 1_000;

/// A commit whose status at a stage is pending.
pub(in crate::engine) struct Follower {
    /// The commit.
    pub revision: Revision,
    /// Its own activities, and those of earlier commits that have not succeeded.
    pub activities: Vec<ActivityRecord>,
    /// How many products its plan refused.
    pub left_out: usize,
}

impl Engine {
    /// The commits of a source that are pending at a stage, without `except`. Activities that were
    /// planned after a commit do not count for it.
    pub(in crate::engine) async fn followers(
        &self,
        source: &SourceName,
        stage: &StageName,
        except: &BTreeSet<&Revision>,
    ) -> Result<Vec<Follower>, StoreError> {
        let store = &self.ports.store;
        let mut revisions = store.pending(source, &ReportContext::Stage(stage.clone()).to_string()).await?;
        revisions.retain(|revision| !except.contains(revision));
        if revisions.is_empty() {
            return Ok(Vec::new());
        }
        let passes = store.pass_rows(Some(source), PASSES).await?;
        let mut open = store.unfinished().await?;
        open.retain(|record| record.source == *source);
        open.extend(store.troubled(source).await?);
        let mut followers = Vec::with_capacity(revisions.len());
        for revision in revisions {
            let later: BTreeSet<&Digest> =
                passes.iter().take_while(|pass| pass.revision != revision).map(|pass| &pass.plan).collect();
            let own = store.activities_of(source, &revision).await?;
            let mut activities = newest(own, |record| &record.planned.container);
            let mut known: BTreeSet<ActivityId> = activities.iter().map(|record| record.planned.id.clone()).collect();
            let earlier = open.iter().filter(|record| !later.contains(&record.plan));
            activities.extend(earlier.filter(|record| known.insert(record.planned.id.clone())).cloned());
            let left_out = match passes.iter().find(|pass| pass.revision == revision) {
                Some(pass) => self.left_out(source, &revision, &pass.plan).await?,
                None => 0,
            };
            followers.push(Follower { revision, activities, left_out });
        }
        Ok(followers)
    }
}
