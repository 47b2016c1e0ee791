//! Keywords about objects.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::compare::{Comparison, Place};
use super::facts::End;
use super::rules;
use super::view::{Part, Root, View};
use crate::check::contract::listed;

/// Keywords by which properties are evaluated, beside their being declared.
const EVALUATING: [&str; 9] = [
    "additionalProperties",
    "patternProperties",
    "anyOf",
    "oneOf",
    "not",
    "if",
    "dependentSchemas",
    "dependencies",
    "$dynamicRef",
];

/// What a view says about the properties of an object.
struct Properties<'a, 'v> {
    view: &'v View<'a>,
    declared: BTreeSet<&'a str>,
    required: BTreeSet<&'a str>,
    /// Whether `unevaluatedProperties` is about what is not declared, and about nothing else.
    rest_is_plain: bool,
}

impl<'a, 'v> Properties<'a, 'v> {
    fn of(view: &'v View<'a>) -> Self {
        let declared = view.all("properties").filter_map(Value::as_object).flat_map(|named| named.keys());
        let required = view.all("required").filter_map(Value::as_array).flatten().filter_map(Value::as_str);
        Self {
            view,
            declared: declared.map(String::as_str).collect(),
            required: required.collect(),
            rest_is_plain: EVALUATING.iter().all(|keyword| view.all(keyword).next().is_none()),
        }
    }

    /// The schemas that hold for a property by its name.
    fn schemas(&self, name: &str) -> Vec<Root<'a>> {
        let mut schemas = Vec::new();
        for part in &self.view.parts {
            match part.fields.get("properties").and_then(|named| named.get(name)) {
                Some(schema) => schemas.push(Root::below(part, schema, &["properties", name])),
                None => schemas.extend(rest_of(part, "additionalProperties")),
            }
        }
        if self.rest_is_plain && !self.declared.contains(name) {
            schemas.extend(self.view.parts.iter().filter_map(|part| rest_of(part, "unevaluatedProperties")));
        }
        schemas
    }

    /// The schemas that hold for properties that are not declared.
    fn rest(&self) -> Vec<Root<'a>> {
        let keywords: &[&str] = if self.rest_is_plain {
            &["additionalProperties", "unevaluatedProperties"]
        } else {
            &["additionalProperties"]
        };
        let parts = self.view.parts.iter();
        parts.flat_map(|part| keywords.iter().filter_map(|keyword| rest_of(part, keyword))).collect()
    }

    fn patterns(&self) -> BTreeMap<&'a str, Vec<Root<'a>>> {
        let mut patterns: BTreeMap<&str, Vec<Root<'_>>> = BTreeMap::new();
        for part in &self.view.parts {
            for (pattern, schema) in
                part.fields.get("patternProperties").and_then(Value::as_object).into_iter().flatten()
            {
                let root = Root::below(part, schema, &["patternProperties", pattern]);
                patterns.entry(pattern).or_default().push(root);
            }
        }
        patterns
    }
}

fn rest_of<'a>(part: &Part<'a>, keyword: &str) -> Option<Root<'a>> {
    let schema = part.fields.get(keyword).filter(|schema| **schema != Value::Bool(true))?;
    Some(Root::below(part, schema, &[keyword]))
}

pub(super) fn compare<'a>(told: &mut Comparison<'a>, before: &View<'a>, after: &View<'a>, place: &Place) {
    let (mut old, mut new) = (Properties::of(before), Properties::of(after));
    let says = |view: &View<'_>| view.all("unevaluatedProperties").any(|rest| rest != &Value::Bool(true));
    if (says(before) || says(after)) && !(old.rest_is_plain && new.rest_is_plain) {
        (old.rest_is_plain, new.rest_is_plain) = (false, false);
        told.unevaluated(before, after, place);
    }
    required(told, &old, &new, place);
    for name in &new.declared {
        let schemas = new.schemas(name);
        let pointer = schemas.first().map_or_else(|| place.pointer.clone(), |root| root.pointer.clone());
        let inner = place.property(name, pointer);
        if old.declared.contains(name) {
            told.schemas(&old.schemas(name), &schemas, &inner);
        } else {
            added(told, &old.schemas(name), &schemas, &inner);
        }
    }
    for name in old.declared.difference(&new.declared) {
        let pointer = place.at(after, "properties");
        let inner = place.property(name, pointer.clone());
        if is_closed(&new.rest()) {
            let message = format!("'{name}' is gone, and properties that are not declared are refused");
            told.tell(&rules::PROPERTY_REFUSED, &pointer, &inner, message);
        } else {
            told.tell(&rules::PROPERTY_REMOVED, &pointer, &inner, format!("'{name}' is gone"));
        }
    }
    rest(told, &old, &new, place);
    patterns(told, &old, &new, place);
    let names = |view: &View<'a>| -> Vec<Root<'a>> {
        view.parts
            .iter()
            .filter_map(|part| Some(Root::below(part, part.fields.get("propertyNames")?, &["propertyNames"])))
            .collect()
    };
    let (old_names, new_names) = (names(before), names(after));
    if !(old_names.is_empty() && new_names.is_empty()) {
        let inner = place.marked(" (names)", place.at(after, "propertyNames"));
        told.schemas(&old_names, &new_names, &inner);
    }
    told.count(before, after, place, "minProperties", End::Lower);
    told.count(before, after, place, "maxProperties", End::Upper);
}

