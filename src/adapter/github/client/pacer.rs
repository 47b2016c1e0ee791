//! How fast one account may go. GitHub answers too much with a "secondary rate limit", and keeps an
//! account that goes on out for longer, so we stay below it by ourselves.
//!
//! The rules are GitHub's: a reading request costs one point and a writing one five, of 900 a minute;
//! what creates content (comments, check runs, deployments) comes at most 80 times a minute and 500
//! times an hour, a second apart. Values in, values out: the time comes in as an argument.

use std::collections::VecDeque;
use std::time::Duration;

use crate::domain::time::Timestamp;

/// What a request costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Weight {
    /// It reads.
    Read,
    /// It writes, and nobody is notified of it: a status, an edit, a reaction.
    Write,
    /// It creates something that people are notified of.
    Content,
}

impl Weight {
    const fn points(self) -> u32 {
        match self {
            Weight::Read => 1,
            Weight::Write | Weight::Content => 5,
        }
    }
}

/// The limits that are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// Between two requests that create content.
    pub apart: Duration,
    /// Requests that create content, in a minute.
    pub content_a_minute: usize,
    /// Requests that create content, in an hour.
    pub content_an_hour: usize,
    /// Points in a minute.
    pub points_a_minute: u32,
}

impl Pace {
    /// What GitHub asks for; a tenth of the points is left to whoever else uses the account.
    pub const GITHUB: Self =
        Self { apart: Duration::from_secs(1), content_a_minute: 80, content_an_hour: 500, points_a_minute: 810 };
}

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
/// The least pause that GitHub wants after a secondary limit that names none.
const FIRST_PAUSE: Duration = MINUTE;
const LONGEST_PAUSE: Duration = Duration::from_secs(15 * 60);

/// What one account did lately, and until when it is to do nothing.
#[derive(Debug)]
pub(crate) struct Pacer {
    pace: Pace,
    /// The requests of the last minute, with their points, in the order of time.
    requests: VecDeque<(Timestamp, u32)>,
    /// What created content in the last hour.
    content: VecDeque<Timestamp>,
    paused: Option<(Timestamp, String)>,
    /// How many limits without a time came in a row.
    strikes: u32,
}

impl Pacer {
    pub(crate) fn new(pace: Pace) -> Self {
        Self { pace, requests: VecDeque::new(), content: VecDeque::new(), paused: None, strikes: 0 }
    }

    /// Until when nothing at all is to be asked, and why.
    pub(crate) fn paused(&self, now: Timestamp) -> Option<(Timestamp, String)> {
        self.paused.clone().filter(|(until, _)| *until > now)
    }

    /// The earliest time at which a request of this weight may be sent, which is not before `now`. When
    /// that is within `patience` it is taken as sent then; otherwise it is not taken at all.
    pub(crate) fn book(&mut self, now: Timestamp, weight: Weight, patience: Duration) -> Result<Timestamp, Timestamp> {
        self.forget(now);
        let mut at = now;
        if let Some((last, _)) = self.requests.back() {
            // Requests are sent in the order in which they were booked.
            at = at.max(*last);
        }
        at = at.max(self.when_points_allow(at, weight.points()));
        if weight == Weight::Content {
            if let Some(last) = self.content.back() {
                at = at.max(later(*last, self.pace.apart));
            }
            at = at.max(nth_last(&self.content, self.pace.content_a_minute, MINUTE));
            at = at.max(nth_last(&self.content, self.pace.content_an_hour, HOUR));
        }
        if at > later(now, patience) {
            return Err(at);
        }
        self.requests.push_back((at, weight.points()));
        if weight == Weight::Content {
            self.content.push_back(at);
        }
        Ok(at)
    }

    /// GitHub wants to be left alone until then.
    pub(crate) fn pause_until(&mut self, until: Timestamp, why: &str) {
        if self.paused.as_ref().is_none_or(|(before, _)| *before < until) {
            self.paused = Some((until, why.to_owned()));
        }
    }

    /// GitHub wants to be left alone, and does not say for how long: a minute, and each time twice as long.
    pub(crate) fn pause_for_a_while(&mut self, now: Timestamp, why: &str) -> Timestamp {
        let pause = FIRST_PAUSE.saturating_mul(1 << self.strikes.min(8)).min(LONGEST_PAUSE);
        self.strikes = self.strikes.saturating_add(1);
        let until = later(now, pause);
        self.pause_until(until, why);
        until
    }

    /// A request was let through.
    pub(crate) fn went_well(&mut self) {
        self.strikes = 0;
    }

