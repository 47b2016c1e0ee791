//! Plain words for each kind of error.

use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::{JsonType, ValidationError};
use serde_json::Value;

use super::{formats, rules};
use crate::check::report::Report;
use crate::check::yaml::{Located, push_segment, segments, shown};
use crate::domain::finding::{Finding, Location};
use crate::domain::id::RepoPath;
use crate::domain::rule::Rule;
use crate::domain::suggest;

/// Unknown fields of one map that are named; a hostile map has a hundred thousand.
const MOST_UNKNOWN_FIELDS: usize = 50;

/// Says what an error means, unless something was already said about the same place.
pub(super) fn explain(
    error: &ValidationError<'_>,
    schema: &Value,
    located: &Located,
    root: &RepoPath,
    findings: &mut Report,
) {
    let pointer = error.instance_path().as_str();
    if located.find(pointer).broken {
        return;
    }
    let location = || located.location(pointer).unwrap_or_else(|| Location::top_of(root.clone()));
    let mut say = |rule: &'static Rule, message: String, hint: String| {
        let finding = Finding::new(rule.severity, rule.id(), location(), pointer, message);
        findings.push(finding.with_hint(hint));
    };
    let name = label(pointer);
    match error.kind() {
        ValidationErrorKind::Required { property } => {
            let property = property.as_str().unwrap_or_default();
            let message = format!("{} is missing in {name}", shown(property));
            let is_template = pointer.ends_with("/template") || in_library_of_templates(pointer);
            let rule = if is_template && matches!(property, "name" | "version") {
                &rules::UNNAMED_TEMPLATE
            } else {
                &rules::REQUIRED
            };
            say(rule, message, format!("add {}", shown(property)));
        }
        ValidationErrorKind::Type { .. } if error.instance().is_null() => {
            // In YAML nothing at all may stand there; the key always does.
            let location = located.key_location(pointer).unwrap_or_else(location);
            let message = format!("{name} is there and has no value");
            let (rule, hint) = match is_required(pointer, schema) {
                true => (&rules::REQUIRED, "give it a value"),
                false => (&rules::NULL, "leave the field out, or give it a value"),
            };
            findings.push(Finding::new(rule.severity, rule.id(), location, pointer, message).with_hint(hint));
        }
        ValidationErrorKind::Type { kind } => {
            let wanted = wanted_types(kind);
            let message = format!("{name} is {}, and should be {wanted}", kind_of(error.instance()));
            say(&rules::TYPE, message, type_hint(&wanted, error, schema));
        }
        ValidationErrorKind::Format { format } => {
            let (what, how) = formats::described(format);
            let text = error.instance().as_str().unwrap_or_default();
            let how =
                if pointer.ends_with("/fullyQualifiedName") { "leave the field out; it is computed" } else { how };
            say(&rules::FORMAT, format!("{name} is {}, which is not {what}", shown(text)), how.into());
        }
        ValidationErrorKind::MinLength { .. } => {
            say(&rules::EMPTY, format!("{name} is empty"), "give it a value".into());
        }
        ValidationErrorKind::Minimum { limit } => {
            let message = format!("{name} is {}, and the smallest is {limit}", error.instance());
            say(&rules::RANGE, message, format!("write {limit} or more"));
        }
        ValidationErrorKind::Maximum { limit } => {
            let message = format!("{name} is {}, and the largest is {limit}", error.instance());
            say(&rules::RANGE, message, format!("write {limit} or less"));
        }
        ValidationErrorKind::AdditionalProperties { unexpected } => {
            // A merge key was refused already.
            if !findings.wants(rules::UNKNOWN_FIELD.severity) {
                return;
            }
            for field in unexpected.iter().filter(|field| *field != "<<").take(MOST_UNKNOWN_FIELDS) {
                findings.push(unknown_field(field, error, schema, located, root));
            }
        }
        _ => {
            let message = format!("{name} breaks the rule '{}' of the schema", error.kind().keyword());
            say(&rules::OTHER, message, "compare with the specification".into());
        }
    }
}

