//! Taking in what was exported, into a record with nothing in it, as one transaction: the whole or nothing.

use std::collections::BTreeMap;
use std::io::{BufRead, Read};

use serde::Deserialize;
use serde_json::Value as Json;
use sha2::{Digest, Sha256};
use sqlx::AssertSqlSafe;

use crate::adapter::store::sql::connection::{Connection, Query, Value};
use crate::adapter::store::sql::{Scope, SqlStore};
use crate::adapter::store::sqlite::KNOWN;
use crate::port::store::StoreError;

use super::export::{End, FORMAT, Header};
use super::tables::{self, Kind, Table};
use super::{Carried, CarryError};

/// A longer line is not one of ours: the largest value is a plan, of which megabytes would be many.
const LONGEST_LINE: u64 = 256 << 20;
/// How many rows are written by one statement.
const ROWS: usize = 100;

/// Lines with their digest.
struct Lines<'r> {
    from: &'r mut (dyn BufRead + Send),
    digest: Sha256,
    number: u64,
}

impl Lines<'_> {
    /// The next line; nothing at the end. It counts into the digest with the next call.
    fn next(&mut self, before: &[u8]) -> Result<Option<Vec<u8>>, CarryError> {
        self.digest.update(before);
        let mut line = Vec::new();
        self.number += 1;
        (&mut *self.from).take(LONGEST_LINE).read_until(b'\n', &mut line)?;
        if line.is_empty() {
            return Ok(None);
        }
        if line.last() != Some(&b'\n') {
            return Err(self.wrong("it breaks off: the file is not whole"));
        }
        Ok(Some(line))
    }

    fn wrong(&self, why: impl Into<String>) -> CarryError {
        CarryError::Stream { line: self.number, why: why.into() }
    }

    fn read<'l, T: Deserialize<'l>>(&self, line: &'l [u8], what: &str) -> Result<T, CarryError> {
        serde_json::from_slice(line).map_err(|error| self.wrong(format!("this is not {what}: {error}")))
    }
}

/// Takes in a whole record.
pub async fn import(store: &SqlStore, from: &mut (dyn BufRead + Send)) -> Result<Carried, CarryError> {
    let mut lines = Lines { from, digest: Sha256::new(), number: 0 };
    let first = lines.next(b"")?.ok_or_else(|| lines.wrong("the file is empty"))?;
    let header: Header = lines.read(&first, "the header of an exported record")?;
    if header.format != FORMAT || header.schema != KNOWN {
        return Err(lines.wrong(format!(
            "it was written by meshwright {} with the schema version {}, and this one takes {KNOWN}: export with the \
             binary that imports, after `meshwright db migrate`",
            header.version, header.schema
        )));
    }
    let mut transaction = store.write(Scope::Rows).await?;
    let found = empty_tables(&mut transaction).await?;
    let columns: BTreeMap<String, Vec<String>> =
        found.iter().map(|table| (table.name.clone(), table.columns.keys().cloned().collect())).collect();
    if header.tables != columns {
        return Err(lines.wrong("its tables are not those of this record"));
    }
    let mut counts: BTreeMap<String, u64> = found.iter().map(|table| (table.name.clone(), 0)).collect();
    let mut pending: Pending<'_> = Pending { table: None, rows: Vec::new() };
    let mut line = first;
    let end: End = loop {
        line = lines.next(&line)?.ok_or_else(|| lines.wrong("the end is missing: the file is not whole"))?;
        if line.starts_with(b"{") {
            break lines.read(&line, "the end of an exported record")?;
        }
        let values: Vec<Json> = lines.read(&line, "a row")?;
        let mut values = values.into_iter();
        let name = values.next().and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default();
        let table =
            found.iter().find(|table| table.name == name).ok_or_else(|| lines.wrong("its table is not known"))?;
        let row = row(table, values).ok_or_else(|| lines.wrong("its values do not fit the columns of the table"))?;
        *counts.entry(name).or_default() += 1;
        pending.add(&mut transaction, table, row).await?;
    };
    pending.write(&mut transaction).await?;
    if end.sha256 != hex::encode(lines.digest.clone().finalize()) {
        return Err(lines.wrong("the digest is not that of the lines before: the file was changed"));
    }
    if lines.next(b"")?.is_some() {
        return Err(lines.wrong("something stands after the end"));
    }
    for table in &found {
        let written = table.count(&mut transaction).await?;
        if end.rows.get(&table.name) != Some(&written) || counts.get(&table.name) != Some(&written) {
            return Err(lines.wrong(format!("'{}' has {written} rows now, which is not what was exported", table.name)));
        }
        go_on_counting(&mut transaction, table).await?;
    }
    transaction.commit().await?;
    Ok(Carried { tables: found.len(), rows: counts.values().sum() })
}

