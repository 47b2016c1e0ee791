//! A whole small world in process: a real repository, a real mirror, a real record, a forge that
//! writes real notes, executors that run real programs; and the engine over all of it, put together
//! through its public door. Only the clock can be set, and the judge chosen.

#![expect(
    clippy::disallowed_methods,
    reason = "a world that cannot be made is a failed test; it writes into its own temporary folder"
)]

mod hesitant;
mod product;
mod rollouts;

pub use hesitant::Hesitant;
pub use product::{Descriptor, path_of};

pub use super::allowing::Allowing;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use meshwright::adapter::executors::{ArtifactStore, CommandExecutor, CommandSpec};
use meshwright::adapter::git::{GitSourceSpec, GitSources};
use meshwright::adapter::local_forge::LocalForge;
use meshwright::adapter::policy_worker::{PolicySources, WorkerJudge, WorkerOptions};
use meshwright::adapter::store::SqlStore;
use meshwright::domain::forge::CommentMode;
use meshwright::domain::id::{Digest, ExecutorName, Revision, SourceName};
use meshwright::domain::plan::Plan;
use meshwright::domain::source::Target;
use meshwright::domain::stage::{ExecutorProfile, Gate, OnNewCommit, Phase, Platform, Stage};
use meshwright::domain::time::Timestamp;
use meshwright::engine::{Engine, EngineSettings, PassOutcome, Ports, Watched};
use meshwright::port::clock::Clock;
use meshwright::port::executor::Executor;
use meshwright::port::forge::Forge;
use meshwright::port::forge::reviews::Reviews;
use meshwright::port::judge::Judge;
use meshwright::port::requests::Requests;
use meshwright::port::store::{ContainerRow, Store};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use super::repository::TestRepository;

/// The source that a world has, unless it is given more.
pub const SOURCE: &str = "retail";

/// A clock that stands until it is set.
#[derive(Debug)]
pub struct SettableClock(AtomicI64);

impl SettableClock {
    /// Moves on.
    pub fn advance(&self, by: Duration) {
        self.0.fetch_add(i64::try_from(by.as_millis()).unwrap(), Ordering::SeqCst);
    }
}

impl Clock for SettableClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millisecond(self.0.load(Ordering::SeqCst)).unwrap()
    }
}

/// What outlives every engine of the story.
pub struct World {
    /// The source's repository.
    pub repository: TestRepository,
    /// The time.
    pub clock: Arc<SettableClock>,
    /// How long one attempt of a task may take, in seconds.
    pub task_timeout: u64,
    /// Further sources, by name.
    pub others: BTreeMap<SourceName, PathBuf>,
    /// Forges that take the place of notes, by source.
    pub forges: BTreeMap<SourceName, Arc<dyn Forge>>,
    /// Executors that take the place of programs, by phase.
    pub replaced: BTreeMap<Phase, Arc<dyn Executor>>,
    /// How many activities run at once.
    pub parallel: usize,
    /// How long what is leased stays so without a heartbeat.
    pub lease: Duration,
    /// The pause before a second attempt of a task.
    pub retry_pause: Duration,
    /// How many people have to approve at the gate of `prod`; with 0 it has none.
    pub approvals: u32,
    /// Whether programs undo what they did: then it is in the ledger as `undo-<task>`.
    pub undoes: bool,
    /// What becomes of what runs when a later commit wants something else.
    pub on_new_commit: OnNewCommit,
    /// Where people ask for something.
    pub requests: Vec<Arc<dyn Requests>>,
    /// Where proposals are asked for, by source.
    pub reviews: BTreeMap<SourceName, Arc<dyn Reviews>>,
    /// When pull requests get a comment.
    pub comment: CommentMode,
    /// Where the source's repository is told to be, when it is not where it lies.
    pub shown_url: Option<String>,
    folder: TempDir,
}

/// One line of the executors' ledger: what a program did out in the world.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Effect {
    /// The task's key.
    pub key: String,
    /// `product stage task version`.
    pub what: String,
    /// Which attempt.
    pub attempt: u32,
}

impl World {
    /// A world whose repository has no commit.
    pub fn new() -> Self {
        Self::of(TestRepository::new())
    }

