//! Proposals: heads that are fetched because somebody asks for them to be merged.
//!
//! Forges keep them under refs of their own: GitHub and Gitea under `refs/pull/<n>/head`, GitLab under
//! `refs/merge-requests/<n>/head`, and the merge groups of GitHub's queue as branches under
//! `gh-readonly-queue/<branch>/`. Only these are asked for, so that no commit can pass for a proposal
//! because a payload says so. In the mirror each source has its own: two sources may watch two
//! branches of one repository.

use std::sync::PoisonError;
use std::time::{Duration, Instant};

use git2::Repository;

use crate::config::BranchName;
use crate::domain::forge::Proposal;
use crate::domain::id::{Revision, SourceName};
use crate::domain::source::Head;
use crate::port::source::FetchError;

use super::folder::WriteLock;
use super::mirror::{Look, Mirror, Missed, Wish, blocking, branch_reference, local};
use super::objects;

/// Above all refs of proposals in the mirror.
const ABOVE: &str = "refs/meshwright/proposal";

/// So many proposals are brought at once.
const MOST_TOGETHER: usize = 50;
/// How long each is brought by itself after several could not be brought at once.
const APART_FOR: Duration = Duration::from_secs(60);

/// A proposal may bring this part of what a mirror may hold.
const PART_OF_THE_MIRROR: u64 = 4;

/// What is different when a proposal is looked at, which may be anybody's work.
pub(super) struct Guest {
    /// What a fresh clone brings beside it: the branch into which it is to be merged.
    pub(super) beside: String,
    /// The heads of others, which are brought with it.
    pub(super) along: Vec<String>,
    /// How many bytes it may bring.
    pub(super) share: u64,
}

impl Guest {
    /// It brought more.
    pub(super) fn too_large(&self) -> FetchError {
        let share = (self.share >> 20).max(1);
        FetchError::Refused(format!("the proposal brings more than {share} MiB, which is the limit of one"))
    }
}

impl Mirror {
    /// Where the proposal's head stands, with its objects here; `None` when it is not there. Where it is `told`
    /// to stand is brought at once, if it is not here; over there is looked only when that fails.
    pub(super) async fn look_at_proposal(
        &self,
        wish: Wish<'_>,
        source: &SourceName,
        proposal: &Proposal,
        told: Option<&Revision>,
    ) -> Result<Option<Revision>, FetchError> {
        let _turn = self.turn.lock().await;
        let mut look = self.begin(&wish, Instant::now(), String::new(), reference(source, proposal)).await?;
        look.guest = Some(Guest {
            beside: format!("+{}:{}", wish.branch.full(), branch_reference(wish.branch)),
            along: Vec::new(),
            share: self.largest / PART_OF_THE_MIRROR,
        });
        if let (Proposal::Pull(number), Some(told)) = (proposal, told) {
            look.remote = format!("refs/pull/{number}/head");
            match self.attempt(&look, known_format(told.clone())?).await {
                Ok(revision) => return Ok(Some(revision)),
                // It is gone, or the forge keeps it under another name.
                Err(Missed::Gone(_)) => {}
                Err(Missed::Failed(error)) => return Err(error),
            }
        }
        let mut is_second_look = false;
        loop {
            let Some((there, name)) = self.remote_proposal(&look, proposal, wish.branch).await? else {
                return Ok(None);
            };
            look.remote = name;
            match self.attempt(&look, there).await {
                Ok(revision) => return Ok(Some(revision)),
                Err(Missed::Gone(_)) if !is_second_look => is_second_look = true,
                Err(Missed::Gone(error) | Missed::Failed(error)) => return Err(error),
            }
        }
    }

    /// Where the branch stood at the last look, if it could be seen.
    pub(super) async fn last_seen(&self, wish: &Wish<'_>) -> Option<Head> {
        let last = self.turn.lock().await;
        last.iter().find(|looked| looked.is_of(wish)).and_then(|looked| looked.outcome.clone().ok())
    }

    /// Whether the mirror has this as the head of the proposal.
    pub(super) async fn has_proposal(&self, source: &SourceName, proposal: &Proposal, head: &Revision) -> bool {
        let (objects, reference) = (self.objects().clone(), reference(source, proposal));
        if self.objects.is_suspect() || !self.folder.repository.exists() {
            return false;
        }
        let id = blocking(move || objects.with(|repository| objects::standing(repository, &reference))).await;
        id.is_ok_and(|id| id.is_some_and(|id| id.to_string() == head.as_str()))
    }

