//! What readers of YAML 1.1 make of a plain scalar, where that is not what YAML 1.2 makes of it. The
//! usual readers of Python, Java and Ruby are among them, so what a descriptor means would depend on
//! who reads it. Their rules are those of the YAML 1.1 types (bool, int, float, timestamp) as these
//! readers have them: `y` and `n` are texts to them.
//!
//! Nearly every scalar is looked at here, so the first byte decides about nearly all.

use serde_json::Value;

use super::place::Mark;
use super::scalar::{Plain, is_float};
use super::{Problem, rules, shown};

/// What a plain scalar is to readers of YAML 1.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Older {
    Bool(bool),
    Whole(u64),
    Number,
    Date,
    Text,
}

/// What there is to say about a plain scalar that is a value. `key` is the key under which it stands.
pub(super) fn about_value(text: &str, read: &Plain, key: Option<&str>, mark: Mark) -> Option<Problem> {
    if matches!(read, Plain::NotFinite | Plain::OutOfRange) {
        return None;
    }
    if let Some(older) = reading(text) {
        let here = match read {
            Plain::Value(Value::Number(number)) => format!("the number {number}"),
            _ => "a text".to_owned(),
        };
        let message = format!("{} is {here}, and {} to readers of YAML 1.1", shown(text), older.words());
        let problem = Problem::new(&rules::TYPED_DIFFERENTLY, mark, String::new(), message);
        return Some(problem.with_hint(older.hint(text, read)));
    }
    if let Some(bare) = in_typographic_quotes(text) {
        let message = format!("the quotes of {} are letters to YAML, and part of the text", shown(text));
        let problem = Problem::new(&rules::TYPOGRAPHIC_QUOTES, mark, String::new(), message);
        return Some(problem.with_hint(format!("write plain quotes: \"{bare}\"")));
    }
    let Plain::Value(Value::Number(number)) = read else { return None };
    if !loses_digit(text) || !key.is_some_and(is_about_versions) {
        return None;
    }
    let number = number.as_f64()?;
    let message = format!("the version {} stands without quotes, so it is the number {number}", shown(text));
    let problem = Problem::new(&rules::VERSION_LOSES_DIGIT, mark, String::new(), message);
    Some(problem.with_hint(format!("put it in quotes: \"{text}\"")))
}

/// What stands in quotes that word processors make of plain ones.
fn in_typographic_quotes(text: &str) -> Option<&str> {
    // All of them begin with one of two bytes.
    if !matches!(text.as_bytes().first(), Some(0xC2 | 0xE2)) {
        return None;
    }
    let bare = text.strip_prefix(['“', '”', '„', '‘', '’', '‚', '«', '»'])?;
    bare.strip_suffix(['“', '”', '‘', '’', '«', '»']).filter(|bare| !bare.contains(['“', '”', '«', '»']))
}

/// The same for a plain scalar that is a key, and a text in YAML 1.2.
pub(super) fn about_key(text: &str, mark: Mark) -> Option<Problem> {
    let older = reading(text)?;
    let message = format!("the key {} is {} to readers of YAML 1.1", shown(text), older.words());
    Some(Problem::new(&rules::TYPED_DIFFERENTLY, mark, String::new(), message).with_hint("put the key in quotes"))
}

impl Older {
    fn words(self) -> String {
        match self {
            Older::Bool(value) => value.to_string(),
            Older::Whole(number) => format!("the number {number}"),
            Older::Number => "a number".to_owned(),
            Older::Date => "a date".to_owned(),
            Older::Text => "a text".to_owned(),
        }
    }

    fn hint(self, text: &str, read: &Plain) -> String {
        match (self, read) {
            (Older::Bool(value), _) => {
                format!("put it in quotes: \"{text}\"; where a truth value is meant, write {value}")
            }
            (_, Plain::Value(Value::Number(number))) if !text.contains(['e', 'E']) => {
                format!("put it in quotes: \"{text}\"; where a number is meant, write {number}")
            }
            (_, Plain::Value(_)) => {
                format!("put it in quotes: \"{text}\"; where a number is meant, write it without an exponent")
            }
            (Older::Whole(number), _) if !text.contains(':') => {
                format!("put it in quotes: \"{text}\"; where a number is meant, write {number}")
            }
            _ => format!("put it in quotes: \"{text}\""),
        }
    }
}

/// What readers of YAML 1.1 make of it; `None` where they make of it what YAML 1.2 does.
fn reading(text: &str) -> Option<Older> {
    match text.as_bytes() {
        [b'y' | b'Y' | b'n' | b'N' | b'o' | b'O', _] | [b'y' | b'Y' | b'n' | b'N' | b'o' | b'O', _, _] => match text {
            "yes" | "Yes" | "YES" | "on" | "On" | "ON" => Some(Older::Bool(true)),
            "no" | "No" | "NO" | "off" | "Off" | "OFF" => Some(Older::Bool(false)),
            _ => None,
        },
        [b'0'..=b'9', _, ..] => digits(text, text),
        [b'+' | b'-' | b'.', _, ..] => digits(text, text.strip_prefix(['+', '-']).unwrap_or(text)),
        _ => None,
    }
}

