//! An Avro schema with the place of each of its parts. Validity, names and namespaces are apache-avro's
//! business; what it leaves out (places, logical types that it does not know) is read beside it.

use std::collections::HashMap;

use apache_avro::Schema;
use apache_avro::schema::{Alias, InnerDecimalSchema, Name, UuidSchema};
use serde_json::Value;

use crate::check::contract::notes::{is_too_deep, text};
use crate::check::contract::privacy;

/// One edition.
#[derive(Debug)]
pub(super) struct Model {
    pub root: Node,
    /// What marks all of it as personal data: an object of those attributes.
    pub marks: Value,
    /// How many parts it has.
    pub size: usize,
}

/// A type where it is used.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub kind: Kind,
    /// `decimal(10, 2)`, `timestamp-millis`.
    pub logical: Option<String>,
    /// Below the definition; empty where it is a text.
    pub pointer: String,
}

#[derive(Debug, Clone)]
pub(super) enum Kind {
    /// `int`, `string`…
    Primitive(&'static str),
    Array(Box<Node>),
    Map(Box<Node>),
    Union(Vec<Node>),
    Record(Named, Vec<Field>),
    Enum(Named, Vec<String>, Option<String>),
    Fixed(Named, usize),
    /// A named type that is defined elsewhere in the schema.
    Reference(String),
}

/// What named types have.
#[derive(Debug, Clone)]
pub(super) struct Named {
    pub full: String,
    pub short: String,
    /// Full names.
    pub aliases: Vec<String>,
}

#[derive(Debug, Clone)]
pub(super) struct Field {
    pub name: String,
    pub aliases: Vec<String>,
    pub default: Option<Value>,
    /// What marks it as personal data: an object of those attributes.
    pub marks: Value,
    pub node: Node,
    pub pointer: String,
}

impl Model {
    /// Reads a definition: the schema as JSON, or its text.
    pub(super) fn read(definition: &Value) -> Result<Self, String> {
        let parsed;
        let (json, places) = match definition {
            // A text may be the schema's JSON, or just a type's name.
            Value::String(_) => {
                let text = text(definition)?;
                if is_too_deep(text) {
                    return Err("it is nested too deeply".to_owned());
                }
                let bare = text.trim().bytes().all(|byte| byte.is_ascii_alphanumeric());
                parsed = if bare {
                    Value::from(text.trim())
                } else {
                    serde_json::from_str(text).map_err(|error| located(&error))?
                };
                (&parsed, false)
            }
            other => (other, true),
        };
        let schema = Schema::parse(json).map_err(|error| error.to_string())?;
        let mut reader = Reader { places, size: 0 };
        let root = reader.node(&schema, json, String::new());
        let marks = json.as_object().map(privacy::marks_of).unwrap_or_default();
        Ok(Self { root, marks, size: reader.size })
    }

    /// Every named type of it by its full name.
    pub(super) fn named(&self) -> HashMap<&str, &Node> {
        let mut named = HashMap::new();
        let mut waiting = vec![&self.root];
        while let Some(node) = waiting.pop() {
            match &node.kind {
                Kind::Array(inner) | Kind::Map(inner) => waiting.push(inner),
                Kind::Union(branches) => waiting.extend(branches),
                Kind::Record(name, fields) => {
                    named.insert(name.full.as_str(), node);
                    waiting.extend(fields.iter().map(|field| &field.node));
                }
                Kind::Enum(name, ..) | Kind::Fixed(name, _) => {
                    named.insert(name.full.as_str(), node);
                }
                Kind::Primitive(_) | Kind::Reference(_) => {}
            }
        }
        named
    }
}

struct Reader {
    places: bool,
    size: usize,
}

impl Reader {
    fn below(&self, pointer: &str, step: &str) -> String {
        if self.places { format!("{pointer}/{step}") } else { String::new() }
    }

