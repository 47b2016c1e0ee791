//! Cron expressions: when a source is looked at, as wall-clock times of a time zone.
//!
//! The expressions are read by `croner`, because it keeps the rules that people know from Vixie
//! cron: five fields or six (seconds first), Sunday is 0 and 7, `@hourly` and the like, and
//! *either* of day-of-month and day-of-week when both are given. The crate `cron`, the other
//! candidate, refuses five fields, counts Sunday as 1, and wants *both* days to match, so that
//! an expression copied from a crontab would silently run on other days; and it brings `chrono`
//! where everything else here is `jiff`.
//!
//! When clocks change, a job with a fixed time of day runs once on that day: at the first moment
//! after the gap when its time is skipped, and at the first of the two when its time comes twice.
//! A job with an interval (`*/5 * * * *`) follows the time that passes.

use std::str::FromStr;

use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use jiff::tz::TimeZone;

use crate::domain::time::Timestamp;

/// A cron expression in its time zone.
#[derive(Debug, Clone)]
pub struct CronSchedule {
    cron: Cron,
    zone: TimeZone,
}

/// The same expression in the same zone.
impl PartialEq for CronSchedule {
    fn eq(&self, other: &Self) -> bool {
        self.cron == other.cron && self.zone == other.zone
    }
}

impl Eq for CronSchedule {}

/// Why a text is not a schedule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CronError {
    /// It is not written as cron wants it.
    #[error("'{text}' is not a cron expression: {message}")]
    Expression {
        /// The text.
        text: String,
        /// What is wrong with it.
        message: String,
    },
    /// Nobody knows the time zone.
    #[error("'{0}' is not an IANA time zone such as Europe/Berlin")]
    TimeZone(String),
    /// It is well written, and names a day that never comes.
    #[error("'{0}' never comes")]
    Never(String),
}

impl CronSchedule {
    /// Reads an expression of five fields (minute first) or six (second first), or a nickname such
    /// as `@hourly`. Without a zone, it is UTC.
    pub fn parse(text: &str, zone: Option<&str>) -> Result<Self, CronError> {
        let parser = CronParser::builder().seconds(Seconds::Optional).year(Year::Disallowed).build();
        let cron = parser.parse(text).map_err(|error| CronError::Expression {
            text: text.to_owned(),
            message: error.to_string().trim_end_matches('.').to_owned(),
        })?;
        let zone = match zone {
            None => TimeZone::UTC,
            Some(name) => TimeZone::get(name).map_err(|_| CronError::TimeZone(name.to_owned()))?,
        };
        let schedule = Self { cron, zone };
        // Any moment will do: days come around within eight years, or never.
        match schedule.next_after(Timestamp::UNIX_EPOCH) {
            Some(_) => Ok(schedule),
            None => Err(CronError::Never(text.to_owned())),
        }
    }

    /// The first moment after `after`, a whole second; `None` when there is none in the time that
    /// can be written down.
    pub fn next_after(&self, after: Timestamp) -> Option<Timestamp> {
        // Candidates are whole seconds, so that fractions of `after` decide nothing.
        let after = Timestamp::from_second(after.as_second()).ok()?.to_zoned(self.zone.clone());
        self.cron.find_next_occurrence(&after, false).ok().map(|next| next.timestamp())
    }
}

impl FromStr for CronSchedule {
    type Err = CronError;

