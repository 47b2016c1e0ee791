//! The model as a whole.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::{AppHandle, RepositoryHandle};
use crate::support::github::description;
use crate::support::github::faults::{Fault, Trouble};
use crate::support::github::hooks::{self, Delivery};
use crate::support::github::limits::Limits;
use crate::support::github::server::{self, Shared};
use crate::support::github::world::{Kind, Repository, Seen, Token, World};

/// How long anything is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

/// A small GitHub of the test's own. It ends, and judges, when it is dropped.
#[derive(Debug)]
pub struct Hub {
    pub(super) shared: Arc<Shared>,
    runtime: Option<tokio::runtime::Runtime>,
    _folder: tempfile::TempDir,
}

impl Hub {
    /// Starts the server, with threads of its own, on a port that is free.
    pub fn start() -> Self {
        description::look();
        let folder = tempfile::tempdir().unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let world = World {
            base: format!("http://{}", listener.local_addr().unwrap()),
            folder: folder.path().to_owned(),
            clock: SignedDuration::ZERO,
            last_id: 1000,
            commits: 0,
            users: Vec::new(),
            repositories: Vec::new(),
            moved: BTreeMap::new(),
            apps: Vec::new(),
            installations: Vec::new(),
            tokens: BTreeMap::new(),
            manifests: BTreeMap::new(),
            deliveries: Vec::new(),
            outbox: Vec::new(),
            hooks_are_lost: false,
            faults: Vec::new(),
            requests: Vec::new(),
            complaints: Vec::new(),
            limits: Limits::default(),
        };
        let shared = Arc::new(Shared::new(world));
        let (serving, sending) = (Arc::clone(&shared), Arc::clone(&shared));
        runtime
            .spawn(async move { server::serve(tokio::net::TcpListener::from_std(listener).unwrap(), serving).await });
        runtime.spawn(async move { hooks::send_all(&sending).await });
        Self { shared, runtime: Some(runtime), _folder: folder }
    }

    /// Looks at, or changes, everything; whoever waits for deliveries gets them afterwards.
    pub(super) fn with<T>(&self, look: impl FnOnce(&mut World) -> T) -> T {
        let result = look(&mut self.shared.world());
        self.shared.outbox.notify_one();
        result
    }

    /// The root of the API, as it is configured for GitHub Enterprise.
    pub fn api_url(&self) -> String {
        format!("{}/api/v3", self.url())
    }

    /// Where repositories are cloned from and pages would be. The API answers here, too.
    pub fn url(&self) -> String {
        self.with(|world| world.base.clone())
    }

