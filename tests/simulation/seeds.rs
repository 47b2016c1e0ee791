//! The tests: seeds that hold, seeds that come out the same each time, and broken builds that are caught.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use super::run::{Options, Outcome, run};
use super::world::Broken;

/// So many seeds are run unless somebody wants more: as many as fit into half a minute on two processors.
const USUAL: u64 = if cfg!(debug_assertions) { 60 } else { 400 };
/// Within so many seeds a broken build is caught.
const MOST_TO_CATCH: u64 = 200;

fn wanted(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} is no number: {text}")))
}

/// How to run a seed again.
fn again(seed: u64) -> String {
    format!("MESHWRIGHT_SIMULATION_SEED={seed} cargo test --test simulation every_seed -- --nocapture")
}

/// Runs seeds on all processors until one does not hold; says which, if so.
fn run_all(first: u64, count: u64, options: Options, each: impl Fn(u64, &Outcome) + Sync) -> Option<(u64, Outcome)> {
    let next = AtomicU64::new(first);
    let failed: Mutex<Option<(u64, Outcome)>> = Mutex::new(None);
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for thread in 0..threads {
            let work = || {
                loop {
                    let seed = next.fetch_add(1, Ordering::SeqCst);
                    if seed >= first + count || failed.lock().unwrap().as_ref().is_some_and(|(bad, _)| *bad < seed) {
                        return;
                    }
                    let outcome = run(seed, options);
                    each(seed, &outcome);
                    if !outcome.violations.is_empty() {
                        let mut failed = failed.lock().unwrap();
                        if failed.as_ref().is_none_or(|(bad, _)| *bad > seed) {
                            *failed = Some((seed, outcome));
                        }
                    }
                }
            };
            std::thread::Builder::new().name(format!("run {thread}")).spawn_scoped(scope, work).unwrap();
        }
    });
    failed.into_inner().unwrap()
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
    let faults: Mutex<BTreeMap<&'static str, u64>> = Mutex::default();
    let (lines, quiet, longest) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
    let failed = run_all(first, count, Options::default(), |seed, outcome| {
        for (name, times) in &outcome.faults {
            *faults.lock().unwrap().entry(name).or_default() += times;
        }
        lines.fetch_add(outcome.hash.1, Ordering::SeqCst);
        quiet.fetch_add(outcome.quiet, Ordering::SeqCst);
        longest.fetch_max(outcome.quiet * 1_000_000 + seed % 1_000_000, Ordering::SeqCst);
    });
    let took = began.elapsed();
    println!(
        "{count} seeds in {took:.1?} ({:.1} a second), {} lines, quiet after {} s on average, {} s at most (seed {}); {:?}",
        count as f64 / took.as_secs_f64(),
        lines.into_inner(),
        quiet.into_inner() / count.max(1),
        longest.load(Ordering::SeqCst) / 1_000_000,
        longest.load(Ordering::SeqCst) % 1_000_000,
        faults.into_inner().unwrap()
    );
    if let Some((seed, outcome)) = failed {
        panic!("seed {seed} does not hold:\n  {}\nagain: {}", outcome.violations.join("\n  "), again(seed));
    }
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
    let Some((seed, outcome)) = run_all(0, MOST_TO_CATCH, options, |_, _| {}) else {
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
