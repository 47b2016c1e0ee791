//! Where each value of a YAML text stands. The values themselves are read by another library; this
//! one only knows positions, and a text it cannot read simply has none.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use saphyr_parser::{Event, Parser, ScalarStyle, Span};

use super::error::{Place, below};

/// From where to where something reaches; lines and columns from 1, the end exclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Extent {
    pub(super) line: usize,
    pub(super) column: usize,
    pub(super) end_line: usize,
    pub(super) end_column: usize,
}

/// The places of a text, by JSON pointer.
#[derive(Debug, Clone, Default)]
pub(super) struct Places {
    values: HashMap<String, Extent>,
    keys: HashMap<String, Extent>,
    /// Scalars that stand where secrets usually stand, whatever they were meant to be.
    pub(super) suspicious: Vec<Extent>,
    /// Keys that stand twice in their mapping; the second time.
    pub(super) repeated: Vec<(String, Extent)>,
}

impl Extent {
    fn of(span: &Span) -> Self {
        Self {
            line: span.start.line(),
            column: span.start.col() + 1,
            end_line: span.end.line(),
            end_column: span.end.col() + 1,
        }
    }

    /// As a place on its first line.
    pub(super) fn place(&self) -> Place {
        let length = if self.line == self.end_line { self.end_column.saturating_sub(self.column) } else { 0 };
        let number = |wide: usize| u32::try_from(wide).unwrap_or(u32::MAX);
        Place { line: number(self.line), column: number(self.column), length: number(length) }
    }
}

/// A collection that is being read.
enum Open {
    /// A list at this pointer, and how many items were begun.
    List(String, Extent, usize),
    /// A mapping at this pointer, and the key whose value comes next.
    Map(String, Extent, Option<String>),
    /// A collection as a key: legal YAML, and of no use here.
    Odd,
}

impl Places {
    /// Reads the places of the first document.
    pub(super) fn of(text: &str) -> Self {
        let lines: Vec<&str> = text.lines().collect();
        let mut places = Places::default();
        let mut open: Vec<Open> = Vec::new();
        for event in Parser::new_from_str(text) {
            let Ok((event, span)) = event else { break };
            match event {
                Event::Scalar(value, style, ..) => {
                    let mut extent = Extent::of(&span);
                    // The library's end lies behind the white space and the comment that follow a scalar.
                    if let Some(length) = written_length(&lines, &extent, style, &value) {
                        extent.end_line = extent.line;
                        extent.end_column = extent.column + length;
                    }
                    if let Some(Open::Map(pointer, _, key @ None)) = open.last_mut() {
                        let pointer = below(pointer, &value);
                        *key = Some(value.into_owned());
                        match places.keys.entry(pointer) {
                            Entry::Occupied(first) => places.repeated.push((first.key().clone(), extent)),
                            Entry::Vacant(free) => {
                                free.insert(extent);
                            }
                        }
                    } else if let Some(pointer) = next_pointer(&mut open) {
                        if sounds_secret(&pointer) {
                            places.suspicious.push(extent);
                        }
                        places.values.insert(pointer, extent);
                    }
                }
                Event::Alias(_) => {
                    if let Some(pointer) = next_pointer(&mut open) {
                        places.values.insert(pointer, Extent::of(&span));
                    }
                }
                Event::SequenceStart(..) => {
                    let begun = next_pointer(&mut open).map(|at| Open::List(at, Extent::of(&span), 0));
                    open.push(begun.unwrap_or(Open::Odd));
                }
                Event::MappingStart(..) => {
                    let begun = next_pointer(&mut open).map(|at| Open::Map(at, Extent::of(&span), None));
                    open.push(begun.unwrap_or(Open::Odd));
                }
                Event::SequenceEnd | Event::MappingEnd => match open.pop() {
                    Some(Open::List(pointer, mut extent, _) | Open::Map(pointer, mut extent, _)) => {
                        (extent.end_line, extent.end_column) = (span.end.line(), span.end.col() + 1);
                        places.values.insert(pointer, extent);
                    }
                    Some(Open::Odd) | None => {}
                },
                Event::DocumentEnd => break,
                Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentStart(_) => {}
            }
        }
        places
    }

