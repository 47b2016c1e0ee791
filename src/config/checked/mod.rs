//! The configuration after it was found to make sense: domain types, lengths of time, absolute
//! paths. Everything that is wrong is collected and said at once. Nothing here reads a file, so a
//! configuration can be checked where it does not run.

mod executors;
mod forges;
mod sources;
mod stages;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::json;

use crate::domain::canonical;
use crate::domain::descriptor::Compatibility;
use crate::domain::forge::CommentMode;
use crate::domain::id::{Digest, ExecutorName, ForgeName, Namespace, SourceName};
use crate::domain::stage::Platform;

use super::address::{database_url_has_password, resolve};
use super::error::{Problem, Problems, below};
use super::repository::RepositoryUrl;
use super::units::{DURATION_HINT, duration, readable_duration};
use super::{Config, Credentials, CronSchedule, SecretRef, UrlRef};

pub use forges::{CheckedForge, CheckedGithub, GithubAccess, WebhookKind};

/// A configuration that makes sense.
#[derive(Debug, Clone, PartialEq)]
pub struct Checked {
    /// The mesh's namespace.
    pub namespace: Namespace,
    /// Where the record is kept.
    pub state: StateLocation,
    /// Where mirrors, artifacts and requests are kept on this machine; an absolute path.
    pub folder: PathBuf,
    /// How long work under way may go on when the daemon is told to stop.
    pub grace: Duration,
    /// The repositories that are watched, as written; their names differ.
    pub sources: Vec<CheckedSource>,
    /// Stages and executors, as planning sees them.
    pub platform: Platform,
    /// Folders with policies, absolute. With none, the shipped policies are asked.
    pub policies: Vec<PathBuf>,
    /// Limits of one policy evaluation.
    pub policy_limits: CheckedPolicyLimits,
    /// Which forms of older descriptors are let in.
    pub compatibility: Compatibility,
    /// Executors, with how they are reached. The same names as in `platform`.
    pub executors: BTreeMap<ExecutorName, CheckedExecutor>,
    /// Forges.
    pub forges: BTreeMap<ForgeName, CheckedForge>,
    /// What is taken in by webhook, and how long it is kept.
    pub webhooks: CheckedWebhooks,
    /// The folder that relative paths were resolved against; absolute.
    pub base: PathBuf,
}

/// What is taken in by webhook, and how long it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedWebhooks {
    /// The largest delivery that is taken, in bytes.
    pub max_body_bytes: usize,
    /// How many deliveries are kept.
    pub keep: u64,
    /// How long they are kept at the most.
    pub keep_for: Duration,
}

/// Where the record is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StateLocation {
    /// In this SQLite file; an absolute path.
    Sqlite(PathBuf),
    /// On the PostgreSQL server of this URL.
    Postgres(UrlRef),
}

/// A source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedSource {
    /// Its name.
    pub name: SourceName,
    /// As written; there is no password in it.
    pub url: String,
    /// What that means.
    pub location: RepositoryUrl,
    /// The branch, without `refs/heads/`.
    pub branch: String,
    /// Globs of the root files; at least one.
    pub descriptors: Vec<String>,
    /// When to look without being woken.
    pub schedule: Schedule,
    /// How long a fetch may take.
    pub fetch_timeout: Duration,
    /// The forge that shows its statuses; `None` without one, and for a local path without `forge`, which gets the
    /// local one.
    pub forge: Option<ForgeName>,
    /// What that forge calls the repository, `owner/name`; `None` without a forge, and with a local one. Forges take
    /// it in any case.
    pub repository: Option<String>,
    /// How to get in; paths are absolute.
    pub credentials: Option<Credentials>,
}

/// When a source is looked at without being woken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Schedule {
    /// Again and again after this time.
    Every(Duration),
    /// By a cron expression.
    Cron(Box<CronSchedule>),
}

/// Limits of one policy evaluation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedPolicyLimits {
    /// How long one question may take.
    pub timeout: Duration,
    /// How much memory the evaluating process may have, in bytes.
    pub memory_bytes: u64,
}

/// An executor. Phase, time-out and attempts stand in the platform's profile of the same name as well.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckedExecutor {
    /// How long one attempt may take.
    pub timeout: Duration,
    /// What it is.
    pub kind: CheckedExecutorKind,
}

/// What an executor is.
#[derive(Debug, Clone, PartialEq)]
pub enum CheckedExecutorKind {
    /// A program.
    Command {
        /// The program and its arguments, as written; at least one.
        command: Vec<String>,
        /// Names of environment variables that are handed on.
        env: Vec<String>,
        /// Environment variables with secrets; file paths are absolute.
        secrets: BTreeMap<String, SecretRef>,
        /// How much output of one attempt is kept, in bytes.
        max_output_bytes: u64,
    },
    /// A database.
    Sql {
        /// Where it is.
        location: SqlLocation,
        /// How a container's schema is named.
        schema: String,
        /// Whether columns and tables may be dropped or narrowed.
        allow_destructive: bool,
    },
}

