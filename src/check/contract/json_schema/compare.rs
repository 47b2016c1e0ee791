//! The comparison on its way down two schemas.

use std::cell::OnceCell;
use std::collections::{BTreeSet, HashSet, VecDeque};

use serde_json::Value;

use super::facts::{End, Type};
use super::view::{Document, Root, View, is_for_people};
use super::{branches, lists, objects, rules, values};
use crate::check::contract::fields::Spot;
use crate::check::contract::{listed, privacy};
use crate::domain::canonical::canonical;
use crate::domain::change::Impact;
use crate::domain::compat::{ContractRule, Reason, Side};

/// So many pairs of schemas are compared; a definition that people write has hundreds.
pub(super) const MOST_PAIRS: usize = 20_000;
/// Deeper than this, schemas are not followed.
const DEEPEST: usize = 48;

/// Keywords that are compared by one of the rooms.
const COMPARED: [&str; 38] = [
    "$ref",
    "allOf",
    "anyOf",
    "oneOf",
    "type",
    "nullable",
    "enum",
    "const",
    "format",
    "pattern",
    "minLength",
    "maxLength",
    "contentEncoding",
    "contentMediaType",
    "contentSchema",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "required",
    "properties",
    "additionalProperties",
    "unevaluatedProperties",
    "patternProperties",
    "propertyNames",
    "minProperties",
    "maxProperties",
    "items",
    "prefixItems",
    "additionalItems",
    "minItems",
    "maxItems",
    "uniqueItems",
    "default",
    "deprecated",
    "readOnly",
    "writeOnly",
];

/// Where the comparison stands: in the contract's own terms, and in the desired content.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub path: String,
    /// Where what is gone is shown.
    pub pointer: String,
}

impl Place {
    /// Where a keyword of the desired edition stands.
    pub(super) fn at(&self, after: &View<'_>, keyword: &str) -> String {
        after.pointer_of(keyword).unwrap_or_else(|| self.pointer.clone())
    }

    /// A property.
    pub(super) fn property(&self, name: &str, pointer: String) -> Self {
        Self { path: crate::check::contract::joined(&self.path, name), pointer }
    }

    /// Something else below, told by a mark: `[]`.
    pub(super) fn marked(&self, mark: &str, pointer: String) -> Self {
        let path = format!("{}{mark}", self.path);
        Self { path: path.trim_start_matches([' ', '.']).to_owned(), pointer }
    }
}

/// Two schemas that are to be compared.
struct Pair<'a> {
    before: Vec<Root<'a>>,
    after: Vec<Root<'a>>,
    place: Place,
    depth: usize,
}

/// What tells a pair from all others.
type Key = (Vec<usize>, Vec<usize>);

/// Two documents, and what was told of them so far.
pub(super) struct Comparison<'a> {
    pub before: Document<'a>,
    pub after: Document<'a>,
    pub side: Side,
    reasons: Vec<Reason>,
    /// What is still to be compared. The nearest first, so that what stands in several places is told
    /// with the shortest path.
    waiting: VecDeque<Pair<'a>>,
    /// Pairs that were compared: what leads to them again is settled with them.
    seen: HashSet<Key>,
    /// The same, in their order, so that an attempt can be taken back.
    order: Vec<Key>,
    /// How many pairs may still be compared.
    left: usize,
    depth: usize,
    /// Whether the two documents differ, once somebody asked.
    changed: OnceCell<bool>,
    /// Whether schemas of them have names, once somebody asked.
    named: OnceCell<bool>,
}

impl<'a> Comparison<'a> {
    pub(super) fn new(before: Document<'a>, after: Document<'a>, side: Side, left: usize) -> Self {
        Self {
            before,
            after,
            side,
            reasons: Vec::new(),
            waiting: VecDeque::new(),
            seen: HashSet::new(),
            order: Vec::new(),
            left: left.min(MOST_PAIRS),
            depth: 0,
            changed: OnceCell::new(),
            named: OnceCell::new(),
        }
    }

    /// Compares two schemas, and all that they lead to.
    pub(super) fn whole(mut self, before: Root<'a>, after: Root<'a>, place: &Place, left: &mut usize) -> Vec<Reason> {
        let most = self.left;
        self.schemas(&[before], &[after], place);
        self.run(|_| false);
        *left = left.saturating_sub(most - self.left);
        if self.left == 0 {
            self.tell(&rules::TOO_LARGE, &place.pointer, place, "there is more than is compared".to_owned());
        }
        self.reasons
    }