/// What to do about a value of the wrong type: told by what was most likely meant.
fn type_hint(wanted: &str, error: &ValidationError<'_>, schema: &Value) -> String {
    let above = error.schema_path().as_str().rsplit_once('/').and_then(|(above, _)| schema.pointer(above));
    match (wanted, error.instance().as_ref()) {
        ("a text", Value::Number(_) | Value::Bool(_)) if error.instance_path().as_str() == "/dataProductDescriptor" => {
            "write 1.0.0".to_owned()
        }
        ("a text", Value::Number(_) | Value::Bool(_)) => match above.and_then(|above| above.get("format")?.as_str()) {
            Some(format @ "version") => format!("write {}", formats::described(format).1),
            _ => "put it in quotes".to_owned(),
        },
        ("a whole number" | "a number", Value::String(text)) => match text.replace('_', "").parse::<i64>() {
            Ok(number) => format!("write {number}, without quotes"),
            Err(_) => "write the number alone: digits only, without quotes, unit or words".to_owned(),
        },
        ("a list", Value::Object(_)) => "make it a list: a '-' before each item".to_owned(),
        ("a list", Value::String(text)) => format!("make it a list, also of one: [{}]", clipped(text)),
        ("a map of fields", Value::String(text)) => {
            let required = above.and_then(|above| above.get("required")?.as_array()).map(Vec::as_slice);
            match required {
                Some([Value::String(only)]) => {
                    format!("write it as a field of its own: {{ {only}: {} }}", clipped(text))
                }
                _ => "make it a map of fields".to_owned(),
            }
        }
        _ => format!("make it {wanted}"),
    }
}

/// A text as part of an example in a hint.
fn clipped(text: &str) -> String {
    let quoted = shown(text);
    if text.contains(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '.' | '-' | '_' | '@' | ':' | '/')) {
        quoted
    } else {
        quoted.trim_matches('\'').to_owned()
    }
}

/// Whether the value may not be left out: the object in which it stands requires it, or it is an item.
fn is_required(pointer: &str, schema: &Value) -> bool {
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

/// Whether a pointer leads to a template in `components`.
fn in_library_of_templates(pointer: &str) -> bool {
    pointer.strip_prefix("/components/templates/").is_some_and(|name| !name.contains('/'))
}

fn unknown_field(
    field: &str,
    error: &ValidationError<'_>,
    schema: &Value,
    located: &Located,
    root: &RepoPath,
) -> Finding {
    let mut pointer = error.instance_path().as_str().to_owned();
    let within = label(&pointer);
    push_segment(&mut pointer, field);
    let location = located.key_location(&pointer).unwrap_or_else(|| Location::top_of(root.clone()));
    let message = format!("{} is not a field of {within} in DPDS 1.0.0, and nobody reads it", shown(field));
    let known = error.schema_path().as_str().rsplit_once('/').and_then(|(object, _)| schema.pointer(object));
    let known = known.and_then(|object| object.get("properties")).and_then(Value::as_object);
    let names = known.into_iter().flat_map(|known| known.keys().map(String::as_str));
    let hint = match suggest::nearest(field, names) {
        Some(near) => format!("did you mean {}?", shown(near)),
        None => {
            format!("remove it, or begin its name with 'x-' when it is an extension: {}", shown(&format!("x-{field}")))
        }
    };
    let rule = &rules::UNKNOWN_FIELD;
    Finding::new(rule.severity, rule.id(), location, pointer, message).with_hint(hint)
}

/// A place in the reader's words: the last name of a pointer, with what it is an item of.
fn label(pointer: &str) -> String {
    let all: Vec<_> = segments(pointer).collect();
    match all.as_slice() {
        [] => "the descriptor".to_owned(),
        [.., list, index] if index.bytes().all(|byte| byte.is_ascii_digit()) => match index.parse::<usize>() {
            Ok(index) => format!("item {} of {}", index + 1, shown(list)),
            Err(_) => shown(index),
        },
        [.., name] => shown(name),
    }
}

fn wanted_types(kind: &TypeKind) -> String {
    let word = |wanted: JsonType| match wanted {
        JsonType::Array => "a list",
        JsonType::Boolean => "true or false",
        JsonType::Integer => "a whole number",
        JsonType::Null => "null",
        JsonType::Number => "a number",
        JsonType::Object => "a map of fields",
        JsonType::String => "a text",
    };
    match kind {
        TypeKind::Single(wanted) => word(*wanted).to_owned(),
        TypeKind::Multiple(wanted) => wanted.iter().map(word).collect::<Vec<_>>().join(" or "),
    }
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a truth value",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a map of fields",
    }
}
