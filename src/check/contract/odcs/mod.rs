//! Data contracts of the Open Data Contract Standard, version 3: what they promise of data, and around it.

mod rules;
mod words;
mod schema;
mod quality;
mod terms;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashSet};

use serde_json::Value;

use super::document::Here;
use super::notes::{Notes, lacks, object};
use super::{Editions, Language, document, vocabulary};
use crate::check::yaml::shown;
use crate::domain::compat::{ContractRule, Reason, Side};

/// Objects and properties inside each other. What is read is nested less deeply, but references lead on.
const MOST_DEEP: usize = 64;
/// Pairs of objects and properties that are compared.
const MOST_PAIRS: usize = 50_000;

/// How this language is told, compared and explained.
pub(super) const LANGUAGE: Language = Language {
    name: "Open Data Contract Standard",
    about: "Contracts of version 3, as objects or as text in YAML or JSON: schema, quality, service levels, servers, \
            price, roles. Objects and properties are told by their names, quality rules by id, name, or what they \
            check. Physical types are compared as SQL's. Teams, support, tags, descriptions, examples and custom \
            properties are not compared.",
    specifications: &["odcs", "opendatacontractstandard", "opendatacontract", "datacontract"],
    is_told_by_shape,
    // The Data Contract Specification is not compared; many call it by the same name.
    faults: |definition| lacks(definition, &["apiVersion", "kind", "dataContractSpecification"]),
    odd: |definition| match read(definition) {
        Ok(_) => vocabulary::odd(&words::CONTRACT, "ODCS 3", definition),
        Err(_) => Vec::new(),
    },
    compare,
    rules: rules::RULES,
};

fn is_told_by_shape(definition: &Value) -> bool {
    object(definition).is_ok_and(|document| document.get("kind").and_then(Value::as_str) == Some("DataContract"))
}

/// Compares two data contracts.
pub(crate) fn compare(editions: &Editions<'_>) -> Vec<Reason> {
    document::compare(editions, &rules::UNREADABLE, read, |was, is| {
        let mut told = Told::new(editions.side);
        schema::compare(&mut told, &was, &is);
        terms::compare(&mut told, &was, &is);
        told.notes.into_reasons()
    })
}

fn read(definition: &Value) -> Result<Cow<'_, Value>, String> {
    let document = object(definition)?;
    match document.get("apiVersion").and_then(Value::as_str) {
        Some(version) if version.trim_start_matches('v').starts_with("3.") => Ok(document),
        _ => Err("it does not say 'apiVersion: v3.…'".to_owned()),
    }
}

/// What a field of the standard holds.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Text,
    Bool,
    Object,
}

impl Kind {
    /// Nothing is taken for a field that is not there.
    fn takes(self, value: &Value) -> bool {
        match self {
            _ if value.is_null() => true,
            Kind::Text => value.is_string(),
            Kind::Bool => value.is_boolean(),
            Kind::Object => value.is_object(),
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Kind::Text => "a text",
            Kind::Bool => "true or false",
            Kind::Object => "an object",
        }
    }
}

/// What was told so far, and what was compared.
struct Told {
    notes: Notes,
    /// Pairs of objects and properties that were compared: what leads to them again is settled with them.
    seen: HashSet<(usize, usize)>,
    /// Objects and properties around the one that is compared.
    depth: usize,
    /// Whether it was told that not all is compared.
    is_too_large: bool,
}

impl Told {
    fn new(side: Side) -> Self {
        Self { notes: Notes::new(side), seen: HashSet::new(), depth: 0, is_too_large: false }
    }

    /// Whether two objects or properties are still to be compared. References may lead around, deep, and to
    /// many pairs; that there is more than is compared is told once.
    fn is_next(&mut self, was: &Here<'_>, is: &Here<'_>, path: &str) -> bool {
        let address = |here: &Here<'_>| std::ptr::from_ref(here.value).addr();
        if self.seen.contains(&(address(was), address(is))) {
            return false;
        }
        if self.depth >= MOST_DEEP || self.seen.len() >= MOST_PAIRS {
            if !self.is_too_large {
                self.is_too_large = true;
                self.tell(&rules::TOO_LARGE, is, path, "it is not compared from here on");
            }
            return false;
        }
        self.seen.insert((address(was), address(is)))
    }

