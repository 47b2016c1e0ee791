//! Names of types and fields, and what people write in their place.

use serde_json::Value;

use crate::check::contract::near_type;

pub(super) const PRIMITIVE: [&str; 8] = ["null", "boolean", "int", "long", "float", "double", "bytes", "string"];

/// Types that have parts.
pub(super) const COMPLEX: [&str; 5] = ["record", "enum", "array", "map", "fixed"];

/// What a name is.
pub(super) const HOW: &str = "a name has letters, digits and _, and begins with none of the digits";

/// Types of other languages, and what to write for them.
const INSTEAD: &[(&[&str], &str)] = &[
    (&["integer", "smallint", "tinyint", "short", "byte"], "write \"int\", or \"long\" where 32 bits are too few"),
    (&["bool"], "write \"boolean\""),
    (&["bigint", "int64", "uint64", "uint32"], "write \"long\""),
    (&["int32", "int16", "int8", "uint16", "uint8"], "write \"int\""),
    (&["text", "str", "longtext", "varchar", "nvarchar", "char", "character", "json"], "write \"string\""),
    (&["float64", "real", "number"], "write \"double\""),
    (&["float32"], "write \"float\""),
    (&["binary", "varbinary", "blob", "bytea"], "write \"bytes\""),
    (&["none", "nil", "void"], "write \"null\""),
    (&["uuid", "guid"], "write { \"type\": \"string\", \"logicalType\": \"uuid\" }"),
    (&["date"], "write { \"type\": \"int\", \"logicalType\": \"date\" }"),
    (&["time"], "write { \"type\": \"int\", \"logicalType\": \"time-millis\" }"),
    (
        &["datetime", "timestamp", "timestamptz", "timestamp-millis", "timestamp-micros", "instant"],
        "write { \"type\": \"long\", \"logicalType\": \"timestamp-millis\" }",
    ),
    (
        &["decimal", "numeric", "money"],
        "write { \"type\": \"bytes\", \"logicalType\": \"decimal\", \"precision\": 10, \"scale\": 2 }, with its own digits",
    ),
    (&["list", "sequence"], "write { \"type\": \"array\", \"items\": … }"),
    (&["struct", "object", "dict"], "write { \"type\": \"record\", \"name\": …, \"fields\": [ … ] }"),
];

/// Names of those with a capital that nobody gives to types of their own.
const CAPITALS: [&str; 11] =
    ["String", "Integer", "Int", "Long", "Float", "Double", "Boolean", "Bool", "Bytes", "Null", "STRING"];

/// What to write for the name of a type that is probably none. Types of one's own begin with a capital, as a rule.
pub(super) fn instead(name: &str) -> Option<String> {
    let is_own = name.starts_with(|c: char| !c.is_ascii_lowercase()) && !CAPITALS.contains(&name);
    let is_shouted = name.len() > 2 && name.bytes().all(|byte| byte.is_ascii_uppercase());
    let folded = name.to_ascii_lowercase();
    let usual = INSTEAD.iter().find(|(names, _)| names.contains(&folded.as_str()));
    let is_usual = usual.is_some() || PRIMITIVE.contains(&folded.as_str());
    if is_own && !(is_shouted && is_usual) {
        return None;
    }
    if let Some((_, hint)) = usual {
        return Some((*hint).to_owned());
    }
    if PRIMITIVE.contains(&folded.as_str()) {
        return Some(format!("write \"{folded}\", in lower case"));
    }
    near_type(name, PRIMITIVE.into_iter().chain(COMPLEX)).map(|near| format!("did you mean '{near}'?"))
}

/// Whether a type of this kind has a name.
pub(super) fn is_named(kind: &str) -> bool {
    matches!(kind, "record" | "error" | "enum" | "fixed")
}

/// A name in a namespace.
pub(super) fn within(namespace: &str, name: &str) -> String {
    if namespace.is_empty() || name.contains('.') { name.to_owned() } else { format!("{namespace}.{name}") }
}

pub(super) fn is_name(name: &str) -> bool {
    let mut characters = name.chars();
    characters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && characters.all(|other| other.is_ascii_alphanumeric() || other == '_')
}

/// What to write for what is no name.
pub(super) fn mended(name: &str) -> String {
    const LONGEST: usize = 60;
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    let mended: String = name.chars().take(LONGEST).map(plain).collect();
    let digit = if mended.starts_with(|c: char| c.is_ascii_digit()) { "_" } else { "" };
    let mended = format!("{digit}{mended}");
    if mended.trim_matches('_').is_empty() { HOW.to_owned() } else { format!("write '{mended}': {HOW}") }
}

/// How a type that has parts is written.
pub(super) fn in_braces(kind: &str) -> String {
    let parts = match kind {
        "array" => ", \"items\": …",
        "map" => ", \"values\": …",
        "enum" => ", \"name\": …, \"symbols\": [ … ]",
        "fixed" => ", \"name\": …, \"size\": …",
        _ => ", \"name\": …, \"fields\": [ … ]",
    };
    format!("{{ \"type\": \"{kind}\"{parts} }}")
}

/// What to do about a default that does not fit.
pub(super) fn for_default(default: &Value, wanted: &str) -> String {
    let number = || default.as_str().is_some_and(|text| text.trim().parse::<f64>().is_ok_and(f64::is_finite));
    match default {
        Value::String(text)
            if ["'int'", "'long'", "'float'", "'double'"].iter().any(|it| wanted.contains(it)) && number() =>
        {
            format!("write {} without quotes", text.trim())
        }
        Value::String(text) if wanted.contains("'boolean'") && ["true", "false"].contains(&text.as_str()) => {
            format!("write {text} without quotes")
        }
        Value::Number(_) | Value::Bool(_) if wanted.contains("'string'") => format!("write \"{default}\", in quotes"),
        Value::Null => "write [\"null\", …] for its type, or leave the default out".to_owned(),
        _ => "write a default of the type, or leave it out".to_owned(),
    }
}
