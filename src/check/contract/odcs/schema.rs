//! Objects and properties.

use std::collections::{BTreeSet, HashMap};

use serde_json::Value;

use super::{Kind, Told, by_name, named, nameless, quality, rules};
use crate::check::contract::data_type::{Relation, relation};
use crate::check::contract::document::Here;
use crate::check::contract::fields::Spot;
use crate::check::contract::{joined, plain, privacy};
use crate::check::yaml::shown;

/// Fields of objects and properties that are for people, or of no weight for others.
const FOR_PEOPLE: [&str; 11] = [
    "id",
    "businessName",
    "description",
    "tags",
    "examples",
    "customProperties",
    "authoritativeDefinitions",
    "dataGranularityDescription",
    "criticalDataElement",
    "partitioned",
    "partitionKeyPosition",
];
/// Those that are compared.
const COMPARED: [&str; 14] = [
    "name",
    "physicalName",
    "physicalType",
    "logicalType",
    "logicalTypeOptions",
    "required",
    "unique",
    "primaryKey",
    "primaryKeyPosition",
    "classification",
    "properties",
    "items",
    "quality",
    "relationships",
];

pub(super) fn compare<'a>(told: &mut Told, was: &Here<'a>, is: &Here<'a>) {
    nameless(told, "schema", was, is, "", |item| named(item, "name"));
    let objects = |of: &Here<'a>| by_name(of, "schema", |item| named(item, "name"));
    let (before, after) = (objects(was), objects(is));
    let at = is.child("schema").unwrap_or_else(|| is.clone());
    let (olds, news) = (names(&before), names(&after));
    for (name, old) in &before {
        match news.get(name.as_str()) {
            Some(new) => element(told, name, old, new),
            None => told.tell(&rules::OBJECT_REMOVED, &at, name, format!("object {} is gone", shown(name))),
        }
    }
    for (name, new) in after.iter().filter(|(name, _)| !olds.contains_key(name.as_str())) {
        told.tell(&rules::OBJECT_ADDED, new, name, format!("object {} is new", shown(name)));
    }
}

/// What was listed, by name.
fn names<'l, 'a>(list: &'l [(String, Here<'a>)]) -> HashMap<&'l str, &'l Here<'a>> {
    list.iter().map(|(name, here)| (name.as_str(), here)).collect()
}

/// Two objects, two properties, or what stands in two lists.
fn element<'a>(told: &mut Told, path: &str, was: &Here<'a>, is: &Here<'a>) {
    if !told.is_next(was, is, path) {
        return;
    }
    told.depth += 1;
    inside(told, path, was, is);
    told.depth -= 1;
}

fn inside<'a>(told: &mut Told, path: &str, was: &Here<'a>, is: &Here<'a>) {
    if !was.value.is_object() || !is.value.is_object() {
        if was.value != is.value {
            told.tell(&rules::NOT_UNDERSTOOD, is, path, "it differs, and is not an object in both editions");
        }
        return;
    }
    // Without a physical name, the name is that as well.
    let physical = |of: &Here<'a>| of.text("physicalName").or_else(|| of.text("name"));
    if ["name", "physicalName"].into_iter().all(|key| told.is_sound(key, Kind::Text, was, is, path))
        && let (Some(before), Some(after)) = (physical(was), physical(is))
        && before != after
    {
        let message = format!("the physical name was {} and is {}", shown(before), shown(after));
        told.tell(&rules::PHYSICAL_NAME, is, path, message);
    }
    types(told, path, was, is);
    options(told, path, was, is);
    match (was.is("required"), is.is("required")) {
        _ if !told.is_sound("required", Kind::Bool, was, is, path) => {}
        (false, true) => told.tell(&rules::BECAME_REQUIRED, is, path, "it is required now"),
        (true, false) => told.tell(&rules::BECAME_OPTIONAL, is, path, "it is no longer required"),
        _ => {}
    }
    for key in ["primaryKeyPosition", "relationships"] {
        if was.value.get(key) != is.value.get(key) {
            let at = is.child(key).unwrap_or_else(|| is.clone());
            told.tell(&rules::NOT_UNDERSTOOD, &at, path, format!("{} differs", shown(key)));
        }
    }
    for (key, what) in [("unique", "unique"), ("primaryKey", "part of the primary key")] {
        match (was.is(key), is.is(key)) {
            _ if !told.is_sound(key, Kind::Bool, was, is, path) => {}
            (false, true) => told.tell(&rules::KEY_ADDED, is, path, format!("it is {what} now")),
            (true, false) => told.tell(&rules::KEY_REMOVED, is, path, format!("it is no longer {what}")),
            _ => {}
        }
    }
    classification(told, path, was, is);
    let marked =
        Spot { before: Some(was.value), after: Some(is.value), pointer: is.pointer.clone(), path: path.to_owned() };
    told.notes.extend(privacy::marks(&marked, told.notes.side));
    quality::compare(told, path, was, is);
    let known: Vec<&str> = FOR_PEOPLE.into_iter().chain(COMPARED).collect();
    told.others(&known, was, is, path);
    if let (Some(before), Some(after)) = (was.child("items"), is.child("items")) {
        element(told, &format!("{path}[]"), &before, &after);
    } else if was.value.get("items") != is.value.get("items") {
        told.tell(&rules::TYPES.unclear, is, path, "what stands in the list is written in one edition only");
    }
    properties(told, path, was, is);
}