/// Where an executor's database is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SqlLocation {
    /// SQLite files in this folder; absolute.
    SqliteFolder(PathBuf),
    /// A PostgreSQL server; the URL has no password.
    Postgres(String),
    /// The URL is a secret, and read when the executor is made.
    Secret(SecretRef),
}

impl Checked {
    /// The digest of all that planning depends on beside descriptors and policies: namespace,
    /// stages, executors' profiles, and every source's globs. When it changes, everything is planned anew.
    pub fn platform_digest(&self) -> Digest {
        let globs: BTreeMap<&str, &[String]> =
            self.sources.iter().map(|source| (source.name.as_str(), source.descriptors.as_slice())).collect();
        self.digest_with(&json!(globs))
    }

    /// The same for one source: another source's globs do not count.
    pub fn platform_digest_for(&self, source: &CheckedSource) -> Digest {
        self.digest_with(&json!(source.descriptors))
    }

    fn digest_with(&self, globs: &serde_json::Value) -> Digest {
        let settings = json!({ "namespace": self.namespace, "platform": self.platform, "globs": globs, "compatibility": self.compatibility });
        canonical::digest(&settings)
    }

    /// When pull requests of this source get a comment: as its forge says, and never where there are none.
    pub fn comment_mode(&self, source: &CheckedSource) -> CommentMode {
        match source.forge.as_ref().and_then(|name| self.forges.get(name)) {
            Some(CheckedForge::Github(github)) => github.comment,
            Some(CheckedForge::Local { .. } | CheckedForge::Webhooks { .. }) | None => CommentMode::Never,
        }
    }

    /// The source of this name.
    pub fn source(&self, name: &SourceName) -> Option<&CheckedSource> {
        self.sources.iter().find(|source| source.name == *name)
    }
}

/// Checks it all.
pub(super) fn check(config: &Config, base: &Path) -> Result<Checked, Vec<Problem>> {
    let base = std::path::absolute(base).unwrap_or_else(|_| base.to_path_buf());
    let mut problems = Problems::default();
    let namespace = name::<Namespace>(&config.mesh.namespace, "/mesh/namespace", &mut problems);
    let state = state(&config.state, &base, &mut problems);
    let grace = time(&config.grace, Duration::ZERO, Duration::from_secs(60 * 60), "/grace", &mut problems);
    let forges = forges::check(config, &base, &mut problems);
    let sources = sources::check(config, &forges, &base, &mut problems);
    let stages = stages::check(&config.stages, &mut problems);
    let (executors, profiles) = executors::check(&config.executors, &base, &mut problems);
    let policy_limits = policy_limits(config, &mut problems);
    let webhooks = webhooks(config, &mut problems);
    let policies = config.policies.iter().enumerate().map(|(index, policy)| {
        if policy.path.as_os_str().is_empty() {
            problems.at(&format!("/policies/{index}/path"), "the path is empty");
        }
        resolve(&base, &policy.path)
    });
    let policies = policies.collect();
    match (namespace, state, problems.0.is_empty()) {
        (Some(namespace), Some(state), true) => Ok(Checked {
            namespace,
            folder: folder(config.folder.as_deref(), &state, &base),
            grace,
            state,
            sources,
            platform: Platform { stages, executors: profiles },
            policies,
            policy_limits,
            compatibility: config.compatibility,
            executors,
            forges,
            webhooks,
            base,
        }),
        _ => Err(problems.0),
    }
}

/// Reads a name, or says why it is none.
fn name<T>(text: &str, at: &str, problems: &mut Problems) -> Option<T>
where
    T: std::str::FromStr<Err = crate::domain::id::InvalidId>,
{
    match text.parse() {
        Ok(name) => Some(name),
        Err(error) => {
            problems.at(at, format!("'{}' is no {}", error.text, error.kind)).hint(error.rule);
            None
        }
    }
}

/// Reads a key that is a name, or says why it is none.
fn key_name<T>(text: &str, at: &str, problems: &mut Problems) -> Option<T>
where
    T: std::str::FromStr<Err = crate::domain::id::InvalidId>,
{
    let before = problems.0.len();
    let name = name(text, at, problems);
    problems.0.iter_mut().skip(before).for_each(|problem| problem.on_key = true);
    name
}