    /// Brings the heads of pull requests here by one fetch, which together may bring as much as one by itself.
    /// When that fails, because one of them is gone or too large, each is brought by itself for a while.
    pub(super) async fn bring_together(&self, wish: Wish<'_>, source: &SourceName, proposals: &[Proposal]) {
        let _turn = self.turn.lock().await;
        let failed = *self.failed_together.lock().unwrap_or_else(PoisonError::into_inner);
        let is_apart = failed.is_some_and(|at| at.elapsed() < APART_FOR);
        if is_apart || self.objects.is_suspect() || !self.folder.repository.exists() {
            return;
        }
        let mut along: Vec<(String, String)> = {
            let refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
            let named = proposals.iter().filter_map(|proposal| match proposal {
                Proposal::Pull(number) => Some((format!("refs/pull/{number}/head"), reference(source, proposal))),
                Proposal::MergeGroup(_) => None,
            });
            named.filter(|(_, here)| !refused.contains_key(here)).take(MOST_TOGETHER).collect()
        };
        let Some((remote, here)) = along.pop() else { return };
        let brought = async {
            let deadline = Instant::now() + wish.timeout;
            let mut look = self.begin(&wish, Instant::now(), remote, here).await.ok()?;
            look.guest = Some(Guest {
                beside: String::new(),
                along: along.iter().map(|(remote, here)| format!("+{remote}:{here}")).collect(),
                share: self.largest / PART_OF_THE_MIRROR,
            });
            let lock = self.write_lock(deadline).await.ok()?;
            let fetched = self.fetch(&look, &lock).await;
            if fetched.is_err() {
                self.folder.tidy(&lock);
            }
            fetched.ok()
        };
        if brought.await.is_none() {
            *self.failed_together.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        }
    }

    /// The proposal's revision and ref over there.
    async fn remote_proposal(
        &self,
        look: &Look,
        proposal: &Proposal,
        branch: &BranchName,
    ) -> Result<Option<(Revision, String)>, FetchError> {
        let found = match proposal {
            Proposal::Pull(number) => {
                let names = [format!("refs/pull/{number}/head"), format!("refs/merge-requests/{number}/head")];
                let listed = self.list_remote(look, &names.each_ref().map(String::as_str)).await?;
                // In this order: nobody can push to the first one where the forge has it.
                names.iter().find_map(|name| listed.iter().find(|(_, listed)| listed == name).cloned())
            }
            Proposal::MergeGroup(head) => {
                let below = format!("{}/", branch.full().replacen("refs/heads/", "refs/heads/gh-readonly-queue/", 1));
                let listed = self.list_remote(look, &[&format!("{below}*")]).await?;
                listed.into_iter().find(|(revision, name)| revision == head && name.starts_with(&below))
            }
        };
        found.map(|(revision, name)| Ok((known_format(revision)?, name))).transpose()
    }

    /// The right to write into the mirror within this process and among all.
    pub(super) async fn write_lock(&self, deadline: Instant) -> Result<WriteLock, FetchError> {
        match self.folder.lock(deadline).await {
            Ok(Some(lock)) => Ok(lock),
            Ok(None) => {
                let message = "another process has held the mirror until the time was over";
                Err(FetchError::Local(message.to_owned()))
            }
            Err(error) => Err(local(&error)),
        }
    }

    /// Removes the refs of the source's proposals but of these.
    pub(super) async fn keep_proposals(
        &self,
        wish: Wish<'_>,
        source: &SourceName,
        open: &[Proposal],
    ) -> Result<usize, FetchError> {
        let _turn = self.turn.lock().await;
        if !self.folder.repository.exists() {
            return Ok(0);
        }
        let lock = self.write_lock(Instant::now() + wish.timeout).await?;
        let kept: Vec<String> = open.iter().map(|proposal| reference(source, proposal)).collect();
        let (objects, pattern) = (self.objects().clone(), format!("{ABOVE}/{source}/*"));
        let gone = blocking(move || objects.with(|repository| remove_refs(repository, &pattern, &kept))).await;
        drop(lock);
        let gone = gone.map_err(|error| FetchError::Local(error.message().to_owned()))?;
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        let (below, kept) = (format!("{ABOVE}/{source}/"), |name: &String| {
            open.iter().any(|proposal| *name == reference(source, proposal))
        });
        refused.retain(|name, _| !name.starts_with(&below) || kept(name));
        Ok(gone)
    }
}

fn remove_refs(repository: &Repository, pattern: &str, kept: &[String]) -> Result<usize, git2::Error> {
    let mut gone = Vec::new();
    for reference in repository.references_glob(pattern)? {
        let reference = reference?;
        // A name that is not UTF-8 is none of ours, and goes.
        if reference.name().is_ok_and(|name| kept.iter().any(|kept| kept == name)) {
            continue;
        }
        gone.push(reference);
    }
    for reference in &mut gone {
        reference.delete()?;
    }
    Ok(gone.len())
}

fn reference(source: &SourceName, proposal: &Proposal) -> String {
    format!("{ABOVE}/{source}/{proposal}")
}

/// A revision that git2 can read.
pub(super) fn known_format(revision: Revision) -> Result<Revision, FetchError> {
    if revision.as_str().len() == 40 {
        return Ok(revision);
    }
    let message = "it names its objects by SHA-256, which is not supported; use a SHA-1 repository";
    Err(FetchError::Refused(message.to_owned()))
}