    fn node(&mut self, schema: &Schema, json: &Value, pointer: String) -> Node {
        self.size += 1;
        let (json, pointer) = self.settled(json, pointer);
        let part = |key: &str| json.get(key).unwrap_or(&Value::Null);
        let kind = match schema {
            Schema::Null => Kind::Primitive("null"),
            Schema::Boolean => Kind::Primitive("boolean"),
            Schema::Int | Schema::Date | Schema::TimeMillis => Kind::Primitive("int"),
            Schema::Long
            | Schema::TimeMicros
            | Schema::TimestampMillis
            | Schema::TimestampMicros
            | Schema::TimestampNanos
            | Schema::LocalTimestampMillis
            | Schema::LocalTimestampMicros
            | Schema::LocalTimestampNanos => Kind::Primitive("long"),
            Schema::Float => Kind::Primitive("float"),
            Schema::Double => Kind::Primitive("double"),
            Schema::Bytes | Schema::BigDecimal | Schema::Uuid(UuidSchema::Bytes) => Kind::Primitive("bytes"),
            Schema::String | Schema::Uuid(UuidSchema::String) => Kind::Primitive("string"),
            Schema::Decimal(decimal) => match &decimal.inner {
                InnerDecimalSchema::Bytes => Kind::Primitive("bytes"),
                InnerDecimalSchema::Fixed(fixed) => {
                    Kind::Fixed(named(&fixed.name, fixed.aliases.as_deref()), fixed.size)
                }
            },
            Schema::Fixed(fixed) | Schema::Duration(fixed) | Schema::Uuid(UuidSchema::Fixed(fixed)) => {
                Kind::Fixed(named(&fixed.name, fixed.aliases.as_deref()), fixed.size)
            }
            Schema::Array(array) => {
                Kind::Array(Box::new(self.node(&array.items, part("items"), self.below(&pointer, "items"))))
            }
            Schema::Map(map) => {
                Kind::Map(Box::new(self.node(&map.types, part("values"), self.below(&pointer, "values"))))
            }
            Schema::Union(union) => {
                let branches = union.variants().iter().enumerate().map(|(index, branch)| {
                    let place = self.below(&pointer, &index.to_string());
                    self.node(branch, json.get(index).unwrap_or(&Value::Null), place)
                });
                Kind::Union(branches.collect())
            }
            Schema::Record(record) => {
                let list = part("fields");
                let fields = record.fields.iter().enumerate().map(|(index, field)| {
                    let place = self.below(&self.below(&pointer, "fields"), &index.to_string());
                    let written = list.get(index).and_then(Value::as_object);
                    let json = written.and_then(|field| field.get("type")).unwrap_or(&Value::Null);
                    Field {
                        name: field.name.clone(),
                        aliases: field.aliases.clone(),
                        default: field.default.clone(),
                        marks: written.map(privacy::marks_of).unwrap_or_default(),
                        node: self.node(&field.schema, json, self.below(&place, "type")),
                        pointer: place,
                    }
                });
                let fields = fields.collect();
                Kind::Record(named(&record.name, record.aliases.as_deref()), fields)
            }
            Schema::Enum(one) => {
                Kind::Enum(named(&one.name, one.aliases.as_deref()), one.symbols.clone(), one.default.clone())
            }
            Schema::Ref { name } => Kind::Reference(name.fullname(None)),
        };
        Node { kind, logical: logical(schema, json), pointer }
    }

    /// `{"type": {"type": "record", …}}` is the record, and a union's list stands where it is used.
    fn settled<'v>(&self, mut json: &'v Value, mut pointer: String) -> (&'v Value, String) {
        while let Some(inner) = json.get("type").filter(|inner| inner.is_object() || inner.is_array()) {
            json = inner;
            pointer = self.below(&pointer, "type");
        }
        (json, pointer)
    }
}

fn named(name: &Name, aliases: Option<&[Alias]>) -> Named {
    let enclosing = name.namespace();
    Named {
        full: name.fullname(None),
        short: name.name().to_owned(),
        aliases: aliases.unwrap_or_default().iter().map(|alias| alias.fullname(enclosing)).collect(),
    }
}

/// The logical type, where it holds: one that does not fit its type is ignored, says the specification.
fn logical(schema: &Schema, json: &Value) -> Option<String> {
    let name = match schema {
        Schema::Decimal(decimal) => return Some(format!("decimal({}, {})", decimal.precision, decimal.scale)),
        Schema::BigDecimal => "big-decimal",
        Schema::Uuid(_) => "uuid",
        Schema::Date => "date",
        Schema::TimeMillis => "time-millis",
        Schema::TimeMicros => "time-micros",
        Schema::TimestampMillis => "timestamp-millis",
        Schema::TimestampMicros => "timestamp-micros",
        Schema::TimestampNanos => "timestamp-nanos",
        Schema::LocalTimestampMillis => "local-timestamp-millis",
        Schema::LocalTimestampMicros => "local-timestamp-micros",
        Schema::LocalTimestampNanos => "local-timestamp-nanos",
        Schema::Duration(_) => "duration",
        _ => json.get("logicalType").and_then(Value::as_str).filter(|name| !is_specified(name))?,
    };
    Some(name.to_owned())
}

/// The parser's message, with the place first.
pub(super) fn located(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let message = text.rsplit_once(" at line ").map_or(text.as_str(), |(message, _)| message);
    format!("line {}, column {}: {message}", error.line(), error.column())
}

fn is_specified(name: &str) -> bool {
    ["decimal", "big-decimal", "uuid", "date", "duration"].contains(&name)
        || name.starts_with("time-")
        || name.starts_with("timestamp-")
        || name.starts_with("local-timestamp-")
}
