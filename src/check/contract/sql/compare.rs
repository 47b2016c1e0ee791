//! Two editions of DDL side by side.

use std::collections::{BTreeSet, HashMap};

use super::model::{Column, Model, Relation};
use super::rules;
use crate::check::contract::data_type::{Relation as TypeRelation, relation};
use crate::check::contract::notes::Notes;
use crate::check::contract::parts::Parts;
use crate::check::contract::{joined, listed};
use crate::check::yaml::shown;
use crate::domain::compat::{ContractRule, Reason, Side};
use crate::domain::finding::Stretch;

pub(super) fn compare(before: &Model, after: &Model, side: Side, pointer: &str) -> Vec<Reason> {
    let mut told = Told { notes: Notes::new(side), side, pointer, parts: after.parts() };
    let mut elsewhere = elsewhere(before, after);
    let mut found = BTreeSet::new();
    for (name, was) in &before.relations {
        match (after.relations.get(name), elsewhere.remove(&was.written)) {
            (Some(is), _) => told.relations(name, was, is),
            (None, Some((now, is))) if was.set.is_none() != is.set.is_none() => {
                let message = format!("{} {} is {} now, by what is set before it", kind(was), shown(name), shown(now));
                told.tell(&rules::SCHEMA_SET, name, message);
                told.parts.moved(name, now);
                told.relations(name, was, is);
                found.insert(now);
            }
            (None, _) => told.gone(name, was, before, after),
        }
    }
    let is_new = |name: &str| !before.relations.contains_key(name) && !found.contains(name);
    for (name, is) in after.relations.iter().filter(|(name, _)| is_new(name)) {
        told.tell(&rules::TABLE_ADDED, name, format!("{} {} is new", kind(is), shown(name)));
    }
    for (one, other, what) in [(before, after, "gone"), (after, before, "new")] {
        for (statement, at) in one.others.iter().filter(|(one, _)| !other.others.contains_key(*one)) {
            let message = format!("a statement is {what}: {}", shown(statement));
            told.tell_at(&rules::STATEMENT, "", message, at.filter(|_| what == "new"));
        }
    }
    let mut reasons = told.notes.into_reasons();
    told.parts.place(&mut reasons);
    reasons
}

/// What is new, by its name as it is written: where a schema is set in one edition only, it may be what was there.
fn elsewhere<'a>(before: &Model, after: &'a Model) -> HashMap<String, (&'a str, &'a Relation)> {
    let new = after.relations.iter().filter(|(name, _)| !before.relations.contains_key(*name));
    new.map(|(name, relation)| (relation.written.clone(), (name.as_str(), relation))).collect()
}

struct Told<'a> {
    notes: Notes,
    side: Side,
    pointer: &'a str,
    /// Where the parts of the desired edition stand.
    parts: Parts,
}

fn kind(relation: &Relation) -> &'static str {
    if relation.is_view { "view" } else { "table" }
}

fn names(relation: &Relation) -> BTreeSet<&str> {
    relation.columns.iter().map(|column| column.name.as_str()).collect()
}

