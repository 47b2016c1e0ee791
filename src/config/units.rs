//! Lengths of time, as people write them.

use std::time::Duration;

use jiff::SignedDuration;

/// A text that is no length of time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{text}' is not a length of time")]
pub struct NotADuration {
    /// The text, cut to 40 characters.
    pub text: String,
}

/// How a length of time is written, for hints.
pub const DURATION_HINT: &str = "write a number and a unit, such as '250ms', '60s', '5m' or '1h'";

/// Reads `250ms`, `60s`, `5m`, `1h`, `1h30m`; never negative.
pub fn duration(text: &str) -> Result<Duration, NotADuration> {
    let not = || NotADuration { text: text.chars().take(40).collect() };
    // jiff would take ISO 8601 (`PT5M`) as well; one form is enough.
    if !text.starts_with(|c: char| c.is_ascii_digit()) {
        return Err(not());
    }
    let signed: SignedDuration = text.parse().map_err(|_| not())?;
    Duration::try_from(signed).map_err(|_| not())
}

/// Writes a length of time as people would: `90s` is `1m30s`.
pub fn readable_duration(duration: Duration) -> String {
    let signed = SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX);
    let printer = jiff::fmt::friendly::SpanPrinter::new().spacing(jiff::fmt::friendly::Spacing::None);
    printer.duration_to_string(&signed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_forms_are_read() {
        assert_eq!(duration("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(duration("60s"), Ok(Duration::from_secs(60)));
        assert_eq!(duration("5m"), Ok(Duration::from_secs(300)));
        assert_eq!(duration("1h30m"), Ok(Duration::from_secs(5400)));
        assert_eq!(duration("1h"), Ok(Duration::from_secs(3600)));
    }

    #[test]
    fn everything_else_is_refused() {
        for text in ["", "60", "-5s", "5s ago", "soon", "PT5M", "5 parsecs", "99999999999999999999h", "1mo"] {
            assert!(duration(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn lengths_are_written_as_people_would() {
        assert_eq!(readable_duration(Duration::from_secs(90)), "1m30s");
        assert_eq!(readable_duration(Duration::from_secs(900)), "15m");
        assert_eq!(readable_duration(Duration::ZERO), "0s");
    }
}
