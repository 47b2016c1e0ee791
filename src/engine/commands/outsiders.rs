//! People who may not ask for anything, and ask. Each reaction takes from what a forge lets us write, and
//! under a public pull request anybody can write a hundred comments. So they are answered so often in an
//! hour; beyond that, what they asked for is refused and written down, and nothing is shown.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::domain::id::SourceName;
use crate::domain::time::Timestamp;

/// How many answers of a source go to them within [`WITHIN`].
const MOST: usize = 10;
/// See [`MOST`].
const WITHIN: Duration = Duration::from_secs(3_600);

/// When outsiders were answered, by source.
#[derive(Debug, Default)]
pub(in crate::engine) struct Outsiders(Mutex<BTreeMap<SourceName, VecDeque<Timestamp>>>);

impl Outsiders {
    /// Whether one more is answered; if so, it counts.
    pub fn may_be_answered(&self, source: &SourceName, now: Timestamp) -> bool {
        let mut answered = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let answered = answered.entry(source.clone()).or_default();
        while answered.front().is_some_and(|at| now.duration_since(*at).unsigned_abs() >= WITHIN) {
            answered.pop_front();
        }
        let may = answered.len() < MOST;
        if may {
            answered.push_back(now);
        }
        may
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_answered_so_often_and_then_again_after_a_while() {
        let outsiders = Outsiders::default();
        let (retail, fleet): (SourceName, SourceName) = ("retail".parse().unwrap(), "fleet".parse().unwrap());
        let start: Timestamp = "2026-03-01T08:00:00Z".parse().unwrap();
        let answered = (0..50).filter(|_| outsiders.may_be_answered(&retail, start)).count();
        assert_eq!(answered, MOST);
        assert!(outsiders.may_be_answered(&fleet, start), "each source by itself");
        let soon = start.checked_add(WITHIN / 2).unwrap();
        assert!(!outsiders.may_be_answered(&retail, soon));
        assert!(outsiders.may_be_answered(&retail, start.checked_add(WITHIN).unwrap()));
    }
}
