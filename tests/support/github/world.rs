//! What the model knows: the state of a small GitHub.

use std::collections::BTreeMap;
use std::path::PathBuf;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::answer::Answer;
use super::faults::Fault;
use super::hooks::{Delivery, Hook};
use super::limits::Limits;

/// Everything there is. It is locked as a whole while a request is answered.
#[derive(Debug)]
pub struct World {
    /// The address of the server, without a slash at its end.
    pub base: String,
    /// Where the repositories are.
    pub folder: PathBuf,
    /// How far the model's clock is from the machine's.
    pub clock: SignedDuration,
    pub last_id: u64,
    pub commits: i64,
    pub users: Vec<User>,
    pub repositories: Vec<Repository>,
    /// Names that repositories once had (in lower case), and the repositories.
    pub moved: BTreeMap<String, u64>,
    pub apps: Vec<App>,
    pub installations: Vec<Installation>,
    pub tokens: BTreeMap<String, Token>,
    /// Codes of the manifest flow, and the manifests that they stand for.
    pub manifests: BTreeMap<String, Value>,
    pub deliveries: Vec<Delivery>,
    /// Deliveries that were not sent yet, by their place in `deliveries`.
    pub outbox: Vec<usize>,
    /// While it is so, deliveries are recorded as lost instead of being sent.
    pub hooks_are_lost: bool,
    pub faults: Vec<Fault>,
    pub requests: Vec<Seen>,
    /// What must not have happened: requests that the model does not know, or that are wrong.
    pub complaints: Vec<String>,
    pub limits: Limits,
}

/// A request that was answered, or that met a fault.
#[derive(Debug, Clone)]
pub struct Seen {
    pub method: String,
    /// The path below the API's root, without the query.
    pub path: String,
    pub query: String,
    pub body: Value,
    /// Who asked: `alice`, `app/meshwright`, `meshwright[bot]` or `nobody`.
    pub by: String,
    /// The answer's code; 0 when there was none.
    pub status: u16,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    User,
    Bot,
    Organization,
}

#[derive(Debug, Clone)]
pub struct User {
    pub id: u64,
    pub login: String,
    pub kind: Kind,
}

#[derive(Debug)]
pub struct Repository {
    pub id: u64,
    pub owner: String,
    pub name: String,
    pub folder: PathBuf,
    pub is_private: bool,
    pub is_archived: bool,
    pub is_deleted: bool,
    /// The repository from which it was forked.
    pub fork_of: Option<u64>,
    pub default_branch: String,
    /// What people may do: `admin`, `maintain`, `write`, `triage` or `read`, by login in lower case.
    pub collaborators: BTreeMap<String, String>,
    pub hooks: Vec<Hook>,
    pub pulls: Vec<Pull>,
    pub last_number: u64,
    pub statuses: Vec<Status>,
    pub check_suites: Vec<CheckSuite>,
    pub check_runs: Vec<CheckRun>,
    pub comments: Vec<Comment>,
    pub deployments: Vec<Deployment>,
}