fn digits(text: &str, unsigned: &str) -> Option<Older> {
    let is_signed = text.len() > unsigned.len();
    let all = |part: &str, is: fn(u8) -> bool| !part.is_empty() && part.bytes().all(is);
    if let Some(rest) = unsigned.strip_prefix("0b") {
        return all(rest, |byte| matches!(byte, b'0' | b'1' | b'_')).then(|| whole(rest, 2, is_signed));
    }
    if let Some(rest) = unsigned.strip_prefix("0x") {
        let is_older = all(rest, |byte| byte.is_ascii_hexdigit() || byte == b'_');
        return (is_older && (is_signed || rest.contains('_'))).then(|| whole(rest, 16, is_signed));
    }
    if let Some(rest) = unsigned.strip_prefix("0o") {
        return (!is_signed && all(rest, |byte| matches!(byte, b'0'..=b'7'))).then_some(Older::Text);
    }
    if unsigned.contains(':') && !unsigned.contains('-') {
        return base_60(unsigned, is_signed);
    }
    if all(unsigned, |byte| byte.is_ascii_digit() || byte == b'_') {
        let is_spaced = unsigned.contains('_');
        if !unsigned.starts_with('0') {
            return (is_spaced && unsigned.starts_with(|c: char| c.is_ascii_digit()))
                .then(|| whole(unsigned, 10, is_signed));
        }
        if !all(unsigned, |byte| matches!(byte, b'0'..=b'7' | b'_')) {
            return (!is_spaced).then_some(Older::Text);
        }
        // Up to seven, octal digits mean what decimal ones do.
        let is_same = !is_spaced && unsigned.trim_start_matches('0').len() <= 1;
        return (!is_same).then(|| whole(unsigned, 8, is_signed));
    }
    if !is_signed && is_date(unsigned) {
        return Some(Older::Date);
    }
    match (is_older_float(unsigned), is_float(unsigned)) {
        (true, false) => Some(Older::Number),
        (false, true) => Some(Older::Text),
        _ => None,
    }
}

fn whole(digits: &str, radix: u32, is_signed: bool) -> Older {
    let digits: String = digits.chars().filter(|digit| *digit != '_').collect();
    match u64::from_str_radix(&digits, radix) {
        Ok(number) if !is_signed => Older::Whole(number),
        _ => Older::Number,
    }
}

/// `[1-9][0-9_]*(:[0-5]?[0-9])+`, or with `[0-9][0-9_]*` before and a fraction behind.
fn base_60(unsigned: &str, is_signed: bool) -> Option<Older> {
    let (mantissa, has_fraction) = match unsigned.split_once('.') {
        Some((mantissa, fraction)) if fraction.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_') => {
            (mantissa, true)
        }
        Some(_) => return None,
        None => (unsigned, false),
    };
    let mut parts = mantissa.split(':');
    let first = parts.next()?;
    let is_begin = first.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_');
    if !is_begin || !first.starts_with(|c: char| c.is_ascii_digit()) || (first.starts_with('0') && !has_fraction) {
        return None;
    }
    let mut sum = first.replace('_', "").parse::<u64>().ok();
    for part in parts {
        let digit = match part.as_bytes() {
            [b'0'..=b'9'] | [b'0'..=b'5', b'0'..=b'9'] => part.parse::<u64>().ok()?,
            _ => return None,
        };
        sum = sum.and_then(|sum| sum.checked_mul(60)?.checked_add(digit));
    }
    Some(match sum {
        Some(sum) if !has_fraction && !is_signed => Older::Whole(sum),
        _ => Older::Number,
    })
}

/// `2024-06-01`, and `2024-6-1 12:30:00.5 +02:00` in its many forms.
fn is_date(text: &str) -> bool {
    let Some((day, time)) = text.split_at_checked(text.find(['T', 't', ' ', '\t']).unwrap_or(text.len())) else {
        return false;
    };
    let parts: Vec<&str> = day.splitn(4, '-').collect();
    let [year, month, day] = parts.as_slice() else { return false };
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if year.len() != 4 || ![*year, *month, *day].into_iter().all(digits) {
        return false;
    }
    if time.is_empty() {
        return month.len() == 2 && day.len() == 2;
    }
    // What follows is hours, minutes and seconds, and perhaps a fraction and a zone.
    let time = time.trim_start_matches(['T', 't', ' ', '\t']);
    let clock = time.split(['.', 'Z', '+', '-', ' ', '\t']).next().unwrap_or_default();
    let clock: Vec<&str> = clock.split(':').collect();
    let are_short = (1..=2).contains(&month.len()) && (1..=2).contains(&day.len());
    are_short && clock.len() == 3 && clock.iter().all(|part| (1..=2).contains(&part.len()) && digits(part))
}

