//! The receiver of webhooks, over real connections, with a real record behind it.

#![expect(clippy::disallowed_methods, reason = "helpers of tests fail as tests do, and read files")]

mod commands;
mod events;
mod forges;
mod killed;
mod limits;
mod recorded;
mod signatures;
mod streams;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use hmac::{Hmac, KeyInit as _, Mac as _};
use meshwright::adapter::store::SqlStore;
use meshwright::domain::forge::delivery::RepositoryIndex;
use meshwright::domain::id::{ForgeName, Revision, SourceName};
use meshwright::domain::source::Target;
use meshwright::domain::time::Timestamp;
use meshwright::face::http;
use meshwright::face::http::webhooks::{
    Counts, ForgeHook, HookKind, Receiver, Secret, WebhookSecrets, WebhookSettings,
};
use meshwright::port::clock::Clock;
use meshwright::port::door::{Door, WakeReason};
use meshwright::port::store::{DeliveryRow, Look as _};
use serde_json::{Value, json};
use sha2::Sha256;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

/// The secret of every forge, unless a test says otherwise.
const SECRET: &str = "It's a Secret to Everybody";

/// A part that is not there is a loud skip, and a failure where every part is wanted.
fn part(name: &str) -> Option<PathBuf> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/npm/node_modules/@octokit").join(name);
    if path.exists() {
        return Some(path);
    }
    let wanted = std::env::var_os("MESHWRIGHT_REQUIRE_PARTS").is_some_and(|value| value == "1");
    assert!(!wanted, "@octokit/{name} is missing: run `npm ci` in tests/npm");
    eprintln!("SKIPPED: @octokit/{name} is missing: run `npm ci` in tests/npm");
    None
}

/// Remembers who was woken, and which commits are to be run again.
#[derive(Debug, Default)]
struct Doorbell(Mutex<Vec<Target>>, Mutex<Vec<String>>);

impl Door for Doorbell {
    fn wake(&self, _: Target, _: WakeReason) {
        panic!("the wakes of a delivery are recorded with it");
    }

    fn run_again(&self, source: SourceName, head: Revision) {
        self.1.lock().unwrap().push(format!("{source} {}", head.short()));
    }

    fn recorded(&self, targets: &[Target]) {
        self.0.lock().unwrap().extend_from_slice(targets);
    }

    fn look_anew(&self, _: Target) {}

    fn policies_changed(&self) {
        panic!("no delivery changes policies");
    }
}

/// The time of every test.
const NOW: &str = "2026-11-20T12:00:00Z";

#[derive(Debug)]
struct Standing;

impl Clock for Standing {
    fn now(&self) -> Timestamp {
        NOW.parse().unwrap()
    }
}

#[derive(Debug)]
struct Secrets(Mutex<Vec<String>>);

impl WebhookSecrets for Secrets {
    fn current(&self) -> Vec<Secret> {
        self.0.lock().unwrap().iter().filter_map(|secret| Secret::new(secret.as_str())).collect()
    }
}

/// A receiver that serves, with four forges; `hub` is GitHub.
struct Office {
    address: SocketAddr,
    store: SqlStore,
    door: Arc<Doorbell>,
    secrets: Arc<Secrets>,
    receiver: Arc<Receiver>,
    stop: CancellationToken,
    folder: TempDir,
}

impl Drop for Office {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

fn index() -> RepositoryIndex {
    let mut index = RepositoryIndex::default();
    for forge in ["hub", "tea", "lab", "own"] {
        let forge: ForgeName = forge.parse().unwrap();
        index.add(forge.clone(), "acme/retail", "retail".parse().unwrap(), "main");
        index.add(forge.clone(), "acme/retail", "retail-next".parse().unwrap(), "next");
        index.add(forge, "acme/fleet", "fleet".parse().unwrap(), "main");
    }
    index
}

impl Office {
    async fn open() -> Self {
        Self::open_with(|_| {}).await
    }

    async fn open_with(change: impl FnOnce(&mut WebhookSettings)) -> Self {
        let door = Arc::new(Doorbell::default());
        let folder = tempfile::tempdir().unwrap();
        let store = SqlStore::open(&folder.path().join("state.db")).await.unwrap();
        let secrets = Arc::new(Secrets(Mutex::new(vec![SECRET.to_owned()])));
        let kinds = [
            ("hub", HookKind::Github),
            ("tea", HookKind::Gitea),
            ("lab", HookKind::Gitlab),
            ("own", HookKind::GenericHmac),
        ];
        let hook = |(name, kind): (&str, HookKind)| {
            (name.parse().unwrap(), ForgeHook { kind, secrets: Arc::clone(&secrets) as Arc<dyn WebhookSecrets> })
        };
        let mut settings =
            WebhookSettings { forges: kinds.map(hook).into(), index: index(), ..WebhookSettings::default() };
        change(&mut settings);
        let receiver =
            Arc::new(Receiver::new(settings, Arc::new(store.clone()), Arc::clone(&door) as _, Arc::new(Standing)));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        tokio::spawn(http::serve(listener, Arc::clone(&receiver).router(), stop.clone()));
        Self { address, store, door, secrets, receiver, stop, folder }
    }

