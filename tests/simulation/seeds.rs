//! The tests: seeds that hold, seeds that come out the same each time, and broken builds that are caught.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use super::at_once::keep_to;
use super::run::{Options, Outcome, run};
use super::world::Broken;

/// So many seeds are run unless somebody wants more: as many as fit into half a minute on two processors.
const USUAL: u64 = if cfg!(debug_assertions) { 40 } else { 400 };
/// When so many seeds do not hold, no more are run.
const MOST_FAILED: usize = 20;
/// How it goes is told after each so many seeds.
const TOLD_EVERY: u64 = 1_000;
/// Within so many seeds a broken build is caught.
const MOST_TO_CATCH: u64 = 200;

fn wanted(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} is no number: {text}")))
}

/// How to run a seed again.
fn again(seed: u64) -> String {
    format!("MESHWRIGHT_SIMULATION_SEED={seed} cargo test --test simulation every_seed -- --nocapture")
}

/// Runs seeds on all processors until so many do not hold; says which, the first one first.
fn run_all(
    first: u64,
    count: u64,
    most_failed: usize,
    options: Options,
    each: impl Fn(u64, &Outcome) + Sync,
) -> BTreeMap<u64, Outcome> {
    let next = AtomicU64::new(first);
    let failed: Mutex<BTreeMap<u64, Outcome>> = Mutex::default();
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for thread in 0..threads {
            let (next, failed, each) = (&next, &failed, &each);
            let work = move || {
                keep_to(thread);
                loop {
                    let seed = next.fetch_add(1, Ordering::SeqCst);
                    if seed >= first + count || failed.lock().unwrap().len() >= most_failed {
                        return;
                    }
                    let outcome = run(seed, options);
                    each(seed, &outcome);
                    if !outcome.violations.is_empty() {
                        failed.lock().unwrap().insert(seed, outcome);
                    }
                }
            };
            std::thread::Builder::new().name(format!("run {thread}")).spawn_scoped(scope, work).unwrap();
        }
    });
    failed.into_inner().unwrap()
}

/// What came of many seeds.
#[derive(Debug, Default)]
struct Sum {
    seeds: u64,
    lines: u64,
    /// Seconds until all was as it must be: all together, and the most with its seed.
    quiet: u64,
    longest: (u64, u64),
    faults: BTreeMap<&'static str, u64>,
}

impl Sum {
    fn add(&mut self, seed: u64, outcome: &Outcome) {
        self.seeds += 1;
        self.lines += outcome.hash.1;
        self.quiet += outcome.quiet;
        self.longest = self.longest.max((outcome.quiet, seed));
        for (name, times) in &outcome.faults {
            *self.faults.entry(name).or_default() += times;
        }
    }

    fn tell(&self, began: Instant) {
        let took = began.elapsed();
        println!(
            "{} seeds in {took:.1?} ({:.1} a second), {} lines, quiet after {} s on average, {} s at most (seed {}); {:?}",
            self.seeds,
            self.seeds as f64 / took.as_secs_f64(),
            self.lines,
            self.quiet / self.seeds.max(1),
            self.longest.0,
            self.longest.1,
            self.faults
        );
    }
}

#[test]
fn every_seed_holds() {
    if let Some(seed) = wanted("MESHWRIGHT_SIMULATION_SEED") {
        let outcome = run(seed, Options { keep_trace: true, ..Options::default() });
        for line in &outcome.lines {
            println!("{line}");
        }
        println!("seed {seed}: {:x?}, quiet after {} s, {:?}", outcome.hash, outcome.quiet, outcome.faults);
        assert_eq!(outcome.violations, Vec::<String>::new(), "seed {seed}");
        return;
    }
    let count = wanted("MESHWRIGHT_SIMULATION_SEEDS").unwrap_or(USUAL);
    let first = wanted("MESHWRIGHT_SIMULATION_FIRST").unwrap_or(0);
    let began = Instant::now();
    let sum: Mutex<Sum> = Mutex::default();
    let failed = run_all(first, count, MOST_FAILED, Options::default(), |seed, outcome| {
        let mut sum = sum.lock().unwrap();
        sum.add(seed, outcome);
        if !outcome.violations.is_empty() {
            println!("seed {seed} does not hold:\n  {}\nagain: {}", outcome.violations.join("\n  "), again(seed));
        }
        if sum.seeds.is_multiple_of(TOLD_EVERY) {
            println!("up to seed {seed}:");
            sum.tell(began);
        }
    });
    sum.into_inner().unwrap().tell(began);
    assert!(failed.is_empty(), "seeds that do not hold: {:?}", failed.keys());
}

#[test]
fn a_seed_comes_out_the_same_each_time() {
    for seed in 0..6 {
        let (one, other) = (run(seed, Options::default()), run(seed, Options::default()));
        assert_eq!(one.hash, other.hash, "seed {seed}");
        assert_eq!(one.faults, other.faults, "seed {seed}");
    }
}

/// Runs a broken build until it is caught.
fn caught(broken: Broken) -> u64 {
    let options = Options { broken: Some(broken), ..Options::default() };
    let Some((seed, outcome)) = run_all(0, MOST_TO_CATCH, 1, options, |_, _| {}).pop_first() else {
        panic!("{broken:?} is not caught within {MOST_TO_CATCH} seeds");
    };
    println!("{broken:?} is caught by seed {seed}: {}", outcome.violations[0]);
    seed
}

#[test]
fn a_build_without_fencing_is_caught() {
    assert!(caught(Broken::NoFencing) < MOST_TO_CATCH);
}

#[test]
fn a_build_that_renews_keys_is_caught() {
    assert!(caught(Broken::KeyRenewed) < MOST_TO_CATCH);
}

#[test]
fn a_build_that_clears_wakes_too_early_is_caught() {
    assert!(caught(Broken::WakeCleared) < MOST_TO_CATCH);
}

#[test]
fn a_build_that_marks_reports_before_they_are_sent_is_caught() {
    assert!(caught(Broken::MarkedBeforeSent) < MOST_TO_CATCH);
}

#[test]
fn a_build_that_looks_at_a_commits_own_rollouts_alone_is_caught() {
    assert!(caught(Broken::OwnActivitiesAlone) < MOST_TO_CATCH);
}
