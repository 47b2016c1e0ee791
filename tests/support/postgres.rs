//! A private PostgreSQL server for tests, where its programs are installed.
//!
//! It lives in a temporary folder, speaks through a socket in it, and stops when the last test
//! that uses it is done.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Arc, Mutex, Weak};

/// A running server.
#[derive(Debug)]
pub struct Postgres {
    folder: tempfile::TempDir,
    programs: PathBuf,
    account: Option<&'static str>,
}

static SHARED: Mutex<Weak<Postgres>> = Mutex::new(Weak::new());

impl Postgres {
    /// The server of this test binary; `None` when there is no PostgreSQL here, which is said
    /// loudly, and a failure when `MESHWRIGHT_REQUIRE_PARTS=1`.
    pub fn shared() -> Option<Arc<Postgres>> {
        let mut shared = SHARED.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(running) = shared.upgrade() {
            return Some(running);
        }
        match Postgres::start() {
            Ok(server) => {
                let server = Arc::new(server);
                *shared = Arc::downgrade(&server);
                Some(server)
            }
            Err(why) => {
                assert_ne!(
                    std::env::var("MESHWRIGHT_REQUIRE_PARTS").as_deref(),
                    Ok("1"),
                    "PostgreSQL is required: {why}"
                );
                eprintln!("SKIPPED: no PostgreSQL server: {why}");
                None
            }
        }
    }

    /// The URL of its database; no password, everybody is trusted.
    pub fn url(&self) -> String {
        format!("postgres:///postgres?host={}&user=postgres", self.folder.path().display())
    }

    /// The URL of a record in a schema of its own.
    pub fn record_url(&self, schema: &str) -> String {
        format!("{}&schema={schema}", self.url())
    }

    /// A server that no other test uses, to be stopped and started again; `None` as with [`Postgres::shared`].
    pub fn private() -> Option<Postgres> {
        Self::shared().map(|_| Postgres::start().unwrap())
    }

    /// Stops it at once, as when the machine is switched off; whoever speaks with it loses the connection.
    pub fn stop(&self) {
        self.program("pg_ctl", &["-D", &self.data(), "-m", "immediate", "-w", "stop"]).unwrap();
    }

    /// Stops it and starts it again: `fast`, or `immediate` as after a power cut.
    pub fn restart(&self, mode: &str) {
        self.program("pg_ctl", &["-D", &self.data(), "-m", mode, "-w", "stop"]).unwrap();
        self.start_again();
    }

    /// The folder of its socket.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Starts it again with what it had.
    pub fn start_again(&self) {
        self.run_server().unwrap();
    }

    fn start() -> Result<Postgres, String> {
        let programs = programs().ok_or("initdb and pg_ctl are not found")?;
        let folder = tempfile::Builder::new().prefix("meshwright-pg-").tempdir().map_err(|error| error.to_string())?;
        let account = rustix::process::geteuid().is_root().then_some("postgres");
        let server = Postgres { folder, programs, account };
        if let Some(account) = account {
            // A server never runs as root; its folder belongs to the account it runs as.
            run("chown", &[account, &server.folder.path().display().to_string()])?;
        }
        let data = server.data();
        server.program("initdb", &["-D", &data, "-A", "trust", "-U", "postgres", "-E", "UTF8", "--no-sync"])?;
        server.run_server()?;
        Ok(server)
    }

    fn run_server(&self) -> Result<(), String> {
        let folder = self.folder.path().display();
        // No test cuts the power; who measures wants to wait for the disk.
        let fsync = std::env::var("MESHWRIGHT_POSTGRES_FSYNC").is_ok_and(|value| value == "on");
        let fsync = if fsync { "on" } else { "off" };
        let options = format!(
            "-c listen_addresses='' -c fsync={fsync} -c max_connections=300 -c unix_socket_directories={folder}"
        );
        let log = self.folder.path().join("log").display().to_string();
        self.program("pg_ctl", &["-D", &self.data(), "-l", &log, "-w", "-t", "60", "-o", &options, "start"])
    }

    fn data(&self) -> String {
        self.folder.path().join("data").display().to_string()
    }

    fn program(&self, name: &str, arguments: &[&str]) -> Result<(), String> {
        let program = self.programs.join(name).display().to_string();
        match self.account {
            None => run(&program, arguments),
            Some(account) => {
                let quoted = |text: &str| format!("'{}'", text.replace('\'', "'\\''"));
                let line: Vec<String> =
                    std::iter::once(program.as_str()).chain(arguments.iter().copied()).map(quoted).collect();
                run("su", &[account, "-s", "/bin/sh", "-c", &line.join(" ")])
            }
        }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let data = self.data();
        if let Err(why) = self.program("pg_ctl", &["-D", &data, "-m", "immediate", "-w", "stop"]) {
            eprintln!("the PostgreSQL server of the tests did not stop: {why}");
        }
    }
}

/// Where `initdb` and `pg_ctl` are: in PATH, or where Debian hides them.
fn programs() -> Option<PathBuf> {
    let has_all = |folder: &Path| ["initdb", "pg_ctl", "postgres"].iter().all(|name| folder.join(name).is_file());
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut versions: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path().join("bin"))
        .collect();
    versions.sort();
    versions.reverse();
    versions.into_iter().chain(std::env::split_paths(&path)).find(|folder| has_all(folder))
}

#[expect(clippy::disallowed_methods, reason = "a test starts its server")]
fn run(program: &str, arguments: &[&str]) -> Result<(), String> {
    // The server must not hold the pipes of the test, so nothing of it is captured but the exit code and a file.
    let Output { status, stderr, .. } = Command::new(program)
        .args(arguments)
        .current_dir("/")
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .output()
        .map_err(|error| format!("{program}: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("{program}: {status} {}", String::from_utf8_lossy(&stderr))) }
}
