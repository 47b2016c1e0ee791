//! What holds at one place of a schema: its own keywords, those of what its `$ref` leads to, and those of
//! all members of its `allOf`, as one list of parts that hold together.

use std::collections::BTreeSet;

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use crate::check::contract::{escaped, privacy};

/// More parts than this do not stand at one place of any schema that people write.
const MOST_PARTS: usize = 200;

/// Keywords that say nothing about which values are allowed and that nobody relies on.
const FOR_PEOPLE: [&str; 15] = [
    "title",
    "summary",
    "description",
    "$comment",
    "example",
    "examples",
    "externalDocs",
    "tags",
    "$schema",
    "$id",
    "id",
    "$anchor",
    "$defs",
    "definitions",
    "components",
];

/// Keywords that are no constraint by themselves, but are compared.
const REMARKS: [&str; 5] = ["default", "deprecated", "readOnly", "writeOnly", "nullable"];

/// A document in which local references are looked up, and where it stands in the desired content.
#[derive(Debug)]
pub(super) struct Document<'a> {
    pub root: &'a Value,
    pub pointer: String,
}

/// A schema, and where it stands in the desired content (for the recorded edition: in its own).
#[derive(Debug, Clone)]
pub(super) struct Root<'a> {
    pub schema: &'a Value,
    pub pointer: String,
}

impl<'a> Root<'a> {
    pub(super) fn below(part: &Part<'a>, schema: &'a Value, way: &[&str]) -> Self {
        let mut pointer = part.pointer.clone();
        for step in way {
            pointer.push('/');
            pointer.push_str(&escaped(step));
        }
        Self { schema, pointer }
    }

    /// What tells this schema from all others of its document.
    pub(super) fn address(&self) -> usize {
        std::ptr::from_ref(self.schema).addr()
    }
}

/// Keywords that stand together in one object.
#[derive(Debug)]
pub(super) struct Part<'a> {
    pub fields: &'a Map<String, Value>,
    pub pointer: String,
}

/// All that holds at one place.
#[derive(Debug, Default)]
pub(super) struct View<'a> {
    pub parts: Vec<Part<'a>>,
    /// A `false` is among the schemas: nothing is allowed.
    pub never: bool,
    /// References that were not followed.
    pub not_followed: BTreeSet<&'a str>,
    /// Something that is no schema stands here.
    pub unreadable: bool,
    /// There are more parts than are looked at.
    pub too_large: bool,
}

impl<'a> View<'a> {
    pub(super) fn of(document: &Document<'a>, roots: &[Root<'a>]) -> Self {
        let mut view = Self::default();
        let mut seen = BTreeSet::new();
        let mut waiting: Vec<Root<'a>> = roots.iter().rev().cloned().collect();
        while let Some(root) = waiting.pop() {
            // A schema that holds by way of itself adds nothing.
            if !seen.insert(root.address()) {
                continue;
            }
            if seen.len() > MOST_PARTS {
                view.too_large = true;
                break;
            }
            let fields = match root.schema {
                Value::Bool(true) => continue,
                Value::Bool(false) => {
                    view.never = true;
                    continue;
                }
                Value::Object(fields) => fields,
                _ => {
                    view.unreadable = true;
                    continue;
                }
            };
            let part = Part { fields, pointer: root.pointer };
            if let Some(members) = fields.get("allOf") {
                match members.as_array() {
                    Some(members) => waiting.extend(
                        members
                            .iter()
                            .enumerate()
                            .rev()
                            .map(|(index, member)| Root::below(&part, member, &["allOf", &index.to_string()])),
                    ),
                    None => view.unreadable = true,
                }
            }
            if let Some(reference) = fields.get("$ref").and_then(Value::as_str) {
                match follow(document, reference) {
                    Some(target) => waiting.push(target),
                    None => {
                        view.not_followed.insert(reference);
                    }
                }
            }
            view.parts.push(part);
        }
        view
    }

    /// Whether any value is allowed, and nothing is said about it but to people.
    pub(super) fn is_free(&self) -> bool {
        let says_something =
            |key: &String| !is_for_people(key) && !privacy::is_mark(key) && key != "$ref" && key != "allOf";
        !self.never
            && !self.unreadable
            && self.not_followed.is_empty()
            && !self.parts.iter().any(|part| part.fields.keys().any(says_something))
    }

    /// The values of a keyword, in all parts.
    pub(super) fn all<'v>(&'v self, keyword: &'v str) -> impl Iterator<Item = &'a Value> + 'v {
        self.parts.iter().filter_map(move |part| part.fields.get(keyword))
    }

    /// The texts of a keyword, in all parts.
    pub(super) fn texts(&self, keyword: &str) -> BTreeSet<&'a str> {
        self.all(keyword).filter_map(Value::as_str).collect()
    }

    /// Whether a keyword is `true` in any part.
    pub(super) fn says(&self, keyword: &str) -> bool {
        self.all(keyword).any(|value| value == &Value::Bool(true))
    }

    /// What marks the value as personal data, in all parts.
    pub(super) fn marks(&self) -> Value {
        let mut marks = Map::new();
        for (keyword, value) in self.parts.iter().flat_map(|part| part.fields) {
            match (marks.get_mut(keyword), value) {
                (None, _) if privacy::is_mark(keyword) => {
                    marks.insert(keyword.clone(), value.clone());
                }
                (Some(Value::Array(tags)), Value::Array(more)) => tags.extend(more.iter().cloned()),
                _ => {}
            }
        }
        Value::Object(marks)
    }

    /// Where a keyword stands; where it does not, the first part.
    pub(super) fn pointer_of(&self, keyword: &str) -> Option<String> {
        match self.parts.iter().find(|part| part.fields.contains_key(keyword)) {
            Some(part) => Some(format!("{}/{}", part.pointer, escaped(keyword))),
            None => self.pointer().map(str::to_owned),
        }
    }

    /// Where the first part stands.
    pub(super) fn pointer(&self) -> Option<&str> {
        self.parts.first().map(|part| part.pointer.as_str())
    }

    /// Whether beside these keywords there is nothing that constrains.
    pub(super) fn has_only(&self, keywords: &[&str]) -> bool {
        let more = |key: &String| {
            let is_remark = REMARKS.contains(&key.as_str()) || privacy::is_mark(key);
            let is_plain = key == "$ref" || key == "allOf" || is_for_people(key) || is_remark;
            !is_plain && !keywords.contains(&key.as_str())
        };
        self.not_followed.is_empty() && !self.parts.iter().any(|part| part.fields.keys().any(more))
    }
}

/// Whether a keyword is there for people, or for finding a schema.
pub(super) fn is_for_people(keyword: &str) -> bool {
    FOR_PEOPLE.contains(&keyword)
}

/// Where a reference within the document leads: `#`, `#/a/b`, or `#name` for an `$anchor` of a definition.
fn follow<'a>(document: &Document<'a>, reference: &str) -> Option<Root<'a>> {
    let fragment = reference.strip_prefix('#')?;
    let fragment = percent_decode_str(fragment).decode_utf8().ok()?;
    if fragment.is_empty() || fragment.starts_with('/') {
        let schema = document.root.pointer(&fragment)?;
        return Some(Root { schema, pointer: format!("{}{fragment}", document.pointer) });
    }
    for room in ["$defs", "definitions"] {
        let named = document.root.get(room).and_then(Value::as_object).into_iter().flatten();
        for (key, schema) in named {
            if schema.get("$anchor").and_then(Value::as_str) == Some(&*fragment) {
                let pointer = format!("{}/{room}/{}", document.pointer, escaped(key));
                return Some(Root { schema, pointer });
            }
        }
    }
    None
}
