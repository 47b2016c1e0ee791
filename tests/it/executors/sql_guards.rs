//! What the `sql` executor refuses, and how it gets along with others.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use meshwright::config::UrlRef;
use meshwright::domain::activity::FailureKind;
use meshwright::port::executor::Executor as _;

use super::sql::{Stand, run, table, task};
use super::{Files, call};
use crate::support::postgres::Postgres;

#[tokio::test]
async fn definitions_that_cannot_be_stored_say_so() {
    let stand = Stand::sqlite();
    let executor = stand.executor();
    let column = |more: Value| {
        let mut column = json!({"name": "x", "dataType": "INTEGER"});
        column.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        table(json!([column]))
    };
    for (tables, part) in [
        (column(json!({"dataType": "POINT"})), "column 'x': the type 'POINT' is not known"),
        (column(json!({"columnConstraint": "MAYBE"})), "the constraint 'MAYBE'"),
        (column(json!({"name": "x".repeat(64)})), "1 to 63 bytes"),
        (column(json!({"name": "a\nb"})), "control characters"),
        (table(json!([])), "no 'columns'"),
        (table(json!([{"name": "a", "dataType": "INT"}, {"name": "A", "dataType": "INT"}])), "two of this name"),
        (json!([{"name": "_meshwright", "columns": [{"name": "a", "dataType": "INT"}]}]), "reserved"),
        (json!([{"name": "a", "definition": "message A {}"}]), "another language"),
        (json!([{"name": "a", "$ref": "a.json"}]), "not resolved"),
        (json!([{"name": "v", "tableType": "VIEW"}]), "'x-query'"),
        (json!([{"name": "v", "tableType": "VIEW", "x-query": "drop table x"}]), "begin with SELECT"),
        (json!([{"name": "v", "tableType": "VIEW", "x-query": "select * from nowhere"}]), "nowhere"),
        (Value::Null, "no list 'tables'"),
    ] {
        let error = run(&executor, &task("odd", tables)).await.unwrap_err();
        assert!(error.kind == FailureKind::Permanent && error.message.contains(part), "{error}");
    }
    let mut call = call("odd", Files::default());
    call.descriptor = Arc::new(json!({}));
    assert!(run(&executor, &call).await.unwrap_err().message.contains("nothing to store"));
}

#[tokio::test]
async fn hostile_names_stay_names() {
    for stand in Stand::all() {
        let executor = stand.executor();
        let name = "x\"; DROP TABLE y; --";
        let call =
            task("hostile", json!([{"name": name, "columns": [{"name": "a\" INT); --", "dataType": "INTEGER"}]}]));
        run(&executor, &call).await.unwrap();
        let seen = executor.observe(&call.container).await.unwrap().unwrap();
        assert_eq!(seen["schemas"]["dev_hostile_v1"]["tables"][name]["columns"][0]["name"], "a\" INT); --");
        assert_eq!(run(&executor, &call).await.unwrap().results["changed"], json!([]));
    }
}

#[tokio::test]
async fn queries_only_read_and_end() {
    for stand in Stand::all() {
        let executor = stand.executor();
        let call = task("reading", table(json!([{"name": "id", "dataType": "INTEGER"}])));
        run(&executor, &call).await.unwrap();
        for sql in [
            "delete from sales",
            "select 1; delete from sales",
            "insert into sales values (1)",
            "with x as (delete from sales returning id) select * from x",
            "select 1)  q; delete from sales; select (1",
        ] {
            let error = executor.query(&call.container, sql, 1).await.unwrap_err();
            assert_eq!(error.kind, FailureKind::Permanent, "{sql}: {error}");
        }
    }
}

