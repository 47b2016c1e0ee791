//! Documents with references within themselves, as OpenAPI and AsyncAPI have them, and the schemas in them.

use std::borrow::Cow;
use std::collections::HashSet;

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use super::json_schema::{Schemas, Standing, compare_schemas};
use super::notes::{Notes, both, object};
use super::{Editions, escaped};
use crate::domain::compat::{ContractRule, Reason, Side};

/// References that lead to references.
const MOST_STEPS: usize = 32;
/// Pairs of schemas of one document that are compared.
const MOST_SCHEMAS: usize = 1_000;
/// Pairs of schemas inside those, in all of the document.
const MOST_INNER: usize = 100_000;

/// Whether a definition is told by a field of text at its top: an object with it, or the text of one.
pub(super) fn is_told_by(field: &str, definition: &Value) -> bool {
    object(definition).is_ok_and(|document| document.get(field).is_some_and(Value::is_string))
}

/// The same of a version, which may have been written as a number.
pub(super) fn says_version(field: &str, definition: &Value) -> bool {
    object(definition)
        .is_ok_and(|document| document.get(field).is_some_and(|version| version.is_string() || version.is_number()))
}

/// Compares two documents: `read` reads one of them, or says what hinders, and `told` tells what differs.
pub(super) fn compare(
    editions: &Editions<'_>,
    unreadable: &ContractRule,
    read: fn(&Value) -> Result<Cow<'_, Value>, String>,
    told: impl for<'d> FnOnce(Here<'d>, Here<'d>) -> Vec<Reason>,
) -> Vec<Reason> {
    let (before, after) = match both(editions, read) {
        Ok(both) => both,
        Err(message) => return vec![unreadable.reason(editions.side, editions.pointer, "", message)],
    };
    let mut reasons = told(Here::document(&before, ""), Here::document(&after, editions.pointer));
    if matches!(after, Cow::Owned(_)) {
        // Within a text there are no pointers.
        reasons.iter_mut().for_each(|reason| editions.pointer.clone_into(&mut reason.pointer));
    }
    reasons
}

/// A value of a document, and where it stands in the desired content.
#[derive(Debug, Clone)]
pub(super) struct Here<'a> {
    /// The whole document.
    pub root: &'a Value,
    /// Where the document stands.
    pub base: &'a str,
    pub value: &'a Value,
    pub pointer: String,
}

impl<'a> Here<'a> {
    pub(super) fn document(root: &'a Value, base: &'a str) -> Self {
        Self { root, base, value: root, pointer: base.to_owned() }
    }

    /// What stands below a key, references followed.
    pub(super) fn get(&self, key: &str) -> Option<Self> {
        self.child(key).map(Self::followed)
    }

    /// What stands below a key, as it is written.
    pub(super) fn child(&self, key: &str) -> Option<Self> {
        let value = match self.value {
            Value::Array(list) => list.get(key.parse::<usize>().ok()?),
            other => other.get(key),
        };
        Some(Self { value: value?, pointer: format!("{}/{}", self.pointer, escaped(key)), ..*self })
    }

