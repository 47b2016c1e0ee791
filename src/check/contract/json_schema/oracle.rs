//! An independent judge: what is called compatible is tried with values, by a validator of another author.
//! Whatever those who send could send before has to be valid afterwards; whatever those who read may get
//! afterwards has to have been valid before.

use std::cell::Cell;

use jsonschema::{Draft, Validator};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::{Map, Value, json};

use super::*;
use crate::domain::compat::Compatibility;

const VALUES: usize = 60;

fn keyword() -> impl Strategy<Value = (&'static str, Value)> {
    prop_oneof![
        prop::sample::select(vec![
            ("type", json!("string")),
            ("type", json!("integer")),
            ("type", json!("number")),
            ("type", json!("object")),
            ("type", json!("array")),
            ("type", json!(["string", "null"])),
            ("type", json!(["integer", "object"])),
            ("enum", json!(["a", "ab", 1, null])),
            ("enum", json!(["a", 2, {"a": 1}])),
            ("const", json!("a")),
            ("const", json!(1)),
            ("pattern", json!("^a")),
            ("not", json!({"type": "null"})),
            ("uniqueItems", json!(true)),
            ("additionalProperties", json!(false)),
            ("additionalProperties", json!({"type": "integer"})),
            ("required", json!(["a"])),
            ("required", json!(["b", "a"])),
            ("items", json!({"type": "integer"})),
            ("items", json!(false)),
            ("prefixItems", json!([{"type": "string"}])),
            ("propertyNames", json!({"maxLength": 1})),
            ("patternProperties", json!({"^a": {"type": "string"}})),
            ("unevaluatedProperties", json!(false)),
            ("contains", json!({"type": "integer"})),
            ("dependentRequired", json!({"a": ["b"]})),
        ]),
        (
            prop::sample::select(vec![
                "minimum",
                "maximum",
                "exclusiveMinimum",
                "exclusiveMaximum",
                "multipleOf",
                "minLength",
                "maxLength",
                "minItems",
                "maxItems",
                "minProperties",
                "maxProperties",
            ]),
            1..4u8
        )
            .prop_map(|(keyword, bound)| (keyword, json!(bound))),
    ]
}

fn plain_schema() -> impl Strategy<Value = Value> {
    let fields = prop::collection::vec(keyword(), 0..3);
    fields.prop_map(|fields| Value::Object(fields.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()))
}

fn schema() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        6 => plain_schema(),
        1 => Just(json!({"$ref": "#/$defs/x"})),
        1 => any::<bool>().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 3, |inner| {
        let lists = prop::sample::select(vec!["anyOf", "oneOf", "allOf"]);
        let named = prop::collection::btree_map(prop::sample::select(vec!["a", "b", "c"]), inner.clone(), 1..3);
        // A schema may lead to itself, but not without going into the value.
        let held = (named, plain_schema(), any::<bool>()).prop_map(|(mut named, beside, again)| {
            if again {
                named.insert("c", json!({"$ref": "#"}));
            }
            with(beside, "properties", &json!(named))
        });
        prop_oneof![
            3 => held,
            1 => (inner.clone(), plain_schema()).prop_map(|(items, beside)| with(beside, "items", &items)),
            2 => (lists, prop::collection::vec(inner, 1..4), plain_schema())
                .prop_map(|(list, branches, beside)| with(beside, list, &json!(branches))),
        ]
    })
}

fn with(mut schema: Value, keyword: &str, value: &Value) -> Value {
    if let Some(fields) = schema.as_object_mut() {
        fields.insert(keyword.to_owned(), value.clone());
    }
    schema
}

/// A schema with something to refer to.
fn document() -> impl Strategy<Value = Value> {
    (schema(), plain_schema()).prop_map(|(schema, defined)| match schema {
        Value::Object(_) => with(schema, "$defs", &json!({"x": defined})),
        other => other,
    })
}

