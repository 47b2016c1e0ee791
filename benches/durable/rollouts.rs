//! Whole rollouts by one replica with an executor that does nothing; and from a wake to the first task.

use std::time::{Duration, Instant};

use meshwright::port::door::WakeReason;

use super::executor::Nothing;
use super::place::{self, Place, Running};
use super::postgres::Postgres;
use super::world::World;
use super::{generator, median_and_longest, millis, rate, row, runtime, setting};

/// How often a wake is measured.
const WAKES: usize = 15;

pub fn measure(server: Option<&Postgres>) {
    let products = setting("MESHWRIGHT_BENCH_N", 1_000);
    runtime().block_on(async {
        let quarter = (products / 4).max(20);
        let small = place::world(quarter).await;
        let fast = roll_out(&small, quarter, &Place::file(), 1).await;
        let world = place::world(products).await;
        for (number, place) in Place::all(server).into_iter().enumerate() {
            let slow = roll_out(&world, products, &place, number * WAKES + 1).await;
            if number == 0 {
                let what = format!("the same, {products} products in one plan to a quarter of them, as a ratio");
                row(&what, &format!("{:.2}", slow / fast));
            }
        }
    });
}

/// Rolls all out, and then one after the other of products that change, from this round on. Answers with how
/// many activities it were in a second.
async fn roll_out(world: &World, products: usize, place: &Place, first_round: usize) -> f64 {
    let store = place.open().await;
    let executor = Nothing::taking(Duration::ZERO);
    let engine = place::replica(world, "one", &store, &executor);
    let plan = place::plan(&world.target, &engine).await;
    let (activities, tasks) = (plan.activities.len(), place::tasks(&plan));

    let began = Instant::now();
    let running = Running::start(engine).await;
    place::all_done(&executor, tasks, &store).await;
    let a_second = rate(activities, began.elapsed());
    row(&format!("activities a second, {}, {activities} in one plan", place.name()), &format!("{a_second:.0}"));

    let (mut all, mut beyond) = (Vec::new(), Vec::new());
    for round in first_round..first_round + WAKES {
        // None with a mistake.
        let index = round * 10 % products + 1;
        generator::change_one(world.repository.path(), index, round).unwrap();
        let before = executor.done();
        // What came before does not count.
        let _ = (executor.take_first(), world.source.hook.take());
        let began = Instant::now();
        running.engine.wake(&world.target, WakeReason::Webhook).await.unwrap();
        // Two stages of two tasks each.
        place::all_done(&executor, before + 4, &store).await;
        let took = executor.take_first().unwrap() - began;
        all.push(took);
        beyond.push(took.saturating_sub(world.source.hook.take()));
    }
    running.stop().await;
    store.close().await;
    let ((all, longest), (beyond, _)) = (median_and_longest(all), median_and_longest(beyond));
    row(
        &format!("from a wake to the first task, {}, {} products recorded", place.name(), products),
        &format!("{} (longest {}), of that beyond the fetch {}", millis(all), millis(longest), millis(beyond)),
    );
    a_second
}
