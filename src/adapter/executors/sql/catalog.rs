//! What exists in a schema, and the book that Meshwright keeps in it.
//!
//! The book is one small table. It says to which container the schema belongs, which tables and
//! views Meshwright made for which port, and the digest of each view's query; and which holder of the
//! container changed it last. Two products whose
//! names come to the same schema name are told apart by it: the second one is refused.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::domain::activity::FencingToken;
use crate::domain::id::ContainerId;
use crate::domain::plan::TaskKey;
use crate::port::executor::TaskError;

use super::dialect::{Dialect, qualified, quoted};
use super::migrate::{Existing, ExistingColumn, ExistingTable, Recorded, UNIQUE_PREFIX, Wanted, view_digest};
use super::session::{Cell, Row, Session};
use super::types::ColumnType;

/// The name of the book.
pub(super) const BOOK: &str = "_meshwright";

/// Whether the schema is there.
pub(super) async fn schema_exists(session: &mut Session, schema: &str) -> Result<bool, TaskError> {
    let sql = match session.dialect() {
        Dialect::Sqlite => "SELECT count(*) FROM pragma_database_list WHERE name = $1",
        Dialect::Postgres => "SELECT count(*)::text FROM pg_catalog.pg_namespace WHERE nspname = $1",
    };
    Ok(session.number(sql, &[schema]).await? > 0)
}

/// Makes the schema and its book where they are missing, and sees to it that they are this
/// container's. A schema with other things in it is not taken over.
pub(super) async fn claim(session: &mut Session, schema: &str, container: &ContainerId) -> Result<(), TaskError> {
    if !schema_exists(session, schema).await? {
        session.execute(&format!("CREATE SCHEMA {}", quoted(schema))).await?;
    }
    let kinds = objects(session, schema).await?;
    if !kinds.contains_key(BOOK) {
        if let Some(name) = kinds.keys().next() {
            return Err(TaskError::permanent(format!(
                "the schema '{schema}' was not made by Meshwright and is not empty (it has '{name}'); \
                 set another 'schema' for the executor, or empty it"
            )));
        }
        let book = qualified(schema, BOOK);
        let columns = "name TEXT NOT NULL, kind TEXT NOT NULL, port TEXT NOT NULL, digest TEXT NOT NULL";
        session.execute(&format!("CREATE TABLE {book} ({columns}, PRIMARY KEY (kind, name))")).await?;
    }
    match owner(session, schema).await? {
        Some(owner) if owner == container.to_string() => Ok(()),
        Some(owner) => Err(TaskError::permanent(format!(
            "the schema '{schema}' belongs to {owner}, and {container} comes to the same name; \
             set a 'schema' for the executor that tells them apart"
        ))),
        None => write(session, schema, "container", &container.to_string(), "", "").await,
    }
}

/// Takes down who works in the schema, and refuses who worked in it before: a replica that was stopped for
/// longer than it may hold a container changes nothing, even when nobody has told it yet.
pub(super) async fn admit(session: &mut Session, schema: &str, token: FencingToken) -> Result<(), TaskError> {
    let book = qualified(schema, BOOK);
    let rows = session.rows(&format!("SELECT name FROM {book} WHERE kind = 'token'"), &[]).await?;
    let newest = rows.iter().filter_map(|row| text(row, 0).parse::<u64>().ok()).max().unwrap_or(0);
    if newest > token.0 {
        return Err(TaskError::permanent(format!(
            "'{schema}' was changed under the token {newest} by now, and this is {}: another replica goes on",
            token.0
        )));
    }
    if newest < token.0 {
        session.execute(&format!("DELETE FROM {book} WHERE kind = 'token'")).await?;
        write(session, schema, "token", &token.0.to_string(), "", "").await?;
    }
    Ok(())
}

/// Whether the schema has a book, that is, whether Meshwright made it.
pub(super) async fn has_book(session: &mut Session, schema: &str) -> Result<bool, TaskError> {
    Ok(objects(session, schema).await?.contains_key(BOOK))
}

/// The container to which a schema belongs.
pub(super) async fn owner(session: &mut Session, schema: &str) -> Result<Option<String>, TaskError> {
    let sql = format!("SELECT name FROM {} WHERE kind = 'container'", qualified(schema, BOOK));
    let rows = session.rows(&sql, &[]).await?;
    Ok(rows.into_iter().next().map(|row| text(&row, 0)))
}

