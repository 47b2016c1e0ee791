//! How long a branch rests that was looked at for nothing.
//!
//! A thousand deliveries a second about one branch are no reason to look at it without a pause: those that
//! come while it rests cause one more look together.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::domain::source::Target;
use crate::domain::time::Timestamp;

/// The rest after a look that found nothing new; it doubles while wakes keep coming.
const FIRST: Duration = Duration::from_millis(100);
/// The longest rest: so much later at the most is a commit seen that comes among them.
const LONGEST: Duration = Duration::from_secs(5);

/// How long each branch rested last that was woken for nothing, and until when.
#[derive(Debug, Default)]
pub(in crate::engine) struct Rests(Mutex<BTreeMap<Target, (Duration, Timestamp)>>);

impl Rests {
    /// How long a branch rests after a look that found nothing new and took from `began` to `now`: longer each
    /// time that the look began soon after the last rest.
    pub fn after(&self, target: &Target, began: Timestamp, now: Timestamp) -> Duration {
        let mut rests = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let rest = match rests.get(target) {
            Some((last, until)) if is_soon(*until, began, *last + FIRST) => (*last * 2).min(LONGEST),
            _ => FIRST,
        };
        rests.insert(target.clone(), (rest, now.checked_add(rest).unwrap_or(now)));
        rest
    }

    /// Something was found: the next rest is a short one.
    pub fn forget(&self, target: &Target) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(target);
    }
}

fn is_soon(until: Timestamp, began: Timestamp, within: Duration) -> bool {
    until.checked_add(within).is_ok_and(|soon| began < soon)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_woken_over_and_over_for_nothing_rests_longer_and_longer() {
        let (rests, target) = (Rests::default(), Target::branch("retail".parse().unwrap()));
        let mut now = Timestamp::UNIX_EPOCH;
        let (end, mut looks) = (now + Duration::from_secs(100), 0);
        while now < end {
            // However long the look itself takes.
            let began = now;
            now += Duration::from_millis(500);
            now += rests.after(&target, began, now);
            looks += 1;
        }
        assert!(looks < 30, "{looks} looks in 100 seconds");
        let later = now + Duration::from_secs(60);
        assert_eq!(rests.after(&target, later, later), FIRST, "once it was quiet");
    }
}
