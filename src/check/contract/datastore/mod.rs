//! Data stores: tables and their columns, and where they are served.

mod rules;
mod words;
mod columns;
#[cfg(test)]
mod tests;

use serde_json::Value;

use super::fields::{Spot, is_for_people};
use super::notes::{lacks, object};
use super::{Editions, Language, definition, is_same_edition, privacy};
use crate::check::limits::MAX_DEPTH;
use crate::domain::compat::{ContractRule, Reason, Side};

/// How this language is told, compared and explained.
pub(super) const LANGUAGE: Language = Language {
    name: "Data store",
    about: "Tables and columns as the Data Store API Specification has them; tables are known by their names, and so \
            are columns. A table that is described in another language, and a column's `jsonSchema`, are compared \
            in that language. Versions inside the definition are not compared: what they announce is.",
    specifications: &["datastoreapi", "dsas", "datastoreapispecification"],
    is_told_by_shape,
    faults: |definition| lacks(definition, &["datastoreapi", "schema", "tables", "services"]),
    odd: |definition| super::vocabulary::odd(&words::DEFINITION, "the Data Store API Specification", definition),
    compare,
    rules: rules::RULES,
};

fn is_told_by_shape(definition: &Value) -> bool {
    object(definition).is_ok_and(|document| {
        document.get("datastoreapi").is_some() || document.pointer("/schema/tables").is_some_and(Value::is_array)
    })
}

/// References are followed so many times one after the other.
const MOST_HOPS: usize = 8;
/// A definition with its references followed has no more values than this.
const MOST_VALUES: usize = 100_000;

/// What is told on the way.
struct Telling {
    side: Side,
    reasons: Vec<Reason>,
}

/// Compares two definitions.
pub(crate) fn compare(editions: &Editions<'_>) -> Vec<Reason> {
    let side = editions.side;
    let (Some(before), Some(after)) = (read(editions.before), read(editions.after)) else {
        let message = "it is no data store definition that can be read";
        return vec![rules::UNREADABLE.reason(side, editions.pointer, "", message)];
    };
    let mut telling = Telling { side, reasons: Vec::new() };
    let whole =
        Spot { before: Some(&before), after: Some(&after), pointer: editions.pointer.to_owned(), path: String::new() };
    for (field, spot) in whole.differing() {
        match field {
            "info" => telling.info(&spot),
            "services" => telling.services(&spot),
            // Tables are known without it.
            "schema" => telling.schema(&Spot { path: String::new(), ..spot }),
            "tables" => telling.tables(&spot),
            // A library: what is used of it is compared where it is used.
            "components" => {}
            "datastoreapi" if is_same_edition(&spot) => {}
            _ => telling.other(field, &spot),
        }
    }
    telling.reasons
}

/// A definition with its references followed, read where it is a text.
fn read(definition: &Value) -> Option<Value> {
    let parsed = object(definition).ok()?;
    let mut left = MOST_VALUES;
    expanded(&parsed, &parsed, (0, 0), &mut left)
}

/// The value with what its references within the definition lead to; `None` when that is too much, too deep, or
/// leads around. The counts are those of references followed and of values around this one.
fn expanded(document: &Value, value: &Value, (hops, depth): (usize, usize), left: &mut usize) -> Option<Value> {
    *left = left.checked_sub(1)?;
    if depth > MAX_DEPTH {
        return None;
    }
    let inside = (hops, depth + 1);
    Some(match value {
        Value::Object(fields) => {
            let target = fields.get("$ref").and_then(Value::as_str).and_then(|reference| reference.strip_prefix('#'));
            if let Some(target) = target.and_then(|pointer| document.pointer(pointer)) {
                if hops == MOST_HOPS {
                    return None;
                }
                return expanded(document, target, (hops + 1, depth + 1), left);
            }
            let mut out = serde_json::Map::with_capacity(fields.len());
            for (key, field) in fields {
                out.insert(key.clone(), expanded(document, field, inside, left)?);
            }
            Value::Object(out)
        }
        Value::Array(items) => {
            Value::Array(items.iter().map(|item| expanded(document, item, inside, left)).collect::<Option<_>>()?)
        }
        other => other.clone(),
    })
}

/// Whether a table inside the definition has a definition of its own.
fn has_inner_definition(definition: &Value) -> bool {
    let is_defined = |table: &Value| table.get("definition").is_some();
    match definition {
        Value::Object(fields) => fields.iter().any(|(key, field)| {
            let here = match key.as_str() {
                "tables" => field.as_array().is_some_and(|tables| tables.iter().any(is_defined)),
                "schema" => is_defined(field),
                _ => false,
            };
            here || has_inner_definition(field)
        }),
        Value::Array(items) => items.iter().any(has_inner_definition),
        _ => false,
    }
}

