//! What is particular to a server: replicas that start at once, a server that comes and goes, and what is in
//! its schemas.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use meshwright::adapter::store::SqlStore;
use meshwright::adapter::store::postgres::{KNOWN, PostgresOptions};
use meshwright::port::store::{Look, PassBook, ReportBook, Store, StoreError};
use sqlx::{AssertSqlSafe, ConnectOptions, PgConnection};
use tokio::sync::Mutex;
use tokio::task::JoinSet;

use super::Room;
use crate::support::postgres::Postgres;
use crate::support::samples::{self, PassSample, at};

/// A schema on the server of these tests.
pub struct PostgresRoom {
    /// Which has to outlive the room.
    pub server: Arc<Postgres>,
    pub options: PostgresOptions,
    opened: Mutex<Option<SqlStore>>,
}

/// A name that no other room has.
fn schema() -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    format!("record_{}", NUMBER.fetch_add(1, Ordering::Relaxed))
}

impl Room for PostgresRoom {
    async fn new() -> Option<Self> {
        let server = Postgres::shared()?;
        let options = server.record_url(&schema()).parse().unwrap();
        Some(Self { server, options, opened: Mutex::new(None) })
    }

    async fn open(&self) -> Arc<dyn Store> {
        let mut opened = self.opened.lock().await;
        if let Some(before) = opened.take() {
            before.close().await;
        }
        let store = SqlStore::connect(&self.options).await.unwrap();
        *opened = Some(store.clone());
        Arc::new(store)
    }
}

/// Another program's connection to the server.
async fn connect(server: &Postgres) -> PgConnection {
    server.url().parse::<sqlx::postgres::PgConnectOptions>().unwrap().connect().await.unwrap()
}

/// Runs a statement past the store.
async fn tamper(server: &Postgres, statement: String) {
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut connect(server).await).await.unwrap();
}

