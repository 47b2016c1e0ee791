//! From two merged commits to what is said of each product: the way of a pass, without its record.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::change::{Change, ChangeKind};
use crate::domain::compat::Compatibility;
use crate::domain::finding::Finding;
use crate::domain::id::{ContainerId, Fqn, RepoPath, Revision};
use crate::domain::policy::NOT_EVALUATED;
use crate::domain::report::{
    ProductVerdict, ReviewOutcome, ReviewedChange, ReviewedFinding, ReviewedProduct, StageOutlook,
};
use crate::domain::source::Target;
use crate::port::store::{DescriptorEntry, Pass, SourceRecord};

use super::super::Engine;
use super::super::apart::apart;
use super::super::pass::{Draft, PassError, ProposalDraft};
use super::lines::lines_in_head;

/// So many findings of a proposal are told, the worst first.
const MOST_FINDINGS: usize = 2_000;

/// What looking at the merged commits came to.
#[derive(Debug)]
pub(super) struct Assessed {
    pub outcome: ReviewOutcome,
    pub products: Vec<ReviewedProduct>,
    pub findings: Vec<ReviewedFinding>,
}

impl Assessed {
    pub fn without_products(outcome: ReviewOutcome) -> Self {
        Self { outcome, products: Vec::new(), findings: Vec::new() }
    }
}

impl Engine {
    /// Assesses what differs between `base` and `merged`. Lines are told as they are in `head`.
    pub(super) async fn assess(
        &self,
        target: &Target,
        record: Option<&SourceRecord>,
        base: &Revision,
        merged: &Revision,
        head: &Revision,
    ) -> Result<Assessed, PassError> {
        let draft = match self.draft_proposal(target, record, base, merged).await? {
            ProposalDraft::Untouched => return Ok(Assessed::without_products(ReviewOutcome::Untouched)),
            ProposalDraft::Emptied => {
                let why = "it leaves the branch without descriptors; a branch that is emptied changes nothing";
                return Ok(Assessed::without_products(ReviewOutcome::Refused(why.to_owned())));
            }
            ProposalDraft::Drafted(draft) => *draft,
        };
        let Draft { pass, tree, .. } = draft;
        let by_product = ByProduct::of(&pass);
        let mut products = Vec::new();
        let mut found: Vec<&Finding> = pass.findings.iter().collect();
        for entry in &pass.descriptors {
            let Some(product) = by_product.product(entry) else { continue };
            products.push(product);
            found.extend(&entry.findings);
        }
        products.extend(pass.plan.changes.iter().filter(|change| change.kind == ChangeKind::Retired).map(retired));
        let found = worst_first(found);
        if products.is_empty() && found.is_empty() {
            return Ok(Assessed::without_products(ReviewOutcome::Untouched));
        }
        let findings = if merged == head {
            found.into_iter().map(|finding| seen_at(Some(finding.location.line), finding)).collect()
        } else {
            let of_head = self.ports.source.tree(&target.source, head).await?;
            let located = move || lines_in_head(tree.0.as_ref(), of_head.as_ref(), found);
            apart(located).await.map_err(|error| PassError::Interrupted(error.to_string()))?
        };
        Ok(Assessed { outcome: ReviewOutcome::Assessed, products, findings })
    }
}

pub(super) fn seen_at(line_in_head: Option<u32>, finding: Finding) -> ReviewedFinding {
    ReviewedFinding { finding, line_in_head }
}

/// A draft, by what is asked of it for each product.
struct ByProduct<'a> {
    changes: BTreeMap<(&'a RepoPath, &'a Fqn), &'a Change>,
    refused: BTreeSet<&'a Fqn>,
    stages: BTreeMap<&'a Fqn, Vec<StageOutlook>>,
}

impl<'a> ByProduct<'a> {
    fn of(pass: &'a Pass) -> Self {
        let plan = &pass.plan;
        let mut stages: BTreeMap<&Fqn, Vec<StageOutlook>> = BTreeMap::new();
        for ContainerId { product, stage } in plan.activities.iter().map(|activity| &activity.container) {
            let outlook = StageOutlook { stage: stage.clone(), waits_for: None };
            stages.entry(product).or_default().push(outlook);
        }
        for held in plan.held.iter().filter(|held| held.waits_for != held.container.product) {
            let waits_for = Some(held.waits_for.product_name().to_owned());
            let outlook = StageOutlook { stage: held.container.stage.clone(), waits_for };
            stages.entry(&held.container.product).or_default().push(outlook);
        }
        let here = plan.changes.iter().filter(|change| change.kind != ChangeKind::Retired);
        Self {
            changes: here.map(|change| ((&change.path, &change.product), change)).collect(),
            refused: plan.refused.iter().collect(),
            stages,
        }
    }

    /// What is said of a descriptor that was read; `None` when it is as it was, and nothing stands
    /// against it.
    fn product(&self, entry: &DescriptorEntry) -> Option<ReviewedProduct> {
        let product = entry.product.as_ref();
        let change = product.and_then(|product| self.changes.get(&(&entry.path, product)));
        let stages = product.and_then(|product| self.stages.get(product)).cloned().unwrap_or_default();
        let refused = |by_policy: bool| {
            entry.findings.iter().any(|finding| finding.is_error() && finding.rule.is_policy() == by_policy)
        };
        let verdict = if entry.findings.iter().any(|finding| finding.rule == NOT_EVALUATED) {
            ProductVerdict::NotEvaluated
        } else if refused(false) {
            ProductVerdict::Errors
        } else if refused(true) {
            ProductVerdict::Refused
        } else if change.is_some() && product.is_some_and(|product| self.refused.contains(product)) {
            ProductVerdict::Errors
        } else {
            ProductVerdict::Accepted
        };
        let is_of_concern = change.is_some() || !stages.is_empty() || verdict != ProductVerdict::Accepted;
        is_of_concern.then(|| ReviewedProduct {
            name: product.map(|product| product.product_name().to_owned()),
            path: entry.path.to_string(),
            change: change.map(|change| described(change)),
            verdict,
            stages,
        })
    }
}

fn retired(change: &Change) -> ReviewedProduct {
    ReviewedProduct {
        name: Some(change.product.product_name().to_owned()),
        path: change.path.to_string(),
        change: Some(described(change)),
        verdict: ProductVerdict::Accepted,
        stages: Vec::new(),
    }
}

fn described(change: &Change) -> ReviewedChange {
    let compared = change.compatibility.as_ref();
    let is_compared = change.kind == ChangeKind::Updated || change.succeeds.is_some();
    ReviewedChange {
        kind: change.kind,
        from: change.from.as_ref().map(|version| version.version.clone()),
        to: change.to.as_ref().map(|version| version.version.clone()),
        compatibility: is_compared.then(|| compared.map_or(Compatibility::Identical, |it| it.compatibility)),
        required: compared.filter(|_| change.kind == ChangeKind::Updated).map(|it| it.required.clone()),
        fields: change.difference.fields.len(),
        unified: change.difference.unified.clone(),
    }
}

/// What was found, each once, the worst first and then by place.
fn worst_first(found: Vec<&Finding>) -> Vec<Finding> {
    let mut said = BTreeSet::new();
    let mut all: Vec<&Finding> =
        found.into_iter().filter(|finding| said.insert((&finding.location, &finding.rule, &finding.message))).collect();
    all.sort_by(|a, b| (b.severity, &a.location).cmp(&(a.severity, &b.location)));
    all.into_iter().take(MOST_FINDINGS).cloned().collect()
}
