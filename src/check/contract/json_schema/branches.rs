//! `anyOf` and `oneOf`. Branches have no names, so those that mean the same are looked for: first those
//! that are the same, then those that are told by a reference, a title or their type, then those of which
//! one takes in the other.

use std::collections::BTreeSet;

use serde_json::Value;

use super::compare::{Comparison, Place};
use super::facts;
use super::rules;
use super::view::{Root, View};
use crate::check::contract::listed;
use crate::domain::canonical::canonical;
use crate::domain::compat::Side;

/// With more branches than this, they are not matched.
const MOST_BRANCHES: usize = 40;

const KEYWORDS: [&str; 2] = ["anyOf", "oneOf"];

/// A list of alternatives. A branch is what holds there together.
struct Alternatives<'a> {
    keyword: &'static str,
    pointer: String,
    branches: Vec<Vec<Root<'a>>>,
}

fn all_of<'a>(view: &View<'a>) -> Vec<Alternatives<'a>> {
    let mut all = Vec::new();
    for part in &view.parts {
        for keyword in KEYWORDS {
            let Some(branches) = part.fields.get(keyword).and_then(Value::as_array) else { continue };
            let branch = |(index, schema)| vec![Root::below(part, schema, &[keyword, &usize::to_string(&index)])];
            let branches = branches.iter().enumerate().map(branch).collect();
            all.push(Alternatives { keyword, pointer: format!("{}/{keyword}", part.pointer), branches });
        }
    }
    all
}

/// Where one edition consists of alternatives and the other has none, the other is a single alternative.
/// Whether that was so.
pub(super) fn stands_alone<'a>(
    told: &mut Comparison<'a>,
    before: &[Root<'a>],
    old: &View<'a>,
    after: &[Root<'a>],
    new: &View<'a>,
    place: &Place,
) -> bool {
    let (mut was, mut is) = (all_of(old), all_of(new));
    match (was.len(), is.len()) {
        (0, 1) if new.has_only(&KEYWORDS) => {
            was.push(Alternatives { keyword: "anyOf", pointer: String::new(), branches: vec![before.to_vec()] });
        }
        (1, 0) if old.has_only(&KEYWORDS) => {
            let pointer = new.pointer().unwrap_or(&place.pointer).to_owned();
            is.push(Alternatives { keyword: "anyOf", pointer, branches: vec![after.to_vec()] });
        }
        _ => return false,
    }
    if let (Some(was), Some(is)) = (was.first(), is.first()) {
        matched(told, was, is, place);
    }
    true
}

pub(super) fn compare<'a>(told: &mut Comparison<'a>, before: &View<'a>, after: &View<'a>, place: &Place) {
    let (was, is) = (all_of(before), all_of(after));
    match (was.as_slice(), is.as_slice()) {
        ([], []) => {}
        ([was], [is]) => matched(told, was, is, place),
        ([], [is]) => {
            let message = format!("'{}' is new", is.keyword);
            told.tell(&rules::ALTERNATIVE_REMOVED, &is.pointer, place, message);
        }
        ([was], []) => {
            let pointer = after.pointer().unwrap_or(&place.pointer).to_owned();
            told.tell(&rules::ALTERNATIVE_ADDED, &pointer, place, format!("'{}' is gone", was.keyword));
        }
        _ => several(told, &was, &is, after, place),
    }
}

