//! YAML as nearly everybody writes it, read in one go: maps and lists by indentation, flow
//! collections, scalars on one line, block scalars, comments. What goes beyond that (anchors, tags,
//! scalars over several lines, tabs, empty items, several documents) and whatever is wrong is not
//! decided here: `None` hands the text to the full parser, which begins anew and says what there is
//! to say.
//!
//! So the two never disagree: what is read here comes out as the full parser would read it, place
//! by place. Tests compare them on descriptors, on broken ones and on made-up texts.
//!
//! It recurses at most [`MAX_DEPTH`] deep: the builder refuses more.

mod line;

use saphyr_parser::ScalarStyle;
use serde_json::Value;

use self::line::{Scalar, count};
use super::Document;
use super::builder::Builder;
use super::events;
use super::older;
use super::place::{Mark, Shape};
use super::scalar::{Plain, plain};
#[cfg(doc)]
use crate::check::limits::MAX_DEPTH;

/// The longest key, in bytes. YAML takes 1024 characters; near that, the full parser counts.
const LONGEST_KEY: usize = 512;

/// Reads a text; `None` when it is not of the everyday kind, or when there is something to say.
pub(super) fn read(text: &str) -> Option<Document> {
    // Line breaks of YAML 1.1, and what is no part of a text.
    let is_odd =
        |c: char| matches!(c, '\u{80}'..='\u{9F}' | '\u{2028}' | '\u{2029}' | '\u{FEFF}' | '\u{FFFE}' | '\u{FFFF}');
    if !text.is_ascii() && text.chars().any(is_odd) {
        return None;
    }
    // A carriage return is a line break too, and a marker of documents may have content behind it.
    let is_odd_marker = |line: &str| (line.starts_with("---") && line != "---") || line.starts_with("...");
    if text.contains('\r') || text.split('\n').any(is_odd_marker) {
        return None;
    }
    let mut reader = Reader {
        text,
        bytes: text.as_bytes(),
        at: 0,
        line: 1,
        line_start: 0,
        counted: 0,
        column: 1,
        indent: None,
        hollow: Mark::default(),
        builder: Builder::new(text.len()),
    };
    reader.document()?;
    match reader.builder.finished() {
        (Some(document), problems) if problems.is_empty() => Some(document),
        _ => None,
    }
}

struct Reader<'t> {
    text: &'t str,
    bytes: &'t [u8],
    /// The next byte.
    at: usize,
    line: u32,
    /// The first byte of the line.
    line_start: usize,
    /// Up to where characters were counted into `column`.
    counted: usize,
    column: u32,
    /// The spaces before the content of the line; `None` at the end of the text.
    indent: Option<usize>,
    /// The last key's colon: there a value stands that is not there.
    hollow: Mark,
    builder: Builder,
}

impl<'t> Reader<'t> {
    fn document(&mut self) -> Option<()> {
        self.next_content()?;
        if self.bytes.get(self.at..)?.starts_with(b"---\n") && self.at == self.line_start {
            self.at += 3;
            self.end_of_line()?;
        }
        let indent = self.indent?;
        self.block(indent)?;
        if self.indent.is_none() { Some(()) } else { None }
    }

    /// A map or list that begins here, at the beginning of a line's content.
    fn block(&mut self, indent: usize) -> Option<()> {
        if self.is_at_dash() {
            return self.list(indent);
        }
        let key = self.scalar(false)?;
        if self.colon(&key, false) { self.map(indent, key) } else { None }
    }

    /// The rest of a map whose first key was read.
    fn map(&mut self, indent: usize, first: Scalar<'t>) -> Option<()> {
        self.builder.open(Shape::Map, Mark { length: 0, ..first.mark }, 0).ok()?;
        let mut key = first;
        loop {
            self.key(key)?;
            self.entry(indent, true)?;
            match self.indent {
                Some(next) if next == indent => {}
                Some(next) if next > indent => return None,
                _ => break,
            }
            if self.is_at_dash() {
                return None;
            }
            key = self.scalar(false)?;
            if !self.colon(&key, false) {
                return None;
            }
        }
        self.builder.close().ok()
    }

    /// A list, at its first dash.
    fn list(&mut self, indent: usize) -> Option<()> {
        let mark = self.mark(0);
        self.builder.open(Shape::List, mark, 0).ok()?;
        loop {
            self.at += 1;
            self.entry(indent, false)?;
            match self.indent {
                Some(next) if next > indent => return None,
                Some(next) if next == indent && self.is_at_dash() => {}
                _ => break,
            }
        }
        self.builder.close().ok()
    }

    /// What stands behind a key's colon or a list's dash, up to the next line with content.
    fn entry(&mut self, indent: usize, in_map: bool) -> Option<()> {
        self.spaces();
        match self.peek() {
            None | Some(b'\n' | b'#') => {
                let hollow = self.hollow;
                // In the place of a value, a comment may be meant as one.
                let is_word = self.peek() == Some(b'#') && events::is_word(self.bytes.get(self.at + 1));
                self.end_of_line()?;
                match self.indent {
                    Some(next) if next > indent => self.block(next),
                    Some(next) if next == indent && in_map && self.is_at_dash() => self.list(next),
                    _ if in_map && !is_word => self.nothing(hollow),
                    _ => None,
                }
            }
            Some(b'|' | b'>') => self.block_scalar(indent),
            Some(b'{' | b'[') => {
                self.flow(indent)?;
                self.end_of_line()
            }
            Some(b'-') if !in_map && self.is_at_dash() => self.list(self.at - self.line_start),
            Some(_) => {
                let start = self.at - self.line_start;
                let scalar = self.scalar(false)?;
                if self.colon(&scalar, false) {
                    return if in_map { None } else { self.map(start, scalar) };
                }
                self.value(scalar)?;
                self.end_of_line()
            }
        }
    }

