//! One, two and three replicas on one server, each with a connection pool of its own: how the work scales.

use std::time::{Duration, Instant};

use super::executor::Nothing;
use super::place::{self, Place, Running};
use super::postgres::Postgres;
use super::world::World;
use super::{rate, row, runtime, setting};

/// How many replicas, one run after the other.
const REPLICAS: [usize; 3] = [1, 2, 3];

pub fn measure(server: Option<&Postgres>) {
    let Some(server) = server else {
        row("activities a second, PostgreSQL, 1, 2 and 3 replicas", "SKIPPED: no PostgreSQL server");
        return;
    };
    let products = setting("MESHWRIGHT_BENCH_N", 1_000).div_ceil(3);
    runtime().block_on(async {
        let world = place::world(products).await;
        for pause in [Duration::from_millis(200), Duration::from_millis(20), Duration::ZERO] {
            let mut rates = Vec::new();
            let mut activities = 0;
            for replicas in REPLICAS {
                let (count, took) = roll_out(&world, &Place::server(server), replicas, pause).await;
                activities = count;
                rates.push(rate(count, took));
            }
            let figures: Vec<String> = rates.iter().map(|rate| format!("{rate:.0} ({:.2})", rate / rates[0])).collect();
            let what = format!(
                "activities a second with 1, 2 and 3 replicas (and the ratio to 1), PostgreSQL, {activities} in one \
                 plan, tasks of {} ms",
                pause.as_millis()
            );
            row(&what, &figures.join(", "));
        }
    });
}

/// How many activities it were, and how long they took.
async fn roll_out(world: &World, place: &Place, replicas: usize, pause: Duration) -> (usize, Duration) {
    let executor = Nothing::taking(pause);
    let first = place.open().await;
    let plan = place::plan(world, &place::replica(world, "r0", &first, &executor)).await;
    let mut stores = vec![first];
    for _ in 1..replicas {
        stores.push(place.open().await);
    }
    let began = Instant::now();
    let mut running = Vec::new();
    for (number, store) in stores.iter().enumerate() {
        let engine = place::replica(world, &format!("r{number}"), store, &executor);
        running.push(Running::start(engine).await);
    }
    place::all_done(&executor, place::tasks(&plan), &stores[0]).await;
    let took = began.elapsed();
    assert_eq!(executor.done(), place::tasks(&plan), "each task once");
    for replica in running {
        replica.stop().await;
    }
    for store in stores {
        store.close().await;
    }
    (plan.activities.len(), took)
}