    /// Reads an expression that means UTC.
    fn from_str(text: &str) -> Result<Self, CronError> {
        Self::parse(text, None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(text: &str, zone: Option<&str>, after: &str, count: usize) -> Vec<String> {
        let schedule = CronSchedule::parse(text, zone).unwrap();
        let mut at: Timestamp = after.parse().unwrap();
        (0..count)
            .map(|_| {
                let next = schedule.next_after(at).unwrap();
                assert!(next > at, "{next} comes after {at}");
                at = next;
                at.to_string()
            })
            .collect()
    }

    #[test]
    fn five_fields_begin_with_the_minute_and_six_with_the_second() {
        assert_eq!(
            times("*/20 6 * * *", None, "2026-11-20T06:00:00Z", 3),
            ["2026-11-20T06:20:00Z", "2026-11-20T06:40:00Z", "2026-11-21T06:00:00Z"]
        );
        assert_eq!(
            times("0 */5 * * * *", None, "2026-11-20T06:01:00Z", 2),
            ["2026-11-20T06:05:00Z", "2026-11-20T06:10:00Z"]
        );
        assert_eq!(
            times("*/30 * * * * *", None, "2026-11-20T06:00:00.9Z", 2),
            ["2026-11-20T06:00:30Z", "2026-11-20T06:01:00Z"]
        );
        // The fraction does not swallow the very next second.
        assert_eq!(times("1 0 6 * * *", None, "2026-11-20T06:00:00.9Z", 1), ["2026-11-20T06:00:01Z"]);
    }

    #[test]
    fn nicknames_are_understood() {
        assert_eq!(times("@hourly", None, "2026-11-20T06:01:00Z", 1), ["2026-11-20T07:00:00Z"]);
        assert_eq!(times("@daily", None, "2026-11-20T06:01:00Z", 1), ["2026-11-21T00:00:00Z"]);
        assert_eq!(times("@weekly", None, "2026-11-20T06:01:00Z", 1), ["2026-11-22T00:00:00Z"]);
        assert_eq!(times("@monthly", None, "2026-11-20T06:01:00Z", 1), ["2026-12-01T00:00:00Z"]);
    }

    #[test]
    fn sunday_is_0_and_7_and_monday_is_1() {
        // 2026-11-22 is a Sunday.
        for sunday in ["0 6 * * 0", "0 6 * * 7", "0 6 * * SUN"] {
            assert_eq!(times(sunday, None, "2026-11-20T00:00:00Z", 1), ["2026-11-22T06:00:00Z"], "{sunday}");
        }
        assert_eq!(times("0 6 * * 1-5", None, "2026-11-20T07:00:00Z", 1), ["2026-11-23T06:00:00Z"]);
    }

    #[test]
    fn either_of_two_given_days_is_enough() {
        // The 25th is a Wednesday, the 23rd a Monday.
        assert_eq!(
            times("0 6 25 * 1", None, "2026-11-20T07:00:00Z", 2),
            ["2026-11-23T06:00:00Z", "2026-11-25T06:00:00Z"]
        );
    }

    #[test]
    fn a_time_that_is_skipped_fires_once_right_after_the_gap() {
        // Europe/Berlin, 2027-03-28: 02:00 CET is 03:00 CEST, which is 01:00 UTC.
        assert_eq!(
            times("30 2 * * *", Some("Europe/Berlin"), "2027-03-27T00:00:00Z", 3),
            ["2027-03-27T01:30:00Z", "2027-03-28T01:00:00Z", "2027-03-29T00:30:00Z"]
        );
    }

    #[test]
    fn a_time_that_comes_twice_fires_once_at_the_first_of_the_two() {
        // Europe/Berlin, 2027-10-31: 03:00 CEST is 02:00 CET, which is 01:00 UTC.
        assert_eq!(
            times("30 2 * * *", Some("Europe/Berlin"), "2027-10-30T00:00:00Z", 4),
            ["2027-10-30T00:30:00Z", "2027-10-31T00:30:00Z", "2027-11-01T01:30:00Z", "2027-11-02T01:30:00Z"]
        );
        // Asked between the two, it does not fire again.
        assert_eq!(times("30 2 * * *", Some("Europe/Berlin"), "2027-10-31T01:10:00Z", 1), ["2027-11-01T01:30:00Z"]);
    }

    #[test]
    fn an_interval_follows_the_time_that_passes_on_both_days() {
        assert_eq!(
            times("*/30 * * * *", Some("Europe/Berlin"), "2027-03-28T00:30:00Z", 2),
            ["2027-03-28T01:00:00Z", "2027-03-28T01:30:00Z"]
        );
        assert_eq!(
            times("*/30 * * * *", Some("Europe/Berlin"), "2027-10-31T00:00:00Z", 4),
            ["2027-10-31T00:30:00Z", "2027-10-31T01:00:00Z", "2027-10-31T01:30:00Z", "2027-10-31T02:00:00Z"]
        );
    }

    #[test]
    fn what_is_no_schedule_is_refused_with_the_reason() {
        for bad in ["", "* * * *", "61 * * * *", "0 0 0 1 1 * 2027", "@fortnightly", "a b c d e"] {
            let error = CronSchedule::parse(bad, None).unwrap_err();
            assert!(matches!(error, CronError::Expression { .. }), "{bad}: {error}");
        }
        let error = CronSchedule::parse("@hourly", Some("Europe/Atlantis")).unwrap_err();
        assert_eq!(error.to_string(), "'Europe/Atlantis' is not an IANA time zone such as Europe/Berlin");
    }

    #[test]
    fn a_day_that_never_comes_is_refused_and_the_29th_of_february_is_not() {
        assert_eq!(CronSchedule::parse("0 0 30 2 *", None).unwrap_err(), CronError::Never("0 0 30 2 *".to_owned()));
        assert_eq!(times("0 0 29 2 *", None, "2026-11-20T00:00:00Z", 1), ["2028-02-29T00:00:00Z"]);
    }
}
