//! Over SSH with OpenSSH's own server: who is let in, and that what `ssh` says of a failure reaches people.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use meshwright::adapter::git::GitSourceSpec;
use meshwright::config::Credentials;
use meshwright::port::source::FetchError;

use super::processes::comes_true;
use super::{Fixture, at, part_is_there, spec};
use crate::support::repository::TestRepository;

/// Where systems keep it; users' paths mostly lack these folders.
const PLACES: [&str; 4] = ["/usr/sbin/sshd", "/usr/local/sbin/sshd", "/usr/bin/sshd", "/opt/homebrew/sbin/sshd"];

/// Where nobody listens.
const NOBODY: u16 = 1;

/// A server of this user's, with its host key and the keys that it lets in.
struct SshServer {
    folder: tempfile::TempDir,
    port: u16,
    process: Child,
}

impl SshServer {
    /// `None` where OpenSSH's server is not installed.
    fn start() -> Option<Self> {
        let program = PLACES.map(Path::new).into_iter().find(|place| place.exists());
        if !part_is_there("OpenSSH's server", program.is_some()) {
            return None;
        }
        // Packages leave it to the machine's start to make this one, which root's server insists on.
        if rustix::process::geteuid().is_root() {
            let _ = fs::DirBuilder::new().mode(0o755).create("/run/sshd");
        }
        let folder = tempfile::tempdir().unwrap();
        for key in ["host", "key", "stranger"] {
            make_key(&folder.path().join(key));
        }
        let at = |name: &str| folder.path().join(name).display().to_string();
        fs::copy(at("key.pub"), at("authorized")).unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let settings = [
            "ListenAddress 127.0.0.1".to_owned(),
            format!("Port {port}"),
            format!("HostKey {}", at("host")),
            format!("AuthorizedKeysFile {}", at("authorized")),
            // Temporary folders may be written to by all.
            "StrictModes no".to_owned(),
            "UsePAM no".to_owned(),
            "PasswordAuthentication no".to_owned(),
            "KbdInteractiveAuthentication no".to_owned(),
            "PermitUserRC no".to_owned(),
            format!("SetEnv PATH={} GIT_CONFIG_GLOBAL=/dev/null", std::env::var("PATH").unwrap()),
            format!("Banner {}", at("greeting")),
            "PidFile none".to_owned(),
        ];
        fs::write(at("greeting"), "What is corrupt is not allowed\n").unwrap();
        fs::write(at("settings"), settings.join("\n")).unwrap();
        let log = fs::File::create(at("log")).unwrap();
        let process = Command::new(program?).args(["-D", "-e", "-f", &at("settings")]).stderr(log).spawn().unwrap();
        let mut server = Self { folder, port, process };
        let listens = comes_true(|| TcpStream::connect(("127.0.0.1", port)).is_ok());
        let lives = server.process.try_wait().unwrap().is_none();
        assert!(listens && lives, "{}", fs::read_to_string(server.path("log")).unwrap());
        server.know("known", "host");
        server.know("changed", "stranger");
        fs::write(server.path("unknown"), "").unwrap();
        // An account may be locked, or have no shell.
        part_is_there("an account that OpenSSH's server lets in", server.lets_in()).then_some(server)
    }

    fn lets_in(&self) -> bool {
        let known = format!("UserKnownHostsFile={}", self.path("known").display());
        let mut command = Command::new("ssh");
        command.args(["-F", "/dev/null", "-o", "BatchMode=yes", "-o", &known, "-i"]).arg(self.path("key"));
        command.args(["-p", &self.port.to_string(), &format!("{}@127.0.0.1", me()), "true"]);
        command.stdin(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A file of known hosts in which the server has this key.
    fn know(&self, file: &str, key: &str) {
        let public = fs::read_to_string(self.path(&format!("{key}.pub"))).unwrap();
        fs::write(self.path(file), format!("[127.0.0.1]:{} {public}", self.port)).unwrap();
    }

    fn source(&self, repository: &Path, key: &str, known_hosts: &str) -> Fixture {
        self.source_at(self.port, repository, key, known_hosts)
    }

    fn source_at(&self, port: u16, repository: &Path, key: &str, known_hosts: &str) -> Fixture {
        let url = format!("ssh://{}@127.0.0.1:{port}{}", me(), repository.display());
        let credentials = Credentials::Ssh { key: self.path(key), known_hosts: self.path(known_hosts) };
        Fixture::new(vec![GitSourceSpec { credentials: Some(credentials), ..spec("mesh", url) }])
    }
}

impl Drop for SshServer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn me() -> String {
    let told = Command::new("id").arg("-un").output().unwrap().stdout;
    String::from_utf8(told).unwrap().trim().to_owned()
}

fn make_key(file: &Path) {
    let mut command = Command::new("ssh-keygen");
    command.args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(file).stdin(Stdio::null());
    assert!(command.status().unwrap().success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_lets_us_in_where_the_host_is_known() {
    let Some(server) = SshServer::start() else { return };
    let repository = TestRepository::new();
    let fixture = server.source(repository.path(), "key", "known");
    for content in ["1", "2"] {
        let revision = repository.commit(&[("a", content)], "a commit");
        assert_eq!(fixture.fetch().await, at(&revision));
        assert_eq!(fixture.read(&revision, "a").await.unwrap(), content);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_ssh_says_of_a_failure_is_told() {
    let Some(server) = SshServer::start() else { return };
    let repository = TestRepository::new();
    repository.commit(&[("a", "1")], "first");
    let there = repository.path();
    fs::copy(server.path("key"), server.path("open-key")).unwrap();
    fs::set_permissions(server.path("open-key"), fs::Permissions::from_mode(0o644)).unwrap();
    let changed = server.path("changed").display().to_string();
    for (fixture, wanted) in [
        (server.source(there, "key", "unknown"), vec!["No ED25519 host key is known for [127.0.0.1]:"]),
        (server.source(there, "key", "changed"), vec!["Host key for [127.0.0.1]:", "has changed", changed.as_str()]),
        (server.source(there, "stranger", "known"), vec!["Permission denied (publickey)"]),
        (server.source(there, "open-key", "known"), vec!["open-key\": bad permissions", "Permission denied"]),
        (server.source(Path::new("/not/there"), "key", "known"), vec!["'/not/there' does not appear to be a git"]),
        (server.source_at(NOBODY, there, "key", "known"), vec!["Connection refused"]),
    ] {
        let Err(FetchError::Unreachable(told)) = fixture.fetch().await else { panic!("{wanted:?}") };
        assert!(wanted.iter().all(|part| told.contains(part)), "{wanted:?}: {told}");
        assert!(!told.contains("Please") && !told.contains("@@") && !told.contains("corrupt"), "{told}");
    }
    for (key, known_hosts, missing) in [("nowhere", "known", "nowhere"), ("key", "no-hosts", "no-hosts")] {
        let outcome = server.source(there, key, known_hosts).fetch().await;
        let path = server.path(missing).display().to_string();
        assert!(matches!(&outcome, Err(FetchError::Local(told)) if told.contains(&path)), "{outcome:?}");
    }
}
