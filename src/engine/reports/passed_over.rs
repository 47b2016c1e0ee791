//! Commits that the branch went through between two looks, as when several pull requests are merged at
//! once. None of them is planned by itself: what the branch holds is rolled out as its head has it. People
//! look at them all the same, because their pull request was merged as one of them.
//!
//! They are told as an error, and not as good: nobody has worked out what this very commit would do, and what
//! could not be evaluated is never green. Nor do they wait for anything, because nobody would ever settle
//! them.

use std::collections::BTreeSet;

use tracing::warn;

use crate::domain::id::{Revision, SourceName};
use crate::domain::report::{Report, ReportContext, ReportState};
use crate::port::store::StoreError;

use super::super::Engine;

/// So many are told, the newest: each costs a few writes.
const MOST_TOLD: usize = 20;
/// This many passes are looked through for one of a commit.
const PASSES: usize = 1_000;

impl Engine {
    /// What the commits between the one that was recorded before and this one should show.
    pub(in crate::engine) async fn passed_over(
        &self,
        source: &SourceName,
        before: Option<&Revision>,
        head: &Revision,
    ) -> Vec<Report> {
        let Some(before) = before.filter(|before| *before != head) else { return Vec::new() };
        let between = match self.ports.source.between(source, before, head, MOST_TOLD).await {
            Ok(between) => between.unwrap_or_default(),
            // It is for people alone: what is recorded does not depend on it.
            Err(error) => {
                warn!(%source, %error, "the commits before the head are not told that it superseded them");
                return Vec::new();
            }
        };
        // A branch may go through a commit again that was looked at before: that one has statuses of its own.
        let looked_at = match self.ports.store.pass_rows(Some(source), PASSES).await {
            Ok(passes) => passes.into_iter().map(|pass| pass.revision).collect::<BTreeSet<Revision>>(),
            Err(error) => {
                warn!(%source, %error, "the commits before the head are not told that it superseded them");
                return Vec::new();
            }
        };
        let text = format!("superseded by {} before it was looked at: see there", head.short());
        let stages = self.settings.platform.stages.iter().map(|stage| ReportContext::Stage(stage.name.clone()));
        let contexts: Vec<ReportContext> = [ReportContext::Plan].into_iter().chain(stages).collect();
        let of = |revision: &Revision| {
            let report = |context| Report::new(source, revision, context, ReportState::Error, &text);
            contexts.iter().map(report).collect::<Vec<_>>()
        };
        between.iter().filter(|revision| !looked_at.contains(revision)).flat_map(of).collect()
    }

    /// Why nothing of a commit waits, where that is because it was never planned by itself.
    pub(in crate::engine) async fn why_not_planned(
        &self,
        source: &SourceName,
        commit: &Revision,
    ) -> Result<Option<String>, StoreError> {
        let passes = self.ports.store.pass_rows(Some(source), PASSES).await?;
        if passes.iter().any(|pass| pass.revision == *commit) {
            return Ok(None);
        }
        let short = commit.short();
        let Some(latest) = passes.first() else {
            return Ok(Some(format!("the commit {short} was not looked at yet: ask again in a moment")));
        };
        let later = self.ports.source.between(source, commit, &latest.revision, 0).await;
        Ok(Some(match later {
            Ok(Some(_)) => format!(
                "the commit {short} was superseded by {} before it was looked at, and is rolled out as part of it: \
                 ask under the pull request that was merged last",
                latest.revision.short()
            ),
            Ok(None) | Err(_) => format!("the commit {short} was not looked at yet: ask again in a moment"),
        }))
    }
}
