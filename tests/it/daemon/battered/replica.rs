//! One of several daemons on one PostgreSQL.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use meshwright::domain::id::Revision;
use serde_json::Value;

use crate::support::cut::Wire;
use crate::support::daemon::Daemon;
use crate::support::postgres::Postgres;

use super::{Field, PATIENCE, write};

/// So many daemons share the work.
pub(super) const REPLICAS: usize = 3;

/// One of the daemons, and all that is its own.
pub(super) struct Replica {
    /// The program that the next start runs.
    pub(super) program: PathBuf,
    pub(super) wire: Wire,
    pub(super) daemon: Option<Daemon>,
    home: PathBuf,
    starts: u32,
}

impl Replica {
    /// All of them; none is started.
    pub(super) fn all(field: &Field, server: &Postgres) -> Vec<Self> {
        let one = |number| {
            let wire = Wire::to(server.folder(), ".s.PGSQL.5432");
            let home = field.path(&format!("replica-{number}"));
            let state = format!("state: 'postgres:///postgres?host={}&user=postgres'\n", wire.folder().display());
            write(&home.join("meshwright.yaml"), &field.configuration(&state));
            Self { program: env!("CARGO_BIN_EXE_meshwright").into(), wire, daemon: None, home, starts: 0 }
        };
        (0..REPLICAS).map(one).collect()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(arguments).env_clear().current_dir(&self.home).stdin(Stdio::null());
        command.env("PATH", std::env::var_os("PATH").unwrap()).env("HOME", &self.home);
        command
    }

    pub(super) fn start(&mut self) {
        self.starts += 1;
        let log = self.home.join(format!("log-{}", self.starts));
        self.daemon = Some(Daemon::start(self.command(&["serve", "--listen", "127.0.0.1:0"]), log));
    }

    /// Whether it lives; one that has ended by itself (the server was away when it started) is started again.
    pub(super) fn keep_alive(&mut self) {
        if self.daemon.as_mut().is_none_or(|daemon| !daemon.is_alive()) {
            self.start();
        }
    }

    fn rows(&self, what: &str) -> Vec<Value> {
        let output = self.command(&["get", what, "--limit", "100000", "-o", "json"]).output().unwrap();
        serde_json::from_slice(&output.stdout).unwrap_or_default()
    }
}

/// Waits until all is as the last commit says, stops all of them, and looks at what was done; how long it took.
pub(super) fn end_as_git_says(replicas: &mut [Replica], field: &Field, head: &Revision) -> Duration {
    let quiet = Instant::now();
    let mut until = |what: &str, is_so: &dyn Fn(&[Replica]) -> bool| {
        while !is_so(replicas) {
            replicas.iter_mut().for_each(Replica::keep_alive);
            let homes: Vec<&Path> = replicas.iter().map(|replica| replica.home.as_path()).collect();
            assert!(quiet.elapsed() < PATIENCE, "not {what} after {} s: {homes:?}", PATIENCE.as_secs());
            std::thread::sleep(Duration::from_millis(50));
        }
    };
    until("green", &|_| field.is_green(head));
    let settled = quiet.elapsed();
    until("all told", &|replicas| replicas[0].rows("reports").iter().all(|row| row["delivery"] != "waiting"));
    until("all ready", &|replicas| {
        replicas.iter().all(|replica| replica.daemon.as_ref().is_some_and(Daemon::is_ready))
    });
    let running: BTreeSet<String> = replicas[0].rows("containers").iter().map(container).collect();
    let activities = replicas[0].rows("activities");
    assert_eq!(running, field.wanted(), "{activities:#?}");
    for row in activities {
        assert!(!matches!(row["status"].as_str(), Some("waiting" | "running")), "{row}");
    }
    for replica in replicas {
        replica.daemon.take().unwrap().stop();
    }
    field.assert_effects();
    settled
}

/// A row of `get containers`, as the field says it.
fn container(row: &Value) -> String {
    let product = row["product"].as_str().unwrap().rsplit(':').nth(1).unwrap();
    format!("{product} {} {}", row["stage"].as_str().unwrap(), row["version"].as_str().unwrap())
}
