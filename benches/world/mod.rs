//! The real parts around a generated repository: mirror, record, engine.

#[path = "../../tests/support/wrapped_source.rs"]
mod wrapped_source;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use meshwright::adapter::clock::SystemClock;
use meshwright::adapter::git::{GitSourceSpec, GitSources};
use meshwright::adapter::store::SqlStore;
use meshwright::domain::forge::CommentMode;
use meshwright::domain::id::{Digest, SourceName};
use meshwright::domain::source::Target;
use meshwright::domain::stage::{ExecutorProfile, Phase, Platform, Stage};
use meshwright::engine::{Engine, EngineSettings, PassOutcome, Ports, Watched};
use meshwright::port::judge::Judge;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection};
use tempfile::TempDir;

use self::wrapped_source::{Hook, WrappedSource};
use super::generator;

/// What counts as a descriptor.
pub const GLOBS: [&str; 1] = ["**/data-product-descriptor.{yaml,yml,json}"];

/// A mesh of one source with `count` descriptors. Nothing is recorded yet.
pub struct World {
    pub repository: TempDir,
    pub engine: Arc<Engine>,
    pub source: Arc<WrappedSource<Timed>>,
    pub target: Target,
    state: PathBuf,
    count: usize,
    _folder: TempDir,
}

impl World {
    /// `judge` has its policies loaded.
    pub async fn new(count: usize, judge: Arc<dyn Judge>) -> Self {
        let repository = tempfile::tempdir().unwrap();
        generator::repository(repository.path(), count).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let name: SourceName = "mesh".parse().unwrap();
        let source =
            WrappedSource::of(Arc::new(sources(repository.path(), &folder.path().join("mirrors"))), Timed::default());
        let state = folder.path().join("state.db");
        let store = Arc::new(SqlStore::open(&state).await.unwrap());
        let ports = Ports {
            store,
            source: Arc::clone(&source) as _,
            judge,
            executors: Default::default(),
            forges: Default::default(),
            requests: Vec::new(),
            reviews: Default::default(),
            clock: Arc::new(SystemClock),
        };
        let watched = Watched {
            url: repository.path().display().to_string(),
            branch: generator::BRANCH.to_owned(),
            globs: GLOBS.map(str::to_owned).to_vec(),
            platform: Digest::of(b"platform"),
            comment: CommentMode::default(),
        };
        let settings = EngineSettings {
            namespace: generator::NAMESPACE.parse().unwrap(),
            compatibility: Default::default(),
            platform: platform(),
            sources: [(name.clone(), watched)].into_iter().collect(),
            holder: "bench".to_owned(),
            lease: Duration::from_secs(30),
            grace: Duration::ZERO,
            parallel_looks: 2,
            parallel_activities: 4,
            retry_pause: Duration::from_secs(1),
            longest_pause: Duration::from_secs(60),
        };
        let engine = Arc::new(Engine::new(ports, settings));
        Self { repository, engine, source, target: Target::branch(name), state, count, _folder: folder }
    }

    /// One pass; answers with how long it took beyond the fetch.
    pub async fn pass(&self) -> (PassOutcome, Duration) {
        self.source.hook.take();
        let start = Instant::now();
        let outcome = self.engine.pass(&self.target).await.unwrap();
        let took = start.elapsed();
        (outcome, took.saturating_sub(self.source.hook.take()))
    }

    /// Records all, and makes the record say that everything has been rolled out, as it is on most
    /// days. Rolling out eighteen thousand containers for this would take longer than everything else.
    pub async fn settle(&self) {
        let (outcome, _) = self.pass().await;
        let PassOutcome::Recorded { plan } = outcome else { panic!("nothing was recorded: {outcome:?}") };
        assert!(plan.activities.len() > self.count, "most products are rolled out at two stages");
        let mut connection = SqliteConnectOptions::new().filename(&self.state).connect().await.unwrap();
        for statement in [
            "INSERT INTO containers (product, stage, version, digest, revision, activity, results, since)
             SELECT product, stage, version, digest, revision, id, '{}', planned_at FROM activities",
            "UPDATE activities SET status = 'succeeded', done = tasks",
            "UPDATE versions SET released = 1",
        ] {
            sqlx::query(statement).execute(&mut connection).await.unwrap();
        }
        connection.close().await.unwrap();
    }
}

/// Two stages, and the executors that descriptors name. Nothing is ever executed here.
fn platform() -> Platform {
    let stage = |name: &str, after: &[&str]| Stage {
        name: name.parse().unwrap(),
        after: after.iter().map(|name| name.parse().unwrap()).collect(),
        gate: None,
        on_new_commit: Default::default(),
    };
    let executor =
        |name: &str, phase| (name.parse().unwrap(), ExecutorProfile { phase, timeout_seconds: 600, attempts: 3 });
    Platform {
        stages: vec![stage("dev", &[]), stage("prod", &["dev"])],
        executors: [executor("warehouse", Phase::Provision), executor("build", Phase::Build)].into_iter().collect(),
    }
}

/// The repository, mirrored below `mirrors`.
pub fn sources(repository: &Path, mirrors: &Path) -> GitSources {
    sources_named(&["mesh"], repository, mirrors)
}

/// The same repository as several sources.
pub fn sources_named(names: &[&str], repository: &Path, mirrors: &Path) -> GitSources {
    let spec = |name: &&str| GitSourceSpec {
        name: name.parse().unwrap(),
        url: repository.display().to_string(),
        branch: generator::BRANCH.to_owned(),
        timeout: Duration::from_secs(120),
        credentials: None,
    };
    GitSources::new(mirrors.to_path_buf(), names.iter().map(spec).collect()).unwrap()
}

/// Knows how long fetches took.
#[derive(Default)]
pub struct Timed(Mutex<Duration>);

impl Timed {
    /// How long fetches took since this was asked last.
    pub fn take(&self) -> Duration {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Hook for Timed {
    async fn fetch<T: Send>(&self, made: impl Future<Output = T> + Send) -> T {
        let start = Instant::now();
        let head = made.await;
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) += start.elapsed();
        head
    }
}
