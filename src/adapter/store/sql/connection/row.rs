//! Reading columns into the domain's names and values.

use std::borrow::Cow;
use std::str::FromStr;

use serde::de::DeserializeOwned;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{ColumnIndex, Row as _, TypeInfo, ValueRef};

use crate::adapter::store::encode;
use crate::domain::descriptor::VersionRef;
use crate::domain::time::{Timestamp, from_millis};
use crate::port::store::StoreError;

use super::value::with_nul;

/// A row. Its columns are read by their names.
pub enum Row {
    /// Of a file.
    Sqlite(SqliteRow),
    /// Of a server.
    Postgres(PgRow),
}

impl std::fmt::Debug for Row {
    /// Without its values: they may be what people wrote.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Row").finish_non_exhaustive()
    }
}

impl Row {
    fn text_at<I>(&self, column: I) -> Result<Option<Cow<'_, str>>, StoreError>
    where
        I: ColumnIndex<SqliteRow> + ColumnIndex<PgRow>,
    {
        Ok(match self {
            Row::Sqlite(row) => row.try_get::<Option<&str>, _>(column)?.map(Cow::Borrowed),
            Row::Postgres(row) => row.try_get::<Option<&str>, _>(column)?.map(with_nul),
        })
    }

    fn number_at<I>(&self, column: I) -> Result<Option<i64>, StoreError>
    where
        I: ColumnIndex<SqliteRow> + ColumnIndex<PgRow> + Copy,
    {
        Ok(match self {
            Row::Sqlite(row) => row.try_get(column)?,
            // A number that stands in the statement itself is a smaller one.
            Row::Postgres(row) => match row.try_get_raw(column)?.type_info().name() {
                "INT4" => row.try_get::<Option<i32>, _>(column)?.map(i64::from),
                _ => row.try_get(column)?,
            },
        })
    }

    /// A text.
    pub fn text(&self, column: &str) -> Result<String, StoreError> {
        Ok(self.some(column)?.into_owned())
    }

    /// A text that may be absent.
    pub fn text_or_none(&self, column: &str) -> Result<Option<String>, StoreError> {
        Ok(self.text_at(column)?.map(Cow::into_owned))
    }

    /// A number.
    pub fn number(&self, column: &str) -> Result<i64, StoreError> {
        self.number_at(column)?.ok_or_else(|| absent(column))
    }

    /// A number that may be absent.
    pub fn number_or_none(&self, column: &str) -> Result<Option<i64>, StoreError> {
        self.number_at(column)
    }

    /// A count.
    pub fn count(&self, column: &str) -> Result<u64, StoreError> {
        Ok(encode::from_column(self.number(column)?))
    }

    /// A count that may be absent.
    pub fn count_or_none(&self, column: &str) -> Result<Option<u64>, StoreError> {
        Ok(self.number_or_none(column)?.map(encode::from_column))
    }

    /// Yes or no.
    pub fn flag(&self, column: &str) -> Result<bool, StoreError> {
        Ok(self.number(column)? != 0)
    }

    /// A time.
    pub fn time(&self, column: &str) -> Result<Timestamp, StoreError> {
        Ok(from_millis(self.number(column)?))
    }

    /// A name of the domain.
    pub fn name<T: FromStr<Err: std::fmt::Display>>(&self, column: &str) -> Result<T, StoreError> {
        self.some(column)?.parse().map_err(|error| encode::damaged(column, error))
    }

    /// A name of the domain that may be absent.
    pub fn name_or_none<T: FromStr<Err: std::fmt::Display>>(&self, column: &str) -> Result<Option<T>, StoreError> {
        let text = self.text_at(column)?;
        text.map(|text| text.parse().map_err(|error| encode::damaged(column, error))).transpose()
    }

    /// A value that stands as JSON.
    pub fn json<T: DeserializeOwned>(&self, column: &str) -> Result<T, StoreError> {
        encode::from_json(column, &self.some(column)?)
    }

    /// The columns `version` and `digest`.
    pub fn version(&self) -> Result<VersionRef, StoreError> {
        Ok(VersionRef { version: self.name("version")?, digest: self.name("digest")? })
    }

    fn some(&self, column: &str) -> Result<Cow<'_, str>, StoreError> {
        self.text_at(column)?.ok_or_else(|| absent(column))
    }
}

fn absent(column: &str) -> StoreError {
    encode::damaged(column, "it is absent")
}

/// What the one column of a row may hold.
pub trait Scalar: Sized {
    /// Reads it.
    fn of(row: &Row) -> Result<Self, StoreError>;
}

impl Scalar for Option<i64> {
    fn of(row: &Row) -> Result<Self, StoreError> {
        row.number_at(0)
    }
}

impl Scalar for i64 {
    fn of(row: &Row) -> Result<Self, StoreError> {
        row.number_at(0)?.ok_or_else(|| absent("a number"))
    }
}

impl Scalar for Option<String> {
    fn of(row: &Row) -> Result<Self, StoreError> {
        Ok(row.text_at(0)?.map(Cow::into_owned))
    }
}

impl Scalar for String {
    fn of(row: &Row) -> Result<Self, StoreError> {
        Ok(row.text_at(0)?.ok_or_else(|| absent("a text"))?.into_owned())
    }
}
