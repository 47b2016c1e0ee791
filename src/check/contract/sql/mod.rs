//! SQL: tables and views by their lists of columns, as DDL tells them.

mod rules;
mod parse;
mod query;
mod model;
mod compare;
#[cfg(test)]
mod tests;

use serde_json::Value;

use self::model::Model;
use super::notes::{Notes, both};
use super::{Editions, Fault, Language};
use crate::domain::compat::Reason;

/// How this language is told, compared and explained.
pub(super) const LANGUAGE: Language = Language {
    name: "SQL",
    about: "DDL as text: CREATE TABLE and CREATE VIEW, and what ALTER TABLE and DROP make of them, in the first dialect \
            that reads it. Names without double quotes are the same in upper and lower case. Of a view's query, the \
            columns are compared one by one and the rest as a text. Comments, plain indexes and names of constraints \
            are not compared.",
    specifications: &["sql", "ddl", "sqlddl"],
    is_told_by_shape,
    // There are more dialects than can be read here.
    faults: |definition| match definition.is_string() {
        true => Vec::new(),
        false => vec![Fault::of("it is not a text".to_owned())],
    },
    odd: |_| Vec::new(),
    compare,
    rules: rules::RULES,
};

fn is_told_by_shape(definition: &Value) -> bool {
    let says = |line: &str| {
        let line = line.trim_start().to_ascii_lowercase();
        line.starts_with("create ") && (line.contains(" table ") || line.contains(" view "))
    };
    definition.as_str().is_some_and(|text| text.lines().take(200).any(says))
}

/// Compares two texts of DDL.
pub(crate) fn compare(editions: &Editions<'_>) -> Vec<Reason> {
    match both(editions, Model::read) {
        Ok((before, after)) => compare::compare(&before, &after, editions.side, editions.pointer),
        Err(message) => {
            let mut notes = Notes::new(editions.side);
            notes.tell(&rules::UNREADABLE, editions.pointer, "", message);
            notes.into_reasons()
        }
    }
}
