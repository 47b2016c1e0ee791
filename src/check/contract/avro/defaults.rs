//! Whether a default is a value of its type.

use std::cell::Cell;
use std::collections::HashMap;

use serde_json::Value;

use super::names;
use crate::check::contract::listed;

/// Values that are held against types in all of a schema. Unions of unions of records multiply.
const MOST: usize = 100_000;

pub(super) struct Defaults<'a> {
    named: &'a HashMap<String, &'a Value>,
    left: Cell<usize>,
}

impl<'a> Defaults<'a> {
    pub(super) fn new(named: &'a HashMap<String, &'a Value>) -> Self {
        Self { named, left: Cell::new(MOST) }
    }

    /// The type, for a sentence, of which a default is certainly no value.
    pub(super) fn refused(&self, default: &Value, kind: &Value, namespace: &str) -> Option<String> {
        (!self.may_be(default, kind, namespace)).then(|| self.described(kind, namespace))
    }

    /// A value of a type by its name goes on into the parts of the value, and all others into the parts of the
    /// schema: it ends.
    fn may_be(&self, value: &Value, kind: &Value, namespace: &str) -> bool {
        if !self.goes_on(1) {
            return true;
        }
        match kind {
            // Since Avro 1.12 it may be of any branch.
            Value::Array(branches) => branches.iter().any(|branch| self.may_be(value, branch, namespace)),
            Value::String(name) => self.may_be_named(value, name, kind, namespace),
            Value::Object(fields) => match fields.get("type") {
                Some(Value::String(name)) => self.may_be_named(value, name, kind, namespace),
                Some(inner) => self.may_be(value, inner, namespace),
                None => true,
            },
            _ => true,
        }
    }

    /// Takes so many of the steps that are left.
    fn goes_on(&self, steps: usize) -> bool {
        let left = self.left.get().checked_sub(steps);
        self.left.set(left.unwrap_or(0));
        left.is_some()
    }

    fn may_be_named(&self, value: &Value, name: &str, kind: &Value, namespace: &str) -> bool {
        let is_whole = |least: f64, most: f64| {
            value.as_f64().is_some_and(|number| number.fract() == 0.0 && (least..=most).contains(&number))
        };
        match name {
            "null" => value.is_null(),
            "boolean" => value.is_boolean(),
            "int" => is_whole(f64::from(i32::MIN), f64::from(i32::MAX)),
            "long" => is_whole(-9.3e18, 9.3e18),
            "float" | "double" => {
                value.is_number() || matches!(value.as_str(), Some("NaN" | "Infinity" | "-Infinity" | "INF" | "-INF"))
            }
            "string" | "bytes" | "fixed" => value.is_string(),
            "enum" => match kind.get("symbols").and_then(Value::as_array) {
                Some(symbols) => !self.goes_on(symbols.len()) || symbols.contains(value),
                None => true,
            },
            "array" => value.as_array().is_some_and(|items| {
                kind.get("items").is_none_or(|of| items.iter().all(|item| self.may_be(item, of, namespace)))
            }),
            "map" => value.as_object().is_some_and(|members| {
                kind.get("values").is_none_or(|of| members.values().all(|member| self.may_be(member, of, namespace)))
            }),
            "record" | "error" => value.as_object().is_some_and(|members| {
                let within = kind.get("namespace").and_then(Value::as_str).unwrap_or(namespace);
                let fields = kind.get("fields").and_then(Value::as_array);
                if !self.goes_on(fields.map_or(0, Vec::len)) {
                    return true;
                }
                fields.into_iter().flatten().all(|field| {
                    let name = field.get("name").and_then(Value::as_str);
                    match (name.and_then(|name| members.get(name)), field.get("type")) {
                        (Some(member), Some(of)) => self.may_be(member, of, within),
                        (None, _) => field.get("default").is_some(),
                        _ => true,
                    }
                })
            }),
            _ => match self.definition(name, namespace) {
                Some((kind, namespace)) => self.may_be(value, kind, namespace),
                // Of another file.
                None => true,
            },
        }
    }

    fn definition<'n>(&self, name: &'n str, namespace: &'n str) -> Option<(&'a Value, &'n str)> {
        let found = self.named.get(&names::within(namespace, name)).or_else(|| self.named.get(name))?;
        let own = name.rsplit_once('.').map_or(namespace, |(own, _)| own);
        Some((*found, own))
    }

    fn described(&self, kind: &Value, namespace: &str) -> String {
        match kind {
            Value::String(name) => match self.definition(name, namespace) {
                Some((kind, namespace)) if !kind.is_string() => self.described(kind, namespace),
                _ => format!("the type '{name}'"),
            },
            Value::Array(branches) => {
                let plain = branches.iter().map(|branch| branch.as_str().or_else(|| branch.get("type")?.as_str()));
                match plain.collect::<Option<Vec<&str>>>() {
                    Some(names) => format!("the types {}", listed(names)),
                    None => "its types".to_owned(),
                }
            }
            Value::Object(fields) => match (fields.get("type"), fields.get("name").and_then(Value::as_str)) {
                (Some(Value::String(of)), Some(_)) if of == "enum" => {
                    let symbols = fields.get("symbols").and_then(Value::as_array);
                    let symbols = symbols.into_iter().flatten().filter_map(Value::as_str);
                    format!("its enum, which has {}", listed(symbols))
                }
                (Some(Value::String(of)), Some(name)) => format!("the {of} '{name}'"),
                (Some(Value::String(of)), None) => format!("the type '{of}'"),
                (Some(inner), _) => self.described(inner, namespace),
                (None, _) => "its type".to_owned(),
            },
            _ => "its type".to_owned(),
        }
    }
}
