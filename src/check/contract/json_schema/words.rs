//! The types of JSON Schema, and what people write in their place.

use crate::check::contract::near_type;

const TYPES: [&str; 7] = ["string", "number", "integer", "boolean", "object", "array", "null"];

/// Types of other languages, and what to write for them.
const INSTEAD: &[(&[&str], &str)] = &[
    (&["int", "long", "short", "bigint", "int32", "int64", "smallint"], "write 'integer'"),
    (&["decimal", "float", "double", "numeric", "real", "money", "float64"], "write 'number'"),
    (&["text", "str", "varchar", "char", "enum"], "write 'string'"),
    (&["bool"], "write 'boolean'"),
    (&["record", "struct", "map", "dict"], "write 'object'"),
    (&["list", "set", "tuple"], "write 'array'"),
    (&["date"], "write type 'string' with format 'date'"),
    (&["time"], "write type 'string' with format 'time'"),
    (&["datetime", "date-time", "timestamp"], "write type 'string' with format 'date-time'"),
    (&["uuid", "guid"], "write type 'string' with format 'uuid'"),
    (&["email", "uri"], "write type 'string', and this as its format"),
    (&["none", "nil"], "write 'null'"),
];

/// What to write for the name of a type that is none.
pub(super) fn instead(word: &str) -> String {
    let folded = word.to_ascii_lowercase();
    if let Some((_, hint)) = INSTEAD.iter().find(|(words, _)| words.contains(&folded.as_str())) {
        return (*hint).to_owned();
    }
    match near_type(word, TYPES) {
        Some(near) => format!("did you mean '{near}'?"),
        None => format!("write one of {}", TYPES.join(", ")),
    }
}
