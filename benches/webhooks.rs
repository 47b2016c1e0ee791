//! Deliveries at a steady rate to the daemon itself, as a process, over real connections: how long
//! answers take, and whether everything that was answered is in the ledger, also after the daemon is
//! killed at a moment that nobody chose.
//!
//! A `git` of its own counts how often the daemon looked at the repository because of them.
//!
//! The rate is kept whatever the daemon does: a delivery that could not be sent in time counts from the
//! moment at which it should have been.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a benchmark that cannot go on has failed, says what it measured, and starts the program"
)]

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use hmac::{Hmac, KeyInit as _, Mac as _};
use meshwright::adapter::store::SqlStore;
use meshwright::port::store::Look as _;
use serde_json::{Value, json};
use sha2::Sha256;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const SECRET: &str = "a secret for measuring";
/// How many connections the forge keeps open.
const LINES: u64 = 64;

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

fn main() {
    let rate = setting("MESHWRIGHT_BENCH_RATE", 1_000);
    let seconds = setting("MESHWRIGHT_BENCH_SECONDS", 60);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let folder = place();
        let (mut daemon, address) = serve(folder.path());
        let template = Arc::new(payload());
        println!("{rate} deliveries a second of {} bytes for {seconds} s", template.to_string().len());
        let steady = send(address, &template, "steady", rate, seconds).await;
        show(&steady, rate * seconds);
        println!("looks at the branch until then: {}", looks(folder.path()));

        let moment = Duration::from_millis(fastrand::u64(500..4_000));
        let template = Arc::clone(&template);
        let sending = tokio::spawn(async move { send(address, &template, "killed", rate, 5).await });
        tokio::time::sleep(moment).await;
        daemon.0.kill().unwrap();
        daemon.0.wait().unwrap();
        let interrupted = sending.await.unwrap();
        println!("killed {} ms into more of them, when {} had been answered", moment.as_millis(), interrupted.len());

        let answered: BTreeSet<String> = steady.into_iter().chain(interrupted).map(|answer| answer.id).collect();
        let recorded = ledger(folder.path()).await;
        let lost = answered.difference(&recorded).count();
        println!("answered 200: {}; in the ledger: {}; answered and lost: {lost}", answered.len(), recorded.len());
        assert_eq!(lost, 0);
    });
}

/// A folder with a small repository, and a configuration that watches it.
fn place() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let repository = git2::Repository::init(folder.path().join("products")).unwrap();
    std::fs::write(folder.path().join("products/README.md"), "nothing").unwrap();
    let mut files = repository.index().unwrap();
    files.add_path(Path::new("README.md")).unwrap();
    let tree = repository.find_tree(files.write_tree().unwrap()).unwrap();
    let author = git2::Signature::now("Ada", "ada@example.com").unwrap();
    repository.commit(Some("refs/heads/main"), &author, &author, "a beginning", &tree, &[]).unwrap();
    std::fs::write(folder.path().join("secret"), SECRET).unwrap();
    let config = "mesh: { namespace: com.example }\n\
                  sources:\n  - { name: retail, url: products, poll: 1h, forge: tea, repository: acme/retail }\n\
                  forges:\n  tea: { kind: gitea, webhook_secret: { file: secret } }\n";
    std::fs::write(folder.path().join("meshwright.yaml"), config).unwrap();
    folder
}

/// Puts a `git` before the real one that counts when it is asked where branches stand.
fn counted_git(folder: &Path) -> OsString {
    let paths = std::env::var_os("PATH").unwrap();
    let real = std::env::split_paths(&paths).map(|path| path.join("git")).find(|git| git.is_file()).unwrap();
    let (bin, count) = (folder.join("bin"), folder.join("looks"));
    std::fs::create_dir(&bin).unwrap();
    let (real, count) = (real.display(), count.display());
    let script =
        format!("#!/bin/sh\ncase \" $* \" in *\" ls-remote \"*) echo >> '{count}';; esac\nexec '{real}' \"$@\"\n");
    std::fs::write(bin.join("git"), script).unwrap();
    std::fs::set_permissions(bin.join("git"), std::fs::Permissions::from_mode(0o755)).unwrap();
    std::env::join_paths([bin].into_iter().chain(std::env::split_paths(&paths))).unwrap()
}

fn looks(folder: &Path) -> usize {
    std::fs::read_to_string(folder.join("looks")).unwrap_or_default().lines().count()
}

/// A running daemon; it is killed when it is dropped.
struct Daemon(Child);

