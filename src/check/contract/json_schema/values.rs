//! Keywords about single values: types, lists of values, bounds, patterns and formats.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use serde_json::Value;

use super::compare::{Comparison, Place};
use super::facts::{self, Bound, End, Type, Types};
use super::rules;
use super::view::View;
use crate::check::contract::{listed, plain};

/// Compares the types. `None` when nothing is left to compare: the values are of other types now.
pub(super) fn types(told: &mut Comparison<'_>, before: &View<'_>, after: &View<'_>, place: &Place) -> Option<Types> {
    if facts::has_unknown_type(before) || facts::has_unknown_type(after) {
        if facts::names_of_types(before) != facts::names_of_types(after) {
            let message = "a type differs that JSON Schema does not know".to_owned();
            told.tell(&rules::NOT_UNDERSTOOD, &place.at(after, "type"), place, message);
        }
        return Some(facts::EVERY.into());
    }
    let (old, new) = (facts::types(before), facts::types(after));
    let gained: Types = new.difference(&old).copied().collect();
    let lost: Types = old.difference(&new).copied().collect();
    let both: Types = old.intersection(&new).copied().collect();
    let pointer = place.at(after, "type");
    let null: Types = [Type::Null].into();
    let changed = format!("the type was {} and is {}", facts::words(&old), facts::words(&new));
    let rest = |told: &mut Comparison<'_>, gained: &Types, lost: &Types| match (gained.is_empty(), lost.is_empty()) {
        (true, true) => {}
        (false, false) => told.tell(&rules::TYPE_CHANGED, &pointer, place, changed.clone()),
        (false, true) => told.tell(&rules::TYPE_WIDENED, &pointer, place, changed.clone()),
        (true, false) => told.tell(&rules::TYPE_NARROWED, &pointer, place, changed.clone()),
    };
    if gained == null && !old.is_empty() {
        told.tell(&rules::NULL_ALLOWED, &pointer, place, "the value may be null".to_owned());
        rest(told, &Types::new(), &lost);
    } else if lost == null && !new.is_empty() {
        told.tell(&rules::NULL_REFUSED, &pointer, place, "the value may no longer be null".to_owned());
        rest(told, &gained, &Types::new());
    } else {
        rest(told, &gained, &lost);
    }
    (!both.is_empty()).then_some(both)
}

/// Compares the values that `enum` and `const` list.
pub(super) fn listed_values(told: &mut Comparison<'_>, before: &View<'_>, after: &View<'_>, place: &Place) {
    let keyword = if after.all("enum").next().is_some() { "enum" } else { "const" };
    let pointer = place.at(after, keyword);
    match (facts::values(before), facts::values(after)) {
        (None, None) => {}
        (None, Some(new)) => {
            let message = format!("only {} is allowed", listed(new.values().map(|value| plain(value))));
            told.tell(&rules::VALUES_REMOVED, &pointer, place, message);
        }
        (Some(old), None) => {
            let message = format!("values other than {} are allowed", listed(old.values().map(|value| plain(value))));
            told.tell(&rules::VALUES_ADDED, &pointer, place, message);
        }
        (Some(old), Some(new)) => {
            // Null is told as a type.
            let told_here = |value: &&Value| !value.is_null();
            let gained = new.iter().filter(|(key, _)| !old.contains_key(*key)).map(|(_, value)| *value);
            let gained: Vec<&Value> = gained.filter(told_here).collect();
            let lost = old.iter().filter(|(key, _)| !new.contains_key(*key)).map(|(_, value)| *value);
            let lost: Vec<&Value> = lost.filter(told_here).collect();
            if !gained.is_empty() {
                told.tell(
                    &rules::VALUES_ADDED,
                    &pointer,
                    place,
                    format!("{} is allowed as well", listed(gained.iter().map(|value| plain(value)))),
                );
            }
            if !lost.is_empty() {
                told.tell(
                    &rules::VALUES_REMOVED,
                    &pointer,
                    place,
                    format!("{} is allowed no longer", listed(lost.iter().map(|value| plain(value)))),
                );
            }
        }
    }
}

/// Compares what is said about numbers.
pub(super) fn numbers(told: &mut Comparison<'_>, before: &View<'_>, after: &View<'_>, place: &Place) {
    bounds(told, before, after, place, ("minimum", Some("exclusiveMinimum"), End::Lower));
    bounds(told, before, after, place, ("maximum", Some("exclusiveMaximum"), End::Upper));
    multiples(told, before, after, place);
}

