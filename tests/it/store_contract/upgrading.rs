//! A record that an earlier Meshwright wrote is brought up to date, with all that is in it.

use std::path::Path;

use meshwright::adapter::store::SqlStore;
use meshwright::domain::report::{Report, ReportState};
use meshwright::port::store::{Look, ProposalBook, ReportBook, StoreError};
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, SqlSafeStr};

use crate::support::samples::{self, at, report};

const FIRST: &str = include_str!("../../../migrations/sqlite/0001_record.sql");

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
    let first = Migration::new(1, "record".into(), MigrationType::Simple, FIRST.into_sql_str(), false);
    Migrator::with_migrations(vec![first]).run_direct(None, &mut connection, false).await.unwrap();
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

/// Each schema that was released, with a row that is in all of them, is brought up to date in one start.
#[tokio::test]
async fn every_released_schema_is_brought_up_to_date() {
    let steps = [
        FIRST,
        include_str!("../../../migrations/sqlite/0002_deliveries.sql"),
        include_str!("../../../migrations/sqlite/0003_proposals.sql"),
        include_str!("../../../migrations/sqlite/0004_reports.sql"),
        include_str!("../../../migrations/sqlite/0005_approvals.sql"),
    ];
    for last in 1..=steps.len() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.db");
        let mut connection =
            SqliteConnectOptions::new().filename(&path).create_if_missing(true).connect().await.unwrap();
        let step = |(version, text): (i64, &&'static str)| {
            Migration::new(version, "step".into(), MigrationType::Simple, text.into_sql_str(), false)
        };
        let done: Vec<Migration> = (1..).zip(&steps[..last]).map(step).collect();
        Migrator::with_migrations(done).run_direct(None, &mut connection, false).await.unwrap();
        sqlx::raw_sql(EVER).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();

        assert_eq!(SqlStore::look_at_file(&path).await.unwrap(), Some(last as i64));
        let store = SqlStore::open(&path).await.unwrap();
        assert_eq!(store.sources().await.unwrap().len(), 1, "{last}");
        let product = &store.products().await.unwrap()[0];
        assert_eq!((product.version.as_str(), product.display_name.as_str()), ("1.0.0", "Trips"), "{last}");
        assert_eq!(store.finding_rows(None).await.unwrap(), [], "{last}");
        assert_eq!(store.open_proposals(&samples::source()).await.unwrap(), [], "{last}");
        store.close().await;
        assert_eq!(SqlStore::look_at_file(&path).await.unwrap(), Some(meshwright::adapter::store::sqlite::KNOWN));
    }
}

/// What fits every schema.
const EVER: &str = "
    INSERT INTO sources (name, url, branch, seen_at) VALUES ('retail', 'u', 'main', 1);
    INSERT INTO descriptors (source, path, revision, errors, refusals) VALUES ('retail', 'a.yaml', 'r', 0, 0);
    INSERT INTO contents (digest, body) VALUES ('sha256:00', '{}');
    INSERT INTO products (product, family, source, path, display_name, domain, owner, upstream, version) VALUES
        ('urn:dpds:com.example:dataproducts:trips:1', 'urn:dpds:com.example:dataproducts:trips', 'retail', 'a.yaml',
         'Trips', 'd', 'o', '[]', '1.0.0');
    INSERT INTO versions (product, version, digest, source, path, revision, policies, recorded_at) VALUES
        ('urn:dpds:com.example:dataproducts:trips:1', '1.0.0', 'sha256:00', 'retail', 'a.yaml', 'r', 'p', 1);
";
