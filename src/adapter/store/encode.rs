//! How values stand in columns: JSON as text, names as they are, times as milliseconds.

use std::borrow::Cow;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::domain::finding::Finding;
use crate::domain::id::Fqn;
use crate::port::store::StoreError;

/// A line of a task's log is cut at this many bytes.
pub const LINE_LIMIT: usize = 8 * 1024;

/// The record keeps at most this many lines a task.
pub const LINES_PER_TASK: usize = 10_000;

/// Stands as the last kept line of a log that was cut.
pub const CUT_NOTE: &str = "… further lines of this task are not kept";

/// What is said of a row that cannot be read: somebody else wrote it, or the file is damaged.
pub fn damaged(what: &str, why: impl std::fmt::Display) -> StoreError {
    StoreError::Unusable(format!("{what} in the record cannot be read: {why}"))
}

/// Writes a value as JSON.
pub fn to_json<T: Serialize + ?Sized>(what: &str, value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Unusable(format!("{what} cannot be recorded: {error}")))
}

/// Reads a value that was written as JSON.
pub fn from_json<T: DeserializeOwned>(what: &str, text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|error| damaged(what, error))
}

/// Writes one of a closed set of words, as it stands in JSON.
pub fn to_word<T: Serialize>(what: &str, value: &T) -> Result<String, StoreError> {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => Ok(word),
        _ => Err(StoreError::Unusable(format!("{what} cannot be recorded: it is no word"))),
    }
}

/// Reads one of a closed set of words.
pub fn from_word<T: DeserializeOwned>(what: &str, word: &str) -> Result<T, StoreError> {
    serde_json::from_value(serde_json::Value::from(word)).map_err(|error| damaged(what, error))
}

/// Writes names as a JSON list, to be bound as one parameter: a list may be longer than what a
/// database takes as separate parameters.
pub fn name_list<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<serde_json::Value> = names.into_iter().map(serde_json::Value::from).collect();
    serde_json::Value::Array(names).to_string()
}

/// What all majors of a product have in common: its name without the major.
pub fn family(product: &Fqn) -> String {
    match product.owner() {
        Some(owner) => owner.as_str().rsplit_once(':').map_or_else(|| owner.to_string(), |(name, _)| name.to_owned()),
        None => product.to_string(),
    }
}

/// How many errors rules found, and how many policies found.
pub fn error_counts(findings: &[Finding]) -> (i64, i64) {
    let errors = findings.iter().filter(|finding| finding.is_error());
    errors.fold(
        (0, 0),
        |(rules, policies), finding| {
            if finding.rule.is_policy() { (rules, policies + 1) } else { (rules + 1, policies) }
        },
    )
}

/// The line, cut between characters where it is longer than [`LINE_LIMIT`] bytes.
pub fn cut_line(line: &str) -> Cow<'_, str> {
    const ELLIPSIS: &str = "…";
    if line.len() <= LINE_LIMIT {
        return Cow::Borrowed(line);
    }
    let end = line.floor_char_boundary(LINE_LIMIT - ELLIPSIS.len());
    Cow::Owned(format!("{}{ELLIPSIS}", line.get(..end).unwrap_or_default()))
}

/// A number for a column. What is above the column's range stands as its greatest value; nothing
/// that is counted here gets there.
pub fn to_column(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A number from a column. A negative one was not written by us, and counts as none.
pub fn from_column(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_cut_between_characters() {
        assert_eq!(cut_line("short"), "short");
        let exact = "x".repeat(LINE_LIMIT);
        assert_eq!(cut_line(&exact), exact.as_str());
        let long = "é".repeat(LINE_LIMIT);
        let cut = cut_line(&long);
        assert!(cut.len() <= LINE_LIMIT && cut.len() > LINE_LIMIT - 4, "{}", cut.len());
        assert!(cut.ends_with("é…"));
    }

    #[test]
    fn a_family_is_the_name_without_its_major() {
        let one: Fqn = "urn:dpds:com.example:dataproducts:trips:1".parse().unwrap();
        let two: Fqn = "urn:dpds:com.example:dataproducts:trips:2".parse().unwrap();
        let other: Fqn = "urn:dpds:com.example:dataproducts:trip:1".parse().unwrap();
        assert_eq!(family(&one), family(&two));
        assert_ne!(family(&one), family(&other));
        assert_eq!(family(&"urn:dpds:x:apis:a:1".parse().unwrap()), "urn:dpds:x:apis:a:1");
    }

    #[test]
    fn name_lists_escape_what_json_needs() {
        assert_eq!(name_list(["a\"b", "c'd", "é"]), r#"["a\"b","c'd","é"]"#);
    }
}
