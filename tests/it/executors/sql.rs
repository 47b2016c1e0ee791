//! The contract of the `sql` executor, on SQLite and on a real PostgreSQL alike.

use std::sync::Arc;

use serde_json::{Value, json};

use meshwright::adapter::executors::{ArtifactStore, SqlExecutor, SqlSpec};
use meshwright::config::UrlRef;
use meshwright::domain::activity::FailureKind;
use meshwright::domain::plan::TaskKey;
use meshwright::port::executor::{Executor as _, TaskCall, TaskError, TaskOutcome};

use super::{Files, Told, call, container};
use crate::support::postgres::Postgres;

/// A database, with an executor on it.
pub(super) struct Stand {
    pub(super) kind: &'static str,
    url: String,
    pub(super) folder: tempfile::TempDir,
    artifacts: ArtifactStore,
    _server: Option<Arc<Postgres>>,
}

impl Stand {
    fn on(kind: &'static str, url: impl FnOnce(&std::path::Path) -> String, server: Option<Arc<Postgres>>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let artifacts = ArtifactStore::new(folder.path().join("artifacts"));
        Self { kind, url: url(folder.path()), folder, artifacts, _server: server }
    }

    pub(super) fn sqlite() -> Self {
        Self::on("sqlite", |folder| format!("sqlite://{}/warehouse", folder.display()), None)
    }

    /// One on each database that is to be had.
    pub(super) fn all() -> Vec<Self> {
        let mut stands = vec![Self::sqlite()];
        if let Some(server) = Postgres::shared() {
            let url = server.url();
            stands.push(Self::on("postgres", |_| url, Some(server)));
        }
        stands
    }

    pub(super) fn with(&self, change: impl FnOnce(&mut SqlSpec)) -> SqlExecutor {
        let mut spec = SqlSpec {
            name: "warehouse".into(),
            url: UrlRef::Plain(self.url.clone()),
            schema_template: "{stage}_{product}_v{major}".into(),
            allow_destructive: false,
        };
        change(&mut spec);
        SqlExecutor::new(spec, self.artifacts.clone())
    }

    pub(super) fn executor(&self) -> SqlExecutor {
        self.with(|_| {})
    }

    /// Keeps a file as an artifact of the task's product, and names it.
    #[expect(clippy::disallowed_methods, reason = "a test makes its files")]
    pub(super) fn artifact(&self, call: &TaskCall, name: &str, text: &str) -> String {
        let output = tempfile::tempdir_in(self.folder.path()).unwrap();
        std::fs::write(output.path().join(name), text).unwrap();
        let key = TaskKey::derive(&call.activity, 7, name);
        self.artifacts.keep(&key, &call.container.product, output.path()).unwrap().remove(0).uri
    }
}

pub(super) async fn run(executor: &SqlExecutor, call: &TaskCall) -> Result<TaskOutcome, TaskError> {
    executor.run(call, &Told::default()).await
}

/// A task whose product has one port with these tables.
pub(super) fn task(name: &str, tables: Value) -> TaskCall {
    let mut call = call(name, Files::default());
    call.descriptor = Arc::new(json!({"interfaceComponents": {"outputPorts": [port("sales", tables)]}}));
    call
}

fn port(name: &str, tables: Value) -> Value {
    let definition = json!({"datastoreapi": "1.0.0", "schema": {"databaseSchemaName": name, "tables": tables}});
    json!({"name": name, "version": "1.0.0", "promises": {"api": {"specification": "DataStoreAPI", "definition": definition}}})
}

pub(super) fn table(columns: Value) -> Value {
    json!([{"name": "sales", "columns": columns}])
}

fn texts(rows: &[Vec<Option<String>>]) -> Vec<String> {
    rows.iter()
        .map(|row| row.iter().map(|cell| cell.as_deref().unwrap_or("NULL")).collect::<Vec<_>>().join("|"))
        .collect()
}

async fn ask(executor: &SqlExecutor, call: &TaskCall, sql: &str) -> Vec<String> {
    texts(&executor.query(&call.container, sql, 100).await.unwrap().rows)
}