#[derive(Debug, Clone)]
pub struct Pull {
    pub id: u64,
    pub number: u64,
    pub title: String,
    pub body: Option<String>,
    pub author: String,
    pub is_open: bool,
    pub is_draft: bool,
    /// The repository in which the head's branch is; `None` when that one was deleted.
    pub head_repository: Option<u64>,
    pub head_branch: String,
    pub head: String,
    pub base_branch: String,
    /// Where the base stood when it was last looked at.
    pub base: String,
    /// The merge commit: a test merge while it is open, the real one after the merge.
    pub merge_commit: Option<String>,
    pub merged_at: Option<Timestamp>,
    pub merged_by: Option<String>,
    pub closed_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

#[derive(Debug, Clone)]
pub struct Status {
    pub id: u64,
    pub sha: String,
    pub context: String,
    pub state: String,
    pub description: Option<String>,
    pub target_url: Option<String>,
    pub creator: String,
    pub created_at: Timestamp,
}

#[derive(Debug, Clone)]
pub struct CheckSuite {
    pub id: u64,
    pub app: u64,
    pub sha: String,
    pub branch: Option<String>,
    pub created_at: Timestamp,
}

#[derive(Debug, Clone)]
pub struct CheckRun {
    pub id: u64,
    pub app: u64,
    pub suite: u64,
    pub sha: String,
    pub name: String,
    pub status: String,
    pub conclusion: Option<String>,
    pub details_url: Option<String>,
    pub external_id: Option<String>,
    pub started_at: Option<String>,
    pub completed_at: Option<String>,
    pub title: Option<String>,
    pub summary: Option<String>,
    pub text: Option<String>,
    /// As they were given, in the order in which they came.
    pub annotations: Vec<Value>,
    pub actions: Vec<Value>,
}

#[derive(Debug, Clone)]
pub struct Comment {
    pub id: u64,
    /// The issue or pull request.
    pub number: u64,
    pub author: String,
    pub body: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// The App through which it was written.
    pub app: Option<u64>,
    pub reactions: Vec<Reaction>,
}

#[derive(Debug, Clone)]
pub struct Reaction {
    pub id: u64,
    pub by: String,
    pub content: String,
    pub created_at: Timestamp,
}

#[derive(Debug, Clone)]
pub struct Deployment {
    pub id: u64,
    pub sha: String,
    pub reference: String,
    pub task: String,
    pub environment: String,
    pub description: Option<String>,
    pub payload: Value,
    pub creator: String,
    pub created_at: Timestamp,
    pub statuses: Vec<DeploymentStatus>,
}

#[derive(Debug, Clone)]
pub struct DeploymentStatus {
    pub id: u64,
    pub state: String,
    pub description: String,
    pub environment: String,
    pub target_url: String,
    pub environment_url: String,
    pub creator: String,
    pub created_at: Timestamp,
}

#[derive(Debug, Clone)]
pub struct App {
    pub id: u64,
    pub slug: String,
    pub name: String,
    pub owner: String,
    pub client_id: String,
    /// The private key as GitHub hands it out: PKCS#1 in PEM.
    pub private_key: String,
    /// The public key, PKCS#1 in DER.
    pub public_key: Vec<u8>,
    /// Where deliveries go.
    pub hook: Option<Hook>,
    pub permissions: BTreeMap<String, String>,
    pub events: Vec<String>,
    pub created_at: Timestamp,
}

#[derive(Debug, Clone)]
pub struct Installation {
    pub id: u64,
    pub app: u64,
    /// The login of the account on which it is installed.
    pub account: String,
    /// The repositories that it may see; `None` for all of the account.
    pub selected: Option<Vec<u64>>,
    pub permissions: BTreeMap<String, String>,
    pub is_suspended: bool,
    pub created_at: Timestamp,
}

#[derive(Debug, Clone)]
pub enum Token {
    /// A person's.
    Personal { login: String },
    /// An installation's.
    Installation { installation: u64, expires_at: Timestamp },
}

impl World {
    #[expect(clippy::disallowed_methods, reason = "the model has a clock of its own, which begins with the machine's")]
    pub fn now(&self) -> Timestamp {
        let now = Timestamp::now() + self.clock;
        // GitHub tells whole seconds.
        Timestamp::from_second(now.as_second()).unwrap()
    }

    pub fn new_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    /// The user of this name, made when there is none.
    pub fn ensure_user(&mut self, login: &str, kind: Kind) -> User {
        if let Some(user) = self.user(login) {
            return user.clone();
        }
        let user = User { id: self.new_id(), login: login.to_owned(), kind };
        self.users.push(user.clone());
        user
    }

    pub fn user(&self, login: &str) -> Option<&User> {
        self.users.iter().find(|user| user.login.eq_ignore_ascii_case(login))
    }

