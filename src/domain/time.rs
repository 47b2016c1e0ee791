//! Points in time and lengths of time, as values. Nothing here reads a clock.

pub use jiff::Timestamp;

/// Milliseconds since 1970-01-01T00:00:00Z: how a time stands in the record.
pub fn to_millis(at: Timestamp) -> i64 {
    at.as_millisecond()
}

/// The time that stands in the record as these milliseconds. Out of range is the epoch: a record
/// that was tampered with must not stop the daemon.
pub fn from_millis(millis: i64) -> Timestamp {
    Timestamp::from_millisecond(millis).unwrap_or(Timestamp::UNIX_EPOCH)
}
