//! Writing many rows with few statements: each statement is a round trip to the connection's
//! thread or to the server, and ten thousand of them would take longer than the writing itself.

use std::collections::HashSet;

use sqlx::AssertSqlSafe;

use crate::port::store::StoreError;

use super::{Connection, Query, Value};

/// An insertion of any number of rows.
#[derive(Debug, Clone, Copy)]
pub struct Bulk {
    /// `INSERT INTO table (columns)`.
    pub into: &'static str,
    /// How many columns there are.
    pub columns: usize,
    /// What to do with rows that are there already; may be empty.
    pub conflict: &'static str,
}

/// The values of the rows of one statement.
#[derive(Debug)]
pub struct Values<'v>(Vec<Value<'v>>);

impl<'v> Values<'v> {
    /// Adds the next value of the row.
    pub fn put(&mut self, value: impl Into<Value<'v>>) -> &mut Self {
        self.0.push(value.into());
        self
    }
}

impl Bulk {
    /// Rows per statement; with the widest table, a tenth of the parameters that the databases take.
    /// Rows that take much memory are best made so many at a time.
    pub const ROWS: usize = 200;

    /// Inserts all rows in their order; `put` adds the values of one, in the columns' order.
    pub async fn insert<'v, T>(
        &self,
        connection: &mut Connection,
        rows: &'v [T],
        put: impl Fn(&mut Values<'v>, &'v T),
    ) -> Result<(), StoreError> {
        self.upsert(&[], connection, rows, put).await
    }

    /// The same where a row may change one that is there. `key` are the columns by which they meet: PostgreSQL
    /// changes a row once in a statement, so one that comes again goes into the next.
    pub async fn upsert<'v, T>(
        &self,
        key: &[usize],
        connection: &mut Connection,
        rows: &'v [T],
        put: impl Fn(&mut Values<'v>, &'v T),
    ) -> Result<(), StoreError> {
        for chunk in rows.chunks(Self::ROWS) {
            let mut values = Values(Vec::with_capacity(chunk.len() * self.columns));
            for row in chunk {
                put(&mut values, row);
            }
            debug_assert_eq!(values.0.len(), chunk.len() * self.columns, "{}", self.into);
            let mut values = values.0;
            while !values.is_empty() {
                let rest = values.split_off(self.without_repetition(key, &values) * self.columns);
                self.write(connection, std::mem::replace(&mut values, rest)).await?;
            }
        }
        Ok(())
    }

    async fn write(&self, connection: &mut Connection, values: Vec<Value<'_>>) -> Result<(), StoreError> {
        let rows = values.len() / self.columns;
        let statement = AssertSqlSafe(self.text(rows, connection));
        // Full statements are kept prepared; the rest comes in too many lengths.
        let is_kept = rows == Self::ROWS || rows == 1;
        Query::put_together(statement, values, is_kept).execute(connection).await?;
        Ok(())
    }

    /// How many rows there are before one whose key came already; at least one.
    fn without_repetition(&self, key: &[usize], values: &[Value<'_>]) -> usize {
        let rows = values.len() / self.columns;
        if key.is_empty() {
            return rows;
        }
        let mut seen = HashSet::with_capacity(rows);
        let mut keys = values.chunks(self.columns).map(|row| key.iter().map(|at| row.get(*at)).collect::<Vec<_>>());
        keys.position(|key| !seen.insert(key)).unwrap_or(rows)
    }

    /// The statement; nothing of it comes from data. SQLite looks parameters with a number up one by
    /// one, which takes long where there are thousands; PostgreSQL knows no others.
    fn text(&self, rows: usize, connection: &Connection) -> String {
        let mut text = format!("{} VALUES ", self.into);
        let mut number = 0;
        for row in 0..rows {
            text.push_str(if row == 0 { "(" } else { ", (" });
            for column in 0..self.columns {
                number += 1;
                text.push_str(if column == 0 { "" } else { ", " });
                match connection {
                    Connection::Sqlite(_) => text.push('?'),
                    Connection::Postgres(_) => text.push_str(&format!("${number}")),
                }
            }
            text.push(')');
        }
        format!("{text} {}", self.conflict)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_that_comes_again_waits_for_the_next_statement() {
        let bulk = Bulk { into: "", columns: 2, conflict: "" };
        let values = ["a", "1", "b", "1", "a", "2"].map(Value::from);
        assert_eq!(bulk.without_repetition(&[0], &values), 2);
        assert_eq!(bulk.without_repetition(&[1], &values), 1);
        assert_eq!(bulk.without_repetition(&[0, 1], &values), 3);
        assert_eq!(bulk.without_repetition(&[], &values), 3);
    }
}
