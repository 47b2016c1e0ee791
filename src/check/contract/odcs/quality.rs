//! Quality rules, of objects and of properties.

use serde_json::Value;

use super::{Told, by_name, named, nameless, rules};
use crate::check::contract::document::Here;
use crate::check::yaml::shown;

/// Fields of a rule that do not say what is checked.
const FOR_PEOPLE: [&str; 12] = [
    "id",
    "name",
    "description",
    "businessImpact",
    "dimension",
    "tags",
    "customProperties",
    "authoritativeDefinitions",
    "scheduler",
    "schedule",
    "severity",
    "method",
];
const BOUNDS: [&str; 8] = [
    "mustBe",
    "mustNotBe",
    "mustBeGreaterThan",
    "mustBeGreaterOrEqualTo",
    "mustBeLessThan",
    "mustBeLessOrEqualTo",
    "mustBeBetween",
    "mustNotBeBetween",
];

pub(super) fn compare<'a>(told: &mut Told, path: &str, was: &Here<'a>, is: &Here<'a>) {
    let name = |rule: &Here<'_>| rule.value.is_object().then(|| name(rule));
    nameless(told, "quality", was, is, path, name);
    let all = |of: &Here<'a>| by_name(of, "quality", name);
    let (before, after) = (all(was), all(is));
    let at = is.child("quality").unwrap_or_else(|| is.clone());
    for (name, old) in &before {
        match after.iter().find(|(other, _)| other == name) {
            Some((_, new)) => rule(told, path, name, old, new),
            None => {
                told.tell(&rules::QUALITY_REMOVED, &at, path, format!("quality rule {} is gone", shown(name)));
            }
        }
    }
    for (name, new) in after.iter().filter(|(name, _)| before.iter().all(|(old, _)| old != name)) {
        told.tell(&rules::QUALITY_ADDED, new, path, format!("quality rule {} is new", shown(name)));
    }
}

/// What tells a rule from others: its id, its name, or what it checks.
fn name(rule: &Here<'_>) -> String {
    let told = ["id", "name", "metric", "rule", "query", "implementation", "description"];
    told.into_iter().find_map(|key| named(rule, key)).unwrap_or_default()
}

fn rule(told: &mut Told, path: &str, name: &str, was: &Here<'_>, is: &Here<'_>) {
    let known: Vec<&str> = FOR_PEOPLE.into_iter().chain(BOUNDS).collect();
    let keys = was.value.as_object().into_iter().chain(is.value.as_object()).flat_map(serde_json::Map::keys);
    let mut others = keys.filter(|key| !known.contains(&key.as_str()));
    if let Some(key) = others.find(|key| was.value.get(*key) != is.value.get(*key)) {
        let message = format!("quality rule {} has another {}", shown(name), shown(key));
        return told.tell(&rules::QUALITY_CHANGED, is, path, message);
    }
    if BOUNDS.iter().all(|key| was.value.get(key) == is.value.get(key)) {
        return;
    }
    let (rule, what) = match (range(was), range(is)) {
        (Some(before), Some(after)) if before.is_within(&after) => (&rules::QUALITY_LOOSENED, "lets more through"),
        (Some(before), Some(after)) if after.is_within(&before) => (&rules::QUALITY_TIGHTENED, "lets less through"),
        _ => (&rules::QUALITY_CHANGED, "has other bounds"),
    };
    told.tell(rule, is, path, format!("quality rule {} {what}: {} before, {} now", shown(name), text(was), text(is)));
}

/// The numbers that a rule lets through: an end, and whether it is let through itself.
struct Range {
    low: (f64, bool),
    high: (f64, bool),
}

impl Range {
    fn is_within(&self, other: &Self) -> bool {
        let low = other.low.0 < self.low.0 || (other.low.0 <= self.low.0 && (other.low.1 || !self.low.1));
        let high = other.high.0 > self.high.0 || (other.high.0 >= self.high.0 && (other.high.1 || !self.high.1));
        low && high
    }
}

/// `None` where it is no range of numbers.
fn range(rule: &Here<'_>) -> Option<Range> {
    let mut range = Range { low: (f64::NEG_INFINITY, true), high: (f64::INFINITY, true) };
    for key in BOUNDS {
        let Some(value) = rule.value.get(key) else { continue };
        match key {
            "mustBeGreaterThan" => range.low = (value.as_f64()?, false),
            "mustBeGreaterOrEqualTo" => range.low = (value.as_f64()?, true),
            "mustBeLessThan" => range.high = (value.as_f64()?, false),
            "mustBeLessOrEqualTo" => range.high = (value.as_f64()?, true),
            "mustBe" => (range.low, range.high) = ((value.as_f64()?, true), (value.as_f64()?, true)),
            "mustBeBetween" => {
                let end = |index: usize| value.get(index).and_then(Value::as_f64);
                (range.low, range.high) = ((end(0)?, true), (end(1)?, true));
            }
            _ => return None,
        }
    }
    Some(range)
}

fn text(rule: &Here<'_>) -> String {
    let bounds = BOUNDS.iter().filter_map(|key| Some(format!("{key} {}", rule.value.get(key)?)));
    let bounds: Vec<String> = bounds.collect();
    if bounds.is_empty() { "no bound".to_owned() } else { bounds.join(" and ") }
}
