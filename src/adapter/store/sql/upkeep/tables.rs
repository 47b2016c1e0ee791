//! The record's tables, as the database lists them.

use std::collections::BTreeMap;

use sqlx::AssertSqlSafe;

use crate::adapter::store::sql::connection::{Connection, Forked, Query, Value, query};
use crate::port::store::StoreError;

/// Those that others refer to come first, in this order.
const FIRST: [&str; 7] = ["sources", "descriptors", "contents", "products", "plans", "passes", "activities"];

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Whole numbers.
    Number,
    /// Texts.
    Text,
}

/// A table.
#[derive(Debug, Clone)]
pub struct Table {
    pub name: String,
    /// By name.
    pub columns: BTreeMap<String, Kind>,
    /// Its primary key, in its order.
    pub key: Vec<String>,
}

const COLUMNS: Forked = Forked {
    sqlite: "SELECT t.name AS owner, c.name AS name, lower(c.type) AS kind, c.pk AS place
             FROM sqlite_schema t, pragma_table_info(t.name) c
             WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite%' AND t.name <> '_sqlx_migrations'",
    postgres: "SELECT c.table_name::TEXT AS owner, c.column_name::TEXT AS name, c.data_type::TEXT AS kind,
                      coalesce((
                          SELECT k.ordinal_position FROM information_schema.key_column_usage k
                          JOIN information_schema.table_constraints t
                              ON t.constraint_schema = k.constraint_schema AND t.constraint_name = k.constraint_name
                          WHERE t.constraint_type = 'PRIMARY KEY' AND k.table_schema = c.table_schema
                            AND k.table_name = c.table_name AND k.column_name = c.column_name), 0)::BIGINT AS place
               FROM information_schema.columns c
               WHERE c.table_schema = current_schema() AND c.table_name <> '_sqlx_migrations'",
};

/// All tables, those first that others refer to.
pub async fn all(connection: &mut Connection) -> Result<Vec<Table>, StoreError> {
    let mut tables: BTreeMap<String, (BTreeMap<String, Kind>, BTreeMap<i64, String>)> = BTreeMap::new();
    for row in query(COLUMNS.on(connection)).fetch_all(connection).await? {
        let (name, place) = (row.text("name")?, row.number("place")?);
        let kind = match row.text("kind")?.as_str() {
            "integer" | "bigint" => Kind::Number,
            "text" => Kind::Text,
            other => return Err(StoreError::Unusable(format!("a column '{name}' of the kind {other} is not known"))),
        };
        let (columns, key) = tables.entry(row.text("owner")?).or_default();
        if place > 0 {
            key.insert(place, name.clone());
        }
        columns.insert(name, kind);
    }
    let mut tables: Vec<Table> = tables
        .into_iter()
        .map(|(name, (columns, key))| Table { name, columns, key: key.into_values().collect() })
        .collect();
    let place = |table: &Table| FIRST.iter().position(|first| *first == table.name).unwrap_or(FIRST.len());
    tables.sort_by_key(place);
    Ok(tables)
}

impl Table {
    /// How many rows it has.
    pub async fn count(&self, connection: &mut Connection) -> Result<u64, StoreError> {
        let statement = AssertSqlSafe(format!("SELECT count(*) AS rows FROM \"{}\"", self.name));
        Query::put_together(statement, Vec::new(), false).fetch_one(connection).await?.count("rows")
    }

    /// At most so many rows after the one with this key, in the key's order: each with the values of all columns.
    pub async fn page(
        &self,
        connection: &mut Connection,
        after: Option<Vec<Value<'static>>>,
        most: usize,
    ) -> Result<Vec<Vec<Value<'static>>>, StoreError> {
        let columns = quoted(self.columns.keys());
        let key = quoted(&self.key);
        let condition = match &after {
            None => String::new(),
            Some(values) => {
                let parameters: Vec<String> = (1..=values.len()).map(|number| format!("${number}")).collect();
                format!("WHERE ({key}) > ({})", parameters.join(", "))
            }
        };
        let text = format!("SELECT {columns} FROM \"{}\" {condition} ORDER BY {key} LIMIT {most}", self.name);
        let rows =
            Query::put_together(AssertSqlSafe(text), after.unwrap_or_default(), true).fetch_all(connection).await?;
        let values = |row| -> Result<Vec<Value<'static>>, StoreError> {
            let row: &crate::adapter::store::sql::connection::Row = row;
            let read = |(name, kind): (&String, &Kind)| match kind {
                Kind::Number => Ok(Value::Number(row.number_or_none(name)?)),
                Kind::Text => Ok(Value::from(row.text_or_none(name)?)),
            };
            self.columns.iter().map(read).collect()
        };
        rows.iter().map(values).collect()
    }

    /// The key of a row that [`Table::page`] gave.
    pub fn key_of(&self, row: &[Value<'static>]) -> Vec<Value<'static>> {
        let at = |name: &String| self.columns.keys().position(|column| column == name);
        self.key.iter().filter_map(|name| row.get(at(name)?).cloned()).collect()
    }
}

/// Names for a statement; they come from the database's own list.
pub fn quoted<'n>(names: impl IntoIterator<Item = &'n String>) -> String {
    let names: Vec<String> = names.into_iter().map(|name| format!("\"{name}\"")).collect();
    names.join(", ")
}