    fn tell(&mut self, rule: &ContractRule, at: &Here<'_>, path: &str, message: impl Into<String>) {
        self.notes.tell(rule, &at.pointer, path, message);
    }

    /// Whether a field is of its kind in both editions, or not there. Where it is not, that it differs is all
    /// that can be told.
    fn is_sound(&mut self, key: &str, kind: Kind, was: &Here<'_>, is: &Here<'_>, path: &str) -> bool {
        let (before, after) = (was.value.get(key), is.value.get(key));
        let is_odd = |value: Option<&Value>| value.is_some_and(|value| !kind.takes(value));
        if !is_odd(before) && !is_odd(after) {
            return true;
        }
        if before != after {
            let at = is.child(key).unwrap_or_else(|| is.clone());
            let message = format!("{} differs, and is not {} in both editions", shown(key), kind.name());
            self.tell(&rules::NOT_UNDERSTOOD, &at, path, message);
        }
        false
    }

    /// Fields that differ and are neither compared nor for people only.
    fn others(&mut self, known: &[&str], was: &Here<'_>, is: &Here<'_>, path: &str) {
        let keys = was.value.as_object().into_iter().chain(is.value.as_object()).flat_map(serde_json::Map::keys);
        let mut seen = BTreeSet::new();
        for key in keys.filter(|key| !known.contains(&key.as_str())) {
            if was.value.get(key) != is.value.get(key) && seen.insert(key) {
                let at = is.child(key).unwrap_or_else(|| is.clone());
                self.tell(&rules::NOT_UNDERSTOOD, &at, path, format!("{} differs", shown(key)));
            }
        }
    }
}

/// Tells of what a list holds that has no name, where it differs: its place among the others tells nothing.
fn nameless(
    told: &mut Told,
    list: &str,
    was: &Here<'_>,
    is: &Here<'_>,
    path: &str,
    name: impl Fn(&Here<'_>) -> Option<String>,
) {
    let (before, after) = (was.child(list), is.child(list));
    let is_odd = |one: &Option<Here<'_>>| one.as_ref().is_some_and(|one| !one.value.is_array());
    let left = |one: &Option<Here<'_>>| {
        let items = one.as_ref().map(Here::items).unwrap_or_default();
        items.into_iter().filter(|item| name(item).is_none()).map(|item| item.value.clone()).collect::<Vec<_>>()
    };
    let differs = before.as_ref().map(|one| one.value) != after.as_ref().map(|one| one.value);
    if differs && (is_odd(&before) || is_odd(&after) || left(&before) != left(&after)) {
        let at = after.unwrap_or_else(|| is.clone());
        told.tell(&rules::NOT_UNDERSTOOD, &at, path, format!("{} differs in what has no name", shown(list)));
    }
}

/// A list by what tells its items apart. Of several with one name, the second is called `name (2)`.
fn by_name<'a>(of: &Here<'a>, list: &str, name: impl Fn(&Here<'a>) -> Option<String>) -> Vec<(String, Here<'a>)> {
    let mut counted: BTreeMap<String, usize> = BTreeMap::new();
    let mut named: Vec<(String, Here<'a>)> = Vec::new();
    for item in of.child(list).map(|list| list.items()).unwrap_or_default() {
        let Some(name) = name(&item) else { continue };
        let count = counted.entry(name.clone()).or_default();
        *count += 1;
        named.push((if *count == 1 { name } else { format!("{name} ({count})") }, item));
    }
    named
}

fn named(item: &Here<'_>, key: &str) -> Option<String> {
    item.text(key).map(str::to_owned)
}
