//! What is wrong with a configuration, with the place and the remedy, and without any secret.

use std::fmt;

use super::repository::InvalidLocation;
use crate::domain::pointer::escaped;

/// One thing that is wrong with the configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct ConfigError {
    /// The file, as the user named it.
    pub file: String,
    /// Where in the file; `None` when the file as a whole is meant, or when the configuration did not come from a text.
    pub place: Option<Place>,
    /// The key, as people write it: `sources[0].url`; empty for the whole.
    pub key: String,
    /// What is wrong, in one sentence, without a full stop.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// The line at fault, with everything that may be a secret blacked out.
    pub excerpt: Option<String>,
}

/// A place in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
    /// How many characters it is long on its line; 0 where it is not known.
    pub length: u32,
}

/// One line for logs: `meshwright.yaml:3:5: sources[0].poll: message (hint)`.
impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(place) = self.place {
            write!(f, ":{}:{}", place.line, place.column)?;
        }
        if !self.key.is_empty() {
            write!(f, ": {}", self.key)?;
        }
        write!(f, ": {}", self.message)?;
        match &self.hint {
            Some(hint) => write!(f, " ({hint})"),
            None => Ok(()),
        }
    }
}

/// Something that is wrong, before it is known where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Problem {
    /// A JSON pointer to the value.
    pub(super) pointer: String,
    /// Whether the key is at fault, and not its value.
    pub(super) on_key: bool,
    /// Whether the value may hold a secret.
    pub(super) secret: bool,
    /// What is wrong.
    pub(super) message: String,
    /// What to do about it.
    pub(super) hint: Option<String>,
}

/// Collects what is wrong, so that all of it is said at once.
#[derive(Debug, Default)]
pub(super) struct Problems(pub(super) Vec<Problem>);

impl Problems {
    /// Notes that the value at `pointer` is wrong.
    pub(super) fn at(&mut self, pointer: &str, message: impl Into<String>) -> &mut Problem {
        let problem =
            Problem { pointer: pointer.to_owned(), on_key: false, secret: false, message: message.into(), hint: None };
        let index = self.0.len();
        self.0.push(problem);
        &mut self.0[index]
    }

    /// Notes that the value at `pointer` is a place or a way in that is not let through.
    pub(super) fn refused(&mut self, pointer: &str, invalid: InvalidLocation) -> &mut Problem {
        let problem = self.at(pointer, invalid.message);
        problem.hint = invalid.hint;
        problem.secret = invalid.secret;
        problem
    }

    /// Notes that the last key of `pointer` is wrong.
    pub(super) fn at_key(&mut self, pointer: &str, message: impl Into<String>) -> &mut Problem {
        let problem = self.at(pointer, message);
        problem.on_key = true;
        problem
    }
}

impl Problem {
    /// Adds advice.
    pub(super) fn hint(&mut self, hint: impl Into<String>) -> &mut Self {
        self.hint = Some(hint.into());
        self
    }

    /// The value may hold a secret: it is blacked out in excerpts.
    pub(super) fn secret(&mut self) -> &mut Self {
        self.secret = true;
        self
    }
}

/// `/sources/0/url` as `sources[0].url`.
pub(super) fn readable(pointer: &str) -> String {
    let mut text = String::new();
    for part in pointer.split('/').skip(1) {
        let part = part.replace("~1", "/").replace("~0", "~");
        if part.bytes().all(|byte| byte.is_ascii_digit()) && !part.is_empty() {
            text.push_str(&format!("[{part}]"));
        } else {
            if !text.is_empty() {
                text.push('.');
            }
            text.push_str(&part);
        }
    }
    text
}

/// `pointer` and one more step.
pub(super) fn below(pointer: &str, key: impl fmt::Display) -> String {
    format!("{pointer}/{}", escaped(&key.to_string()))
}
