//! OpenAPI 3.0 and 3.1: whether who calls an API goes on as before.

mod rules;
mod paths;
mod operation;
mod security;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use serde_json::Value;

use self::paths::Comparison;
use super::document::Here;
use super::notes::{Notes, both, object};
use super::{Editions, Language};
use crate::domain::compat::Reason;

/// How this language is told, compared and explained.
pub(super) const LANGUAGE: Language = Language {
    name: "OpenAPI",
    about: "Documents of OpenAPI 3, as objects or as text in JSON or YAML. Paths are the same where only the names of \
            their parameters differ. Schemas of what is sent are compared from the writer's side, those of what is \
            answered from the reader's, by the rules of JSON Schema; callbacks and webhooks the other way round. \
            Descriptions, examples, tags, links and `x-` fields outside schemas are not compared.",
    specifications: &["openapi", "openapispecification", "oas", "oas3", "rest"],
    is_told_by_shape,
    compare,
    rules: rules::RULES,
};

fn is_told_by_shape(definition: &Value) -> bool {
    match definition {
        Value::Object(fields) => fields.get("openapi").is_some_and(Value::is_string),
        Value::String(text) => {
            let says = |line: &str| line.starts_with("openapi:") || line.trim_start().starts_with("\"openapi\"");
            text.lines().take(20).any(says)
        }
        _ => false,
    }
}

/// Compares two OpenAPI documents.
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
    match document.get("openapi").and_then(Value::as_str) {
        Some(version) if version.starts_with("3.") => Ok(document),
        _ => Err("it does not say 'openapi: 3.…'".to_owned()),
    }
}