    /// A world around a repository.
    pub fn of(repository: TestRepository) -> Self {
        let folder = tempfile::Builder::new().prefix("meshwright-world-").tempdir().unwrap();
        std::fs::create_dir(folder.path().join("control")).unwrap();
        Self {
            repository,
            clock: Arc::new(SettableClock(AtomicI64::new(1_795_000_000_000))),
            task_timeout: 30,
            others: BTreeMap::new(),
            forges: BTreeMap::new(),
            replaced: BTreeMap::new(),
            parallel: 2,
            lease: Duration::from_secs(30),
            retry_pause: Duration::from_millis(5),
            approvals: 0,
            undoes: false,
            on_new_commit: OnNewCommit::default(),
            requests: Vec::new(),
            reviews: BTreeMap::new(),
            comment: CommentMode::default(),
            shown_url: None,
            folder,
        }
    }

    /// A path in the folder beside the repository.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Where the record is.
    pub fn state(&self) -> PathBuf {
        self.path("state.db")
    }

    /// From now on a task of a product does this, in `sh`, after it is in the ledger.
    pub fn control(&self, product: &str, task: &str, script: &str) {
        let path = self.path("control").join(format!("{product}.{task}"));
        // Renamed into place, because a program may be reading it right now.
        let beside = self.path(&format!("{product}.{task}.new"));
        std::fs::write(&beside, script).unwrap();
        std::fs::rename(beside, path).unwrap();
    }

    /// A task goes on when the returned file is there, and then does this.
    pub fn gate(&self, product: &str, task: &str, end: &str) -> PathBuf {
        let open = self.path(&format!("{product}-may-go-on"));
        self.control(product, task, &format!("while [ ! -e '{}' ]; do sleep 0.05; done; {end}", open.display()));
        open
    }

    /// What the executors' programs did, in the order in which they did it.
    pub fn ledger(&self) -> Vec<Effect> {
        let text = std::fs::read_to_string(self.path("ledger")).unwrap_or_default();
        let effect = |line: &str| {
            let (key, rest) = line.split_once(' ').unwrap();
            let (what, attempt) = rest.rsplit_once(' ').unwrap();
            Effect { key: key.to_owned(), what: what.to_owned(), attempt: attempt.parse().unwrap() }
        };
        text.lines().map(effect).collect()
    }

    /// What was done, each thing once: `product stage task version`.
    pub fn done(&self) -> BTreeSet<String> {
        self.ledger().into_iter().map(|effect| effect.what).collect()
    }

    /// The judge that asks the policies of the folder `policies` in child processes.
    pub async fn worker_judge(&self) -> Arc<WorkerJudge> {
        let folder = self.path("policies");
        std::fs::create_dir_all(&folder).unwrap();
        let mut options = WorkerOptions::new(PolicySources::Folders(vec![folder])).unwrap();
        options.program = env!("CARGO_BIN_EXE_meshwright").into();
        let judge = WorkerJudge::new(options);
        judge.reload().await.unwrap();
        Arc::new(judge)
    }

    /// Writes a policy; the judge has to be told.
    pub fn policy(&self, name: &str, rego: &str) {
        std::fs::create_dir_all(self.path("policies")).unwrap();
        std::fs::write(self.path("policies").join(format!("{name}.rego")), rego).unwrap();
    }

    /// Starts: opens the record, and lets everything through.
    pub async fn start(&self) -> Started {
        self.start_with(Arc::new(Allowing)).await
    }

    /// Starts with a judge.
    pub async fn start_with(&self, judge: Arc<dyn Judge>) -> Started {
        let store = Arc::new(SqlStore::open(&self.state()).await.unwrap());
        let engine = self.engine(Arc::clone(&store) as Arc<dyn Store>, judge);
        Started { engine, store, stop: CancellationToken::new(), repository: self.repository.path().to_path_buf() }
    }

    /// An engine over a record.
    pub fn engine(&self, store: Arc<dyn Store>, judge: Arc<dyn Judge>) -> Arc<Engine> {
        self.engine_of("world", "mirrors", store, judge)
    }

    /// One of several that share a record, with mirrors of its own.
    pub fn replica(&self, holder: &str, store: Arc<dyn Store>) -> Arc<Engine> {
        self.engine_of(holder, &format!("mirrors-{holder}"), store, Arc::new(Allowing))
    }

