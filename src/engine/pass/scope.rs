//! Which descriptors a pass reads. Cost follows the change, not the repository.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::check::{self, Assessment, Settings};
use crate::domain::finding::Finding;
use crate::domain::id::{Fqn, RepoPath};
use crate::domain::source::Condition;
use crate::port::source::TouchKind;
use crate::port::tree::{Entry, EntryKind, Listing};

use super::super::Engine;
use super::{PassError, Sighting};

/// The condition of a source in whose tree no descriptor is left.
pub(super) const NO_DESCRIPTORS: &str = "no-descriptors";

/// What was read of a commit.
pub(super) struct Look {
    /// Whether all descriptors of the commit were read.
    pub complete: bool,
    /// How many descriptors the commit has.
    pub descriptors: usize,
    /// What became of those that were read.
    pub assessments: Vec<Assessment>,
    /// Recorded root files that are gone, and their products.
    pub gone: Vec<(RepoPath, Option<Fqn>)>,
    /// Findings that belong to no descriptor.
    pub findings: Vec<Finding>,
    /// Why the commit is not as it should be, if so.
    pub condition: Option<Condition>,
}

/// Which root files are to be read.
struct Scope {
    complete: bool,
    roots: Vec<RepoPath>,
    gone: Vec<RepoPath>,
    findings: Vec<Finding>,
}

impl Engine {
    pub(super) async fn look(&self, sighting: &Sighting<'_>) -> Result<Look, PassError> {
        let recorded = self.ports.store.descriptors(sighting.source).await?;
        let scope = match self.touched_scope(sighting, &recorded).await? {
            Some(scope) => scope,
            None => self.whole_scope(sighting, &recorded).await?,
        };
        let known: BTreeSet<&RepoPath> = recorded.iter().map(|(path, _)| path).collect();
        let descriptors = if scope.complete {
            scope.roots.len()
        } else {
            let new = scope.roots.iter().filter(|path| !known.contains(path)).count();
            recorded.len() + new - scope.gone.len()
        };
        // An empty target is refused: no product is gone because a tree is.
        let emptied = descriptors == 0 && !recorded.is_empty();
        let gone: BTreeSet<RepoPath> = if emptied { BTreeSet::new() } else { scope.gone.into_iter().collect() };
        let condition = (descriptors == 0).then(|| Condition {
            reason: NO_DESCRIPTORS.to_owned(),
            message: format!(
                "no file of the commit {} matches {}; all products stay as they are",
                sighting.revision.short(),
                sighting.watched.globs.join(", ")
            ),
        });
        let tree = Arc::clone(&sighting.tree);
        let settings = Settings { namespace: Some(self.settings.namespace.clone()) };
        let roots = scope.roots;
        let assessments = tokio::task::spawn_blocking(move || check::assess_all(tree.as_ref(), &roots, &settings))
            .await
            .map_err(|error| PassError::Interrupted(error.to_string()))?;
        Ok(Look {
            complete: scope.complete && !emptied,
            descriptors,
            assessments,
            gone: recorded.into_iter().filter(|(path, _)| gone.contains(path)).collect(),
            findings: scope.findings,
            condition,
        })
    }

    /// What differs from the recorded commit; `None` when all has to be read.
    async fn touched_scope(
        &self,
        sighting: &Sighting<'_>,
        recorded: &[(RepoPath, Option<Fqn>)],
    ) -> Result<Option<Scope>, PassError> {
        let Some(record) = &sighting.record else { return Ok(None) };
        let Some(from) = &record.revision else { return Ok(None) };
        let same_rules = record.policies.as_ref() == Some(&sighting.policies)
            && record.platform.as_ref() == Some(&sighting.watched.platform);
        let emptied = record.condition.as_ref().is_some_and(|condition| condition.reason == NO_DESCRIPTORS);
        if !same_rules || emptied {
            return Ok(None);
        }
        let Some(touched) = self.ports.source.touched(sighting.source, from, &sighting.revision).await? else {
            return Ok(None);
        };
        let written: Vec<&RepoPath> =
            touched.iter().filter(|touch| touch.kind == TouchKind::Written).map(|touch| &touch.path).collect();
        let deleted: BTreeSet<&RepoPath> =
            touched.iter().filter(|touch| touch.kind == TouchKind::Deleted).map(|touch| &touch.path).collect();
        let all: Vec<RepoPath> = touched.iter().map(|touch| touch.path.clone()).collect();

        // Whether a written path is a file, a link or a submodule, is seen when it is read.
        let listing = Listing {
            entries: written.iter().map(|path| Entry { path: (*path).clone(), kind: EntryKind::File }).collect(),
            unusable: Vec::new(),
        };
        let discovery = check::discover(&listing, &sighting.watched.globs);
        let mut roots: BTreeSet<RepoPath> = discovery.roots.into_iter().collect();
        roots.extend(self.ports.store.descriptors_reading(sighting.source, &all).await?);
        roots.extend(self.ports.store.held_back(sighting.source).await?);
        // Whoever let go of a product leaves it to the others that claim it.
        let touched_roots = recorded.iter().filter(|(path, _)| deleted.contains(path) || roots.contains(path));
        let let_go: BTreeSet<&Fqn> = touched_roots.filter_map(|(_, product)| product.as_ref()).collect();
        let claiming = recorded.iter().filter(|(_, product)| product.as_ref().is_some_and(|fqn| let_go.contains(fqn)));
        roots.extend(claiming.map(|(path, _)| path.clone()).collect::<Vec<_>>());
        roots.retain(|path| !deleted.contains(path));
        let gone = recorded.iter().map(|(path, _)| path).filter(|path| deleted.contains(path)).cloned().collect();
        Ok(Some(Scope { complete: false, roots: roots.into_iter().collect(), gone, findings: discovery.findings }))
    }

    async fn whole_scope(
        &self,
        sighting: &Sighting<'_>,
        recorded: &[(RepoPath, Option<Fqn>)],
    ) -> Result<Scope, PassError> {
        let tree = Arc::clone(&sighting.tree);
        let listing = tokio::task::spawn_blocking(move || tree.list(None))
            .await
            .map_err(|error| PassError::Interrupted(error.to_string()))??;
        let discovery = check::discover(&listing, &sighting.watched.globs);
        let present: BTreeSet<&RepoPath> = discovery.roots.iter().collect();
        let gone = recorded.iter().map(|(path, _)| path).filter(|path| !present.contains(path)).cloned().collect();
        Ok(Scope { complete: true, gone, findings: discovery.findings, roots: discovery.roots })
    }
}
