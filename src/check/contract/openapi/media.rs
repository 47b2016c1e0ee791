//! Media types of what is sent and of what is answered. A range (`text/*`, `*/*`) takes in all types that begin
//! like it; of several that take in one type, the most particular says what holds for it.

use std::collections::{BTreeMap, BTreeSet};

use super::operation::{schemas, tell};
use super::paths::Comparison;
use super::rules;
use crate::check::contract::document::Here;
use crate::check::yaml::shown;
use crate::domain::compat::Side;

type Types<'a> = BTreeMap<String, Here<'a>>;

fn types<'a>(of: &Here<'a>) -> Types<'a> {
    let members = of.get("content").map(|content| content.members()).unwrap_or_default();
    members.into_iter().map(|(name, here)| (name.to_lowercase().replace(' ', ""), here)).collect()
}

/// The ranges that take in a type or a narrower range, the most particular first.
fn ranges_around(name: &str) -> Vec<String> {
    let (kind, sort) = name.split_once('/').unwrap_or((name, ""));
    let mut around = Vec::new();
    if kind != "*" {
        if sort != "*" {
            around.push(format!("{kind}/*"));
        }
        around.push("*/*".to_owned());
    }
    around
}

/// Compares what stands below `content`.
pub(super) fn compare<'a>(told: &mut Comparison<'a>, path: &str, was: &Here<'a>, is: &Here<'a>, side: Side) {
    let (before, after) = (types(was), types(is));
    let at = is.get("content").unwrap_or_else(|| is.clone());
    let around =
        |name: &str, types: &Types<'a>| ranges_around(name).into_iter().find(|range| types.contains_key(range));
    let mut known: BTreeSet<&str> = BTreeSet::new();
    for (name, old) in &before {
        if let Some((name, new)) = after.get_key_value(name) {
            known.insert(name);
            both(told, path, old, new, side);
        } else if let Some((range, new)) = around(name, &after).and_then(|range| after.get_key_value(&range)) {
            // A range that was there before took it in before.
            if !before.contains_key(range) {
                known.insert(range);
                let message = format!("media type {} is any of {} now", shown(name), shown(range));
                tell(told, side, &rules::MEDIA_WIDENED, new, path, message);
            }
            both(told, path, old, new, side);
        } else {
            let within = after.iter().filter(|(other, _)| around(other, &before).as_ref() == Some(name));
            let within: Vec<_> = within.filter(|(other, _)| !before.contains_key(*other)).collect();
            if within.is_empty() {
                let message = format!("media type {} is gone", shown(name));
                tell(told, side, &rules::MEDIA_REMOVED, &at, path, message);
                continue;
            }
            let names = within.iter().map(|(other, _)| shown(other)).collect::<Vec<_>>().join(" and ");
            let message = format!("media type {} is {names} only now", shown(name));
            tell(told, side, &rules::MEDIA_NARROWED, &at, path, message);
            for (other, new) in within {
                known.insert(other);
                both(told, path, old, new, side);
            }
        }
    }
    let is_new = |name: &str| !known.contains(name) && !before.contains_key(name);
    for (name, new) in after.iter().filter(|(name, _)| is_new(name)) {
        tell(told, side, &rules::MEDIA_ADDED, new, path, format!("media type {} is new", shown(name)));
    }
}

fn both<'a>(told: &mut Comparison<'a>, path: &str, old: &Here<'a>, new: &Here<'a>, side: Side) {
    schemas(told, path, old, new, side);
    if old.value.get("encoding") != new.value.get("encoding") {
        tell(told, side, &rules::ENCODING, new, path, "the encoding of the parts differs");
    }
}