/// All schemas with a book.
pub(super) async fn schemas_with_a_book(session: &mut Session) -> Result<Vec<String>, TaskError> {
    let sql = match session.dialect() {
        Dialect::Sqlite => "SELECT name FROM pragma_database_list WHERE name NOT IN ('main', 'temp') ORDER BY name",
        Dialect::Postgres => {
            "SELECT table_schema::text FROM information_schema.tables WHERE table_name = '_meshwright' ORDER BY 1"
        }
    };
    let rows = session.rows(sql, &[]).await?;
    let mut schemas = Vec::new();
    for schema in rows.iter().map(|row| text(row, 0)) {
        if objects(session, &schema).await?.contains_key(BOOK) {
            schemas.push(schema);
        }
    }
    Ok(schemas)
}

/// Reads the whole schema.
pub(super) async fn existing(session: &mut Session, schema: &str) -> Result<Existing, TaskError> {
    let kinds = objects(session, schema).await?;
    let mut existing = Existing::default();
    for (name, is_view) in kinds.iter().filter(|(name, _)| *name != BOOK) {
        if *is_view {
            existing.views.insert(name.clone());
        } else {
            existing.tables.insert(name.clone(), table(session, schema, name).await?);
        }
    }
    let sql = format!("SELECT name, port, digest FROM {} WHERE kind IN ('table', 'view')", qualified(schema, BOOK));
    for row in session.rows(&sql, &[]).await? {
        existing.recorded.insert(text(&row, 0), Recorded { port: text(&row, 1), digest: text(&row, 2) });
    }
    Ok(existing)
}

/// Writes into the book what is wanted now, where it does not say so already.
pub(super) async fn record(
    session: &mut Session,
    schema: &str,
    existing: &Existing,
    wanted: &Wanted,
) -> Result<(), TaskError> {
    let tables = wanted.tables.iter().map(|table| ("table", &table.name, &table.port, String::new()));
    let views = wanted.views.iter().map(|view| ("view", &view.name, &view.port, view_digest(view)));
    let now: BTreeMap<&String, _> =
        tables.chain(views).map(|(kind, name, port, digest)| (name, (kind, port, digest))).collect();
    for (name, book) in &existing.recorded {
        if !now.contains_key(name) && !wanted.left_alone.contains(&book.port) {
            forget(session, schema, name).await?;
        }
    }
    for (name, (kind, port, digest)) in now {
        let recorded = Recorded { port: port.clone(), digest: digest.clone() };
        if existing.recorded.get(name) != Some(&recorded) {
            forget(session, schema, name).await?;
            write(session, schema, kind, name, port, &digest).await?;
        }
    }
    Ok(())
}

/// Writes into the book that a task made these tables and views, which were not there.
pub(super) async fn record_made(
    session: &mut Session,
    schema: &str,
    names: &[String],
    key: &TaskKey,
) -> Result<(), TaskError> {
    let sql = format!("DELETE FROM {} WHERE kind = 'made' AND name = $1", qualified(schema, BOOK));
    for name in names {
        session.execute_with(&sql, &[Cell::Text(name.clone())]).await?;
        write(session, schema, "made", name, key.as_str(), "").await?;
    }
    Ok(())
}

/// What a task made and is still there: views (`true`) before tables (`false`).
pub(super) async fn made_by(
    session: &mut Session,
    schema: &str,
    key: &TaskKey,
) -> Result<Vec<(String, bool)>, TaskError> {
    let kinds = objects(session, schema).await?;
    let sql = format!("SELECT name FROM {} WHERE kind = 'made' AND port = $1 ORDER BY name", qualified(schema, BOOK));
    let rows = session.rows(&sql, &[key.as_str()]).await?;
    let mut made: Vec<(String, bool)> =
        rows.iter().map(|row| text(row, 0)).filter_map(|name| Some((name.clone(), *kinds.get(&name)?))).collect();
    made.sort_by_key(|(_, is_view)| !is_view);
    Ok(made)
}

/// Takes a table or view out of the book.
pub(super) async fn strike(session: &mut Session, schema: &str, name: &str) -> Result<(), TaskError> {
    let sql = format!("DELETE FROM {} WHERE kind <> 'container' AND name = $1", qualified(schema, BOOK));
    session.execute_with(&sql, &[Cell::Text(name.to_owned())]).await.map(|_| ())
}

async fn write(
    session: &mut Session,
    schema: &str,
    kind: &str,
    name: &str,
    port: &str,
    digest: &str,
) -> Result<(), TaskError> {
    let sql = format!("INSERT INTO {} (kind, name, port, digest) VALUES ($1, $2, $3, $4)", qualified(schema, BOOK));
    let cells = [kind, name, port, digest].map(|text| Cell::Text(text.to_owned()));
    session.execute_with(&sql, &cells).await.map(|_| ())
}

async fn forget(session: &mut Session, schema: &str, name: &str) -> Result<(), TaskError> {
    let sql = format!("DELETE FROM {} WHERE kind IN ('table', 'view') AND name = $1", qualified(schema, BOOK));
    session.execute_with(&sql, &[Cell::Text(name.to_owned())]).await.map(|_| ())
}

