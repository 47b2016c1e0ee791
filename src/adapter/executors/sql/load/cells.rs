//! One field of a file as a value of a column's type.
//!
//! Messages never quote the value: it may be somebody's secret.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use serde_json::Value;

use super::super::session::Cell;
use super::super::types::ColumnType;

/// The value, or the rule that the text breaks. `text` is not empty.
pub(super) fn parse(kind: ColumnType, text: &str) -> Result<Cell, String> {
    let trimmed = text.trim();
    let whole = |most: i64| {
        let number = trimmed.parse::<i64>().ok().filter(|number| (-most - 1..=most).contains(number));
        number.map(Cell::Integer).ok_or_else(|| format!("it is not a whole number from {} to {most}", -most - 1))
    };
    match kind {
        ColumnType::Boolean => match trimmed.to_ascii_lowercase().as_str() {
            "true" | "t" | "yes" | "y" | "1" => Ok(Cell::Boolean(true)),
            "false" | "f" | "no" | "n" | "0" => Ok(Cell::Boolean(false)),
            _ => Err("it is neither true nor false".to_owned()),
        },
        ColumnType::SmallInt => whole(i64::from(i16::MAX)),
        ColumnType::Integer => whole(i64::from(i32::MAX)),
        ColumnType::BigInt => match trimmed.parse() {
            Ok(number) => Ok(Cell::Integer(number)),
            Err(_) => Err("it is not a whole number of 64 bits".to_owned()),
        },
        ColumnType::Decimal(limits) => decimal(trimmed, limits),
        ColumnType::Real | ColumnType::Double => match trimmed.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(Cell::Real(number)),
            _ => Err("it is not a number".to_owned()),
        },
        ColumnType::Char(length) | ColumnType::VarChar(length) => {
            if text.chars().take(length as usize + 1).count() > length as usize {
                return Err(format!("it has more than {length} characters"));
            }
            plain_text(text)
        }
        ColumnType::Text => plain_text(text),
        ColumnType::Date => match trimmed.parse::<Date>() {
            Ok(date) => Ok(Cell::Text(date.to_string())),
            Err(_) => Err("it is not a date such as 2026-01-31".to_owned()),
        },
        ColumnType::Time => match trimmed.parse::<Time>() {
            Ok(time) => Ok(Cell::Text(time.to_string())),
            Err(_) => Err("it is not a time such as 13:45:00".to_owned()),
        },
        ColumnType::Timestamp => match trimmed.parse::<DateTime>() {
            Ok(at) => Ok(Cell::Text(at.to_string().replacen('T', " ", 1))),
            Err(_) => Err("it is not a time without a zone such as 2026-01-31T13:45:00".to_owned()),
        },
        ColumnType::TimestampTz => match trimmed.parse::<Timestamp>() {
            Ok(at) => Ok(Cell::Text(at.to_string())),
            Err(_) => Err("it is not a time with a zone such as 2026-01-31T13:45:00Z".to_owned()),
        },
        ColumnType::Json => match serde_json::from_str::<Value>(trimmed) {
            Ok(value) => plain_text(&value.to_string()),
            Err(_) => Err("it is not JSON".to_owned()),
        },
        ColumnType::Uuid => match trimmed.parse::<uuid::Uuid>() {
            Ok(id) => Ok(Cell::Text(id.to_string())),
            Err(_) => Err("it is not a UUID".to_owned()),
        },
        ColumnType::Binary => Err("binary columns cannot be loaded from a text file".to_owned()),
    }
}

/// PostgreSQL has no texts with a zero character.
fn plain_text(text: &str) -> Result<Cell, String> {
    if text.contains('\0') { Err("it has a zero character".to_owned()) } else { Ok(Cell::Text(text.to_owned())) }
}

fn decimal(text: &str, limits: Option<(u32, u32)>) -> Result<Cell, String> {
    let rule = || "it is not a decimal number such as -12.50".to_owned();
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (before, behind) = digits.split_once('.').unwrap_or((digits, ""));
    let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if !all_digits(before) || !all_digits(behind) || (before.is_empty() && behind.is_empty()) || text.len() > 2_000 {
        return Err(rule());
    }
    if let Some((all, scale)) = limits {
        let before = before.trim_start_matches('0').len();
        let behind = behind.trim_end_matches('0').len();
        if before > (all - scale) as usize || behind > scale as usize {
            return Err(format!("it has more digits than DECIMAL({all},{scale})"));
        }
    }
    Ok(Cell::Text(text.strip_prefix('+').unwrap_or(text).to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_parsed_or_refused() {
        let text = |text: &str| Some(Cell::Text(text.to_owned()));
        for (kind, field, wanted) in [
            (ColumnType::Boolean, "Yes", Some(Cell::Boolean(true))),
            (ColumnType::Boolean, "maybe", None),
            (ColumnType::SmallInt, "32768", None),
            (ColumnType::Integer, " -2147483648 ", Some(Cell::Integer(-2_147_483_648))),
            (ColumnType::Integer, "1.0", None),
            (ColumnType::Decimal(Some((4, 2))), "12.5", text("12.5")),
            (ColumnType::Decimal(Some((4, 2))), "123.5", None),
            (ColumnType::Decimal(Some((4, 2))), "1.234", None),
            (ColumnType::Decimal(None), "1e5", None),
            (ColumnType::Double, "1e5", Some(Cell::Real(1e5))),
            (ColumnType::Double, "NaN", None),
            (ColumnType::VarChar(3), "äöü", text("äöü")),
            (ColumnType::VarChar(3), "abcd", None),
            (ColumnType::Date, "2026-02-30", None),
            (ColumnType::Date, "2026-02-28", text("2026-02-28")),
            (ColumnType::Timestamp, "2026-02-28T10:00:00", text("2026-02-28 10:00:00")),
            (ColumnType::Timestamp, "2026-02-28T10:00:00Z", None),
            (ColumnType::TimestampTz, "2026-02-28T10:00:00+01:00", text("2026-02-28T09:00:00Z")),
            (ColumnType::Json, "{ \"a\": 1 }", text("{\"a\":1}")),
            (ColumnType::Json, "{", None),
            (ColumnType::Text, "a\0b", None),
        ] {
            assert_eq!(parse(kind, field).ok(), wanted, "{kind:?} {field}");
        }
        let error = parse(ColumnType::Integer, "hunter2").unwrap_err();
        assert!(!error.contains("hunter2"), "{error}");
    }
}
