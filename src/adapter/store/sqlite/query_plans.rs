//! What is asked often must not become slower with all that was ever recorded: each statement is
//! explained by SQLite, and has to go by the index that was made for it.

use sqlx::AssertSqlSafe;

use crate::adapter::store::sql::activities::load;
use crate::adapter::store::sql::connection::Query;
use crate::adapter::store::sql::deliveries::{commands, write};
use crate::adapter::store::sql::passes::{plans, reading, rollouts};
use crate::adapter::store::sql::sharing::{leases, terms};
use crate::adapter::store::sql::{SqlStore, approvals, proposals, reports, telling};

const EXPECTED: [(&str, &str); 42] = [
    (load::UNFINISHED, "USING INDEX activities_unfinished"),
    (load::UNFINISHED_EVENTS, "USING INDEX activities_unfinished"),
    (load::UNFINISHED_EVENTS, "sqlite_autoindex_activity_events_1 (activity=?)"),
    (load::BY_ID, "sqlite_autoindex_activities_1 (id=?)"),
    (load::BY_ID_EVENTS, "sqlite_autoindex_activity_events_1 (activity=?)"),
    (load::BY_REVISION, "activities_by_revision (source=? AND revision=?)"),
    (load::BY_REVISION_EVENTS, "activities_by_revision (source=? AND revision=?)"),
    (load::COUNT_AT, "activities_at_stage (stage=? AND revision=? AND source=? AND status=?)"),
    (plans::ACTIVITIES, "activities_by_revision (source=? AND revision=?)"),
    (rollouts::WAITING, "activities_waiting (product=?)"),
    (reading::DESCRIPTORS_READING, "PRIMARY KEY (source=? AND file=?)"),
    (reading::HELD_BACK.sqlite, "descriptors_again (source=?)"),
    (reading::HELD_BACK.sqlite, "descriptors_to_retry (source=?)"),
    (reading::HELD_BACK.sqlite, "USING INDEX activities_skipped"),
    (reading::STANDING.sqlite, "descriptors_with_errors (source=?)"),
    (reading::LATEST_VERSIONS, "products_by_family (family=?)"),
    (reading::CONTAINERS, "sqlite_autoindex_containers_1 (product=?)"),
    (load::AT_STAGE, "activities_by_revision (source=? AND revision=?)"),
    (telling::UNTOLD, "SCAN untold"),
    (terms::STANDS, "PRIMARY KEY (source=?)"),
    (leases::HELD_BY_OTHERS, "INDEX container_claims_held (until>?)"),
    (proposals::ONE, "PRIMARY KEY (source=? AND proposal=?)"),
    (proposals::OPEN, "PRIMARY KEY (source=?)"),
    (approvals::APPROVALS, "PRIMARY KEY (plan=? AND stage=?)"),
    (approvals::TO_RETRY, "descriptors_to_retry (source=?)"),
    (reports::UNPUBLISHED, "USING INDEX reports_pending (source=?)"),
    (reports::SOURCES_WITH_UNPUBLISHED, "INDEX reports_pending"),
    (reports::TO_VERIFY, "USING INDEX reports_to_verify (source=? AND verify_at<?)"),
    (reports::COMMENT, "(source=? AND subject=? AND sort=?)"),
    (reports::WRITE_ANEW, "(source=? AND subject=? AND sort=?)"),
    (reports::SETTLE, "passes_by_revision (source=? AND revision=?)"),
    (reports::SETTLE, "proposals_by_head (source=? AND head=?)"),
    (reports::PENDING_STATES, "INDEX reports_open"),
    (write::KNOWN, "sqlite_autoindex_deliveries_1 (forge=? AND delivery=?)"),
    (write::HEADS, "PRIMARY KEY (forge=? AND repository=? AND reference=?)"),
    (write::REVISIONS, "PRIMARY KEY (name=?)"),
    (write::AGAIN, "sqlite_autoindex_deliveries_1 (forge=? AND delivery=?)"),
    (commands::OPEN, "USING INDEX command_requests_open"),
    (commands::ANSWERED, "command_requests_under (source=? AND pull=?)"),
    (commands::ELSEWHERE, "command_requests_by_origin (forge=? AND origin=?)"),
    (commands::DONE, "sqlite_autoindex_command_requests_1 (forge=? AND source=? AND origin=?)"),
    (commands::FORGET, "INDEX command_requests_done (done_at>? AND done_at<?)"),
];

/// Only lists of names and what is pending or went wrong may be read from end to end.
const FINE: [&str; 6] = [
    "VIRTUAL TABLE",
    "activities_unfinished",
    "activities_skipped",
    "reports_pending",
    "command_requests_open",
    "untold",
];

#[tokio::test]
async fn what_is_asked_often_goes_by_an_index() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqlStore::open(&folder.path().join("state.db")).await.unwrap();
    let mut connection = store.read().await.unwrap();
    for (statement, index) in EXPECTED {
        let explained = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {statement}"));
        let steps = Query::put_together(explained, Vec::new(), false).fetch_all(&mut connection).await.unwrap();
        let steps: Vec<String> = steps.iter().map(|step| step.text("detail").unwrap()).collect();
        assert!(steps.iter().any(|step| step.contains(index)), "{statement}: {steps:#?}");
        let read_wholly = |step: &&String| step.starts_with("SCAN") && !FINE.iter().any(|fine| step.contains(fine));
        assert_eq!(steps.iter().find(read_wholly), None, "{statement}: {steps:#?}");
    }
}
