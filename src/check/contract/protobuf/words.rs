//! The types that every `.proto` file has, and what people write in their place.

/// Types that are words of the language.
pub(super) const TYPES: [&str; 15] = [
    "double", "float", "int32", "int64", "uint32", "uint64", "sint32", "sint64", "fixed32", "fixed64", "sfixed32",
    "sfixed64", "bool", "string", "bytes",
];

/// Types of other languages, and what to write for them.
const INSTEAD: &[(&[&str], &str)] = &[
    (&["long", "bigint"], "write int64"),
    (&["int", "integer", "short", "smallint", "int16", "int8"], "write int32, or int64 where 32 bits are too few"),
    (&["uint", "uint16", "uint8"], "write uint32, or uint64 where 32 bits are too few"),
    (&["boolean"], "write bool"),
    (&["text", "str", "varchar", "char", "uuid"], "write string"),
    (&["float64", "number", "real"], "write double"),
    (&["float32"], "write float"),
    (&["decimal", "numeric", "bigdecimal"], "write string, or a message with the digits and the scale"),
    (&["byte", "blob", "binary"], "write bytes"),
    (&["array", "list"], "write repeated before the type of the items"),
    (
        &["date", "datetime", "timestamp"],
        "write google.protobuf.Timestamp, and import \"google/protobuf/timestamp.proto\"",
    ),
    (&["duration", "interval"], "write google.protobuf.Duration, and import \"google/protobuf/duration.proto\""),
    (&["any", "object"], "write google.protobuf.Any, and import \"google/protobuf/any.proto\""),
    (&["empty", "void"], "write google.protobuf.Empty, and import \"google/protobuf/empty.proto\""),
];

/// Types that come with every compiler, and their files.
const WELL_KNOWN: &[(&str, &[&str])] = &[
    ("google/protobuf/any.proto", &["Any"]),
    ("google/protobuf/duration.proto", &["Duration"]),
    ("google/protobuf/empty.proto", &["Empty"]),
    ("google/protobuf/field_mask.proto", &["FieldMask"]),
    ("google/protobuf/struct.proto", &["Struct", "Value", "ListValue", "NullValue"]),
    ("google/protobuf/timestamp.proto", &["Timestamp"]),
    (
        "google/protobuf/wrappers.proto",
        &[
            "DoubleValue",
            "FloatValue",
            "Int64Value",
            "UInt64Value",
            "Int32Value",
            "UInt32Value",
            "BoolValue",
            "StringValue",
            "BytesValue",
        ],
    ),
];

/// What to write for the name of a type that is nowhere.
pub(super) fn instead(name: &str) -> Option<String> {
    let folded = name.to_ascii_lowercase();
    let usual = INSTEAD.iter().find(|(names, _)| names.contains(&folded.as_str())).map(|(_, hint)| (*hint).to_owned());
    usual.or_else(|| TYPES.contains(&folded.as_str()).then(|| format!("write {folded}, in lower case")))
}

/// The file of a type that comes with every compiler.
pub(super) fn file_of(name: &str) -> Option<&'static str> {
    let own = name.strip_prefix("google.protobuf.")?;
    WELL_KNOWN.iter().find(|(_, types)| types.contains(&own)).map(|(file, _)| *file)
}
