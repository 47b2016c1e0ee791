//! Why a text or an object is no Avro schema, and where.

use apache_avro::Schema;
use apache_avro::error::Details;
use serde_json::Value;

use super::model::located;
use crate::check::contract::Fault;
use crate::check::contract::notes::is_too_deep;

/// Why a definition is no Avro schema. A type that is not defined in it may be in another file, unless its name is
/// nearly that of a type that every schema has.
pub(super) fn fault(definition: &Value) -> Option<Fault> {
    let parsed;
    let json = match definition {
        Value::String(written) if written.trim_start().starts_with(['{', '[']) => {
            if is_too_deep(written) {
                return None;
            }
            parsed = match serde_json::from_str::<Value>(written) {
                Ok(parsed) => parsed,
                Err(error) => return Some(Fault::of(located(&error))),
            };
            &parsed
        }
        other => other,
    };
    let error = Schema::parse(json).err()?;
    let (name, why) = match error.details() {
        Details::ParsePrimitive(name) | Details::ParsePrimitiveSimilar(name, _) => {
            const TYPES: [&str; 8] = ["null", "boolean", "int", "long", "float", "double", "bytes", "string"];
            let name = name.rsplit('.').next().unwrap_or(name);
            let is_near = |known: &&&str| {
                (name == "bool" && **known == "boolean") || strsim::damerau_levenshtein(name, known) == 1
            };
            // Types of one's own begin with a capital, as a rule.
            let may_be_near = name.len() <= 10 && name.starts_with(|c: char| c.is_ascii_lowercase());
            let near = TYPES.iter().filter(|_| may_be_near).find(is_near)?;
            (name, format!("it has the type '{name}'; did you mean '{near}'?"))
        }
        Details::SchemaResolutionError(_) => return None,
        Details::InvalidSchemaRecord(name) => {
            let name = name.as_str();
            (name, format!("a type '{name}' is defined inside of 'type', as in {{\"type\": {{\"type\": \"{name}\"}}}}"))
        }
        Details::GetDefaultRecordField(field, record, wanted, value) => {
            let wanted = wanted.trim_matches('"');
            let of = if wanted.contains('{') { "its type".to_owned() } else { format!("the type '{wanted}'") };
            let why = format!("the default of '{field}' is {value}, which is no value of {of}");
            let pointer =
                field_of(json, record, |fields| named(fields, field).next()).map(|at| format!("{at}/default"));
            return Some(Fault::at(pointer.unwrap_or_default(), why));
        }
        Details::FieldNameDuplicate(field) => {
            let pointer = field_of(json, "", |fields| named(fields, field).nth(1)).map(|at| format!("{at}/name"));
            return Some(Fault::at(pointer.unwrap_or_default(), format!("a record has two fields '{field}'")));
        }
        _ => return Some(Fault::of(error.to_string())),
    };
    Some(Fault::at(use_of(json, name).unwrap_or_default(), why))
}

/// A name without its namespace.
fn last(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

/// The indexes of the fields of a name.
fn named<'a>(fields: &'a [Value], name: &'a str) -> impl Iterator<Item = usize> + 'a {
    let is_it = move |(index, field): (usize, &Value)| {
        (field.get("name").and_then(Value::as_str) == Some(name)).then_some(index)
    };
    fields.iter().enumerate().filter_map(is_it)
}

/// The pointer of the field that is found in a record of this name, or of any where the name is empty.
fn field_of(json: &Value, record: &str, find: impl Fn(&[Value]) -> Option<usize>) -> Option<String> {
    first(json, |value| {
        let name = value.get("name").and_then(Value::as_str);
        let is_named = record.is_empty() || name.is_some_and(|name| last(name) == last(record));
        let own = value.get("fields").and_then(Value::as_array).filter(|_| is_named);
        own.and_then(|own| find(own)).map(|index| format!("/fields/{index}"))
    })
}

/// Where a type is used first: a JSON pointer.
fn use_of(json: &Value, name: &str) -> Option<String> {
    first(json, |value| (value.as_str() == Some(name)).then(String::new))
}

/// The first place of a schema in which something is found, in the order of the text: a JSON pointer, with what is
/// found there behind it.
fn first(json: &Value, find: impl Fn(&Value) -> Option<String>) -> Option<String> {
    let mut waiting = vec![(String::new(), json)];
    while let Some((pointer, value)) = waiting.pop() {
        if let Some(found) = find(value) {
            return Some(format!("{pointer}{found}"));
        }
        match value {
            // The last that is put there is the next.
            Value::Object(fields) => {
                let is_record = fields.get("fields").is_some_and(Value::is_array);
                let inner =
                    ["fields", "values", "items", "type"].into_iter().filter(|key| !(is_record && *key == "type"));
                waiting.extend(inner.filter_map(|key| Some((format!("{pointer}/{key}"), fields.get(key)?))));
            }
            Value::Array(items) => {
                let items = items.iter().enumerate().rev();
                waiting.extend(items.map(|(index, item)| (format!("{pointer}/{index}"), item)));
            }
            _ => {}
        }
    }
    None
}
