//! YAML as nearly everybody writes it, read in one go: maps and lists by indentation, flow
//! collections, scalars on one line, block scalars, comments. What goes beyond that (anchors, tags,
//! scalars over several lines, tabs, several documents, values without content) and whatever is
//! wrong is not decided here: `None` hands the text to the full parser, which begins anew and says
//! what there is to say.
//!
//! So the two never disagree: what is read here comes out as the full parser would read it, place
//! by place. Tests compare them on descriptors, on broken ones and on made-up texts.
//!
//! It recurses at most [`MAX_DEPTH`] deep: the builder refuses more.

use std::borrow::Cow;

use saphyr_parser::ScalarStyle;
use serde_json::Value;

use super::Document;
use super::builder::Builder;
use super::events;
use super::place::{Mark, Shape};
use super::scalar::{Plain, plain};
#[cfg(doc)]
use crate::check::limits::MAX_DEPTH;

/// The longest key, in bytes. YAML takes 1024 characters; near that, the full parser counts.
const LONGEST_KEY: usize = 512;

/// Reads a text; `None` when it is not of the everyday kind, or when there is something to say.
pub(super) fn read(text: &str) -> Option<Document> {
    if !text.is_ascii()
        && text
            .chars()
            .any(|c| matches!(c, '\u{80}'..='\u{9F}' | '\u{2028}' | '\u{2029}' | '\u{FEFF}' | '\u{FFFE}' | '\u{FFFF}'))
    {
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
    builder: Builder,
}

/// A scalar that may turn out to be a key.
struct Scalar<'t> {
    text: Cow<'t, str>,
    style: ScalarStyle,
    mark: Mark,
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
                self.end_of_line()?;
                match self.indent? {
                    next if next > indent => self.block(next),
                    next if next == indent && in_map && self.is_at_dash() => self.list(next),
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
                if !self.colon(&key, true) {
                    return None;
                }
                self.key(key)?;
                self.flow_space(indent)?;
                self.flow(indent)?;
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

    /// The place of the bracket or brace that opens a flow collection; the cursor then stands behind it.
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
        let value = match if scalar.style == ScalarStyle::Plain { plain(&scalar.text) } else { Plain::Text } {
            Plain::Text => Value::String(scalar.text.into_owned()),
            Plain::Value(value) => value,
            Plain::NotFinite | Plain::OutOfRange => return None,
        };
        self.builder.scalar(value, scalar.mark, false, 0).ok()
    }

    /// A scalar on one line.
    fn scalar(&mut self, in_flow: bool) -> Option<Scalar<'t>> {
        let start = self.at;
        let mut mark = self.mark(0);
        let (text, style) = match self.peek()? {
            b'"' => (self.double_quoted()?, ScalarStyle::DoubleQuoted),
            b'\'' => (self.single_quoted()?, ScalarStyle::SingleQuoted),
            _ => (Cow::from(self.plain(in_flow)?), ScalarStyle::Plain),
        };
        let end = if style == ScalarStyle::Plain { self.at } else { self.behind_blank() };
        mark.length = count(self.text.get(start..end)?);
        Some(Scalar { text, style, mark })
    }

    fn plain(&mut self, in_flow: bool) -> Option<&'t str> {
        let start = self.at;
        match self.peek()? {
            b'-' if !in_flow && !matches!(self.bytes.get(start + 1), None | Some(b' ' | b'\n')) => {}
            b'-' | b'?' | b':' | b',' | b'[' | b']' | b'{' | b'}' | b'#' | b'&' | b'*' | b'!' | b'|' | b'>' | b'%'
            | b'@' | b'`' | b'\n' | b' ' => return None,
            _ => {}
        }
        let mut end = start;
        // Behind the last byte that is no space.
        let mut solid = start;
        while let Some(byte) = self.bytes.get(end) {
            match byte {
                b' ' => {
                    end += 1;
                    continue;
                }
                b'\n' => break,
                0..0x20 => return None,
                b'#' if solid < end => break,
                b':' => match self.bytes.get(end + 1) {
                    None | Some(b' ' | b'\n') => break,
                    Some(b',' | b'[' | b']' | b'{' | b'}') if in_flow => return None,
                    Some(_) => {}
                },
                b',' | b']' | b'}' if in_flow => break,
                b'[' | b'{' if in_flow => return None,
                _ => {}
            }
            end += 1;
            solid = end;
        }
        self.at = solid;
        self.text.get(start..solid)
    }

    fn single_quoted(&mut self) -> Option<Cow<'t, str>> {
        let mut out = Cow::from("");
        loop {
            let start = self.at + 1;
            let length = self.bytes.get(start..)?.iter().position(|byte| *byte == b'\'' || *byte < 0x20)?;
            let end = start + length;
            if self.bytes.get(end) != Some(&b'\'') {
                return None;
            }
            append(&mut out, self.text.get(start..end)?);
            self.at = end + 1;
            if self.peek() != Some(b'\'') {
                return Some(out);
            }
            // Two of them stand for one, and begin the next stretch.
            out.to_mut().push('\'');
        }
    }

    fn double_quoted(&mut self) -> Option<Cow<'t, str>> {
        let mut out = Cow::from("");
        let mut start = self.at + 1;
        loop {
            let length = self.bytes.get(start..)?.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20))?;
            let end = start + length;
            append(&mut out, self.text.get(start..end)?);
            match self.bytes.get(end) {
                Some(b'"') => {
                    self.at = end + 1;
                    return Some(out);
                }
                Some(b'\\') => out.to_mut().push(match self.bytes.get(end + 1)? {
                    b'"' => '"',
                    b'\\' => '\\',
                    b'/' => '/',
                    b'n' => '\n',
                    b't' => '\t',
                    _ => return None,
                }),
                _ => return None,
            }
            start = end + 2;
        }
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
        self.builder.scalar(Value::String(out), mark, false, 0).ok()?;
        // Back to the beginning of the line that ended it.
        self.at = self.line_start;
        self.next_content()
    }

    /// Whether a colon follows that makes a key of the scalar; the cursor then stands behind it.
    fn colon(&mut self, scalar: &Scalar<'_>, in_flow: bool) -> bool {
        let mut at = self.at;
        while self.bytes.get(at) == Some(&b' ') {
            at += 1;
        }
        let follows = self.bytes.get(at) == Some(&b':')
            && match self.bytes.get(at + 1) {
                None | Some(b' ' | b'\n') => true,
                Some(_) => in_flow && scalar.style != ScalarStyle::Plain,
            };
        if follows {
            self.at = at + 1;
        }
        follows
    }

    /// Whether a dash stands here that begins an item.
    fn is_at_dash(&self) -> bool {
        self.peek() == Some(b'-') && matches!(self.bytes.get(self.at + 1), None | Some(b' ' | b'\n'))
    }

    /// Spaces and a comment up to the end of the line; then to the next line with content.
    fn end_of_line(&mut self) -> Option<()> {
        let before = self.at;
        self.spaces();
        match self.peek() {
            None | Some(b'\n') => {}
            Some(b'#') if self.at > before || self.bytes.get(before.wrapping_sub(1)) == Some(&b' ') => {
                self.rest_of_line();
            }
            Some(_) => return None,
        }
        if self.peek().is_some() {
            self.next_line();
        }
        self.next_content()
    }

    /// From the beginning of a line to the next one with content; `None` where a document ends or
    /// begins.
    fn next_content(&mut self) -> Option<()> {
        loop {
            self.spaces();
            match self.peek() {
                None => {
                    self.indent = None;
                    return Some(());
                }
                Some(b'\n') => {}
                Some(b'#') => {
                    self.rest_of_line();
                    if self.peek().is_none() {
                        continue;
                    }
                }
                Some(_) => break,
            }
            self.next_line();
        }
        let indent = self.at - self.line_start;
        self.indent = Some(indent);
        let is_marker = |marker: &[u8]| self.bytes.get(self.at..).is_some_and(|rest| rest.starts_with(marker));
        let is_first = self.builder.pointer_is_root();
        if indent == 0 && ((is_marker(b"---") && !is_first) || is_marker(b"...") || is_marker(b"%")) {
            return None;
        }
        Some(())
    }

    fn spaces(&mut self) {
        while self.peek() == Some(b' ') {
            self.at += 1;
        }
    }

    /// Behind the spaces and the comment that follow. The full parser counts them to a quoted scalar
    /// and to what opens a flow collection.
    fn behind_blank(&self) -> usize {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let spaces = rest.iter().take_while(|byte| **byte == b' ').count();
        let rest = rest.get(spaces..).unwrap_or_default();
        let is_comment = spaces > 0 && rest.first() == Some(&b'#');
        let comment = if is_comment { rest.iter().take_while(|byte| **byte != b'\n').count() } else { 0 };
        self.at + spaces + comment
    }

    fn rest_of_line(&mut self) {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        self.at += rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
    }

    /// Over a line break.
    fn next_line(&mut self) {
        self.at += 1;
        self.line += 1;
        self.line_start = self.at;
        self.counted = self.at;
        self.column = 1;
    }

    /// The place of the next character.
    fn mark(&mut self, length: u32) -> Mark {
        self.column += count(self.text.get(self.counted..self.at).unwrap_or_default());
        self.counted = self.at;
        Mark { line: self.line, column: self.column, length }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }
}

fn append<'t>(out: &mut Cow<'t, str>, text: &'t str) {
    if out.is_empty() { *out = Cow::from(text) } else { out.to_mut().push_str(text) }
}

/// Characters. Files have at most 2^20 bytes, so nothing is ever cut.
fn count(text: &str) -> u32 {
    // Bytes that do not continue a character begin one.
    let characters = text.bytes().filter(|byte| (*byte & 0xC0) != 0x80).count();
    u32::try_from(characters).unwrap_or(u32::MAX - 1)
}

#[cfg(test)]
mod tests;
