//! AsyncAPI 2 and 3: whether who reads an application's messages, or sends some to it, goes on as before.

mod rules;
mod model;
mod compare;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use serde_json::Value;

use self::compare::Comparison;
use super::document::Here;
use super::notes::{Notes, both, object};
use super::{Editions, Language};
use crate::domain::compat::Reason;

/// How this language is told, compared and explained.
pub(super) const LANGUAGE: Language = Language {
    name: "AsyncAPI",
    about: "Documents of AsyncAPI 2 and 3, also one of the former against one of the latter, as objects or as text in \
            JSON or YAML. Channels are told by their addresses, messages by their names, or by being the only ones. \
            Payloads are compared by the rules of their language: JSON Schema, Avro or Protocol Buffers. Descriptions, \
            examples and `x-` fields are not compared.",
    specifications: &["asyncapi", "asyncapispecification"],
    is_told_by_shape,
    compare,
    rules: rules::RULES,
};

fn is_told_by_shape(definition: &Value) -> bool {
    match definition {
        Value::Object(fields) => fields.get("asyncapi").is_some_and(Value::is_string),
        Value::String(text) => {
            let says = |line: &str| line.starts_with("asyncapi:") || line.trim_start().starts_with("\"asyncapi\"");
            text.lines().take(20).any(says)
        }
        _ => false,
    }
}

/// Compares two AsyncAPI documents.
pub(crate) fn compare(editions: &Editions<'_>) -> Vec<Reason> {
    let (before, after) = match both(editions, read) {
        Ok(both) => both,
        Err(message) => {
            let mut notes = Notes::new(editions.side);
            notes.tell(&rules::UNREADABLE, editions.pointer, "", message);
            return notes.into_reasons();
        }
    };
    let (was, is) = (Here::document(&before, ""), Here::document(&after, editions.pointer));
    let mut comparison = Comparison::new(editions.side, was, is);
    comparison.documents();
    let mut reasons = comparison.into_reasons();
    if matches!(after, Cow::Owned(_)) {
        // Within a text there are no pointers.
        reasons.iter_mut().for_each(|reason| editions.pointer.clone_into(&mut reason.pointer));
    }
    reasons
}

fn read(definition: &Value) -> Result<Cow<'_, Value>, String> {
    let document = object(definition)?;
    match document.get("asyncapi").and_then(Value::as_str) {
        Some(version) if version.starts_with("2.") || version.starts_with("3.") => Ok(document),
        _ => Err("it does not say 'asyncapi: 2.…' or 'asyncapi: 3.…'".to_owned()),
    }
}
