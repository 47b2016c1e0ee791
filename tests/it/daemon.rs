//! The daemon itself, as a process: started, killed, stopped, and left alone with bad neighbours.

#![expect(clippy::disallowed_methods, reason = "helpers of tests fail as tests do, and start the program")]

mod battered;
mod deciding;
mod killed;
mod state;
mod stories;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use meshwright::domain::id::Revision;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, SqliteConnection};
use tempfile::TempDir;

use crate::support::daemon::Daemon;
use crate::support::repository::{TestRepository, copy_folder};
use crate::support::world::{Descriptor, statuses};

/// How the daemon is started.
const SERVE: [&str; 3] = ["serve", "--listen", "127.0.0.1:0"];

/// The body of a policy that has nothing to say.
const NEVER: &str = "deny contains {\"msg\": \"never\"} if false";

/// A policy that is asked about every version.
fn policy_text(body: &str) -> String {
    format!("# METADATA\n# custom:\n#   events: [DATA_PRODUCT_VERSION_CREATION]\npackage mesh.words\n\n{body}\n")
}

/// A folder with a configuration, a record, and a repository beside it.
struct Place {
    folder: TempDir,
    repository: TestRepository,
}

impl Place {
    /// A small mesh of the test's own, whose programs write a ledger.
    fn small() -> Self {
        let place = Self { folder: TempDir::new().unwrap(), repository: TestRepository::new() };
        let executor = |phase: &str| {
            format!(
                "  {phase}:\n    kind: command\n    phase: {phase}\n    timeout: 2m\n    command: [sh, -c, '{}']\n",
                place.script("")
            )
        };
        let executors: String = ["provision", "build", "deploy"].map(executor).concat();
        place.configure(&format!(
            "executors:\n{executors}policies: [{{ path: policies }}]\npolicy_limits: {{ timeout: 1s, memory_mib: 64 }}\n"
        ));
        place.policies(NEVER);
        place
    }

    /// The examples, whose builds are written into a ledger as well.
    fn examples() -> Self {
        let place = Self { folder: TempDir::new().unwrap(), repository: TestRepository::new() };
        copy_folder(&Path::new(env!("CARGO_MANIFEST_DIR")).join("examples-repo"), place.repository.path());
        place.repository.commit(&[], "the mesh");
        let warehouse =
            |phase: &str| format!("    kind: sql\n    phase: {phase}\n    url: sqlite://.meshwright/warehouse\n");
        place.configure(&format!(
            "executors:\n  warehouse:\n{}  publish:\n{}  build:\n    kind: command\n    phase: build\n    command: [sh, -c, '{}']\n",
            warehouse("provision"),
            warehouse("deploy"),
            place.script("exec ./bin/build"),
        ));
        place
    }

    /// Lets the policies of a small mesh say this of every version.
    fn policies(&self, body: &str) {
        std::fs::create_dir_all(self.path("policies")).unwrap();
        std::fs::write(self.path("policies/words.rego"), policy_text(body)).unwrap();
    }

    fn script(&self, then: &str) -> String {
        let (ledger, control) = (self.path("ledger"), self.path("control"));
        format!(
            "echo \"$MESHWRIGHT_TASK_KEY $MESHWRIGHT_PRODUCT_NAME $MESHWRIGHT_STAGE $MESHWRIGHT_TASK $MESHWRIGHT_VERSION\" \
             >> {}; if [ -e {1} ]; then . {1}; fi; {then}",
            ledger.display(),
            control.display()
        )
    }

    fn configure(&self, more: &str) {
        let head = format!(
            "mesh: {{ namespace: com.example }}\ngrace: 1s\nsources:\n  - {{ name: retail, url: '{}', poll: 1h }}\n\
             stages:\n  - name: dev\n  - {{ name: prod, after: [dev] }}\n",
            self.repository.path().display()
        );
        std::fs::write(self.path("meshwright.yaml"), head + more).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn state(&self) -> PathBuf {
        self.path(".meshwright/state.db")
    }

    fn commit(&self, descriptors: &[Descriptor]) -> Revision {
        let files: Vec<(String, String)> =
            descriptors.iter().map(|descriptor| (descriptor.path(), descriptor.yaml())).collect();
        let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
        self.repository.commit(&files, "a change")
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_meshwright"));
        command.args(arguments);
        self.inside(command)
    }

    /// A command that runs in the folder, with nothing of our own environment.
    fn inside(&self, mut command: Command) -> Command {
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("HOME", self.folder.path())
            .current_dir(self.folder.path())
            .stdin(Stdio::null());
        command
    }

    /// Starts the daemon.
    fn serve(&self) -> Daemon {
        self.start(self.command(&SERVE))
    }

    /// Starts the daemon by a shell, which has to become the program and its arguments.
    fn serve_by(&self, script: &str) -> Daemon {
        let mut command = Command::new("sh");
        command.args(["-c", script, env!("CARGO_BIN_EXE_meshwright")]).args(SERVE);
        self.start(self.inside(command))
    }

    fn start(&self, command: Command) -> Daemon {
        static STARTS: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        let number = STARTS.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        Daemon::start(command, self.path(&format!("log-{number}")))
    }

    /// What a row of the record has, in one text; nothing while there is no record to be read.
    fn ask(&self, query: &'static str) -> Vec<String> {
        ask(&self.state(), query)
    }

    fn containers(&self) -> Vec<String> {
        self.ask("SELECT product || ' ' || stage || ' ' || version || ' ' || digest FROM containers ORDER BY 1")
    }

    /// The ledger: what was done, by key.
    fn effects(&self) -> BTreeSet<(String, String)> {
        let text = std::fs::read_to_string(self.path("ledger")).unwrap_or_default();
        let effect = |line: &str| line.split_once(' ').map(|(key, what)| (key.to_owned(), what.to_owned())).unwrap();
        text.lines().map(effect).collect()
    }

    fn statuses(&self, revision: &Revision) -> BTreeMap<String, String> {
        statuses(self.repository.path(), revision)
    }

    fn is_green(&self, revision: &Revision) -> bool {
        let statuses = self.statuses(revision);
        statuses.len() == 5 && statuses.values().all(|status| status.starts_with("success"))
    }
}

/// What a record says, one text a row; nothing while there is none to be read.
fn ask(record: &Path, query: &'static str) -> Vec<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let options = SqliteConnectOptions::new().filename(record).read_only(true);
        let Ok(mut connection) = options.connect().await else { return Vec::new() };
        let rows = rows(&mut connection, query).await;
        connection.close().await.unwrap();
        rows
    })
}

async fn rows(connection: &mut SqliteConnection, query: &'static str) -> Vec<String> {
    sqlx::query_scalar(query).fetch_all(connection).await.unwrap_or_default()
}
