//! From a URL to how the server is spoken to.

use std::str::FromStr;
use std::time::Duration;

use sqlx::ConnectOptions;
use sqlx::postgres::PgConnectOptions;

use crate::port::store::StoreError;

/// The schema in which the record is, where none is named.
const SCHEMA: &str = "meshwright";
/// How many connections one process has at the most, where nothing else is said.
const CONNECTIONS: u32 = 10;
/// How long a call waits for a connection of the pool, and a server that is away may take to come back.
const PATIENCE: Duration = Duration::from_secs(20);
/// What PostgreSQL takes as a name without being quoted, and not longer than it keeps.
const LONGEST_NAME: usize = 63;

/// Parameters that are sqlx' own.
const PASSED_ON: [&str; 10] =
    ["host", "port", "dbname", "user", "password", "application_name", "sslmode", "sslrootcert", "sslcert", "sslkey"];

/// Where the server is, who we are there, and what of it is ours.
#[derive(Clone)]
pub struct PostgresOptions {
    pub(super) connect: PgConnectOptions,
    pub(super) schema: String,
    pub(super) connections: u32,
    pub(super) patience: Duration,
}

impl std::fmt::Debug for PostgresOptions {
    /// Without the password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("PostgresOptions").field(&self.place()).finish()
    }
}

impl PostgresOptions {
    /// How long a call waits for a connection of the pool (20 s unless it is said): then it is `Unavailable`.
    #[must_use]
    pub fn patient_for(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// Which database of which server this is, for people; without the account and the password.
    pub fn place(&self) -> String {
        let host = match self.connect.get_socket() {
            Some(socket) => socket.display().to_string(),
            None => format!("{}:{}", self.connect.get_host(), self.connect.get_port()),
        };
        let database = self.connect.get_database().unwrap_or_else(|| self.connect.get_username());
        format!("PostgreSQL at {host}, database '{database}', schema '{}'", self.schema)
    }
}

impl FromStr for PostgresOptions {
    type Err = StoreError;

    /// Reads `postgres://user:password@host:port/database?schema=…&connections=…&sslmode=…`. Nothing of the URL
    /// stands in the error, because there may be a password anywhere in it.
    fn from_str(url: &str) -> Result<Self, StoreError> {
        let (place, parameters) = url.split_once('?').unwrap_or((url, ""));
        if !["postgres://", "postgresql://"].iter().any(|scheme| place.starts_with(scheme)) {
            return Err(unusable("the record's URL does not begin with postgres://"));
        }
        let (mut schema, mut connections) = (SCHEMA.to_owned(), CONNECTIONS);
        let mut kept = form_urlencoded::Serializer::new(String::new());
        for (name, value) in form_urlencoded::parse(parameters.as_bytes()) {
            match &*name {
                "schema" => schema = value.into_owned(),
                "connections" => {
                    let number = value.parse().ok().filter(|number| (2..=200).contains(number));
                    connections = number.ok_or_else(|| unusable("'connections' is a number from 2 to 200"))?;
                }
                name if PASSED_ON.contains(&name) => {
                    kept.append_pair(name, &value);
                }
                _ => {
                    let known = format!("schema, connections, {}", PASSED_ON.join(", "));
                    return Err(unusable(&format!(
                        "the record's URL has an option that is not known; there are: {known}"
                    )));
                }
            }
        }
        let is_name = schema.len() <= LONGEST_NAME
            && schema.starts_with(|first: char| first.is_ascii_lowercase() || first == '_')
            && schema.chars().all(|each| each.is_ascii_lowercase() || each.is_ascii_digit() || each == '_')
            && !schema.starts_with("pg_");
        if !is_name {
            let form = "small letters, digits and '_', at most 63 of them, not beginning with a digit or 'pg_'";
            return Err(unusable(&format!("'schema' is not a name that is taken here: {form}")));
        }
        let url = format!("{place}?{}", kept.finish());
        let connect: PgConnectOptions = url.parse().map_err(|_| unusable("the record's URL cannot be read"))?;
        let named = connect.get_application_name().is_some();
        let connect = if named { connect } else { connect.application_name("meshwright") };
        Ok(Self { connect: connect.disable_statement_logging(), schema, connections, patience: PATIENCE })
    }
}

fn unusable(why: &str) -> StoreError {
    StoreError::Unusable(why.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_named_without_who_goes_there() {
        let options: PostgresOptions =
            "postgres://mesh:s3cret@db.example:6432/state?sslmode=require&schema=prod_1".parse().unwrap();
        assert_eq!(options.place(), "PostgreSQL at db.example:6432, database 'state', schema 'prod_1'");
        assert!(!format!("{options:?}").contains("s3cret"), "{options:?}");
        assert_eq!(options.connect.get_application_name(), Some("meshwright"));
    }

    #[test]
    fn what_is_not_understood_is_refused_without_being_repeated() {
        for url in [
            "mysql://a:s3cret@b/c",
            "postgres://a:s3cret@b/c?shema=x",
            "postgres://a:s3cret@b/c?s3cret=1",
            "postgres://a:s3cret@b/c?schema=Prod",
            "postgres://a:s3cret@b/c?schema=pg_catalog",
            "postgres://a:s3cret@b/c?schema=a\"b",
            "postgres://a:s3cret@b/c?connections=1",
            "postgres://a:s3cret@b:port/c",
            "postgres://a:s3cret@b/c?sslmode=s3cret",
        ] {
            let error = url.parse::<PostgresOptions>().unwrap_err().to_string();
            assert!(!error.contains("s3cret"), "{error}");
        }
    }
}
