//! Values that people promise: numbers, shares, lengths of time, and words that have an order.

use std::cmp::Ordering;

use serde_json::Value;

/// A value, in so far as it can be compared. Lengths of time are in seconds; a month and a year are as long
/// as the shortest and the longest of them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Measure {
    Number(f64),
    Time {
        shortest: f64,
        longest: f64,
    },
    /// The place of a word in a row of words, the weakest first.
    Rank {
        row: usize,
        place: usize,
    },
}

/// Words that promise more and more.
const ROWS: [&[&str]; 2] =
    [&["atmostonce", "atleastonce", "exactlyonce"], &["besteffort", "businesshours", "24x5", "24x7"]];

impl Measure {
    pub(super) fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Number(number) => number.as_f64().map(Measure::Number),
            Value::Bool(flag) => Some(Measure::Number(f64::from(u8::from(*flag)))),
            Value::String(text) => of_text(text.trim()),
            _ => None,
        }
    }

    /// An amount of money, and what stands beside the number: the currency, and for what it is. What is free costs
    /// nothing in any.
    pub(super) fn money(text: &str) -> Option<(Self, String)> {
        let text = text.trim();
        if matches!(text.to_lowercase().as_str(), "free" | "free of charge" | "none") {
            return Some((Measure::Number(0.0), String::new()));
        }
        let begin = text.find(|c: char| c.is_ascii_digit())?;
        let end =
            text.get(begin..)?.find(|c: char| !c.is_ascii_digit() && c != '.').map_or(text.len(), |at| begin + at);
        let number: f64 = text.get(begin..end)?.parse().ok()?;
        let beside: String = [text.get(..begin)?, text.get(end..)?].concat();
        let is_plain = !beside.contains(|c: char| c.is_ascii_digit() || matches!(c, ',' | '-' | '%'));
        let word = beside.chars().filter(|c| !c.is_whitespace()).collect::<String>().to_lowercase();
        is_plain.then_some((Measure::Number(number), word))
    }

    /// Whether it is a number from 0 to 1.
    pub(super) fn is_share(self) -> bool {
        matches!(self, Measure::Number(number) if (0.0..=1.0).contains(&number))
    }

    /// How this one compares with another; `None` where that cannot be told.
    pub(super) fn compare(self, other: Self) -> Option<Ordering> {
        match (self, other) {
            // 99.9 % and 0.999 are the same, whatever the machine makes of them.
            (Measure::Number(a), Measure::Number(b)) if (a - b).abs() <= a.abs().max(b.abs()) * 1e-9 => {
                Some(Ordering::Equal)
            }
            (Measure::Number(a), Measure::Number(b)) => a.partial_cmp(&b),
            (Measure::Time { shortest: a, longest: b }, Measure::Time { shortest: c, longest: d }) => {
                if a == c && b == d {
                    Some(Ordering::Equal)
                } else if b < c {
                    Some(Ordering::Less)
                } else if a > d {
                    Some(Ordering::Greater)
                } else {
                    None
                }
            }
            (Measure::Rank { row: a, place: b }, Measure::Rank { row: c, place: d }) => (a == c).then(|| b.cmp(&d)),
            _ => None,
        }
    }
}

fn of_text(text: &str) -> Option<Measure> {
    if let Some(share) = text.strip_suffix('%') {
        return share
            .trim()
            .parse::<f64>()
            .ok()
            .filter(|share| share.is_finite())
            .map(|share| Measure::Number(share / 100.0));
    }
    if let Ok(number) = text.parse::<f64>() {
        return number.is_finite().then_some(Measure::Number(number));
    }
    let word: String = text.chars().filter(|c| c.is_alphanumeric()).collect::<String>().to_lowercase();
    let rank = |(row, words): (usize, &&[&str])| {
        words.iter().position(|one| *one == word).map(|place| Measure::Rank { row, place })
    };
    let ranked = ROWS.iter().enumerate().find_map(rank);
    ranked
        .or_else(|| said_period(&word))
        .or_else(|| iso_period(text))
        .or_else(|| short_period(text))
        .or_else(|| lag(text))
}

/// A length of time as a word.
fn said_period(word: &str) -> Option<Measure> {
    let (shortest, longest) = match word {
        "hourly" => exactly(3_600.0),
        "daily" => exactly(DAY),
        "weekly" => exactly(7.0 * DAY),
        "monthly" => MONTH,
        "quarterly" => time(3.0, MONTH),
        "yearly" | "annually" => YEAR,
        "forever" | "unlimited" | "indefinite" | "indefinitely" | "infinite" => exactly(f64::INFINITY),
        _ => return None,
    };
    Some(Measure::Time { shortest, longest })
}

/// Days behind, as those who trade write them: `T+1`.
fn lag(text: &str) -> Option<Measure> {
    let days: u32 = text.strip_prefix(['T', 'D'])?.trim_start().strip_prefix('+')?.trim().parse().ok()?;
    let (shortest, longest) = exactly(f64::from(days) * DAY);
    Some(Measure::Time { shortest, longest })
}

