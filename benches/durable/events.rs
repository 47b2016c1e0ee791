//! Events that are appended to logs of activities: each is a transaction that is durable when it returns.

use std::sync::Arc;
use std::time::Instant;

use meshwright::adapter::clock::SystemClock;
use meshwright::adapter::store::SqlStore;
use meshwright::domain::activity::{ActivityEvent, FencingToken};
use meshwright::domain::plan::PlannedActivity;
use meshwright::port::clock::Clock as _;
use meshwright::port::store::{ActivityBook as _, PassBook as _};
use serde_json::json;

use super::place::{self, Place};
use super::postgres::Postgres;
use super::{rate, row, runtime, setting};

/// How many write at once, one run after the other.
const WRITERS: [usize; 2] = [1, 8];

pub fn measure(server: Option<&Postgres>) {
    let products = setting("MESHWRIGHT_BENCH_N", 1_000);
    runtime().block_on(async {
        let world = place::world(products).await;
        let pass = world.engine.draft(&world.target, None).await.unwrap().unwrap().pass;
        for writers in WRITERS {
            for place in Place::all(server) {
                let store = place.open().await;
                store.record_pass(&pass).await.unwrap();
                let share = pass.plan.activities.len().div_ceil(writers);
                let began = Instant::now();
                let mut running = tokio::task::JoinSet::new();
                for activities in pass.plan.activities.chunks(share) {
                    running.spawn(write(Arc::clone(&store), activities.to_vec()));
                }
                let events: usize = running.join_all().await.into_iter().sum();
                let took = began.elapsed();
                let what = format!("recorded events a second, {}, {writers} writing", place.name());
                row(&what, &format!("{:.0} ({events} events)", rate(events, took)));
                store.close().await;
            }
        }
    });
}

/// Writes the whole logs of these activities, and says how many events that were.
async fn write(store: Arc<SqlStore>, activities: Vec<PlannedActivity>) -> usize {
    let mut events = 0;
    for activity in activities {
        let (now, until) = (SystemClock.now(), SystemClock.now() + std::time::Duration::from_secs(3_600));
        let token: FencingToken = store.claim(&activity.id, "bench", now, until).await.unwrap().unwrap();
        let of_tasks = (0..activity.tasks.len()).flat_map(|task| {
            let started = ActivityEvent::TaskStarted { task, attempt: 1, deadline: Some(until) };
            [started, ActivityEvent::TaskSucceeded { task, results: json!({"schema": "nothing"}) }]
        });
        events += 1;
        for event in of_tasks.chain([ActivityEvent::Succeeded]) {
            store.append(&activity.id, Some(token), &event, SystemClock.now()).await.unwrap();
            events += 1;
        }
    }
    events
}