/// A property is declared that was not. `before` is what held for it as an undeclared one.
fn added<'a>(told: &mut Comparison<'a>, before: &[Root<'a>], after: &[Root<'a>], place: &Place) {
    if is_closed(before) {
        let message = "it is new in an object that promised to have no others".to_owned();
        return told.tell(&rules::PROPERTY_ADDED_TO_CLOSED, &place.pointer, place, message);
    }
    told.tell(&rules::PROPERTY_ADDED, &place.pointer, place, "it is new".to_owned());
    if !before.is_empty() {
        told.schemas(before, after, place);
    }
}

fn required(told: &mut Comparison<'_>, old: &Properties<'_, '_>, new: &Properties<'_, '_>, place: &Place) {
    let pointer = place.at(new.view, "required");
    for name in new.required.difference(&old.required) {
        let inner = place.property(name, pointer.clone());
        told.tell(&rules::REQUIRED_ADDED, &pointer, &inner, format!("'{name}' has to be there"));
    }
    for name in old.required.difference(&new.required) {
        // That a property is gone is said once.
        if old.declared.contains(name) && !new.declared.contains(name) {
            continue;
        }
        let inner = place.property(name, pointer.clone());
        told.tell(&rules::REQUIRED_REMOVED, &pointer, &inner, format!("'{name}' may be missing"));
    }
}

fn rest<'a>(told: &mut Comparison<'a>, old: &Properties<'a, '_>, new: &Properties<'a, '_>, place: &Place) {
    let (was, is) = (old.rest(), new.rest());
    let pointer = is.first().map_or_else(|| place.at(new.view, "properties"), |root| root.pointer.clone());
    let inner = place.marked(".*", pointer.clone());
    match (is_closed(&was), is_closed(&is)) {
        (true, true) => {}
        (false, true) => {
            told.tell(&rules::CLOSED, &pointer, &inner, "properties that are not declared are refused".to_owned());
        }
        (true, false) => {
            told.tell(&rules::OPENED, &pointer, &inner, "properties that are not declared are allowed".to_owned());
        }
        (false, false) if was.is_empty() && is.is_empty() => {}
        (false, false) => told.schemas(&was, &is, &inner),
    }
}

fn is_closed(schemas: &[Root<'_>]) -> bool {
    schemas.iter().any(|root| root.schema == &Value::Bool(false))
}

fn patterns<'a>(told: &mut Comparison<'a>, old: &Properties<'a, '_>, new: &Properties<'a, '_>, place: &Place) {
    let (was, is) = (old.patterns(), new.patterns());
    if was.is_empty() && is.is_empty() {
        return;
    }
    let pointer = place.at(new.view, "patternProperties");
    // A property may be declared by its name on one side, and by a pattern on the other.
    if !was.keys().eq(is.keys()) || old.declared != new.declared {
        let message = if was.keys().eq(is.keys()) {
            "properties are declared by pattern, and others by name than before".to_owned()
        } else {
            format!("the patterns of properties were {} and are {}", listed(was.keys()), listed(is.keys()))
        };
        told.tell(&rules::NOT_UNDERSTOOD, &pointer, place, message);
    }
    for (pattern, schemas) in &is {
        if let Some(before) = was.get(pattern) {
            told.schemas(before, schemas, &place.marked(&format!(".{{{pattern}}}"), pointer.clone()));
        }
    }
}
