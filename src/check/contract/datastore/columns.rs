//! Columns and constraints of a table.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{below, rules};
use crate::check::contract::data_type::relation;
use crate::check::contract::fields::{Spot, is_for_people};
use crate::check::contract::{Editions, json_schema, listed, privacy};
use crate::domain::compat::{ContractRule, Reason, Side};

pub(super) fn compare(columns: &Spot<'_>, side: Side, reasons: &mut Vec<Reason>) {
    let Some(items) = columns.items(|column| column.get("name").or_else(|| column.get("fullyQualifiedName"))?.as_str())
    else {
        reasons.push(columns.tell(&rules::NOT_TOLD_APART, side, "some columns have no name of their own"));
        return;
    };
    for (name, column) in &items {
        match (column.before, column.after) {
            (None, Some(new)) => {
                let (rule, message) = match nullness(new) {
                    Nullness::Refused => (&rules::MANDATORY_COLUMN_ADDED, "is new, and may not be empty"),
                    Nullness::Allowed => (&rules::COLUMN_ADDED, "is new"),
                };
                reasons.push(column.tell(rule, side, format!("the column '{name}' {message}")));
            }
            (_, None) => {
                reasons.push(column.tell(&rules::COLUMN_REMOVED, side, format!("the column '{name}' is gone")));
            }
            _ if column.is_same() => {}
            _ => one(column, side, reasons),
        }
    }
    order(columns, &items, side, reasons);
}

/// Whether the columns that stay stand in another order than before. A column that is new among them moves
/// the others on, which is not that.
fn order(columns: &Spot<'_>, items: &[(&str, Spot<'_>)], side: Side, reasons: &mut Vec<Reason>) {
    let position = |column: Option<&Value>| column.and_then(|column| column.get("ordinalPosition")).and_then(count);
    let mut stay: Vec<_> = items
        .iter()
        .filter_map(|(name, spot)| Some((position(spot.before)?, position(spot.after)?, *name, spot)))
        .collect();
    stay.sort_by_key(|(before, _, name, _)| (*before, *name));
    let in_order = |pair: &[(u64, u64, &str, &Spot<'_>)]| match pair {
        [(old, new, ..), (next_old, next_new, ..)] => (old == next_old) == (new == next_new) && new <= next_new,
        _ => true,
    };
    if !stay.windows(2).all(in_order) {
        reasons.push(columns.tell(&rules::COLUMNS_REORDERED, side, "columns stand in another order"));
    }
}

fn one(column: &Spot<'_>, side: Side, reasons: &mut Vec<Reason>) {
    const OF_TYPE: [&str; 4] = ["dataType", "dataLength", "precision", "scale"];
    const OF_NULL: [&str; 2] = ["columnConstraint", "nullable"];
    reasons.extend(privacy::compare(column, side));
    let differing = column.differing();
    if let Some((_, first)) = differing.iter().find(|(field, _)| OF_TYPE.contains(field)) {
        types(column, first, side, reasons);
    }
    if let Some((field, first)) = differing.iter().find(|(field, _)| OF_NULL.contains(field)) {
        let is_odd = |column: Option<&Value>| column.is_some_and(|column| !says_nulls_well(column));
        if is_odd(column.before) || is_odd(column.after) {
            reasons.push(first.tell(&rules::FIELD, side, first.not_known(field)));
        } else {
            nulls_and_keys(column, first, side, reasons);
        }
    }
    for (field, spot) in &differing {
        match *field {
            "name" | "fullyQualifiedName" | "ordinalPosition" => {}
            "jsonSchema" => match (spot.before, spot.after) {
                (Some(before), Some(after)) => {
                    let editions = Editions { before, after, side, pointer: &spot.pointer };
                    reasons.extend(
                        json_schema::compare(&editions)
                            .into_iter()
                            .map(|reason| Reason { path: below(&column.path, &reason.path), ..reason }),
                    );
                }
                _ => reasons.push(spot.tell(
                    &rules::FIELD,
                    side,
                    format!("the schema of its values {}", spot.was_and_is()),
                )),
            },
            field if OF_TYPE.contains(&field) || OF_NULL.contains(&field) => {}
            field if is_for_people(field) || privacy::is_mark(field) => {}
            field => {
                let message = spot.not_known(field);
                reasons.push(spot.tell(&rules::FIELD, side, message));
            }
        }
    }
}

/// Numbers that many write as texts.
fn count(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.trim().parse().ok())
}

/// A column's type as SQL writes it; `None` where a length or digits are not numbers.
fn type_of(column: &Value) -> Option<Option<String>> {
    let name = match column.get("dataType") {
        None | Some(Value::Null) => return Some(None),
        Some(name) => name.as_str()?,
    };
    let name = name.trim();
    let number = |field: &str| match column.get(field) {
        None | Some(Value::Null) => Some(None),
        Some(value) => count(value).map(Some),
    };
    let (length, precision, scale) = (number("dataLength")?, number("precision")?, number("scale")?);
    let written = match (length, precision, scale) {
        // What the type says itself counts.
        _ if name.contains('(') => name.to_owned(),
        (_, Some(precision), Some(scale)) => format!("{name}({precision},{scale})"),
        (_, Some(digits), None) | (Some(digits), None, _) => format!("{name}({digits})"),
        (None, None, Some(_)) => return None,
        (None, None, None) => name.to_owned(),
    };
    Some(Some(written))
}

