//! From bytes to content in which every value knows its place. YAML as nearly everybody writes it is
//! read in one go, all other YAML through saphyr-parser's events, JSON through a reader of its own;
//! all end in the same builder. Nothing here knows
//! what a descriptor is, and nothing follows a reference.

mod builder;
mod encoding;
mod events;
mod everyday;
mod json;
mod mistakes;
mod older;
mod place;
pub(super) mod rules;
mod scalar;

pub(super) use encoding::text_of;
pub(super) use place::{Located, Mark, Place, Shape, push_segment, segments};

use std::borrow::Cow;

use serde_json::Value;

use crate::domain::id::RepoPath;
use crate::domain::rule::Rule;

/// One file's content.
#[derive(Debug, Clone)]
pub(super) struct Document {
    /// The content, with keys in the order of the text.
    pub value: Value,
    /// Where each value stands. Its list of files is empty; whoever uses it knows the file.
    pub located: Located,
    /// Whether a key `$ref` occurs anywhere.
    pub has_references: bool,
}

/// Something wrong with one file.
#[derive(Debug)]
pub(super) struct Problem {
    /// The rule that it breaks.
    pub rule: &'static Rule,
    /// Where.
    pub mark: Mark,
    /// The same place as a JSON pointer into the file.
    pub pointer: String,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub hint: Option<Cow<'static, str>>,
}

impl Problem {
    fn new(rule: &'static Rule, mark: Mark, pointer: String, message: impl Into<String>) -> Self {
        Self { rule, mark, pointer, message: message.into(), hint: None }
    }

    fn with_hint(mut self, hint: impl Into<Cow<'static, str>>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// The language of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Syntax {
    /// YAML 1.2, core schema.
    Yaml,
    /// JSON, RFC 8259.
    Json,
}

impl Syntax {
    /// The language by the file's extension; `None` for files that are neither.
    pub(super) fn of(path: &RepoPath) -> Option<Self> {
        let extension = path.file_name().rsplit_once('.')?.1;
        let is = |known: &str| extension.eq_ignore_ascii_case(known);
        if is("yaml") || is("yml") {
            Some(Self::Yaml)
        } else if is("json") || is("avsc") {
            Some(Self::Json)
        } else {
            None
        }
    }
}

/// Reads one file. Without a document there is at least one problem.
pub(super) fn read(bytes: &[u8], syntax: Syntax) -> (Option<Document>, Vec<Problem>) {
    let text = match text_of(bytes) {
        Ok(text) => text,
        Err(problem) => return (None, vec![problem]),
    };
    let (document, mut problems) = match syntax {
        Syntax::Yaml => match everyday::read(text) {
            Some(document) => (Some(document), Vec::new()),
            None => events::read(text),
        },
        Syntax::Json => json::read(text),
    };
    if document.is_none() && problems.is_empty() {
        let mark = Mark { line: 1, column: 1, length: 0 };
        problems.push(
            Problem::new(&rules::EMPTY, mark, String::new(), "the file is empty")
                .with_hint("write a descriptor into it, or remove it"),
        );
    }
    (document, problems)
}

/// What the reader of everyday YAML makes of a text, and what the full one does.
#[cfg(any(test, fuzzing))]
pub(super) fn by_both_readers(text: &str) -> (Option<Document>, (Option<Document>, Vec<Problem>)) {
    (everyday::read(text), events::read(text))
}

/// Whether a text may stand without quotes, in any place, and is a text to every reader.
pub(super) fn is_plain_text(text: &str) -> bool {
    let is_harmless = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '/' | ':' | '#' | '@');
    text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && !text.ends_with(':')
        && text.chars().all(is_harmless)
        && scalar::plain(text) == scalar::Plain::Text
        && older::about_key(text, Mark::default()).is_none()
}

/// A text as messages show it: quoted, on one line, and cut where it is long.
pub(super) fn shown(text: &str) -> String {
    const LONGEST: usize = 60;
    let mut out = String::with_capacity(text.len().min(LONGEST) + 2);
    out.push('\'');
    for (count, character) in text.chars().enumerate() {
        if count == LONGEST {
            out.push('…');
            break;
        }
        // Control characters and the invisible ones that reorder text would spoil a terminal or a
        // comment on a forge.
        let invisible = character.is_control()
            || matches!(character, '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}');
        if invisible {
            out.extend(character.escape_unicode());
        } else {
            out.push(character);
        }
    }
    out.push('\'');
    out
}
