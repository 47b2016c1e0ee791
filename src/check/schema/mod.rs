//! The structure of a descriptor, by the project's own JSON Schema. It is applied when references
//! are replaced and the depth is known to be bounded. Every kind of error has its own plain words;
//! what the library says is never shown.
//!
//! A schema for another form of descriptors would lie beside `dpds-1.0.0.json`.

mod editor;
pub(super) mod formats;
mod message;
pub(super) mod rules;

use std::sync::LazyLock;

use jsonschema::{Draft, Validator};
use serde_json::Value;

use super::yaml::Located;
use crate::check::report::Report;
use crate::domain::finding::{Finding, Location};
use crate::domain::id::RepoPath;

/// The schema, as it stands in the file.
static SCHEMA: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("dpds-1.0.0.json")).unwrap_or_default());

/// Built once; a test proves that it can be.
static VALIDATOR: LazyLock<Result<Validator, String>> = LazyLock::new(|| {
    jsonschema::options()
        .with_draft(Draft::Draft202012)
        .should_validate_formats(true)
        .with_format("name", formats::is_name)
        .with_format("version", formats::is_version)
        .with_format("fqn", formats::is_fqn)
        .build(&SCHEMA)
        .map_err(|error| error.to_string())
});

/// The schema of a descriptor as it is written, for editors.
pub fn dpds_schema() -> Value {
    editor::schema(&SCHEMA)
}

/// Checks resolved content against the schema.
pub(super) fn check(content: &Value, located: &Located, root: &RepoPath, findings: &mut Report) {
    let validator = match &*VALIDATOR {
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
    for error in validator.iter_errors(content) {
        if findings.is_full() {
            break;
        }
        message::explain(&error, &SCHEMA, located, root, findings);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_schema_can_be_used() {
        assert!(VALIDATOR.is_ok(), "{:?}", VALIDATOR.as_ref().err());
        assert!(jsonschema::meta::is_valid(&SCHEMA));
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
        keywords(&SCHEMA, &mut found);
        let known =
            "$comment $ref $schema additionalProperties format items maximum minLength minimum required title type";
        assert_eq!(found.into_iter().collect::<Vec<_>>().join(" "), known);
    }
}