/// Compares one end of a range.
pub(super) fn bounds(
    told: &mut Comparison<'_>,
    before: &View<'_>,
    after: &View<'_>,
    place: &Place,
    (keyword, exclusive, end): (&'static str, Option<&'static str>, End),
) {
    // Counts and lengths are never below zero, so a lower bound of zero says nothing.
    let says = |bound: &Bound| exclusive.is_some() || end == End::Upper || bound.value.as_f64() != Some(0.0);
    let old = facts::bound(before, keyword, exclusive, end).filter(says);
    let new = facts::bound(after, keyword, exclusive, end).filter(says);
    let pointer = place.at(after, new.as_ref().map_or(keyword, |bound| bound.keyword));
    let (rule, message) = match (old, new) {
        (None, None) => return,
        (None, Some(new)) => (&rules::BOUND_TIGHTENED, format!("{} is {}", new.keyword, new.value)),
        (Some(old), None) => (&rules::BOUND_LOOSENED, format!("{} was {} and is gone", old.keyword, old.value)),
        (Some(old), Some(new)) => {
            let message = if old.keyword == new.keyword && old.exclusive == new.exclusive {
                format!("{} was {} and is {}", new.keyword, old.value, new.value)
            } else {
                let words = |bound: &Bound| {
                    let excluded = bound.exclusive && !bound.keyword.starts_with("exclusive");
                    format!("{} {}{}", bound.keyword, bound.value, if excluded { ", excluded" } else { "" })
                };
                format!("it was {} and is {}", words(&old), words(&new))
            };
            match facts::strictness(&new, &old, end) {
                Ordering::Equal => return,
                Ordering::Greater => (&rules::BOUND_TIGHTENED, message),
                Ordering::Less => (&rules::BOUND_LOOSENED, message),
            }
        }
    };
    told.tell(rule, &pointer, place, message);
}

fn multiples(told: &mut Comparison<'_>, before: &View<'_>, after: &View<'_>, place: &Place) {
    let set = |view: &View<'_>| view.all("multipleOf").map(Value::to_string).collect::<BTreeSet<_>>();
    let (old, new) = (set(before), set(after));
    if old == new {
        return;
    }
    let pointer = place.at(after, "multipleOf");
    let whole = |view: &View<'_>| match view.all("multipleOf").collect::<Vec<_>>().as_slice() {
        [only] => only.as_u64().filter(|value| *value > 0),
        _ => None,
    };
    let message = format!("multipleOf was {} and is {}", or_nothing(&old), or_nothing(&new));
    let rule = match (whole(before), whole(after)) {
        _ if old.is_subset(&new) => &rules::BOUND_TIGHTENED,
        _ if new.is_subset(&old) => &rules::BOUND_LOOSENED,
        (Some(old), Some(new)) if new % old == 0 => &rules::BOUND_TIGHTENED,
        (Some(old), Some(new)) if old % new == 0 => &rules::BOUND_LOOSENED,
        _ => &rules::MULTIPLE_CHANGED,
    };
    told.tell(rule, &pointer, place, message);
}

fn or_nothing(set: &BTreeSet<String>) -> String {
    if set.is_empty() { "not given".to_owned() } else { set.iter().cloned().collect::<Vec<_>>().join(" and ") }
}

/// Compares what is said about texts.
pub(super) fn texts(told: &mut Comparison<'_>, before: &View<'_>, after: &View<'_>, place: &Place) {
    bounds(told, before, after, place, ("minLength", None, End::Lower));
    bounds(told, before, after, place, ("maxLength", None, End::Upper));
    let (old, new) = (before.texts("pattern"), after.texts("pattern"));
    if old != new {
        let pointer = place.at(after, "pattern");
        let (rule, message) = if old.is_subset(&new) {
            (&rules::PATTERN_ADDED, format!("it has to match {}", listed(new.difference(&old))))
        } else if new.is_subset(&old) {
            (&rules::PATTERN_REMOVED, format!("it need not match {} any more", listed(old.difference(&new))))
        } else {
            (&rules::PATTERN_CHANGED, format!("the pattern was {} and is {}", listed(&old), listed(&new)))
        };
        told.tell(rule, &pointer, place, message);
    }
    for keyword in ["contentEncoding", "contentMediaType", "contentSchema"] {
        let all = |view: &View<'_>| view.all(keyword).map(Value::to_string).collect::<BTreeSet<_>>();
        let (old, new) = (all(before), all(after));
        if old != new {
            let message = format!("{keyword} was {} and is {}", or_nothing(&old), or_nothing(&new));
            told.tell(&rules::FORMAT_CHANGED, &place.at(after, keyword), place, message);
        }
    }
}

/// Compares `format`.
pub(super) fn formats(told: &mut Comparison<'_>, before: &View<'_>, after: &View<'_>, place: &Place) {
    let (old, new) = (before.texts("format"), after.texts("format"));
    if old == new {
        return;
    }
    let widens = |from: &BTreeSet<&str>, to: &BTreeSet<&str>| {
        let pair = (from.iter().next().copied(), to.iter().next().copied());
        from.len() == 1
            && to.len() == 1
            && matches!(pair, (Some("int32"), Some("int64")) | (Some("float"), Some("double")))
    };
    let (rule, message) = if old.is_subset(&new) {
        (&rules::FORMAT_ADDED, format!("the format is {}", listed(new.difference(&old))))
    } else if new.is_subset(&old) {
        (&rules::FORMAT_REMOVED, format!("the format is {} no longer", listed(old.difference(&new))))
    } else {
        let message = format!("the format was {} and is {}", listed(&old), listed(&new));
        let rule = if widens(&old, &new) {
            &rules::FORMAT_REMOVED
        } else if widens(&new, &old) {
            &rules::FORMAT_ADDED
        } else {
            &rules::FORMAT_CHANGED
        };
        (rule, message)
    };
    told.tell(rule, &place.at(after, "format"), place, message);
}