#[tokio::test]
async fn the_trip_status_port_becomes_a_filled_table_and_a_view() {
    for stand in Stand::all() {
        let descriptor: Value =
            serde_json::from_str(include_str!("../../cases/sql/trip-status/descriptor.json")).unwrap();
        let mut call = call("tripExecution", Files::default());
        call.descriptor = Arc::new(descriptor);
        let executor = stand.executor();
        assert_eq!(executor.observe(&call.container).await.unwrap(), None, "{}", stand.kind);
        let error = executor.query(&call.container, "select 1", 1).await.unwrap_err();
        assert!(error.message.contains("has it been deployed"), "{error}");

        let made = run(&executor, &call).await.unwrap();
        assert_eq!(made.results["schema"], "dev_trip_execution_v1");
        assert_eq!(made.results["created"], json!(["trip_status", "trips_per_status"]));
        assert_eq!(made.results["tables"], json!({"trip_status": {"rows": 0, "columns": 6}}));
        assert_eq!(made.results["views"], json!({"trips_per_status": {"columns": 2}}));

        let from = stand.artifact(&call, "trips.csv", include_str!("../../cases/sql/trip-status/trips.csv"));
        call.configurations = json!({"load": [{"table": "trip_status", "from": from, "mode": "replace"}]});
        // Twice is as once: the deploy phase after a crash.
        for _ in 0..2 {
            let loaded = run(&executor, &call).await.unwrap();
            assert_eq!(loaded.results["tables"], json!({"trip_status": {"rows": 3, "columns": 6}}), "{}", stand.kind);
            assert_eq!(loaded.results["created"], json!([]));
            assert_eq!(loaded.results["changed"], json!([]));
        }
        let rows = ask(&executor, &call, "select status, trips from trips_per_status order by status;").await;
        assert_eq!(rows, ["planned|1", "running|2"], "{}", stand.kind);
        let rows =
            ask(&executor, &call, "select id, position, planning_date, cost from trip_status order by id -- done")
                .await;
        let cost = if stand.kind == "sqlite" { "12.5" } else { "12.50" };
        assert_eq!(
            rows,
            [
                format!("1|Oslo, NO|2026-02-01|{cost}"),
                "2|Rome|2026-02-01|NULL".to_owned(),
                "3|Sao \"S\" Paulo|2026-02-02|99999999.99".to_owned(),
            ]
        );
        let limited = executor.query(&call.container, "select id, id from trip_status", 2).await.unwrap();
        assert_eq!((limited.columns, limited.rows.len(), limited.more), (vec!["id".into(), "id".into()], 2, true));

        let seen = executor.observe(&call.container).await.unwrap().unwrap();
        let schema = &seen["schemas"]["dev_trip_execution_v1"];
        assert_eq!(schema["tables"]["trip_status"]["rows"], 3);
        assert_eq!(schema["tables"]["trip_status"]["columns"][0]["name"], "id");
        assert_eq!(schema["tables"]["trip_status"]["columns"][0]["notNull"], true);
        assert_eq!(schema["views"]["trips_per_status"]["columns"][0]["name"], "status");
        assert_eq!(executor.observe(&container("tripExecution", "prod")).await.unwrap(), None);
    }
}