    fn engine_of(&self, holder: &str, mirrors: &str, store: Arc<dyn Store>, judge: Arc<dyn Judge>) -> Arc<Engine> {
        let mut repositories = self.others.clone();
        repositories.insert(source(), self.repository.path().to_path_buf());
        let specs = repositories.iter().map(|(name, path)| GitSourceSpec {
            name: name.clone(),
            url: path.display().to_string(),
            branch: "main".to_owned(),
            timeout: Duration::from_secs(20),
            credentials: None,
        });
        let sources = GitSources::new(self.path(mirrors), specs.collect()).unwrap();
        let names: Vec<SourceName> = repositories.keys().cloned().collect();
        let notes: Arc<dyn Forge> = Arc::new(LocalForge::new(repositories.clone()));
        let mut forges: BTreeMap<_, _> = names.iter().map(|name| (name.clone(), Arc::clone(&notes))).collect();
        forges.extend(self.forges.clone());
        let (executors, profiles) = self.executors();
        let platform = Platform { stages: stages(self.approvals, self.on_new_commit), executors: profiles };
        let watched = |path: &PathBuf| Watched {
            url: self.shown_url.clone().unwrap_or_else(|| path.display().to_string()),
            branch: "main".to_owned(),
            globs: meshwright::config::default_descriptors(),
            platform: Digest::of(format!("{platform:?}").as_bytes()),
            comment: self.comment,
        };
        let settings = EngineSettings {
            namespace: "com.example".parse().unwrap(),
            compatibility: Default::default(),
            sources: repositories.iter().map(|(name, path)| (name.clone(), watched(path))).collect(),
            platform,
            holder: holder.to_owned(),
            lease: self.lease,
            grace: Duration::ZERO,
            parallel_looks: 2,
            parallel_activities: self.parallel,
            retry_pause: self.retry_pause,
            longest_pause: Duration::from_secs(60),
        };
        let clock = Arc::clone(&self.clock) as Arc<dyn Clock>;
        let ports = Ports {
            store,
            source: Arc::new(sources),
            judge,
            executors,
            forges,
            requests: self.requests.clone(),
            reviews: self.reviews.clone(),
            clock,
        };
        Arc::new(Engine::new(ports, settings))
    }

    fn executors(&self) -> (BTreeMap<ExecutorName, Arc<dyn Executor>>, BTreeMap<ExecutorName, ExecutorProfile>) {
        let script = format!(
            r#"set -eu
MESHWRIGHT_TASK="${{MESHWRIGHT_UNDOES:+undo-}}$MESHWRIGHT_TASK"
what="$MESHWRIGHT_PRODUCT_NAME $MESHWRIGHT_STAGE $MESHWRIGHT_TASK $MESHWRIGHT_VERSION"
printf '%s %s %s\n' "$MESHWRIGHT_TASK_KEY" "$what" "$MESHWRIGHT_ATTEMPT" >> '{0}/ledger'
control='{0}/control/'"$MESHWRIGHT_PRODUCT_NAME.$MESHWRIGHT_TASK"
if [ -e "$control" ]; then . "$control"; fi"#,
            self.folder.path().display()
        );
        let artifacts = ArtifactStore::new(self.path("artifacts"));
        let phases = [Phase::Provision, Phase::Build, Phase::Deploy];
        let executor = |phase: Phase| {
            if let Some(other) = self.replaced.get(&phase) {
                return Arc::clone(other);
            }
            let spec = CommandSpec {
                name: phase.as_str().to_owned(),
                command: vec!["sh".to_owned(), "-c".to_owned(), script.clone()],
                env: Vec::new(),
                secrets: BTreeMap::new(),
                max_output: 65_536,
                compensate: self.undoes.then(|| vec!["sh".to_owned(), "-c".to_owned(), script.clone()]),
            };
            Arc::new(CommandExecutor::new(spec, artifacts.clone(), self.path("work"))) as Arc<dyn Executor>
        };
        let profile = |phase| ExecutorProfile { phase, timeout_seconds: self.task_timeout, attempts: 3 };
        let name = |phase: Phase| phase.as_str().parse::<ExecutorName>().unwrap();
        (
            phases.map(|phase| (name(phase), executor(phase))).into(),
            phases.map(|phase| (name(phase), profile(phase))).into(),
        )
    }
}

