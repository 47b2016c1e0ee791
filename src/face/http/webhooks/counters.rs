//! What came, counted. Only forges of the configuration have counters, so that nobody outside can make
//! more of them.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::domain::id::ForgeName;

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It was recorded, and woke something or was asked for.
    Accepted,
    /// It was recorded before.
    Duplicate,
    /// It was recorded, and nothing depends on it; or nothing ever depends on such events.
    Ignored,
    /// It is about repositories that are not watched.
    Unknown,
    /// It was not signed, or not by anybody known.
    Refused,
    /// It was signed, and could not be read.
    Malformed,
    /// It was too large, too slow, or one too many.
    Dropped,
    /// It could not be recorded, or not be judged for lack of a secret.
    Failed,
}

/// The counters of one forge.
#[derive(Debug, Default)]
struct Tally([AtomicU64; 8]);

/// What a forge's counters say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// See [`Outcome`]; all since the daemon's start.
    pub accepted: u64,
    /// See [`Outcome`].
    pub duplicates: u64,
    /// See [`Outcome`].
    pub ignored: u64,
    /// See [`Outcome`].
    pub unknown: u64,
    /// See [`Outcome`].
    pub refused: u64,
    /// See [`Outcome`].
    pub malformed: u64,
    /// See [`Outcome`].
    pub dropped: u64,
    /// See [`Outcome`].
    pub failed: u64,
}

/// The counters, by forge.
#[derive(Debug, Default)]
pub struct Counters(BTreeMap<ForgeName, Tally>);

impl Counters {
    /// Counters for these forges, all at zero.
    pub fn of<'a>(forges: impl IntoIterator<Item = &'a ForgeName>) -> Self {
        Self(forges.into_iter().map(|forge| (forge.clone(), Tally::default())).collect())
    }

    /// Counts one request.
    pub fn count(&self, forge: &ForgeName, outcome: Outcome) {
        if let Some(counter) = self.0.get(forge).and_then(|tally| tally.0.get(outcome as usize)) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// What the counters say now.
    pub fn read(&self) -> BTreeMap<ForgeName, Counts> {
        let counts = |tally: &Tally| {
            let [accepted, duplicates, ignored, unknown, refused, malformed, dropped, failed] =
                tally.0.each_ref().map(|counter| counter.load(Ordering::Relaxed));
            Counts { accepted, duplicates, ignored, unknown, refused, malformed, dropped, failed }
        };
        self.0.iter().map(|(forge, tally)| (forge.clone(), counts(tally))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_outcome_has_its_own_counter() {
        let hub: ForgeName = "hub".parse().unwrap();
        let counters = Counters::of([&hub]);
        let all = [
            Outcome::Accepted,
            Outcome::Duplicate,
            Outcome::Ignored,
            Outcome::Unknown,
            Outcome::Refused,
            Outcome::Malformed,
            Outcome::Dropped,
            Outcome::Failed,
        ];
        for (times, outcome) in all.into_iter().enumerate() {
            for _ in 0..=times {
                counters.count(&hub, outcome);
            }
        }
        counters.count(&"stranger".parse().unwrap(), Outcome::Refused);
        let expected = Counts {
            accepted: 1,
            duplicates: 2,
            ignored: 3,
            unknown: 4,
            refused: 5,
            malformed: 6,
            dropped: 7,
            failed: 8,
        };
        assert_eq!(counters.read(), BTreeMap::from([(hub, expected)]));
    }
}
