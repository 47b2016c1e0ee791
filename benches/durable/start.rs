//! The start after a crash, with much that is unfinished.

use std::sync::Arc;
use std::time::{Duration, Instant};

use meshwright::adapter::store::SqlStore;

use super::executor::Nothing;
use super::place::{self, Place, Running};
use super::{millis, row, runtime, setting};

/// How many tasks of the generator's products there are for each hundred of them: nine of ten have no mistake,
/// and two stages of two tasks.
const TASKS_OF_A_HUNDRED: usize = 360;

pub fn measure() {
    let wanted = setting("MESHWRIGHT_BENCH_TASKS", 10_000);
    let place = Place::file();
    let doomed = runtime();
    let (world, tasks) = doomed.block_on(async {
        let world = place::world((wanted * 100).div_ceil(TASKS_OF_A_HUNDRED).next_multiple_of(10)).await;
        let store = place.open().await;
        let executor = Nothing::never_ending();
        let engine = place::replica(&world, "one", &store, &executor);
        let tasks = place::tasks(&place::plan(&world.target, &engine).await);
        let parallel = engine.settings().parallel_activities;
        let running = Running::start(engine).await;
        place::eventually(async || executor.asked() == parallel).await;
        // Nothing is stopped: it goes down with the runtime.
        drop(running);
        (world, tasks)
    });
    let after = Place::file();
    // The files as they stand while it runs: what `kill -9` leaves.
    for ending in ["", "-wal"] {
        let name = |path: std::path::PathBuf| format!("{}{ending}", path.display());
        std::fs::copy(name(place.path()), name(after.path())).unwrap();
    }
    doomed.shutdown_background();

    runtime().block_on(async {
        let executor = Nothing::taking(Duration::ZERO);
        let began = Instant::now();
        let store: Arc<SqlStore> = after.open().await;
        let opened = began.elapsed();
        let running = Running::start(place::replica(&world, "one", &store, &executor)).await;
        let recovered = began.elapsed();
        let asked = first(&executor).await - began;
        place::eventually(async || executor.asked() > 0).await;
        let what =
            format!("start after a crash with {tasks} unfinished tasks, SQLite, until the first task is asked for");
        let parts = format!("record open after {}, recovered after {}", millis(opened), millis(recovered));
        row(&what, &format!("{} ({parts})", millis(asked)));
        running.stop().await;
        store.close().await;
    });
}

async fn first(executor: &Nothing) -> Instant {
    loop {
        if let Some(first) = executor.take_first() {
            return first;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}
