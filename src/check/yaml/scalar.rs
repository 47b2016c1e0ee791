//! Plain scalars of YAML 1.2's core schema, and numbers that JSON can hold (YAML 1.2.2, 10.3.2).
//! `yes`, `on`, `1_000`, `0777` as an octal number and dates are those of YAML 1.1, and texts here.

use serde_json::{Number, Value};

/// What a plain scalar is.
#[derive(Debug, PartialEq)]
pub(super) enum Plain {
    /// Null, true, false, or a number.
    Value(Value),
    /// None of these.
    Text,
    /// `.inf`, `.nan` and their kind.
    NotFinite,
    /// A number that would not come out as it was written.
    OutOfRange,
}

/// Reads a plain scalar.
pub(super) fn plain(text: &str) -> Plain {
    match text.as_bytes() {
        [] | [b'~'] => Plain::Value(Value::Null),
        [b'n' | b'N', ..] if matches!(text, "null" | "Null" | "NULL") => Plain::Value(Value::Null),
        [b't' | b'T', ..] if matches!(text, "true" | "True" | "TRUE") => Plain::Value(Value::Bool(true)),
        [b'f' | b'F', ..] if matches!(text, "false" | "False" | "FALSE") => Plain::Value(Value::Bool(false)),
        [b'0'..=b'9' | b'+' | b'-' | b'.', ..] => number(text),
        _ => Plain::Text,
    }
}

fn number(text: &str) -> Plain {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        return Plain::NotFinite;
    }
    for (prefix, radix) in [("0o", 8), ("0x", 16)] {
        if let Some(digits) = text.strip_prefix(prefix)
            && !digits.is_empty()
            && digits.chars().all(|digit| digit.is_digit(radix))
        {
            return u64::from_str_radix(digits, radix).map_or(Plain::OutOfRange, |whole| Plain::Value(whole.into()));
        }
    }
    if !unsigned.is_empty() && unsigned.bytes().all(|byte| byte.is_ascii_digit()) {
        return whole(text);
    }
    if is_float(unsigned) { float(text) } else { Plain::Text }
}

/// Digits with an optional sign.
pub(super) fn whole(text: &str) -> Plain {
    let text = text.strip_prefix('+').unwrap_or(text);
    if let Ok(number) = text.parse::<i64>() {
        return Plain::Value(number.into());
    }
    text.parse::<u64>().map_or(Plain::OutOfRange, |number| Plain::Value(number.into()))
}

/// Digits with a fraction or an exponent.
pub(super) fn float(text: &str) -> Plain {
    match text.parse::<f64>().ok().and_then(Number::from_f64) {
        Some(number) => Plain::Value(Value::Number(number)),
        None => Plain::OutOfRange,
    }
}

/// `\.[0-9]+ | [0-9]+(\.[0-9]*)?`, then `([eE][-+]?[0-9]+)?`.
pub(super) fn is_float(unsigned: &str) -> bool {
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent.strip_prefix(['+', '-']).unwrap_or(exponent))),
        None => (unsigned, None),
    };
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let (before, after) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    digits(before)
        && digits(after)
        && !(before.is_empty() && after.is_empty())
        && exponent.is_none_or(|exponent| !exponent.is_empty() && digits(exponent))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_core_schema_and_no_more() {
        for (text, value) in [
            ("", json!(null)),
            ("~", json!(null)),
            ("Null", json!(null)),
            ("TRUE", json!(true)),
            ("false", json!(false)),
            ("0", json!(0)),
            ("-12", json!(-12)),
            ("+12", json!(12)),
            ("012", json!(12)),
            ("0o14", json!(12)),
            ("0xC", json!(12)),
            ("18446744073709551615", json!(u64::MAX)),
            ("1.", json!(1.0)),
            (".5", json!(0.5)),
            ("-1.5e3", json!(-1500.0)),
            ("1e3", json!(1000.0)),
        ] {
            assert_eq!(plain(text), Plain::Value(value), "{text:?}");
        }
        for text in
            ["yes", "on", "nULL", "1_000", "1.2.3", "0o9", "0x", "+", "-", ".", "e3", "1e", "2024-06-01", "inf", "--1"]
        {
            assert_eq!(plain(text), Plain::Text, "{text:?}");
        }
        for text in [".inf", "-.INF", "+.Inf", ".nan", ".NaN"] {
            assert_eq!(plain(text), Plain::NotFinite, "{text:?}");
        }
        for text in ["18446744073709551616", "-9223372036854775809", "1e999", "0xFFFFFFFFFFFFFFFFF"] {
            assert_eq!(plain(text), Plain::OutOfRange, "{text:?}");
        }
    }
}
