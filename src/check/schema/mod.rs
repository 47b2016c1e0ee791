//! The structure of a descriptor, by the project's own JSON Schema. It is applied when references
//! are replaced and the depth is known to be bounded. Every kind of error has its own plain words;
//! what the library says is never shown.
//!
//! `dpds-1.0.0.json` is whole; `dpds-1.0.0-draft.json` has only what the draft says otherwise.

mod editor;
pub(super) mod formats;
mod hint;
mod instead;
mod message;
pub(super) mod rules;
mod shape;
mod wrong;

use std::collections::HashSet;
use std::sync::LazyLock;

use jsonschema::error::ValidationErrorKind;
use jsonschema::{Draft, ValidationError, Validator};
use serde_json::Value;

use self::instead::Instead;
use super::contract;
use super::rules::{Form, Subject, form};
use super::yaml::Located;
use crate::check::limits::MAX_FINDINGS;
use crate::check::report::Report;
use crate::domain::finding::{Finding, Location};

/// A form's schema, and what it is compiled to. Built once; a test proves that it can be.
struct Compiled {
    schema: Value,
    validator: Result<Validator, String>,
}

static RELEASED: LazyLock<Compiled> = LazyLock::new(|| Compiled::new(released()));

static DRAFT: LazyLock<Compiled> = LazyLock::new(|| Compiled::new(draft()));

fn released() -> Value {
    serde_json::from_str(include_str!("dpds-1.0.0.json")).unwrap_or_default()
}

/// The released schema, with the definitions of the draft in the place of its own.
fn draft() -> Value {
    let mut schema = released();
    let other: Value = serde_json::from_str(include_str!("dpds-1.0.0-draft.json")).unwrap_or_default();
    let others = other.get("$defs").and_then(Value::as_object);
    if let (Some(own), Some(others)) = (schema.get_mut("$defs").and_then(Value::as_object_mut), others) {
        own.extend(others.clone());
    }
    schema
}

impl Compiled {
    fn new(schema: Value) -> Self {
        let validator = jsonschema::options()
            .with_draft(Draft::Draft202012)
            .should_validate_formats(true)
            .with_format("name", formats::is_name)
            .with_format("version", formats::is_version)
            .with_format("fqn", formats::is_fqn)
            .build(&schema)
            .map_err(|error| error.to_string());
        Self { schema, validator }
    }
}

/// The schema of a descriptor as it is written, for editors.
pub fn dpds_schema() -> Value {
    editor::schema(&RELEASED.schema)
}

/// Checks resolved content against the schema of its form.
pub(super) fn check(subject: &Subject<'_>, findings: &mut Report) {
    let Subject { content, located, root, .. } = *subject;
    let compiled = match form(content) {
        Form::Draft => &*DRAFT,
        Form::Released => &*RELEASED,
        // There is no schema for what does not exist.
        Form::Unknown => return,
    };
    let validator = match &compiled.validator {
        Ok(validator) => validator,
        Err(reason) => {
            let message = format!("the built-in schema cannot be used: {reason}");
            findings.push(Finding::error(rules::OTHER.id(), Location::top_of(root.clone()), "", message));
            return;
        }
    };
    // Most descriptors are fine, and finding that out costs a fraction of collecting errors.
    if validator.is_valid(content) {
        return;
    }
    // Something else in the place of an object is one mistake, whatever the object lacks.
    let mut settled: Vec<String> = Vec::new();
    let mut told: HashSet<(Location, String)> = HashSet::new();
    for error in validator.iter_errors(content).take(MAX_FINDINGS) {
        let pointer = error.instance_path().as_str();
        let within = format!("{pointer}/");
        if settled.contains(&within) || located.find(pointer).broken || is_merged(&error) {
            continue;
        }
        let entry = subject.entries.at(located, pointer);
        let wrong =
            entry.and_then(|entry| Some((wrong::of(&error, &compiled.schema, entry)?, entry.location(located))));
        let instead = wrong.or_else(|| Some((instead::of(&error, &compiled.schema)?, None)));
        if let Some((Instead { rule, at, message, hint }, place)) = instead {
            let place = place.or_else(|| at.map_or_else(|| located.location(pointer), |at| located.key_location(&at)));
            let location = place.unwrap_or_else(|| Location::top_of(root.clone()));
            if told.insert((location.clone(), rule.id.to_owned())) {
                findings.push(Finding::new(rule.severity, rule.id(), location, pointer, message).with_hint(hint));
            }
            settled.push(within);
        }
    }
    // A part of `components` is looked at where it stands and where it is referenced; it is told under the name that
    // it has where it stands, so that comes first.
    for is_library in [true, false] {
        for error in validator.iter_errors(content) {
            if findings.is_full() {
                return;
            }
            let pointer = error.instance_path().as_str();
            let within = format!("{pointer}/");
            if pointer.starts_with("/components/") != is_library
                || is_merged(&error)
                || settled.iter().any(|settled| within.starts_with(settled.as_str()))
                || is_list_of_its_language(&error, content, located)
            {
                continue;
            }
            // Many that are not shown are not worth remembering.
            let fault = fault_of(&error).filter(|_| told.len() < MAX_TOLD);
            let is_new = |fault: String| {
                let place = located.location(pointer).unwrap_or_else(|| Location::top_of(root.clone()));
                told.insert((place, fault))
            };
            if fault.is_none_or(is_new) {
                message::explain(&error, &compiled.schema, located, root, findings);
            }
        }
    }
}