    async fn connect(&self) -> Line {
        Line::to(self.address).await.unwrap()
    }

    async fn send(&self, request: &Request) -> Answer {
        self.connect().await.send(request).await
    }

    /// Sends it, and says what it came to: the status, and what was woken because of it.
    async fn deliver(&self, request: &Request) -> (u16, Vec<String>) {
        let before = self.door.0.lock().unwrap().len();
        let answer = self.send(request).await;
        let woken = self.door.0.lock().unwrap()[before..].iter().map(shown).collect();
        (answer.status, woken)
    }

    async fn ledger(&self) -> Vec<DeliveryRow> {
        self.store.delivery_rows(100_000).await.unwrap()
    }

    fn counts(&self, forge: &str) -> Counts {
        self.receiver.counters().read()[&forge.parse::<ForgeName>().unwrap()]
    }
}

fn shown(target: &Target) -> String {
    match &target.proposal {
        None => target.source.to_string(),
        Some(proposal) => format!("{} {proposal}", target.source),
    }
}

/// A request to the receiver.
#[derive(Debug, Clone)]
struct Request {
    path: String,
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
}

fn hmac(secret: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body);
    mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Request {
    fn new(forge: &str, body: impl Into<Vec<u8>>) -> Self {
        let headers = BTreeMap::from([("content-type".to_owned(), "application/json".to_owned())]);
        Self { path: format!("/webhooks/{forge}"), headers, body: body.into() }
    }

    /// As GitHub sends it.
    fn github(event: &str, id: &str, payload: &Value) -> Self {
        Self::github_bytes(event, id, payload.to_string())
    }

    fn github_bytes(event: &str, id: &str, body: impl Into<Vec<u8>>) -> Self {
        let request = Self::new("hub", body).with("x-github-event", event).with("x-github-delivery", id);
        let signature = format!("sha256={}", hmac(SECRET, &request.body));
        request.with("x-hub-signature-256", &signature)
    }

    fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.insert(name.to_owned(), value.to_owned());
        self
    }

    fn without(mut self, name: &str) -> Self {
        self.headers.remove(name);
        self
    }

    fn head(&self, length: &str) -> String {
        let headers: String = self.headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        format!("POST {} HTTP/1.1\r\nhost: meshwright\r\n{headers}{length}\r\n", self.path)
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.head(&format!("content-length: {}\r\n", self.body.len())).into_bytes();
        bytes.extend_from_slice(&self.body);
        bytes
    }
}

/// What was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Answer {
    status: u16,
    /// After how many seconds to come back.
    retry_after: Option<u64>,
    text: String,
}

/// A connection that stays open.
struct Line(TcpStream);

impl Line {
    async fn to(address: SocketAddr) -> std::io::Result<Self> {
        TcpStream::connect(address).await.map(Self)
    }

    async fn send(&mut self, request: &Request) -> Answer {
        self.0.write_all(&request.bytes()).await.unwrap();
        self.answer().await.expect("an answer")
    }

    /// Reads one answer; `None` when the connection was closed without.
    async fn answer(&mut self) -> Option<Answer> {
        let mut bytes = Vec::new();
        let head = loop {
            if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
                break end + 4;
            }
            self.0.read_buf(&mut bytes).await.ok().filter(|read| *read > 0)?;
        };
        let text = String::from_utf8_lossy(&bytes[..head]).to_lowercase();
        let status = text.split(' ').nth(1)?.parse().ok()?;
        let length: usize = text.split("content-length: ").nth(1)?.split("\r\n").next()?.parse().ok()?;
        while bytes.len() < head + length {
            if self.0.read_buf(&mut bytes).await.ok()? == 0 {
                return None;
            }
        }
        let retry_after = text.split("retry-after: ").nth(1).and_then(|rest| rest.split("\r\n").next()?.parse().ok());
        Some(Answer { status, retry_after, text: String::from_utf8_lossy(&bytes[head..]).into_owned() })
    }
}

/// A push to the branch of `acme/retail`.
fn push(branch: &str, before: u64, after: u64) -> Value {
    json!({
        "ref": format!("refs/heads/{branch}"),
        "before": format!("{before:040x}"),
        "after": format!("{after:040x}"),
        "repository": { "full_name": "acme/retail", "id": 1 },
        "pusher": { "name": "ada" },
        "commits": [],
    })
}
