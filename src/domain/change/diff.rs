//! The structural diff: which fields of two contents differ. It walks both at once and says the
//! most that is still one thing: a port that is new is one entry, not thirty.
//!
//! What does not count here is what does not count in [`canonical`]: the order of keys, and `1.0`
//! against `1`. The order of a list counts only where it means something; see `lists`.

use std::sync::LazyLock;

use serde_json::{Map, Value};

use super::place::Place;
use super::{Difference, FieldChange, FieldOp, classify, lists, unified};
use crate::domain::canonical::canonical;

/// Deeper than this, values are compared whole. No specification comes near it.
const DEEPEST: usize = 100;

static NO_FIELDS: LazyLock<Value> = LazyLock::new(|| Value::Object(Map::new()));
static NO_ITEMS: Value = Value::Array(Vec::new());

/// Compares two canonical contents: `before` as recorded, `after` as desired.
///
/// Contents with the same digest have no difference. Contents with different digests have at
/// least one field, unless nothing but lists whose order has no meaning was rearranged; then
/// [`Difference::unified`] alone shows it.
pub fn compare(before: &Value, after: &Value) -> Difference {
    if before == after {
        return Difference::default();
    }
    let mut walk = Walk::default();
    walk.value(before, after);
    Difference { fields: walk.fields, unified: unified::unified(before, after) }
}

/// Whether two values are the same content.
pub(super) fn same(before: &Value, after: &Value) -> bool {
    before == after || canonical(before) == canonical(after)
}

/// The comparison on its way.
#[derive(Debug, Default)]
pub(super) struct Walk<'a> {
    pub(super) place: Place<'a>,
    fields: Vec<FieldChange>,
}

impl<'a> Walk<'a> {
    /// Compares two values that stand at the same place.
    pub(super) fn value(&mut self, before: &'a Value, after: &'a Value) {
        match (before, after) {
            _ if self.place.depth() > DEEPEST => {}
            (Value::Object(before), Value::Object(after)) => return self.object(before, after),
            (Value::Array(before), Value::Array(after)) => return lists::compare(self, before, after),
            _ => {}
        }
        if !same(before, after) {
            self.report(FieldOp::Replaced, Some(before), Some(after));
        }
    }

    fn object(&mut self, before: &'a Map<String, Value>, after: &'a Map<String, Value>) {
        for (key, value) in after {
            self.key(key, before.get(key), Some(value));
        }
        for (key, value) in before.iter().filter(|(key, _)| !after.contains_key(*key)) {
            self.key(key, Some(value), None);
        }
    }

    fn key(&mut self, key: &'a str, before: Option<&'a Value>, after: Option<&'a Value>) {
        let spreads = self.place.spreads(key);
        let mark = self.place.enter_key(key, after.is_some());
        match (before, after) {
            (Some(before), Some(after)) => self.value(before, after),
            (Some(before), None) => match empty_like(before).filter(|_| spreads) {
                Some(nothing) => self.value(before, nothing),
                None => self.report(FieldOp::Removed, Some(before), None),
            },
            (None, Some(after)) => match empty_like(after).filter(|_| spreads) {
                Some(nothing) => self.value(nothing, after),
                None => self.report(FieldOp::Added, None, Some(after)),
            },
            (None, None) => {}
        }
        self.place.leave(mark);
    }

    /// Records that the value at the place differs.
    pub(super) fn report(&mut self, op: FieldOp, before: Option<&Value>, after: Option<&Value>) {
        let steps = self.place.steps();
        self.fields.push(FieldChange {
            path: self.place.path(),
            pointer: self.place.pointer().to_owned(),
            op,
            class: classify::class(steps),
            before: before.cloned(),
            after: after.cloned(),
        });
    }
}

/// The empty value of the same kind, for one that has something in it.
fn empty_like(value: &Value) -> Option<&'static Value> {
    match value {
        Value::Object(fields) if !fields.is_empty() => Some(&NO_FIELDS),
        Value::Array(items) if !items.is_empty() => Some(&NO_ITEMS),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn told(before: &Value, after: &Value) -> Vec<(String, FieldOp, String)> {
        let fields = compare(before, after).fields;
        fields.into_iter().map(|field| (field.path, field.op, field.pointer)).collect()
    }

    #[test]
    fn a_changed_field_is_named_in_the_descriptors_terms() {
        let before = json!({"info": {"owner": {"id": "a@b.c"}, "version": "1.0.0"}});
        let after = json!({"info": {"version": "1.0.0", "owner": {"id": "x@b.c"}}});
        assert_eq!(told(&before, &after), [("info.owner.id".into(), FieldOp::Replaced, "/info/owner/id".into())]);
    }

    #[test]
    fn a_new_port_is_one_entry_even_when_it_is_the_first_of_its_kind() {
        let port = json!({"name": "orders", "version": "1.0.0", "promises": {"platform": "p"}});
        let before = json!({"interfaceComponents": {"outputPorts": []}});
        let after = json!({"interfaceComponents": {"outputPorts": [], "inputPorts": [port]}});
        let pointer = "/interfaceComponents/inputPorts/0".to_owned();
        assert_eq!(told(&before, &after), [("inputPorts.orders".into(), FieldOp::Added, pointer)]);
        let back = told(&after, &before);
        assert_eq!(back, [("inputPorts.orders".into(), FieldOp::Removed, "/interfaceComponents".into())]);
    }

    #[test]
    fn an_empty_heading_is_told_as_itself() {
        let before = json!({"internalComponents": {"lifecycleInfo": {}}});
        assert_eq!(told(&before, &json!({})), [("lifecycleInfo".into(), FieldOp::Removed, String::new())]);
        assert_eq!(
            told(&json!({}), &json!({"internalComponents": {}})),
            [("internalComponents".into(), FieldOp::Added, "/internalComponents".into())]
        );
    }

    #[test]
    fn numbers_are_compared_by_what_they_are() {
        assert!(compare(&json!({"x": 1}), &json!({"x": 1.0})).fields.is_empty());
        assert_eq!(compare(&json!({"x": 1}), &json!({"x": 1.5})).fields.len(), 1);
        assert_eq!(compare(&json!({"x": 1}), &json!({"x": "1"})).fields.len(), 1);
    }

    #[test]
    fn what_is_gone_comes_last_in_its_parent() {
        let before = json!({"info": {"a": 1, "b": 2, "c": 3}, "tags": ["x"]});
        let after = json!({"info": {"new": 0, "c": 4}, "tags": []});
        let paths: Vec<String> = told(&before, &after).into_iter().map(|(path, ..)| path).collect();
        assert_eq!(paths, ["info.new", "info.c", "info.a", "info.b", "tags"]);
    }

    #[test]
    fn nesting_beyond_reason_is_compared_whole() {
        let mut before = json!(1);
        let mut after = json!(2);
        for _ in 0..300 {
            before = json!({ "x": before });
            after = json!({ "x": after });
        }
        let fields = compare(&before, &after).fields;
        assert_eq!(fields.len(), 1);
        assert_eq!(fields[0].path.matches('x').count(), DEEPEST + 1);
    }
}