/// The tables, kept from others until the end. Something in one of them is refused.
async fn empty_tables(connection: &mut Connection) -> Result<Vec<Table>, CarryError> {
    let found = tables::all(connection).await?;
    if let Connection::Postgres(_) = connection {
        let names = tables::quoted(found.iter().map(|table| &table.name));
        let lock = AssertSqlSafe(format!("LOCK TABLE {names} IN EXCLUSIVE MODE"));
        Query::put_together(lock, Vec::new(), false).execute(connection).await?;
    }
    for table in &found {
        let count = table.count(connection).await?;
        if count > 0 {
            return Err(CarryError::Target(format!(
                "there is a record already ('{}' has {count} rows): only an empty one takes another in",
                table.name
            )));
        }
    }
    Ok(found)
}

fn row(table: &Table, values: impl ExactSizeIterator<Item = Json>) -> Option<Vec<Value<'static>>> {
    if values.len() != table.columns.len() {
        return None;
    }
    let value = |(value, kind): (Json, &Kind)| match (value, kind) {
        (Json::Null, Kind::Number) => Some(Value::Number(None)),
        (Json::Null, Kind::Text) => Some(Value::Text(None)),
        (Json::Number(number), Kind::Number) => Some(Value::Number(Some(number.as_i64()?))),
        (Json::String(text), Kind::Text) => Some(Value::from(text)),
        _ => None,
    };
    values.zip(table.columns.values()).map(value).collect()
}

/// Rows of one table that wait for being written together.
struct Pending<'t> {
    table: Option<&'t Table>,
    rows: Vec<Vec<Value<'static>>>,
}

impl<'t> Pending<'t> {
    async fn add(
        &mut self,
        connection: &mut Connection,
        table: &'t Table,
        row: Vec<Value<'static>>,
    ) -> Result<(), StoreError> {
        if self.table.is_some_and(|before| before.name != table.name) || self.rows.len() == ROWS {
            self.write(connection).await?;
        }
        self.table = Some(table);
        self.rows.push(row);
        Ok(())
    }

    async fn write(&mut self, connection: &mut Connection) -> Result<(), StoreError> {
        let rows = std::mem::take(&mut self.rows);
        let Some(table) = self.table.filter(|_| !rows.is_empty()) else { return Ok(()) };
        let width = table.columns.len();
        let row = |number: usize| {
            let parameters: Vec<String> = (1..=width).map(|column| format!("${}", number * width + column)).collect();
            format!("({})", parameters.join(", "))
        };
        let places: Vec<String> = (0..rows.len()).map(row).collect();
        let columns = tables::quoted(table.columns.keys());
        let text = format!("INSERT INTO \"{}\" ({columns}) VALUES {}", table.name, places.join(", "));
        let values = rows.into_iter().flatten().collect();
        Query::put_together(AssertSqlSafe(text), values, false).execute(connection).await?;
        Ok(())
    }
}

/// What is numbered by the server goes on after the numbers that came along.
async fn go_on_counting(connection: &mut Connection, table: &Table) -> Result<(), StoreError> {
    let [key] = table.key.as_slice() else { return Ok(()) };
    if !matches!(connection, Connection::Postgres(_)) || table.columns.get(key) != Some(&Kind::Number) {
        return Ok(());
    }
    let text = format!(
        "SELECT setval(pg_get_serial_sequence($1, $2), max(\"{key}\")) FROM \"{}\"
         HAVING max(\"{key}\") IS NOT NULL AND pg_get_serial_sequence($1, $2) IS NOT NULL",
        table.name
    );
    let values = vec![Value::from(table.name.clone()), Value::from(key.clone())];
    Query::put_together(AssertSqlSafe(text), values, false).fetch_optional(connection).await?;
    Ok(())
}
