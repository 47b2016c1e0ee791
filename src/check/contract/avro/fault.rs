//! Why a text or an object is no Avro schema, and where.

use apache_avro::Schema;
use apache_avro::error::Details;
use serde_json::Value;

use super::model::located;
use super::types::faults_of;
use crate::check::contract::Fault;
use crate::check::contract::notes::is_too_deep;

/// Why a definition is no Avro schema. A type that is not defined in it may be in another file, unless its name says
/// that it is none.
pub(super) fn faults(definition: &Value) -> Vec<Fault> {
    let parsed;
    let json = match definition {
        Value::String(written) if written.trim_start().starts_with(['{', '[']) => {
            if is_too_deep(written) {
                return Vec::new();
            }
            parsed = match serde_json::from_str::<Value>(written) {
                Ok(parsed) => parsed,
                Err(error) => return vec![Fault::of(located(&error))],
            };
            &parsed
        }
        other => other,
    };
    let Err(error) = Schema::parse(json) else { return Vec::new() };
    // The library stops at the first fault, and most of its words say neither where nor what to do.
    let told = faults_of(json);
    if !told.is_empty() {
        return told;
    }
    match error.details() {
        // Of another file.
        Details::ParsePrimitive(_) | Details::ParsePrimitiveSimilar(..) | Details::SchemaResolutionError(_) => {
            Vec::new()
        }
        _ => vec![Fault::of(error.to_string())],
    }
}