fn properties<'a>(told: &mut Told, path: &str, was: &Here<'a>, is: &Here<'a>) {
    nameless(told, "properties", was, is, path, |item| named(item, "name"));
    let all = |of: &Here<'a>| by_name(of, "properties", |item| named(item, "name"));
    let (before, after) = (all(was), all(is));
    let at = is.child("properties").unwrap_or_else(|| is.clone());
    let (olds, news) = (names(&before), names(&after));
    for (name, old) in &before {
        let path = joined(path, name);
        match news.get(name.as_str()) {
            Some(new) => element(told, &path, old, new),
            None => told.tell(&rules::PROPERTY_REMOVED, &at, &path, format!("property {} is gone", shown(name))),
        }
    }
    for (name, new) in after.iter().filter(|(name, _)| !olds.contains_key(name.as_str())) {
        let path = joined(path, name);
        let (rule, what) = if new.is("required") {
            (&rules::PROPERTY_REQUIRED, "is new and required")
        } else {
            (&rules::PROPERTY_ADDED, "is new")
        };
        told.tell(rule, new, &path, format!("property {} {what}", shown(name)));
    }
}

fn types(told: &mut Told, path: &str, was: &Here<'_>, is: &Here<'_>) {
    let mut logical = None;
    for key in ["logicalType", "physicalType"] {
        let (before, after) = (was.text(key), is.text(key));
        if !told.is_sound(key, Kind::Text, was, is, path) {
            continue;
        }
        let what = if key == "logicalType" { "the logical type" } else { "the physical type" };
        let how = match (before, after) {
            (Some(before), Some(after)) if before == after => continue,
            (None, None) => continue,
            (Some("integer"), Some("number")) => Relation::Wider,
            (Some("number"), Some("integer")) => Relation::Narrower,
            (Some(before), Some(after)) if key == "physicalType" => relation(before, after),
            (Some(_), Some(_)) => Relation::Other,
            _ => Relation::Unclear,
        };
        let Some(rule) = rules::TYPES.of(how) else { continue };
        // A physical type that goes along with the logical one is the same news.
        if logical == Some(rule.id) {
            continue;
        }
        logical = Some(rule.id);
        let text = |of: Option<&str>| of.map_or("not written".to_owned(), shown);
        let at = is.child(key).unwrap_or_else(|| is.clone());
        told.tell(rule, &at, path, format!("{what} was {} and is {}", text(before), text(after)));
    }
}

fn options(told: &mut Told, path: &str, was: &Here<'_>, is: &Here<'_>) {
    if !told.is_sound("logicalTypeOptions", Kind::Object, was, is, path) {
        return;
    }
    let empty = serde_json::Map::new();
    let options = |of: &Here<'_>| of.value.get("logicalTypeOptions").and_then(Value::as_object).cloned();
    let (before, after) = (options(was).unwrap_or_else(|| empty.clone()), options(is).unwrap_or(empty));
    let at = is.child("logicalTypeOptions").unwrap_or_else(|| is.clone());
    let keys: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    for key in keys {
        let (old, new) = (before.get(key), after.get(key));
        if old == new {
            continue;
        }
        let lower = key.starts_with("min") || key == "exclusiveMinimum";
        let upper = key.starts_with("max") || key == "exclusiveMaximum";
        let numbers = (old.and_then(Value::as_f64), new.and_then(Value::as_f64));
        let rule = match (old, new) {
            (None, Some(_)) => &rules::OPTION_TIGHTENED,
            (Some(_), None) => &rules::OPTION_LOOSENED,
            _ => match numbers {
                (Some(before), Some(after)) if lower || upper => {
                    if (after > before) == lower {
                        &rules::OPTION_TIGHTENED
                    } else {
                        &rules::OPTION_LOOSENED
                    }
                }
                _ => &rules::OPTION_CHANGED,
            },
        };
        let text = |of: Option<&Value>| of.map_or("not there".to_owned(), |value| shown(&plain(value)));
        told.tell(rule, &at, path, format!("{} was {} and is {}", shown(key), text(old), text(new)));
    }
}

/// How sensitive the usual words say it is.
fn rank(classification: Option<&str>) -> Option<u8> {
    let Some(classification) = classification else { return Some(0) };
    Some(match classification.to_lowercase().as_str() {
        "public" | "open" => 0,
        "internal" => 1,
        "sensitive" | "confidential" | "private" => 2,
        "restricted" | "pii" | "personal" | "secret" | "highly confidential" => 3,
        _ => return None,
    })
}

fn classification(told: &mut Told, path: &str, was: &Here<'_>, is: &Here<'_>) {
    let (before, after) = (was.text("classification"), is.text("classification"));
    if !told.is_sound("classification", Kind::Text, was, is, path) || before == after {
        return;
    }
    let is_personal = |of: Option<&str>| of.is_some_and(privacy::is_personal_class);
    let rule = match (rank(before), rank(after)) {
        // To hold personal data is another law, whatever else it was.
        (Some(_), Some(_)) if !is_personal(before) && is_personal(after) => &rules::CLASSIFICATION_RAISED,
        (Some(before), Some(after)) if after > before => &rules::CLASSIFICATION_RAISED,
        (Some(before), Some(after)) if after < before => &rules::CLASSIFICATION_LOWERED,
        // Words of one rank, and words that are not known.
        _ => &rules::CLASSIFICATION_CHANGED,
    };
    let text = |of: Option<&str>| of.map_or("not told".to_owned(), shown);
    let at = is.child("classification").unwrap_or_else(|| is.clone());
    told.tell(rule, &at, path, format!("the classification was {} and is {}", text(before), text(after)));
}
