//! From a descriptor's output ports to the tables and views that a container has.
//!
//! The datastore API specification 1.0.0 describes a table by an entity with columns, which
//! stands in `schema.tables[]` either itself or as the `definition` of a standard definition. It
//! knows no query for a view; ours is the extension `x-query` on a table whose `tableType` is
//! `VIEW`. What differs between the specification's schema and its own examples is read both
//! ways: `schemaName` and `databaseSchemaName`, lengths as numbers and as texts.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::port::executor::TaskError;

use super::super::names::LONGEST_IDENTIFIER;
use super::catalog::BOOK;
use super::dialect::Dialect;
use super::statement;
use super::types::ColumnType;

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) kind: ColumnType,
    pub(super) not_null: bool,
}

/// A table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TableSpec {
    pub(super) name: String,
    /// The output port that it belongs to.
    pub(super) port: String,
    pub(super) columns: Vec<Column>,
    pub(super) primary_key: Vec<String>,
    /// Each a list of columns.
    pub(super) uniques: Vec<Vec<String>>,
}

/// A view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ViewSpec {
    pub(super) name: String,
    /// The output port that it belongs to.
    pub(super) port: String,
    /// A single query.
    pub(super) query: String,
}

/// What one output port wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PortSchema {
    pub(super) port: String,
    /// The schema's name in the definition.
    pub(super) schema: Option<String>,
    pub(super) tables: Vec<TableSpec>,
    pub(super) views: Vec<ViewSpec>,
}

/// The ports of a descriptor that are datastores.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Definitions {
    /// Those that are wanted.
    pub(super) wanted: Vec<PortSchema>,
    /// The names of those that the task leaves alone.
    pub(super) others: BTreeSet<String>,
}

/// Reads the output ports; with `only`, those of these names.
pub(super) fn read(
    descriptor: &Value,
    only: Option<&BTreeSet<String>>,
    dialect: Dialect,
) -> Result<Definitions, TaskError> {
    let ports = descriptor.pointer("/interfaceComponents/outputPorts").and_then(Value::as_array);
    let mut definitions = Definitions::default();
    for port in ports.into_iter().flatten() {
        let Some(name) = text(port, "name") else { continue };
        let api = port.pointer("/promises/api").unwrap_or(&Value::Null);
        let is_datastore = text(api, "specification").is_some_and(|word| word.eq_ignore_ascii_case("datastoreapi"));
        if !is_datastore {
            continue;
        }
        if only.is_some_and(|only| !only.contains(name)) {
            definitions.others.insert(name.to_owned());
            continue;
        }
        definitions.wanted.push(read_port(name, api, dialect)?);
    }
    if let Some(only) = only {
        let known = |name: &&String| definitions.wanted.iter().any(|port| port.port == **name);
        if let Some(missing) = only.iter().find(|name| !known(name)) {
            return Err(TaskError::permanent(format!(
                "the configurations name the port '{missing}', and no output port of that name promises a 'datastoreapi'"
            )));
        }
    }
    Ok(definitions)
}

fn read_port(port: &str, api: &Value, dialect: Dialect) -> Result<PortSchema, TaskError> {
    let schema = api.pointer("/definition/schema").and_then(Value::as_object);
    let Some(schema) = schema else {
        return Err(refused(port, "its API definition has no 'schema' object"));
    };
    let name = ["schemaName", "databaseSchemaName"].iter().find_map(|field| schema.get(*field)?.as_str());
    let mut read =
        PortSchema { port: port.to_owned(), schema: name.map(str::to_owned), tables: Vec::new(), views: Vec::new() };
    let Some(items) = schema.get("tables").and_then(Value::as_array) else {
        return Err(refused(port, "its 'schema' has no list 'tables'"));
    };
    let mut names = BTreeSet::new();
    for item in items {
        let entity = entity(item).map_err(|rule| refused(port, &rule))?;
        let name = text(entity, "name").or_else(|| text(item, "name"));
        let name = name.or_else(|| last_of_fqn(entity)).ok_or_else(|| refused(port, "a table has no 'name'"))?;
        let refused = |rule: &str| refused(port, &format!("table '{name}': {rule}"));
        check_name(name).map_err(|rule| refused(&format!("the name {rule}")))?;
        if name.eq_ignore_ascii_case(BOOK) {
            return Err(refused("the name is reserved"));
        }
        if !names.insert(name.to_lowercase()) {
            return Err(refused("there are two of this name"));
        }
        let is_view = text(entity, "tableType").is_some_and(|word| word.eq_ignore_ascii_case("view"));
        if is_view {
            let query = text(entity, "x-query").or_else(|| text(item, "x-query"));
            let query = query.ok_or_else(|| refused("a VIEW needs its query in 'x-query'"))?;
            let query =
                statement::single_query(query, dialect).map_err(|rule| refused(&format!("'x-query': {rule}")))?;
            read.views.push(ViewSpec { name: name.to_owned(), port: port.to_owned(), query: query.to_owned() });
        } else {
            read.tables.push(read_table(name, port, entity).map_err(|rule| refused(&rule))?);
        }
    }
    Ok(read)
}

/// The table entity of an item, whether it stands there itself or in a standard definition.
fn entity(item: &Value) -> Result<&Value, String> {
    let shown = text(item, "name").unwrap_or("?");
    match item.get("definition") {
        None if item.get("$ref").is_some() => Err(format!("table '{shown}' is a reference that was not resolved")),
        None => Ok(item),
        Some(definition) if definition.is_object() => {
            if definition.get("columns").is_none() && definition.get("$ref").is_some() {
                return Err(format!("table '{shown}' is a reference that was not resolved"));
            }
            Ok(definition)
        }
        Some(_) => Err(format!(
            "table '{shown}' is described in another language; describe it by 'columns', or leave the port out of the \
             task by 'configurations.ports'"
        )),
    }
}

