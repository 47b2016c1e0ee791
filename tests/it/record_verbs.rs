//! `meshwright db`, and the verbs that look, by the program itself: on a file, and on a server.

#![expect(
    clippy::disallowed_methods,
    reason = "helpers of tests may fail as tests do, write files and start the program"
)]

use std::fs;
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::Path;

use meshwright::adapter::store::SqlStore;
use meshwright::domain::activity::ActivityEvent;
use meshwright::domain::plan::ActivityId;
use meshwright::domain::time::Timestamp;
use meshwright::port::store::{ActivityBook, PassBook};
use serde_json::Value;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection};
use tempfile::TempDir;

use crate::support::postgres::Postgres;
use crate::support::samples::PassSample;

/// A folder with two configurations: `meshwright.yaml` on a file, and `server.yaml` on a server.
struct Mesh {
    folder: TempDir,
    /// What stands in the environment for the server.
    url: String,
}

struct Ran {
    code: i32,
    out: String,
    err: String,
}

impl Mesh {
    fn new(url: String) -> Self {
        let folder = TempDir::new().unwrap();
        let mesh = Self { folder, url };
        fs::write(mesh.at("meshwright.yaml"), "mesh: { namespace: com.example }\n").unwrap();
        fs::write(mesh.at("server.yaml"), "mesh: { namespace: com.example }\nstate: { env: STATE_URL }\n").unwrap();
        mesh
    }