    fn when_points_allow(&self, at: Timestamp, points: u32) -> Timestamp {
        let mut spent: u32 = self.requests.iter().map(|(_, points)| points).sum();
        let mut when = at;
        for (sent, freed) in &self.requests {
            if spent + points <= self.pace.points_a_minute {
                break;
            }
            spent -= freed;
            when = later(*sent, MINUTE);
        }
        when
    }

    fn forget(&mut self, now: Timestamp) {
        while self.requests.front().is_some_and(|(at, _)| later(*at, MINUTE) <= now) {
            self.requests.pop_front();
        }
        while self.content.front().is_some_and(|at| later(*at, HOUR) <= now) {
            self.content.pop_front();
        }
    }
}

/// When one more is allowed, if there may be `most` of them within `window`.
fn nth_last(sent: &VecDeque<Timestamp>, most: usize, window: Duration) -> Timestamp {
    let nth = sent.len().checked_sub(most).and_then(|index| sent.get(index));
    nth.map_or(Timestamp::MIN, |at| later(*at, window))
}

fn later(at: Timestamp, by: Duration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(10);

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    fn seconds(at_: Timestamp) -> i64 {
        at_.as_second() - 1_800_000_000
    }

    #[test]
    fn what_creates_content_is_a_second_apart_and_other_writes_are_not() {
        let mut pacer = Pacer::new(Pace::GITHUB);
        let booked: Vec<i64> = (0..4).map(|_| seconds(pacer.book(at(0), Weight::Content, PATIENCE).unwrap())).collect();
        assert_eq!(booked, [0, 1, 2, 3]);
        let mut pacer = Pacer::new(Pace::GITHUB);
        assert!((0..10).all(|_| pacer.book(at(0), Weight::Write, PATIENCE) == Ok(at(0))));
    }

    #[test]
    fn nobody_waits_longer_than_their_patience_and_what_is_not_sent_counts_for_nothing() {
        let mut pacer = Pacer::new(Pace::GITHUB);
        for _ in 0..11 {
            pacer.book(at(0), Weight::Content, PATIENCE).unwrap();
        }
        assert_eq!(pacer.book(at(0), Weight::Content, PATIENCE), Err(at(11)));
        assert_eq!(pacer.book(at(0), Weight::Content, PATIENCE), Err(at(11)), "the refused one took no place");
        assert_eq!(pacer.book(at(11), Weight::Content, PATIENCE), Ok(at(11)));
    }

    #[test]
    fn there_are_no_more_than_80_a_minute_and_500_an_hour() {
        let pace = Pace { apart: Duration::from_millis(100), ..Pace::GITHUB };
        let mut pacer = Pacer::new(pace);
        let mut sent: Vec<Timestamp> = Vec::new();
        let mut now = at(0);
        while now < at(2 * 3600) {
            match pacer.book(now, Weight::Content, PATIENCE) {
                Ok(when) => {
                    sent.push(when);
                    now = when;
                }
                Err(when) => now = when,
            }
        }
        let within = |window: i64| {
            let mut most = 0;
            let mut first = 0;
            for last in 0..sent.len() {
                while sent[last].as_second() - sent[first].as_second() >= window {
                    first += 1;
                }
                most = most.max(last - first + 1);
            }
            most
        };
        assert!(within(60) <= 80, "{}", within(60));
        assert!(within(3600) <= 500, "{}", within(3600));
        assert!(sent.len() >= 1000, "and no slower than that: {}", sent.len());
        assert!(sent.is_sorted());
    }

    #[test]
    fn points_are_kept_for_a_minute() {
        let mut pacer = Pacer::new(Pace::GITHUB);
        for _ in 0..162 {
            pacer.book(at(0), Weight::Write, PATIENCE).unwrap();
        }
        assert_eq!(pacer.book(at(0), Weight::Read, PATIENCE), Err(at(60)));
        assert_eq!(pacer.book(at(60), Weight::Read, PATIENCE), Ok(at(60)));
        assert!(pacer.requests.len() <= 162, "what is older than a minute is forgotten");
    }

    #[test]
    fn a_limit_without_a_time_pauses_for_a_minute_and_then_twice_as_long() {
        let mut pacer = Pacer::new(Pace::GITHUB);
        assert_eq!(pacer.pause_for_a_while(at(0), "slow down"), at(60));
        assert_eq!(pacer.paused(at(59)), Some((at(60), "slow down".to_owned())));
        assert_eq!(pacer.paused(at(60)), None);
        assert_eq!(pacer.pause_for_a_while(at(60), "slow down"), at(180));
        for _ in 0..100 {
            pacer.pause_for_a_while(at(180), "slow down");
        }
        assert_eq!(pacer.paused(at(180)).unwrap().0, at(180 + 900), "never longer than a quarter of an hour");
        pacer.went_well();
        assert_eq!(pacer.pause_for_a_while(at(2000), "slow down"), at(2060));
    }
}
