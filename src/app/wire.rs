//! From a configuration to an engine with all its parts.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::adapter::clock::SystemClock;
use crate::adapter::executors::{ArtifactStore, CommandExecutor, CommandSpec, SqlExecutor, SqlSpec};
use crate::adapter::git::{GitSetupError, GitSourceSpec, GitSources};
use crate::adapter::github::GithubFacts;
use crate::adapter::inbox::Inbox;
use crate::adapter::policy_worker::{PolicySources, WorkerJudge, WorkerOptions};
use crate::adapter::store::SqlStore;
use crate::config::{
    Checked, CheckedExecutorKind, CheckedPolicyLimits, CheckedSource, SqlLocation, StateLocation, UrlRef,
};
use crate::domain::id::{ExecutorName, ForgeName};
use crate::engine::{Engine, EngineSettings, LedgerRequests, Ports, Watched};
use crate::port::clock::Clock;
use crate::port::executor::Executor;
use crate::port::forge::redelivery::Redelivery;
use crate::port::judge::Judge;
use crate::port::store::{Store, StoreError};

use super::forges::Forges;
use super::record::Place;

/// How long what is leased stays so without a heartbeat.
const LEASE: Duration = Duration::from_secs(30);
/// How many targets are looked at at once.
const PARALLEL_LOOKS: usize = 2;
/// How many activities run at once.
const PARALLEL_ACTIVITIES: usize = 4;
/// The pause before a second attempt of a task.
const RETRY_PAUSE: Duration = Duration::from_secs(1);
/// The longest pause between two attempts, of a task or of a report.
const LONGEST_PAUSE: Duration = Duration::from_secs(5 * 60);

/// Why the parts could not be put together.
#[derive(Debug, thiserror::Error)]
pub(super) enum StartError {
    /// The record cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The mirrors cannot be used.
    #[error(transparent)]
    Git(#[from] GitSetupError),
    /// Our own program, or a folder beside the record, cannot be used.
    #[error("{what}: {source}")]
    Local {
        /// What was tried.
        what: &'static str,
        /// What the system says.
        source: io::Error,
    },
}

/// Whether the record is written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RecordUse {
    /// It is, and nobody else writes to it meanwhile.
    Write,
    /// It is only looked at; one that is not there yet is taken as empty.
    Look,
}

/// An engine with its parts, and what has to outlive it.
pub(super) struct Assembled {
    pub engine: Arc<Engine>,
    pub store: Arc<SqlStore>,
    pub commands: Vec<Arc<CommandExecutor>>,
    /// The forges that can be asked for deliveries that did not arrive.
    pub redeliveries: BTreeMap<ForgeName, Arc<dyn Redelivery>>,
    /// What `doctor` asks each GitHub.
    pub facts: BTreeMap<ForgeName, GithubFacts>,
    /// Holds an empty record, where there was none to look at.
    _scratch: Option<tempfile::TempDir>,
}

/// Puts the parts together. Nothing runs yet, except that the policies were loaded.
pub(super) async fn assemble(config: &Checked, record: RecordUse) -> Result<Assembled, StartError> {
    let folder = &config.folder;
    let place = Place::of(&config.state)?;
    let mut scratch = None;
    let store = match record {
        RecordUse::Write => place.open().await?,
        RecordUse::Look if place.is_there().await? => place.open_read_only().await?,
        RecordUse::Look => {
            let made = tempfile::tempdir().map_err(|source| local("a temporary folder cannot be made", source))?;
            let store = SqlStore::open(&made.path().join("empty.db")).await?;
            scratch = Some(made);
            store
        }
    };
    let store = Arc::new(store);
    let judge = WorkerJudge::new(worker_options(&config.policies, &config.policy_limits)?);
    // Policies that do not load are no reason not to start: every verdict is a refusal until they do.
    if let Err(error) = judge.reload().await {
        tracing::error!(%error, "nothing is let through until the policies are mended");
    }
    let artifacts = ArtifactStore::new(folder.join("artifacts"));
    let (executors, commands) = executors(config, &artifacts, &folder.join("work"));
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let forges = Forges::new(config, &clock);
    let sources = GitSources::new(folder.join("mirrors"), config.sources.iter().map(source_spec).collect())?
        .with_logins(forges.logins);
    let ports = Ports {
        store: Arc::clone(&store) as Arc<dyn Store>,
        source: Arc::new(sources),
        judge: Arc::new(judge),
        executors,
        forges: forges.shown,
        requests: vec![Arc::new(inbox_of(config)), Arc::new(LedgerRequests::new(Arc::clone(&store) as Arc<dyn Store>))],
        reviews: forges.reviews,
        clock,
    };
    let engine = Arc::new(Engine::new(ports, settings(config)));
    Ok(Assembled { engine, store, commands, redeliveries: forges.redeliveries, facts: forges.facts, _scratch: scratch })
}

