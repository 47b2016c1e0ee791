//! When not to ask any more, so that a policy that always dies does not cost a process each time.
//!
//! Two cases differ. A policy that has never answered at an event, and has died there
//! [`DEATHS_BEFORE_ASIDE`] times, is broken: the event is set aside for a while. A policy that has
//! answered before dies over this one question, and somebody may have made the question so; then
//! only that question is remembered, or one poisoned descriptor would have everybody refused.
//! Everything that is not asked is refused. A new policy set begins with a clean record.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::domain::id::Digest;
use crate::domain::policy::PolicyEvent;

/// Deaths at an event without an answer in between, until the event is set aside.
const DEATHS_BEFORE_ASIDE: u32 = 5;

/// Deaths over one question, until it is not asked again for a while.
const DEATHS_BEFORE_REMEMBERED: u32 = 2;

/// How long something is not asked at first; it doubles every time.
const FIRST_PAUSE: Duration = Duration::from_secs(30);

/// How long something is not asked at most.
const LONGEST_PAUSE: Duration = Duration::from_secs(600);

/// How many questions are remembered.
const MAX_REMEMBERED: usize = 256;

/// What is not asked, for one policy set.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    /// Whether there is any death on record; without one, nothing costs anything.
    troubled: AtomicBool,
    record: Mutex<Record>,
}

#[derive(Debug, Default)]
struct Record {
    answered: [bool; PolicyEvent::ALL.len()],
    events: [Deaths; PolicyEvent::ALL.len()],
    questions: HashMap<Digest, Deaths>,
}

#[derive(Debug, Default)]
struct Deaths {
    count: u32,
    until: Option<Instant>,
    last: String,
}

impl Deaths {
    fn add(&mut self, now: Instant, enough: u32, why: &str) {
        self.count = self.count.saturating_add(1);
        why.clone_into(&mut self.last);
        if let Some(times) = self.count.checked_sub(enough) {
            let pause = FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(times.min(10))).min(LONGEST_PAUSE);
            self.until = Some(now + pause);
        }
    }

    fn refuse(&self, now: Instant) -> Option<String> {
        let left = self.until?.checked_duration_since(now).filter(|left| !left.is_zero())?;
        Some(format!("{} (and is not asked again for {} s)", self.last, left.as_secs() + 1))
    }
}

impl Backoff {
    /// Whether no worker has died yet.
    pub(super) fn is_clean(&self) -> bool {
        !self.troubled.load(Ordering::Relaxed)
    }

    /// Why nothing is asked at this event now.
    pub(super) fn refuses_event(&self, now: Instant, event: PolicyEvent) -> Option<String> {
        if self.is_clean() {
            return None;
        }
        self.record().events.get(event as usize)?.refuse(now)
    }

    /// Why this question, as JSON, is not asked now.
    pub(super) fn refuses_question(&self, now: Instant, json: &[u8]) -> Option<String> {
        if self.is_clean() {
            return None;
        }
        let record = self.record();
        if record.questions.is_empty() {
            return None;
        }
        record.questions.get(&Digest::of(json))?.refuse(now)
    }

    /// Questions at these events were answered.
    pub(super) fn answered(&self, events: impl Iterator<Item = PolicyEvent>) {
        let mut record = self.record();
        for event in events {
            if let Some(answered) = record.answered.get_mut(event as usize) {
                *answered = true;
            }
            if let Some(deaths) = record.events.get_mut(event as usize) {
                *deaths = Deaths::default();
            }
        }
    }

    /// A worker died over a question.
    pub(super) fn died(&self, now: Instant, event: PolicyEvent, json: &[u8], why: &str) {
        self.troubled.store(true, Ordering::Relaxed);
        let mut record = self.record();
        if record.answered.get(event as usize) == Some(&false)
            && let Some(deaths) = record.events.get_mut(event as usize)
        {
            deaths.add(now, DEATHS_BEFORE_ASIDE, why);
        }
        if record.questions.len() >= MAX_REMEMBERED {
            record.questions.retain(|_, deaths| deaths.until.is_some_and(|until| until > now));
        }
        if record.questions.len() < MAX_REMEMBERED {
            let deaths = record.questions.entry(Digest::of(json)).or_default();
            deaths.add(now, DEATHS_BEFORE_REMEMBERED, why);
        }
    }

    fn record(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENT: PolicyEvent = PolicyEvent::DataProductCreation;

    #[test]
    fn a_policy_that_never_answered_is_set_aside_after_five_deaths_and_tried_again_later() {
        let backoff = Backoff::default();
        let start = Instant::now();
        for n in 0..5_u8 {
            assert_eq!(backoff.refuses_event(start, EVENT), None, "{n}");
            backoff.died(start, EVENT, &[n], "it died");
        }
        assert!(backoff.refuses_event(start, EVENT).unwrap().starts_with("it died (and is not asked"));
        assert_eq!(backoff.refuses_event(start, PolicyEvent::TaskExecutionResult), None);
        let later = start + FIRST_PAUSE;
        assert_eq!(backoff.refuses_event(later, EVENT), None);
        backoff.died(later, EVENT, b"again", "it died");
        assert!(backoff.refuses_event(later + FIRST_PAUSE, EVENT).is_some());
        backoff.answered([EVENT].into_iter());
        assert_eq!(backoff.refuses_event(later, EVENT), None);
    }

    #[test]
    fn a_poisoned_question_has_nobody_else_refused() {
        let backoff = Backoff::default();
        let now = Instant::now();
        backoff.answered([EVENT].into_iter());
        for _ in 0..20 {
            backoff.died(now, EVENT, b"poison", "it died");
        }
        assert_eq!(backoff.refuses_event(now, EVENT), None);
        assert!(backoff.refuses_question(now, b"poison").is_some());
        assert_eq!(backoff.refuses_question(now, b"other"), None);
        assert!(backoff.refuses_question(now + LONGEST_PAUSE, b"poison").is_none());
    }
}