fn time(amount: f64, (shortest, longest): (f64, f64)) -> (f64, f64) {
    (amount * shortest, amount * longest)
}

const DAY: f64 = 86_400.0;
const MONTH: (f64, f64) = (28.0 * DAY, 31.0 * DAY);
const YEAR: (f64, f64) = (365.0 * DAY, 366.0 * DAY);

const fn exactly(seconds: f64) -> (f64, f64) {
    (seconds, seconds)
}

/// A duration of ISO 8601: `P3M`, `PT5M`, `P1DT12H`.
fn iso_period(text: &str) -> Option<Measure> {
    let rest = text.strip_prefix(['P', 'p'])?;
    let (mut total, mut in_time, mut digits, mut any) = ((0.0, 0.0), false, String::new(), false);
    for c in rest.chars() {
        match c.to_ascii_uppercase() {
            'T' if digits.is_empty() => in_time = true,
            c if c.is_ascii_digit() || c == '.' => digits.push(c),
            unit => {
                let length = match (unit, in_time) {
                    ('Y', false) => YEAR,
                    ('M', false) => MONTH,
                    ('W', false) => exactly(7.0 * DAY),
                    ('D', false) => exactly(DAY),
                    ('H', true) => exactly(3_600.0),
                    ('M', true) => exactly(60.0),
                    ('S', true) => exactly(1.0),
                    _ => return None,
                };
                let (shortest, longest) = time(std::mem::take(&mut digits).parse().ok()?, length);
                total = (total.0 + shortest, total.1 + longest);
                any = true;
            }
        }
    }
    (any && digits.is_empty()).then_some(Measure::Time { shortest: total.0, longest: total.1 })
}

/// A length of time as people write it: `5m`, `24 h`, `30 days`. `m` is minutes and `M` months.
fn short_period(text: &str) -> Option<Measure> {
    let at = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let (amount, unit) = text.split_at_checked(at)?;
    let unit = unit.trim();
    let length = match unit {
        "M" => MONTH,
        "m" => exactly(60.0),
        _ => match unit.to_lowercase().as_str() {
            "ms" | "millisecond" | "milliseconds" => exactly(0.001),
            "s" | "sec" | "second" | "seconds" => exactly(1.0),
            "min" | "mins" | "minute" | "minutes" => exactly(60.0),
            "h" | "hour" | "hours" => exactly(3_600.0),
            "d" | "day" | "days" => exactly(DAY),
            "w" | "week" | "weeks" => exactly(7.0 * DAY),
            "mo" | "month" | "months" => MONTH,
            "y" | "year" | "years" => YEAR,
            _ => return None,
        },
    };
    let (shortest, longest) = time(amount.parse().ok()?, length);
    Some(Measure::Time { shortest, longest })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_that_people_write() {
        use Ordering::{Equal, Greater, Less};
        let cases = [
            (json!("99.9%"), json!("0.999"), Some(Equal)),
            (json!("0.995"), json!(0.9), Some(Greater)),
            (json!("P1D"), json!("24h"), Some(Equal)),
            (json!("PT5M"), json!("5 minutes"), Some(Equal)),
            (json!("P3M"), json!("P2M"), Some(Greater)),
            (json!("P30D"), json!("P1M"), None),
            (json!("P27D"), json!("1 month"), Some(Less)),
            (json!("5m"), json!("3M"), Some(Less)),
            (json!("P1DT12H"), json!("36h"), Some(Equal)),
            (json!("at-least-once"), json!("exactly once"), Some(Less)),
            (json!("24x7"), json!("at-least-once"), None),
            (json!("5m"), json!(5), None),
            (json!("daily"), json!("PT1H"), Some(Greater)),
            (json!("monthly"), json!("30 days"), None),
            (json!("forever"), json!("P10Y"), Some(Greater)),
            (json!("forever"), json!("indefinitely"), Some(Equal)),
            (json!("T+1"), json!("T+3"), Some(Less)),
        ];
        for (a, b, expected) in cases {
            let found = Measure::of(&a).unwrap().compare(Measure::of(&b).unwrap());
            assert_eq!(found, expected, "{a} {b}");
        }
        for nothing in [
            json!("T+x"),
            json!("P"),
            json!("PT"),
            json!("P5"),
            json!("soon"),
            json!("NaN"),
            json!("5 parsecs"),
            json!(["1"]),
        ] {
            assert_eq!(Measure::of(&nothing), None, "{nothing}");
        }
    }

    #[test]
    fn money_is_known_with_what_it_is_for() {
        let money = |text: &str| Measure::money(text);
        let of = |amount: f64, beside: &str| Some((Measure::Number(amount), beside.to_owned()));
        assert_eq!(money("10 EUR"), of(10.0, "eur"));
        assert_eq!(money("EUR 10.50"), of(10.5, "eur"));
        assert_eq!(money("$10 / month"), of(10.0, "$/month"));
        assert_eq!(money("free"), of(0.0, ""));
        for other in ["1,000 EUR", "10-20 EUR", "10 EUR for 100 GB", "EUR", "", "10%"] {
            assert_eq!(money(other), None, "{other}");
        }
    }
}
