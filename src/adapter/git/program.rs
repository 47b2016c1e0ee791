//! How the `git` program is run: in an environment that is all our own, in a process group that is
//! killed as a whole, within a deadline, with bounded output.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Instant;

use rustix::process::{Pid, Signal};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Command;
use tokio::sync::OnceCell;

use crate::config::Transport;
use crate::domain::report::one_line;

use super::access::Access;

/// One run of `git`.
pub(super) struct GitCall<'a> {
    /// The arguments.
    pub(super) arguments: Vec<OsString>,
    /// The one transport that may be used.
    pub(super) transport: Transport,
    /// The configuration file, the only one that is read.
    pub(super) configuration: &'a Path,
    /// An empty folder: HOME, and where git stands.
    pub(super) home: &'a Path,
    /// Credentials.
    pub(super) access: &'a Access,
    /// When the whole process group is killed.
    pub(super) deadline: Instant,
    /// A held lock, that lasts at least as long as git does.
    pub(super) lock: Option<&'a File>,
    /// The largest file that may be written, in bytes.
    pub(super) largest_file: u64,
}

/// What came of it.
#[derive(Debug)]
pub(super) struct Finished {
    /// Whether git says that all is well.
    pub(super) success: bool,
    /// The first 64 KiB of its standard output.
    pub(super) output: Vec<u8>,
    /// The last 16 KiB of its standard error.
    pub(super) standard_error: String,
}

/// Why there is nothing to look at.
#[derive(Debug, thiserror::Error)]
pub(super) enum RunError {
    /// The program is not there, or the machine is out of something.
    #[error("git could not be started: {0}")]
    NotStarted(String),
    /// It was killed at its deadline.
    #[error("git was stopped at its deadline")]
    TimedOut,
}

const OUTPUT_KEPT: usize = 64 * 1024;
const STANDARD_ERROR_KEPT: usize = 16 * 1024;

/// A server that sends references without end would otherwise make git take all memory. Mapped
/// packs do not count into it.
const MOST_MEMORY: u64 = 3 << 30;

/// What git gets of the daemon's environment: where programs are, and how the network is reached.
const PASSED_ON: [&str; 12] = [
    "PATH",
    "HTTPS_PROXY",
    "https_proxy",
    "HTTP_PROXY",
    "http_proxy",
    "ALL_PROXY",
    "all_proxy",
    "NO_PROXY",
    "no_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "CURL_CA_BUNDLE",
];

/// Runs it to its end. When the future is dropped, nothing of it goes on running.
pub(super) async fn run(call: GitCall<'_>) -> Result<Finished, RunError> {
    let mut command = command(&call);
    let input = match call.lock {
        Some(lock) => Stdio::from(lock.try_clone().map_err(|error| RunError::NotStarted(error.to_string()))?),
        None => Stdio::null(),
    };
    command.args(&call.arguments).stdin(input).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| RunError::NotStarted(explain(&error)))?;
    // Declared after the child, and so dropped before it: the group is killed while its leader is there.
    let mut group = ProcessGroup::of(child.id());
    group.limit(call.largest_file);
    let (standard_output, standard_error) = (child.stdout.take(), child.stderr.take());

    // Both pipes end when the last process that holds them has ended. Only then the leader is
    // waited for: until that moment its number, which is the group's, cannot be given to another.
    let finish = async {
        let (output, standard_error) =
            tokio::join!(read_first(standard_output, OUTPUT_KEPT), read_last(standard_error, STANDARD_ERROR_KEPT));
        (child.wait().await, output, standard_error)
    };
    let deadline = tokio::time::Instant::from_std(call.deadline);
    let Ok((status, output, standard_error)) = tokio::time::timeout_at(deadline, finish).await else {
        group.kill();
        // The leader was just killed; waiting for it takes no time, and leaves no zombie.
        let _ = child.wait().await;
        group.disarm();
        return Err(RunError::TimedOut);
    };
    group.disarm();
    let status = status.map_err(|error| RunError::NotStarted(error.to_string()))?;
    Ok(Finished {
        success: status.success(),
        output,
        standard_error: String::from_utf8_lossy(&standard_error).into_owned(),
    })
}

/// Checks, once in the life of this process, that git is new enough to obey what it is told: an older
/// one knows neither `GIT_CONFIG_GLOBAL` nor `GIT_CONFIG_COUNT`, and would run with its defaults.
pub(super) async fn check_version(call: GitCall<'_>) -> Result<(), RunError> {
    static CHECKED: OnceCell<()> = OnceCell::const_new();
    let check = async || {
        let finished = run(GitCall { arguments: vec!["--version".into()], ..call }).await?;
        let said = String::from_utf8_lossy(&finished.output).trim().to_owned();
        if is_new_enough(&said) {
            return Ok(());
        }
        let (major, minor) = OLDEST;
        let said = one_line(&said, 80);
        Err(RunError::NotStarted(format!("git {major}.{minor} or newer is needed, and this one says '{said}'")))
    };
    CHECKED.get_or_try_init(check).await.copied()
}

const OLDEST: (u32, u32) = (2, 32);

fn is_new_enough(said: &str) -> bool {
    let mut numbers = said.trim_start_matches("git version ").split('.').map(str::parse::<u32>);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(major)), Some(Ok(minor))) => (major, minor) >= OLDEST,
        _ => false,
    }
}

