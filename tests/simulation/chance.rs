//! All chance of a run: it follows from the seed alone.

use std::ops::RangeInclusive;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

/// A source of chance that several parts draw from, in the order in which they come to run.
#[derive(Debug)]
pub struct Chance(Mutex<fastrand::Rng>);

impl Chance {
    /// The same seed always draws the same.
    pub fn of(seed: u64, what: &str) -> Self {
        let mixed = what.bytes().fold(seed ^ 0x9e37_79b9_7f4a_7c15, |sum, byte| {
            (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3).rotate_left(23)
        });
        Self(Mutex::new(fastrand::Rng::with_seed(mixed)))
    }

    fn draw(&self) -> MutexGuard<'_, fastrand::Rng> {
        self.0.lock().unwrap()
    }

    /// True so many times of a thousand.
    pub fn per_mille(&self, times: u64) -> bool {
        times > 0 && self.draw().u64(0..1_000) < times
    }

    /// True once of so many times.
    pub fn one_in(&self, times: u64) -> bool {
        self.draw().u64(0..times) == 0
    }

    /// A number.
    pub fn number(&self, range: RangeInclusive<u64>) -> u64 {
        self.draw().u64(range)
    }

    /// A time, in milliseconds.
    pub fn millis(&self, range: RangeInclusive<u64>) -> Duration {
        Duration::from_millis(self.number(range))
    }

    /// One of these; `None` when there are none.
    pub fn pick<'a, T>(&self, of: &'a [T]) -> Option<&'a T> {
        if of.is_empty() { None } else { of.get(self.draw().usize(0..of.len())) }
    }

    /// One of these, of which each has a weight.
    pub fn weighed<T: Copy>(&self, of: &[(u64, T)]) -> T {
        let mut left = self.draw().u64(0..of.iter().map(|(weight, _)| weight).sum());
        for (weight, it) in of {
            if left < *weight {
                return *it;
            }
            left -= weight;
        }
        unreachable!("what is left is less than the sum of all weights")
    }
}
