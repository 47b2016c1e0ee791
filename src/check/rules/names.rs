//! Names are unique within their kind (DPDS 1.0.0, MUST), also for those who cannot tell upper
//! from lower case.

use std::cmp::Ordering;
use std::collections::HashMap;

use super::{Entity, Subject, rules};
use crate::check::report::Report;
use crate::check::yaml::shown;
use crate::domain::finding::{Finding, Location};

pub(super) fn check(subject: &Subject<'_>, entities: &[Entity<'_>], findings: &mut Report) {
    // In this order the same names of a kind stand beside each other, the first one first.
    let mut sorted: Vec<&Entity<'_>> = entities.iter().collect();
    sorted.sort_by(|a, b| a.kind.cmp(&b.kind).then_with(|| folded(a.name, b.name)));
    for group in sorted.chunk_by(|a, b| a.kind == b.kind && folded(a.name, b.name).is_eq()) {
        let [first, others @ ..] = group else { continue };
        if others.is_empty() {
            continue;
        }
        let mut exact: HashMap<&str, &Entity<'_>> = HashMap::from([(first.name, *first)]);
        for entity in others {
            if findings.is_full() {
                return;
            }
            let other = exact.get(entity.name).copied();
            if other.is_some() || findings.wants(rules::CASE_ONLY.severity) {
                findings.push(taken(subject, other.unwrap_or(first), entity));
            }
            exact.entry(entity.name).or_insert(entity);
        }
    }
    let mut stages: Vec<(&str, String)> = subject.stages().map(|(stage, _, pointer)| (stage, pointer)).collect();
    stages.sort_by(|a, b| folded(a.0, b.0));
    for pair in stages.windows(2) {
        if let [(first, _), (second, pointer)] = pair
            && folded(first, second).is_eq()
        {
            let (name, other) = (shown(second), shown(first));
            let message = format!("the stage {name} differs from {other} only by upper and lower case");
            findings.push(subject.key_finding(&rules::CASE_ONLY, pointer.clone(), message, "rename one of them"));
        }
    }
}

/// Compares without regard to case. Names have ASCII letters only; what has others was refused.
fn folded(a: &str, b: &str) -> Ordering {
    let lower = |byte: u8| byte.to_ascii_lowercase();
    a.bytes().map(lower).cmp(b.bytes().map(lower))
}

/// Where the reference stands that brought a part.
fn referenced(subject: &Subject<'_>, entity: &Entity<'_>) -> Option<Location> {
    subject.entries.at(subject.located, &entity.pointer())?.location(subject.located)
}

fn taken(subject: &Subject<'_>, first: &Entity<'_>, entity: &Entity<'_>) -> Finding {
    let at = subject.location(&format!("{}/name", first.pointer()));
    let name = shown(entity.name);
    if at == subject.location(&format!("{}/name", entity.pointer()))
        && let Some((at, location)) = referenced(subject, first).zip(referenced(subject, entity))
    {
        let message =
            format!("the same part is referenced at {at}, so the name {name} is taken in '{}'", entity.kind.field());
        let hint = "remove one of the references";
        let finding = subject.finding(&rules::DUPLICATE_NAME, format!("{}/name", entity.pointer()), message, hint);
        return Finding { location, ..finding };
    }
    let (rule, message) = if first.name == entity.name {
        (&rules::DUPLICATE_NAME, format!("the name {name} is taken in '{}', at {at}", entity.kind.field()))
    } else {
        let other = shown(first.name);
        (&rules::CASE_ONLY, format!("the name {name} differs from {other} only by upper and lower case, at {at}"))
    };
    subject.finding(rule, format!("{}/name", entity.pointer()), message, "rename one of them")
}