/// So many faults are remembered, so that they are told once.
const MAX_TOLD: usize = 2 * MAX_FINDINGS;

/// What is wrong, where that is said with the name of the place: the same may be said under several names.
fn fault_of(error: &ValidationError<'_>) -> Option<String> {
    match error.kind() {
        ValidationErrorKind::Required { property } => Some(format!("required {property}")),
        ValidationErrorKind::AdditionalProperties { .. } => Some("unknown".to_owned()),
        _ => None,
    }
}

/// Whether something is missing that a merge key, which was refused, may have been meant to bring.
fn is_merged(error: &ValidationError<'_>) -> bool {
    matches!(error.kind(), ValidationErrorKind::Required { .. }) && error.instance().get("<<").is_some()
}

/// Whether a list is the definition of a language whose documents may be lists, as a union of Avro is. Of a language
/// that is not known, the file that a definition references says what it is.
fn is_list_of_its_language(error: &ValidationError<'_>, content: &Value, located: &Located) -> bool {
    let pointer = error.instance_path().as_str();
    let Some(standard) = pointer.strip_suffix("/definition").filter(|_| error.instance().is_array()) else {
        return false;
    };
    let specification = content.pointer(standard).and_then(|standard| standard.get("specification"));
    let Some(specification) = specification.and_then(Value::as_str) else { return false };
    contract::may_be_list(specification).unwrap_or_else(|| {
        let place = located.find(pointer).node.and_then(|node| located.places.get(node));
        place.is_some_and(|place| place.file != place.key_file)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_schema_can_be_used() {
        for compiled in [&*RELEASED, &*DRAFT] {
            assert!(compiled.validator.is_ok(), "{:?}", compiled.validator.as_ref().err());
            assert!(jsonschema::meta::is_valid(&compiled.schema));
        }
    }

    /// A keyword that `message` does not know would end in `schema/other`.
    #[test]
    fn the_schema_uses_only_keywords_that_have_words() {
        fn keywords(schema: &Value, found: &mut BTreeSet<String>) {
            let Some(fields) = schema.as_object() else { return };
            for (keyword, value) in fields {
                match keyword.as_str() {
                    "properties" | "patternProperties" | "$defs" => {
                        value.as_object().unwrap().values().for_each(|inner| keywords(inner, found));
                    }
                    _ => {
                        keywords(value, found);
                        found.insert(keyword.clone());
                    }
                }
            }
        }
        let mut found = BTreeSet::new();
        keywords(&RELEASED.schema, &mut found);
        keywords(&DRAFT.schema, &mut found);
        let known =
            "$comment $ref $schema additionalProperties format items maximum minLength minimum required title type";
        assert_eq!(found.into_iter().collect::<Vec<_>>().join(" "), known);
    }
}
