//! What an answer says about GitHub's limits.

use std::time::Duration;

use http::{HeaderMap, StatusCode};
use jiff::fmt::rfc2822;

use crate::domain::time::Timestamp;

/// GitHub never asks for more than an hour; a clock that is wrong must not stop us for longer than this.
const LONGEST: Duration = Duration::from_secs(2 * 3600);

/// What is left of the account's requests, as every answer tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Headroom {
    /// How many requests are left.
    pub(crate) remaining: u64,
    /// When there will be all of them again.
    pub(crate) reset: Timestamp,
}

/// How long GitHub wants to be left alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Limit {
    /// Until then.
    Until(Timestamp),
    /// It does not say.
    ForAWhile,
}

pub(crate) fn number(headers: &HeaderMap, name: &str) -> Option<u64> {
    headers.get(name)?.to_str().ok()?.trim().parse().ok()
}

/// What is left, when the answer says so.
pub(crate) fn headroom(headers: &HeaderMap, now: Timestamp) -> Option<Headroom> {
    let remaining = number(headers, "x-ratelimit-remaining")?;
    let reset = i64::try_from(number(headers, "x-ratelimit-reset")?).ok()?;
    let reset = Timestamp::from_second(reset).ok()?;
    Some(Headroom { remaining, reset: bounded(reset, now) })
}

/// Whether the answer is a refusal because of too many requests, or for as long as GitHub is out of
/// service. A plain 403 is not: it is a permission that is missing. Nor is a plain 503: it may pass at once.
pub(crate) fn limit(status: StatusCode, headers: &HeaderMap, message: &str, now: Timestamp) -> Option<Limit> {
    let is_out_of_service = status == StatusCode::SERVICE_UNAVAILABLE;
    if !is_out_of_service && !matches!(status, StatusCode::FORBIDDEN | StatusCode::TOO_MANY_REQUESTS) {
        return None;
    }
    if headers.contains_key("retry-after") {
        return Some(retry_after(headers, now).map_or(Limit::ForAWhile, |at| Limit::Until(bounded(at, now))));
    }
    if is_out_of_service {
        return None;
    }
    if let Some(Headroom { remaining: 0, reset }) = headroom(headers, now) {
        return Some(Limit::Until(reset));
    }
    let message = message.to_ascii_lowercase();
    let is_told = ["rate limit", "abuse detection"].iter().any(|words| message.contains(words));
    (is_told || status == StatusCode::TOO_MANY_REQUESTS).then_some(Limit::ForAWhile)
}

/// When to come back: in so many seconds, or at a date (RFC 9110, section 10.2.3).
fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Timestamp> {
    if let Some(seconds) = number(headers, "retry-after") {
        return Some(later(now, Duration::from_secs(seconds).min(LONGEST)));
    }
    let text = headers.get("retry-after")?.to_str().ok()?;
    rfc2822::parse(text.trim()).ok().map(|zoned| zoned.timestamp())
}

/// Between a second from now and the longest pause.
fn bounded(at: Timestamp, now: Timestamp) -> Timestamp {
    at.clamp(later(now, Duration::from_secs(1)), later(now, LONGEST))
}

fn later(at: Timestamp, by: Duration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        Timestamp::from_second(1_800_000_000).unwrap()
    }

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    fn in_seconds(seconds: i64) -> Option<Limit> {
        Some(Limit::Until(Timestamp::from_second(1_800_000_000 + seconds).unwrap()))
    }

    #[test]
    fn a_limit_is_told_from_a_missing_permission() {
        let plain = headers(&[("x-ratelimit-remaining", "4999"), ("x-ratelimit-reset", "1800003600")]);
        let denied = "Resource not accessible by integration";
        assert_eq!(limit(StatusCode::FORBIDDEN, &plain, denied, now()), None);
        assert_eq!(limit(StatusCode::NOT_FOUND, &headers(&[("retry-after", "5")]), "", now()), None);
        let used_up = headers(&[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1800000090")]);
        assert_eq!(limit(StatusCode::FORBIDDEN, &used_up, "", now()), in_seconds(90));
        let told =
            headers(&[("retry-after", "30"), ("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1800003600")]);
        assert_eq!(limit(StatusCode::TOO_MANY_REQUESTS, &told, "", now()), in_seconds(30), "what it asks for counts");
        let secondary = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.";
        assert_eq!(limit(StatusCode::FORBIDDEN, &plain, secondary, now()), Some(Limit::ForAWhile));
        assert_eq!(limit(StatusCode::TOO_MANY_REQUESTS, &HeaderMap::new(), "", now()), Some(Limit::ForAWhile));
    }

    #[test]
    fn times_that_make_no_sense_are_bounded() {
        let day = headers(&[("retry-after", "86400")]);
        assert_eq!(limit(StatusCode::FORBIDDEN, &day, "", now()), in_seconds(7200));
        let past = headers(&[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "12")]);
        assert_eq!(limit(StatusCode::FORBIDDEN, &past, "", now()), in_seconds(1));
        let huge = headers(&[("retry-after", "99999999999999999999")]);
        assert_eq!(limit(StatusCode::FORBIDDEN, &huge, "", now()), Some(Limit::ForAWhile));
        let endless = headers(&[("retry-after", "18446744073709551615")]);
        assert_eq!(limit(StatusCode::FORBIDDEN, &endless, "", now()), in_seconds(7200));
    }

    #[test]
    fn when_to_come_back_is_told_in_seconds_or_as_a_date() {
        // 1,800,000,000 is Friday, 15 January 2027, 08:00:00.
        let at = |text| limit(StatusCode::FORBIDDEN, &headers(&[("retry-after", text)]), "", now());
        assert_eq!(at("90"), in_seconds(90));
        assert_eq!(at("Fri, 15 Jan 2027 08:01:30 GMT"), in_seconds(90));
        assert_eq!(at("Fri, 15 Jan 2027 07:00:00 GMT"), in_seconds(1), "a date that is over");
        assert_eq!(at("Sat, 16 Jan 2027 08:00:00 GMT"), in_seconds(7200), "a date that is too far away");
        for nonsense in ["", "soon", "-5", "1.5", "Fri, 99 Jan 2027 08:01:30 GMT"] {
            assert_eq!(at(nonsense), Some(Limit::ForAWhile), "{nonsense}");
        }
    }

    #[test]
    fn who_is_out_of_service_says_for_how_long() {
        let out = |pairs: &[(&'static str, &str)]| limit(StatusCode::SERVICE_UNAVAILABLE, &headers(pairs), "", now());
        assert_eq!(out(&[("retry-after", "120")]), in_seconds(120));
        assert_eq!(out(&[]), None, "it may pass at once");
    }
}
