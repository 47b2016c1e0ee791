//! Definitions are in the language that their `specification` names. Only what is certainly none is told: a language
//! has more editions and dialects than are read here.

use serde_json::Value;

use super::{Entity, Subject, rules};
use crate::check::contract;
use crate::check::report::Report;
use crate::check::yaml::{Syntax, shown};

pub(super) fn check(subject: &Subject<'_>, entities: &[Entity<'_>], findings: &mut Report) {
    for entity in entities {
        let Some(api) = entity.value.pointer("/promises/api") else { continue };
        let Some(specification) = api.get("specification").and_then(Value::as_str) else { continue };
        let Some(definition) = api.get("definition").filter(|it| it.is_object() || it.is_string()) else { continue };
        let pointer = format!("{}/promises/api/definition", entity.pointer());
        if subject.located.find(&pointer).broken || !findings.wants(rules::DEFINITION.severity) {
            continue;
        }
        let Some(fault) = contract::fault(specification, definition) else { continue };
        let place = format!("{pointer}{}", fault.pointer);
        let mut location = subject.location(&place);
        // Only of the text of a file of its own it is known which line is its first.
        if let Some(line) = fault.line.filter(|_| Syntax::of(&location.file).is_none()) {
            (location.line, location.column, location.length) = (line, 1, 0);
        }
        let (name, specification) = (shown(entity.name), shown(specification));
        let message = format!("the definition of {name} cannot be read as {specification}: {}", fault.why);
        let hint = match definition.as_str() {
            Some(text) if is_path(text) => {
                format!("to have the file read, write definition: {{ $ref: {text} }}")
            }
            _ => rules::DEFINITION.hint(),
        };
        let mut finding = subject.finding(&rules::DEFINITION, place, message, hint);
        finding.location = location;
        findings.push(finding);
    }
}

/// Whether a text is most likely the path of a file.
fn is_path(text: &str) -> bool {
    let has_ending = text.rsplit_once('.').is_some_and(|(_, ending)| (2..=6).contains(&ending.len()));
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '/' | '_' | '-' | '#');
    has_ending && text.len() <= 100 && text.chars().all(is_plain)
}
