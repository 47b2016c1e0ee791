//! OpenAPI 3.0 and 3.1: whether who calls an API goes on as before.

mod rules;
mod paths;
mod servers;
mod operation;
mod media;
mod security;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use serde_json::Value;

use self::paths::Comparison;
use super::notes::{lacks, object};
use super::vocabulary::Holds::{Any, Edition, Object};
use super::vocabulary::{self, Shape};
use super::{Editions, Language, document};
use crate::domain::compat::Reason;

/// The fields of a document; what they hold is compared, and not told apart further.
static DOCUMENT: Shape = Shape {
    name: "a document",
    fields: &[
        ("openapi", Edition),
        ("info", Any),
        ("jsonSchemaDialect", Any),
        ("servers", Any),
        ("paths", Any),
        ("webhooks", Any),
        ("components", Object(&COMPONENTS)),
        ("security", Any),
        ("tags", Any),
        ("externalDocs", Any),
    ],
};

/// What other parts of a document reference.
static COMPONENTS: Shape = Shape {
    name: "'components'",
    fields: &[
        ("schemas", Any),
        ("responses", Any),
        ("parameters", Any),
        ("examples", Any),
        ("requestBodies", Any),
        ("headers", Any),
        ("securitySchemes", Any),
        ("links", Any),
        ("callbacks", Any),
        ("pathItems", Any),
        ("mediaTypes", Any),
    ],
};

/// How this language is told, compared and explained.
pub(super) const LANGUAGE: Language = Language {
    name: "OpenAPI",
    about: "Documents of OpenAPI 3, as objects or as text in JSON or YAML. Paths are the same where only the names of \
            their parameters differ. Schemas of what is sent are compared from the writer's side, those of what is \
            answered from the reader's, by the rules of JSON Schema; callbacks and webhooks the other way round. \
            Descriptions, examples, tags, links and `x-` fields outside schemas are not compared.",
    specifications: &["openapi", "openapispecification", "oas", "oas3", "rest"],
    is_told_by_shape: |definition| document::is_told_by("openapi", definition),
    // OpenAPI 2 was called Swagger. It is not compared, and is one all the same.
    faults: |definition| lacks(definition, &["openapi", "swagger"]),
    // Editions from before have other fields.
    odd: |definition| match document::says_version("openapi", definition) {
        true => vocabulary::odd(&DOCUMENT, "OpenAPI 3", definition),
        false => Vec::new(),
    },
    compare,
    rules: rules::RULES,
};

/// Compares two OpenAPI documents.
pub(crate) fn compare(editions: &Editions<'_>) -> Vec<Reason> {
    document::compare(editions, &rules::UNREADABLE, read, |was, is| {
        let mut comparison = Comparison::new(editions.side, was, is);
        comparison.documents();
        comparison.into_reasons()
    })
}

fn read(definition: &Value) -> Result<Cow<'_, Value>, String> {
    let document = object(definition)?;
    match document.get("openapi").and_then(Value::as_str) {
        Some(version) if version.starts_with("3.") => Ok(document),
        _ => Err("it does not say 'openapi: 3.…'".to_owned()),
    }
}