    pub(super) fn tell(&mut self, rule: &ContractRule, pointer: &str, place: &Place, message: String) {
        self.reasons.push(rule.reason(self.side, pointer, place.path.clone(), message));
    }

    /// Whether nothing differs between two schemas.
    pub(super) fn are_same(&mut self, before: &[Root<'a>], after: &[Root<'a>]) -> bool {
        !self.attempt(before, after, |_| true)
    }

    /// Whether nothing that differs between two schemas is worse than compatible.
    pub(super) fn is_fine(&mut self, before: &[Root<'a>], after: &[Root<'a>]) -> bool {
        let is_worse: fn(&Reason) -> bool = match self.side {
            Side::Read => |reason| reason.impact != Impact::Compatible,
            // That a value was never declared is told where it stands; hidden in an alternative that takes in another
            // one, nobody would read that it may be refused.
            Side::Written => |reason| reason.impact != Impact::Compatible || reason.rule == rules::PROPERTY_ADDED.id,
        };
        !self.attempt(before, after, is_worse)
    }

    /// Whether such a thing would be told of two schemas. Nothing is told.
    fn attempt(&mut self, before: &[Root<'a>], after: &[Root<'a>], what: fn(&Reason) -> bool) -> bool {
        let reasons = std::mem::take(&mut self.reasons);
        let waiting = std::mem::take(&mut self.waiting);
        let pairs = self.order.len();
        self.schemas(before, after, &Place { path: String::new(), pointer: String::new() });
        self.run(what);
        for pair in self.order.drain(pairs..) {
            self.seen.remove(&pair);
        }
        self.waiting = waiting;
        let told = std::mem::replace(&mut self.reasons, reasons);
        self.left == 0 || told.iter().any(what)
    }

    /// Compares, later, what is said about one place by the schemas that hold there together. Where there
    /// are none, any value is allowed.
    pub(super) fn schemas(&mut self, before: &[Root<'a>], after: &[Root<'a>], place: &Place) {
        let depth = self.depth + 1;
        self.waiting.push_back(Pair { before: before.to_vec(), after: after.to_vec(), place: place.clone(), depth });
    }

