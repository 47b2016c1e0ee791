//! The contract of executors, for each kind, with real processes and real databases.
#![expect(clippy::needless_pass_by_value, reason = "helpers of tests fail as tests do, and say what is skipped")]

mod artifacts;
mod command;
mod command_recovery;
mod sql;
mod sql_guards;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use meshwright::domain::activity::FencingToken;
use meshwright::domain::descriptor::VersionRef;
use meshwright::domain::id::{ContainerId, Digest, RepoPath, Revision};
use meshwright::domain::plan::{ActivityId, TaskKey};
use meshwright::domain::stage::Phase;
use meshwright::port::executor::{Progress, TaskCall};
use meshwright::port::tree::{Entry, EntryKind, Listing, ReadError, Tree};

/// Files in memory.
#[derive(Default)]
struct Files {
    files: BTreeMap<RepoPath, Vec<u8>>,
    links: Vec<RepoPath>,
}

impl Files {
    fn of(files: &[(&str, &str)]) -> Self {
        let files = files.iter().map(|(path, text)| (path.parse().unwrap(), text.as_bytes().to_vec())).collect();
        Self { files, links: Vec::new() }
    }
}

impl Tree for Files {
    fn list(&self, folder: Option<&RepoPath>) -> Result<Listing, ReadError> {
        let prefix = folder.map(|folder| format!("{folder}/")).unwrap_or_default();
        let files = self.files.keys().map(|path| Entry { path: path.clone(), kind: EntryKind::File });
        let links = self.links.iter().map(|path| Entry { path: path.clone(), kind: EntryKind::Symlink });
        let entries = files.chain(links).filter(|entry| entry.path.as_str().starts_with(&prefix)).collect();
        Ok(Listing { entries, unusable: Vec::new() })
    }

    fn read(&self, path: &RepoPath, limit: u64) -> Result<Vec<u8>, ReadError> {
        let bytes = self.files.get(path).ok_or_else(|| ReadError::NotFound(path.clone()))?;
        let size = bytes.len() as u64;
        if size > limit { Err(ReadError::TooLarge { path: path.clone(), size, limit }) } else { Ok(bytes.clone()) }
    }
}

/// Remembers what a task told.
#[derive(Default)]
struct Told {
    lines: Mutex<Vec<String>>,
    handles: Mutex<Vec<String>>,
}

impl Told {
    fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap().clone()
    }

    fn text(&self) -> String {
        self.lines().join("\n")
    }

    fn handle(&self) -> Option<String> {
        self.handles.lock().unwrap().first().cloned()
    }
}

#[async_trait]
impl Progress for Told {
    async fn log(&self, line: &str) {
        self.lines.lock().unwrap().push(line.to_owned());
    }

    async fn checkpoint(&self, handle: &str) {
        self.handles.lock().unwrap().push(handle.to_owned());
    }
}

/// A task of the product `name` with these files.
fn call(name: &str, files: Files) -> TaskCall {
    let container = container(name, "dev");
    let digest = Digest::of(name.as_bytes());
    let revision: Revision = "0123456789abcdef0123456789abcdef01234567".parse().unwrap();
    let source = "retail".parse().unwrap();
    let activity = ActivityId::derive(&source, &revision, 1, &container, &digest);
    TaskCall {
        key: TaskKey::derive(&activity, 0, "build"),
        token: FencingToken(1),
        activity,
        container,
        version: VersionRef { version: semver::Version::new(1, 2, 3), digest },
        task: "build".into(),
        phase: Phase::Build,
        attempt: 1,
        template: json!({"any": "thing"}),
        configurations: Value::Null,
        descriptor: Arc::new(json!({"info": {"name": name, "version": "1.2.3"}})),
        source,
        revision,
        tree: Arc::new(files),
        folder: Some("products/one".parse().unwrap()),
        upstream: BTreeMap::new(),
        timeout: Duration::from_secs(60),
        handle: None,
        cancel: CancellationToken::new(),
    }
}

fn container(name: &str, stage: &str) -> ContainerId {
    let product = format!("urn:dpds:com.example:dataproducts:{name}:1");
    ContainerId { product: product.parse().unwrap(), stage: stage.parse().unwrap() }
}

/// Waits until something holds; a level, with a bound.
async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..2_000 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("it never came that {what}");
}
