//! GitHub's limits: requests an hour, points a minute, things made a minute and an hour.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::answer::Answer;
use super::faults::SECONDARY;

/// The figures, and what was used of them by whom.
#[derive(Debug)]
pub struct Limits {
    /// Requests an hour for each account.
    pub hourly: u64,
    /// Points a minute for each account: one for reading, five for writing.
    pub points: u64,
    /// Things made a minute for each account: comments, check runs, reactions, deployments.
    pub made_a_minute: u64,
    /// The same in an hour.
    pub made_an_hour: u64,
    used: BTreeMap<String, Account>,
}

#[derive(Debug, Default)]
struct Account {
    window: i64,
    used: u64,
    /// When something was asked, and the points of it.
    points: Vec<(i64, u64)>,
    made: Vec<i64>,
}

impl Default for Limits {
    fn default() -> Self {
        Self { hourly: 5000, points: 900, made_a_minute: 80, made_an_hour: 500, used: BTreeMap::new() }
    }
}

impl Limits {
    /// Counts a request; the answer is the refusal when a limit is reached.
    pub fn count(&mut self, account: &str, method: &str, path: &str, now: Timestamp) -> Result<(), Answer> {
        let now = now.as_second();
        let (points, made_a_minute, made_an_hour) = (self.points, self.made_a_minute, self.made_an_hour);
        let hourly = self.hourly;
        let account = self.used.entry(account.to_owned()).or_default();
        account.turn(now);
        if account.used >= hourly {
            return Err(Answer::forbidden("API rate limit exceeded for installation."));
        }
        account.used += 1;
        let cost = if matches!(method, "GET" | "HEAD" | "OPTIONS") { 1 } else { 5 };
        account.points.retain(|(at, _)| now - at < 60);
        account.points.push((now, cost));
        if account.points.iter().map(|(_, cost)| cost).sum::<u64>() > points {
            return Err(Answer::forbidden(SECONDARY).with_header("retry-after", &60));
        }
        if makes(method, path) {
            account.made.retain(|at| now - at < 3600);
            account.made.push(now);
            let last_minute = account.made.iter().filter(|at| now - **at < 60).count() as u64;
            if last_minute > made_a_minute || account.made.len() as u64 > made_an_hour {
                return Err(Answer::forbidden(SECONDARY).with_header("retry-after", &60));
            }
        }
        Ok(())
    }

    /// Gives back a request that was answered 304.
    pub fn give_back(&mut self, account: &str) {
        if let Some(account) = self.used.get_mut(account) {
            account.used = account.used.saturating_sub(1);
        }
    }

    /// Uses up all but `left` requests of this hour.
    pub fn leave(&mut self, account: &str, left: u64, now: Timestamp) {
        let hourly = self.hourly;
        let account = self.used.entry(account.to_owned()).or_default();
        account.turn(now.as_second());
        account.used = hourly.saturating_sub(left);
    }

    /// Limit, what was used, and when the hour ends.
    pub fn standing(&mut self, account: &str, now: Timestamp) -> (u64, u64, i64) {
        let hourly = self.hourly;
        let account = self.used.entry(account.to_owned()).or_default();
        account.turn(now.as_second());
        (hourly, account.used.min(hourly), account.window + 3600)
    }
}

impl Account {
    fn turn(&mut self, now: i64) {
        if now - self.window >= 3600 {
            *self = Self {
                window: now,
                used: 0,
                points: std::mem::take(&mut self.points),
                made: std::mem::take(&mut self.made),
            };
        }
    }
}

/// Whether something is made that people are told of.
fn makes(method: &str, path: &str) -> bool {
    method == "POST" && ["/comments", "/check-runs", "/reactions", "/deployments"].iter().any(|end| path.ends_with(end))
}
