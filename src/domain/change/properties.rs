//! What holds for the difference of any two contents.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::compare;
use super::lists::{is_scalar, names, run_key};
use super::place::{Place, Step, is_set};
use crate::domain::canonical::{canonical, digest};

/// Keys that mean something to the comparison, and some that do not.
const KEYS: [&str; 14] = [
    "interfaceComponents",
    "internalComponents",
    "outputPorts",
    "inputPorts",
    "lifecycleInfo",
    "promises",
    "tags",
    "required",
    "properties",
    "name",
    "order",
    "type",
    "x-a",
    "a.b/c~d",
];

fn leaf() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (0..4i64).prop_map(Value::from),
        (0..4i64).prop_map(|whole| json!(whole as f64)),
        Just(json!(0.5)),
        prop::sample::select(vec!["a", "b", "c", ""]).prop_map(Value::from),
    ]
}

fn content() -> impl Strategy<Value = Value> {
    leaf().prop_recursive(5, 60, 5, |inner| {
        prop_oneof![
            2 => prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            3 => prop::collection::vec((prop::sample::select(KEYS.to_vec()), inner.clone()), 0..5)
                .prop_map(|fields| Value::Object(fields.into_iter().map(|(k, v)| (k.to_owned(), v)).collect())),
            2 => prop::collection::vec((prop::sample::select(vec!["a", "b", "c"]), inner), 0..4)
                .prop_map(|items| items.into_iter().map(|(name, x)| json!({"name": name, "x-a": x})).collect()),
        ]
    })
}

/// A product with such content in its places.
fn product() -> impl Strategy<Value = Value> {
    (content(), content(), content(), content()).prop_map(|(info, ports, stage, rest)| {
        json!({"info": info, "interfaceComponents": {"outputPorts": ports},
               "internalComponents": {"lifecycleInfo": {"dev": stage}}, "x-rest": rest})
    })
}

/// The same content after some edits: each picks a place by walking down with its numbers.
fn edited(mut content: Value, edits: &[(Vec<usize>, usize, Value)]) -> Value {
    for (way, what, other) in edits {
        let mut at = &mut content;
        for step in way {
            let next = match at {
                Value::Array(items) if !items.is_empty() => Some(step % items.len()),
                Value::Object(fields) if !fields.is_empty() => Some(step % fields.len()),
                _ => None,
            };
            let Some(next) = next else { break };
            at = match at {
                Value::Array(items) => &mut items[next],
                Value::Object(fields) => fields.values_mut().nth(next).unwrap(),
                _ => unreachable!(),
            };
        }
        match (what % 4, at) {
            (0, at) => *at = other.clone(),
            (1, Value::Array(items)) => items.reverse(),
            (2, Value::Array(items)) => items.push(other.clone()),
            (3, Value::Array(items)) => drop(items.pop()),
            (1, Value::Object(fields)) => *fields = std::mem::take(fields).into_iter().rev().collect::<Map<_, _>>(),
            (2, Value::Object(fields)) => drop(fields.insert("x-a".into(), other.clone())),
            (3, Value::Object(fields)) => drop(fields.keys().next().cloned().and_then(|key| fields.remove(&key))),
            (_, at) => *at = other.clone(),
        }
    }
    content
}

fn pair() -> impl Strategy<Value = (Value, Value)> {
    let edit = (prop::collection::vec(any::<usize>(), 0..6), any::<usize>(), leaf());
    prop_oneof![
        1 => (product(), product()),
        1 => (content(), content()),
        4 => (product(), prop::collection::vec(edit, 0..4)).prop_map(|(a, edits)| (a.clone(), edited(a, &edits))),
    ]
}

/// The content with every list whose order means nothing in one order.
fn arranged<'a>(value: &'a Value, place: &mut Place<'a>) -> Value {
    match value {
        Value::Object(fields) => {
            let mut out = Map::new();
            for (key, item) in fields {
                let mark = place.enter_key(key, true);
                out.insert(key.clone(), arranged(item, place));
                place.leave(mark);
            }
            Value::Object(out)
        }
        Value::Array(items) => {
            let named = names(items).is_some();
            let mut out = Vec::new();
            for (index, item) in items.iter().enumerate() {
                let step = match item.get("name").and_then(Value::as_str) {
                    Some(name) if named => Step::Name(name),
                    _ => Step::Position(index),
                };
                let mark = place.enter_item(step, Some(index));
                out.push(arranged(item, place));
                place.leave(mark);
            }
            if named && place.is_stage() {
                out.sort_by_key(run_key);
            } else if named {
                out.sort_by_key(|item| item["name"].as_str().map(str::to_owned));
            } else if is_set(place.steps()) && items.iter().all(is_scalar) {
                out.sort_by_key(canonical);
            }
            Value::Array(out)
        }
        other => other.clone(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_content_does_not_differ_from_itself(content in product()) {
        let difference = compare(&content, &content.clone());
        prop_assert!(difference.fields.is_empty() && difference.unified.is_empty());
    }

    #[test]
    fn fields_and_digests_agree((before, after) in pair()) {
        let difference = compare(&before, &after);
        if digest(&before) == digest(&after) {
            prop_assert!(difference.fields.is_empty(), "{:?}", difference.fields);
            prop_assert_eq!(&difference.unified, "");
        } else {
            prop_assert_ne!(&difference.unified, "");
        }
        let (a, b) = (arranged(&before, &mut Place::default()), arranged(&after, &mut Place::default()));
        if digest(&a) != digest(&b) {
            prop_assert!(!difference.fields.is_empty());
        }
    }

    #[test]
    fn pointers_lead_into_the_desired_content((before, after) in pair()) {
        for field in compare(&before, &after).fields {
            let found = after.pointer(&field.pointer);
            prop_assert!(found.is_some(), "{:?}", field);
            let is_run_order = field.path.ends_with(".order");
            if let Some(value) = field.after.as_ref().filter(|_| !is_run_order) {
                prop_assert_eq!(Some(value), found);
            }
        }
    }

    #[test]
    fn what_is_new_one_way_is_gone_the_other_way((before, after) in pair()) {
        let there = compare(&before, &after);
        let back = compare(&after, &before);
        prop_assert_eq!(there.fields.is_empty(), back.fields.is_empty());
    }
}
