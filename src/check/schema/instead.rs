//! What stands in the place of an object of DPDS and is none: a document of another language, a reference under
//! another name, the content of a definition, a part that a descriptor references. All that the object lacks is one
//! mistake then.

use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind;
use serde_json::{Map, Value};

use super::hint::without_quotes;
use super::message::label;
use super::rules;
use super::shape::{fields_of, object_of};
use crate::check::yaml::shown;
use crate::domain::rule::Rule;
use crate::domain::suggest;

/// What to say of the whole object.
pub(super) struct Instead {
    pub rule: &'static Rule,
    /// The pointer of the key that tells it; without one, the object's own place.
    pub at: Option<String>,
    pub message: String,
    pub hint: String,
}

/// So many fields have to be missing, that it is not just them.
const MANY: usize = 3;

/// What stands there instead, when an object lacks something that it must have.
pub(super) fn of(error: &ValidationError<'_>, schema: &Value) -> Option<Instead> {
    let ValidationErrorKind::Required { .. } = error.kind() else { return None };
    let pointer = error.instance_path().as_str();
    let object = object_of(error, schema)?;
    let required: Vec<&str> = object.get("required")?.as_array()?.iter().filter_map(Value::as_str).collect();
    let fields = error.instance().as_object()?;
    let known = fields_of(schema, object)?;
    pasted(pointer, &required, fields)
        .or_else(|| reference(pointer, &required, known, fields))
        .or_else(|| nothing_of_it(pointer, &required, known, fields))
}

/// What a document of another language is, by the field with which it begins.
pub(super) fn language_of(fields: &Map<String, Value>) -> Option<&'static str> {
    const KNOWN: [(&str, &str); 5] = [
        ("openapi", "an OpenAPI document"),
        ("swagger", "an OpenAPI document"),
        ("asyncapi", "an AsyncAPI document"),
        ("datastoreapi", "a datastore API document"),
        ("$schema", "a JSON Schema"),
    ];
    KNOWN.into_iter().find(|(field, _)| fields.contains_key(*field)).map(|(_, what)| what)
}

/// The fields that an object of DPDS does not have, extensions left out.
pub(super) fn unknown_of<'f>(
    fields: &'f Map<String, Value>,
    known: &'f Map<String, Value>,
) -> impl Iterator<Item = &'f str> {
    fields.keys().map(String::as_str).filter(|field| !known.contains_key(*field) && !field.starts_with("x-"))
}

/// A document that has its own fields, and belongs into one of a definition's. Only where the definition lacks what
/// would make it one.
fn pasted(pointer: &str, required: &[&str], fields: &Map<String, Value>) -> Option<Instead> {
    if !required.contains(&"specification") || ["specification", "definition"].iter().any(|it| fields.contains_key(*it))
    {
        return None;
    }
    let what = language_of(fields)?;
    let message = format!("{what} stands where a definition of {} is expected", label(pointer));
    Some(Instead { rule: &rules::PASTED, at: None, message, hint: rules::PASTED.hint() })
}

/// A reference whose key is misspelt.
fn reference(
    pointer: &str,
    required: &[&str],
    known: &Map<String, Value>,
    fields: &Map<String, Value>,
) -> Option<Instead> {
    // What has an address is no reference, and its key is nearly called so.
    if required.contains(&"$href") {
        return None;
    }
    let unknown = |(field, value): &(&String, &Value)| !known.contains_key(*field) && value.is_string();
    let (written, _) = fields.iter().filter(unknown).find(|(field, _)| suggest::nearest(field, ["$ref"]).is_some())?;
    if fields.keys().any(|field| known.contains_key(field) && field != "description") {
        return None;
    }
    Some(Instead {
        rule: &rules::REQUIRED,
        at: Some(format!("{pointer}/{}", written.replace('~', "~0").replace('/', "~1"))),
        message: format!("{} has the field {}, and none of its own", label(pointer), shown(written)),
        hint: "call it '$ref' when it is a reference".to_owned(),
    })
}

/// An item that has fields of its kind, and not those that begin one: its dash stands where none belongs.
fn item_too_many<'f>(pointer: &str, names: &[String], unknown: &mut impl Iterator<Item = &'f str>) -> Option<String> {
    let index: usize = pointer.rsplit('/').next()?.parse().ok()?;
    let is_later = index > 0 && unknown.next().is_none();
    is_later.then(|| format!("{} has neither {}", label(pointer), names.join(" nor ")))
}

/// An object that has nothing of what it must have.
fn nothing_of_it(
    pointer: &str,
    required: &[&str],
    known: &Map<String, Value>,
    fields: &Map<String, Value>,
) -> Option<Instead> {
    let written = || fields.keys().map(String::as_str).filter(|field| !known.contains_key(*field));
    let is_quoted = |name: &str| written().any(|field| without_quotes(field) == Some(name));
    let is_near = |name: &str| is_quoted(name) || suggest::nearest(name, written()).is_some();
    let is_there = |name: &&&str| fields.contains_key(**name) || is_near(name);
    if required.len() < 2 || required.iter().any(|name| is_there(&name)) {
        return None;
    }
    let names: Vec<String> = required.iter().map(|name| shown(name)).collect();
    if let Some(message) = item_too_many(pointer, &names, &mut written()) {
        let hint = "remove the '-' if these are fields of the item above; otherwise add what is missing".to_owned();
        return Some(Instead { rule: &rules::REQUIRED, at: None, message, hint });
    }
    if required.len() < MANY {
        return None;
    }
    let (last, others) = names.split_last()?;
    let message = format!("{} has none of {} and {last}", label(pointer), others.join(", "));
    let has_others = written().any(|field| !field.starts_with("x-"));
    let hint = if pointer.is_empty() {
        "begin with 'dataProductDescriptor: 1.0.0'; a part of a descriptor is checked with the descriptor that references it"
            .to_owned()
    } else if has_others && required.contains(&"definition") {
        "put what stands there into 'definition', and write the others beside it".to_owned()
    } else {
        "add them".to_owned()
    };
    Some(Instead { rule: &rules::REQUIRED, at: None, message, hint })
}
