//! Floor 2: the daemon's configuration, `meshwright.yaml`. Unknown keys are errors with line and
//! column. Secrets stand in it only as references to an environment variable or a file.

mod cron;
mod load;
mod error;
mod places;
mod shape;
mod checked;
mod address;
mod repository;
mod units;
mod secret;

pub use checked::{
    Checked, CheckedExecutor, CheckedExecutorKind, CheckedForge, CheckedGithub, CheckedPolicyLimits, CheckedSource,
    CheckedWebhooks, GithubAccess, Schedule, SqlLocation, StateLocation, WebhookKind,
};
pub use cron::{CronError, CronSchedule};
pub use error::{ConfigError, Place};
pub use load::{Document, folder_of, json_schema, load, parse, read};
pub use repository::{BaseUrl, BranchName, InvalidLocation, RepositoryUrl, Transport};
pub use secret::{SecretError, SecretRef};
pub use units::{NotADuration, duration, readable_duration};

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::descriptor::Compatibility;
use crate::domain::forge::CommentMode;
use crate::domain::stage::Phase;

/// The whole file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The mesh itself.
    pub mesh: Mesh,
    /// Where the record is kept: `sqlite://` and a path, relative to the configuration file, or
    /// `postgres://user@host/database`; a text, or for a URL with a password a reference to a secret.
    #[serde(default = "default_state")]
    pub state: UrlRef,
    /// The folder of what belongs to this machine alone: mirrors, artifacts, requests. Without it, where the SQLite
    /// record is, or `.meshwright` beside the configuration file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folder: Option<PathBuf>,
    /// The repositories that are watched.
    #[serde(default)]
    pub sources: Vec<SourceConfig>,
    /// Stages, in promotion order. A product is rolled out at those of them that its
    /// `lifecycleInfo` names.
    #[serde(default)]
    pub stages: Vec<StageConfig>,
    /// How long looks and tasks that are under way may go on when the daemon is told to stop.
    #[serde(default = "default_grace")]
    pub grace: String,
    /// Folders with Rego policies. With none, the shipped policies are asked.
    #[serde(default)]
    pub policies: Vec<PolicyConfig>,
    /// Limits of one policy evaluation.
    #[serde(default)]
    pub policy_limits: PolicyLimits,
    /// Forms of older descriptors that are let in; all are errors unless it is said here.
    #[serde(default)]
    pub compatibility: Compatibility,
    /// Executors by name.
    #[serde(default)]
    pub executors: BTreeMap<String, ExecutorConfig>,
    /// Forges by name.
    #[serde(default)]
    pub forges: BTreeMap<String, ForgeConfig>,
    /// What is taken in by webhook, and how long it is kept.
    #[serde(default)]
    pub webhooks: WebhookConfig,
}

/// What is taken in by webhook, and how long it is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct WebhookConfig {
    /// The largest delivery that is taken, in MiB; 25 at most, and GitHub sends none that is larger.
    pub max_body_mib: u64,
    /// How many deliveries are kept in the record.
    pub keep: u64,
    /// How long they are kept at the most, such as `336h`.
    pub keep_for: String,
}

impl Default for WebhookConfig {
    fn default() -> Self {
        Self { max_body_mib: 25, keep: 100_000, keep_for: "336h".to_owned() }
    }
}

/// The mesh itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Mesh {
    /// The namespace in every fully qualified name, such as `com.example`.
    pub namespace: String,
}

/// A Git repository that is watched.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SourceConfig {
    /// Its name.
    pub name: String,
    /// A path (relative to the configuration file), or a `file://`, `https://`, `ssh://` or `git://` URL. No credentials.
    pub url: String,
    /// The branch.
    #[serde(default = "default_branch")]
    pub branch: String,
    /// Globs of the root files.
    #[serde(default = "default_descriptors")]
    pub descriptors: Vec<String>,
    /// How often to look, such as `60s` or `5m`. Excludes `cron`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub poll: Option<String>,
    /// When to look: five or six fields, or `@hourly` and the like. Excludes `poll`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cron: Option<String>,
    /// The IANA time zone of `cron`; UTC when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
    /// How long a fetch may take.
    #[serde(default = "default_fetch_timeout")]
    pub fetch_timeout: String,
    /// The forge that shows statuses and sends webhooks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forge: Option<String>,
    /// What the forge calls the repository, `owner/name`; read from the URL when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repository: Option<String>,
    /// How to get in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials: Option<Credentials>,
}

/// How to get into a repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Credentials {
    /// User name and password (or token), for `https://`.
    Basic {
        /// The user name.
        username: String,
        /// The password or token.
        password: SecretRef,
    },
    /// A private key file and the known hosts, for `ssh://`.
    Ssh {
        /// The private key file.
        key: PathBuf,
        /// The file of known hosts; a host that is not in it is refused.
        known_hosts: PathBuf,
    },
}

/// A stage.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StageConfig {
    /// Its name: a key of `lifecycleInfo`.
    pub name: String,
    /// The stages at which a version must run before it comes here.
    #[serde(default)]
    pub after: Vec<String>,
    /// What lets a rollout begin here; without one, nothing has to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gate: Option<GateConfig>,
}

/// What lets a rollout begin at a stage.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GateConfig {
    /// How many people have to approve: 1 to 100.
    #[schemars(range(min = 1, max = 100))]
    pub approvals: u32,
}

/// A folder of policies.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyConfig {
    /// The folder, relative to the configuration file.
    pub path: PathBuf,
}