/// The path of something inside of something else, where that is not said already.
fn below(outer: &str, inner: &str) -> String {
    match inner {
        "" => outer.to_owned(),
        inner if inner.starts_with(outer) => inner.to_owned(),
        inner => format!("{outer}.{inner}"),
    }
}

impl Telling {
    fn other(&mut self, field: &str, spot: &Spot<'_>) {
        if !is_for_people(field) && !privacy::is_mark(field) {
            let message = spot.not_known(field);
            self.reasons.push(spot.tell(&rules::FIELD, self.side, message));
        }
    }

    /// A value that says where the data is.
    fn place(&mut self, spot: &Spot<'_>, name: &str) {
        let rule = if spot.before.is_some() { &rules::PLACE_CHANGED } else { &rules::FIELD };
        self.reasons.push(spot.tell(rule, self.side, format!("'{name}' {}", spot.was_and_is())));
    }

    fn info(&mut self, info: &Spot<'_>) {
        for (field, spot) in info.differing() {
            match field {
                "version" | "license" | "termsOfService" => {}
                "datastoreName" => self.place(&spot, field),
                _ => self.other(field, &spot),
            }
        }
    }

    fn services(&mut self, services: &Spot<'_>) {
        for (name, spot) in services.differing() {
            match (spot.before, spot.after) {
                (None, _) => self.tell(&spot, &rules::SERVICE_ADDED, format!("the service '{name}' is new")),
                (_, None) => self.tell(&spot, &rules::SERVICE_REMOVED, format!("the service '{name}' is gone")),
                _ => self.service(&spot),
            }
        }
    }

    fn service(&mut self, service: &Spot<'_>) {
        const PLACES: [&str; 8] =
            ["host", "port", "dbmsType", "connectionString", "url", "database", "serverVariables", "serverInfo"];
        const INSIDE: [&str; 4] = ["serverInfo", "connectionProtocols", "jdbc", "odbc"];
        let mut waiting = vec![service.clone()];
        while let Some(spot) = waiting.pop() {
            for (field, inner) in spot.differing() {
                let both = inner.before.is_some_and(Value::is_object) && inner.after.is_some_and(Value::is_object);
                match field {
                    field if INSIDE.contains(&field) && both => waiting.push(inner),
                    field if PLACES.contains(&field) => self.place(&inner, field),
                    "driverDocs" | "name" => {}
                    _ => self.other(field, &inner),
                }
            }
        }
    }

    fn schema(&mut self, schema: &Spot<'_>) {
        if [schema.before, schema.after].into_iter().flatten().any(|schema| schema.get("columns").is_some()) {
            // The schema of a single table.
            return self.table(schema);
        }
        for (field, spot) in schema.differing() {
            match field {
                "tables" => self.tables(&spot),
                "databaseName" | "databaseSchemaName" | "schemaName" => self.place(&spot, field),
                _ => self.other(field, &spot),
            }
        }
    }

    fn tables(&mut self, tables: &Spot<'_>) {
        let Some(items) = tables.items(|table| table.get("name").or_else(|| table.get("fullyQualifiedName"))?.as_str())
        else {
            return self.tell(tables, &rules::NOT_TOLD_APART, "some tables have no name of their own".to_owned());
        };
        for (name, table) in items {
            match (table.before, table.after) {
                (None, _) => self.tell(&table, &rules::TABLE_ADDED, format!("the table '{name}' is new")),
                (_, None) => self.tell(&table, &rules::TABLE_REMOVED, format!("the table '{name}' is gone")),
                _ => self.table(&table),
            }
        }
    }

    fn table(&mut self, table: &Spot<'_>) {
        if table.is_same() {
            return;
        }
        self.reasons.extend(privacy::compare(table, self.side));
        if [table.before, table.after].into_iter().flatten().any(|table| table.get("definition").is_some()) {
            // A data store inside a table of a data store is followed once: its references are its own, and what
            // they lead to may hold the next.
            let inner = |table: Option<&Value>| table.and_then(|table| table.get("definition")).and_then(read);
            if [table.before, table.after]
                .into_iter()
                .any(|table| inner(table).is_some_and(|one| has_inner_definition(&one)))
            {
                let message = "its definition has tables with definitions, which are not compared".to_owned();
                return self.tell(&table.field("definition"), &rules::FIELD, message);
            }
            // A standard definition: its own language tells.
            let reasons = definition::compare(table, self.side).into_iter();
            self.reasons.extend(reasons.map(|reason| Reason { path: below(&table.path, &reason.path), ..reason }));
            return;
        }
        for (field, spot) in table.differing() {
            match field {
                "version" | "name" => {}
                "columns" => columns::compare(&spot, self.side, &mut self.reasons),
                "constraints" => columns::constraints(&spot, self.side, &mut self.reasons),
                _ => self.other(field, &spot),
            }
        }
    }

    fn tell(&mut self, spot: &Spot<'_>, rule: &ContractRule, message: String) {
        self.reasons.push(spot.tell(rule, self.side, message));
    }
}
