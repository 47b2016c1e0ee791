//! The stages at which a product is rolled out, and what a platform has against its lifecycle.

use std::collections::BTreeSet;

use crate::domain::descriptor::Descriptor;
use crate::domain::finding::{Finding, Location, Severity};
use crate::domain::id::StageName;
use crate::domain::pointer::escaped;
use crate::domain::rule::Rule;
use crate::domain::stage::Platform;
use crate::domain::suggest::did_you_mean;

use super::tasks::draft;

/// The lifecycle names a stage that the platform does not have.
pub const UNKNOWN_STAGE: Rule = Rule {
    id: "lifecycle/unknown-stage",
    severity: Severity::Warning,
    meaning: "The lifecycle has tasks for a stage that the platform does not have. They never run.",
    example: "lifecycleInfo: { prd: […] }   # the configuration has 'prod'",
    remedy: "Name one of the platform's stages. Leave it where another platform reads the descriptor, too.",
    source: "DPDS 1.0.0, Lifecycle Info Object: stages are the platform's",
};

/// A descriptor, with where its parts stand.
#[derive(Clone, Copy)]
pub(super) struct Placed<'a> {
    pub descriptor: &'a Descriptor,
    pub locate: &'a dyn Fn(&str) -> Location,
}

/// What a platform has against the lifecycle of a product, whatever is recorded: executors and stages that
/// are not there, and results that will not be. `locate` tells where a JSON pointer into the content stands
/// in the files.
pub fn against_lifecycle(
    descriptor: &Descriptor,
    locate: &dyn Fn(&str) -> Location,
    platform: &Platform,
) -> Vec<Finding> {
    draft_stages(Placed { descriptor, locate }, platform).1
}

/// A stage at which a product is rolled out, and the stages before it that matter to the product.
pub(super) type StageDraft = (StageName, Vec<StageName>);

/// The product's stages in promotion order, and what is wrong with them and their tasks.
pub(super) fn draft_stages(product: Placed<'_>, platform: &Platform) -> (Vec<StageDraft>, Vec<Finding>) {
    let mut findings = unknown_stages(product, platform);
    let mut stages = Vec::new();
    for stage in &platform.stages {
        if product.descriptor.tasks_of(stage.name.as_str()).is_none() {
            continue;
        }
        let before = earlier_stages(&stage.name, platform, product.descriptor);
        let (_, found) = draft(product, &stage.name, &before, platform);
        findings.extend(found);
        stages.push((stage.name.clone(), before));
    }
    (stages, findings)
}

fn unknown_stages(product: Placed<'_>, platform: &Platform) -> Vec<Finding> {
    let known = || platform.stages.iter().map(|stage| stage.name.as_str());
    let names = product.descriptor.lifecycle.iter().map(|(name, _)| name.as_str());
    let unknown = names.filter(|name| !known().any(|known| known == *name));
    let finding = |name: &str| {
        let pointer = format!("/internalComponents/lifecycleInfo/{}", escaped(name));
        let message = format!("the platform has no stage '{name}', so these tasks never run");
        let hint = did_you_mean(name, known());
        Finding::warning(UNKNOWN_STAGE.id(), (product.locate)(&pointer), pointer, message).with_hint(hint)
    };
    unknown.map(finding).collect()
}

/// The stages that have to come before `stage`, as far as the product names them: a stage that it
/// does not name is passed over, to those before that one.
fn earlier_stages(stage: &StageName, platform: &Platform, descriptor: &Descriptor) -> Vec<StageName> {
    let mut earlier = BTreeSet::new();
    let mut open = vec![stage];
    let mut seen = BTreeSet::new();
    while let Some(name) = open.pop() {
        let Some(stage) = platform.stages.iter().find(|candidate| candidate.name == *name) else { continue };
        for before in &stage.after {
            if !seen.insert(before) {
                continue;
            }
            if descriptor.tasks_of(before.as_str()).is_some() {
                earlier.insert(before.clone());
            } else {
                open.push(before);
            }
        }
    }
    earlier.into_iter().collect()
}