#[expect(clippy::disallowed_methods, reason = "this room runs git, with a cleared environment and a deadline")]
fn command(call: &GitCall<'_>) -> Command {
    let mut command = Command::new("git");
    command.env_clear().kill_on_drop(true).process_group(0).current_dir(call.home);
    for name in PASSED_ON {
        // A proxy has no business between us and this machine.
        let proxy = name.to_ascii_lowercase().ends_with("_proxy");
        if let Some(value) = std::env::var_os(name).filter(|_| !(proxy && call.transport == Transport::LoopbackHttp)) {
            command.env(name, value);
        }
    }
    // What the rest of us goes by, not every git reads; and none of them stands where we do.
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    if let Some(bundle) = set("GIT_SSL_CAINFO").or_else(|| set("SSL_CERT_FILE")) {
        command.env("GIT_SSL_CAINFO", std::path::absolute(&bundle).map_or(bundle, PathBuf::into_os_string));
    }
    let home = call.home.as_os_str();
    let above = call.home.parent().map_or(OsStr::new("/"), Path::as_os_str);
    command.envs([
        ("HOME", home),
        ("XDG_CONFIG_HOME", home),
        ("GIT_CONFIG_NOSYSTEM", OsStr::new("1")),
        ("GIT_CONFIG_GLOBAL", call.configuration.as_os_str()),
        ("GIT_ATTR_NOSYSTEM", OsStr::new("1")),
        // The mirrors may lie inside some other repository, which is not to be found.
        ("GIT_CEILING_DIRECTORIES", above),
        ("GIT_ALLOW_PROTOCOL", OsStr::new(call.transport.protocol())),
        ("GIT_TERMINAL_PROMPT", OsStr::new("0")),
        ("GIT_ASKPASS", OsStr::new("")),
        ("SSH_ASKPASS_REQUIRE", OsStr::new("never")),
        ("GIT_OPTIONAL_LOCKS", OsStr::new("0")),
        ("GIT_NO_LAZY_FETCH", OsStr::new("1")),
        ("GIT_NO_REPLACE_OBJECTS", OsStr::new("1")),
        ("LC_ALL", OsStr::new("C")),
    ]);
    command.envs(call.access.environment.iter().map(|(name, value)| (name, value)));
    command
}

fn explain(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "the git program is not in the PATH; install git 2.32 or newer".to_owned(),
        _ => error.to_string(),
    }
}

/// The process group that git leads. Dropped while armed, it is killed.
struct ProcessGroup {
    leader: Option<Pid>,
}

impl ProcessGroup {
    fn of(leader: Option<u32>) -> Self {
        let leader = leader.and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        Self { leader }
    }

    /// Limits what git and its children may take. They inherit it, because git has not yet had the
    /// time to start one; where there is no such call, the deadline must do.
    fn limit(&self, largest_file: u64) {
        #[cfg(target_os = "linux")]
        if let Some(leader) = self.leader {
            use rustix::process::{Resource, Rlimit, prlimit};
            for (resource, limit) in
                [(Resource::Fsize, largest_file), (Resource::Data, MOST_MEMORY), (Resource::Core, 0)]
            {
                let limit = Rlimit { current: Some(limit), maximum: Some(limit) };
                if let Err(error) = prlimit(Some(leader), resource, limit) {
                    tracing::debug!(%error, "git runs without a limit");
                }
            }
        }
    }

    fn kill(&self) {
        if let Some(leader) = self.leader {
            // It fails when all of the group has ended, which is what was wanted.
            let _ = rustix::process::kill_process_group(leader, Signal::KILL);
        }
    }

    fn disarm(&mut self) {
        self.leader = None;
    }
}

impl Drop for ProcessGroup {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Reads to the end, and keeps the beginning.
async fn read_first(pipe: Option<impl AsyncRead + Unpin>, kept: usize) -> Vec<u8> {
    let mut out = Vec::new();
    read_all(pipe, |bytes| {
        let room = kept.saturating_sub(out.len()).min(bytes.len());
        out.extend_from_slice(bytes.get(..room).unwrap_or_default());
    })
    .await;
    out
}

/// Reads to the end, and keeps the end.
async fn read_last(pipe: Option<impl AsyncRead + Unpin>, kept: usize) -> Vec<u8> {
    let mut out = Vec::new();
    read_all(pipe, |bytes| {
        out.extend_from_slice(bytes);
        out.drain(..out.len().saturating_sub(kept));
    })
    .await;
    out
}

async fn read_all(pipe: Option<impl AsyncRead + Unpin>, mut take: impl FnMut(&[u8])) {
    let Some(mut pipe) = pipe else { return };
    let mut buffer = vec![0; 8192];
    while let Ok(count) = pipe.read(&mut buffer).await {
        if count == 0 {
            return;
        }
        take(buffer.get(..count).unwrap_or_default());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_versions_are_told_from_new_ones() {
        for said in
            ["git version 2.32.0", "git version 2.47.3", "git version 3.0.0", "git version 2.39.5 (Apple Git-154)"]
        {
            assert!(is_new_enough(said), "{said}");
        }
        for said in ["git version 2.30.2", "git version 1.99.9", "", "git version x", "usage: git"] {
            assert!(!is_new_enough(said), "{said}");
        }
    }
}