/// Limits of one policy evaluation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PolicyLimits {
    /// How long one question may take, such as `2s`.
    pub timeout: String,
    /// How much memory the evaluating process may have, in MiB.
    pub memory_mib: u64,
}

impl Default for PolicyLimits {
    fn default() -> Self {
        Self { timeout: "2s".to_owned(), memory_mib: 512 }
    }
}

/// An executor. A descriptor names it in `service.$href`; only the configuration defines it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum ExecutorConfig {
    /// A program that runs in a private folder with the commit's files of the product.
    Command {
        /// The phase in which its tasks run.
        phase: Phase,
        /// The program and its arguments. A relative program with a `/` is looked for in the product's folder.
        command: Vec<String>,
        /// How long one attempt may take.
        #[serde(default = "default_task_timeout")]
        timeout: String,
        /// How often a task is tried when it fails for a passing reason.
        #[serde(default = "default_attempts")]
        attempts: u32,
        /// Names of environment variables of the daemon that the program gets; all others are cleared.
        #[serde(default)]
        env: Vec<String>,
        /// Environment variables whose values are secrets; they are masked in logs.
        #[serde(default)]
        secrets: BTreeMap<String, SecretRef>,
        /// How much output is kept of one attempt, in KiB.
        #[serde(default = "default_output_kib")]
        max_output_kib: u64,
    },
    /// A database in which containers have their schemas, tables and views.
    Sql {
        /// The phase in which its tasks run.
        phase: Phase,
        /// `sqlite://` and a folder, or `postgres://…`; a text or a reference to a secret.
        url: UrlRef,
        /// How a container's schema is named; `{stage}`, `{product}`, `{major}` and `{schema}` are filled in.
        #[serde(default = "default_schema_name")]
        schema: String,
        /// Whether columns and tables may be dropped or narrowed.
        #[serde(default)]
        allow_destructive: bool,
        /// How long one attempt may take.
        #[serde(default = "default_task_timeout")]
        timeout: String,
        /// How often a task is tried when it fails for a passing reason.
        #[serde(default = "default_attempts")]
        attempts: u32,
    },
}

/// A URL, or where to find it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum UrlRef {
    /// Kept elsewhere, because it has a password in it.
    Secret(SecretRef),
    /// Written out; without a password.
    Plain(String),
}

/// A forge.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum ForgeConfig {
    /// Statuses as git notes under `refs/notes/meshwright` of a local repository. A source with a
    /// local path and no `forge` gets this one.
    Local {
        /// The repository, relative to the configuration file; the source's own when left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        repository: Option<PathBuf>,
    },
    /// GitHub: github.com, or GitHub Enterprise by its URL. Either `app_id` and `private_key`, or `token`.
    Github {
        /// Where people find it: `https://` and the host.
        #[serde(default = "default_github")]
        url: String,
        /// Where its API is, when that does not follow from `url`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        api: Option<String>,
        /// The id of the GitHub App.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        app_id: Option<u64>,
        /// The private key of the GitHub App, as PEM.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        private_key: Option<SecretRef>,
        /// A personal access token, for statuses and comments only.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        token: Option<SecretRef>,
        /// The secret with which webhooks are signed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        webhook_secret: Option<SecretRef>,
        /// Several of them, while one is replaced by another. Excludes `webhook_secret`.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        webhook_secrets: Vec<SecretRef>,
        /// When a pull request gets a comment.
        #[serde(default)]
        comment: CommentMode,
        /// Whether the repository's page of environments is kept as well.
        #[serde(default)]
        deployments: bool,
    },
    /// Gitea or Forgejo: its webhooks wake, and nothing is shown there yet.
    Gitea {
        /// The secret with which webhooks are signed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        webhook_secret: Option<SecretRef>,
        /// Several of them, while one is replaced by another. Excludes `webhook_secret`.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        webhook_secrets: Vec<SecretRef>,
    },
    /// GitLab: its webhooks wake, and nothing is shown there yet.
    Gitlab {
        /// The secret that webhooks carry.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        webhook_secret: Option<SecretRef>,
        /// Several of them, while one is replaced by another. Excludes `webhook_secret`.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        webhook_secrets: Vec<SecretRef>,
    },
    /// Whatever signs its webhooks with an HMAC: they wake, and nothing is shown there.
    GenericHmac {
        /// The secret with which webhooks are signed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        webhook_secret: Option<SecretRef>,
        /// Several of them, while one is replaced by another. Excludes `webhook_secret`.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        webhook_secrets: Vec<SecretRef>,
    },
}

fn default_github() -> String {
    "https://github.com".to_owned()
}

fn default_state() -> UrlRef {
    UrlRef::Plain("sqlite://.meshwright/state.db".to_owned())
}

fn default_grace() -> String {
    "25s".to_owned()
}

fn default_branch() -> String {
    "main".to_owned()
}

/// The usual names of descriptors, as globs of root files.
pub fn default_descriptors() -> Vec<String> {
    vec!["**/data-product-descriptor.{yaml,yml,json}".to_owned()]
}

fn default_fetch_timeout() -> String {
    "120s".to_owned()
}

fn default_task_timeout() -> String {
    "15m".to_owned()
}

fn default_attempts() -> u32 {
    3
}

fn default_output_kib() -> u64 {
    1024
}

fn default_schema_name() -> String {
    "{stage}_{product}_v{major}".to_owned()
}
