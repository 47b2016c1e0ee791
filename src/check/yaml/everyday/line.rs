//! What stands on one line: scalars, colons, dashes, comments, and how to get to the next.

use std::borrow::Cow;

use saphyr_parser::ScalarStyle;

use super::Reader;
use crate::check::yaml::place::Mark;

/// A scalar that may turn out to be a key.
pub(super) struct Scalar<'t> {
    pub(super) text: Cow<'t, str>,
    pub(super) style: ScalarStyle,
    pub(super) mark: Mark,
}

impl<'t> Reader<'t> {
    /// A scalar on one line.
    pub(super) fn scalar(&mut self, in_flow: bool) -> Option<Scalar<'t>> {
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
                    Some(b',' | b']' | b'}') if in_flow => break,
                    Some(b'[' | b'{') if in_flow => return None,
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

    /// Whether a colon follows that makes a key of the scalar; the cursor then stands behind it.
    pub(super) fn colon(&mut self, scalar: &Scalar<'_>, in_flow: bool) -> bool {
        let mut at = self.at;
        while self.bytes.get(at) == Some(&b' ') {
            at += 1;
        }
        let follows = self.bytes.get(at) == Some(&b':')
            && match self.bytes.get(at + 1) {
                None | Some(b' ' | b'\n') => true,
                Some(next) => in_flow && (scalar.style != ScalarStyle::Plain || matches!(next, b',' | b']' | b'}')),
            };
        if follows {
            self.at = at;
            self.hollow = self.mark(0);
            self.at = at + 1;
        }
        follows
    }

    /// Whether a dash stands here that begins an item.
    pub(super) fn is_at_dash(&self) -> bool {
        self.peek() == Some(b'-') && matches!(self.bytes.get(self.at + 1), None | Some(b' ' | b'\n'))
    }

    /// Spaces and a comment up to the end of the line; then to the next line with content.
    pub(super) fn end_of_line(&mut self) -> Option<()> {
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
    pub(super) fn next_content(&mut self) -> Option<()> {
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

    pub(super) fn spaces(&mut self) {
        while self.peek() == Some(b' ') {
            self.at += 1;
        }
    }

    /// Behind the spaces and the comment that follow. The full parser counts them to a quoted scalar
    /// and to what opens a flow collection.
    pub(super) fn behind_blank(&self) -> usize {
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
    pub(super) fn next_line(&mut self) {
        self.at += 1;
        self.line += 1;
        self.line_start = self.at;
        self.counted = self.at;
        self.column = 1;
    }

    /// The place of the next character.
    pub(super) fn mark(&mut self, length: u32) -> Mark {
        self.column += count(self.text.get(self.counted..self.at).unwrap_or_default());
        self.counted = self.at;
        Mark { line: self.line, column: self.column, length }
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }
}

fn append<'t>(out: &mut Cow<'t, str>, text: &'t str) {
    if out.is_empty() { *out = Cow::from(text) } else { out.to_mut().push_str(text) }
}

/// Characters. Files have at most 2^20 bytes, so nothing is ever cut.
pub(super) fn count(text: &str) -> u32 {
    // Bytes that do not continue a character begin one.
    let characters = text.bytes().filter(|byte| (*byte & 0xC0) != 0x80).count();
    u32::try_from(characters).unwrap_or(u32::MAX - 1)
}
