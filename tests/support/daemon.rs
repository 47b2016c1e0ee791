//! The daemon as a process: `meshwright serve`.

#![expect(clippy::disallowed_methods, reason = "what the daemon says is written to a file of the test's")]

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Resource, Rlimit, Signal, getrlimit, kill_process, prlimit};

/// How long anything is waited for.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A running daemon; it is killed when it is dropped.
#[derive(Debug)]
pub struct Daemon {
    child: Child,
    log: PathBuf,
}

impl Daemon {
    /// Starts `meshwright serve`, given with all that it needs; what it says goes into a file.
    pub fn start(mut command: Command, log: PathBuf) -> Self {
        let said = std::fs::File::create(&log).unwrap();
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(said).spawn().unwrap();
        Self { child, log }
    }

    /// What it has said so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Waits until something is so; the daemon has to live meanwhile.
    pub fn until(&mut self, what: &str, is_so: impl FnMut() -> bool) {
        self.until_within(PATIENCE, what, is_so);
    }

    /// The same, for as long as is said.
    pub fn until_within(&mut self, patience: Duration, what: &str, mut is_so: impl FnMut() -> bool) {
        let began = Instant::now();
        while !is_so() {
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none(), "the daemon ended before '{what}': {ended:?}\n{}", self.log());
            assert!(began.elapsed() < patience, "it did not come to '{what}'\n{}", self.log());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Waits until what it has said is so.
    pub fn until_log(&mut self, what: &str, is_so: impl Fn(&str) -> bool) {
        let log = self.log.clone();
        self.until(what, || std::fs::read_to_string(&log).is_ok_and(|text| is_so(&text)));
    }

    /// Waits until it says that it is ready.
    pub fn until_ready(&mut self) {
        let began = Instant::now();
        while !self.is_ready() {
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none(), "the daemon ended before it was ready: {ended:?}\n{}", self.log());
            assert!(began.elapsed() < PATIENCE, "it does not become ready\n{}", self.log());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Whether it has not ended.
    pub fn is_alive(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Where it listens; nothing until it does.
    pub fn address(&self) -> Option<SocketAddr> {
        let log = self.log();
        let (_, rest) = log.split_once("address=Some(")?;
        rest.split_once(')')?.0.parse().ok()
    }

    /// Whether it says that it is ready.
    pub fn is_ready(&self) -> bool {
        let Some(address) = self.address() else { return false };
        let Ok(mut stream) = TcpStream::connect(address) else { return false };
        stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let request = format!("GET /readyz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
        let mut answer = String::new();
        stream.write_all(request.as_bytes()).is_ok()
            && stream.read_to_string(&mut answer).is_ok()
            && answer.starts_with("HTTP/1.1 200")
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Lets no file of its grow beyond so many bytes, or as far as it likes: what a full disk is to it. It has to
    /// have been started with SIGXFSZ ignored.
    pub fn limit_files(&self, bytes: Option<u64>) {
        let pid = Pid::from_child(&self.child);
        let limit = Rlimit { current: bytes, maximum: getrlimit(Resource::Fsize).maximum };
        prlimit(Some(pid), Resource::Fsize, limit).unwrap();
    }

    /// Waits for its end.
    pub fn ended(mut self) -> ExitStatus {
        let began = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(began.elapsed() < PATIENCE, "it does not end\n{}", self.log());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Stops it as a service manager does, once it has started.
    pub fn stop(mut self) {
        // What is waited for may have been done by an earlier process: this one may not have begun to run.
        self.until_ready();
        self.signal(Signal::TERM);
        let status = self.ended();
        assert_eq!(status.code(), Some(0), "{status}");
    }

    /// Kills it as a power cut does.
    pub fn kill(self) {
        self.signal(Signal::KILL);
        assert_eq!(self.ended().signal(), Some(9));
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // It may have ended already, and then there is nothing to kill.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