#[tokio::test]
async fn a_schema_that_is_not_ours_is_not_taken_over() {
    let stand = Stand::sqlite();
    let folder = stand.folder.path().join("warehouse");
    std::fs::create_dir_all(&folder).unwrap();
    let call = task("foreign", table(json!([{"name": "id", "dataType": "INTEGER"}])));
    {
        use sqlx::{ConnectOptions as _, Connection as _, Executor as _};
        let options = sqlx::sqlite::SqliteConnectOptions::new()
            .filename(folder.join("dev_foreign_v1.db"))
            .create_if_missing(true);
        let mut other = options.connect().await.unwrap();
        other.execute("CREATE TABLE precious (x)").await.unwrap();
        other.close().await.unwrap();
    }
    let error = run(&stand.executor(), &call).await.unwrap_err();
    assert!(error.message.contains("was not made by Meshwright") && error.message.contains("precious"), "{error}");
}

#[tokio::test]
async fn parallel_tasks_on_one_container_do_not_collide() {
    for stand in Stand::all() {
        let executor = Arc::new(stand.executor());
        let columns = |count: usize| {
            let columns: Vec<Value> =
                (0..count).map(|n| json!({"name": format!("c{n}"), "dataType": "TEXT"})).collect();
            table(json!(columns))
        };
        let mut tasks = Vec::new();
        for _ in 0..8 {
            let (executor, call) = (Arc::clone(&executor), task("parallel", columns(5)));
            tasks.push(tokio::spawn(async move { run(&executor, &call).await }));
        }
        let mut made = 0;
        for task in tasks {
            let outcome = task.await.unwrap().unwrap();
            made += outcome.results["created"].as_array().unwrap().len();
        }
        assert_eq!(made, 1, "{}", stand.kind);
    }
}

#[tokio::test]
async fn cancel_time_out_and_locks_are_honoured() {
    for stand in Stand::all() {
        let executor = stand.executor();
        let mut call = task("stopping", table(json!([{"name": "id", "dataType": "INTEGER"}])));
        call.cancel.cancel();
        assert_eq!(run(&executor, &call).await.unwrap_err().kind, FailureKind::Cancelled);
        call.cancel = Default::default();
        call.timeout = Duration::ZERO;
        assert_eq!(run(&executor, &call).await.unwrap_err().kind, FailureKind::TimedOut);
        assert_eq!(executor.observe(&call.container).await.unwrap(), None, "nothing was made");
    }
    // Somebody holds the lock for longer than the task may take.
    let stand = Stand::sqlite();
    let executor = stand.executor();
    let mut call = task("stopping", table(json!([{"name": "id", "dataType": "INTEGER"}])));
    run(&executor, &call).await.unwrap();
    use sqlx::{ConnectOptions as _, Connection as _, Executor as _};
    let file = stand.folder.path().join("warehouse/dev_stopping_v1.db");
    let mut other = sqlx::sqlite::SqliteConnectOptions::new().filename(file).connect().await.unwrap();
    other.execute("BEGIN EXCLUSIVE").await.unwrap();
    call.timeout = Duration::from_millis(700);
    assert_eq!(run(&executor, &call).await.unwrap_err().kind, FailureKind::TimedOut);
    other.execute("ROLLBACK").await.unwrap();
    other.close().await.unwrap();
    call.timeout = Duration::from_secs(60);
    run(&executor, &call).await.unwrap();
}

#[tokio::test]
async fn connection_problems_pass_and_passwords_do_not_show() {
    let stand = Stand::sqlite();
    let call = task("away", table(json!([{"name": "id", "dataType": "INTEGER"}])));
    let away = stand.with(|spec| spec.url = UrlRef::Plain("postgres://me:hunter2@127.0.0.1:1/x".into()));
    let error = run(&away, &call).await.unwrap_err();
    assert!(error.kind == FailureKind::Transient && !error.message.contains("hunter2"), "{error}");
    let wrong = stand.with(|spec| spec.url = UrlRef::Plain("oracle://me:hunter2@x".into()));
    let error = run(&wrong, &call).await.unwrap_err();
    assert!(error.kind == FailureKind::Permanent && !error.message.contains("hunter2"), "{error}");
    if let Some(server) = Postgres::shared() {
        let url = server.url().replace("/postgres?", "/nosuchdatabase?");
        let missing = stand.with(|spec| spec.url = UrlRef::Plain(url));
        assert_eq!(run(&missing, &call).await.unwrap_err().kind, FailureKind::Permanent);
    }
}
