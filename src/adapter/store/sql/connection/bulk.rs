//! Writing many rows with few statements: each statement is a round trip to the connection's
//! thread or to the server, and ten thousand of them would take longer than the writing itself.

use sqlx::AssertSqlSafe;

use crate::port::store::StoreError;

use super::{Connection, Query, Value};

/// Rows per statement; with the widest table, a tenth of the parameters that the databases take.
const ROWS: usize = 200;

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
    /// Inserts all rows in their order; `put` adds the values of one, in the columns' order.
    pub async fn insert<'v, T>(
        &self,
        connection: &mut Connection,
        rows: &'v [T],
        put: impl Fn(&mut Values<'v>, &'v T),
    ) -> Result<(), StoreError> {
        for chunk in rows.chunks(ROWS) {
            let mut values = Values(Vec::with_capacity(chunk.len() * self.columns));
            for row in chunk {
                put(&mut values, row);
            }
            debug_assert_eq!(values.0.len(), chunk.len() * self.columns, "{}", self.into);
            let statement = AssertSqlSafe(self.text(chunk.len(), connection));
            // Full statements are kept prepared; the rest comes in too many lengths.
            let is_kept = chunk.len() == ROWS || chunk.len() == 1;
            Query::put_together(statement, values.0, is_kept).execute(connection).await?;
        }
        Ok(())
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