fn read_table(name: &str, port: &str, entity: &Value) -> Result<TableSpec, String> {
    let items = entity.get("columns").and_then(Value::as_array).filter(|columns| !columns.is_empty());
    let items = items.ok_or("it has no 'columns'")?;
    let mut table = TableSpec {
        name: name.to_owned(),
        port: port.to_owned(),
        columns: Vec::with_capacity(items.len()),
        primary_key: Vec::new(),
        uniques: Vec::new(),
    };
    let mut ordered: Vec<&Value> = items.iter().collect();
    ordered.sort_by_key(|column| number(column, "ordinalPosition").unwrap_or(u32::MAX));
    let mut names = BTreeSet::new();
    for item in ordered {
        let name = text(item, "name").or_else(|| last_of_fqn(item)).ok_or("a column has no 'name'")?;
        check_name(name).map_err(|rule| format!("column '{name}': the name {rule}"))?;
        if !names.insert(name.to_lowercase()) {
            return Err(format!("column '{name}': there are two of this name"));
        }
        let word = text(item, "dataType").ok_or_else(|| format!("column '{name}': it has no 'dataType'"))?;
        let precision = number(item, "precision").or_else(|| number(item, "dataPrecision"));
        let scale = number(item, "scale").or_else(|| number(item, "dataScale"));
        let kind = ColumnType::parse(word, number(item, "dataLength"), precision, scale)
            .ok_or_else(|| format!("column '{name}': the type '{word}' is not known, or its length is out of range"))?;
        let constraint = text(item, "columnConstraint").unwrap_or("NULL").to_ascii_uppercase();
        let mut not_null = false;
        match constraint.replace([' ', '-'], "_").as_str() {
            "" | "NULL" | "NULLABLE" | "NONE" => {}
            "NOT_NULL" => not_null = true,
            "UNIQUE" => table.uniques.push(vec![name.to_owned()]),
            "PRIMARY_KEY" => table.primary_key.push(name.to_owned()),
            _ => return Err(format!("column '{name}': the constraint '{constraint}' is not known")),
        }
        table.columns.push(Column { name: name.to_owned(), kind, not_null });
    }
    for constraint in entity.get("constraints").and_then(Value::as_array).into_iter().flatten() {
        read_constraint(&mut table, constraint)?;
    }
    let TableSpec { columns, primary_key, .. } = &mut table;
    columns.iter_mut().filter(|column| primary_key.contains(&column.name)).for_each(|column| column.not_null = true);
    Ok(table)
}

fn read_constraint(table: &mut TableSpec, constraint: &Value) -> Result<(), String> {
    let word = text(constraint, "constraintType").unwrap_or_default().to_ascii_uppercase();
    let mut columns = Vec::new();
    for item in constraint.get("columns").and_then(Value::as_array).into_iter().flatten() {
        let given = item.as_str().unwrap_or_default();
        let name = if given.starts_with("urn:") { last_segment(given) } else { given };
        if !table.columns.iter().any(|column| column.name == name) {
            return Err(format!("the constraint '{word}' names the column '{given}', and there is none"));
        }
        columns.push(name.to_owned());
    }
    match word.replace([' ', '-'], "_").as_str() {
        _ if columns.is_empty() => Err(format!("the constraint '{word}' names no column")),
        "PRIMARY_KEY" => {
            table.primary_key = columns;
            Ok(())
        }
        "UNIQUE" if table.uniques.contains(&columns) => Ok(()),
        "UNIQUE" => {
            table.uniques.push(columns);
            Ok(())
        }
        // The specification does not say what a foreign key leads to, so there is nothing to be made of it.
        "FOREIGN_KEY" => Ok(()),
        _ => Err(format!("the constraint '{word}' is not known")),
    }
}

/// Names stay as the contract says them, since consumers read them; they only have to be possible.
fn check_name(name: &str) -> Result<(), String> {
    if name.is_empty() || name.len() > LONGEST_IDENTIFIER {
        return Err(format!("has to have 1 to {LONGEST_IDENTIFIER} bytes"));
    }
    if name.chars().any(char::is_control) {
        return Err("has control characters".to_owned());
    }
    if name.to_ascii_lowercase().starts_with("sqlite_") {
        return Err("begins with 'sqlite_', which SQLite keeps for itself".to_owned());
    }
    Ok(())
}

fn refused(port: &str, rule: &str) -> TaskError {
    TaskError::permanent(format!("the output port '{port}' cannot be stored: {rule}"))
}

fn text<'a>(item: &'a Value, field: &str) -> Option<&'a str> {
    item.get(field).and_then(Value::as_str).filter(|text| !text.is_empty())
}

fn number(item: &Value, field: &str) -> Option<u32> {
    let value = item.get(field)?;
    let number = value.as_u64().or_else(|| value.as_str()?.trim().parse().ok())?;
    u32::try_from(number).ok()
}

fn last_of_fqn(item: &Value) -> Option<&str> {
    text(item, "fullyQualifiedName").map(last_segment)
}

fn last_segment(fqn: &str) -> &str {
    fqn.rsplit(['.', ':']).next().unwrap_or(fqn)
}
