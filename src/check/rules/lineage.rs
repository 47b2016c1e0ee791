//! What components depend on, read from and feed exists in the product or belongs to another one,
//! and dependencies go in no circle (DPDS 1.0.0, MUST).

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::doubt::Evidence;
use super::meant::Parts;
use super::{Entity, Subject, rules};
use crate::check::limits::MAX_FINDINGS;
use crate::check::report::Report;
use crate::check::yaml::shown;
use crate::domain::finding::Finding;
use crate::domain::id::{EntityKind, Fqn};
use crate::domain::suggest;

const FIELDS: [&str; 3] = ["dependsOn", "consumesFrom", "providesTo"];

pub(super) fn check(evidence: &Evidence<'_>, entities: &[Entity<'_>], findings: &mut Report) {
    let subject = evidence.subject();
    let Some(product) = subject.product else { return };
    if !components(entities).any(|entity| FIELDS.iter().any(|field| entity.value.get(field).is_some())) {
        return;
    }
    let known: HashMap<String, usize> = entities
        .iter()
        .enumerate()
        .map(|(index, entity)| (product.component(entity.kind, entity.name).into(), index))
        .collect();
    let parts = Parts::new(subject, product, entities);
    let mut unknown = 0;
    let mut like_own: Vec<(Fqn, Finding)> = Vec::new();
    let mut has_own = false;
    for entity in components(entities) {
        for field in FIELDS {
            for (index, name) in names(entity, field) {
                if findings.is_full() || unknown > MAX_FINDINGS {
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
                    Some(owner) if owner == *product => {
                        has_own = true;
                        if known.contains_key(name) {
                            continue;
                        }
                        unknown += 1;
                        if let Some((message, hint)) = parts.told_missing(field, name) {
                            findings.push(subject.finding(&rules::UNKNOWN_COMPONENT, pointer(), message, hint));
                        }
                    }
                    // That it is called otherwise was said where it says so.
                    Some(owner) if evidence.other_product() == Some(&owner) => {}
                    Some(owner) if is_inside(field, name) => {
                        let told = other_major(subject, product, &owner, (field, name), pointer(), &known);
                        if told.is_some() {
                            findings.extend(told);
                        } else if like_own.len() < MAX_FINDINGS
                            && let Some(told) =
                                other_product(subject, product, &owner, (field, name), pointer(), &known)
                        {
                            like_own.push((owner, told));
                        }
                    }
                    Some(_) => {}
                }
            }
        }
    }
    match like_own.as_slice() {
        // All components call the product so, and only the product itself does not.
        [(first, _), others @ ..]
            if !has_own && !others.is_empty() && others.iter().all(|(owner, _)| owner == first) =>
        {
            let [theirs, ours] = [first, product].map(|fqn| shown(&short(fqn)));
            let message = format!("the product is {ours} by its 'name', and its components name parts of {theirs}");
            let hint = "correct 'name', or what its components name, so that they agree";
            findings.push(subject.finding(&rules::OTHER_PRODUCT, "/info/name".to_owned(), message, hint));
        }
        _ => findings.extend(like_own.into_iter().map(|(_, finding)| finding)),
    }
    cycles(subject, entities, &known, findings);
}

/// A product's name and major version.
fn short(product: &Fqn) -> String {
    let mut parts = product.as_str().rsplitn(3, ':');
    let (major, name) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    format!("{name}:{major}")
}

/// What is said of the inside of another product, when this one has such a part and is called nearly so.
fn other_product(
    subject: &Subject<'_>,
    product: &Fqn,
    owner: &Fqn,
    (field, name): (&str, &str),
    pointer: String,
    known: &HashMap<String, usize>,
) -> Option<Finding> {
    let part = name.strip_prefix(owner.as_str())?;
    if !known.contains_key(&format!("{product}{part}")) {
        return None;
    }
    let (theirs, ours) = (owner.product_name(), product.product_name());
    if theirs != ours && suggest::nearest(theirs, [ours]).is_none() {
        return None;
    }
    // A namespace that is guessed is no advice.
    let namespace = if subject.is_namespace_guessed { owner } else { product };
    let namespace = namespace.as_str().split(":dataproducts:").next()?;
    let inner = shown(part.trim_start_matches(':'));
    let message = format!(
        "'{field}' names {inner} of the product {}, and this is {}",
        shown(&told_apart(owner, product)),
        shown(&told_apart(product, owner))
    );
    let hint = format!("did you mean '{namespace}:dataproducts:{}{part}'?", short(product));
    Some(subject.finding(&rules::OTHER_PRODUCT, pointer, message, hint))
}

/// A product as it is told apart from another: with its namespace, where all else is the same.
fn told_apart(product: &Fqn, other: &Fqn) -> String {
    if short(product) == short(other) { product.to_string() } else { short(product) }
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

/// All names that components use.
pub(super) fn all_names<'a>(entities: &[Entity<'a>]) -> impl Iterator<Item = &'a str> {
    components(entities)
        .flat_map(|entity| FIELDS.into_iter().flat_map(|field| names(entity, field)))
        .map(|(_, name)| name)
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