impl Told<'_> {
    fn tell(&mut self, rule: &ContractRule, path: &str, message: impl Into<String>) {
        self.notes.tell(rule, self.pointer, path, message);
    }

    /// Adds a reason of which it is known better where it stands than its path tells.
    fn tell_at(&mut self, rule: &ContractRule, path: &str, message: String, at: Option<Stretch>) {
        let reason = rule.reason(self.side, self.pointer, path, message);
        self.notes.extend([Reason { within: at, ..reason }]);
    }

    fn gone(&mut self, name: &str, was: &Relation, before: &Model, after: &Model) {
        let columns = names(was);
        let now = after.relations.iter().find(|(other, relation)| {
            !before.relations.contains_key(*other) && !columns.is_empty() && names(relation) == columns
        });
        let what = kind(was);
        match now {
            Some((other, _)) => {
                let message = format!("{what} {} is gone; {} has its columns", shown(name), shown(other));
                self.parts.moved(name, other);
                self.tell(&rules::TABLE_RENAMED, name, message);
            }
            None => self.tell(&rules::TABLE_REMOVED, name, format!("{what} {} is gone", shown(name))),
        }
    }

    fn relations(&mut self, table: &str, was: &Relation, is: &Relation) {
        if was.is_view != is.is_view {
            let message = format!("it was a {} and is a {}", kind(was), kind(is));
            self.tell(&rules::KIND_CHANGED, table, message);
        } else if was.options != is.options {
            self.tell(&rules::STORAGE, table, format!("other options of the {} differ", kind(is)));
        }
        if was.is_view == is.is_view && was.query != is.query {
            self.tell(&rules::QUERY, table, "its rows are taken, chosen or joined otherwise");
        }
        // Where the list is not known, the same query still selects the same.
        if was.is_listed != is.is_listed || (!is.is_listed && was.query != is.query) {
            self.tell(&rules::STAR, table, "it selects '*' from what is not defined here");
        }
        if was.is_listed && is.is_listed {
            self.columns(table, was, is);
        } else {
            self.expressions(table, was, is);
        }
        for (rule, what, lists) in [
            (&rules::KEY_REMOVED, "is gone", was.keys.difference(&is.keys)),
            (&rules::KEY_ADDED, "is new", is.keys.difference(&was.keys)),
            (&rules::CHECK_REMOVED, "is gone", was.checks.difference(&is.checks)),
            (&rules::CHECK_ADDED, "is new", is.checks.difference(&was.checks)),
        ] {
            for one in lists {
                let at = is.constraints_at.get(one).copied();
                self.tell_at(rule, table, format!("{} {what}", shown(one)), at);
            }
        }
    }

    /// Of views whose columns are not all known, those that are.
    fn expressions(&mut self, table: &str, was: &Relation, is: &Relation) {
        for column in &was.columns {
            match is.columns.iter().find(|other| other.name == column.name) {
                Some(now) => self.column(&joined(table, &now.name), column, now),
                None => {
                    let message = format!("column {} is no longer named in the query", shown(&column.name));
                    self.tell(&rules::STAR, &joined(table, &column.name), message);
                }
            }
        }
    }

    fn columns(&mut self, table: &str, was: &Relation, is: &Relation) {
        let (before, after) = (names(was), names(is));
        // Of two of one name, the first.
        let now: HashMap<&str, &Column> =
            is.columns.iter().rev().map(|column| (column.name.as_str(), column)).collect();
        for (index, column) in was.columns.iter().enumerate() {
            let path = joined(table, &column.name);
            let name = shown(&column.name);
            if let Some(now) = now.get(column.name.as_str()) {
                self.column(&path, column, now);
                continue;
            }
            let in_its_place = is.columns.get(index).filter(|other| {
                let typed = column.data_type.is_some() && other.data_type == column.data_type;
                let computed = column.expression.is_some() && other.expression == column.expression;
                !before.contains(other.name.as_str()) && (typed || computed)
            });
            match in_its_place {
                Some(other) => {
                    let message = format!("column {name} is gone; {} stands in its place", shown(&other.name));
                    self.parts.moved(&path, &joined(table, &other.name));
                    self.tell(&rules::COLUMN_RENAMED, &path, message);
                }
                None => self.tell(&rules::COLUMN_REMOVED, &path, format!("column {name} is gone")),
            }
        }
        for column in is.columns.iter().filter(|column| !before.contains(column.name.as_str())) {
            let (path, name) = (joined(table, &column.name), shown(&column.name));
            if column.nullable == Some(false) && column.default.is_none() {
                let message = format!("column {name} is new, NOT NULL, and has no default");
                self.tell(&rules::COLUMN_REQUIRED, &path, message);
            } else {
                self.tell(&rules::COLUMN_ADDED, &path, format!("column {name} is new"));
            }
        }
        let order = |of: &Relation, others: &BTreeSet<&str>| {
            let kept = of.columns.iter().map(|column| column.name.clone());
            kept.filter(|name| others.contains(name.as_str())).collect::<Vec<_>>()
        };
        if order(was, &after) != order(is, &before) {
            self.tell(&rules::COLUMNS_REORDERED, table, "its columns stand in another order");
        }
    }

    fn column(&mut self, path: &str, was: &Column, is: &Column) {
        match (&was.data_type, &is.data_type) {
            (Some(before), Some(after)) => {
                let text = format!("the type was {} and is {}", shown(before), shown(after));
                let how = relation(before, after);
                let why = match (how, self.side) {
                    (TypeRelation::Wider, Side::Read) => ": readers may meet values that do not fit theirs",
                    (TypeRelation::Wider, Side::Written) => ", which takes in more",
                    (TypeRelation::Narrower, Side::Read) => ", which takes in less",
                    (TypeRelation::Narrower, Side::Written) => ": what was accepted may no longer fit",
                    (TypeRelation::Unclear, _) => ", and databases differ in what that means",
                    (TypeRelation::Same | TypeRelation::Other, _) => "",
                };
                if let Some(rule) = rules::TYPES.of(how) {
                    self.tell(rule, path, format!("{text}{why}"));
                }
            }
            (None, None) => {}
            (Some(known), None) => {
                let message = format!("the type was {} and is not written any more", shown(known));
                self.tell(&rules::TYPES.unclear, path, message);
            }
            (None, Some(known)) => {
                let message = format!("the type is {} now, and was not written before", shown(known));
                self.tell(&rules::TYPES.unclear, path, message);
            }
        }
        match (was.nullable, is.nullable) {
            (Some(false), Some(true)) => self.tell(&rules::NULL_ALLOWED, path, "it may be NULL now"),
            (Some(true), Some(false)) => self.tell(&rules::NULL_REFUSED, path, "it is NOT NULL now"),
            _ => {}
        }
        if was.default != is.default {
            let text = |of: &Column| of.default.as_deref().map_or("none".to_owned(), shown);
            let message = format!("what stands there by default was {} and is {}", text(was), text(is));
            self.tell(&rules::DEFAULT_CHANGED, path, message);
        }
        if was.options != is.options {
            let text = |of: &Column| if of.options.is_empty() { "none".to_owned() } else { listed(&of.options) };
            let message = format!("its options were {} and are {}", text(was), text(is));
            self.tell(&rules::COLUMN_OPTIONS, path, message);
        }
        if was.expression != is.expression && was.expression.is_some() && is.expression.is_some() {
            let text = |of: &Column| shown(of.expression.as_deref().unwrap_or_default());
            let message = format!("it was computed as {} and is as {}", text(was), text(is));
            self.tell(&rules::EXPRESSION, path, message);
        }
    }
}
