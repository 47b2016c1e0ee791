//! Statements with their values.

use std::marker::PhantomData;

use sqlx::error::BoxDynError;
use sqlx::postgres::PgArguments;
use sqlx::sqlite::SqliteArguments;
use sqlx::{Arguments, SqlSafeStr, SqlStr};

use crate::port::store::StoreError;

use super::row::Scalar;
use super::{Connection, Row, Value, answered};

/// A statement with its values.
#[derive(Debug)]
pub struct Query<'v> {
    statement: SqlStr,
    values: Vec<Value<'v>>,
    /// Whether the connection keeps it prepared.
    is_kept: bool,
}

/// A statement whose rows have one column.
#[derive(Debug)]
pub struct ScalarQuery<'v, T> {
    query: Query<'v>,
    kind: PhantomData<fn() -> T>,
}

/// A statement without values yet.
pub fn query<'v>(statement: &'static str) -> Query<'v> {
    Query { statement: statement.into_sql_str(), values: Vec::new(), is_kept: true }
}

/// A statement of which the first column is wanted.
pub fn query_scalar<'v, T: Scalar>(statement: &'static str) -> ScalarQuery<'v, T> {
    ScalarQuery { query: query(statement), kind: PhantomData }
}

impl<'v> Query<'v> {
    /// A statement that was put together, with all of its values.
    pub fn put_together(statement: impl SqlSafeStr, values: Vec<Value<'v>>, is_kept: bool) -> Self {
        Self { statement: statement.into_sql_str(), values, is_kept }
    }

    /// Gives the next parameter its value.
    #[must_use]
    pub fn bind(mut self, value: impl Into<Value<'v>>) -> Self {
        self.values.push(value.into());
        self
    }

    /// Runs it; how many rows it wrote.
    pub async fn execute(self, connection: &mut Connection) -> Result<u64, StoreError> {
        Ok(match connection {
            Connection::Sqlite(lent) => {
                let arguments = for_sqlite(self.values)?;
                let query = sqlx::query_with(self.statement, arguments).persistent(self.is_kept);
                let done = query.execute(lent.get()?).await;
                lent.seen(done)?.rows_affected()
            }
            Connection::Postgres(transaction) => {
                let arguments = for_postgres(self.values)?;
                let query = sqlx::query_with(self.statement, arguments).persistent(self.is_kept);
                answered(query.execute(&mut **transaction)).await?.rows_affected()
            }
        })
    }

    /// All of its rows.
    pub async fn fetch_all(self, connection: &mut Connection) -> Result<Vec<Row>, StoreError> {
        Ok(match connection {
            Connection::Sqlite(lent) => {
                let arguments = for_sqlite(self.values)?;
                let query = sqlx::query_with(self.statement, arguments).persistent(self.is_kept);
                let rows = query.fetch_all(lent.get()?).await;
                lent.seen(rows)?.into_iter().map(Row::Sqlite).collect()
            }
            Connection::Postgres(transaction) => {
                let arguments = for_postgres(self.values)?;
                let query = sqlx::query_with(self.statement, arguments).persistent(self.is_kept);
                answered(query.fetch_all(&mut **transaction)).await?.into_iter().map(Row::Postgres).collect()
            }
        })
    }

    /// Its first row, if there is one.
    pub async fn fetch_optional(self, connection: &mut Connection) -> Result<Option<Row>, StoreError> {
        Ok(match connection {
            Connection::Sqlite(lent) => {
                let arguments = for_sqlite(self.values)?;
                let query = sqlx::query_with(self.statement, arguments).persistent(self.is_kept);
                let row = query.fetch_optional(lent.get()?).await;
                lent.seen(row)?.map(Row::Sqlite)
            }
            Connection::Postgres(transaction) => {
                let arguments = for_postgres(self.values)?;
                let query = sqlx::query_with(self.statement, arguments).persistent(self.is_kept);
                answered(query.fetch_optional(&mut **transaction)).await?.map(Row::Postgres)
            }
        })
    }

    /// Its first row, which has to be there.
    pub async fn fetch_one(self, connection: &mut Connection) -> Result<Row, StoreError> {
        self.fetch_optional(connection).await?.ok_or_else(|| sqlx::Error::RowNotFound.into())
    }
}

impl<'v, T: Scalar> ScalarQuery<'v, T> {
    /// Gives the next parameter its value.
    #[must_use]
    pub fn bind(mut self, value: impl Into<Value<'v>>) -> Self {
        self.query = self.query.bind(value);
        self
    }

    /// The values of all rows.
    pub async fn fetch_all(self, connection: &mut Connection) -> Result<Vec<T>, StoreError> {
        self.query.fetch_all(connection).await?.iter().map(T::of).collect()
    }

    /// The value of the first row, if there is one.
    pub async fn fetch_optional(self, connection: &mut Connection) -> Result<Option<T>, StoreError> {
        self.query.fetch_optional(connection).await?.as_ref().map(T::of).transpose()
    }

    /// The value of the first row, which has to be there.
    pub async fn fetch_one(self, connection: &mut Connection) -> Result<T, StoreError> {
        T::of(&self.query.fetch_one(connection).await?)
    }
}

fn for_sqlite(values: Vec<Value<'_>>) -> Result<SqliteArguments, StoreError> {
    let mut arguments = SqliteArguments::default();
    Arguments::reserve(&mut arguments, values.len(), 0);
    values.into_iter().try_for_each(|value| value.add_to_sqlite(&mut arguments)).map_err(unfit)?;
    Ok(arguments)
}

fn for_postgres(values: Vec<Value<'_>>) -> Result<PgArguments, StoreError> {
    let mut arguments = PgArguments::default();
    Arguments::reserve(&mut arguments, values.len(), 0);
    values.into_iter().try_for_each(|value| value.add_to_postgres(&mut arguments)).map_err(unfit)?;
    Ok(arguments)
}

fn unfit(error: BoxDynError) -> StoreError {
    sqlx::Error::Encode(error).into()
}