/// `[0-9][0-9_]*\.[0-9_]*([eE][-+][0-9]+)? | \.[0-9][0-9_]*([eE][-+][0-9]+)?`
fn is_older_float(unsigned: &str) -> bool {
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let Some((before, after)) = mantissa.split_once('.') else { return false };
    let spaced = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_');
    let begins = |part: &str| part.starts_with(|c: char| c.is_ascii_digit());
    let has_digits = if before.is_empty() { begins(after) } else { begins(before) };
    let is_exponent = |exponent: &str| {
        let digits = exponent.strip_prefix(['+', '-']);
        digits.is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))
    };
    has_digits && spaced(before) && spaced(after) && exponent.is_none_or(is_exponent)
}

/// Whether a number's last digits would be gone if it were written again.
fn loses_digit(text: &str) -> bool {
    text.ends_with(['0', '.']) && text.contains('.') && !text.contains(['e', 'E'])
}

/// `version`, `specificationVersion`, `x-api-version`; and the fields in which languages of
/// definitions name their own version.
fn is_about_versions(key: &str) -> bool {
    const WORD: &str = "version";
    let is_version = key
        .len()
        .checked_sub(WORD.len())
        .and_then(|from| key.get(from..))
        .is_some_and(|end| end.eq_ignore_ascii_case(WORD));
    is_version || matches!(key, "dataProductDescriptor" | "openapi" | "asyncapi" | "swagger" | "datastoreapi")
}

#[cfg(test)]
mod tests {
    use super::super::scalar::plain;
    use super::*;

    #[test]
    fn what_yaml_1_1_reads_otherwise() {
        for (text, older) in [
            ("no", Older::Bool(false)),
            ("Off", Older::Bool(false)),
            ("on", Older::Bool(true)),
            ("YES", Older::Bool(true)),
            ("0123", Older::Whole(83)),
            ("+0123", Older::Number),
            ("010", Older::Whole(8)),
            ("089", Older::Text),
            ("1_000", Older::Whole(1000)),
            ("-1_000", Older::Number),
            ("1_000.5", Older::Number),
            ("0b101", Older::Whole(5)),
            ("0x1_F", Older::Whole(31)),
            ("-0x1F", Older::Number),
            ("0o17", Older::Text),
            ("1:30", Older::Whole(90)),
            ("190:20:30", Older::Whole(685_230)),
            ("1:30.5", Older::Number),
            ("1e3", Older::Text),
            ("1.5e3", Older::Text),
            ("2024-06-01", Older::Date),
            ("2024-06-01T12:30:00Z", Older::Date),
            ("2024-6-1 12:30:00.5 +02:00", Older::Date),
        ] {
            assert_eq!(reading(text), Some(older), "{text}");
        }
    }

    #[test]
    fn what_all_read_alike() {
        for text in [
            "",
            "y",
            "n",
            "N",
            "nO",
            "yEs",
            "not",
            "one",
            "true",
            "null",
            "~",
            "0",
            "7",
            "42",
            "-1",
            "+12",
            "00",
            "07",
            "-07",
            "0x1F",
            "0x",
            "0b",
            "0b2",
            "1.0.0",
            "1.2.3-rc.1",
            "1.10",
            ".5",
            "-.5",
            "1.",
            "1.5e+3",
            "_1",
            "1__",
            "01:30",
            "1:60",
            "1:2:",
            ":1",
            "1:a",
            "2024-6-1",
            "2024-06",
            "20240601",
            "2024-06-01-02",
            "1-2",
            "-",
            "--",
            "-a",
            ".",
            "..",
            "+",
            "1a",
            "089_1",
            "12e",
            "127.0.0.1:80",
            "a:1",
        ] {
            // The underscore may stand at the end.
            let expected = (text == "1__").then_some(Older::Whole(1));
            assert_eq!(reading(text), expected, "{text}");
        }
    }

    #[test]
    fn only_versions_are_told_that_they_lose_a_digit() {
        let told = |text: &str, key| {
            about_value(text, &plain(text), Some(key), Mark::default()).map(|problem| problem.rule.id)
        };
        for key in ["version", "specificationVersion", "x-api-version", "Version", "openapi"] {
            assert_eq!(told("1.10", key), Some("scalar/version-loses-digit"), "{key}");
        }
        assert_eq!(told("1.10", "price"), None);
        assert_eq!(told("1.1", "version"), None);
        assert_eq!(told("1.10.0", "version"), None);
        assert_eq!(told("10", "version"), None);
        assert_eq!(told("é", "ré"), None);
    }
}
