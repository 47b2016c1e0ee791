//! What durable execution costs, with the real parts: the mirror, the record in a file and on a server, the
//! engine with all its loops. Only executors and policies do nothing, or wait, so that what is measured is
//! what lies between them. `benches/README.md` says how it is run and what came of it.
//!
//! One run, told as the lines of a table: most of it cannot be repeated in place, and its ratios are of things
//! measured one right after the other.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a benchmark that cannot be set up is of no use, and one tells its figures and the load"
)]

#[path = "../../tests/support/allowing.rs"]
mod allowing;
#[path = "../generator/mod.rs"]
mod generator;
#[path = "../../tests/support/postgres.rs"]
#[expect(dead_code, reason = "nothing is stopped and started again here")]
mod postgres;
#[path = "../world/mod.rs"]
mod world;

mod events;
mod executor;
mod passes;
mod place;
mod replicas;
mod rollouts;
mod start;

use std::time::Duration;

use postgres::Postgres;
use tokio::runtime::Runtime;

/// As the program has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A number that can be set to make it smaller, or larger.
fn setting(name: &str, default: usize) -> usize {
    std::env::var(name).ok().map_or(default, |text| text.parse().unwrap())
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap()
}

/// A line of the table.
fn row(what: &str, figure: &str) {
    println!("| {what} | {figure} |");
}

fn millis(time: Duration) -> String {
    let millis = time.as_secs_f64() * 1_000.0;
    if millis < 10.0 { format!("{millis:.2} ms") } else { format!("{millis:.0} ms") }
}

/// So many in a second.
fn rate(count: usize, time: Duration) -> f64 {
    count as f64 / time.as_secs_f64()
}

/// The one in the middle, and the longest.
fn median_and_longest(mut times: Vec<Duration>) -> (Duration, Duration) {
    times.sort();
    (times[times.len() / 2], times[times.len() - 1])
}

fn load() -> String {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    load.split(' ').next().unwrap_or("?").to_owned()
}

/// Measures all, or what is named: `events`, `activities`, `passes`, `start`, `replicas`.
fn main() {
    let names: Vec<String> = std::env::args().skip(1).filter(|name| !name.starts_with('-')).collect();
    let is_wanted = |name: &str| names.is_empty() || names.iter().any(|wanted| wanted == name);
    let server = Postgres::shared();
    let build = if cfg!(debug_assertions) { "not optimised" } else { "optimised" };
    let fsync = server.as_ref().map_or_else(|| "none".to_owned(), |server| runtime().block_on(place::fsync(server)));
    println!("{build}; load average {} at the beginning; fsync of PostgreSQL: {fsync}\n", load());
    println!("| what | figure |\n|---|---|");
    let server = server.as_deref();
    if is_wanted("events") {
        events::measure(server);
    }
    if is_wanted("activities") {
        rollouts::measure(server);
    }
    if is_wanted("passes") {
        passes::measure();
    }
    if is_wanted("start") {
        start::measure();
    }
    if is_wanted("replicas") {
        replicas::measure(server);
    }
    println!("\nload average {} at the end", load());
}