/// Several lists stand beside each other: they are taken pair by pair where that is the same number.
fn several<'a>(
    told: &mut Comparison<'a>,
    was: &[Alternatives<'a>],
    is: &[Alternatives<'a>],
    after: &View<'a>,
    place: &Place,
) {
    let kinds = |all: &[Alternatives<'a>]| all.iter().map(|one| one.keyword).collect::<Vec<_>>();
    if kinds(was) == kinds(is) {
        for (was, is) in was.iter().zip(is) {
            matched(told, was, is, place);
        }
        return;
    }
    let pointer = is.first().map_or_else(|| place.at(after, "anyOf"), |one| one.pointer.clone());
    let message = format!("there were {} lists of alternatives and are {}", was.len(), is.len());
    told.tell(&rules::ALTERNATIVES_CHANGED, &pointer, place, message);
}

fn matched<'a>(told: &mut Comparison<'a>, was: &Alternatives<'a>, is: &Alternatives<'a>, place: &Place) {
    if was.branches.len().max(is.branches.len()) > MOST_BRANCHES {
        return told.tell(&rules::TOO_LARGE, &is.pointer, place, "there are too many alternatives".to_owned());
    }
    let mut old: Vec<&Vec<Root<'a>>> = was.branches.iter().collect();
    let mut new: Vec<(usize, &Vec<Root<'a>>)> = is.branches.iter().enumerate().collect();
    let mut differs = false;
    // The same.
    new.retain(|(_, branch)| {
        let Some(at) = old.iter().position(|before| told.are_same(before, branch)) else { return true };
        old.remove(at);
        false
    });
    // The same by name.
    let names = |told: &Comparison<'a>, document_is_new: bool, branch: &[Root<'a>]| name(told, document_is_new, branch);
    let mut pairs = Vec::new();
    new.retain(|(index, branch)| {
        let Some(name) = names(told, true, branch) else { return true };
        let same = |before: &&Vec<Root<'a>>| names(told, false, before).as_ref() == Some(&name);
        let Some(at) = old.iter().position(same) else { return true };
        pairs.push((old.remove(at), *index, *branch));
        false
    });
    if let ([before], [(index, branch)]) = (old.as_slice(), new.as_slice())
        && pairs.is_empty()
    {
        pairs.push((*before, *index, *branch));
        old.clear();
        new.clear();
    }
    for (before, index, branch) in pairs {
        differs = true;
        let pointer = branch.first().map_or_else(|| is.pointer.clone(), |root| root.pointer.clone());
        told.schemas(before, branch, &place.marked(&format!(" ({} {index})", is.keyword), pointer));
    }
    // What is left: does another branch take it in?
    let pointer = |index: usize| format!("{}/{index}", is.pointer);
    for (index, branch) in &new {
        differs = true;
        let taken_in = told.side == Side::Read && was.branches.iter().any(|before| told.is_fine(before, branch));
        if taken_in {
            let message = "one more alternative, which another one took in before".to_owned();
            told.tell(&rules::ALTERNATIVE_REMOVED, &pointer(*index), place, message);
        } else {
            told.tell(&rules::ALTERNATIVE_ADDED, &pointer(*index), place, "one more alternative is allowed".to_owned());
        }
    }
    for before in &old {
        differs = true;
        let taken_in = told.side == Side::Written && is.branches.iter().any(|branch| told.is_fine(before, branch));
        if taken_in {
            let message = "one alternative less; another one takes it in".to_owned();
            told.tell(&rules::ALTERNATIVE_ADDED, &is.pointer, place, message);
        } else {
            told.tell(&rules::ALTERNATIVE_REMOVED, &is.pointer, place, "one alternative is gone".to_owned());
        }
    }
    let one_of = was.keyword == "oneOf" || is.keyword == "oneOf";
    let apart = |told: &Comparison<'a>| are_apart(told, false, was) && are_apart(told, true, is);
    if one_of && (differs || was.keyword != is.keyword) && !apart(told) {
        let message = "alternatives of 'oneOf' differ that are not told apart by a type or a required constant";
        told.tell(&rules::ALTERNATIVES_OVERLAP, &is.pointer, place, message.to_owned());
    }
}

fn view<'a>(told: &Comparison<'a>, of_new: bool, branch: &[Root<'a>]) -> View<'a> {
    View::of(if of_new { &told.after } else { &told.before }, branch)
}

/// By what a branch is known: its reference, its title, a constant, or else its types.
fn name<'a>(told: &Comparison<'a>, of_new: bool, branch: &[Root<'a>]) -> Option<String> {
    let view = view(told, of_new, branch);
    if let Some(first) = view.texts("$ref").into_iter().next() {
        return Some(format!("$ref {first}"));
    }
    if let Some(title) = view.texts("title").into_iter().next() {
        return Some(format!("title {title}"));
    }
    if let Some((name, values)) = constants(&view).into_iter().next() {
        return Some(format!("constant {name} {}", listed(&values)));
    }
    let types = facts::types(&view);
    (types.len() <= 2).then(|| format!("type {}", facts::words(&types)))
}

/// Whether no value matches two branches, as far as that can be seen.
fn are_apart<'a>(told: &Comparison<'a>, of_new: bool, all: &Alternatives<'a>) -> bool {
    let views: Vec<View<'a>> = all.branches.iter().map(|branch| view(told, of_new, branch)).collect();
    views.iter().enumerate().all(|(index, one)| views.iter().skip(index + 1).all(|other| is_apart(one, other)))
}

fn is_apart(one: &View<'_>, other: &View<'_>) -> bool {
    if facts::types(one).is_disjoint(&facts::types(other)) {
        return true;
    }
    if let (Some(some), Some(others)) = (facts::values(one), facts::values(other))
        && some.keys().all(|key| !others.contains_key(key))
    {
        return true;
    }
    let others = constants(other);
    let differs = |(name, values): &(String, BTreeSet<String>)| {
        others.iter().any(|(other, others)| name == other && values.is_disjoint(others))
    };
    facts::types(one).iter().all(|one| *one == facts::Type::Object) && constants(one).iter().any(differs)
}

/// Required properties whose values are listed.
fn constants(view: &View<'_>) -> Vec<(String, BTreeSet<String>)> {
    let required: BTreeSet<&str> =
        view.all("required").filter_map(Value::as_array).flatten().filter_map(Value::as_str).collect();
    let mut constants = Vec::new();
    for (name, schema) in view.all("properties").filter_map(Value::as_object).flatten() {
        let list = schema.get("enum").and_then(Value::as_array).map(|list| list.iter().collect::<Vec<_>>());
        let Some(values) = list.or_else(|| Some(vec![schema.get("const")?])) else { continue };
        if required.contains(name.as_str()) {
            let text = |value: &&Value| String::from_utf8_lossy(&canonical(value)).into_owned();
            constants.push((name.clone(), values.iter().map(text).collect()));
        }
    }
    constants
}