fn types(column: &Spot<'_>, first: &Spot<'_>, side: Side, reasons: &mut Vec<Reason>) {
    let (Some(before), Some(after)) = (column.before, column.after) else { return };
    let (rule, message): (&ContractRule, String) = match (type_of(before), type_of(after)) {
        (Some(Some(old)), Some(Some(new))) => {
            let Some(rule) = rules::TYPES.of(relation(&old, &new)) else { return };
            (rule, format!("the type was {old} and is {new}"))
        }
        _ => (&rules::TYPES.unclear, "its type, length or digits differ, and cannot be compared".to_owned()),
    };
    reasons.push(Reason { path: column.path.clone(), ..first.tell(rule, side, message) });
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Nullness {
    Allowed,
    Refused,
}

/// Whether what a column says of empty values is of the kinds that are read: a text and a boolean.
fn says_nulls_well(column: &Value) -> bool {
    let is =
        |field: &str, test: fn(&Value) -> bool| column.get(field).is_none_or(|value| value.is_null() || test(value));
    is("columnConstraint", Value::is_string) && is("nullable", Value::is_boolean)
}

/// What `columnConstraint` says: words in capitals, joined by `_`.
fn constraints_of(column: &Value) -> BTreeSet<String> {
    let said = column.get("columnConstraint").and_then(Value::as_str).unwrap_or_default().to_ascii_uppercase();
    let said = said.split([',', ';']).map(|one| one.trim().replace([' ', '-'], "_"));
    said.filter(|one| !matches!(one.as_str(), "" | "NULL" | "NULLABLE")).collect()
}

fn nullness(column: &Value) -> Nullness {
    let constraints = constraints_of(column);
    let refused = constraints.contains("NOT_NULL") || constraints.contains("PRIMARY_KEY");
    if refused || column.get("nullable") == Some(&Value::Bool(false)) { Nullness::Refused } else { Nullness::Allowed }
}

fn is_key(constraint: &str) -> bool {
    matches!(constraint, "PRIMARY_KEY" | "UNIQUE")
}

fn nulls_and_keys(column: &Spot<'_>, first: &Spot<'_>, side: Side, reasons: &mut Vec<Reason>) {
    let (Some(before), Some(after)) = (column.before, column.after) else { return };
    let mut tell = |rule: &ContractRule, message: String| {
        reasons.push(Reason { path: column.path.clone(), ..first.tell(rule, side, message) });
    };
    match (nullness(before), nullness(after)) {
        (Nullness::Refused, Nullness::Allowed) => tell(&rules::NULL_ALLOWED, "the column may be empty".to_owned()),
        (Nullness::Allowed, Nullness::Refused) => {
            tell(&rules::NULL_REFUSED, "the column may no longer be empty".to_owned());
        }
        _ => {}
    }
    let (old, new) = (constraints_of(before), constraints_of(after));
    for constraint in new.difference(&old).filter(|one| is_key(one)) {
        tell(&rules::KEY_ADDED, format!("the column is {constraint} from now on"));
    }
    for constraint in old.difference(&new).filter(|one| is_key(one)) {
        tell(&rules::KEY_REMOVED, format!("the column is {constraint} no longer"));
    }
    let mut others = new.symmetric_difference(&old).filter(|one| !is_key(one) && *one != "NOT_NULL").peekable();
    if others.peek().is_some() {
        tell(&rules::CONSTRAINT_CHANGED, format!("the constraint differs in {}", listed(others)));
    }
}

/// A constraint of a table: its kind, and the columns to which it applies.
fn table_constraints(list: Option<&Value>) -> BTreeSet<(String, Vec<&str>)> {
    let kind_of = |constraint: &Value| {
        let kind = constraint.get("constraintType").and_then(Value::as_str).unwrap_or_default();
        kind.trim().to_ascii_uppercase().replace([' ', '-'], "_")
    };
    list.and_then(Value::as_array)
        .into_iter()
        .flatten()
        .map(|constraint| {
            let columns = constraint.get("columns").and_then(Value::as_array).into_iter().flatten();
            let mut columns: Vec<&str> = columns.filter_map(Value::as_str).collect();
            columns.sort_unstable();
            (kind_of(constraint), columns)
        })
        .collect()
}

pub(super) fn constraints(list: &Spot<'_>, side: Side, reasons: &mut Vec<Reason>) {
    let (old, new) = (table_constraints(list.before), table_constraints(list.after));
    let mut tell = |(kind, columns): &(String, Vec<&str>), key: &ContractRule, what: &str| {
        let rule = if is_key(kind) { key } else { &rules::CONSTRAINT_CHANGED };
        reasons.push(list.tell(rule, side, format!("the constraint {kind} on {} {what}", listed(columns))));
    };
    for constraint in new.difference(&old) {
        tell(constraint, &rules::KEY_ADDED, "is new");
    }
    for constraint in old.difference(&new) {
        tell(constraint, &rules::KEY_REMOVED, "is gone");
    }
    if old == new && !list.is_same() {
        reasons.push(list.tell(&rules::CONSTRAINT_CHANGED, side, "constraints differ in what is not compared"));
    }
}
