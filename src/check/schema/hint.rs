//! What to do about what is wrong: told by what was most likely meant.

use jsonschema::ValidationError;
use serde_json::Value;

use super::formats;
use super::shape::{fields_of, object_of, schema_at};
use crate::check::yaml::shown;
use crate::domain::suggest;

/// About a value of the wrong type.
pub(super) fn for_type(wanted: &str, error: &ValidationError<'_>, schema: &Value) -> String {
    let above = object_of(error, schema);
    match (wanted, error.instance().as_ref()) {
        ("a text", Value::Number(_) | Value::Bool(_)) if error.instance_path().as_str() == "/dataProductDescriptor" => {
            "write 1.0.0".to_owned()
        }
        ("a text", Value::Number(_) | Value::Bool(_)) => match above.and_then(|above| above.get("format")?.as_str()) {
            Some(format @ "version") => format!("write {}", formats::described(format).1),
            _ => "put it in quotes".to_owned(),
        },
        ("a text", Value::Object(fields)) => match fields.iter().next() {
            // In YAML, what stands in braces is a map.
            Some((only, Value::Null)) if fields.len() == 1 => format!("write it without braces: {}", clipped(only)),
            _ => "write one text instead of the fields".to_owned(),
        },
        ("a text", Value::Array(_)) => "write one text instead of the list".to_owned(),
        ("a whole number" | "a number", Value::String(text)) => match text.replace('_', "").parse::<i64>() {
            Ok(number) => format!("write {number}, without quotes"),
            Err(_) => "write the number alone: digits only, without quotes, unit or words".to_owned(),
        },
        ("a list", Value::Object(fields)) => match fields.iter().next() {
            Some((name, Value::Object(_))) => {
                format!("make it a list, in which the name is a field of the item: name: {}", clipped(name))
            }
            _ => "make it a list: a '-' before each item, or brackets around them".to_owned(),
        },
        ("a list", Value::String(text)) if text.len() <= SHORT && text.contains(", ") => {
            let items: Vec<String> = text.split(", ").map(clipped).collect();
            format!("make it a list: [{}]", items.join(", "))
        }
        ("a list", Value::String(text)) if text.len() <= SHORT => {
            format!("make it a list, also of one: [{}]", clipped(text))
        }
        ("a list", _) => "make it a list, also of one: put it in brackets".to_owned(),
        ("a map of fields", Value::String(text)) => {
            let required = above.and_then(|above| above.get("required")?.as_array()).map(Vec::as_slice);
            let is_file = text.len() <= SHORT && [".yaml", ".yml", ".json"].iter().any(|it| text.ends_with(it));
            match required {
                Some(required) if is_file && required.iter().any(|name| name == "definition") => {
                    let others = "name: …, version: …, specification: …";
                    format!("to have the file read, write {{ {others}, definition: {{ $ref: {} }} }}", clipped(text))
                }
                Some([Value::String(only)]) if text.len() <= SHORT => {
                    format!("write it as a field of its own: {{ {only}: {} }}", clipped(text))
                }
                _ if is_file => {
                    format!("to have the file read, write {{ $ref: {} }}", clipped(text))
                }
                _ => "write its fields, each with a name, or a '$ref'".to_owned(),
            }
        }
        _ => format!("make it {wanted}"),
    }
}

/// Longer texts are not repeated in hints.
const SHORT: usize = 40;

/// A text as part of an example.
fn clipped(text: &str) -> String {
    let quoted = shown(text);
    if text.contains(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '.' | '-' | '_' | '@' | ':' | '/')) {
        quoted
    } else {
        quoted.trim_matches('\'').to_owned()
    }
}

/// About a name that is right but for characters that are hard to see: what is wrong, and what to do.
pub(super) fn for_spaces(format: &str, text: &str) -> Option<(String, String)> {
    let trimmed = text.trim();
    if format != "fqn" || text.len() == trimmed.len() {
        return None;
    }
    let place = if text.trim_end().len() < text.len() { "ends" } else { "begins" };
    let what = if text.contains(['\n', '\r']) { "a line break" } else { "a space" };
    formats::is_fqn(trimmed).then(|| (format!("{place} with {what}, which belongs to no name"), "remove it".to_owned()))
}

