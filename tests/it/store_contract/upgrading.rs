//! A record that an earlier Meshwright wrote is brought up to date, with all that is in it.

use std::path::Path;

use meshwright::adapter::store::SqlStore;
use meshwright::domain::report::{Report, ReportState};
use meshwright::port::store::{Look, Matter, ProposalBook, ReportBook, StoreError, Terms};
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, SqlSafeStr};

use crate::support::postgres::Postgres;
use crate::support::samples::{self, at, report};

/// What the first edition of the record had: a status that is shown, one that waits, one given up.
const DATA: &str = "
    INSERT INTO sources (name, url, branch, seen_at) VALUES ('retail', 'u', 'main', 1);
    INSERT INTO reports (id, source, revision, context, state, description, target_url, edition, published, failures,
                         given_up, message, wanted_at, pending_since, due_at, published_at) VALUES
        (7, 'retail', '0000000000000000000000000000000000000001', 'meshwright/plan', 'success', 'shown', NULL,
         2, 2, 0, 0, NULL, 1795000001000, 1795000001000, 1795000001000, 1795000002000),
        (8, 'retail', '0000000000000000000000000000000000000002', 'meshwright/plan', 'pending', 'waits', 'https://x',
         3, 1, 2, 0, 'HTTP 502', 1795000002000, 1795000002000, 1795000009000, NULL),
        (9, 'retail', '0000000000000000000000000000000000000003', 'meshwright/plan', 'error', 'gone', NULL,
         1, 0, 1, 1, 'HTTP 404', 1795000003000, 1795000003000, 1795000003000, NULL);
";

/// A record as the first edition left it.
async fn first_edition(path: &Path) {
    let mut connection = SqliteConnectOptions::new().filename(path).create_if_missing(true).connect().await.unwrap();
    migrator(1, &ON_SQLITE[..1]).run_direct(None, &mut connection, false).await.unwrap();
    sqlx::raw_sql(DATA).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

#[tokio::test]
async fn reports_of_the_first_edition_are_kept_and_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    first_edition(&path).await;
    match SqlStore::open_read_only(&path).await {
        Err(StoreError::Unusable(why)) => assert!(why.contains("meshwright db migrate"), "{why}"),
        other => panic!("an older record is not only looked at: {other:?}"),
    }
    let store = SqlStore::open(&path).await.unwrap();
    let rows = store.report_rows(9).await.unwrap();
    let lines: Vec<String> =
        rows.iter().map(|row| format!("{} {} {}", row.sort, row.description, row.delivery)).collect();
    assert_eq!(lines, ["status gone given-up", "status waits waiting", "status shown published"]);
    assert_eq!(rows[1].message.as_deref(), Some("HTTP 502"));

    let sources = [samples::source()];
    assert_eq!(store.unpublished(&sources, at(8), 9).await.unwrap(), [], "its pause goes on");
    let waiting = store.unpublished(&sources, at(9), 9).await.unwrap().remove(0);
    assert_eq!((waiting.edition, waiting.failures, waiting.external.as_deref()), (3, 2, None));
    let wanted = Report { target_url: Some("https://x".to_owned()), ..report(2, ReportState::Pending, "waits") };
    assert_eq!(waiting.report, wanted);
    store.published(&waiting, Some("17"), at(9)).await.unwrap();
    // The key of before is the key of now.
    store.want(&[report(1, ReportState::Success, "shown")], at(10)).await.unwrap();
    assert_eq!(store.sources_with_unpublished().await.unwrap(), []);
    store.want(&[report(1, ReportState::Failure, "not any more")], at(10)).await.unwrap();
    assert_eq!(store.unpublished(&sources, at(10), 9).await.unwrap()[0].edition, 3);
    store.close().await;
    SqlStore::open(&path).await.unwrap();
}

macro_rules! steps {
    ($database:literal: $($file:literal),+) => {
        [$(include_str!(concat!("../../../migrations/", $database, "/", $file, ".sql"))),+]
    };
}

/// Every step on SQLite, from the first.
const ON_SQLITE: [&str; 9] = steps!(
    "sqlite": "0001_record", "0002_deliveries", "0003_proposals", "0004_reports", "0005_approvals", "0006_answers",
    "0007_sharing", "0008_history", "0009_telling"
);

/// Every step on PostgreSQL, from the fifth.
const ON_POSTGRES: [&str; 5] =
    steps!("postgres": "0005_record", "0006_answers", "0007_sharing", "0008_history", "0009_telling");

