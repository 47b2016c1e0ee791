//! One daemon on SQLite, killed at random moments.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use fastrand::Rng;

use crate::support::daemon::Daemon;

use super::super::ask;
use super::{Field, setting, write};

const CONTAINERS: &str = "SELECT replace(substr(product, length('urn:dpds:com.example:dataproducts:') + 1), ':1', '') \
     || ' ' || stage || ' ' || version FROM containers";
const UNPUBLISHED: &str = "SELECT context FROM reports WHERE published < edition";
const UNFINISHED: &str = "SELECT id FROM activities WHERE status IN ('waiting', 'running')";

#[test]
fn killed_at_random_moments_it_loses_nothing() {
    let kills = setting("MESHWRIGHT_KILLS", 12);
    let seed = setting("MESHWRIGHT_SEED", fastrand::u64(..));
    eprintln!("MESHWRIGHT_SEED={seed} MESHWRIGHT_KILLS={kills}");
    let mut random = Rng::with_seed(seed);
    let mut field = Field::new(12);
    let home = field.path("home");
    write(&home.join("meshwright.yaml"), &field.configuration(""));
    let record = home.join(".meshwright/state.db");
    let mut head = field.repository.head();
    let serve = |number: u64| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_meshwright"));
        command.args(["serve", "--listen", "127.0.0.1:0"]).env_clear().current_dir(&home).stdin(Stdio::null());
        command.env("PATH", std::env::var_os("PATH").unwrap()).env("HOME", &home);
        Daemon::start(command, home.join(format!("log-{}", number % 8)))
    };
    for kill in 0..kills {
        let mut daemon = serve(kill);
        // Some die while they start, most in the middle of work.
        let (since, pause) = (Instant::now(), Duration::from_millis(random.u64(20..1_200)));
        daemon.until("it is to die", || since.elapsed() >= pause);
        daemon.kill();
        if record.exists() {
            assert_eq!(ask(&record, "PRAGMA integrity_check"), ["ok"], "after kill {kill}");
            assert_eq!(ask(&record, "PRAGMA foreign_key_check"), Vec::<String>::new(), "after kill {kill}");
        }
        if random.u8(..4) == 0 {
            head = field.change_some(&mut random);
        }
    }
    let mut daemon = serve(kills);
    // A target whose looks were broken off several times in a row is left alone for a while.
    daemon.until_within(super::PATIENCE, "the last commit is green", || field.is_green(&head));
    daemon.until("nothing is left to be told", || ask(&record, UNPUBLISHED).is_empty());
    daemon.stop();

    assert_eq!(ask(&record, "PRAGMA integrity_check"), ["ok"]);
    assert_eq!(ask(&record, UNFINISHED), Vec::<String>::new());
    assert_eq!(ask(&record, CONTAINERS).into_iter().collect::<std::collections::BTreeSet<_>>(), field.wanted());
    field.assert_effects();
    assert_eq!(field.count("refused"), 0, "tokens only grow");
    eprintln!(
        "{kills} kills: {} effects, {} repeated under the same key",
        field.effects().len(),
        field.count("repeated")
    );
}
