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

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};
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

fn main() -> ExitCode {
    let rate = setting("MESHWRIGHT_BENCH_RATE", 1_000);
    let seconds = setting("MESHWRIGHT_BENCH_SECONDS", 60);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(measure(rate, seconds))
}

/// Fails when a delivery was answered and lost, or one of the steady ones was not answered. How fast it went is
/// said, and is no failure: it depends on the machine.
async fn measure(rate: u64, seconds: u64) -> ExitCode {
    let folder = place();
    let (mut daemon, address) = serve(folder.path());
    let template = Arc::new(Template::new());
    println!("{rate} signed deliveries a second of {} bytes for {seconds} s\n", template.body.len());
    let busy_before = processor_time(daemon.0.id());
    let began = Instant::now();
    let Sent { answered: steady, others } = send(address, &template, "steady", rate, seconds).await;
    let took = began.elapsed();
    let busy = processor_time(daemon.0.id()).saturating_sub(busy_before);
    let looked = looks(folder.path());

    let moment = Duration::from_millis(fastrand::u64(500..4_000));
    let sending = {
        let template = Arc::clone(&template);
        tokio::spawn(async move { send(address, &template, "killed", rate, 5).await })
    };
    tokio::time::sleep(moment).await;
    daemon.0.kill().unwrap();
    daemon.0.wait().unwrap();
    let interrupted = sending.await.unwrap().answered;
    let (sent, answered) = (rate * seconds, steady.len());
    let mut times: Vec<Duration> = steady.iter().map(|answer| answer.after).collect();
    times.sort();
    let (before_kill, all) = (interrupted.len(), steady.into_iter().chain(interrupted));
    let all: BTreeSet<String> = all.map(|answer| answer.id).collect();
    let recorded = ledger(folder.path()).await;
    let lost = all.difference(&recorded).count();

    let at = |share: f64| {
        let time = times.get((times.len().saturating_sub(1) as f64 * share) as usize).copied().unwrap_or_default();
        format!("{:.1} ms", time.as_secs_f64() * 1_000.0)
    };
    let share = busy.as_secs_f64() * 1_000.0 / answered.max(1) as f64;
    let rows = [
        ("answered with 200".to_owned(), format!("{answered} of {sent}"), "all"),
        ("a second".to_owned(), format!("{:.0}", answered as f64 / took.as_secs_f64()), "1,000"),
        ("from due to answered, p50".to_owned(), at(0.5), ""),
        ("from due to answered, p90".to_owned(), at(0.9), ""),
        ("from due to answered, p99".to_owned(), at(0.99), "50 ms"),
        ("from due to answered, p99.9".to_owned(), at(0.999), ""),
        ("from due to answered, the slowest".to_owned(), at(1.0), ""),
        ("processor time of the daemon for one, looks included".to_owned(), format!("{share:.3} ms"), ""),
        ("looks at the branch because of them".to_owned(), looked.to_string(), "a handful"),
        (format!("answered before kill -9, {} ms into more", moment.as_millis()), before_kill.to_string(), ""),
        ("in the ledger afterwards".to_owned(), recorded.len().to_string(), ""),
        ("answered with 200 and lost".to_owned(), lost.to_string(), "0"),
    ];
    println!("| what | figure | target |\n|---|---|---|");
    for (what, figure, target) in rows {
        println!("| {what} | {figure} | {target} |");
    }
    if lost > 0 || answered as u64 != sent {
        println!("\nfailed: {lost} lost, {} not answered with 200: {others:?}", sent - answered as u64);
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

/// User and system time of a process so far, with that of its children that have ended; in hundredths of a
/// second, as Linux has it. Nothing elsewhere.
fn processor_time(process: u32) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    // The name may have spaces, and is in parentheses. `utime` is the fourteenth of all fields.
    let fields = stat.rsplit_once(')').map(|(_, rest)| rest).unwrap_or_default().split_whitespace();
    let ticks: u64 = fields.skip(11).take(4).filter_map(|field| field.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
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

/// A push, with places for what differs between two. Making one takes little time, because both sides share
/// the processors.
struct Template {
    body: String,
}

const BEFORE: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
const AFTER: &str = "cccccccccccccccccccccccccccccccccccccccc";

impl Template {
    fn new() -> Self {
        let mut payload = payload();
        (payload["before"], payload["after"]) = (json!(BEFORE), json!(AFTER));
        Self { body: payload.to_string() }
    }

    fn request(&self, id: &str, number: u64) -> Vec<u8> {
        let body = self.body.replacen(BEFORE, &format!("{:040x}", number + 1), 1).replacen(
            AFTER,
            &format!("{:040x}", number + 2),
            1,
        );
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
}

/// A delivery that was answered with 200.
struct Answer {
    id: String,
    after: Duration,
}

/// What became of deliveries.
#[derive(Default)]
struct Sent {
    answered: Vec<Answer>,
    /// Other answers, and why lines broke.
    others: BTreeMap<String, u64>,
}

impl Sent {
    fn join(mut self, other: Self) -> Self {
        self.answered.extend(other.answered);
        for (what, times) in other.others {
            *self.others.entry(what).or_default() += times;
        }
        self
    }
}

/// Sends at the rate, over all lines, until the time is over or the daemon is gone.
async fn send(address: SocketAddr, template: &Arc<Template>, name: &'static str, rate: u64, seconds: u64) -> Sent {
    let start = Instant::now() + Duration::from_millis(200);
    let mut lines = tokio::task::JoinSet::new();
    for first in 0..LINES {
        let template = Arc::clone(template);
        lines.spawn(async move {
            let mut stream = TcpStream::connect(address).await.expect("the daemon listens");
            stream.set_nodelay(true).unwrap();
            let mut sent = Sent::default();
            for number in (first..rate * seconds).step_by(LINES as usize) {
                let id = format!("{name}-{number}");
                let request = template.request(&id, number);
                let due = start + Duration::from_secs_f64(number as f64 / rate as f64);
                tokio::time::sleep_until(due.into()).await;
                match ask(&mut stream, &request).await {
                    Ok((200, _)) => sent.answered.push(Answer { id, after: due.elapsed() }),
                    // It counts as not answered; the others go on.
                    Ok((status, words)) => *sent.others.entry(format!("{status} {words}")).or_default() += 1,
                    Err(error) => {
                        *sent.others.entry(format!("the line broke: {error}")).or_default() += 1;
                        break;
                    }
                }
            }
            sent
        });
    }
    lines.join_all().await.into_iter().fold(Sent::default(), Sent::join)
}

/// Sends one request, and reads its answer to the end: its status, and the one line that all of them have.
async fn ask(stream: &mut TcpStream, request: &[u8]) -> io::Result<(u16, String)> {
    stream.write_all(request).await?;
    let mut answer = Vec::with_capacity(512);
    loop {
        if stream.read_buf(&mut answer).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let text = String::from_utf8_lossy(&answer);
        if let Some((_, body)) = text.split_once("\r\n\r\n").filter(|(_, body)| body.ends_with('\n')) {
            let status = text.split(' ').nth(1).and_then(|status| status.parse().ok());
            let status = status.ok_or(io::ErrorKind::InvalidData)?;
            return Ok((status, body.trim_end().to_owned()));
        }
    }
}
