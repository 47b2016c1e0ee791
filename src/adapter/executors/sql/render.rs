//! Steps as statements of a dialect.
//!
//! SQLite cannot change a column in place, so there a table is made anew beside the old one,
//! filled from it, and takes its name, within the one transaction of the task.

use super::definition::{Column, TableSpec};
use super::dialect::{Dialect, list, qualified, quoted};
use super::migrate::{ColumnChange, Step, unique_name};

/// The name of a table while it is made anew.
const NEW_TABLE: &str = "_meshwright_new";

/// The statements of a step, in order.
pub(super) fn statements(step: &Step, schema: &str, dialect: Dialect) -> Vec<String> {
    match step {
        Step::DropView(name) => vec![format!("DROP VIEW IF EXISTS {}", qualified(schema, name))],
        Step::DropTable(name) => vec![format!("DROP TABLE {}", qualified(schema, name))],
        Step::CreateTable(table) => vec![create_table(table, schema, &table.name, dialect)],
        Step::AlterTable { table, kept, changes } => match dialect {
            Dialect::Postgres => changes.iter().map(|change| alter(table, change, schema, dialect)).collect(),
            Dialect::Sqlite if changes.iter().all(can_be_added) => {
                changes.iter().map(|change| alter(table, change, schema, dialect)).collect()
            }
            Dialect::Sqlite => make_anew(table, kept, changes, schema),
        },
        Step::DropUnique(index) => vec![format!("DROP INDEX IF EXISTS {}", qualified(schema, index))],
        Step::AddUnique { table, index, columns } => vec![add_unique(schema, table, index, columns, dialect)],
        // The names of tables in a query are looked for in the schema of the view (SQLite), or in
        // the search path, which is the schema (PostgreSQL).
        Step::CreateView(view) => vec![format!("CREATE VIEW {} AS {}", qualified(schema, &view.name), view.query)],
    }
}

fn create_table(table: &TableSpec, schema: &str, name: &str, dialect: Dialect) -> String {
    let mut lines: Vec<String> = table.columns.iter().map(|column| column_ddl(column, dialect)).collect();
    if !table.primary_key.is_empty() {
        lines.push(format!("PRIMARY KEY ({})", list(table.primary_key.iter().map(String::as_str))));
    }
    format!("CREATE TABLE {} ({})", qualified(schema, name), lines.join(", "))
}

fn column_ddl(column: &Column, dialect: Dialect) -> String {
    let not_null = if column.not_null { " NOT NULL" } else { "" };
    format!("{} {}{not_null}", quoted(&column.name), column.kind.ddl(dialect))
}

fn add_unique(schema: &str, table: &str, index: &str, columns: &[String], dialect: Dialect) -> String {
    let columns = list(columns.iter().map(String::as_str));
    match dialect {
        Dialect::Sqlite => {
            format!("CREATE UNIQUE INDEX IF NOT EXISTS {} ON {} ({columns})", qualified(schema, index), quoted(table))
        }
        Dialect::Postgres => {
            format!("CREATE UNIQUE INDEX IF NOT EXISTS {} ON {} ({columns})", quoted(index), qualified(schema, table))
        }
    }
}

fn can_be_added(change: &ColumnChange) -> bool {
    matches!(change, ColumnChange::Add(column) if !column.not_null)
}

fn alter(table: &TableSpec, change: &ColumnChange, schema: &str, dialect: Dialect) -> String {
    let alter = format!("ALTER TABLE {}", qualified(schema, &table.name));
    match change {
        // The only change that SQLite makes in place.
        ColumnChange::Add(column) => format!("{alter} ADD COLUMN {}", column_ddl(column, dialect)),
        ColumnChange::Retype { column, lossy } => {
            let (name, kind) = (quoted(&column.name), column.kind.ddl(Dialect::Postgres));
            let using = if *lossy { format!(" USING {name}::text::{kind}") } else { String::new() };
            format!("{alter} ALTER COLUMN {name} TYPE {kind}{using}")
        }
        ColumnChange::SetNotNull(name) => format!("{alter} ALTER COLUMN {} SET NOT NULL", quoted(name)),
        ColumnChange::DropNotNull(name) => format!("{alter} ALTER COLUMN {} DROP NOT NULL", quoted(name)),
        ColumnChange::Drop(name) => format!("{alter} DROP COLUMN {}", quoted(name)),
    }
}

fn make_anew(table: &TableSpec, kept: &[String], changes: &[ColumnChange], schema: &str) -> Vec<String> {
    let source = |name: &String| {
        let lossy = changes.iter().find_map(|change| match change {
            ColumnChange::Retype { column, lossy: true } if column.name == *name => Some(column.kind),
            _ => None,
        });
        match lossy {
            Some(kind) => format!("CAST({} AS {})", quoted(name), kind.ddl(Dialect::Sqlite)),
            None => quoted(name),
        }
    };
    let sources: Vec<String> = kept.iter().map(source).collect();
    let new = qualified(schema, NEW_TABLE);
    let old = qualified(schema, &table.name);
    let mut statements = vec![create_table(table, schema, NEW_TABLE, Dialect::Sqlite)];
    if !kept.is_empty() {
        let columns = list(kept.iter().map(String::as_str));
        statements.push(format!("INSERT INTO {new} ({columns}) SELECT {} FROM {old}", sources.join(", ")));
    }
    statements.push(format!("DROP TABLE {old}"));
    statements.push(format!("ALTER TABLE {new} RENAME TO {}", quoted(&table.name)));
    // Indexes went with the old table.
    for columns in &table.uniques {
        let index = unique_name(&table.name, columns);
        statements.push(add_unique(schema, &table.name, &index, columns, Dialect::Sqlite));
    }
    statements
}
