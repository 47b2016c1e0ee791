//! Passes over a source at which nothing has changed, and how they grow with what is recorded.

use std::time::{Duration, Instant};

use meshwright::engine::PassOutcome;
use meshwright::port::source::Source as _;

use super::{median_and_longest, millis, place, row, runtime, setting};

/// How many passes are measured.
const PASSES: usize = 21;

pub fn measure() {
    let most = setting("MESHWRIGHT_BENCH_RECORDED", 100_000);
    let small = unchanged(most / 10);
    let large = unchanged(most);
    let ratio = large.as_secs_f64() / small.as_secs_f64();
    row(&format!("the same, {most} recorded products to {}, as a ratio", most / 10), &format!("{ratio:.2}"));
}

fn unchanged(count: usize) -> Duration {
    runtime().block_on(async {
        let world = place::world(count).await;
        world.settle().await;
        let (mut times, mut fetches) = (Vec::new(), Vec::new());
        for _ in 0..PASSES {
            let (outcome, took) = world.pass().await;
            assert!(matches!(outcome, PassOutcome::Unchanged { .. }), "{outcome:?}");
            times.push(took);
            let began = Instant::now();
            world.source.fetch(&world.target.source).await.unwrap();
            fetches.push(began.elapsed());
        }
        let ((median, longest), (fetch, _)) = (median_and_longest(times), median_and_longest(fetches));
        row(
            &format!("pass over an unchanged source, SQLite, {count} products recorded"),
            &format!("{} (longest {}) beyond the fetch of {}", millis(median), millis(longest), millis(fetch)),
        );
        median
    })
}
