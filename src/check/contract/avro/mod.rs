//! Avro: whether what is written with one edition of a schema can be read with the other, by the
//! specification's rules of schema resolution.
//!
//! Schemas are parsed by apache-avro. Its own test of compatibility is not used: it says that two schemas
//! do not fit, but not where; it does not follow named types where one edition defines them and the other
//! refers to them; it knows no aliases of named types; and it takes one logical type for another.

mod rules;
mod model;
mod fault;
mod names;
mod types;
mod defaults;
mod compare;
#[cfg(test)]
mod tests;

use serde_json::Value;

use self::model::Model;
use super::notes::{Notes, both};
use super::{Editions, Language};
use crate::check::limits::MAX_NODES;
use crate::domain::compat::Reason;

/// How this language is told, compared and explained.
pub(super) const LANGUAGE: Language = Language {
    name: "Avro",
    about: "Schemas as JSON or as the text of an `.avsc` file. Whoever reads has the recorded schema and meets what is \
            written with the desired one; whoever sends writes with the recorded schema and is read with the desired \
            one. Documentation, the order of fields and `order` are not compared. A schema that refers to types of \
            other files cannot be read.",
    specifications: &["avro", "apacheavro", "avsc", "avroschema"],
    is_told_by_shape,
    faults: fault::faults,
    odd: |_| Vec::new(),
    compare,
    rules: rules::RULES,
};

fn is_told_by_shape(definition: &Value) -> bool {
    let says = |definition: &Value| {
        definition.get("type").and_then(Value::as_str) == Some("record")
            && definition.get("fields").is_some_and(Value::is_array)
    };
    match definition {
        Value::String(text) => {
            text.trim_start().starts_with('{') && super::notes::object(definition).is_ok_and(|object| says(&object))
        }
        other => says(other),
    }
}

/// Compares two Avro schemas, as objects or as texts.
pub(crate) fn compare(editions: &Editions<'_>) -> Vec<Reason> {
    let unknown = |rule, message: String| {
        let mut notes = Notes::new(editions.side);
        notes.tell(rule, editions.pointer, "", message);
        notes.into_reasons()
    };
    match both(editions, Model::read) {
        Err(message) => unknown(&rules::UNREADABLE, message),
        Ok((before, after)) if before.size + after.size > MAX_NODES => {
            unknown(&rules::TOO_LARGE, "the schemas are too large to be compared".to_owned())
        }
        Ok((before, after)) => compare::compare(&before, &after, editions.side, editions.pointer),
    }
}
