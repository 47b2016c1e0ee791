//! What holds of whatever is thrown at reading, resolving and comparing. Each function takes any bytes and
//! panics where something does not hold. The fuzz targets of `tests/fuzz` are these functions, and
//! `cargo test` runs them over what fuzzing left behind: its corpus, and every input that once broke one.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "to panic is how it is told that something does not hold"
)]

mod canonical;
mod differ;
mod loader;
mod resolver;

pub use canonical::canonical;
pub use differ::differ;
pub use loader::loader;
pub use resolver::resolver;

use std::collections::BTreeMap;

use serde_json::Value;

use super::yaml::{self, Located, Mark};
use crate::domain::id::RepoPath;
use crate::port::tree::{Entry, EntryKind, Listing, ReadError, Tree};

/// A tree of a few files.
#[derive(Debug, Default)]
pub(super) struct Files(BTreeMap<RepoPath, Vec<u8>>);

impl Files {
    pub(super) fn with(mut self, path: &str, bytes: impl AsRef<[u8]>) -> Self {
        self.0.insert(path.parse().unwrap(), bytes.as_ref().to_vec());
        self
    }
}

impl Tree for Files {
    fn list(&self, _: Option<&RepoPath>) -> Result<Listing, ReadError> {
        let entries = self.0.keys().map(|path| Entry { path: path.clone(), kind: EntryKind::File }).collect();
        Ok(Listing { entries, unusable: Vec::new() })
    }

    fn read(&self, path: &RepoPath, limit: u64) -> Result<Vec<u8>, ReadError> {
        match self.0.get(path) {
            Some(bytes) if bytes.len() as u64 > limit => {
                Err(ReadError::TooLarge { path: path.clone(), size: bytes.len() as u64, limit })
            }
            Some(bytes) => Ok(bytes.clone()),
            None => Err(ReadError::NotFound(path.clone())),
        }
    }
}

/// Places and content have the same shape, key by key.
pub(super) fn assert_parallel(value: &Value, located: &Located, node: usize) {
    let children: Vec<usize> = located.children(node).collect();
    let end = located.places[node].end as usize;
    assert!(end > node && end <= located.places.len());
    assert!(located.places[node].head.line > 0 && located.places[node].head.column > 0);
    match value {
        Value::Object(fields) => {
            assert_eq!(fields.len(), children.len());
            for ((key, value), child) in fields.iter().zip(children) {
                assert_eq!(located.key(child), key);
                assert!(located.places[child].key.line > 0);
                assert_parallel(value, located, child);
            }
        }
        Value::Array(items) => {
            assert_eq!(items.len(), children.len());
            items.iter().zip(children).for_each(|(item, child)| assert_parallel(item, located, child));
        }
        _ => assert!(children.is_empty() && end == node + 1),
    }
}

/// How many characters each line of a text has, so that it can be asked whether a stretch lies within it.
struct Lines(Vec<u32>);

impl Lines {
    /// What is no UTF-8 counts up to there, because nothing is said of what stands behind it.
    fn of(bytes: &[u8]) -> Self {
        let text = std::str::from_utf8(bytes)
            .unwrap_or_else(|error| std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default());
        let text = text.strip_prefix('\u{FEFF}').unwrap_or(text).replace("\r\n", "\n");
        Self(text.split(['\n', '\r']).map(|line| line.chars().count() as u32).collect())
    }

    /// A stretch may begin behind the last character of its line, and is at least there.
    fn assert_holds(&self, Mark { line, column, length }: Mark) {
        let place = format!("{line}:{column}, {length} characters");
        assert!(line >= 1 && column >= 1, "{place}");
        let characters = self.0.get(line as usize - 1);
        let characters = *characters.unwrap_or_else(|| panic!("{place}: there are {} lines", self.0.len()));
        assert!(column <= characters + 1, "{place}: the line has {characters} characters");
        let left = (characters + 1 - column).max(1);
        assert!(length <= left, "{place}: the line has {characters} characters");
    }
}

/// Values that a value is made of, itself among them, and how deep they stand inside each other.
fn size(value: &Value) -> (usize, usize) {
    let inner = |values: &mut dyn Iterator<Item = &Value>| {
        values.map(size).fold((1, 0), |(all, deepest), (count, depth)| (all + count, deepest.max(depth)))
    };
    let (count, depth) = match value {
        Value::Object(fields) => inner(&mut fields.values()),
        Value::Array(items) => inner(&mut items.iter()),
        _ => return (1, 0),
    };
    (count, depth + 1)
}

/// The same content with all its keys the other way round.
fn reversed(value: &Value) -> Value {
    match value {
        Value::Object(fields) => fields.iter().rev().map(|(key, value)| (key.clone(), reversed(value))).collect(),
        Value::Array(items) => items.iter().map(reversed).collect(),
        scalar => scalar.clone(),
    }
}

/// The content as the text of a JSON file; `None` where it holds what no file may.
fn written(value: &Value) -> Option<String> {
    let text = serde_json::to_string(value).unwrap();
    yaml::text_of(text.as_bytes()).is_ok().then_some(text)
}

#[cfg(test)]
mod tests;