impl Drop for Daemon {
    fn drop(&mut self) {
        // It may have ended already, and then there is nothing to kill.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts it, and says where it listens.
fn serve(folder: &Path) -> (Daemon, SocketAddr) {
    let log = folder.join("log");
    let command = Command::new(env!("CARGO_BIN_EXE_meshwright"))
        .args(["serve", "--listen", "127.0.0.1:0"])
        .current_dir(folder)
        .env("PATH", counted_git(folder))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(std::fs::File::create(&log).unwrap())
        .spawn();
    let daemon = Daemon(command.unwrap());
    let began = Instant::now();
    loop {
        let text = std::fs::read_to_string(&log).unwrap_or_default();
        let address = text.split_once("address=Some(").and_then(|(_, rest)| rest.split_once(')'));
        if let Some(address) = address.and_then(|(address, _)| address.parse().ok()) {
            return (daemon, address);
        }
        assert!(began.elapsed() < Duration::from_secs(60), "it does not serve: {text}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// What is in the ledger after the daemon is gone.
async fn ledger(folder: &Path) -> BTreeSet<String> {
    let store = SqlStore::open(&folder.join(".meshwright/state.db")).await.unwrap();
    let rows = store.delivery_rows(usize::MAX).await.unwrap();
    rows.into_iter().map(|row| row.delivery).collect()
}

/// A push as GitHub recorded it, where its recordings are installed; one of the same shape otherwise.
fn payload() -> Value {
    let recorded = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/npm/node_modules/@octokit/webhooks-examples/api.github.com/index.json"
    );
    let text = std::fs::read_to_string(recorded).unwrap_or_default();
    let events: Value = serde_json::from_str(&text).unwrap_or_default();
    let pushes = events.as_array().into_iter().flatten().find(|event| event["name"] == "push");
    let largest = pushes.and_then(|event| event["examples"].as_array()?.iter().max_by_key(|it| it.to_string().len()));
    let mut payload = largest.cloned().unwrap_or_else(|| {
        let commit = json!({ "id": "0".repeat(40), "message": "x".repeat(2_000), "author": { "name": "Ada" } });
        json!({ "repository": { "id": 1, "description": "x".repeat(2_000) }, "commits": [commit.clone(), commit] })
    });
    payload["repository"]["full_name"] = json!("acme/retail");
    payload["ref"] = json!("refs/heads/main");
    payload
}

/// A delivery that was answered with 200.
struct Answer {
    id: String,
    after: Duration,
}

/// Sends at the rate, over all lines, until the time is over or the daemon is gone.
async fn send(address: SocketAddr, template: &Arc<Value>, name: &'static str, rate: u64, seconds: u64) -> Vec<Answer> {
    let start = Instant::now() + Duration::from_millis(200);
    let mut lines = tokio::task::JoinSet::new();
    for first in 0..LINES {
        let template = Arc::clone(template);
        lines.spawn(async move {
            let mut stream = TcpStream::connect(address).await.expect("the daemon listens");
            stream.set_nodelay(true).unwrap();
            let mut answers = Vec::new();
            for number in (first..rate * seconds).step_by(LINES as usize) {
                let id = format!("{name}-{number}");
                let request = request(&template, &id, number);
                let due = start + Duration::from_secs_f64(number as f64 / rate as f64);
                tokio::time::sleep_until(due.into()).await;
                match ask(&mut stream, &request).await {
                    Ok(status) => assert_eq!(status, 200, "{id}"),
                    Err(_) => break,
                }
                answers.push(Answer { id, after: due.elapsed() });
            }
            answers
        });
    }
    lines.join_all().await.into_iter().flatten().collect()
}

fn request(template: &Value, id: &str, number: u64) -> Vec<u8> {
    let mut payload = template.clone();
    payload["before"] = json!(format!("{:040x}", number + 1));
    payload["after"] = json!(format!("{:040x}", number + 2));
    let body = payload.to_string();
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(body.as_bytes());
    let signature: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    format!(
        "POST /webhooks/tea HTTP/1.1\r\nhost: meshwright\r\ncontent-type: application/json\r\n\
         x-gitea-event: push\r\nx-gitea-delivery: {id}\r\nx-hub-signature-256: sha256={signature}\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// Sends one request, and reads its answer to the end: all of them end in one line.
async fn ask(stream: &mut TcpStream, request: &[u8]) -> io::Result<u16> {
    stream.write_all(request).await?;
    let mut answer = Vec::with_capacity(512);
    loop {
        if stream.read_buf(&mut answer).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let text = String::from_utf8_lossy(&answer);
        if text.split_once("\r\n\r\n").is_some_and(|(_, body)| body.ends_with('\n')) {
            return text
                .split(' ')
                .nth(1)
                .and_then(|status| status.parse().ok())
                .ok_or(io::ErrorKind::InvalidData.into());
        }
    }
}

fn show(answers: &[Answer], sent: u64) {
    let mut times: Vec<Duration> = answers.iter().map(|answer| answer.after).collect();
    times.sort();
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize].as_secs_f64() * 1_000.0;
    println!("answered with 200: {} of {sent}", times.len());
    println!(
        "from due to answered: p50 {:.1} ms, p90 {:.1} ms, p99 {:.1} ms, p99.9 {:.1} ms, max {:.1} ms",
        at(0.5),
        at(0.9),
        at(0.99),
        at(0.999),
        at(1.0)
    );
}
