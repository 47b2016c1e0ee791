//! Three daemons on one PostgreSQL, each with a wire of its own to it. They are killed, stopped and woken,
//! cut off, and the server is restarted under them, while commits go on.
//!
//! ```sh
//! MESHWRIGHT_BLOWS_SECONDS=600 MESHWRIGHT_PRODUCTS=200 \
//!     cargo test --release --test it daemon::battered::replicas -- --nocapture
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use fastrand::Rng;
use rustix::process::Signal;
use serde_json::Value;

use crate::support::cut::Wire;
use crate::support::daemon::Daemon;
use crate::support::postgres::Postgres;

use super::{Field, PATIENCE, setting, write};

/// So many daemons share the work.
const REPLICAS: usize = 3;
/// One of the daemons, and all that is its own.
struct Replica {
    home: PathBuf,
    wire: Wire,
    daemon: Option<Daemon>,
    starts: u32,
}

impl Replica {
    fn new(number: usize, field: &Field, server: &Postgres) -> Self {
        let wire = Wire::to(server.folder(), ".s.PGSQL.5432");
        let home = field.path(&format!("replica-{number}"));
        let state = format!("state: 'postgres:///postgres?host={}&user=postgres'\n", wire.folder().display());
        write(&home.join("meshwright.yaml"), &field.configuration(&state));
        Self { home, wire, daemon: None, starts: 0 }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_meshwright"));
        command.args(arguments).env_clear().current_dir(&self.home).stdin(Stdio::null());
        command.env("PATH", std::env::var_os("PATH").unwrap()).env("HOME", &self.home);
        command
    }

    fn start(&mut self) {
        self.starts += 1;
        let log = self.home.join(format!("log-{}", self.starts));
        self.daemon = Some(Daemon::start(self.command(&["serve", "--listen", "127.0.0.1:0"]), log));
    }

    /// Whether it lives; one that has ended by itself (the server was away when it started) is started again.
    fn keep_alive(&mut self) {
        if self.daemon.as_mut().is_none_or(|daemon| !daemon.is_alive()) {
            self.start();
        }
    }

    fn rows(&self, what: &[&str]) -> Vec<Value> {
        let output = self.command(what).output().unwrap();
        serde_json::from_slice(&output.stdout).unwrap_or_default()
    }
}

/// A blow, and what it was called in the summary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Blow {
    Killed,
    Stopped,
    CutOff,
    ServerRestarted,
    ServerKilled,
    Commit,
}

#[test]
fn three_daemons_on_one_postgres_lose_nothing() {
    let Some(server) = Postgres::private() else { return };
    let seed = setting("MESHWRIGHT_SEED", fastrand::u64(..));
    let (seconds, products) = (setting("MESHWRIGHT_BLOWS_SECONDS", 20), setting("MESHWRIGHT_PRODUCTS", 12));
    eprintln!("MESHWRIGHT_SEED={seed} MESHWRIGHT_BLOWS_SECONDS={seconds} MESHWRIGHT_PRODUCTS={products}");
    let mut random = Rng::with_seed(seed);
    let mut field = Field::new(usize::try_from(products).unwrap());
    let mut replicas: Vec<Replica> = (0..REPLICAS).map(|number| Replica::new(number, &field, &server)).collect();
    replicas.iter_mut().for_each(Replica::start);

    let mut blows: BTreeMap<Blow, u32> = BTreeMap::new();
    let (began, length) = (Instant::now(), Duration::from_secs(seconds));
    while began.elapsed() < length {
        std::thread::sleep(Duration::from_millis(random.u64(100..1_500)));
        let index = random.usize(..REPLICAS);
        let pause = Duration::from_millis(random.u64(50..4_000));
        let blow = match random.u8(..20) {
            0..=6 => Blow::Killed,
            7..=9 => Blow::Stopped,
            10..=12 => Blow::CutOff,
            13 => Blow::ServerRestarted,
            14 => Blow::ServerKilled,
            _ => Blow::Commit,
        };
        *blows.entry(blow).or_default() += 1;
        let replica = &mut replicas[index];
        replica.keep_alive();
        match blow {
            Blow::Killed => {
                replica.daemon.take().unwrap().kill();
                std::thread::sleep(pause.min(Duration::from_secs(1)));
                replica.start();
            }
            Blow::Stopped => {
                let daemon = replica.daemon.as_ref().unwrap();
                daemon.signal(Signal::STOP);
                // Now and then for longer than any lease.
                let longer = if random.u8(..4) == 0 { Duration::from_secs(40) } else { Duration::ZERO };
                std::thread::sleep((pause + longer).min(length / 4));
                daemon.signal(Signal::CONT);
            }
            Blow::CutOff => {
                replica.wire.cut();
                std::thread::sleep(pause);
                replica.wire.mend();
            }
            Blow::ServerRestarted => server.restart("fast"),
            Blow::ServerKilled => server.restart("immediate"),
            Blow::Commit => drop(field.change_some(&mut random)),
        }
    }
    let head = field.change_some(&mut random);
    let quiet = Instant::now();
    while !field.is_green(&head) {
        replicas.iter_mut().for_each(Replica::keep_alive);
        let logs: Vec<&Path> = replicas.iter().map(|replica| replica.home.as_path()).collect();
        assert!(quiet.elapsed() < PATIENCE, "not green {} s after the last blow: {logs:?}", PATIENCE.as_secs());
        std::thread::sleep(Duration::from_millis(50));
    }
    let settled = quiet.elapsed();
    let first = &replicas[0];
    while first
        .rows(&["get", "reports", "--limit", "100000", "-o", "json"])
        .iter()
        .any(|row| row["delivery"] == "waiting")
    {
        assert!(quiet.elapsed() < PATIENCE, "reports are left");
        std::thread::sleep(Duration::from_millis(200));
    }
    let running: BTreeSet<String> =
        first.rows(&["get", "containers", "--limit", "100000", "-o", "json"]).iter().map(container).collect();
    let activities = first.rows(&["get", "activities", "--limit", "100000", "-o", "json"]);
    assert_eq!(running, field.wanted(), "{activities:#?}");
    for row in activities {
        assert!(!matches!(row["status"].as_str(), Some("waiting" | "running")), "{row}");
    }
    for replica in &mut replicas {
        replica.daemon.take().unwrap().stop();
    }
    field.assert_effects();
    eprintln!(
        "{blows:?}: {} effects, {} repeated under the same key, {} refused for an old token; green {} s after the last blow",
        field.effects().len(),
        field.count("repeated"),
        field.count("refused"),
        settled.as_secs()
    );
}

/// A row of `get containers`, as the field says it.
fn container(row: &Value) -> String {
    let product = row["product"].as_str().unwrap().rsplit(':').nth(1).unwrap();
    format!("{product} {} {}", row["stage"].as_str().unwrap(), row["version"].as_str().unwrap())
}
