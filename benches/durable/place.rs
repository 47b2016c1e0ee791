//! Records to measure with, and replicas on them.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use meshwright::adapter::store::SqlStore;
use meshwright::adapter::store::postgres::PostgresOptions;
use meshwright::domain::plan::Plan;
use meshwright::domain::source::Target;
use meshwright::engine::{Engine, EngineSettings, PassOutcome, Ports};
use meshwright::port::store::ActivityBook as _;
use sqlx::{Connection as _, PgConnection};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::allowing::Allowing;
use super::executor::Nothing;
use super::postgres::Postgres;
use super::world::World;

/// Longer than anything takes that goes on at all.
const PATIENCE: Duration = Duration::from_secs(1_800);

/// A mesh of so many products whose policies allow everything.
pub async fn world(products: usize) -> World {
    World::new(products, Arc::new(Allowing)).await
}

/// An empty record, in a place of its own.
pub enum Place {
    File(TempDir),
    Server(Box<PostgresOptions>),
}

impl Place {
    pub fn file() -> Self {
        Self::File(tempfile::tempdir().unwrap())
    }

    /// A schema of its own.
    pub fn server(server: &Postgres) -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let schema = format!("bench_{}", NEXT.fetch_add(1, Ordering::SeqCst));
        Self::Server(Box::new(server.record_url(&schema).parse().unwrap()))
    }

    /// The places that there are.
    pub fn all(server: Option<&Postgres>) -> Vec<Self> {
        std::iter::once(Self::file()).chain(server.map(Self::server)).collect()
    }

    pub const fn name(&self) -> &'static str {
        match self {
            Self::File(_) => "SQLite",
            Self::Server(_) => "PostgreSQL",
        }
    }

    /// Where the record's file is.
    pub fn path(&self) -> PathBuf {
        let Self::File(folder) = self else { panic!("it is on a server") };
        folder.path().join("state.db")
    }

    /// Opens it as a process of its own would.
    pub async fn open(&self) -> Arc<SqlStore> {
        Arc::new(match self {
            Self::File(_) => SqlStore::open(&self.path()).await.unwrap(),
            Self::Server(options) => SqlStore::connect(options).await.unwrap(),
        })
    }
}

/// Whether the server waits for its disk.
pub async fn fsync(server: &Postgres) -> String {
    let mut connection = PgConnection::connect(&server.url()).await.unwrap();
    let fsync = sqlx::query_scalar("SHOW fsync").fetch_one(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    fsync
}

/// A replica in the world, with another record and other executors than the world's own.
pub fn replica(world: &World, holder: &str, store: &Arc<SqlStore>, executor: &Arc<Nothing>) -> Arc<Engine> {
    let ports = Ports { store: Arc::clone(store) as _, executors: executor.as_all(), ..world.engine.ports().clone() };
    let settings = EngineSettings { holder: holder.to_owned(), ..world.engine.settings().clone() };
    Arc::new(Engine::new(ports, settings))
}

/// A replica whose loops run.
pub struct Running {
    pub engine: Arc<Engine>,
    stop: CancellationToken,
    loops: JoinHandle<()>,
}

impl Running {
    /// Starts as the daemon does.
    pub async fn start(engine: Arc<Engine>) -> Self {
        engine.recover().await.unwrap();
        let stop = CancellationToken::new();
        let (own, ending) = (Arc::clone(&engine), stop.clone());
        let loops = tokio::spawn(async move { own.run_until(&ending).await });
        Self { engine, stop, loops }
    }

    pub async fn stop(self) {
        self.stop.cancel();
        self.loops.await.unwrap();
    }
}

/// Looks at the branch, and answers with the plan that was recorded.
pub async fn plan(target: &Target, engine: &Engine) -> Plan {
    match engine.pass(target).await.unwrap() {
        PassOutcome::Recorded { plan } => *plan,
        other => panic!("nothing was recorded: {other:?}"),
    }
}

pub fn tasks(plan: &Plan) -> usize {
    plan.activities.iter().map(|activity| activity.tasks.len()).sum()
}

/// Waits until so many tasks have ended, and nothing is unfinished in the record.
pub async fn all_done(executor: &Nothing, tasks: usize, store: &SqlStore) {
    eventually(async || executor.done() >= tasks && store.unfinished().await.unwrap().is_empty()).await;
}

/// Looks every few milliseconds.
pub async fn eventually(holds: impl AsyncFn() -> bool) {
    let began = Instant::now();
    while !holds().await {
        assert!(began.elapsed() < PATIENCE, "it does not come to its end");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}