/// About a text of the wrong form.
pub(super) fn for_format(format: &str, text: &str, pointer: &str) -> String {
    let how = formats::described(format).1;
    if text.contains("${") || text.contains("{{") || text.contains("$(") {
        return format!("write {how}; nothing fills in variables before a descriptor is read");
    }
    let near = match format {
        _ if format == "uuid" || pointer.ends_with("/fullyQualifiedName") => {
            return "leave the field out; it is computed".to_owned();
        }
        "version" => {
            let bare = text.trim().trim_matches(['“', '”', '„', '‘', '’', '\'', '"']);
            let bare = bare.trim_start_matches(['v', 'V']).replace(',', ".");
            let number = |part: &str| part.parse::<u64>().map_or_else(|_| part.to_owned(), |number| number.to_string());
            let plain = bare.split('.').map(number).collect::<Vec<_>>().join(".");
            [plain.clone(), format!("{plain}.0"), format!("{plain}.0.0")]
                .into_iter()
                .find(|near| near.len() <= SHORT && formats::is_version(near))
        }
        "name" if text.chars().all(|c| c.is_ascii_alphanumeric() || " -_./'\"“”‘’«»".contains(c)) => {
            Some(in_camel_case(text)).filter(|near| near.len() <= SHORT && formats::is_name(near))
        }
        _ => None,
    };
    match near {
        Some(near) => format!("write {near}, or another {}: {how}", if format == "name" { "name" } else { "version" }),
        None => format!("write {how}"),
    }
}

/// `web-shop orders` as `webShopOrders`.
fn in_camel_case(text: &str) -> String {
    let mut out = String::new();
    for word in text.split(|c: char| !c.is_ascii_alphanumeric()) {
        let mut letters = word.chars();
        let first = letters.next().map(|first| if out.is_empty() { first } else { first.to_ascii_uppercase() });
        out.extend(first.into_iter().chain(letters));
    }
    out
}

/// A name without the quotes that word processors make of plain ones; `None` where it has none.
pub(super) fn without_quotes(name: &str) -> Option<&str> {
    let bare = name.trim_matches(['“', '”', '„', '‘', '’', '‚', '«', '»']);
    (bare.len() < name.len()).then_some(bare)
}

/// What to do about a name in such quotes.
pub(super) fn for_quotes(bare: &str) -> String {
    format!("leave the typographic quotes out: {bare}")
}

/// About a field that is not known where it stands: `field`, in the object at `pointer`.
pub(super) fn for_field(field: &str, pointer: &str, error: &ValidationError<'_>, schema: &Value) -> String {
    let known = object_of(error, schema).and_then(|object| fields_of(schema, object));
    let names = known.into_iter().flat_map(|known| known.keys().map(String::as_str));
    if let Some(near) = suggest::nearest(field, names) {
        if without_quotes(field) == Some(near) {
            return for_quotes(near);
        }
        return format!("did you mean {}?", shown(near));
    }
    if let Some(inner) = home_of(field, error, schema) {
        return format!("move it into {}", shown(inner));
    }
    let has = |object: &Value| fields_of(schema, object).is_some_and(|fields| fields.contains_key(field));
    // The list in which an item stands is no object, so the one around may be two steps away.
    let mut above = pointer;
    for _ in 0..2 {
        let Some((next, _)) = above.rsplit_once('/') else { break };
        above = next;
        if schema_at(schema, above).is_some_and(has) {
            return format!("move it out, to the fields of {}", super::message::label(above));
        }
    }
    // What begins nearly so was meant to be one.
    let rest = field.strip_prefix(['x', 'X']).and_then(|rest| rest.strip_prefix(['-', '_'])).unwrap_or(field);
    format!("remove it, or begin its name with 'x-' when it is an extension: {}", shown(&format!("x-{rest}")))
}

/// The field of the same object in which an unknown field would be a known one.
pub(super) fn home_of<'s>(field: &str, error: &ValidationError<'_>, schema: &'s Value) -> Option<&'s str> {
    let known = fields_of(schema, object_of(error, schema)?)?;
    let has = |object: &Value| fields_of(schema, object).is_some_and(|fields| fields.contains_key(field));
    let is_near = suggest::nearest(field, known.keys().map(String::as_str)).is_some();
    known.iter().find(|(_, inner)| !is_near && has(inner)).map(|(name, _)| name.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_most_likely_meant() {
        for (format, text, hint) in [
            ("version", "v1.0.0", "write 1.0.0, or"),
            ("version", "2.0", "write 2.0.0, or"),
            ("version", "2", "write 2.0.0, or"),
            ("version", " 01.2.03 ", "write 1.2.3, or"),
            ("version", "1,2,0", "write 1.2.0, or"),
            ("version", "banana", "write three numbers"),
            ("name", "“orders”", "write orders, or"),
            ("name", "web-shop orders", "write webShopOrders, or"),
            ("name", "shop_events", "write shopEvents, or"),
            ("name", "1", "write letters and digits"),
            ("name", "é", "write letters and digits"),
        ] {
            let told = for_format(format, text, "/info/x");
            assert!(told.starts_with(hint), "{told}");
        }
    }
}
