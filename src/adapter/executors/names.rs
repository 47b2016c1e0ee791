//! Names that are derived from the names of descriptors.

use crate::domain::id::Digest;

/// The longest identifier that PostgreSQL keeps, in bytes (`NAMEDATALEN` - 1). SQLite has no limit.
pub(super) const LONGEST_IDENTIFIER: usize = 63;

/// Lower snake case: `tripExecution`, `trip-execution` and `Trip Execution` are `trip_execution`.
/// Never empty.
pub(super) fn snake(text: &str) -> String {
    let characters: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len() + 8);
    for (index, &character) in characters.iter().enumerate() {
        if !character.is_ascii_alphanumeric() {
            if !out.is_empty() && !out.ends_with('_') {
                out.push('_');
            }
            continue;
        }
        let before = index.checked_sub(1).and_then(|index| characters.get(index));
        let after = characters.get(index + 1);
        let word_begins = character.is_ascii_uppercase()
            && before.is_some_and(|before| {
                before.is_ascii_lowercase()
                    || before.is_ascii_digit()
                    || (before.is_ascii_uppercase() && after.is_some_and(char::is_ascii_lowercase))
            });
        if word_begins && !out.ends_with('_') {
            out.push('_');
        }
        out.push(character.to_ascii_lowercase());
    }
    let trimmed = out.trim_end_matches('_');
    if trimmed.is_empty() { "x".to_owned() } else { trimmed.to_owned() }
}

/// Upper snake case, for names of environment variables.
pub(super) fn upper_snake(text: &str) -> String {
    snake(text).to_ascii_uppercase()
}

/// The text, or, when it is longer than an identifier may be, its beginning and eight digits of
/// its digest: two long names that differ stay different.
pub(super) fn limited(text: &str) -> String {
    if text.len() <= LONGEST_IDENTIFIER {
        return text.to_owned();
    }
    let mut end = LONGEST_IDENTIFIER - 9;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let digest = Digest::of(text.as_bytes());
    format!("{}_{}", text.get(..end).unwrap_or_default(), digest.short().get(..8).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_told_apart() {
        for (text, wanted) in [
            ("tripExecution", "trip_execution"),
            ("trip-execution", "trip_execution"),
            ("Trip  Execution", "trip_execution"),
            ("HTTPServerV2", "http_server_v2"),
            ("daily_orders", "daily_orders"),
            ("--", "x"),
            ("Übung", "bung"),
        ] {
            assert_eq!(snake(text), wanted, "{text}");
        }
        assert_eq!(upper_snake("dailyOrders"), "DAILY_ORDERS");
    }

    #[test]
    fn long_names_stay_different() {
        let (a, b) = ("a".repeat(80), format!("{}b", "a".repeat(79)));
        assert_eq!(limited(&a).len(), LONGEST_IDENTIFIER);
        assert_ne!(limited(&a), limited(&b));
        assert_eq!(limited("short"), "short");
    }
}
