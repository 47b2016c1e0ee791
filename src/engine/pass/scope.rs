//! Which descriptors a pass reads. Cost follows the change, not the repository.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::check::{self, Assessment, Settings};
use crate::domain::finding::Finding;
use crate::domain::id::{Fqn, RepoPath};
use crate::domain::source::Condition;
use crate::port::source::TouchKind;
use crate::port::tree::{Entry, EntryKind, Listing};

use super::super::Engine;
use super::super::apart::apart;
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
    /// Of those, the ones that nothing has touched: they were held back.
    pub held: BTreeSet<RepoPath>,
    /// Recorded root files that are gone, and their products.
    pub gone: Vec<(RepoPath, Option<Fqn>)>,
    /// The root files that the source has, as far as is known.
    pub present: BTreeSet<RepoPath>,
    /// Root files that described another product when they were read last, and that product.
    pub let_go: Vec<(RepoPath, Fqn)>,
    /// Findings that belong to no descriptor.
    pub findings: Vec<Finding>,
}

impl Look {
    /// Whether there is nothing to weigh.
    pub fn is_empty(&self) -> bool {
        self.assessments.is_empty() && self.gone.is_empty() && self.findings.is_empty()
    }

    /// Leaves those that have read one of these files.
    pub fn keep_reading(&mut self, touched: &BTreeSet<RepoPath>) {
        self.assessments.retain(|assessment| assessment.files.iter().any(|file| touched.contains(file)));
        self.findings.retain(|finding| touched.contains(&finding.location.file));
    }
}

/// Which root files are to be read.
struct Scope {
    complete: bool,
    roots: Vec<RepoPath>,
    /// Of the roots, those that nothing has touched.
    held: BTreeSet<RepoPath>,
    gone: Vec<RepoPath>,
    findings: Vec<Finding>,
}

impl Engine {
    /// Reads what has to be read; a condition when the commit has no descriptor at all.
    pub(super) async fn look(&self, sighting: &Sighting<'_>) -> Result<Result<Look, Condition>, PassError> {
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
        if descriptors == 0 {
            return Ok(Err(Condition {
                reason: NO_DESCRIPTORS.to_owned(),
                message: format!(
                    "no file of the commit {} matches {}; all products stay as they are",
                    sighting.revision.short(),
                    sighting.watched.globs.join(", ")
                ),
            }));
        }
        let gone: BTreeSet<RepoPath> = scope.gone.into_iter().collect();
        let tree = Arc::clone(&sighting.tree);
        let settings =
            Settings { namespace: Some(self.settings.namespace.clone()), compatibility: self.settings.compatibility };
        let roots = scope.roots;
        let mut present: BTreeSet<RepoPath> = roots.iter().cloned().collect();
        if !scope.complete {
            present.extend(recorded.iter().map(|(path, _)| path).filter(|path| !gone.contains(path)).cloned());
        }
        let assessments = apart(move || check::assess_commit(&tree, &roots, &settings))
            .await
            .map_err(|error| PassError::Interrupted(error.to_string()))?;
        Ok(Ok(Look {
            complete: scope.complete,
            descriptors,
            present,
            let_go: let_go(&recorded, &assessments),
            gone: recorded.into_iter().filter(|(path, _)| gone.contains(path)).collect(),
            held: scope.held,
            findings: scope.findings,
            assessments,
        }))
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
        if !same_rules {
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
        roots.extend(in_touched_folders(recorded, &all));
        // What somebody wants to be tried again counts as touched; what waits to be looked at again is
        // none of a proposal's business.
        let mut held = Vec::new();
        if !sighting.is_proposal {
            // What was refused where it stands now was accepted elsewhere: that file is not there any more.
            let known: BTreeSet<&RepoPath> = recorded.iter().map(|(path, _)| path).collect();
            let to_retry = self.ports.store.to_retry(sighting.source).await?;
            roots.extend(to_retry.into_iter().filter(|path| known.contains(path)));
            held = self.ports.store.held_back(sighting.source).await?;
            held.retain(|path| known.contains(path));
        }
        let held: BTreeSet<RepoPath> = held.into_iter().filter(|path| !roots.contains(path)).collect();
        roots.extend(held.iter().cloned());
        // Whoever let go of a product leaves it to the others that claim it.
        let touched_roots = recorded.iter().filter(|(path, _)| deleted.contains(path) || roots.contains(path));
        let let_go: BTreeSet<&Fqn> = touched_roots.filter_map(|(_, product)| product.as_ref()).collect();
        let claiming = recorded.iter().filter(|(_, product)| product.as_ref().is_some_and(|fqn| let_go.contains(fqn)));
        roots.extend(claiming.map(|(path, _)| path.clone()).collect::<Vec<_>>());
        roots.retain(|path| !deleted.contains(path));
        let gone = recorded.iter().map(|(path, _)| path).filter(|path| deleted.contains(path)).cloned().collect();
        let roots = roots.into_iter().collect();
        Ok(Some(Scope { complete: false, roots, held, gone, findings: discovery.findings }))
    }

    async fn whole_scope(
        &self,
        sighting: &Sighting<'_>,
        recorded: &[(RepoPath, Option<Fqn>)],
    ) -> Result<Scope, PassError> {
        let tree = Arc::clone(&sighting.tree);
        let listing =
            apart(move || tree.list(None)).await.map_err(|error| PassError::Interrupted(error.to_string()))??;
        let discovery = check::discover(&listing, &sighting.watched.globs);
        let present: BTreeSet<&RepoPath> = discovery.roots.iter().collect();
        let gone = recorded.iter().map(|(path, _)| path).filter(|path| !present.contains(path)).cloned().collect();
        Ok(Scope { complete: true, gone, held: BTreeSet::new(), findings: discovery.findings, roots: discovery.roots })
    }
}

/// Recorded root files in whose folders something was touched: a mended script is a reason to try
/// again what failed.
fn in_touched_folders(recorded: &[(RepoPath, Option<Fqn>)], touched: &[RepoPath]) -> Vec<RepoPath> {
    let mut folders: BTreeSet<Option<RepoPath>> = BTreeSet::new();
    for path in touched {
        let mut folder = path.parent();
        while let Some(inner) = folder {
            folder = inner.parent();
            if !folders.insert(Some(inner)) {
                break;
            }
        }
        folders.insert(None);
    }
    recorded.iter().map(|(path, _)| path).filter(|path| folders.contains(&path.parent())).cloned().collect()
}

/// What these root files described before, where they describe another product now.
fn let_go(recorded: &[(RepoPath, Option<Fqn>)], assessments: &[Assessment]) -> Vec<(RepoPath, Fqn)> {
    let now: BTreeMap<&RepoPath, &Fqn> =
        assessments.iter().filter_map(|it| Some((&it.path, it.product.as_ref()?))).collect();
    recorded
        .iter()
        .filter_map(|(path, before)| Some((path, before.as_ref()?)))
        .filter(|(path, before)| now.get(path).is_some_and(|now| now != before))
        .map(|(path, before)| (path.clone(), before.clone()))
        .collect()
}
