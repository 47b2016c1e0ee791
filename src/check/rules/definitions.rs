//! Definitions are in the language that their `specification` names. Only what is certainly none is told: a language
//! has more editions and dialects than are read here.

use serde_json::Value;

use super::{Entity, Subject, rules};
use crate::check::contract::{self, Fault, Odd};
use crate::check::report::Report;
use crate::check::yaml::shown;
use crate::domain::finding::Finding;

pub(super) fn check(subject: &Subject<'_>, entities: &[Entity<'_>], findings: &mut Report) {
    for entity in entities {
        let Some(api) = entity.value.pointer("/promises/api") else { continue };
        let Some(specification) = api.get("specification").and_then(Value::as_str) else { continue };
        let Some(definition) = api.get("definition").filter(|it| it.is_object() || it.is_string()) else { continue };
        let pointer = format!("{}/promises/api/definition", entity.pointer());
        if subject.located.find(&pointer).broken || !findings.wants(rules::DEFINITION.severity) {
            continue;
        }
        match contract::fault(specification, definition) {
            Some(fault) => findings.push(unreadable(subject, entity, (specification, definition), &pointer, &fault)),
            None => {
                let odd = contract::odd(specification, definition);
                findings.extend(odd.into_iter().map(|odd| oddity(subject, &pointer, odd)));
            }
        }
    }
}

fn oddity(subject: &Subject<'_>, definition: &str, odd: Odd) -> Finding {
    let rule = if odd.is_unknown { &rules::DEFINITION_FIELD } else { &rules::DEFINITION_VALUE };
    // Within a text there are no pointers.
    let place = if odd.within.is_some() { definition.to_owned() } else { format!("{definition}{}", odd.pointer) };
    let location = odd.within.and_then(|_| subject.located.location_within(&place, odd.within));
    let finding = match odd.is_unknown && location.is_none() {
        true => subject.key_finding(rule, place, odd.message, odd.hint),
        false => subject.finding(rule, place, odd.message, odd.hint),
    };
    match location {
        Some(location) => Finding { location, ..finding },
        None => finding,
    }
}

fn unreadable(
    subject: &Subject<'_>,
    entity: &Entity<'_>,
    (specification, definition): (&str, &Value),
    pointer: &str,
    fault: &Fault,
) -> Finding {
    let place = format!("{pointer}{}", fault.pointer);
    let location = subject.located.location_within(&place, fault.within);
    let (name, specification) = (shown(entity.name), shown(specification));
    let message = format!("the definition of {name} cannot be read as {specification}: {}", fault.why);
    let hint = match definition.as_str() {
        Some(text) if is_path(text) => {
            format!("to have the file read, write definition: {{ $ref: {text} }}")
        }
        _ => rules::DEFINITION.hint(),
    };
    let finding = subject.finding(&rules::DEFINITION, place, message, hint);
    match location {
        Some(location) => Finding { location, ..finding },
        None => finding,
    }
}

/// Whether a text is most likely the path of a file.
fn is_path(text: &str) -> bool {
    let has_ending = text.rsplit_once('.').is_some_and(|(_, ending)| (2..=6).contains(&ending.len()));
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '/' | '_' | '-' | '#');
    has_ending && text.len() <= 100 && text.chars().all(is_plain)
}