fn unusable(result: Result<SqlStore, StoreError>, why: &str) {
    match result {
        Err(StoreError::Unusable(said)) => assert!(said.contains(why) && said.contains("PostgreSQL at"), "{said}"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_replicas_start_at_once() {
    let Some(room) = PostgresRoom::new().await else { return };
    assert_eq!(SqlStore::look_at_server(&room.options).await.unwrap(), None);
    let mut replicas = JoinSet::new();
    for _ in 0..6 {
        let options = room.options.clone();
        replicas.spawn(async move { SqlStore::connect(&options).await.unwrap() });
    }
    let replicas = replicas.join_all().await;
    replicas[0].record_pass(&PassSample::new(1, 0).version("trips", "1.0.0", "a").build()).await.unwrap();
    for replica in &replicas {
        assert_eq!(replica.versions(None).await.unwrap().len(), 1);
    }
    assert_eq!(SqlStore::look_at_server(&room.options).await.unwrap(), Some(KNOWN));
}

#[tokio::test]
async fn who_only_looks_writes_nothing() {
    let Some(room) = PostgresRoom::new().await else { return };
    unusable(SqlStore::connect_read_only(&room.options).await, "nothing has been recorded");
    let writer = room.open().await;
    let reader = SqlStore::connect_read_only(&room.options).await.unwrap();
    writer.record_pass(&PassSample::new(1, 0).version("trips", "1.0.0", "a").build()).await.unwrap();
    assert_eq!(reader.products().await.unwrap().len(), 1);
    let refused = reader.note_condition(&samples::source(), "u", "b", None, at(1)).await;
    assert!(matches!(&refused, Err(StoreError::Unavailable(why)) if why.contains("takes no writes")), "{refused:?}");
}

#[tokio::test]
async fn what_is_no_record_of_ours_is_refused() {
    let Some(room) = PostgresRoom::new().await else { return };
    let store = room.open().await;
    store.want(&[], at(1)).await.unwrap();
    let schema = room.options.place().rsplit('\'').nth(1).unwrap().to_owned();
    let future = format!(
        "INSERT INTO {schema}._sqlx_migrations (version, description, success, checksum, execution_time)
         VALUES (4711, 'from the future', TRUE, '\\x00', 0)"
    );
    tamper(&room.server, future).await;
    // Who runs already goes on, as while replicas are replaced one by one.
    store.record_pass(&PassSample::new(1, 0).version("trips", "1.0.0", "a").build()).await.unwrap();
    for result in [SqlStore::connect(&room.options).await, SqlStore::connect_read_only(&room.options).await] {
        assert!(matches!(result, Err(StoreError::TooNew { found: 4711, .. })), "{result:?}");
    }

    tamper(&room.server, "CREATE SCHEMA songs; CREATE TABLE songs.songs (name TEXT)".to_owned()).await;
    let options = room.server.record_url("songs").parse().unwrap();
    unusable(SqlStore::connect(&options).await, "another program");
    unusable(SqlStore::connect_read_only(&options).await, "another program");

    let elsewhere = room.server.record_url("x").replace("/postgres?", "/nosuchdatabase?").parse().unwrap();
    unusable(SqlStore::connect(&elsewhere).await, "no such database");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unavailable_and_its_password_is_not_told() {
    let options: PostgresOptions = "postgres://mesh:s3cret@127.0.0.1:1/state".parse().unwrap();
    let error = SqlStore::connect(&options).await.unwrap_err();
    let StoreError::Unavailable(why) = &error else { panic!("{error:?}") };
    assert!(why.contains("127.0.0.1:1") && !why.contains("s3cret") && !why.contains("mesh:"), "{why}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_stops_and_starts_again_is_found_again() {
    let Some(server) = Postgres::private() else { return };
    let options: PostgresOptions = server.record_url("meshwright").parse().unwrap();
    let store = SqlStore::connect(&options).await.unwrap();
    store.record_pass(&PassSample::new(1, 0).version("trips", "1.0.0", "a").build()).await.unwrap();
    server.stop();
    let next = PassSample::new(2, 1).version("trips", "1.1.0", "b").build();
    let error = store.record_pass(&next).await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
    server.start_again();
    let begun = Instant::now();
    while let Err(error) = store.record_pass(&next).await {
        assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
        assert!(begun.elapsed() < Duration::from_secs(30), "{error}");
    }
    assert_eq!(store.versions(None).await.unwrap().len(), 2);
}

/// Its rows are the caller's last: more calls than connections are served one after another.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_calls_than_connections_are_all_served() {
    let Some(room) = PostgresRoom::new().await else { return };
    let schema = schema();
    let options = format!("{}&connections=2", room.server.record_url(&schema)).parse().unwrap();
    let store = SqlStore::connect(&options).await.unwrap();
    let mut calls = JoinSet::new();
    for number in 0..40 {
        let store = store.clone();
        let report = samples::report(number, meshwright::domain::report::ReportState::Pending, "begun");
        calls.spawn(async move { store.want(&[report], at(1)).await });
    }
    calls.join_all().await.into_iter().for_each(|result| result.unwrap());
    assert_eq!(store.report_rows(99).await.unwrap().len(), 40);
}

/// Who keeps all connections keeps others waiting, and not for ever.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_gets_no_connection_says_so_and_the_next_one_is_served() {
    let Some(room) = PostgresRoom::new().await else { return };
    let url = format!("{}&connections=2", room.server.record_url(&schema()));
    let options = url.parse::<PostgresOptions>().unwrap().patient_for(Duration::from_millis(300));
    let store = SqlStore::connect(&options).await.unwrap();
    let kept = (store.read().await.unwrap(), store.read().await.unwrap());
    let began = Instant::now();
    for refused in [store.sources().await.map(|_| ()), store.want(&[], at(1)).await] {
        let none = StoreError::Unavailable("no connection became free in time".to_owned());
        assert_eq!(refused, Err(none));
    }
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    drop(kept);
    store.want(&[], at(2)).await.unwrap();
    assert_eq!(store.sources().await.unwrap(), []);
    store.close().await;
}

/// What both databases keep is the same, table by table and column by column.
#[tokio::test]
async fn both_databases_have_the_same_tables_and_columns() {
    let Some(room) = PostgresRoom::new().await else { return };
    room.open().await;
    let schema = room.options.place().rsplit('\'').nth(1).unwrap().to_owned();
    let there: Vec<String> = sqlx::query_scalar(
        "SELECT table_name || '.' || column_name || CASE is_nullable WHEN 'YES' THEN '?' ELSE '' END || ' ' || data_type
         FROM information_schema.columns WHERE table_schema = $1 AND table_name <> '_sqlx_migrations'",
    )
    .bind(schema)
    .fetch_all(&mut connect(&room.server).await)
    .await
    .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    SqlStore::open(&path).await.unwrap().close().await;
    let mut file = sqlx::sqlite::SqliteConnectOptions::new().filename(&path).connect().await.unwrap();
    let here: Vec<String> = sqlx::query_scalar(
        "SELECT t.name || '.' || c.name || CASE c.\"notnull\" WHEN 0 THEN '?' ELSE '' END
                || CASE c.type WHEN 'TEXT' THEN ' text' ELSE ' bigint' END
         FROM sqlite_schema t, pragma_table_info(t.name) c
         WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite%' AND t.name <> '_sqlx_migrations'",
    )
    .fetch_all(&mut file)
    .await
    .unwrap();
    let sorted = |mut columns: Vec<String>| {
        columns.sort();
        columns
    };
    assert_eq!(sorted(there), sorted(here));
}
