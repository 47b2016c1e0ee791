//! The fields of definitions that are objects of fixed fields, and what stands in them. What is nearly one of these
//! was meant to be it; what is far from all of them may be an extension that somebody reads.

use std::borrow::Cow;

use serde_json::Value;

use super::{listed, notes, privacy};
use crate::check::yaml::{Located, push_segment, shown};
use crate::domain::finding::Stretch;
use crate::domain::suggest;

/// An object of fixed fields.
#[derive(Debug)]
pub(super) struct Shape {
    /// What it is, for a sentence: `a table`.
    pub name: &'static str,
    pub fields: &'static [(&'static str, Holds)],
}

/// What a field holds.
#[derive(Debug, Clone, Copy)]
pub(super) enum Holds {
    /// Anything; it is not looked into.
    Any,
    Text,
    /// True or false.
    Flag,
    Number,
    /// One of these words.
    Word(&'static [&'static str]),
    /// The version of the language, which has three numbers.
    Edition,
    Object(&'static Shape),
    List(&'static Shape),
    /// An object whose keys are names.
    Named(&'static Shape),
}

/// What is odd about one field.
#[derive(Debug)]
pub(in crate::check) struct Odd {
    /// The field: a JSON pointer into the definition.
    pub pointer: String,
    /// Where, when the definition is a text.
    pub within: Option<Stretch>,
    /// Whether the field itself is unknown, and not what it holds.
    pub is_unknown: bool,
    /// The field that was meant, where it is unknown.
    pub meant: Option<&'static str>,
    pub message: String,
    pub hint: String,
}

/// So many are told of one definition.
const MOST: usize = 20;

/// So many names are known to be far from all fields.
const MOST_FAR: usize = 20;

/// What is odd about a definition: at most [`MOST`] fields, in the order of the text.
pub(super) fn odd(shape: &'static Shape, language: &str, definition: &Value) -> Vec<Odd> {
    let (document, located) = match definition {
        Value::String(_) => match notes::located_object(definition) {
            Ok(document) => (Cow::Owned(document.value), Some(document.located)),
            // That it cannot be read is told elsewhere.
            Err(_) => return Vec::new(),
        },
        other => (Cow::Borrowed(other), None),
    };
    let mut told = Told { language, located, odd: Vec::new(), far: Vec::new() };
    told.object(shape, &document, &mut String::new());
    told.odd
}

struct Told<'a> {
    language: &'a str,
    located: Option<Located>,
    odd: Vec<Odd>,
    /// Names that are far from all fields of an object. Columns are many, and their extensions are the same.
    far: Vec<(&'static str, String)>,
}

impl Told<'_> {
    /// Definitions are no deeper than any document that is read.
    fn object(&mut self, shape: &'static Shape, value: &Value, pointer: &mut String) {
        let Some(fields) = value.as_object().filter(|fields| !fields.contains_key("$ref")) else { return };
        let before = pointer.len();
        for (name, value) in fields {
            if self.odd.len() >= MOST {
                return;
            }
            push_segment(pointer, name);
            match shape.fields.iter().find(|(known, _)| known == name) {
                Some((_, holds)) => self.value(*holds, name, value, pointer),
                None => self.unknown(shape, name, fields, pointer),
            }
            pointer.truncate(before);
        }
    }

    fn unknown(&mut self, shape: &'static Shape, name: &str, beside: &serde_json::Map<String, Value>, pointer: &str) {
        if name.starts_with("x-") || name.starts_with('$') || privacy::is_mark(name) {
            return;
        }
        if self.far.iter().any(|(of, far)| *of == shape.name && far == name) {
            return;
        }
        let Some(near) = suggest::nearest(name, shape.fields.iter().map(|(known, _)| *known)) else {
            if self.far.len() < MOST_FAR {
                self.far.push((shape.name, name.to_owned()));
            }
            return;
        };
        // Where the field that is meant is there as well, this is another one.
        if beside.contains_key(near) {
            return;
        }
        let message =
            format!("{} is not a field of {} in {}, and nobody reads it", shown(name), shape.name, self.language);
        self.tell(pointer, Some(near), message, format!("did you mean '{near}'?"));
    }

    fn value(&mut self, holds: Holds, name: &str, value: &Value, pointer: &mut String) {
        let wanted = match holds {
            _ if value.is_null() || matches!(value.get("$ref"), Some(Value::String(_))) => return,
            Holds::Any => return,
            Holds::Text if value.is_string() => return,
            Holds::Flag if value.is_boolean() => return,
            Holds::Number if value.is_number() => return,
            Holds::Word(words) => match value.as_str() {
                Some(word) if words.contains(&word) => return,
                Some(word) => {
                    let hint = match (instead(word, words), suggest::nearest(word, words.iter().copied())) {
                        (Some(hint), _) => hint.to_owned(),
                        (None, Some(near)) => format!("did you mean '{near}'?"),
                        (None, None) => format!("write one of {}", words.join(", ")),
                    };
                    let message =
                        format!("{} is {}, which {} does not have there", shown(name), shown(word), self.language);
                    return self.tell(pointer, None, message, hint);
                }
                None => "a text",
            },
            Holds::Object(shape) if value.is_object() => return self.object(shape, value, pointer),
            Holds::List(shape) => match value {
                Value::Array(items) => {
                    let before = pointer.len();
                    for (index, item) in items.iter().enumerate() {
                        push_segment(pointer, &index.to_string());
                        self.object(shape, item, pointer);
                        pointer.truncate(before);
                    }
                    return;
                }
                _ => "a list",
            },
            Holds::Named(shape) => match value {
                Value::Object(members) => {
                    let before = pointer.len();
                    for (key, member) in members {
                        push_segment(pointer, key);
                        self.object(shape, member, pointer);
                        pointer.truncate(before);
                    }
                    return;
                }
                _ => "a map of fields",
            },
            Holds::Edition => match value {
                Value::String(text) if !is_short_version(text) => return,
                Value::String(text) => {
                    let message = format!("{} is '{text}', and has three numbers in {}", shown(name), self.language);
                    return self.tell(pointer, None, message, format!("write {text}.0"));
                }
                Value::Number(number) if is_short_version(&number.to_string()) => {
                    let message =
                        format!("{} is the number {number}, and should be a text in {}", shown(name), self.language);
                    return self.tell(pointer, None, message, format!("write '{number}.0', in quotes"));
                }
                _ => "a text",
            },
            Holds::Text => "a text",
            Holds::Flag => "true or false",
            Holds::Number => "a number",
            Holds::Object(_) => "a map of fields",
        };
        let (is, hint) = match value {
            Value::String(text) => (listed([text]), if wanted == "a text" { "" } else { ", without quotes" }),
            Value::Array(_) => ("a list".to_owned(), ""),
            Value::Object(_) => ("a map of fields".to_owned(), ""),
            Value::Number(number) if wanted == "a text" => (format!("the number {number}"), ": put it in quotes"),
            other => (other.to_string(), if wanted == "a text" { ": put it in quotes" } else { "" }),
        };
        let message = format!("{} is {is}, and should be {wanted} in {}", shown(name), self.language);
        self.tell(pointer, None, message, format!("write {wanted}{hint}"));
    }

    fn tell(&mut self, pointer: &str, meant: Option<&'static str>, message: String, hint: String) {
        let is_unknown = meant.is_some();
        let mark = self
            .located
            .as_ref()
            .and_then(|located| if is_unknown { located.key_mark(pointer) } else { located.head_mark(pointer) });
        let within = mark.map(|mark| Stretch { line: mark.line, column: mark.column, length: mark.length });
        self.odd.push(Odd { pointer: pointer.to_owned(), within, is_unknown, meant, message, hint });
    }
}

/// Types that other languages have, and what to write for them where a field knows that.
fn instead(word: &str, words: &[&str]) -> Option<&'static str> {
    const TYPES: [(&str, &[&str], &str); 6] = [
        ("integer", &["int", "long", "short", "bigint", "smallint", "tinyint", "int32", "int64"], "write 'integer'"),
        ("number", &["decimal", "float", "double", "numeric", "real", "money", "float64"], "write 'number'"),
        ("string", &["text", "longtext", "varchar", "char", "str", "uuid", "email", "enum"], "write 'string'"),
        ("boolean", &["bool", "bit"], "write 'boolean'"),
        ("object", &["struct", "record", "map", "json"], "write 'object'"),
        ("array", &["list", "repeated"], "write 'array'"),
    ];
    let folded = word.to_ascii_lowercase();
    // A date would lose the time of day.
    if words.contains(&"timestamp") && (folded.starts_with("datetime") || folded.starts_with("date-time")) {
        return Some("write 'timestamp', which is there since version 3.1; before, a 'date' had the time with it");
    }
    let (.., hint) =
        TYPES.into_iter().find(|(kind, others, _)| words.contains(kind) && others.contains(&folded.as_str()))?;
    Some(hint)
}

/// Whether a version has two numbers.
fn is_short_version(text: &str) -> bool {
    let is_number = |part: &str| !part.is_empty() && part.len() <= 3 && part.bytes().all(|byte| byte.is_ascii_digit());
    text.split_once('.').is_some_and(|(major, minor)| is_number(major) && is_number(minor))
}
