//! JSON Schema: whether the values that one edition allows are still those of the other.
//!
//! What is compared holds for every draft from 4 on, and for OpenAPI's and AsyncAPI's schema objects, so
//! no draft is asked for. References within the document are followed, and a schema that leads to itself is
//! compared once.

mod rules;
mod view;
mod facts;
mod compare;
mod values;
mod objects;
mod lists;
mod branches;
mod words;
#[cfg(test)]
mod oracle;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::HashSet;

use serde_json::Value;

use self::compare::{Comparison, MOST_PAIRS, Place};
use self::view::{Document, Root};
use super::{Editions, Fault, Language, MOST_FAULTS};
use crate::domain::compat::{Reason, Side};

/// How this language is told, compared and explained.
pub(super) const LANGUAGE: Language = Language {
    name: "JSON Schema",
    about: "Every draft from 4 on, and the schema objects of OpenAPI and AsyncAPI. References within the document \
            are followed. Title, description, comments and examples are for people and are not compared.",
    specifications: &["jsonschema"],
    is_told_by_shape,
    faults,
    odd: |_| Vec::new(),
    compare,
    rules: rules::RULES,
};

fn is_told_by_shape(definition: &Value) -> bool {
    let says = |fields: &serde_json::Map<String, Value>| {
        let schema =
            fields.get("$schema").and_then(Value::as_str).is_some_and(|draft| draft.contains("json-schema.org"));
        schema
            || (fields.get("type").is_some_and(Value::is_string)
                && fields.get("properties").is_some_and(Value::is_object))
    };
    parsed(definition).is_some_and(|definition| definition.as_object().is_some_and(says))
}

/// Why a definition is no JSON Schema. One that does not say its draft may be of any; of a draft that is not known, nothing
/// can be said.
fn faults(definition: &Value) -> Vec<Fault> {
    use jsonschema::{draft4, draft6, draft7, draft201909, draft202012};
    let Some(schema) = parsed(definition) else {
        return vec![Fault::of("it is neither an object nor the text of one".to_owned())];
    };
    let drafts = [draft202012::meta::is_valid, draft201909::meta::is_valid, draft7::meta::is_valid];
    let older = [draft6::meta::is_valid, draft4::meta::is_valid];
    let says_other = schema
        .get("$schema")
        .is_some_and(|draft| !draft.as_str().is_some_and(|draft| draft.contains("//json-schema.org/")));
    if says_other || drafts.into_iter().chain(older).any(|is_valid| is_valid(&schema)) {
        return Vec::new();
    }
    let validator = draft202012::meta::validator();
    let mut seen = HashSet::new();
    let mut faults = Vec::new();
    for error in validator.iter_errors(&schema) {
        let pointer = error.instance_path().as_str();
        if faults.len() >= MOST_FAULTS {
            break;
        }
        if seen.insert(pointer.to_owned()) {
            faults.push(fault_at(pointer, error.instance()));
        }
    }
    faults
}

fn fault_at(pointer: &str, instance: &Value) -> Fault {
    let value: String = instance.to_string().chars().take(60).collect();
    let name = pointer.rsplit('/').next().unwrap_or_default();
    let why = if name.is_empty() { format!("it is {value}") } else { format!("'{name}' cannot be {value}") };
    let fault = Fault::at(pointer.to_owned(), why);
    match instance.as_str().filter(|_| name == "type") {
        Some(word) => fault.with_hint(words::instead(word)),
        None => fault,
    }
}

/// A schema, and the document in which its references (`#/components/schemas/Order`) are looked up.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Standing<'a> {
    /// The schema.
    pub schema: &'a Value,
    /// The document in which it stands; the schema itself, where that is all.
    pub document: &'a Value,
}

/// Two editions of a schema that stands in a larger document.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Schemas<'a> {
    /// What is recorded.
    pub before: Standing<'a>,
    /// What is desired.
    pub after: Standing<'a>,
    /// Who is on the other side of it.
    pub side: Side,
    /// The JSON pointer of the desired schema in the desired content.
    pub pointer: &'a str,
    /// The JSON pointer of the desired document in the desired content.
    pub document_pointer: &'a str,
    /// What stands before the paths of reasons: `POST /orders request`.
    pub path: &'a str,
}

/// Compares two definitions that are JSON Schemas: objects, booleans, or the text of one as JSON.
pub(crate) fn compare(editions: &Editions<'_>) -> Vec<Reason> {
    let (Some(before), Some(after)) = (parsed(editions.before), parsed(editions.after)) else {
        let message = "it is not a JSON Schema that can be read";
        return vec![rules::UNREADABLE.reason(editions.side, editions.pointer, "", message)];
    };
    let mut left = MOST_PAIRS;
    let schemas = Schemas {
        before: Standing { schema: &before, document: &before },
        after: Standing { schema: &after, document: &after },
        side: editions.side,
        pointer: editions.pointer,
        document_pointer: editions.pointer,
        path: "",
    };
    let mut reasons = compare_schemas(&schemas, &mut left);
    if matches!(after, Cow::Owned(_)) {
        // Within a text there are no pointers.
        reasons.iter_mut().for_each(|reason| editions.pointer.clone_into(&mut reason.pointer));
    }
    reasons
}

/// Compares two schemas that stand in documents. `left` is how many pairs of schemas may still be compared; what
/// was compared is taken off.
pub(crate) fn compare_schemas(schemas: &Schemas<'_>, left: &mut usize) -> Vec<Reason> {
    let before = Document { root: schemas.before.document, pointer: String::new() };
    let after = Document { root: schemas.after.document, pointer: schemas.document_pointer.to_owned() };
    let comparison = Comparison::new(before, after, schemas.side, *left);
    let root = |schema, pointer: &str| Root { schema, pointer: pointer.to_owned() };
    let place = Place { path: schemas.path.to_owned(), pointer: schemas.pointer.to_owned() };
    comparison.whole(root(schemas.before.schema, ""), root(schemas.after.schema, schemas.pointer), &place, left)
}

/// The schema, read where it is a text; `None` where it is no schema.
fn parsed(definition: &Value) -> Option<Cow<'_, Value>> {
    match definition {
        Value::Object(_) | Value::Bool(_) => Some(Cow::Borrowed(definition)),
        Value::String(text) => {
            let read: Value = serde_json::from_str(text).ok()?;
            (read.is_object() || read.is_boolean()).then_some(Cow::Owned(read))
        }
        _ => None,
    }
}
