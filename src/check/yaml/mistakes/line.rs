//! What stands on one line, and what is wrong with it by itself.

use std::borrow::Cow;

use super::Mistake;
use crate::check::yaml::place::Mark;
use crate::check::yaml::shown;

/// What people and word processors write in the place of the '-' of an item.
const BULLETS: [char; 12] = ['–', '—', '‒', '―', '−', '‐', '‑', '•', '·', '◦', '*', '+'];

/// A line of the text, from 1.
#[derive(Clone, Copy)]
pub(super) struct Line<'t> {
    pub number: usize,
    pub text: &'t str,
}

impl<'t> Line<'t> {
    /// Whether nothing stands on it but a comment.
    pub(super) fn is_empty(&self) -> bool {
        let text = self.text.trim();
        text.is_empty() || text.starts_with('#')
    }

    pub(super) fn has_field(&self) -> bool {
        let text = self.text.trim_end();
        text.ends_with(':') || text.contains(": ") || text.contains(":\t")
    }

    /// Whether it names a field, and leaves the value to the lines below.
    pub(super) fn is_head(&self) -> bool {
        let text = self.text.split(" #").next().unwrap_or_default();
        text.trim_end().ends_with(':')
    }

    /// Whether a text that begins on it goes on in one below.
    pub(super) fn goes_on_in(&self, below: &Line<'_>) -> bool {
        self.has_field() && !self.is_head() && below.indent() > self.content()
    }

    /// Whether an item of a list begins on it.
    pub(super) fn is_item(&self) -> bool {
        let bare = self.text.trim_start();
        bare.strip_prefix('-').is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t']))
    }

    /// The spaces before what stands on it.
    pub(super) fn indent(&self) -> usize {
        self.text.chars().take_while(|c| c.is_whitespace()).count()
    }

    /// How far what stands behind its dashes is indented.
    pub(super) fn content(&self) -> usize {
        self.text.chars().count() - self.bare().chars().count()
    }

    /// What stands behind its spaces and dashes.
    pub(super) fn bare(&self) -> &'t str {
        let mut bare = self.text.trim_start();
        while let Some(rest) = bare.strip_prefix('-').filter(|rest| rest.starts_with([' ', '\t'])) {
            bare = rest.trim_start();
        }
        bare
    }

    /// The name of its field, when it is one word.
    pub(super) fn name(&self) -> Option<&'t str> {
        let bare = self.bare();
        let end = bare.match_indices(':').find(|(at, _)| {
            let behind = bare.get(at + 1..).unwrap_or_default();
            behind.is_empty() || behind.starts_with(char::is_whitespace)
        })?;
        let name = bare.get(..end.0)?;
        let is_word = !name.is_empty() && !name.contains(char::is_whitespace);
        is_word.then(|| name.trim_matches(['"', '\'']))
    }

    /// The '|' or '>' with which a text begins on the next line.
    pub(super) fn block_mark(&self) -> Option<char> {
        let text = self.text.split(" #").next().unwrap_or_default().trim_end();
        let (before, mark) = text.rsplit_once(' ')?;
        let is_place = before.trim_end().ends_with(':') || before.trim() == "-" || before.trim_end().ends_with(" -");
        let first = mark.chars().next().filter(|first| matches!(first, '|' | '>'))?;
        let is_mark = mark.chars().skip(1).all(|c| c.is_ascii_digit() || matches!(c, '-' | '+'));
        (is_place && is_mark).then_some(first)
    }

    pub(super) fn mistake(
        &self,
        column: usize,
        length: usize,
        what: impl Into<Cow<'static, str>>,
        hint: impl Into<Cow<'static, str>>,
    ) -> Mistake {
        let number = |value: usize| u32::try_from(value).unwrap_or(u32::MAX - 1);
        let mark = Mark { line: number(self.number), column: number(column) + 1, length: number(length) };
        Mistake { mark, what: what.into(), hint: hint.into() }
    }

    pub(super) fn whole(&self, what: impl Into<Cow<'static, str>>, hint: impl Into<Cow<'static, str>>) -> Mistake {
        self.mistake(self.indent(), self.text.trim().chars().count(), what, hint)
    }

    /// A space that YAML takes for a letter, where only a plain one makes sense.
    pub(super) fn odd_space(&self) -> Option<Mistake> {
        const ODD: [char; 5] = ['\u{A0}', '\u{2007}', '\u{202F}', '\u{3000}', '\u{200B}'];
        let byte = self.text.find(ODD)?;
        let before = self.text.get(..byte)?;
        let bare = before.trim_end();
        let is_meant = bare.is_empty() || bare.ends_with(':') || bare.trim_start() == "-";
        let column = before.chars().count();
        is_meant.then(|| {
            let what = "a space stands here that is no plain one, as word processors and web pages have them";
            self.mistake(column, 1, what, "replace it by a plain space")
        })
    }

    /// A value in quotes that are letters to YAML, so that what is in them counts.
    pub(super) fn odd_quote(&self) -> Option<Mistake> {
        let byte = self.text.find(['“', '”', '„', '‘', '’', '«'])?;
        let before = self.text.get(..byte)?;
        let bare = before.trim_end();
        let is_begin = bare.ends_with([':', '[', ',', '{']) || bare.trim_start() == "-";
        let column = before.chars().count();
        is_begin.then(|| {
            let what = "a typographic quote stands here, which is a letter to YAML";
            self.mistake(column, 1, what, "write a plain quote, \" or ', at both ends of the text")
        })
    }

    /// A tab before what stands on the line.
    pub(super) fn indenting_tab(&self) -> Option<Mistake> {
        let mut indent = self.text.chars().take_while(|c| c.is_whitespace());
        let column = indent.position(|c| c == '\t')?;
        Some(self.mistake(column, 1, "a tab stands where only spaces may", "indent with spaces"))
    }

    /// `-name: x`
    pub(super) fn joined_dash(&self) -> Option<Mistake> {
        let next = self.text.trim_start().strip_prefix('-')?.chars().next()?;
        let is_name = next.is_alphabetic() || next == '$';
        is_name.then(|| self.mistake(self.indent(), 1, "a space is missing behind the '-'", "write '- name: value'"))
    }

    /// `– name: x`
    pub(super) fn bullet(&self) -> Option<Mistake> {
        let mut bare = self.text.trim_start().chars();
        let bullet = bare.next().filter(|first| BULLETS.contains(first))?;
        bare.next().filter(|next| next.is_whitespace())?;
        let what = format!("a {} stands where the '-' of a list item belongs", shown(&bullet.to_string()));
        Some(self.mistake(self.indent(), 1, what, "begin the item with '-'"))
    }

    /// `name:x`
    pub(super) fn joined_colon(&self) -> Option<Mistake> {
        let (name, rest) = self.text.split_once(':')?;
        let is_name =
            name.trim_start().trim_start_matches("- ").chars().all(|c| c.is_alphanumeric() || "$_-".contains(c));
        let column = name.chars().count();
        (is_name && !rest.starts_with("//"))
            .then(|| self.mistake(column, 1, "a space is missing behind the ':'", "write 'name: value'"))
    }
}