/// Tables (`false`) and views (`true`) by name.
async fn objects(session: &mut Session, schema: &str) -> Result<BTreeMap<String, bool>, TaskError> {
    let rows = match session.dialect() {
        Dialect::Sqlite => {
            let master = qualified(schema, "sqlite_master");
            let sql = format!(
                "SELECT name, type FROM {master} WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
            );
            session.rows(&sql, &[]).await?
        }
        Dialect::Postgres => {
            let sql = "SELECT c.relname::text, CASE WHEN c.relkind IN ('v', 'm') THEN 'view' ELSE 'table' END \
                       FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
                       WHERE n.nspname = $1 AND c.relkind IN ('r', 'p', 'v', 'm', 'f')";
            session.rows(sql, &[schema]).await?
        }
    };
    Ok(rows.iter().map(|row| (text(row, 0), text(row, 1) == "view")).collect())
}

async fn table(session: &mut Session, schema: &str, name: &str) -> Result<ExistingTable, TaskError> {
    let columns = columns(session, schema, name).await?;
    let (key, indexes) = match session.dialect() {
        Dialect::Sqlite => (
            "SELECT name FROM pragma_table_info($2, $1) WHERE pk > 0 ORDER BY pk",
            "SELECT name FROM pragma_index_list($2, $1)",
        ),
        Dialect::Postgres => (
            "SELECT a.attname::text FROM pg_catalog.pg_index i \
             JOIN pg_catalog.pg_class c ON c.oid = i.indrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
             CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS k(number, position) \
             JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.number \
             WHERE n.nspname = $1 AND c.relname = $2 AND i.indisprimary ORDER BY k.position",
            "SELECT indexname::text FROM pg_catalog.pg_indexes WHERE schemaname = $1 AND tablename = $2",
        ),
    };
    let primary_key = session.rows(key, &[schema, name]).await?.iter().map(|row| text(row, 0)).collect();
    let indexes = session.rows(indexes, &[schema, name]).await?;
    let uniques = indexes.iter().map(|row| text(row, 0)).filter(|index| index.starts_with(UNIQUE_PREFIX)).collect();
    let sql =
        format!("SELECT CAST(CASE WHEN EXISTS (SELECT 1 FROM {}) THEN 1 ELSE 0 END AS TEXT)", qualified(schema, name));
    let empty = session.number(&sql, &[]).await? == 0;
    Ok(ExistingTable { columns, primary_key, uniques, empty })
}

async fn columns(session: &mut Session, schema: &str, name: &str) -> Result<Vec<ExistingColumn>, TaskError> {
    let sql = match session.dialect() {
        Dialect::Sqlite => "SELECT name, type, \"notnull\" FROM pragma_table_info($2, $1) ORDER BY cid",
        // format_type says 'character varying(50)' and 'numeric(10,2)', which is what types are parsed from.
        Dialect::Postgres => {
            "SELECT a.attname::text, pg_catalog.format_type(a.atttypid, a.atttypmod)::text, a.attnotnull::int::text \
             FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid \
             JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
             WHERE n.nspname = $1 AND c.relname = $2 AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum"
        }
    };
    let rows = session.rows(sql, &[schema, name]).await?;
    let column = |row: &Row| {
        let declared = text(row, 1);
        let kind = ColumnType::parse(&declared, None, None, None);
        ExistingColumn { name: text(row, 0), declared, kind, not_null: text(row, 2) == "1" }
    };
    Ok(rows.iter().map(column).collect())
}

/// How many rows a table has.
pub(super) async fn count(session: &mut Session, schema: &str, name: &str) -> Result<u64, TaskError> {
    session.number(&format!("SELECT CAST(count(*) AS TEXT) FROM {}", qualified(schema, name)), &[]).await
}

/// The schema, as it is reported.
pub(super) async fn describe(session: &mut Session, schema: &str) -> Result<Value, TaskError> {
    let (mut tables, mut views) = (Map::new(), Map::new());
    for (name, is_view) in objects(session, schema).await?.into_iter().filter(|(name, _)| name != BOOK) {
        let columns = columns(session, schema, &name).await?;
        let columns: Vec<Value> = columns
            .iter()
            .map(|column| json!({"name": column.name, "type": column.declared, "notNull": column.not_null}))
            .collect();
        if is_view {
            views.insert(name, json!({"columns": columns}));
        } else {
            let rows = count(session, schema, &name).await?;
            tables.insert(name, json!({"rows": rows, "columns": columns}));
        }
    }
    Ok(json!({"tables": tables, "views": views}))
}

fn text(row: &Row, index: usize) -> String {
    row.get(index).and_then(Option::as_ref).cloned().unwrap_or_default()
}
