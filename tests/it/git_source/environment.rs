//! The daemon's environment has no say in what git does. A test cannot change the environment it
//! runs in, so the test binary is run once more, in a hostile one.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use meshwright::adapter::git::{GitSourceSpec, GitSources};
use meshwright::config::{Credentials, SecretRef};
use meshwright::port::source::{FetchError, Source as _};

use super::processes::comes_true;
use super::{Fixture, name, spec};
use crate::support::repository::TestRepository;

const PLACE: &str = "MESHWRIGHT_TEST_HOSTILE";

/// In the place of ssh: writes down its arguments, and serves the repository that lies beside it.
const FAKE_SSH: &str = r#"#!/bin/sh
here=$(dirname "$0")
for argument in "$@"; do printf '%s\n' "$argument" >> "$here/arguments"; done
exec git-upload-pack "$here/../served"
"#;

fn executable(file: &Path, content: &str) {
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(file, content).unwrap();
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn neither_users_nor_the_environments_settings_are_obeyed() {
    let repository = TestRepository::new();
    let revision = repository.commit(&[("a", "1")], "first");
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("a place");
    repository.git(&["clone", "--quiet", "--bare", ".", place.join("served").to_str().unwrap()]);
    let ran = place.join("ran");
    executable(&place.join("programs/ssh"), FAKE_SSH);
    executable(&place.join("evil"), &format!("#!/bin/sh\necho \"$0 $@\" >> '{}'\n", ran.display()));
    for hook in ["reference-transaction", "post-checkout", "pre-auto-gc"] {
        executable(&place.join("hooks").join(hook), &format!("#!/bin/sh\necho hook >> '{}'\n", ran.display()));
    }
    let evil = place.join("evil").display().to_string();
    let configuration = format!(
        "[core]\n\thooksPath = \"{0}/hooks\"\n\tsshCommand = '{evil}'\n\taskPass = \"{evil}\"\n\tfsmonitor = \"{evil}\"\n\
         [credential]\n\thelper = \"{evil}\"\n[uploadpack]\n\tpackObjectsHook = \"{evil}\"\n\
         [url \"/nowhere\"]\n\tinsteadOf = {0}\n",
        place.display()
    );
    std::fs::create_dir(place.join("home")).unwrap();
    std::fs::write(place.join("home/.gitconfig"), &configuration).unwrap();
    for file in ["home/key", "home/known hosts"] {
        std::fs::write(place.join(file), "").unwrap();
    }
    std::fs::write(place.join("home/.netrc"), "machine 127.0.0.1 login x password y\n").unwrap();

    let path = std::env::var("PATH").unwrap();
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "git_source::environment::fetches_in_the_hostile_environment", "--ignored"])
        .env(PLACE, &place)
        .env("EXPECTED", revision.as_str())
        .env("THE_PASSWORD", "s3cret")
        .env("PATH", format!("{}:{path}", place.join("programs").display()))
        .env("HOME", place.join("home"))
        .env("XDG_CONFIG_HOME", place.join("home"))
        .env("GIT_CONFIG_SYSTEM", place.join("home/.gitconfig"))
        .env("GIT_CONFIG_GLOBAL", place.join("home/.gitconfig"))
        .envs([("GIT_CONFIG_COUNT", "1"), ("GIT_CONFIG_KEY_0", "core.sshCommand"), ("GIT_CONFIG_VALUE_0", &evil)])
        .envs([("GIT_SSH_COMMAND", &evil), ("GIT_SSH", &evil), ("GIT_ASKPASS", &evil), ("GIT_PROXY_COMMAND", &evil)])
        .envs([("GIT_DIR", "/nowhere"), ("GIT_OBJECT_DIRECTORY", "/nowhere"), ("GIT_ALLOW_PROTOCOL", "ext")])
        .envs([("GIT_TRACE", "/dev/stderr"), ("GIT_TEMPLATE_DIR", "/nowhere"), ("GIT_NAMESPACE", "x")])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("1 passed"), "{said}");
    assert!(!ran.exists(), "{}", std::fs::read_to_string(&ran).unwrap());

    let arguments = std::fs::read_to_string(place.join("programs/arguments")).unwrap();
    let arguments: Vec<&str> = arguments.lines().collect();
    assert_eq!(arguments[..2], ["-F", "/dev/null"]);
    for wanted in [
        "BatchMode=yes",
        "StrictHostKeyChecking=yes",
        "IdentitiesOnly=yes",
        &format!("IdentityFile=\"{}/home/key\"", place.display()),
        &format!("UserKnownHostsFile=\"{}/home/known hosts\"", place.display()),
        "git@git.example.com",
        "git-upload-pack '/acme/mesh.git'",
    ] {
        assert!(arguments.contains(&wanted), "{wanted}: {arguments:#?}");
    }
}

