//! For tests: a door that remembers who knocked, and a clock that goes with tokio's.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::domain::source::Target;
use crate::domain::time::Timestamp;
use crate::port::clock::Clock;
use crate::port::door::{Door, WakeReason};

/// Remembers every call.
#[derive(Debug, Default)]
pub(crate) struct CountingDoor {
    wakes: Mutex<Vec<(Target, WakeReason)>>,
    policies: AtomicUsize,
}

impl CountingDoor {
    pub(crate) fn count(&self, target: &Target, reason: WakeReason) -> usize {
        self.wakes.lock().unwrap().iter().filter(|wake| **wake == (target.clone(), reason)).count()
    }

    pub(crate) fn total(&self) -> usize {
        self.wakes.lock().unwrap().len() + self.policies()
    }

    pub(crate) fn policies(&self) -> usize {
        self.policies.load(Ordering::SeqCst)
    }
}

impl Door for CountingDoor {
    fn wake(&self, target: Target, reason: WakeReason) {
        self.wakes.lock().unwrap().push((target, reason));
    }

    fn recorded(&self, _: &[Target]) {
        panic!("triggers bring no deliveries");
    }

    fn policies_changed(&self) {
        self.policies.fetch_add(1, Ordering::SeqCst);
    }
}

/// Goes with tokio's time, which stands still and jumps when it is paused; and can be set.
#[derive(Debug)]
pub(crate) struct TokioClock {
    started: tokio::time::Instant,
    at_start: Mutex<Timestamp>,
}

impl TokioClock {
    pub(crate) fn starting_at(at: &str) -> Self {
        Self { started: tokio::time::Instant::now(), at_start: Mutex::new(at.parse().unwrap()) }
    }

    /// Sets the clock forwards or, with a negative number, back.
    pub(crate) fn set_by(&self, seconds: i64) {
        let mut at_start = self.at_start.lock().unwrap();
        *at_start += jiff::SignedDuration::from_secs(seconds);
    }
}

impl Clock for TokioClock {
    fn now(&self) -> Timestamp {
        *self.at_start.lock().unwrap() + jiff::SignedDuration::try_from(self.started.elapsed()).unwrap()
    }
}

pub(crate) fn target(name: &str) -> Target {
    Target::branch(name.parse().unwrap())
}