/// An engine that was started, with its record.
pub struct Started {
    /// The engine.
    pub engine: Arc<Engine>,
    /// Its record.
    pub store: Arc<SqlStore>,
    /// Stops rollouts.
    pub stop: CancellationToken,
    repository: PathBuf,
}

impl Started {
    /// One pass over the world's own source.
    pub async fn pass(&self) -> PassOutcome {
        self.engine.pass(&target()).await.unwrap()
    }

    /// One pass that must record a plan.
    pub async fn plan(&self) -> Plan {
        match self.pass().await {
            PassOutcome::Recorded { plan } => *plan,
            other => panic!("no plan was recorded: {other:?}"),
        }
    }

    /// Rolls out until nothing can be begun, and publishes what is due.
    pub async fn settle(&self) {
        self.engine.roll_out_all(&self.stop).await.unwrap();
        self.engine.publish_due().await.unwrap();
    }

    /// A whole trip: pass, rollouts, reports.
    pub async fn trip(&self) -> Plan {
        let plan = self.plan().await;
        self.settle().await;
        plan
    }

    /// What runs: `product stage version`.
    pub async fn running(&self) -> Vec<String> {
        let rows = meshwright::port::store::Look::container_rows(self.store.as_ref()).await.unwrap();
        let line = |row: &ContainerRow| format!("{} {} {}", row.product.product_name(), row.stage, row.version);
        rows.iter().map(line).collect()
    }

    /// The statuses that the repository's notes show of a commit, by context without its prefix:
    /// `state: description`.
    pub fn statuses(&self, revision: &Revision) -> BTreeMap<String, String> {
        statuses(&self.repository, revision)
    }

    /// The rule ids of the findings that stand, each with its file and line.
    pub async fn findings(&self) -> Vec<String> {
        let rows = meshwright::port::store::Look::finding_rows(self.store.as_ref(), None).await.unwrap();
        rows.iter()
            .map(|row| {
                let place = &row.finding.location;
                format!("{} {}:{}", row.finding.rule.as_str(), place.file, place.line)
            })
            .collect()
    }

    /// Stops as a process does that is told to: rollouts under way are left, the record is closed.
    pub async fn close(self) {
        self.stop.cancel();
        self.store.close().await;
    }
}

/// The world's own source.
pub fn source() -> SourceName {
    SOURCE.parse().unwrap()
}

/// The world's own target.
pub fn target() -> Target {
    Target::branch(source())
}

/// What a commit's note shows, by context without its prefix: `state: description`.
pub fn statuses(repository: &Path, revision: &Revision) -> BTreeMap<String, String> {
    let statuses = LocalForge::read(repository, revision).unwrap();
    let short = |context: &str| context.trim_start_matches("meshwright/").to_owned();
    statuses
        .into_iter()
        .map(|status| (short(&status.context), format!("{}: {}", status.state.as_str(), status.description)))
        .collect()
}

/// `dev`, and after it `prod`, at whose gate so many have to approve.
fn stages(approvals: u32, on_new_commit: OnNewCommit) -> Vec<Stage> {
    let dev = Stage { name: "dev".parse().unwrap(), after: Vec::new(), gate: None, on_new_commit };
    let gate = (approvals > 0).then_some(Gate { approvals });
    vec![dev, Stage { name: "prod".parse().unwrap(), after: vec!["dev".parse().unwrap()], gate, on_new_commit }]
}

impl World {
    /// Commits descriptors, each in its own folder.
    pub fn commit(&self, descriptors: &[Descriptor]) -> Revision {
        let files: Vec<(String, String)> =
            descriptors.iter().map(|descriptor| (descriptor.path(), descriptor.yaml())).collect();
        let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
        self.repository.commit(&files, "a change")
    }
}

/// Waits until something is so, for a minute at most.
pub async fn eventually(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let began = Instant::now();
    while !is_so().await {
        assert!(began.elapsed() < Duration::from_secs(60), "in a minute it did not come to this: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
