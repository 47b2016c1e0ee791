//! Finding one's way in our own schemas, which say what may stand where by few keywords.

use jsonschema::ValidationError;
use serde_json::{Map, Value};

use crate::check::yaml::segments;

/// The schema of the object about which an error is.
pub(super) fn object_of<'s>(error: &ValidationError<'_>, schema: &'s Value) -> Option<&'s Value> {
    let (object, _) = error.schema_path().as_str().rsplit_once('/')?;
    schema.pointer(object)
}

/// The fields that a schema knows.
pub(super) fn fields_of<'s>(whole: &'s Value, schema: &'s Value) -> Option<&'s Map<String, Value>> {
    followed(whole, schema).get("properties")?.as_object()
}

/// The schema of what stands at a pointer.
pub(super) fn schema_at<'s>(whole: &'s Value, pointer: &str) -> Option<&'s Value> {
    segments(pointer).try_fold(whole, |schema, step| below(whole, schema, &step))
}

/// Whether a list belongs at a pointer.
pub(super) fn is_list(pointer: &str, schema: &Value) -> bool {
    schema_at(schema, pointer).is_some_and(|part| followed(schema, part).get("items").is_some())
}

/// Whether the value may not be left out: the object in which it stands requires it, or it is an item.
pub(super) fn is_required(pointer: &str, schema: &Value) -> bool {
    let way: Vec<_> = segments(pointer).collect();
    let Some((field, above)) = way.split_last() else { return true };
    let mut object = schema;
    for step in above {
        let Some(next) = below(schema, object, step) else { return true };
        object = next;
    }
    let object = followed(schema, object);
    let required = object.get("required").and_then(Value::as_array);
    object.get("items").is_some() || required.is_some_and(|required| required.iter().any(|name| name == field.as_ref()))
}

/// The schema of a field or an item. Our schemas say it by these keywords only.
fn below<'s>(whole: &'s Value, schema: &'s Value, step: &str) -> Option<&'s Value> {
    let schema = followed(whole, schema);
    let field = schema.get("properties").and_then(|properties| properties.get(step));
    field.or_else(|| schema.get("items")).or_else(|| schema.get("additionalProperties"))
}

fn followed<'s>(whole: &'s Value, schema: &'s Value) -> &'s Value {
    let target = schema.get("$ref").and_then(Value::as_str).and_then(|target| target.strip_prefix('#'));
    target.and_then(|target| whole.pointer(target)).unwrap_or(schema)
}