    /// Where the value stands, or its nearest parent that is there.
    pub(super) fn value(&self, pointer: &str) -> Option<Extent> {
        let mut pointer = pointer;
        loop {
            if let Some(extent) = self.values.get(pointer) {
                return Some(*extent);
            }
            pointer = pointer.rsplit_once('/')?.0;
        }
    }

    /// Where the key of the value stands; the value itself where it has none.
    pub(super) fn key(&self, pointer: &str) -> Option<Extent> {
        self.keys.get(pointer).copied().or_else(|| self.value(pointer))
    }
}

/// Whether a value at this pointer may be a secret, going by the names of its keys. A reference to a secret is none.
fn sounds_secret(pointer: &str) -> bool {
    let pointer = pointer.to_lowercase();
    !pointer.ends_with("/env")
        && !pointer.ends_with("/file")
        && ["passw", "secret", "token", "private", "apikey", "api_key"].iter().any(|word| pointer.contains(word))
}

/// How many characters a scalar has on its line, as written; `None` when it does not end there.
fn written_length(lines: &[&str], extent: &Extent, style: ScalarStyle, value: &str) -> Option<usize> {
    let quote = match style {
        ScalarStyle::Plain => return (!value.contains('\n')).then(|| value.chars().count()),
        ScalarStyle::SingleQuoted => '\'',
        ScalarStyle::DoubleQuoted => '"',
        ScalarStyle::Literal | ScalarStyle::Folded => return None,
    };
    let line = lines.get(extent.line.checked_sub(1)?)?;
    let mut rest = line.chars().enumerate().skip(extent.column).peekable();
    while let Some((index, c)) = rest.next() {
        match c {
            '\\' if quote == '"' => {
                rest.next();
            }
            c if c == quote => {
                // Two single quotes are one, as text.
                if quote == '\'' && rest.next_if(|(_, next)| *next == '\'').is_some() {
                    continue;
                }
                return Some(index + 2 - extent.column);
            }
            _ => {}
        }
    }
    None
}

/// Where the value that comes next belongs; `None` when it is (part of) a key.
fn next_pointer(open: &mut [Open]) -> Option<String> {
    match open.last_mut() {
        None => Some(String::new()),
        Some(Open::List(pointer, _, count)) => {
            let next = below(pointer, *count);
            *count += 1;
            Some(next)
        }
        Some(Open::Map(pointer, _, key)) => match key.take() {
            Some(key) => Some(below(pointer, key)),
            None => {
                // A collection stands where a key should be; what follows it is taken for its value.
                *key = Some(String::new());
                None
            }
        },
        Some(Open::Odd) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_and_keys_have_their_places() {
        let places = Places::of("a: 1\nlist:\n  - x: \"é\"   # note\n    y: [p, q]\n");
        let place = |pointer: &str| places.value(pointer).unwrap().place();
        assert_eq!(place("/a"), Place { line: 1, column: 4, length: 1 });
        assert_eq!(place("/list/0/x"), Place { line: 3, column: 8, length: 3 });
        assert_eq!(place("/list/0/y/1"), Place { line: 4, column: 12, length: 1 });
        assert_eq!(places.key("/list/0/y").unwrap().place(), Place { line: 4, column: 5, length: 1 });
        assert_eq!(place("/list/0/y/9"), place("/list/0/y"), "the nearest parent");
    }

    #[test]
    fn a_key_that_stands_twice_is_known() {
        let places = Places::of("a: 1\nb: 2\na: 3\n");
        assert_eq!(places.repeated.len(), 1);
        assert_eq!(places.repeated[0].1.line, 3);
    }

    #[test]
    fn odd_and_broken_texts_do_no_harm() {
        for text in ["", "? [a, b]\n: c\nd: e", "a: [", "\t", "- - - -", "a: &x 1\nb: *x", "{{a: b}: c}"] {
            let _ = Places::of(text);
        }
        let places = Places::of("? [a, b]\n: c\nd: e\n");
        assert_eq!(places.value("/d").unwrap().line, 3);
    }
}