    /// The repository with this id; it was there once, or the model is wrong.
    pub fn repository(&self, id: u64) -> &Repository {
        self.repositories.iter().find(|repository| repository.id == id).unwrap()
    }

    pub fn repository_mut(&mut self, id: u64) -> &mut Repository {
        self.repositories.iter_mut().find(|repository| repository.id == id).unwrap()
    }

    /// The repository that has this name now.
    pub fn named(&self, owner: &str, name: &str) -> Option<&Repository> {
        let is_it = |repository: &&Repository| {
            !repository.is_deleted
                && repository.owner.eq_ignore_ascii_case(owner)
                && repository.name.eq_ignore_ascii_case(name)
        };
        self.repositories.iter().find(is_it)
    }

    /// The repository that has this name, or had it.
    pub fn find(&self, owner: &str, name: &str) -> Found {
        if let Some(repository) = self.named(owner, name) {
            return Found::Here(repository.id);
        }
        match self.moved.get(&format!("{owner}/{name}").to_lowercase()) {
            Some(id) if !self.repository(*id).is_deleted => Found::Moved(*id),
            _ => Found::Nowhere,
        }
    }

    pub fn app(&self, id: u64) -> &App {
        self.apps.iter().find(|app| app.id == id).unwrap()
    }

    pub fn installation(&self, id: u64) -> Option<&Installation> {
        self.installations.iter().find(|installation| installation.id == id)
    }

    /// The installation of an App that covers this repository.
    pub fn installation_for(&self, app: u64, repository: u64) -> Option<&Installation> {
        self.installations.iter().find(|installation| installation.app == app && self.covers(installation, repository))
    }

    pub fn covers(&self, installation: &Installation, repository: u64) -> bool {
        let found = self.repository(repository);
        installation.account.eq_ignore_ascii_case(&found.owner)
            && installation.selected.as_ref().is_none_or(|selected| selected.contains(&repository))
    }

    /// What a person may do in a repository: `admin`, `write`, `read` or `none` (and the finer roles).
    pub fn role(&self, repository: u64, login: &str) -> String {
        let found = self.repository(repository);
        if found.owner.eq_ignore_ascii_case(login) {
            return "admin".to_owned();
        }
        let given = found.collaborators.get(&login.to_lowercase()).cloned();
        given.unwrap_or_else(|| if found.is_private { "none" } else { "read" }.to_owned())
    }
}

/// Where a name leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    Here(u64),
    /// It has another name now.
    Moved(u64),
    Nowhere,
}

impl Repository {
    pub fn full_name(&self) -> String {
        format!("{}/{}", self.owner, self.name)
    }

    pub fn pull(&self, number: u64) -> Option<&Pull> {
        self.pulls.iter().find(|pull| pull.number == number)
    }

    pub fn pull_mut(&mut self, number: u64) -> Option<&mut Pull> {
        self.pulls.iter_mut().find(|pull| pull.number == number)
    }

    pub fn git(&self) -> git2::Repository {
        git2::Repository::open_bare(&self.folder).unwrap()
    }

    /// The commit at which a branch stands.
    pub fn branch(&self, name: &str) -> Option<String> {
        let repository = self.git();
        repository.refname_to_id(&format!("refs/heads/{name}")).ok().map(|id| id.to_string())
    }

    /// What a branch, tag, short reference or commit id stands for.
    pub fn resolve(&self, name: &str) -> Result<String, Answer> {
        let repository = self.git();
        let candidates = [format!("refs/heads/{name}"), format!("refs/tags/{name}"), format!("refs/{name}")];
        let named = candidates.iter().find_map(|name| repository.refname_to_id(name).ok());
        let id = named.or_else(|| git2::Oid::from_str(name).ok().filter(|_| name.len() == 40));
        id.filter(|id| repository.find_commit(*id).is_ok())
            .map(|id| id.to_string())
            .ok_or_else(|| Answer::unprocessable(&format!("No commit found for SHA: {name}")))
    }
}