#[tokio::test]
async fn tables_evolve_with_their_rows_and_views() {
    for stand in Stand::all() {
        let executor = stand.executor();
        let view = json!({"name": "names", "tableType": "view", "x-query": "with a as (select id, name from sales) select * from a"});
        let tables = |columns: Value| json!([{"name": "sales", "columns": columns}, view]);
        let first = json!([
            {"name": "id", "dataType": "INTEGER", "columnConstraint": "PRIMARY_KEY"},
            {"name": "name", "dataType": "VARCHAR(50)", "columnConstraint": "NOT_NULL"},
            {"name": "code", "dataType": "CHAR", "dataLength": 3, "columnConstraint": "UNIQUE"},
        ]);
        let mut before = task("evolving", tables(first));
        let from = stand.artifact(
            &before,
            "rows.jsonl",
            "{\"id\": 1, \"name\": \"one\", \"code\": \"abc\"}\n\n{\"id\": 2, \"name\": \"two\"}\n",
        );
        before.configurations = json!({"load": [{"table": "sales", "from": from}]});
        run(&executor, &before).await.unwrap();

        let after = task(
            "evolving",
            tables(json!([
                {"name": "id", "dataType": "BIGINT", "columnConstraint": "PRIMARY_KEY"},
                {"name": "name", "dataType": "VARCHAR", "dataLength": 100},
                {"name": "code", "dataType": "CHAR", "dataLength": 3, "columnConstraint": "UNIQUE"},
                {"name": "extra", "dataType": "JSON"},
            ])),
        );
        let changed = run(&executor, &after).await.unwrap();
        let words = changed.results["changed"].as_array().unwrap();
        assert_eq!(words.len(), 1, "{words:?}");
        for part in ["column id widened", "column name widened", "column name made nullable", "column extra added"] {
            assert!(words[0].as_str().unwrap().contains(part), "{}: {words:?}", stand.kind);
        }
        assert_eq!(
            ask(&executor, &after, "select id, name, code, extra from sales order by id").await,
            ["1|one|abc|NULL", "2|two|NULL|NULL"]
        );
        assert_eq!(ask(&executor, &after, "select * from names order by id").await, ["1|one", "2|two"]);
        assert_eq!(
            run(&executor, &after).await.unwrap().results["changed"],
            json!([]),
            "the second time nothing is to be done"
        );

        // The uniqueness has survived.
        let mut twice = after.clone();
        let from =
            stand.artifact(&after, "twice.jsonl", "{\"id\": 1, \"code\": \"abc\"}\n{\"id\": 2, \"code\": \"abc\"}\n");
        twice.configurations = json!({"load": [{"table": "sales", "from": from}]});
        let error = run(&executor, &twice).await.unwrap_err();
        assert_eq!(error.kind, FailureKind::Permanent, "{error}");
        assert_eq!(ask(&executor, &after, "select count(*) from sales").await, ["2"], "and the load was rolled back");
    }
}

#[tokio::test]
async fn what_would_lose_data_is_refused_unless_told() {
    for stand in Stand::all() {
        let executor = stand.executor();
        let columns = |kind: &str, more: Value| {
            let mut all = vec![json!({"name": "id", "dataType": "INTEGER"}), json!({"name": "name", "dataType": kind})];
            all.extend(more.as_array().unwrap().clone());
            table(json!(all))
        };
        let mut before = task("losing", columns("VARCHAR(50)", json!([])));
        let from = stand.artifact(&before, "rows.csv", "id,name\n1,x\n");
        before.configurations = json!({"load": [{"table": "sales", "from": from}]});
        run(&executor, &before).await.unwrap();
        for (tables, part) in [
            (columns("VARCHAR(10)", json!([])), "'name'"),
            (columns("INTEGER", json!([])), "does not hold all its values"),
            (table(json!([{"name": "id", "dataType": "INTEGER"}])), "column 'name' would be dropped"),
            (
                columns("VARCHAR(50)", json!([{"name": "n", "dataType": "DATE", "columnConstraint": "NOT_NULL"}])),
                "has rows without it",
            ),
            (
                json!([{"name": "other", "columns": [{"name": "id", "dataType": "INTEGER"}]}]),
                "table 'sales' would be dropped",
            ),
        ] {
            let error = run(&executor, &task("losing", tables)).await.unwrap_err();
            assert!(error.kind == FailureKind::Permanent && error.message.contains(part), "{}: {error}", stand.kind);
            assert!(error.message.contains("allow_destructive"), "the remedy is named: {error}");
        }
        assert_eq!(ask(&executor, &before, "select name from sales").await, ["x"], "nothing has changed");

        let told = stand.with(|spec| spec.allow_destructive = true);
        let narrowed = task("losing", table(json!([{"name": "id", "dataType": "SMALLINT"}])));
        let outcome = run(&told, &narrowed).await.unwrap();
        assert!(outcome.results["changed"][0].as_str().unwrap().contains("column name dropped"), "{outcome:?}");
        assert_eq!(ask(&told, &narrowed, "select * from sales").await, ["1"]);
        let gone = task("losing", json!([{"name": "other", "columns": [{"name": "id", "dataType": "INTEGER"}]}]));
        run(&told, &gone).await.unwrap();
        assert!(told.query(&gone.container, "select * from sales", 1).await.is_err());
    }
}