/// These steps, the first of which has this number.
fn migrator(first: i64, steps: &[&'static str]) -> Migrator {
    let step = |(version, text): (i64, &&'static str)| {
        // PostgreSQL knows the record by the first step's name.
        let name = if version == first { "the record of meshwright" } else { "step" };
        Migration::new(version, name.into(), MigrationType::Simple, text.into_sql_str(), false)
    };
    let mut migrator = Migrator::with_migrations((first..).zip(steps).map(step).collect());
    migrator.set_locking(false);
    migrator
}

/// Each schema that was released, with rows that are in it, is brought up to date in one start.
#[tokio::test]
async fn every_released_schema_is_brought_up_to_date() {
    assert_eq!(ON_SQLITE.len() as i64, meshwright::adapter::store::sqlite::KNOWN);
    for last in 1..=ON_SQLITE.len() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.db");
        let mut connection =
            SqliteConnectOptions::new().filename(&path).create_if_missing(true).connect().await.unwrap();
        migrator(1, &ON_SQLITE[..last]).run_direct(None, &mut connection, false).await.unwrap();
        for rows in rows_at(last as i64) {
            sqlx::raw_sql(rows).execute(&mut connection).await.unwrap();
        }
        connection.close().await.unwrap();

        assert_eq!(SqlStore::look_at_file(&path).await.unwrap(), Some(last as i64));
        let store = SqlStore::open(&path).await.unwrap();
        all_is_there(&store, last as i64).await;
        store.close().await;
        assert_eq!(SqlStore::look_at_file(&path).await.unwrap(), Some(meshwright::adapter::store::sqlite::KNOWN));
    }
}

#[tokio::test]
async fn every_released_schema_on_a_server_is_brought_up_to_date() {
    use meshwright::adapter::store::postgres::{KNOWN, PostgresOptions};
    let Some(server) = Postgres::shared() else { return };
    for last in 1..=ON_POSTGRES.len() {
        let schema = format!("released_{last}");
        let options: PostgresOptions = server.record_url(&schema).parse().unwrap();
        let connect = server.url().parse::<sqlx::postgres::PgConnectOptions>().unwrap();
        let mut connection = connect.options([("search_path", schema.as_str())]).connect().await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(format!("CREATE SCHEMA {schema}"))).execute(&mut connection).await.unwrap();
        migrator(5, &ON_POSTGRES[..last]).run_direct(None, &mut connection, false).await.unwrap();
        let version = 4 + last as i64;
        for rows in rows_at(version) {
            sqlx::raw_sql(rows).execute(&mut connection).await.unwrap();
        }
        connection.close().await.unwrap();

        assert_eq!(SqlStore::look_at_server(&options).await.unwrap(), Some(version));
        let store = SqlStore::connect(&options).await.unwrap();
        all_is_there(&store, version).await;
        store.close().await;
        assert_eq!(SqlStore::look_at_server(&options).await.unwrap(), Some(KNOWN));
    }
}

async fn all_is_there(store: &SqlStore, version: i64) {
    assert_eq!(store.sources().await.unwrap().len(), 1, "{version}");
    let product = &store.products().await.unwrap()[0];
    assert_eq!((product.version.as_str(), product.display_name.as_str()), ("1.0.0", "Trips"), "{version}");
    assert_eq!(store.finding_rows(None).await.unwrap(), [], "{version}");
    assert_eq!(store.open_proposals(&samples::source()).await.unwrap(), [], "{version}");
    assert_eq!(store.untold().await.unwrap(), [], "{version}");
    if version >= 7 {
        let row = store.wake_rows(9).await.unwrap().remove(0);
        assert_eq!((row.state.as_str(), row.failures, row.interruptions), ("backing-off", 3, 0), "{version}");
        let basis = |of| async move { store.basis(&samples::source(), of).await.unwrap().edition };
        assert_eq!((basis(Matter::Rollouts).await, basis(Matter::Decisions).await), (17, 0), "{version}");
        let standing = store.basis(&samples::source(), Matter::Rollouts).await.unwrap();
        store.tell(&"dev".parse().unwrap(), &standing, &[], at(1)).await.unwrap();
    }
}

/// What a schema of this version may hold.
fn rows_at(version: i64) -> impl Iterator<Item = &'static str> {
    std::iter::once(EVER).chain((version >= 7).then_some(SINCE_THE_SEVENTH))
}

const SINCE_THE_SEVENTH: &str = "
    INSERT INTO wakes (source, proposal, lane, due, edition, failures, message, token) VALUES
        ('retail', '', 1, 1795000001000, 4, 3, 'the disk is full', 9);
    INSERT INTO standings (source, edition) VALUES ('retail', 17);
";

/// What fits every schema.
const EVER: &str = "
    INSERT INTO sources (name, url, branch, seen_at) VALUES ('retail', 'u', 'main', 1);
    INSERT INTO descriptors (source, path, revision, errors, refusals) VALUES ('retail', 'a.yaml', 'r', 0, 0);
    INSERT INTO contents (digest, body) VALUES
        ('sha256:0000000000000000000000000000000000000000000000000000000000000000', '{}');
    INSERT INTO products (product, family, source, path, display_name, domain, owner, upstream, version) VALUES
        ('urn:dpds:com.example:dataproducts:trips:1', 'urn:dpds:com.example:dataproducts:trips', 'retail', 'a.yaml',
         'Trips', 'd', 'o', '[]', '1.0.0');
    INSERT INTO versions (product, version, digest, source, path, revision, policies, recorded_at) VALUES
        ('urn:dpds:com.example:dataproducts:trips:1', '1.0.0',
         'sha256:0000000000000000000000000000000000000000000000000000000000000000', 'retail', 'a.yaml', 'r', 'p', 1);
";
