//! Reading columns into the domain's names and values.

use std::str::FromStr;

use serde::de::DeserializeOwned;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use crate::adapter::store::encode;
use crate::domain::descriptor::VersionRef;
use crate::domain::time::{Timestamp, from_millis};
use crate::port::store::StoreError;

/// Columns of a row, by name.
pub trait Columns {
    /// A text.
    fn text(&self, column: &str) -> Result<String, StoreError>;
    /// A text that may be absent.
    fn text_or_none(&self, column: &str) -> Result<Option<String>, StoreError>;
    /// A number.
    fn number(&self, column: &str) -> Result<i64, StoreError>;
    /// A count.
    fn count(&self, column: &str) -> Result<u64, StoreError>;
    /// A count that may be absent.
    fn count_or_none(&self, column: &str) -> Result<Option<u64>, StoreError>;
    /// Yes or no.
    fn flag(&self, column: &str) -> Result<bool, StoreError>;
    /// A time.
    fn time(&self, column: &str) -> Result<Timestamp, StoreError>;
    /// A name of the domain.
    fn name<T: FromStr<Err: std::fmt::Display>>(&self, column: &str) -> Result<T, StoreError>;
    /// A name of the domain that may be absent.
    fn name_or_none<T: FromStr<Err: std::fmt::Display>>(&self, column: &str) -> Result<Option<T>, StoreError>;
    /// A value that stands as JSON.
    fn json<T: DeserializeOwned>(&self, column: &str) -> Result<T, StoreError>;
    /// The columns `version` and `digest`.
    fn version(&self) -> Result<VersionRef, StoreError>;
}

impl Columns for SqliteRow {
    fn text(&self, column: &str) -> Result<String, StoreError> {
        Ok(self.try_get(column)?)
    }

    fn text_or_none(&self, column: &str) -> Result<Option<String>, StoreError> {
        Ok(self.try_get(column)?)
    }

    fn number(&self, column: &str) -> Result<i64, StoreError> {
        Ok(self.try_get(column)?)
    }

    fn count(&self, column: &str) -> Result<u64, StoreError> {
        Ok(encode::from_column(self.number(column)?))
    }

    fn count_or_none(&self, column: &str) -> Result<Option<u64>, StoreError> {
        let number: Option<i64> = self.try_get(column)?;
        Ok(number.map(encode::from_column))
    }

    fn flag(&self, column: &str) -> Result<bool, StoreError> {
        Ok(self.number(column)? != 0)
    }

    fn time(&self, column: &str) -> Result<Timestamp, StoreError> {
        Ok(from_millis(self.number(column)?))
    }

    fn name<T: FromStr<Err: std::fmt::Display>>(&self, column: &str) -> Result<T, StoreError> {
        let text: &str = self.try_get(column)?;
        text.parse().map_err(|error| encode::damaged(column, error))
    }

    fn name_or_none<T: FromStr<Err: std::fmt::Display>>(&self, column: &str) -> Result<Option<T>, StoreError> {
        let text: Option<&str> = self.try_get(column)?;
        text.map(|text| text.parse().map_err(|error| encode::damaged(column, error))).transpose()
    }

    fn json<T: DeserializeOwned>(&self, column: &str) -> Result<T, StoreError> {
        let text: &str = self.try_get(column)?;
        encode::from_json(column, text)
    }

    fn version(&self) -> Result<VersionRef, StoreError> {
        Ok(VersionRef { version: self.name("version")?, digest: self.name("digest")? })
    }
}