#[tokio::test]
async fn containers_do_not_see_each_other() {
    for stand in Stand::all() {
        let executor = stand.executor();
        let one = table(json!([{"name": "id", "dataType": "INTEGER"}]));
        let two = table(json!([{"name": "other", "dataType": "TEXT"}]));
        let first = task("apart", one);
        let mut second = task("apart", two.clone());
        second.container = container("apart", "prod");
        run(&executor, &first).await.unwrap();
        run(&executor, &second).await.unwrap();
        assert_eq!(executor.query(&first.container, "select * from sales", 1).await.unwrap().columns, ["id"]);
        assert_eq!(executor.query(&second.container, "select * from sales", 1).await.unwrap().columns, ["other"]);
        // Another product whose name comes to the same schema is refused.
        let mut clash = task("Apart", two);
        clash.container = container("Apart", "dev");
        let error = run(&executor, &clash).await.unwrap_err();
        assert!(error.message.contains("belongs to urn:dpds:com.example:dataproducts:apart:1@dev"), "{error}");
        assert_eq!(executor.observe(&clash.container).await.unwrap(), None);
    }
}

#[tokio::test]
async fn ports_may_have_schemas_of_their_own() {
    for stand in Stand::all() {
        let executor = stand.with(|spec| spec.schema_template = "{product}_{stage}_{schema}".into());
        let mut call = call("several", Files::default());
        let columns = table(json!([{"name": "id", "dataType": "INTEGER"}]));
        let ports = json!([port("sales", columns.clone()), port("returns", columns)]);
        call.descriptor = Arc::new(json!({"interfaceComponents": {"outputPorts": ports}}));
        call.configurations = json!({"ports": ["sales"]});
        assert_eq!(run(&executor, &call).await.unwrap().results["schemas"], json!(["several_dev_sales"]));
        call.configurations = json!({"ports": ["returns", "sales"]});
        let outcome = run(&executor, &call).await.unwrap();
        assert_eq!(outcome.results["schema"], "several_dev_sales");
        assert_eq!(outcome.results["schemas"], json!(["several_dev_returns", "several_dev_sales"]));
        let seen = executor.observe(&call.container).await.unwrap().unwrap();
        assert_eq!(seen["schemas"].as_object().unwrap().len(), 2, "{seen}");
        assert!(executor.query(&call.container, "select * from sales", 1).await.is_ok());
        call.configurations = json!({"ports": ["nope"]});
        assert!(run(&executor, &call).await.unwrap_err().message.contains("'nope'"));
    }
}

