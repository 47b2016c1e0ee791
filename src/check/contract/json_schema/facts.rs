//! What a view says about single values: their types, the list of those that are allowed, and bounds.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Number, Value};

use super::view::View;
use crate::domain::canonical::canonical;

/// The types of JSON Schema, with `number` taken apart, so that `integer` is a part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Type {
    Null,
    Boolean,
    Integer,
    Fraction,
    Text,
    Array,
    Object,
}

pub(super) const EVERY: [Type; 7] =
    [Type::Null, Type::Boolean, Type::Integer, Type::Fraction, Type::Text, Type::Array, Type::Object];

pub(super) type Types = BTreeSet<Type>;

/// The types that a view allows: by `type`, and by the values that it lists.
pub(super) fn types(view: &View<'_>) -> Types {
    let mut allowed: Types = EVERY.into();
    for part in &view.parts {
        let Some(named) = part.fields.get("type") else { continue };
        let names: Vec<&str> = match named {
            Value::String(name) => vec![name],
            Value::Array(names) => names.iter().filter_map(Value::as_str).collect(),
            _ => continue,
        };
        let mut here: Types = names.iter().flat_map(|name| of_name(name)).copied().collect();
        if part.fields.get("nullable") == Some(&Value::Bool(true)) {
            here.insert(Type::Null);
        }
        allowed.retain(|one| here.contains(one));
    }
    if let Some(values) = values(view) {
        let here: Types = values.values().map(|value| type_of(value)).collect();
        allowed.retain(|one| here.contains(one));
    }
    allowed
}

/// The names of types, as written.
pub(super) fn names_of_types(view: &View<'_>) -> BTreeSet<Vec<u8>> {
    view.all("type").map(canonical).collect()
}

/// Whether a type is named that JSON Schema does not have.
pub(super) fn has_unknown_type(view: &View<'_>) -> bool {
    let known = |name: &Value| name.as_str().is_some_and(|name| !of_name(name).is_empty());
    view.all("type").any(|named| match named {
        Value::Array(names) => !names.iter().all(known),
        name => !known(name),
    })
}

fn of_name(name: &str) -> &'static [Type] {
    match name {
        "null" => &[Type::Null],
        "boolean" => &[Type::Boolean],
        "integer" => &[Type::Integer],
        "number" => &[Type::Integer, Type::Fraction],
        "string" => &[Type::Text],
        "array" => &[Type::Array],
        "object" => &[Type::Object],
        _ => &[],
    }
}

fn type_of(value: &Value) -> Type {
    match value {
        Value::Null => Type::Null,
        Value::Bool(_) => Type::Boolean,
        Value::Number(number) if number.as_f64().is_some_and(|float| float.fract() == 0.0) => Type::Integer,
        Value::Number(_) => Type::Fraction,
        Value::String(_) => Type::Text,
        Value::Array(_) => Type::Array,
        Value::Object(_) => Type::Object,
    }
}

/// The types in words: `integer or null`.
pub(super) fn words(types: &Types) -> String {
    if types.len() == EVERY.len() {
        return "any type".to_owned();
    }
    let mut names: Vec<&str> = Vec::new();
    for one in types {
        names.push(match one {
            Type::Null => "null",
            Type::Boolean => "boolean",
            Type::Integer if types.contains(&Type::Fraction) => continue,
            Type::Integer => "integer",
            Type::Fraction if types.contains(&Type::Integer) => "number",
            Type::Fraction => "fraction",
            Type::Text => "string",
            Type::Array => "array",
            Type::Object => "object",
        });
    }
    if names.is_empty() { "no type".to_owned() } else { names.join(" or ") }
}

/// The values that `enum` and `const` allow, by their canonical form; `None` where no list limits them.
pub(super) fn values<'a>(view: &View<'a>) -> Option<BTreeMap<Vec<u8>, &'a Value>> {
    let lists = view.all("enum").filter_map(Value::as_array).map(|list| list.iter().collect::<Vec<_>>());
    let all = lists.chain(view.all("const").map(|value| vec![value]));
    let keyed = all.map(|list| list.into_iter().map(|value| (canonical(value), value)).collect::<BTreeMap<_, _>>());
    keyed.reduce(|mut allowed, list| {
        allowed.retain(|key, _| list.contains_key(key));
        allowed
    })
}

/// A bound of numbers, lengths or counts.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Bound {
    pub value: Number,
    /// The value itself is not allowed.
    pub exclusive: bool,
    pub keyword: &'static str,
}

/// Which end a bound is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Lower,
    Upper,
}

/// The strictest of the bounds of one end. `exclusive` is the keyword of the exclusive form, which in the
/// older drafts is a boolean beside the other.
pub(super) fn bound(
    view: &View<'_>,
    keyword: &'static str,
    exclusive: Option<&'static str>,
    end: End,
) -> Option<Bound> {
    let mut bounds = Vec::new();
    for part in &view.parts {
        let strict = exclusive.and_then(|keyword| part.fields.get(keyword));
        if let Some(Value::Number(value)) = part.fields.get(keyword) {
            bounds.push(Bound { value: value.clone(), exclusive: strict == Some(&Value::Bool(true)), keyword });
        }
        if let (Some(Value::Number(value)), Some(keyword)) = (strict, exclusive) {
            bounds.push(Bound { value: value.clone(), exclusive: true, keyword });
        }
    }
    bounds.into_iter().reduce(|a, b| if strictness(&a, &b, end) == Ordering::Less { b } else { a })
}

/// How strict `a` is, compared with `b`.
pub(super) fn strictness(a: &Bound, b: &Bound, end: End) -> Ordering {
    let by_value = order(&a.value, &b.value);
    let by_value = if end == End::Upper { by_value.reverse() } else { by_value };
    by_value.then(a.exclusive.cmp(&b.exclusive))
}

/// Which number is larger.
pub(super) fn order(a: &Number, b: &Number) -> Ordering {
    match (a.as_i128(), b.as_i128()) {
        (Some(a), Some(b)) => a.cmp(&b),
        _ => a.as_f64().partial_cmp(&b.as_f64()).unwrap_or(Ordering::Equal),
    }
}