    /// A repository, `owner/name`, made when there is none. Its owner is an organisation.
    pub fn repository(&self, full_name: &str) -> RepositoryHandle<'_> {
        let (owner, name) = full_name.split_once('/').expect("a repository is named owner/name");
        let id = self.with(|world| {
            if let Some(found) = world.named(owner, name) {
                return found.id;
            }
            world.ensure_user(owner, Kind::Organization);
            let id = world.new_id();
            let repository = Repository::new(id, owner, name, &world.folder);
            world.repositories.push(repository);
            id
        });
        RepositoryHandle { hub: self, id }
    }

    /// An App with all permissions and events that Meshwright asks for; nothing is installed yet. Of its
    /// installations an App is told without asking.
    pub fn app(&self, name: &str) -> AppHandle<'_> {
        let permissions = ["checks", "statuses", "pull_requests", "deployments"].map(|name| (name, "write"));
        let readable = ["metadata", "contents", "issues", "merge_queues"].map(|name| (name, "read"));
        let permissions =
            permissions.into_iter().chain(readable).map(|(name, level)| (name.to_owned(), level.to_owned()));
        let events = [
            "push",
            "pull_request",
            "check_suite",
            "check_run",
            "create",
            "delete",
            "merge_group",
            "issue_comment",
            "repository",
        ];
        let events = events.map(str::to_owned).to_vec();
        let id = self.with(|world| world.make_app(name, "acme", permissions.collect(), events));
        AppHandle { hub: self, id }
    }

    /// An App that was made in some other way.
    pub fn app_with_id(&self, id: u64) -> AppHandle<'_> {
        assert!(self.with(|world| world.apps.iter().any(|app| app.id == id)), "there is no App {id}");
        AppHandle { hub: self, id }
    }

    /// A personal access token of this person.
    pub fn token(&self, login: &str) -> String {
        self.with(|world| {
            world.ensure_user(login, Kind::User);
            let token = format!("ghp_{:036}", world.new_id());
            world.tokens.insert(token.clone(), Token::Personal { login: login.to_owned() });
            token
        })
    }

    /// Takes a token away.
    pub fn revoke(&self, token: &str) {
        self.with(|world| world.tokens.remove(token));
    }

    /// What becomes of somebody who fills in the form of the manifest flow: a code, good once. GitHub shows an
    /// error where an event is not covered by a permission, and then nothing is made.
    pub fn submit_manifest(&self, manifest: &Value) -> String {
        let is_covered = |event: &str| {
            let permission = match event {
                "push" | "create" | "delete" => "contents",
                "pull_request" => "pull_requests",
                "check_suite" | "check_run" => "checks",
                // Comments under pull requests are comments of issues.
                "issue_comment" => "issues",
                "merge_group" => "merge_queues",
                "repository" => "metadata",
                // What every App is told of cannot be asked for, and the model knows no more.
                other => panic!("Default events unsupported: {other}"),
            };
            manifest["default_permissions"].get(permission).is_some()
        };
        let events = manifest["default_events"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let bare: Vec<&str> = events.filter(|event| !is_covered(event)).collect();
        assert!(bare.is_empty(), "Default events are not supported by permissions: {}", bare.join(", "));
        self.with(|world| {
            let code = format!("{:040x}", world.new_id());
            world.manifests.insert(code.clone(), manifest.clone());
            code
        })
    }

    /// The next `times` requests of this method and path meet this trouble; `*` stands for any text.
    /// For Git over HTTP the method is `GIT GET` or `GIT POST`.
    pub fn fail(&self, pattern: &str, trouble: Trouble, times: usize) {
        self.with(|world| world.faults.push(Fault { pattern: pattern.to_owned(), trouble, left: times }));
    }

    /// Ends all faults, met or not.
    pub fn recover(&self) {
        self.with(|world| world.faults.clear());
    }

    /// From now on deliveries are recorded as failed and not sent, or are sent again.
    pub fn lose_deliveries(&self, lose: bool) {
        self.with(|world| world.hooks_are_lost = lose);
    }

    /// Puts the model's clock forward.
    pub fn advance(&self, by: Duration) {
        self.with(|world| world.clock += SignedDuration::try_from(by).unwrap());
    }

    /// Puts the model's clock back, so that others seem to be ahead.
    pub fn turn_back(&self, by: Duration) {
        self.with(|world| world.clock -= SignedDuration::try_from(by).unwrap());
    }

    /// What time it is for the model.
    pub fn now(&self) -> Timestamp {
        self.with(|world| world.now())
    }

    /// Leaves so many requests of this hour to an account: `installation/<id>` or a login.
    pub fn leave_requests(&self, account: &str, left: u64) {
        self.with(|world| {
            let now = world.now();
            world.limits.leave(account, left, now);
        });
    }

    /// Sets how many things may be made a minute and an hour.
    pub fn allow_made(&self, a_minute: u64, an_hour: u64) {
        self.with(|world| (world.limits.made_a_minute, world.limits.made_an_hour) = (a_minute, an_hour));
    }

    /// Sets how many points a minute an account has: one is for reading, five are for writing.
    pub fn allow_points(&self, a_minute: u64) {
        self.with(|world| world.limits.points = a_minute);
    }

    /// All requests so far, those to the API, with what became of them.
    pub fn requests(&self) -> Vec<Seen> {
        self.with(|world| world.requests.clone())
    }

    /// All deliveries so far.
    pub fn deliveries(&self) -> Vec<Delivery> {
        self.with(|world| world.deliveries.clone())
    }

    /// Sends a delivery once more, as somebody does by a button.
    pub fn redeliver(&self, id: u64) {
        assert!(self.with(|world| world.redeliver(id)), "there is no delivery {id}");
    }

    /// Waits until all deliveries were sent and answered, or were not.
    pub async fn until_sent(&self) {
        self.until("all deliveries are sent", |hub| hub.with(|world| world.outbox.is_empty())).await;
    }

    /// Waits until something is so.
    pub async fn until(&self, what: &str, mut is_so: impl FnMut(&Hub) -> bool) {
        let began = Instant::now();
        while !is_so(self) {
            assert!(began.elapsed() < PATIENCE, "it did not come to '{what}'\n{}", self.story_so_far());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// The requests and deliveries so far, for whoever wants to know why something did not happen.
    pub fn story_so_far(&self) -> String {
        let requests = self
            .requests()
            .into_iter()
            .map(|seen| format!("{} {} {} by {}\n", seen.status, seen.method, seen.path, seen.by));
        let deliveries = self.deliveries().into_iter().map(|sent| {
            format!("{:?} {} {} {}\n", sent.status, sent.event, sent.action.unwrap_or_default(), sent.answer)
        });
        let (requests, deliveries): (String, String) = (requests.collect(), deliveries.collect());
        format!("requests:\n{requests}deliveries:\n{deliveries}leftovers: {:#?}", self.leftovers())
    }

    /// What must not be there at the end of a test.
    pub fn leftovers(&self) -> Vec<String> {
        self.with(|world| {
            let unmet = world.faults.iter().filter(|fault| fault.left > 0);
            let unmet =
                unmet.map(|fault| format!("{} of '{}' were not met by {:?}", fault.left, fault.pattern, fault.trouble));
            world.complaints.iter().cloned().chain(unmet).collect()
        })
    }

    /// The same, for tests that want something to be there.
    pub fn take_leftovers(&self) -> Vec<String> {
        let leftovers = self.leftovers();
        self.with(|world| {
            world.complaints.clear();
            world.faults.clear();
        });
        leftovers
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        let leftovers = self.leftovers();
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
        if !std::thread::panicking() {
            assert!(leftovers.is_empty(), "left over at the end: {leftovers:#?}");
        }
    }
}
