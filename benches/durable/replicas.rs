//! One, two and three replicas on one server, each with a connection pool of its own: how the work scales, when
//! all of it is one source's, and when it is that of several.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use meshwright::adapter::git::GitSources;
use meshwright::adapter::store::SqlStore;
use meshwright::domain::id::SourceName;
use meshwright::domain::source::Target;
use meshwright::engine::{Engine, EngineSettings, Ports, Watched};
use tempfile::TempDir;

use super::executor::Nothing;
use super::generator::DOMAINS;
use super::place::{self, Place, Running};
use super::postgres::Postgres;
use super::world::{World, sources_named};
use super::{rate, row, runtime, setting};

/// How many replicas, one run after the other.
const REPLICAS: [usize; 3] = [1, 2, 3];
/// How long a task takes, in milliseconds.
const PAUSES: [u64; 3] = [200, 20, 0];

pub fn measure(server: Option<&Postgres>) {
    let Some(server) = server else {
        row("activities a second, PostgreSQL, 1, 2 and 3 replicas", "SKIPPED: no PostgreSQL server");
        return;
    };
    let products = setting("MESHWRIGHT_BENCH_N", 1_000).div_ceil(3);
    runtime().block_on(async {
        for names in [&["mesh"][..], &DOMAINS] {
            let mesh = Mesh::new(products, names).await;
            for pause in PAUSES.map(Duration::from_millis) {
                let mut rates = Vec::new();
                let mut activities = 0;
                for replicas in REPLICAS {
                    let (count, took) = mesh.roll_out(&Place::server(server), replicas, pause).await;
                    activities = count;
                    rates.push(rate(count, took));
                }
                let figures: Vec<String> =
                    rates.iter().map(|rate| format!("{rate:.0} ({:.2})", rate / rates[0])).collect();
                let what = format!(
                    "activities a second with 1, 2 and 3 replicas (and the ratio to 1), PostgreSQL, {activities} of {} \
                     source(s), tasks of {} ms",
                    names.len(),
                    pause.as_millis()
                );
                row(&what, &figures.join(", "));
            }
        }
    });
}

/// A world whose repository is one source, or that of each folder another.
struct Mesh {
    world: World,
    source: Arc<GitSources>,
    watched: BTreeMap<SourceName, Watched>,
    _mirrors: TempDir,
}

impl Mesh {
    async fn new(products: usize, names: &[&str]) -> Self {
        let world = place::world(products).await;
        let mirrors = tempfile::tempdir().unwrap();
        let source = Arc::new(sources_named(names, world.repository.path(), mirrors.path()));
        let whole = &world.engine.settings().sources[&world.target.source];
        let watched = names.iter().map(|name| {
            let globs = match names.len() {
                1 => whole.globs.clone(),
                _ => vec![format!("{name}/{}", whole.globs[0])],
            };
            (name.parse().unwrap(), Watched { globs, ..whole.clone() })
        });
        let watched = watched.collect();
        Self { world, source, watched, _mirrors: mirrors }
    }

    fn replica(&self, holder: &str, store: &Arc<SqlStore>, executor: &Arc<Nothing>) -> Arc<Engine> {
        let whole = place::replica(&self.world, holder, store, executor);
        let ports = Ports { source: Arc::clone(&self.source) as _, ..whole.ports().clone() };
        let settings = EngineSettings { sources: self.watched.clone(), ..whole.settings().clone() };
        Arc::new(Engine::new(ports, settings))
    }

    /// How many activities it were, and how long they took.
    async fn roll_out(&self, place: &Place, replicas: usize, pause: Duration) -> (usize, Duration) {
        let executor = Nothing::taking(pause);
        let first = place.open().await;
        let engine = self.replica("r0", &first, &executor);
        let (mut activities, mut tasks) = (0, 0);
        for name in self.watched.keys() {
            let plan = place::plan(&Target::branch(name.clone()), &engine).await;
            activities += plan.activities.len();
            tasks += place::tasks(&plan);
        }
        let mut stores = vec![first];
        for _ in 1..replicas {
            stores.push(place.open().await);
        }
        let began = Instant::now();
        let mut running = Vec::new();
        for (number, store) in stores.iter().enumerate() {
            running.push(Running::start(self.replica(&format!("r{number}"), store, &executor)).await);
        }
        place::all_done(&executor, tasks, &stores[0]).await;
        let took = began.elapsed();
        assert_eq!(executor.done(), tasks, "each task once");
        for replica in running {
            replica.stop().await;
        }
        for store in stores {
            store.close().await;
        }
        (activities, took)
    }
}
