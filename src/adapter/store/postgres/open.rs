//! Connecting to the server: to write, or to look.

use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions, Connection, PgConnection};
use tokio::time::timeout;

use crate::adapter::store::sql::{Database, SqlStore};
use crate::port::store::StoreError;

use super::migrations::{self, Found};
use super::{PostgresOptions, Server};

/// The oldest server that is maintained upstream, as its number has it.
const OLDEST: u32 = 140_000;
/// How long a connection may take to be made.
const CONNECT_WITHIN: Duration = Duration::from_secs(15);
/// How long replicas that start at once wait for the one that brings the schema up to date.
const MIGRATE_WITHIN: &str = "600000";

/// Limits that the server keeps for every connection, in milliseconds: of a statement, of waiting for a
/// lock, and of a transaction whose client says nothing, which would keep its locks.
const LIMITS: [(&str, &str); 3] =
    [("statement_timeout", "60000"), ("lock_timeout", "20000"), ("idle_in_transaction_session_timeout", "60000")];

impl SqlStore {
    /// Connects to the record on a server, for reading and writing. A missing schema is made, and brought up to
    /// date; any number of processes may do so at once.
    ///
    /// A server that cannot be reached, or that refuses connections for now, makes it `Unavailable`; one that
    /// is too old, refuses the login, or has something else in the schema, `Unusable`; a record of a newer
    /// binary is `TooNew`.
    pub async fn connect(options: &PostgresOptions) -> Result<Self, StoreError> {
        let connected = async {
            let mut connection = greet(options).await?;
            migrations::run(&mut connection, &options.schema).await?;
            pool(options, connection, &[]).await
        };
        connected.await.map_err(|error: StoreError| error.about(options.place()))
    }

    /// Connects to an existing record for looking; every attempt to write is refused by the server.
    pub async fn connect_read_only(options: &PostgresOptions) -> Result<Self, StoreError> {
        let connected = async {
            let mut connection = greet(options).await?;
            match migrations::inspect(&mut connection, &options.schema).await? {
                Found::Version(version) if version == migrations::KNOWN => {}
                Found::Version(_) => {
                    let why =
                        "it was written by an older meshwright: run 'meshwright db migrate' to bring it up to date";
                    return Err(StoreError::Unusable(why.to_owned()));
                }
                Found::Empty => return Err(StoreError::Unusable("nothing has been recorded in it yet".to_owned())),
            }
            pool(options, connection, &[("default_transaction_read_only", "on")]).await
        };
        connected.await.map_err(|error: StoreError| error.about(options.place()))
    }

    /// What is found on the server, without any change: the schema version, or `None` where there is no record
    /// yet.
    pub async fn look_at_server(options: &PostgresOptions) -> Result<Option<i64>, StoreError> {
        let looked = async {
            let mut connection = greet(options).await?;
            let found = migrations::inspect(&mut connection, &options.schema).await?;
            connection.close().await?;
            Ok(match found {
                Found::Empty => None,
                Found::Version(version) => Some(version),
            })
        };
        looked.await.map_err(|error: StoreError| error.about(options.place()))
    }
}

/// Makes the first connection, and finds out whether this is a server that we can use.
async fn greet(options: &PostgresOptions) -> Result<PgConnection, StoreError> {
    let connect = with_schema(options).options([("statement_timeout", "0"), ("lock_timeout", MIGRATE_WITHIN)]);
    let mut connection = timeout(CONNECT_WITHIN, connect.connect()).await.map_err(|_| silent())??;
    match connection.server_version_num() {
        Some(number) if number < OLDEST => {
            let (found, oldest) = (number / 10_000, OLDEST / 10_000);
            return Err(StoreError::Unusable(format!(
                "its version is {found}, and {oldest} is the oldest that is supported"
            )));
        }
        _ => {}
    }
    let encoding: String = sqlx::query_scalar("SHOW server_encoding").fetch_one(&mut connection).await?;
    if encoding != "UTF8" {
        return Err(StoreError::Unusable(format!("the database's encoding is {encoding}, and has to be UTF8")));
    }
    Ok(connection)
}

async fn pool(
    options: &PostgresOptions,
    mut first: PgConnection,
    more: &[(&'static str, &'static str)],
) -> Result<SqlStore, StoreError> {
    let durable: String = sqlx::query_scalar("SHOW synchronous_commit").fetch_one(&mut first).await?;
    first.close().await?;
    let mut connect = with_schema(options).options(LIMITS).options(more.iter().copied());
    if durable == "off" {
        // A commit has to be durable when it is answered, whatever the server does for others.
        connect = connect.options([("synchronous_commit", "on")]);
    }
    let pool = PgPoolOptions::new()
        .max_connections(options.connections)
        .acquire_timeout(options.patience)
        .idle_timeout(Duration::from_secs(10 * 60))
        .max_lifetime(Duration::from_secs(60 * 60))
        .connect_with(connect)
        .await?;
    Ok(SqlStore::new(Database::Postgres(Server { pool })))
}

/// All names in statements are those of our schema.
fn with_schema(options: &PostgresOptions) -> PgConnectOptions {
    options.connect.clone().options([("search_path", options.schema.as_str())])
}

fn silent() -> StoreError {
    StoreError::Unavailable("the server does not answer".to_owned())
}
