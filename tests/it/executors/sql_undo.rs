//! Undoing with the `sql` executor: what a task made goes, what was there stays.

use serde_json::json;

use meshwright::port::executor::{Executor as _, TaskCall};

use super::Told;
use super::sql::{Stand, run, table, task};

fn undoing(call: &TaskCall) -> TaskCall {
    TaskCall { key: call.key.compensation(), undoes: Some(call.key.clone()), ..call.clone() }
}

#[tokio::test]
async fn what_a_task_made_is_dropped_and_what_was_there_stays() {
    for stand in Stand::all() {
        let executor = stand.with(|spec| spec.compensate = true);
        let columns = json!([{"name": "id", "dataType": "INTEGER"}]);
        let mut before = task("undone", table(columns.clone()));
        let from = stand.artifact(&before, "rows.csv", "id\n1\n2\n");
        before.configurations = json!({"load": [{"table": "sales", "from": from}]});
        run(&executor, &before).await.unwrap();

        let view = json!({"name": "ids", "tableType": "VIEW", "x-query": "select id from sales"});
        let wider = json!([{"name": "id", "dataType": "INTEGER"}, {"name": "note", "dataType": "VARCHAR(5)"}]);
        let tables = json!([{"name": "sales", "columns": wider}, {"name": "extra", "columns": columns}, view]);
        let mut after = task("undone", tables);
        after.key = meshwright::domain::plan::TaskKey::derive(&after.activity, 5, "another");
        let made = run(&executor, &after).await.unwrap();
        assert_eq!(made.results["created"], json!(["extra", "ids"]), "{}", stand.kind);
        // A crash after the commit: the second run makes nothing new, and it is still known what the first made.
        run(&executor, &after).await.unwrap();

        // Twice is as once.
        let told = Told::default();
        for _ in 0..2 {
            executor.compensate(&undoing(&after), &told).await.unwrap();
        }
        assert_eq!(told.lines(), ["dropped ids", "dropped extra"], "{}", stand.kind);
        let seen = executor.observe(&after.container).await.unwrap().unwrap();
        let schema = &seen["schemas"]["dev_undone_v1"];
        let names: Vec<&String> = schema["tables"].as_object().unwrap().keys().collect();
        assert_eq!(names, ["sales"]);
        assert_eq!(schema["tables"]["sales"]["rows"], 2, "data that was there stays");
        assert_eq!(schema["views"], json!({}));

        // The task can be run again, as it is when the rollout is tried again.
        assert_eq!(run(&executor, &after).await.unwrap().results["created"], json!(["extra", "ids"]));
    }
}

#[tokio::test]
async fn undoing_what_never_ran_does_nothing() {
    for stand in Stand::all() {
        let executor = stand.with(|spec| spec.compensate = true);
        assert!(executor.compensates() && !stand.executor().compensates());
        let call = task("never", table(json!([{"name": "id", "dataType": "INTEGER"}])));
        executor.compensate(&undoing(&call), &Told::default()).await.unwrap();
    }
}
