//! Where the record is, and how it is opened there.

pub(super) mod db;

use std::fmt;
use std::path::PathBuf;

use crate::adapter::store::postgres::PostgresOptions;
use crate::adapter::store::{SqlStore, sqlite};
use crate::config::{StateLocation, UrlRef};
use crate::port::store::StoreError;

/// Where the record is.
#[derive(Debug)]
pub(super) enum Place {
    /// In this file.
    File(PathBuf),
    /// On this server.
    Server(Box<PostgresOptions>),
}

impl Place {
    /// The place that the configuration names. A secret is read here, and goes no further than to the server.
    pub(super) fn of(state: &StateLocation) -> Result<Self, StoreError> {
        let url = match state {
            StateLocation::Sqlite(path) => return Ok(Place::File(path.clone())),
            StateLocation::Postgres(UrlRef::Plain(url)) => url.clone(),
            StateLocation::Postgres(UrlRef::Secret(secret)) => secret
                .resolve()
                .map_err(|error| StoreError::Unusable(format!("the record's URL cannot be had: {error}")))?,
        };
        Ok(Place::Server(Box::new(url.parse()?)))
    }

    /// Whether anything was recorded there. What is there may still not be ours.
    pub(super) async fn is_there(&self) -> Result<bool, StoreError> {
        match self {
            Place::File(path) => Ok(path.exists()),
            Place::Server(options) => Ok(SqlStore::look_at_server(options).await?.is_some()),
        }
    }

    /// Whether it can be used; of a file, all is read.
    pub(super) async fn examine(&self) -> Result<(), StoreError> {
        if let Place::File(path) = self {
            sqlite::check(path).await?;
        }
        self.open_read_only().await?.close().await;
        Ok(())
    }

    /// Opens it for writing, and brings its schema up to date.
    pub(super) async fn open(&self) -> Result<SqlStore, StoreError> {
        match self {
            Place::File(path) => SqlStore::open(path).await,
            Place::Server(options) => SqlStore::connect(options).await,
        }
    }

    /// Opens it for looking.
    pub(super) async fn open_read_only(&self) -> Result<SqlStore, StoreError> {
        match self {
            Place::File(path) => SqlStore::open_read_only(path).await,
            Place::Server(options) => SqlStore::connect_read_only(options).await,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::File(path) => write!(f, "{}", path.display()),
            Place::Server(options) => f.write_str(&options.place()),
        }
    }
}