/// What is done at a place: a keyword put in, one taken out, or the whole put elsewhere.
type Edit = (Vec<usize>, u8, (&'static str, Value));

fn edited(mut schema: Value, edits: &[Edit]) -> Value {
    for (way, what, (keyword, value)) in edits {
        let mut at = &mut schema;
        for step in way {
            let inner = match &*at {
                Value::Object(fields) => fields.values().filter(|value| value.is_object() || value.is_array()).count(),
                Value::Array(items) => items.len(),
                _ => 0,
            };
            if inner == 0 {
                break;
            }
            at = match at {
                Value::Object(fields) => {
                    let mut inner_values = fields.values_mut().filter(|value| value.is_object() || value.is_array());
                    inner_values.nth(step % inner).unwrap()
                }
                Value::Array(items) => &mut items[step % inner],
                _ => unreachable!(),
            };
        }
        match (what % 3, at) {
            (0, Value::Object(fields)) => {
                fields.insert((*keyword).to_owned(), value.clone());
            }
            (1, Value::Object(fields)) => {
                let key = fields.keys().nth(*what as usize % fields.len().max(1)).cloned();
                key.and_then(|key| fields.remove(&key));
            }
            (2, Value::Array(items)) => items.push(json!({ *keyword: value })),
            (_, Value::Array(items)) => drop(items.pop()),
            (_, at) => *at = json!({ *keyword: value }),
        }
    }
    schema
}

fn pair() -> impl Strategy<Value = (Value, Value)> {
    let edit = (prop::collection::vec(any::<usize>(), 0..4), any::<u8>(), keyword());
    prop_oneof![
        1 => (document(), document()),
        6 => (document(), prop::collection::vec(edit, 1..3)).prop_map(|(a, edits)| (a.clone(), edited(a, &edits))),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-1..6i64).prop_map(Value::from),
        Just(json!(1.5)),
        prop::sample::select(vec!["", "a", "ab", "abc", "b"]).prop_map(Value::from),
    ];
    leaf.prop_recursive(2, 12, 4, |inner| {
        let names = prop::sample::select(vec!["a", "b", "c", "ab"]);
        let fields = prop::collection::vec((names, inner.clone()), 0..4);
        prop_oneof![
            1 => prop::collection::vec(inner, 0..4).prop_map(Value::from),
            2 => fields.prop_map(|fields| {
                Value::Object(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<Map<_, _>>())
            }),
        ]
    })
}

fn validator(schema: &Value) -> Option<Validator> {
    jsonschema::options().with_draft(Draft::Draft202012).build(schema).ok()
}

#[test]
fn what_is_called_compatible_is_so_to_a_validator_of_another_author() {
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    let (tried, compatible, breaking) = (Cell::new(0), Cell::new(0), Cell::new(0));
    let values = prop::collection::vec(value(), VALUES..=VALUES);
    let outcome = TestRunner::new(config).run(&(pair(), values), |((before, after), values)| {
        let (Some(old), Some(new)) = (validator(&before), validator(&after)) else { return Ok(()) };
        tried.set(tried.get() + 1);
        for side in [Side::Read, Side::Written] {
            let reasons = compare(&Editions { before: &before, after: &after, side, pointer: "" });
            let heaviest = reasons.iter().map(|reason| Compatibility::from(reason.impact)).max();
            if heaviest > Some(Compatibility::Compatible) {
                breaking.set(breaking.get() + usize::from(heaviest == Some(Compatibility::Breaking)));
                continue;
            }
            // Whoever sent a value that was never declared is on his own.
            let is_declared = reasons.iter().any(|reason| reason.rule == rules::PROPERTY_ADDED.id);
            if side == Side::Written && is_declared {
                continue;
            }
            compatible.set(compatible.get() + 1);
            for value in &values {
                let (was, is) = (old.is_valid(value), new.is_valid(value));
                let holds = if side == Side::Read { !is || was } else { !was || is };
                prop_assert!(holds, "{side:?}: {before} > {after} with {value}: {reasons:?}");
            }
        }
        Ok(())
    });
    outcome.unwrap();
    let (tried, compatible, breaking) = (tried.get(), compatible.get(), breaking.get());
    // Otherwise nothing was proved.
    assert!(tried > 100 && compatible > tried / 5 && breaking > tried / 5, "{tried} {compatible} {breaking}");
}