/// Reads a length of time within limits. What is returned beside a problem is never used.
fn time(text: &str, least: Duration, most: Duration, at: &str, problems: &mut Problems) -> Duration {
    match duration(text) {
        Ok(length) if (least..=most).contains(&length) => length,
        Ok(_) => {
            let (least, most) = (readable_duration(least), readable_duration(most));
            problems
                .at(at, format!("'{text}' is out of bounds"))
                .hint(format!("it is at least {least}, and at most {most}"));
            Duration::ZERO
        }
        Err(error) => {
            problems.at(at, error.to_string()).hint(DURATION_HINT);
            Duration::ZERO
        }
    }
}

fn state(url: &UrlRef, base: &Path, problems: &mut Problems) -> Option<StateLocation> {
    const FORM: &str = "write sqlite:// and a path, such as sqlite://.meshwright/state.db, or \
                        postgres://user@host/database";
    let text = match url {
        UrlRef::Plain(text) => text,
        UrlRef::Secret(reference) => {
            return Some(StateLocation::Postgres(UrlRef::Secret(secret(reference, "/state", base, problems))));
        }
    };
    if text.starts_with("postgres://") || text.starts_with("postgresql://") {
        if database_url_has_password(text) {
            problems
                .at("/state", "a password stands in the URL")
                .secret()
                .hint("keep the whole URL elsewhere, and name it: state: { env: MESHWRIGHT_STATE }");
            return None;
        }
        return Some(StateLocation::Postgres(url.clone()));
    }
    match text.strip_prefix("sqlite://") {
        Some(path) if path.is_empty() || path.ends_with('/') => {
            problems.at("/state", "the state has no file name").hint(FORM);
            None
        }
        Some(path) if path.contains('?') || path.starts_with(':') => {
            problems.at("/state", "the state is a file, without options").hint(FORM);
            None
        }
        Some(path) => Some(StateLocation::Sqlite(resolve(base, Path::new(path)))),
        None => {
            problems.at("/state", "the state is not a place that is known").secret().hint(FORM);
            None
        }
    }
}

fn folder(wanted: Option<&Path>, state: &StateLocation, base: &Path) -> PathBuf {
    match (wanted, state) {
        (Some(wanted), _) => resolve(base, wanted),
        (None, StateLocation::Sqlite(path)) => path.parent().unwrap_or(base).to_path_buf(),
        (None, StateLocation::Postgres(_)) => base.join(".meshwright"),
    }
}

fn policy_limits(config: &Config, problems: &mut Problems) -> CheckedPolicyLimits {
    const MIB: u64 = 1024 * 1024;
    let limits = &config.policy_limits;
    let most = Duration::from_secs(300);
    let timeout = time(&limits.timeout, Duration::from_millis(10), most, "/policy_limits/timeout", problems);
    if !(64..=65_536).contains(&limits.memory_mib) {
        problems
            .at("/policy_limits/memory_mib", format!("{} MiB are out of bounds", limits.memory_mib))
            .hint("it is at least 64, and at most 65536");
    }
    CheckedPolicyLimits { timeout, memory_bytes: limits.memory_mib.saturating_mul(MIB) }
}

fn webhooks(config: &Config, problems: &mut Problems) -> CheckedWebhooks {
    let webhooks = &config.webhooks;
    if !(1..=25).contains(&webhooks.max_body_mib) {
        problems
            .at("/webhooks/max_body_mib", format!("{} MiB are out of bounds", webhooks.max_body_mib))
            .hint("it is at least 1, and at most 25");
    }
    if !(100..=10_000_000).contains(&webhooks.keep) {
        problems
            .at("/webhooks/keep", format!("{} deliveries are out of bounds", webhooks.keep))
            .hint("it is at least 100, and at most 10000000");
    }
    let (least, most) = (Duration::from_secs(60 * 60), Duration::from_secs(366 * 24 * 60 * 60));
    let keep_for = time(&webhooks.keep_for, least, most, "/webhooks/keep_for", problems);
    let mib = usize::try_from(webhooks.max_body_mib).unwrap_or(usize::MAX);
    CheckedWebhooks { max_body_bytes: mib.saturating_mul(1024 * 1024), keep: webhooks.keep, keep_for }
}

/// A secret's place, with its file path made absolute; says so when the variable's name is none.
fn secret(reference: &SecretRef, at: &str, base: &Path, problems: &mut Problems) -> SecretRef {
    match reference {
        SecretRef::Env(variable) => {
            if !is_variable(variable) {
                // Whoever writes the secret itself here must not find it in a log.
                problems
                    .at(&below(at, "env"), "this is not the name of an environment variable")
                    .secret()
                    .hint("write the variable's name, not its value: letters, digits and '_'");
            }
            reference.clone()
        }
        SecretRef::File(path) => SecretRef::File(resolve(base, path)),
    }
}

/// Whether a text is the name of an environment variable.
fn is_variable(text: &str) -> bool {
    (1..=128).contains(&text.len())
        && !text.starts_with(|c: char| c.is_ascii_digit())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}