/// Where people leave on this machine what they ask for.
pub(super) fn inbox_of(config: &Checked) -> Inbox {
    Inbox::new(config.folder.join("inbox"))
}

/// How policies are evaluated: from these folders, or with none from the pack that ships.
pub(super) fn worker_options(folders: &[PathBuf], limits: &CheckedPolicyLimits) -> Result<WorkerOptions, StartError> {
    let sources = if folders.is_empty() { PolicySources::Shipped } else { PolicySources::Folders(folders.to_vec()) };
    let mut options = WorkerOptions::new(sources).map_err(|source| local("our own program cannot be found", source))?;
    options.timeout = limits.timeout;
    options.memory_mib = limits.memory_bytes >> 20;
    Ok(options)
}

/// The SQL executor of this name, to ask it what it holds; `None` when it is of another kind.
pub(super) fn sql_executor(config: &Checked, name: &ExecutorName) -> Option<SqlExecutor> {
    let artifacts = ArtifactStore::new(config.folder.join("artifacts"));
    sql_spec(config, name).map(|spec| SqlExecutor::new(spec, artifacts))
}

/// Who holds what is leased. One process at a time writes to an SQLite record, so whoever opened it is the one
/// that held everything before. Of replicas each is another, also after a restart.
fn holder(state: &StateLocation) -> String {
    match state {
        StateLocation::Sqlite(_) => "single".to_owned(),
        StateLocation::Postgres(_) => {
            let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
            let own = uuid::Uuid::new_v4().simple().to_string();
            format!("{host}-{}", own.get(..8).unwrap_or(&own))
        }
    }
}

fn settings(config: &Checked) -> EngineSettings {
    let watched = |source: &CheckedSource| Watched {
        url: source.url.clone(),
        branch: source.branch.clone(),
        globs: source.descriptors.clone(),
        platform: config.platform_digest_for(source),
        comment: config.comment_mode(source),
    };
    EngineSettings {
        namespace: config.namespace.clone(),
        compatibility: config.compatibility,
        platform: config.platform.clone(),
        sources: config.sources.iter().map(|source| (source.name.clone(), watched(source))).collect(),
        holder: holder(&config.state),
        lease: LEASE,
        grace: config.grace,
        parallel_looks: PARALLEL_LOOKS,
        parallel_activities: PARALLEL_ACTIVITIES,
        retry_pause: RETRY_PAUSE,
        longest_pause: LONGEST_PAUSE,
    }
}

fn source_spec(source: &CheckedSource) -> GitSourceSpec {
    GitSourceSpec {
        name: source.name.clone(),
        url: source.location.to_string(),
        branch: source.branch.clone(),
        timeout: source.fetch_timeout,
        credentials: source.credentials.clone(),
    }
}

type Executors = (BTreeMap<ExecutorName, Arc<dyn Executor>>, Vec<Arc<CommandExecutor>>);

fn executors(config: &Checked, artifacts: &ArtifactStore, work: &Path) -> Executors {
    let mut all: BTreeMap<ExecutorName, Arc<dyn Executor>> = BTreeMap::new();
    let mut commands = Vec::new();
    for (name, executor) in &config.executors {
        match &executor.kind {
            CheckedExecutorKind::Command { command, env, secrets, max_output_bytes } => {
                let spec = CommandSpec {
                    name: name.to_string(),
                    command: command.clone(),
                    env: env.clone(),
                    secrets: secrets.clone(),
                    max_output: *max_output_bytes,
                };
                let command = Arc::new(CommandExecutor::new(spec, artifacts.clone(), work.to_path_buf()));
                commands.push(Arc::clone(&command));
                all.insert(name.clone(), command);
            }
            CheckedExecutorKind::Sql { .. } => {
                if let Some(spec) = sql_spec(config, name) {
                    all.insert(name.clone(), Arc::new(SqlExecutor::new(spec, artifacts.clone())));
                }
            }
        }
    }
    (all, commands)
}

fn sql_spec(config: &Checked, name: &ExecutorName) -> Option<SqlSpec> {
    let CheckedExecutorKind::Sql { location, schema, allow_destructive } = &config.executors.get(name)?.kind else {
        return None;
    };
    let url = match location {
        SqlLocation::SqliteFolder(folder) => UrlRef::Plain(format!("sqlite://{}", folder.display())),
        SqlLocation::Postgres(url) => UrlRef::Plain(url.clone()),
        SqlLocation::Secret(secret) => UrlRef::Secret(secret.clone()),
    };
    Some(SqlSpec {
        name: name.to_string(),
        url,
        schema_template: schema.clone(),
        allow_destructive: *allow_destructive,
    })
}

fn local(what: &'static str, source: io::Error) -> StartError {
    StartError::Local { what, source }
}