#[tokio::test]
#[ignore = "is run by the test above, in an environment of its own"]
async fn fetches_in_the_hostile_environment() {
    let Some(place) = std::env::var_os(PLACE).map(PathBuf::from) else { return };
    let revision = std::env::var("EXPECTED").unwrap().parse().unwrap();
    let fixture = Fixture::of(place.join("served").display());
    assert_eq!(fixture.fetch().await, super::at(&revision));

    let ssh = Credentials::Ssh { key: place.join("home/key"), known_hosts: place.join("home/known hosts") };
    let over_ssh = GitSourceSpec { credentials: Some(ssh), ..spec("mesh", "git@git.example.com:acme/mesh.git") };
    let fixture = Fixture::new(vec![over_ssh]);
    assert_eq!(fixture.fetch().await, super::at(&revision));
    assert_eq!(fixture.read(&revision, "a").await.unwrap(), "1");

    // A secret of the environment is found; nobody listens there to take it.
    let password = SecretRef::Env("THE_PASSWORD".to_owned());
    let basic = Credentials::Basic { username: "bob".to_owned(), password };
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let over_http = GitSourceSpec { credentials: Some(basic), ..spec("mesh", format!("http://{closed}/mesh")) };
    let outcome = Fixture::new(vec![over_http]).fetch().await;
    assert!(matches!(&outcome, Err(FetchError::Unreachable(said)) if !said.contains("s3cret")), "{outcome:?}");
}

/// In the place of ssh: lets the branch be seen, and then says nothing more.
const HANGING_SSH: &str = r#"#!/bin/sh
here=$(dirname "$0")
if mkdir "$here/seen" 2>/dev/null; then exec git-upload-pack "$here/../served"; fi
echo $$ > "$here/pid.tmp" && mv "$here/pid.tmp" "$here/pid"
exec tail -f /dev/null
"#;

#[test]
fn a_git_that_outlives_its_killed_daemon_keeps_the_lock() {
    let repository = TestRepository::new();
    repository.commit(&[("a", "1")], "first");
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path();
    repository.git(&["clone", "--quiet", "--bare", ".", place.join("served").to_str().unwrap()]);
    executable(&place.join("programs/ssh"), HANGING_SSH);
    for file in ["key", "known"] {
        std::fs::write(place.join(file), "").unwrap();
    }
    let path = std::env::var("PATH").unwrap();
    let mut daemon = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "git_source::environment::fetches_until_it_is_killed", "--ignored"])
        .env(PLACE, place)
        .env("PATH", format!("{}:{path}", place.join("programs").display()))
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let pid = place.join("programs/pid");
    assert!(comes_true(|| pid.exists()), "the fetch did not begin");
    daemon.kill().unwrap();
    daemon.wait().unwrap();

    let lock = std::fs::read_dir(place.join("mirrors"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.extension().is_some_and(|end| end == "lock"))
        .unwrap();
    let lock = std::fs::OpenOptions::new().write(true).open(lock).unwrap();
    assert!(lock.try_lock().is_err(), "the daemon is dead, and its git still writes");
    let pid = std::fs::read_to_string(&pid).unwrap().trim().parse().unwrap();
    rustix::process::kill_process(rustix::process::Pid::from_raw(pid).unwrap(), rustix::process::Signal::KILL).unwrap();
    assert!(comes_true(|| lock.try_lock().is_ok()), "nobody writes any more");
}

#[tokio::test]
#[ignore = "is run by the test above, and killed"]
async fn fetches_until_it_is_killed() {
    let Some(place) = std::env::var_os(PLACE).map(PathBuf::from) else { return };
    let ssh = Credentials::Ssh { key: place.join("key"), known_hosts: place.join("known") };
    let over_ssh = GitSourceSpec { credentials: Some(ssh), ..spec("mesh", "ssh://git@git.example.com/mesh") };
    let sources = GitSources::new(place.join("mirrors"), vec![over_ssh]).unwrap();
    let outcome = sources.fetch(&name("mesh")).await;
    unreachable!("the fetch never ends, and came to {outcome:?}");
}