    /// A value in a flow collection, or one that is a flow collection.
    fn flow(&mut self, indent: usize) -> Option<()> {
        match self.peek()? {
            b'{' => self.flow_map(indent),
            b'[' => self.flow_list(indent),
            _ => {
                let scalar = self.scalar(true)?;
                self.value(scalar)
            }
        }
    }

    fn flow_map(&mut self, indent: usize) -> Option<()> {
        let mark = self.flow_mark()?;
        self.builder.open(Shape::Map, mark, 0).ok()?;
        self.flow_space(indent)?;
        if self.peek()? != b'}' {
            loop {
                let key = self.scalar(true)?;
                let has_colon = self.colon(&key, true);
                self.key(key)?;
                self.flow_space(indent)?;
                match self.peek()? {
                    b',' | b'}' if has_colon => self.nothing(self.hollow)?,
                    b',' | b'}' => {
                        let hollow = self.flow_mark()?;
                        self.nothing(hollow)?;
                        self.at -= 1;
                    }
                    _ if has_colon => self.flow(indent)?,
                    _ => return None,
                }
                self.flow_space(indent)?;
                match self.peek()? {
                    b',' => self.at += 1,
                    b'}' => break,
                    _ => return None,
                }
                self.flow_space(indent)?;
            }
        }
        self.at += 1;
        self.builder.close().ok()
    }

    fn flow_list(&mut self, indent: usize) -> Option<()> {
        let mark = self.flow_mark()?;
        self.builder.open(Shape::List, mark, 0).ok()?;
        self.flow_space(indent)?;
        if self.peek()? != b']' {
            loop {
                self.flow(indent)?;
                self.flow_space(indent)?;
                match self.peek()? {
                    b',' => self.at += 1,
                    b']' => break,
                    _ => return None,
                }
                self.flow_space(indent)?;
            }
        }
        self.at += 1;
        self.builder.close().ok()
    }

    /// The place of one of the signs of flow collections; the cursor then stands behind it.
    fn flow_mark(&mut self) -> Option<Mark> {
        let mut mark = self.mark(0);
        let start = self.at;
        self.at += 1;
        mark.length = count(self.text.get(start..self.behind_blank())?);
        Some(mark)
    }

    /// Spaces inside of a flow collection, and line breaks when the next line goes on deeper than
    /// what stands around.
    fn flow_space(&mut self, indent: usize) -> Option<()> {
        self.spaces();
        if self.peek()? == b'\n' {
            self.next_line();
            self.spaces();
            if self.at - self.line_start <= indent || matches!(self.peek()?, b'\n' | b'#') {
                return None;
            }
        }
        Some(())
    }

    fn key(&mut self, key: Scalar<'t>) -> Option<()> {
        if key.text.len() > LONGEST_KEY {
            return None;
        }
        events::key(&mut self.builder, key.text, key.style, None, key.mark).ok()
    }

    fn value(&mut self, scalar: Scalar<'t>) -> Option<()> {
        let is_plain = scalar.style == ScalarStyle::Plain;
        let read = if is_plain { plain(&scalar.text) } else { Plain::Text };
        if is_plain && older::about_value(&scalar.text, &read, self.builder.open_key(), scalar.mark).is_some() {
            return None;
        }
        let value = match read {
            Plain::Text => Value::String(scalar.text.into_owned()),
            Plain::Value(value) => value,
            Plain::NotFinite | Plain::OutOfRange => return None,
        };
        self.builder.scalar(value, scalar.mark, false, 0).ok()
    }

    /// A value that is not there.
    fn nothing(&mut self, mark: Mark) -> Option<()> {
        self.builder.nothing(mark, false, 0).ok()
    }

    /// A literal or folded scalar, at its `|` or `>`, up to the next line with content.
    fn block_scalar(&mut self, parent: usize) -> Option<()> {
        let is_folded = self.peek()? == b'>';
        self.at += 1;
        let is_stripped = self.peek()? == b'-';
        self.at += usize::from(is_stripped);
        if self.peek()? != b'\n' {
            return None;
        }
        self.next_line();
        let mut out = String::new();
        let mut own: Option<usize> = None;
        let mut blank = 0;
        let mut mark = Mark::default();
        while self.at < self.bytes.len() {
            self.spaces();
            let indent = self.at - self.line_start;
            if self.peek()? == b'\n' {
                if own.is_none_or(|own| indent > own) {
                    return None;
                }
                blank += 1;
                self.next_line();
                continue;
            }
            match own {
                None if indent > parent => {
                    own = Some(indent);
                    mark = self.mark(0);
                }
                Some(own) if indent >= own => {
                    if is_folded && indent > own {
                        return None;
                    }
                    if !is_folded {
                        out.push('\n');
                    } else if blank == 0 {
                        out.push(' ');
                    }
                    out.extend(std::iter::repeat_n('\n', blank));
                    blank = 0;
                }
                Some(_) if indent <= parent => break,
                _ => return None,
            }
            let start = self.line_start + own?;
            let length = self.bytes.get(start..)?.iter().position(|byte| *byte < 0x20)?;
            let line = self.text.get(start..start + length)?;
            if is_folded && line.ends_with(' ') {
                return None;
            }
            out.push_str(line);
            self.at = start + length;
            if self.peek()? != b'\n' {
                return None;
            }
            self.next_line();
        }
        own?;
        if !is_stripped {
            out.push('\n');
        }
        self.builder.block_text(out, mark, is_folded, 0).ok()?;
        // Back to the beginning of the line that ended it.
        self.at = self.line_start;
        self.next_content()
    }
}

#[cfg(test)]
mod tests;