    /// The text below a key.
    pub(super) fn text(&self, key: &str) -> Option<&'a str> {
        self.value.get(key).and_then(Value::as_str)
    }

    pub(super) fn is(&self, key: &str) -> bool {
        self.value.get(key) == Some(&Value::Bool(true))
    }

    /// The members of an object, references followed.
    pub(super) fn members(&self) -> Vec<(&'a str, Self)> {
        let fields: Option<&'a Map<String, Value>> = self.value.as_object();
        let keys = fields.into_iter().flat_map(Map::keys);
        keys.filter_map(|key| Some((key.as_str(), self.get(key)?))).collect()
    }

    /// The items of a list, references followed.
    pub(super) fn items(&self) -> Vec<Self> {
        let length = self.value.as_array().map_or(0, Vec::len);
        (0..length).filter_map(|index| self.get(&index.to_string())).collect()
    }

    /// The reference that stands here and leads nowhere within the document.
    pub(super) fn stray(&self) -> Option<&'a str> {
        self.text("$ref")
    }

    /// Whether two values, and all that references in them lead to, are the same. What is more than `left` values,
    /// or leads around, is not.
    pub(super) fn leads_alike(&self, other: &Self, left: &mut usize, depth: usize) -> bool {
        let Some(fewer) = left.checked_sub(1).filter(|_| depth <= MOST_STEPS) else { return false };
        *left = fewer;
        match (self.value, other.value) {
            (Value::Object(one), Value::Object(two)) => {
                one.len() == two.len()
                    && one.keys().all(|key| match (self.get(key), other.get(key)) {
                        (Some(one), Some(two)) => one.leads_alike(&two, left, depth + 1),
                        _ => false,
                    })
            }
            (Value::Array(one), Value::Array(two)) => {
                let (ones, twos) = (self.items(), other.items());
                one.len() == two.len() && ones.iter().zip(&twos).all(|(one, two)| one.leads_alike(two, left, depth + 1))
            }
            (one, two) => one == two,
        }
    }

    /// Follows references as far as they lead within the document. One that leads elsewhere stays.
    fn followed(mut self) -> Self {
        for _ in 0..MOST_STEPS {
            let Some(target) = self.text("$ref").and_then(|reference| self.target(reference)) else { break };
            self = target;
        }
        self
    }

    fn target(&self, reference: &str) -> Option<Self> {
        let fragment = percent_decode_str(reference.strip_prefix('#')?).decode_utf8().ok()?;
        let value = self.root.pointer(&fragment)?;
        Some(Self { value, pointer: format!("{}{fragment}", self.base), ..*self })
    }
}

/// Compares the schemas of a document, each pair once for each side.
#[derive(Debug)]
pub(super) struct SchemaPairs {
    seen: HashSet<(usize, usize, bool)>,
    /// Pairs of schemas inside these that may still be compared, in all of the document.
    left: usize,
    /// The rule for what was not compared because there is too much.
    too_large: &'static ContractRule,
}

impl SchemaPairs {
    pub(super) fn new(too_large: &'static ContractRule) -> Self {
        Self { seen: HashSet::new(), left: MOST_INNER, too_large }
    }

    /// Compares two schemas. Where the same two stand at several places, they are told at the first.
    pub(super) fn compare(&mut self, notes: &mut Notes, side: Side, was: &Here<'_>, is: &Here<'_>, path: &str) {
        let address = |here: &Here<'_>| std::ptr::from_ref(here.value).addr();
        if !self.seen.insert((address(was), address(is), side == Side::Read)) {
            return;
        }
        if self.seen.len() > MOST_SCHEMAS {
            if self.seen.len() == MOST_SCHEMAS + 1 {
                notes.tell(self.too_large, &is.pointer, path, "there are too many schemas to compare them all");
            }
            return;
        }
        if self.left == 0 {
            return;
        }
        let schemas = Schemas {
            before: Standing { schema: was.value, document: was.root },
            after: Standing { schema: is.value, document: is.root },
            side,
            pointer: &is.pointer,
            document_pointer: is.base,
            path,
        };
        notes.extend(compare_schemas(&schemas, &mut self.left));
        if self.left == 0 {
            notes.tell(self.too_large, &is.pointer, path, "there are too many schemas to compare them all");
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn references_are_followed_within_bounds() {
        let document = json!({
            "a": {"$ref": "#/b"}, "b": {"$ref": "#/c~1d"}, "c/d": {"x": 1},
            "round": {"$ref": "#/about"}, "about": {"$ref": "#/round"},
            "far": {"$ref": "other.yaml#/x"},
        });
        let root = Here::document(&document, "/base");
        let found = root.get("a").unwrap();
        assert_eq!((found.value, found.pointer.as_str()), (&json!({"x": 1}), "/base/c~1d"));
        assert!(root.get("round").unwrap().stray().is_some());
        assert_eq!(root.get("far").unwrap().stray(), Some("other.yaml#/x"));
    }
}
