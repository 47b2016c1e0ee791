//! Pauses before something is tried again.

use std::time::Duration;

use crate::domain::id::Digest;

/// `pause`, and up to a quarter of it more, so that what failed together does not come back together.
///
/// How much more follows from what is tried again: like ids, it is derived and never drawn.
pub(super) fn spread<'a>(pause: Duration, what: impl IntoIterator<Item = &'a str>) -> Duration {
    pause + part_of(pause, what) / 4
}

/// A part of `pause`: from none of it to all.
pub(super) fn part_of<'a>(pause: Duration, what: impl IntoIterator<Item = &'a str>) -> Duration {
    let digest = Digest::of_fields(what);
    let digits = digest.as_str().rsplit(':').next().and_then(|hex| hex.get(..8)).unwrap_or_default();
    pause.mul_f64(f64::from(u32::from_str_radix(digits, 16).unwrap_or_default()) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_failed_together_comes_back_apart_and_never_early() {
        let pause = Duration::from_secs(100);
        let spread_out: Vec<Duration> =
            (0..1_000).map(|number: u32| spread(pause, ["report", &number.to_string()])).collect();
        assert!(spread_out.iter().all(|it| (pause..=pause.mul_f64(1.25)).contains(it)));
        let early = spread_out.iter().filter(|it| **it < pause.mul_f64(1.125)).count();
        assert!((400..600).contains(&early), "{early} of 1000 in the earlier half");
        assert_eq!(spread(pause, ["a"]), spread(pause, ["a"]));
    }
}
