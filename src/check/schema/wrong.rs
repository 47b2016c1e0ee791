//! References to something else than what belongs in their place. What is faulty is the reference: the file that it
//! names may be right for all that is in it, and others may reference it rightly.

use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind;
use serde_json::{Map, Value};

use super::instead::{Instead, language_of, unknown_of};
use super::message::label;
use super::rules;
use super::shape::{fields_of, object_of};
use crate::check::refs::Entry;
use crate::check::yaml::{segments, shown};
use crate::domain::suggest;

/// What to say of a reference, when what it leads to lacks something that it must have. Only files are told: what
/// stands in `components` is looked at there.
pub(super) fn of(error: &ValidationError<'_>, schema: &Value, entry: &Entry) -> Option<Instead> {
    let ValidationErrorKind::Required { .. } = error.kind() else { return None };
    if !entry.leads_to_a_file() {
        return None;
    }
    let pointer = error.instance_path().as_str();
    let object = object_of(error, schema)?;
    let required: Vec<&str> = object.get("required")?.as_array()?.iter().filter_map(Value::as_str).collect();
    let fields = error.instance().as_object()?;
    let known = fields_of(schema, object)?;
    let (message, hint) = if required.contains(&"definition") {
        definition(pointer, known, fields, entry)?
    } else if required == ["name", "version"] {
        part(pointer, known, fields, entry)?
    } else {
        return None;
    };
    Some(Instead { rule: &rules::WRONG_REFERENCE, at: None, message, hint })
}

/// The content of a definition in the place of a Standard Definition.
fn definition(
    pointer: &str,
    known: &Map<String, Value>,
    fields: &Map<String, Value>,
    entry: &Entry,
) -> Option<(String, String)> {
    let near = |name: &str| suggest::nearest(name, unknown_of(fields, known)).is_some();
    let has = |name: &str| fields.contains_key(name) || near(name);
    if has("specification") || has("definition") || unknown_of(fields, known).next().is_none() {
        return None;
    }
    let what = language_of(fields).unwrap_or("a definition");
    let file = entry.text.as_deref().unwrap_or("…");
    let message = format!("{} refers straight to {what}, and nothing says what that is", label(pointer));
    let hint = format!("write name, version, specification and definition: {{ $ref: {file} }} here");
    Some((message, hint))
}

/// Something else in the place of a port or component.
fn part(
    pointer: &str,
    known: &Map<String, Value>,
    fields: &Map<String, Value>,
    entry: &Entry,
) -> Option<(String, String)> {
    let text = entry.text.as_deref().unwrap_or("…");
    let way: Vec<_> = segments(pointer).collect();
    let list = way.iter().rev().nth(1).map_or("", AsRef::as_ref);
    let kind = if list.ends_with("Ports") { "a port" } else { "a component" };
    let place = label(pointer);
    if fields.contains_key("dataProductDescriptor") {
        let section = if list.ends_with("Ports") { "interfaceComponents" } else { "internalComponents" };
        let message = format!("{place} refers to a whole descriptor, and not to {kind}");
        let hint = match text.contains('#') {
            true => format!("reference {kind} of it"),
            false => format!("reference {kind} of it, as in '{text}#/{section}/{list}/0'"),
        };
        return Some((message, hint));
    }
    if let Some(what) = language_of(fields) {
        let hint = match kind {
            "a port" => format!(
                "reference the file of the port; {} belongs into the 'definition' of its 'promises.api'",
                shown(text)
            ),
            _ => format!("reference the file of {kind}"),
        };
        return Some((format!("{place} refers to {what}, and not to {kind}"), hint));
    }
    // With a field of its own, it is one that lacks something.
    let is_none = unknown_of(fields, known).next().is_some()
        && !fields.keys().any(|field| known.contains_key(field) && field != "description")
        && ["name", "version"].iter().all(|name| suggest::nearest(name, unknown_of(fields, known)).is_none());
    is_none.then(|| {
        let message = format!("{place} refers to something that is not {kind}: it has nothing that {kind} has");
        (message, format!("reference {kind}: what has at least 'name' and 'version'"))
    })
}
