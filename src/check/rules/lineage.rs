//! What components depend on, read from and feed exists in the product or belongs to another one,
//! and dependencies go in no circle (DPDS 1.0.0, MUST).

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::{Entity, Subject, rules};
use crate::check::report::Report;
use crate::check::yaml::shown;
use crate::domain::finding::Finding;
use crate::domain::id::{EntityKind, Fqn};
use crate::domain::suggest;

const FIELDS: [&str; 3] = ["dependsOn", "consumesFrom", "providesTo"];

pub(super) fn check(subject: &Subject<'_>, entities: &[Entity<'_>], findings: &mut Report) {
    let Some(product) = subject.product else { return };
    if !components(entities).any(|entity| FIELDS.iter().any(|field| entity.value.get(field).is_some())) {
        return;
    }
    // What a reference that leads nowhere would have brought is not known, so nothing is missing.
    let unknown_parts = subject.located.places.iter().any(|place| place.broken);
    let known: HashMap<String, usize> = entities
        .iter()
        .enumerate()
        .map(|(index, entity)| (product.component(entity.kind, entity.name).into(), index))
        .collect();
    for entity in components(entities) {
        for field in FIELDS {
            for (index, name) in names(entity, field) {
                if findings.is_full() {
                    return;
                }
                let pointer = || format!("{}/{field}/{index}", entity.pointer());
                let Ok(fqn) = name.parse::<Fqn>() else { continue };
                match fqn.owner() {
                    None if !findings.wants(rules::FOREIGN_NAME.severity) => {}
                    None => {
                        let message = format!("{} is not the name of a part of any product", shown(name));
                        let hint = format!("a name of this product begins with '{product}:'");
                        findings.push(subject.finding(&rules::FOREIGN_NAME, pointer(), message, hint));
                    }
                    Some(owner) if owner == *product && !unknown_parts && !known.contains_key(name) => {
                        let message = format!("'{field}' names {}, which this product does not have", shown(name));
                        // Only the last part is compared: what goes before is the same for all.
                        let last = |name: &str| name.rsplit(':').next().map(str::len).unwrap_or_default();
                        let near = suggest::nearest(
                            name.get(name.len() - last(name)..).unwrap_or_default(),
                            entities.iter().map(|entity| entity.name),
                        );
                        let hint = match near {
                            Some(near) => format!("did you mean {}?", shown(near)),
                            None => "correct the name, or add what it names".to_owned(),
                        };
                        findings.push(subject.finding(&rules::UNKNOWN_COMPONENT, pointer(), message, hint));
                    }
                    Some(owner) if owner != *product && is_inside(field, name) => {
                        findings.extend(other_major(subject, product, &owner, (field, name), pointer(), &known));
                    }
                    Some(_) => {}
                }
            }
        }
    }
    cycles(subject, entities, &known, findings);
}

/// Whether only the product itself can use what is named: all but a product as a whole and what it offers, and that
/// only to be read.
fn is_inside(field: &str, name: &str) -> bool {
    let kind = name.split(':').nth(6);
    field == "providesTo" || kind.is_some_and(|kind| kind != EntityKind::OutputPort.fqn_segment())
}

/// What is said of the inside of another major version of the product: most often, the major in the name was
/// forgotten when the product's was raised.
fn other_major(
    subject: &Subject<'_>,
    product: &Fqn,
    owner: &Fqn,
    (field, name): (&str, &str),
    pointer: String,
    known: &HashMap<String, usize>,
) -> Option<Finding> {
    let (own, own_major) = product.as_str().rsplit_once(':')?;
    let (other, major) = owner.as_str().rsplit_once(':')?;
    let is_same = own == other || (subject.is_namespace_guessed && product.product_name() == owner.product_name());
    if !is_same {
        return None;
    }
    let part = name.strip_prefix(owner.as_str())?;
    let hint = match known.contains_key(&format!("{product}{part}")) {
        // Names are never cut here: what differs stands near their end.
        true => format!("did you mean '{other}:{own_major}{part}'?"),
        false => "of another major version, only the product itself and its output ports can be read".to_owned(),
    };
    let inner = shown(part.trim_start_matches(':'));
    let message = format!("'{field}' names {inner} of this product's major version {major}, and this is {own_major}");
    Some(subject.finding(&rules::OTHER_MAJOR, pointer, message, hint))
}

fn components<'e, 'a>(entities: &'e [Entity<'a>]) -> impl Iterator<Item = &'e Entity<'a>> {
    entities.iter().filter(|entity| matches!(entity.kind, EntityKind::Application | EntityKind::Infrastructure))
}

fn names<'a>(entity: &Entity<'a>, field: &str) -> impl Iterator<Item = (usize, &'a str)> + use<'a> {
    let list = entity.value.get(field).and_then(Value::as_array).into_iter().flatten();
    list.enumerate().filter_map(|(index, name)| Some((index, name.as_str()?)))
}

/// Walks along `dependsOn`, without recursion: a chain may be as long as the descriptor. Each
/// component is left for good once, so each circle is said once, at the entry that closes it.
fn cycles(subject: &Subject<'_>, entities: &[Entity<'_>], known: &HashMap<String, usize>, findings: &mut Report) {
    let next: Vec<Vec<(usize, usize)>> = entities
        .iter()
        .map(|entity| names(entity, "dependsOn").filter_map(|(entry, name)| Some((entry, *known.get(name)?))).collect())
        .collect();
    let mut done: HashSet<usize> = HashSet::new();
    for start in 0..entities.len() {
        if findings.is_full() {
            return;
        }
        // Each step is a component and how many of its dependencies were followed.
        let mut way: Vec<(usize, usize)> = vec![(start, 0)];
        let mut on_way: HashMap<usize, usize> = HashMap::from([(start, 0)]);
        while let Some((at, followed)) = way.last_mut() {
            let at = *at;
            let edge =
                if done.contains(&at) { None } else { next.get(at).and_then(|edges| edges.get(*followed)).copied() };
            *followed += 1;
            match edge {
                None => {
                    done.insert(at);
                    on_way.remove(&at);
                    way.pop();
                }
                Some((entry, target)) => {
                    if let Some(position) = on_way.get(&target) {
                        let circle = way.iter().skip(*position).map(|(step, _)| *step).chain([target]);
                        findings.extend(circle_finding(subject, entities, at, entry, circle));
                    } else if !done.contains(&target) {
                        on_way.insert(target, way.len());
                        way.push((target, 0));
                    }
                }
            }
        }
    }
}

fn circle_finding(
    subject: &Subject<'_>,
    entities: &[Entity<'_>],
    at: usize,
    entry: usize,
    circle: impl Iterator<Item = usize>,
) -> Option<Finding> {
    /// Longer circles are cut in the message.
    const MOST: usize = 12;
    let mut names: Vec<&str> = circle.filter_map(|index| Some(entities.get(index)?.name)).collect();
    if names.len() > MOST {
        let last = names.last().copied();
        names.truncate(MOST - 2);
        names.push("…");
        names.extend(last);
    }
    let pointer = format!("{}/dependsOn/{entry}", entities.get(at)?.pointer());
    let message = format!("components depend on each other in a circle: {}", names.join(" -> "));
    Some(subject.finding(&rules::DEPENDENCY_CYCLE, pointer, message, "remove one of the dependencies"))
}
