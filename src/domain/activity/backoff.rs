//! When the next attempt is made.

use std::time::Duration;

use crate::domain::id::Digest;
use crate::domain::plan::TaskKey;

/// How pauses between attempts grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// The pause after the first failure; it doubles with each further one.
    pub first: Duration,
    /// No pause is longer.
    pub longest: Duration,
}

impl Backoff {
    /// The pause after this attempt (from 1) of this task failed: between half of the doubled pause and
    /// the whole of it. Where in between follows from the key and the attempt, so that tasks that failed
    /// together do not come back together, and the same history has the same pauses.
    pub fn after(self, key: &TaskKey, attempt: u32) -> Duration {
        let doubled = self.first.saturating_mul(2_u32.saturating_pow(attempt.saturating_sub(1).min(16)));
        let half = doubled.min(self.longest) / 2;
        let digest = Digest::of_fields(["pause", key.as_str(), &attempt.to_string()]);
        let share = digest.as_str().get(7..11).and_then(|hex| u32::from_str_radix(hex, 16).ok()).unwrap_or(0);
        half.saturating_add(half.saturating_mul(share) / 0xffff)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    const BACKOFF: Backoff = Backoff { first: Duration::from_secs(1), longest: Duration::from_secs(60) };

    fn key(index: usize) -> TaskKey {
        TaskKey::derive(&"act-0123456789abcdef".parse().unwrap(), index, "build")
    }

    #[test]
    fn pauses_double_up_to_the_longest() {
        for attempt in 1..40 {
            let pause = BACKOFF.after(&key(0), attempt);
            let whole = Duration::from_secs(1 << (attempt - 1).min(16)).min(Duration::from_secs(60));
            assert!(pause >= whole / 2 && pause <= whole, "{attempt}: {pause:?}");
        }
    }

    #[test]
    fn pauses_differ_between_tasks_and_are_the_same_again() {
        let pauses: BTreeSet<Duration> = (0..50).map(|index| BACKOFF.after(&key(index), 3)).collect();
        assert!(pauses.len() > 40, "{pauses:?}");
        assert_eq!(BACKOFF.after(&key(7), 3), BACKOFF.after(&key(7), 3));
    }
}