    /// Compares what waits, until such a thing is told.
    fn run(&mut self, enough: fn(&Reason) -> bool) {
        let depth = self.depth;
        while let Some(Pair { before, after, place, depth }) = self.waiting.pop_front() {
            let addresses = |roots: &[Root<'a>]| roots.iter().map(Root::address).collect::<Vec<_>>();
            let key = (addresses(&before), addresses(&after));
            if !before.is_empty() && !after.is_empty() && self.seen.contains(&key) {
                continue;
            }
            if self.left == 0 {
                break;
            }
            if depth > DEEPEST {
                self.tell(&rules::TOO_LARGE, &place.pointer, &place, "it is not compared from here on".to_owned());
                continue;
            }
            self.seen.insert(key.clone());
            self.order.push(key);
            self.left -= 1;
            self.depth = depth;
            let told = self.reasons.len();
            let (old, new) = (View::of(&self.before, &before), View::of(&self.after, &after));
            self.views(&before, &old, &after, &new, &place);
            if self.reasons.get(told..).is_some_and(|reasons| reasons.iter().any(enough)) {
                break;
            }
        }
        self.depth = depth;
    }

    fn views(&mut self, before: &[Root<'a>], old: &View<'a>, after: &[Root<'a>], new: &View<'a>, place: &Place) {
        let here = new.pointer().unwrap_or(&place.pointer).to_owned();
        if old.unreadable || new.unreadable {
            return self.tell(&rules::UNREADABLE, &here, place, "this is no JSON Schema".to_owned());
        }
        if old.too_large || new.too_large {
            return self.tell(&rules::TOO_LARGE, &here, place, "too many schemas hold here together".to_owned());
        }
        match (old.never, new.never) {
            (true, true) => return,
            (false, true) => {
                return self.tell(&rules::FORBIDDEN, &here, place, "nothing is allowed here any more".to_owned());
            }
            (true, false) => {
                return self.tell(&rules::ALLOWED, &here, place, "something is allowed here".to_owned());
            }
            (false, false) => {}
        }
        if old.not_followed != new.not_followed {
            let (was, is) = (listed(&old.not_followed), listed(&new.not_followed));
            let nothing = |text: String| if text.is_empty() { "none".to_owned() } else { text };
            let message = format!("the reference to elsewhere was {} and is {}", nothing(was), nothing(is));
            self.tell(&rules::REFERENCE, &place.at(new, "$ref"), place, message);
        }
        let hidden =
            |view: &View<'a>| ["$dynamicRef", "$recursiveRef"].iter().any(|keyword| view.all(keyword).next().is_some());
        let may_be_inside = old.not_followed.iter().any(|reference| reference.starts_with('#'))
            || (!old.not_followed.is_empty() && self.has_names());
        if old.not_followed == new.not_followed && (may_be_inside || hidden(old)) && self.is_changed() {
            let message = "what the reference leads to was not found, and may differ".to_owned();
            self.tell(&rules::REFERENCE, &place.at(new, "$ref"), place, message);
        }
        self.privacy(old, new, place);
        match (old.is_free(), new.is_free()) {
            (true, true) => return,
            (true, false) if !new.has_only(&[]) => {
                return self.tell(&rules::CONSTRAINED, &here, place, "not every value is allowed any more".to_owned());
            }
            (false, true) if !old.has_only(&[]) => {
                return self.tell(&rules::FREED, &here, place, "any value is allowed".to_owned());
            }
            _ => {}
        }
        if branches::stands_alone(self, before, old, after, new, place) {
            return self.remarks(old, new, place);
        }
        let Some(types) = values::types(self, old, new, place) else { return };
        values::listed_values(self, old, new, place);
        values::formats(self, old, new, place);
        if types.contains(&Type::Integer) || types.contains(&Type::Fraction) {
            values::numbers(self, old, new, place);
        }
        if types.contains(&Type::Text) {
            values::texts(self, old, new, place);
        }
        if types.contains(&Type::Object) {
            objects::compare(self, old, new, place);
        }
        if types.contains(&Type::Array) {
            lists::compare(self, old, new, place);
        }
        branches::compare(self, old, new, place);
        self.remarks(old, new, place);
        self.others(old, new, place);
    }

    /// Whether the two documents differ at all.
    fn is_changed(&self) -> bool {
        *self.changed.get_or_init(|| self.before.root != self.after.root)
    }

    /// Whether a schema of either document has a name of its own.
    fn has_names(&self) -> bool {
        *self.named.get_or_init(|| has_names(self.before.root, 0) || has_names(self.after.root, 0))
    }

    /// Compares how a value is marked as personal data.
    fn privacy(&mut self, old: &View<'a>, new: &View<'a>, place: &Place) {
        let (was, is) = (old.marks(), new.marks());
        if was == is {
            return;
        }
        let spot = Spot { before: Some(&was), after: Some(&is), pointer: String::new(), path: place.path.clone() };
        for reason in privacy::compare(&spot, self.side) {
            // Where it stands is told by the keyword: parts of one schema may stand in several places.
            let pointer = place.at(new, reason.pointer.trim_start_matches('/'));
            self.reasons.push(Reason { pointer, path: place.path.clone(), ..reason });
        }
    }

    /// Compares what is remarked on a value.
    fn remarks(&mut self, old: &View<'a>, new: &View<'a>, place: &Place) {
        let default = |view: &View<'a>| view.all("default").map(canonical).collect::<BTreeSet<_>>();
        let (was, is) = (default(old), default(new));
        if was != is && !was.is_empty() {
            let pointer = place.at(new, "default");
            self.tell(&rules::DEFAULT_CHANGED, &pointer, place, "the default is another one".to_owned());
        }
        // Beside a type it is a type; else readers do not agree on what it means.
        let loose = |view: &View<'a>| -> Vec<bool> {
            let parts = view.parts.iter().filter(|part| !part.fields.contains_key("type"));
            parts.map(|part| part.fields.get("nullable") == Some(&Value::Bool(true))).filter(|said| *said).collect()
        };
        if loose(old) != loose(new) {
            let message = "'nullable' without a type differs, and what that means is not known".to_owned();
            self.tell(&rules::NOT_UNDERSTOOD, &place.at(new, "nullable"), place, message);
        }
        for keyword in ["readOnly", "writeOnly"] {
            if old.says(keyword) != new.says(keyword) {
                let message = format!("{keyword} was {} and is {}", old.says(keyword), new.says(keyword));
                self.tell(&rules::ACCESS_CHANGED, &place.at(new, keyword), place, message);
            }
        }
        if new.says("deprecated") && !old.says("deprecated") {
            self.tell(&rules::DEPRECATED, &place.at(new, "deprecated"), place, "it is deprecated".to_owned());
        }
    }

    /// What no room compares is not understood, where it differs.
    fn others(&mut self, old: &View<'a>, new: &View<'a>, place: &Place) {
        let parts = old.parts.iter().chain(&new.parts);
        let keywords: BTreeSet<&String> = parts.flat_map(|part| part.fields.keys()).collect();
        for keyword in keywords {
            let well_formed = |view: &View<'a>| view.all(keyword).all(|value| is_well_formed(keyword, value));
            let is_compared = COMPARED.contains(&keyword.as_str()) && well_formed(old) && well_formed(new);
            if is_compared || is_for_people(keyword) || privacy::is_mark(keyword) {
                continue;
            }
            let all = |view: &View<'a>| view.all(keyword).map(canonical).collect::<BTreeSet<_>>();
            // With a reference inside, the same text may mean something else.
            let refers = |view: &View<'a>| view.all(keyword).any(|value| refers(value, 0));
            let moved = refers(old) && canonical(self.before.root) != canonical(self.after.root);
            if all(old) != all(new) || moved {
                let message = format!("'{keyword}' differs, and what that means is not known");
                self.tell(&rules::NOT_UNDERSTOOD, &place.at(new, keyword), place, message);
            }
        }
    }

    /// `unevaluatedProperties` stands beside keywords that evaluate properties in ways that are not followed:
    /// what it means is known only where nothing differs at all.
    pub(super) fn unevaluated(&mut self, old: &View<'a>, new: &View<'a>, place: &Place) {
        let all = |view: &View<'a>| -> Vec<Vec<u8>> {
            let parts = view.parts.iter().map(|part| Value::Object(part.fields.clone()));
            parts.map(|fields| canonical(&fields)).collect()
        };
        if all(old) != all(new) || canonical(self.before.root) != canonical(self.after.root) {
            let message = "'unevaluatedProperties' stands beside keywords with which it is not compared".to_owned();
            self.tell(&rules::NOT_UNDERSTOOD, &place.at(new, "unevaluatedProperties"), place, message);
        }
    }

    /// Compares a count of items or properties.
    pub(super) fn count(&mut self, old: &View<'a>, new: &View<'a>, place: &Place, keyword: &'static str, end: End) {
        values::bounds(self, old, new, place, (keyword, None, end));
    }
}

/// Whether a keyword that is compared has a value of the kind that is looked for.
fn is_well_formed(keyword: &str, value: &Value) -> bool {
    match keyword {
        "required" | "enum" | "anyOf" | "oneOf" | "prefixItems" => value.is_array(),
        "properties" | "patternProperties" => value.is_object(),
        "pattern" | "format" | "$ref" => value.is_string(),
        "exclusiveMinimum" | "exclusiveMaximum" => value.is_number() || value.is_boolean(),
        "minimum" | "maximum" | "minLength" | "maxLength" | "minItems" | "maxItems" | "minProperties"
        | "maxProperties" | "multipleOf" => value.is_number(),
        "nullable" | "uniqueItems" | "deprecated" | "readOnly" | "writeOnly" => value.is_boolean(),
        _ => true,
    }
}

fn refers(value: &Value, depth: usize) -> bool {
    match value {
        Value::Object(fields) => {
            depth > DEEPEST || fields.contains_key("$ref") || fields.values().any(|field| refers(field, depth + 1))
        }
        Value::Array(items) => depth > DEEPEST || items.iter().any(|item| refers(item, depth + 1)),
        _ => false,
    }
}

/// Whether a schema of a document has a name of its own, by which a reference may lead to it.
fn has_names(value: &Value, depth: usize) -> bool {
    let is_named = |fields: &serde_json::Map<String, Value>| {
        ["$id", "id"].iter().any(|key| fields.get(*key).is_some_and(Value::is_string))
    };
    match value {
        Value::Object(fields) => {
            depth > DEEPEST || is_named(fields) || fields.values().any(|field| has_names(field, depth + 1))
        }
        Value::Array(items) => depth > DEEPEST || items.iter().any(|item| has_names(item, depth + 1)),
        _ => false,
    }
}