    fn at(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    fn state(&self) -> std::path::PathBuf {
        self.at(".meshwright/state.db")
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        let mut command = assert_cmd::cargo_bin_cmd!("meshwright");
        command.env_clear().env("STATE_URL", &self.url).current_dir(self.folder.path()).args(arguments);
        let output = command.output().unwrap();
        Ran {
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    #[track_caller]
    fn fine(&self, arguments: &[&str]) -> String {
        let ran = self.run(arguments);
        assert_eq!(ran.code, 0, "{arguments:?}: {} {}", ran.out, ran.err);
        ran.out
    }

    #[track_caller]
    fn fails(&self, code: i32, arguments: &[&str]) -> String {
        let ran = self.run(arguments);
        assert_eq!(ran.code, code, "{arguments:?}: {} {}", ran.out, ran.err);
        ran.err
    }

    async fn record(&self) {
        let store = SqlStore::open(&self.state()).await.unwrap();
        let pass = PassSample::new(1, 0).version("trips", "1.0.0", "a").activity("trips", "dev", "1.0.0", "a");
        store.record_pass(&pass.build()).await.unwrap();
        store.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_page_is_found_and_a_copy_takes_its_place() {
    let mesh = Mesh::new(String::new());
    mesh.record().await;
    mesh.fine(&["db", "backup", "copy.db"]);
    assert!(mesh.fine(&["doctor"]).contains("state.db is whole"));
    let mut connection = SqliteConnectOptions::new().filename(mesh.state()).connect().await.unwrap();
    let root: i64 = sqlx::query_scalar("SELECT rootpage FROM sqlite_schema WHERE name = 'activities'")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
    let file = fs::OpenOptions::new().write(true).open(mesh.state()).unwrap();
    file.write_all_at(&[0xa5; 4096], (u64::try_from(root).unwrap() - 1) * 4096).unwrap();

    // What does not stand on that page can still be had.
    assert!(mesh.fine(&["get", "products"]).contains("trips"));
    for told in
        [mesh.fails(1, &["get", "activities"]), mesh.fails(1, &["db", "backup", "other.db"]), mesh.run(&["doctor"]).out]
    {
        assert!(told.contains("damaged") && told.contains("'meshwright db restore'"), "{told}");
    }
    assert!(!mesh.at("other.db").exists());
    mesh.fine(&["db", "restore", "copy.db"]);
    assert!(mesh.fine(&["doctor"]).contains("state.db is whole"));
    assert!(mesh.fine(&["get", "activities"]).contains("trips"));
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_is_looked_after() {
    let mesh = Mesh::new(String::new());
    assert!(mesh.fine(&["db", "status"]).contains("nothing is recorded yet"));
    assert!(mesh.fine(&["db", "migrate", "--dry-run"]).contains("would be brought from nothing"));
    assert!(!mesh.state().exists());
    assert!(mesh.fine(&["db", "migrate"]).contains("was brought from nothing"));
    assert!(mesh.fine(&["db", "migrate"]).contains("up to date"));
    mesh.record().await;

    let text = mesh.fine(&["db", "status"]);
    assert!(text.contains("up to date") && text.contains("1 activity, the oldest planned on"), "{text}");
    let status: Value = serde_json::from_str(&mesh.fine(&["db", "status", "-o", "json"])).unwrap();
    assert_eq!(status["schemaVersion"], status["knownVersion"]);
    assert_eq!(
        (&status["contents"]["rows"]["products"], &status["contents"]["unfinishedActivities"]),
        (&1.into(), &1.into())
    );

    mesh.fine(&["db", "backup", "copy.db"]);
    assert_eq!(mode(&mesh.at("copy.db")), 0o600);
    assert!(mesh.fails(1, &["db", "backup", "copy.db"]).contains("there already"));
    let daemon = SqlStore::open(&mesh.state()).await.unwrap();
    assert!(mesh.fails(1, &["db", "restore", "copy.db"]).contains("is using it"));
    daemon.close().await;
    drop(daemon);
    let said = mesh.fine(&["db", "restore", "copy.db"]);
    assert!(said.contains("what was there before is"), "{said}");

    mesh.fine(&["db", "export", "record.jsonl"]);
    assert_eq!(mode(&mesh.at("record.jsonl")), 0o600);
    mesh.fails(1, &["db", "export", "record.jsonl"]);
    assert!(mesh.fails(1, &["db", "import", "record.jsonl"]).contains("a record already"));
    assert!(mesh.fails(1, &["db", "import", "nothing.jsonl"]).contains("nothing.jsonl"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_moves_to_a_server_and_is_looked_at_there() {
    let Some(server) = Postgres::shared() else { return };
    let mesh = Mesh::new(server.record_url("moved"));
    let on_server = |arguments: &[&str]| mesh.fine(&[arguments, &["--config", "server.yaml"]].concat());
    mesh.record().await;
    mesh.fine(&["db", "export", "record.jsonl"]);
    assert!(
        mesh.fails(1, &["get", "products", "--config", "server.yaml"]).contains("there is no record at PostgreSQL")
    );
    assert!(on_server(&["db", "status"]).contains("nothing is recorded yet"));
    assert!(on_server(&["db", "import", "record.jsonl"]).contains("rows of"));
    assert_eq!(on_server(&["get", "products"]), mesh.fine(&["get", "products"]));
    assert_eq!(on_server(&["describe", "product", "trips"]), mesh.fine(&["describe", "product", "trips"]));
    on_server(&["db", "export", "back.jsonl"]);
    assert!(fs::read(mesh.at("back.jsonl")).unwrap() == fs::read(mesh.at("record.jsonl")).unwrap());
    let status: Value = serde_json::from_str(&on_server(&["db", "status", "-o", "json"])).unwrap();
    assert_eq!(status["contents"]["rows"]["products"], 1);
    assert!(status["location"].as_str().unwrap().contains("schema 'moved'"));
    assert!(mesh.fails(64, &["db", "backup", "x.db", "--config", "server.yaml"]).contains("pg_dump"));
    assert!(mesh.fails(64, &["db", "restore", "x.db", "--config", "server.yaml"]).contains("pg_restore"));
}

/// What came to its end long ago, and was taken the place of since.
async fn old_history(store: &SqlStore) {
    let sample = |number: u64, version: &str| {
        PassSample::new(number, number - 1)
            .version("trips", version, version)
            .activity("trips", "dev", version, version)
            .build()
    };
    for (number, version) in [(1, "1.0.0"), (2, "1.1.0")] {
        let pass = sample(number, version);
        store.record_pass(&pass).await.unwrap();
        finish(store, &pass.plan.activities[0].id).await;
    }
}

async fn finish(store: &SqlStore, id: &ActivityId) {
    let then = Timestamp::from_second(1_600_000_000).unwrap();
    let token = store.claim(id, "here", then, then).await.unwrap();
    let planned = store.activity(id).await.unwrap().unwrap().planned;
    for task in 0..planned.tasks.len() {
        let started = ActivityEvent::TaskStarted { task, attempt: 1, deadline: None };
        store.append(id, token, &started, then).await.unwrap();
        let succeeded = ActivityEvent::TaskSucceeded { task, results: Value::Null };
        store.append(id, token, &succeeded, then).await.unwrap();
    }
    store.append(id, token, &ActivityEvent::Succeeded, then).await.unwrap();
}

/// The configuration keeps a day; what runs, and what explains it, stays all the same.
fn prunes(mesh: &Mesh, config: &str) {
    let text = fs::read_to_string(mesh.at(config)).unwrap();
    fs::write(mesh.at(config), format!("{text}retention: {{ rollouts_for: 24h }}\n")).unwrap();
    let run = |arguments: &[&str]| mesh.fine(&[&["db"], arguments, &["--config", config]].concat());
    let rows = || -> Value {
        let status: Value = serde_json::from_str(&run(&["status", "-o", "json"])).unwrap();
        status["contents"]["rows"]["activities"].clone()
    };
    assert_eq!(rows(), 2);
    let would: Value = serde_json::from_str(&run(&["prune", "--dry-run", "-o", "json"])).unwrap();
    assert_eq!(would["activities"], 1, "{would}");
    assert_eq!(rows(), 2);
    let said = run(&["prune", "--dry-run"]);
    assert!(said.starts_with("Would be let go of now:\n"), "{said}");
    let said = run(&["prune"]);
    assert!(said.starts_with("Let go of:\n"), "{said}");
    let line = said.lines().find(|line| line.trim_start().starts_with("activities")).unwrap();
    assert!(line.ends_with(" 1"), "{said}");
    assert_eq!(rows(), 1);
    let again: Value = serde_json::from_str(&run(&["prune", "-o", "json"])).unwrap();
    assert!(again.as_object().unwrap().values().all(|count| *count == 0), "{again}");
    assert!(mesh.fine(&["get", "containers", "--config", config]).contains("1.1.0"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn history_in_a_file_is_let_go_of() {
    let mesh = Mesh::new(String::new());
    assert!(mesh.fails(1, &["db", "prune"]).contains("there is no record"));
    assert!(!mesh.state().exists());
    let daemon = SqlStore::open(&mesh.state()).await.unwrap();
    old_history(&daemon).await;
    assert!(mesh.fails(1, &["db", "prune"]).contains("is using it"));
    mesh.fine(&["db", "prune", "--dry-run"]);
    daemon.close().await;
    prunes(&mesh, "meshwright.yaml");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn history_on_a_server_is_let_go_of_beside_its_replicas() {
    let Some(server) = Postgres::shared() else { return };
    let url = server.record_url("pruned");
    let replica = SqlStore::connect(&url.parse().unwrap()).await.unwrap();
    old_history(&replica).await;
    prunes(&Mesh::new(url), "server.yaml");
    replica.close().await;
}

#[test]
fn a_password_is_never_said() {
    let mesh = Mesh::new("postgres://mesh:s3cret@127.0.0.1:1/state".to_owned());
    for arguments in
        [&["db", "status"][..], &["get", "products"], &["db", "migrate"], &["-vv", "db", "status"], &["doctor"]]
    {
        let ran = mesh.run(&[arguments, &["--config", "server.yaml"]].concat());
        assert_eq!(ran.code, 1, "{arguments:?}: {} {}", ran.out, ran.err);
        assert!(format!("{}{}", ran.out, ran.err).contains("127.0.0.1:1"), "{arguments:?}: {} {}", ran.out, ran.err);
        assert!(!format!("{}{}", ran.out, ran.err).contains("s3cret"), "{arguments:?}: {} {}", ran.out, ran.err);
    }
    let mesh = Mesh::new("postgres://mesh:s3cret@127.0.0.1:1/state?shema=x".to_owned());
    let said = mesh.fails(1, &["get", "products", "--config", "server.yaml"]);
    assert!(said.contains("not known") && !said.contains("s3cret"), "{said}");
}
