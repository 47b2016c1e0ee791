//! A record that another daemon holds, or that cannot be used.

use std::time::Instant;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection};

use crate::support::daemon::PATIENCE;
use crate::support::world::Descriptor;

use super::{Place, SERVE};

/// Starts a daemon that has to refuse, and returns what it says.
fn refused(place: &Place, arguments: &[&str]) -> String {
    let began = Instant::now();
    let output = place.command(arguments).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(began.elapsed() < PATIENCE);
    assert!(!said.contains("panicked"), "{said}");
    said
}

fn with_record() -> Place {
    let place = Place::small();
    place.commit(&[Descriptor::new("orders", "1.0.0").only_at("dev")]);
    let status = place.command(&["reconcile"]).output().unwrap();
    assert!(status.status.success(), "{}", String::from_utf8_lossy(&status.stderr));
    place
}

#[test]
fn a_second_daemon_on_the_same_record_is_refused() {
    let place = Place::small();
    let head = place.commit(&[Descriptor::new("orders", "1.0.0").only_at("dev")]);
    let mut daemon = place.serve();
    daemon.until("it is green", || place.is_green(&head));
    for arguments in [SERVE.as_slice(), &["reconcile"]] {
        let said = refused(&place, arguments);
        assert!(said.contains("state.db") && said.contains("another"), "{said}");
    }
    // Looking does not need to write.
    let looked = place.command(&["get", "containers"]).output().unwrap();
    assert!(looked.status.success());
    assert!(String::from_utf8_lossy(&looked.stdout).contains("orders"));
    let head = place.commit(&[Descriptor::new("orders", "1.0.1").only_at("dev")]);
    daemon.until("the first one goes on", || place.is_green(&head));
    daemon.stop();
}

#[test]
fn a_record_that_is_no_record_is_refused() {
    let place = with_record();
    std::fs::write(place.state(), "this is not a database, and it is long enough to be seen as none").unwrap();
    for beside in ["state.db-wal", "state.db-shm"] {
        // They are not there when the last process closed the record.
        let _ = std::fs::remove_file(place.path(".meshwright").join(beside));
    }
    let said = refused(&place, &SERVE);
    assert!(said.contains("state.db") && said.contains("not a database"), "{said}");
}

#[test]
fn a_record_of_a_newer_meshwright_is_refused() {
    let place = with_record();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut connection = SqliteConnectOptions::new().filename(place.state()).connect().await.unwrap();
        let future = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
                      VALUES (4711, 'from the future', TRUE, x'00', 0)";
        sqlx::raw_sql(future).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    });
    let said = refused(&place, &SERVE);
    assert!(said.contains("4711") && said.contains("newer meshwright"), "{said}");
}

#[test]
fn a_record_that_cannot_be_written_is_refused() {
    let place = with_record();
    let text = std::fs::read_to_string(place.path("meshwright.yaml")).unwrap();
    // Nobody can write there, not even root.
    std::fs::write(place.path("meshwright.yaml"), text + "\nstate: sqlite:///proc/meshwright/state.db\n").unwrap();
    let said = refused(&place, &SERVE);
    assert!(said.contains("/proc/meshwright/state.db"), "{said}");
}

/// A limit on the size of files is to the daemon, to git and to tasks what a full disk is.
#[test]
fn a_disk_that_is_full_for_a_while_is_told_and_no_restart_is_needed() {
    let place = Place::small();
    let first = place.commit(&[Descriptor::new("orders", "1.0.0").only_at("dev")]);
    // A write beyond the limit is an error, and no signal that ends the process.
    let mut daemon = place.serve_by("trap '' XFSZ; exec \"$0\" \"$@\"");
    daemon.until("it is green", || place.is_green(&first));
    daemon.limit_files(Some(16 * 1024));
    let second = place.commit(&[Descriptor::new("orders", "1.0.1").only_at("dev")]);
    daemon.until_log("it says why it cannot record", |log| log.contains("reading or writing the file failed"));
    assert!(place.statuses(&second).is_empty(), "what is not recorded is not told");
    daemon.limit_files(None);
    daemon.until("it goes on by itself", || place.is_green(&second));
    assert_eq!(place.ask("PRAGMA integrity_check"), ["ok"]);
    assert_eq!(place.ask("SELECT version FROM containers"), ["1.0.1"]);
    daemon.stop();
}
