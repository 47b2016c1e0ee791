//! Names are unique within their kind (DPDS 1.0.0, MUST), also for those who cannot tell upper
//! from lower case.

use std::collections::HashMap;

use super::{Entity, Subject, rules};
use crate::check::yaml::shown;
use crate::domain::finding::Finding;
use crate::domain::id::EntityKind;

pub(super) fn check(subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    let mut exact: HashMap<(EntityKind, &str), Entity<'_>> = HashMap::new();
    let mut folded: HashMap<(EntityKind, String), Entity<'_>> = HashMap::new();
    for entity in subject.entities() {
        let pointer = || format!("{}/name", entity.pointer());
        let list = entity.kind.field();
        if let Some(first) = exact.get(&(entity.kind, entity.name)) {
            let at = subject.location(&format!("{}/name", first.pointer()));
            let message = format!("the name {} is taken in '{list}', at {at}", shown(entity.name));
            findings.push(subject.finding(&rules::DUPLICATE_NAME, pointer(), message, "rename one of them"));
            continue;
        }
        exact.insert((entity.kind, entity.name), entity);
        let key = (entity.kind, entity.name.to_lowercase());
        if let Some(first) = folded.get(&key) {
            let at = subject.location(&format!("{}/name", first.pointer()));
            let (name, other) = (shown(entity.name), shown(first.name));
            let message = format!("the name {name} differs from {other} only by upper and lower case, at {at}");
            findings.push(subject.finding(&rules::CASE_ONLY, pointer(), message, "rename one of them"));
        } else {
            folded.insert(key, entity);
        }
    }
    let mut stages: HashMap<String, &str> = HashMap::new();
    for (stage, _, pointer) in subject.stages() {
        match stages.get(&stage.to_lowercase()) {
            Some(other) => {
                let (name, other) = (shown(stage), shown(other));
                let message = format!("the stage {name} differs from {other} only by upper and lower case");
                findings.push(subject.key_finding(&rules::CASE_ONLY, pointer, message, "rename one of them"));
            }
            None => {
                stages.insert(stage.to_lowercase(), stage);
            }
        }
    }
}
