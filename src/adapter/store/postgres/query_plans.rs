//! The same as on SQLite (`sqlite::query_plans`): what is asked often goes by an index that was made for it. The
//! server is told not to read tables from end to end where it can be helped, because it would with the few rows
//! of a test; what it reads so all the same has no index.

use sqlx::AssertSqlSafe;

use crate::adapter::store::sql::activities::load;
use crate::adapter::store::sql::connection::Query;
use crate::adapter::store::sql::deliveries::{commands, write};
use crate::adapter::store::sql::passes::{plans, reading, rollouts};
use crate::adapter::store::sql::sharing::{leases, terms, wakes};
use crate::adapter::store::sql::{SqlStore, approvals, proposals, reports, telling};

#[expect(dead_code, reason = "it is shared with the integration tests, which use more")]
#[path = "../../../../tests/support/postgres.rs"]
mod server;

/// Each statement, and the index by which it is answered.
const EXPECTED: [(&str, &str); 33] = [
    (load::UNFINISHED, "activities_unfinished"),
    (load::UNFINISHED_EVENTS, "activities_unfinished"),
    (load::UNFINISHED_EVENTS, "activity_events_pkey"),
    (load::BY_ID, "activities_id_key"),
    (load::BY_ID_EVENTS, "activity_events_pkey"),
    (load::BY_REVISION, "activities_by_revision"),
    (load::BY_REVISION_EVENTS, "activities_by_revision"),
    (load::AT_STAGE, "activities_by_revision"),
    (load::COUNT_AT, "activities_at_stage"),
    (load::TROUBLED, "activities_troubled"),
    (plans::ACTIVITIES, "activities_by_revision"),
    (rollouts::WAITING, "activities_waiting"),
    (reading::DESCRIPTORS_READING, "descriptor_files_by_path"),
    (reading::LATEST_VERSIONS, "products_by_family"),
    (reading::STANDING.postgres, "descriptors_with_errors"),
    (proposals::ONE, "proposals_pkey"),
    (approvals::APPROVALS, "approvals_pkey"),
    (approvals::TO_RETRY, "descriptors_to_retry"),
    (telling::UNTOLD, "untold_pkey"),
    (terms::STANDS, "standings_pkey"),
    (leases::HELD_BY_OTHERS, "container_claims_held"),
    (wakes::NEXT_SKIPPING, "wakes_in_turn"),
    (reports::UNPUBLISHED, "reports_pending"),
    (reports::SOURCES_WITH_UNPUBLISHED, "reports_pending"),
    (reports::TO_VERIFY, "reports_to_verify"),
    (reports::COMMENT, "reports_source_subject_sort_context_key"),
    (reports::PENDING_STATES, "reports_open"),
    (write::KNOWN, "deliveries_forge_delivery_key"),
    (write::HEADS, "delivered_heads_pkey"),
    (commands::OPEN, "command_requests_open"),
    (commands::ANSWERED, "command_requests_under"),
    (commands::ELSEWHERE, "command_requests_by_origin"),
    (commands::FORGET, "command_requests_done"),
];

#[tokio::test]
async fn what_is_asked_often_goes_by_an_index() {
    let Some(server) = server::Postgres::shared() else { return };
    let store = SqlStore::connect(&server.record_url("explained").parse().unwrap()).await.unwrap();
    let mut connection = store.read().await.unwrap();
    let mut run = async |statement: String| {
        Query::put_together(AssertSqlSafe(statement), Vec::new(), false).fetch_all(&mut connection).await.unwrap()
    };
    run("SET LOCAL enable_seqscan = off".to_owned()).await;
    // Otherwise it is planned for the values that are bound.
    run("SET LOCAL plan_cache_mode = force_generic_plan".to_owned()).await;
    for (number, (statement, index)) in EXPECTED.into_iter().enumerate() {
        run(format!("PREPARE explained_{number} AS {statement}")).await;
        let bound = (1..10).take_while(|parameter| statement.contains(&format!("${parameter}"))).count();
        let nothing = if bound == 0 { String::new() } else { format!("({})", vec!["NULL"; bound].join(", ")) };
        let steps = run(format!("EXPLAIN EXECUTE explained_{number}{nothing}")).await;
        let steps: Vec<String> = steps.iter().map(|step| step.text("QUERY PLAN").unwrap()).collect();
        assert!(steps.iter().any(|step| step.contains(index)), "{statement}: {steps:#?}");
        assert_eq!(steps.iter().find(|step| step.contains("Seq Scan")), None, "{statement}: {steps:#?}");
    }
    drop(connection);
    store.close().await;
}