#[tokio::test]
async fn loading_says_what_is_wrong_and_where() {
    for stand in Stand::all() {
        let executor = stand.executor();
        let mut call = task(
            "loading",
            table(json!([
                {"name": "id", "dataType": "INTEGER", "columnConstraint": "PRIMARY_KEY"},
                {"name": "at", "dataType": "TIMESTAMP WITH TIME ZONE"},
                {"name": "ok", "dataType": "BOOLEAN"},
                {"name": "amount", "dataType": "DOUBLE"},
                {"name": "key", "dataType": "UUID"},
                {"name": "doc", "dataType": "JSON"},
                {"name": "label", "dataType": "TEXT", "columnConstraint": "NOT_NULL"},
            ])),
        );
        let fine = "\u{feff}label,id,at,ok,amount,key,doc\n,1,2026-01-01T00:00:00+01:00,yes,1e3,6f2a4b9e-8a51-4a4e-9a36-3c36a8e0f001,\"{\"\"a\"\": 1}\"\nb,2,,,,,\n";
        for (name, text, wanted) in [
            ("fine.csv", fine, Ok(2)),
            (
                "fine.jsonl",
                "{\"id\": 1, \"label\": \"x\", \"doc\": [1, {\"a\": null}], \"ok\": true, \"amount\": 1.5}\n",
                Ok(1),
            ),
            ("empty.csv", "id,label\n", Ok(0)),
            ("bad.csv", "id,label\n1,x\nhunter2,y\n", Err("line 3, column 'id': it is not a whole number")),
            ("short.csv", "id,label\n1\n", Err("line 2 has 1 fields")),
            ("unknown.csv", "id,label,evil\n1,x,y\n", Err("column 'evil'")),
            ("lacking.csv", "label\nx\n", Err("lacks the column 'id'")),
            ("twice.csv", "id,id,label\n1,1,x\n", Err("twice")),
            ("null.csv", "id,label\n,x\n", Err("line 2, column 'id': it has no value")),
            ("bad.jsonl", "{\"id\": 1, \"label\": \"x\"}\nnope\n", Err("line 2 is not a JSON object")),
            ("list.jsonl", "{\"id\": [1], \"label\": \"x\"}\n", Err("line 1, column 'id'")),
            ("what.bin", "", Err("no 'format'")),
        ] {
            let from = stand.artifact(&call, name, text);
            call.configurations = json!({"load": [{"table": "sales", "from": from}]});
            match (run(&executor, &call).await, wanted) {
                (Ok(outcome), Ok(rows)) => assert_eq!(outcome.results["tables"]["sales"]["rows"], rows, "{name}"),
                (Err(error), Err(part)) => {
                    assert!(error.kind == FailureKind::Permanent && error.message.contains(part), "{name}: {error}");
                    assert!(!error.message.contains("hunter2"), "values are not shown: {error}");
                }
                (outcome, _) => panic!("{} {name}: {outcome:?}", stand.kind),
            }
        }
        // An open quote does not take the file into memory.
        let endless = format!("id,label\n1,\"{}", "x".repeat(9 * 1024 * 1024));
        let from = stand.artifact(&call, "endless.csv", &endless);
        call.configurations = json!({"load": [{"table": "sales", "from": from}]});
        assert!(run(&executor, &call).await.unwrap_err().message.contains("4 MiB"));
        // Many rows, in batches.
        let many: String =
            std::iter::once("id,label\n".to_owned()).chain((0..5_001).map(|id| format!("{id},x\n"))).collect();
        let from = stand.artifact(&call, "many.csv", &many);
        call.configurations = json!({"load": [{"table": "sales", "from": from}]});
        assert_eq!(run(&executor, &call).await.unwrap().results["tables"]["sales"]["rows"], 5_001);
        for (configurations, part) in [
            (json!({"load": [{"table": "nope", "from": "artifact:x"}]}), "the table 'nope'"),
            (json!({"load": [{"table": "sales", "from": "/etc/passwd"}]}), "is not an artifact"),
            (
                json!({"load": [{"table": "sales", "from": "artifact:task-00000000000000000000000000000000/x.csv"}]}),
                "there is no",
            ),
            (json!({"load": [{"table": "sales", "from": "artifact:x", "mode": "append"}]}), "append"),
            (json!({"loud": []}), "loud"),
        ] {
            call.configurations = configurations;
            let error = run(&executor, &call).await.unwrap_err();
            assert!(error.kind == FailureKind::Permanent && error.message.contains(part), "{error}");
        }
        // A file of another product is not loaded, whoever names it.
        let other = task("stranger", json!([]));
        let from = stand.artifact(&other, "theirs.csv", "id,label\n");
        call.configurations = json!({"load": [{"table": "sales", "from": from}]});
        assert!(run(&executor, &call).await.unwrap_err().message.contains("does not belong"));
    }
}
