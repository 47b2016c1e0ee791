//! AsyncAPI 2 and 3: whether who reads an application's messages, or sends some to it, goes on as before.

mod rules;
mod model;
mod compare;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use serde_json::Value;

use self::compare::Comparison;
use super::notes::{lacks, object};
use super::vocabulary::Holds::{Any, Edition, Object};
use super::vocabulary::{self, Shape};
use super::{Editions, Language, document};
use crate::domain::compat::Reason;

/// The fields of a document; what they hold is compared, and not told apart further.
static DOCUMENT: Shape = Shape {
    name: "a document",
    fields: &[
        ("asyncapi", Edition),
        ("id", Any),
        ("info", Any),
        ("servers", Any),
        ("defaultContentType", Any),
        ("channels", Any),
        ("operations", Any),
        ("components", Object(&COMPONENTS)),
        ("tags", Any),
        ("externalDocs", Any),
    ],
};

/// What other parts of a document reference.
static COMPONENTS: Shape = Shape {
    name: "'components'",
    fields: &[
        ("schemas", Any),
        ("servers", Any),
        ("serverVariables", Any),
        ("channels", Any),
        ("operations", Any),
        ("messages", Any),
        ("securitySchemes", Any),
        ("parameters", Any),
        ("correlationIds", Any),
        ("replies", Any),
        ("replyAddresses", Any),
        ("externalDocs", Any),
        ("tags", Any),
        ("operationTraits", Any),
        ("messageTraits", Any),
        ("serverBindings", Any),
        ("channelBindings", Any),
        ("operationBindings", Any),
        ("messageBindings", Any),
    ],
};

/// How this language is told, compared and explained.
pub(super) const LANGUAGE: Language = Language {
    name: "AsyncAPI",
    about: "Documents of AsyncAPI 2 and 3, also one of the former against one of the latter, as objects or as text in \
            JSON or YAML. Channels are told by their addresses, messages by their names, or by being the only ones. \
            Payloads are compared by the rules of their language: JSON Schema, Avro or Protocol Buffers. Descriptions, \
            examples and `x-` fields are not compared.",
    specifications: &["asyncapi", "asyncapispecification"],
    is_told_by_shape: |definition| document::is_told_by("asyncapi", definition),
    faults: |definition| lacks(definition, &["asyncapi"]),
    // Editions from before have other fields.
    odd: |definition| match document::says_version("asyncapi", definition) {
        true => vocabulary::odd(&DOCUMENT, "AsyncAPI", definition),
        false => Vec::new(),
    },
    compare,
    rules: rules::RULES,
};

/// Compares two AsyncAPI documents.
pub(crate) fn compare(editions: &Editions<'_>) -> Vec<Reason> {
    document::compare(editions, &rules::UNREADABLE, read, |was, is| {
        let mut comparison = Comparison::new(editions.side, was, is);
        comparison.documents();
        comparison.into_reasons()
    })
}

fn read(definition: &Value) -> Result<Cow<'_, Value>, String> {
    let document = object(definition)?;
    match document.get("asyncapi").and_then(Value::as_str) {
        Some(version) if version.starts_with("2.") || version.starts_with("3.") => Ok(document),
        _ => Err("it does not say 'asyncapi: 2.…' or 'asyncapi: 3.…'".to_owned()),
    }
}
