//! Servers that hang, callers that leave, and the processes that must not stay behind.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use meshwright::adapter::git::GitSourceSpec;
use meshwright::port::source::FetchError;

use super::{Fixture, at, part_is_there, spec};
use crate::support::repository::TestRepository;

/// `git daemon` on a free port of this machine; killed when it is dropped.
pub(super) struct GitDaemon {
    child: Child,
    port: u16,
}

impl GitDaemon {
    /// Serves all repositories below a folder; `None` where git has no daemon.
    pub(super) fn start(folder: &Path) -> Option<Self> {
        let programs = Command::new("git").arg("--exec-path").output().unwrap().stdout;
        let daemon = Path::new(String::from_utf8(programs).unwrap().trim()).join("git-daemon");
        if !part_is_there("git daemon", daemon.exists()) {
            return None;
        }
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        // The program itself: `git daemon` would be two processes, of which one would stay behind.
        let child = Command::new(daemon)
            .args(["--listen=127.0.0.1", "--reuseaddr", "--export-all"])
            .arg(format!("--port={port}"))
            .arg(format!("--base-path={}", folder.display()))
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let daemon = Self { child, port };
        let is_up = || std::net::TcpStream::connect(("127.0.0.1", port)).is_ok();
        assert!(comes_true(is_up), "git daemon did not start");
        Some(daemon)
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("git://127.0.0.1:{}{path}", self.port)
    }
}

impl Drop for GitDaemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until it is so, for at most twenty seconds.
pub(super) fn comes_true(is_so: impl Fn() -> bool) -> bool {
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(20) {
        if is_so() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    false
}

/// The command lines of all living processes that have this text in them.
pub(super) fn command_lines_with(text: &str) -> Vec<String> {
    let processes = std::fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    let lines = processes.filter_map(|process| std::fs::read(process.path().join("cmdline")).ok());
    lines.map(|line| String::from_utf8_lossy(&line).replace('\0', " ")).filter(|line| line.contains(text)).collect()
}

/// Accepts and says nothing: connections wait in the listener's queue for ever.
fn silent_server() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let place = listener.local_addr().unwrap().to_string();
    (listener, place)
}

#[tokio::test]
async fn a_server_that_hangs_is_given_up_and_nothing_stays_behind() {
    for scheme in ["git", "http"] {
        let (_listener, place) = silent_server();
        let url = format!("{scheme}://{place}/mesh");
        let fixture = Fixture::new(vec![GitSourceSpec { timeout: Duration::from_millis(1200), ..spec("mesh", &url) }]);
        let start = Instant::now();
        assert_eq!(fixture.fetch().await, Err(FetchError::TimedOut { seconds: 1 }), "{scheme}");
        assert!(start.elapsed() < Duration::from_secs(15), "{:?}", start.elapsed());
        assert!(comes_true(|| command_lines_with(&place).is_empty()), "{:?}", command_lines_with(&place));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_that_leaves_takes_the_processes_along() {
    for scheme in ["git", "http"] {
        let (_listener, place) = silent_server();
        let fixture = Fixture::of(format!("{scheme}://{place}/mesh"));
        let sources = std::sync::Arc::clone(&fixture.sources);
        let fetch = tokio::spawn(async move {
            use meshwright::port::source::Source as _;
            sources.fetch(&super::name("mesh")).await
        });
        // The helper that speaks HTTP is a child of git's, and is waited for too.
        let wanted = if scheme == "http" { 2 } else { 1 };
        let is_running = || command_lines_with(&place).len() >= wanted;
        assert!(tokio::task::block_in_place(|| comes_true(is_running)), "{:?}", command_lines_with(&place));
        fetch.abort();
        let is_gone = || command_lines_with(&place).is_empty();
        assert!(tokio::task::block_in_place(|| comes_true(is_gone)), "{:?}", command_lines_with(&place));
    }
}

#[tokio::test]
async fn a_mirror_that_another_process_writes_is_waited_for() {
    let repository = TestRepository::new();
    let first = repository.commit(&[("a", "1")], "first");
    let short =
        || vec![GitSourceSpec { timeout: Duration::from_millis(1500), ..spec("mesh", repository.path().display()) }];
    let fixture = Fixture::new(short());
    assert_eq!(fixture.fetch().await, at(&first));

    let lock = fixture.entries_ending(".lock").remove(0);
    let held = std::fs::OpenOptions::new().write(true).open(lock).unwrap();
    held.lock().unwrap();
    assert_eq!(fixture.fetch().await, at(&first), "looking needs no lock");
    let second = repository.commit(&[("a", "2")], "second");
    assert!(matches!(fixture.fetch().await, Err(FetchError::Local(_))));
    drop(held);
    let fixture = fixture.restarted(vec![spec("mesh", repository.path().display())]);
    assert_eq!(fixture.fetch().await, at(&second));
}
