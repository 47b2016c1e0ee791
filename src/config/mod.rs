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
    Checked, CheckedExecutor, CheckedExecutorKind, CheckedForge, CheckedPolicyLimits, CheckedSource, Schedule,
    SqlLocation, StateLocation,
};
pub use cron::{CronError, CronSchedule};
pub use error::{ConfigError, Place};
pub use load::{Document, folder_of, json_schema, load, parse, read};
pub use repository::{BranchName, InvalidLocation, RepositoryUrl, Transport};
pub use secret::{SecretError, SecretRef};
pub use units::{NotADuration, duration, readable_duration};

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::stage::Phase;

/// The whole file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The mesh itself.
    pub mesh: Mesh,
    /// Where the record is kept: `sqlite://` and a path, relative to the configuration file.
    #[serde(default = "default_state")]
    pub state: String,
    /// The repositories that are watched.
    #[serde(default)]
    pub sources: Vec<SourceConfig>,
    /// Stages, in promotion order. A product is rolled out at those of them that its
    /// `lifecycleInfo` names.
    #[serde(default)]
    pub stages: Vec<StageConfig>,
    /// Folders with Rego policies. With none, the shipped policies are asked.
    #[serde(default)]
    pub policies: Vec<PolicyConfig>,
    /// Limits of one policy evaluation.
    #[serde(default)]
    pub policy_limits: PolicyLimits,
    /// Executors by name.
    #[serde(default)]
    pub executors: BTreeMap<String, ExecutorConfig>,
    /// Forges by name.
    #[serde(default)]
    pub forges: BTreeMap<String, ForgeConfig>,
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
    /// The forge that shows statuses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forge: Option<String>,
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
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
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
}

fn default_state() -> String {
    "sqlite://.meshwright/state.db".to_owned()
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
