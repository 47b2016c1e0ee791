//! Definitions are in the language that their `specification` names. Only what is certainly none is told: a language
//! has more editions and dialects than are read here.

use serde_json::Value;

use super::{Entity, Subject, rules};
use crate::check::contract::{self, Fault, Odd};
use crate::check::refs::rules::LEADS_NOWHERE;
use crate::check::report::Report;
use crate::check::yaml::shown;
use crate::domain::finding::Finding;

pub(super) fn check(subject: &Subject<'_>, entities: &[Entity<'_>], findings: &mut Report) {
    // Parts that other names were meant to be: the definition's pointer, and the beginning of references to them.
    let mut misnamed: Vec<(String, String)> = Vec::new();
    for entity in entities {
        let Some(api) = entity.value.pointer("/promises/api") else { continue };
        let Some(specification) = api.get("specification").and_then(Value::as_str) else { continue };
        // What else stands there was told as such.
        let may_be = |it: &&Value| {
            it.is_object() || it.is_string() || contract::may_be_list(specification) == Some(true) && it.is_array()
        };
        let Some(definition) = api.get("definition").filter(may_be) else { continue };
        let pointer = format!("{}/promises/api/definition", entity.pointer());
        if subject.located.find(&pointer).broken || !findings.wants(rules::DEFINITION.severity) {
            continue;
        }
        if let Some(meant) = contract::meant(specification) {
            let specification = shown(specification);
            let message = format!("'specification' is {specification}, so nobody knows how to read the definition");
            let place = format!("{}/promises/api/specification", entity.pointer());
            findings.push(subject.finding(&rules::SPECIFICATION, place, message, format!("did you mean '{meant}'?")));
        }
        let faults = contract::faults(specification, definition);
        if faults.is_empty() {
            for odd in contract::odd(specification, definition) {
                if let (Some(meant), Some((around, _))) = (odd.meant, odd.pointer.rsplit_once('/')) {
                    misnamed.push((format!("{pointer}/"), format!("#{around}/{meant}")));
                }
                findings.push(oddity(subject, &pointer, odd));
            }
        }
        let unreadable = |fault| unreadable(subject, entity, (specification, definition), &pointer, fault);
        findings.extend(faults.iter().map(unreadable));
    }
    findings.amend(|finding| finding.rule != LEADS_NOWHERE.id() || leads_further(subject, finding, &misnamed));
}

/// Whether a reference within a definition is still worth telling: one to a part whose name is wrong is right. Where the
/// part stands at another place, that is said.
fn leads_further(subject: &Subject<'_>, finding: &mut Finding, misnamed: &[(String, String)]) -> bool {
    const API: &str = "/promises/api/definition/";
    let Some(end) = finding.pointer.find(API) else { return true };
    let Some(holder) = subject.content.pointer(&finding.pointer) else { return true };
    let Some(text) = holder.get("$ref").or(Some(holder)).and_then(Value::as_str) else { return true };
    let is_part = |whole: &str| text.strip_prefix(whole).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    if misnamed.iter().any(|(within, part)| finding.pointer.starts_with(within.as_str()) && is_part(part)) {
        return false;
    }
    let definition = finding.pointer.get(..end + API.len() - 1).and_then(|pointer| subject.content.pointer(pointer));
    let name = text.rsplit('/').next().filter(|name| !name.is_empty());
    if let (Some(definition), Some(name)) = (definition, name)
        && let Some(home) = HOMES.into_iter().find(|home| definition.pointer(&format!("{home}/{name}")).is_some())
    {
        finding.hint = Some(format!("did you mean {}?", shown(&format!("#{home}/{name}"))));
    }
    true
}

/// Where parts that are referenced stand, in one language or another.
const HOMES: [&str; 6] = [
    "/components/schemas",
    "/components/messages",
    "/components/parameters",
    "/components/responses",
    "/$defs",
    "/definitions",
];

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
        _ if fault.hint.is_empty() => rules::DEFINITION.hint(),
        _ => fault.hint.clone(),
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
