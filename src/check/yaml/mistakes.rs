//! What is most likely wrong with a text that is no YAML, in the words of those who do not write parsers, and at the
//! line that is to blame: a parser stops where it can go no further, which is often below.

use std::borrow::Cow;

use super::place::Mark;

/// A mistake, where it is, and what to do.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Mistake {
    pub mark: Mark,
    /// The end of a sentence.
    pub what: Cow<'static, str>,
    pub hint: &'static str,
}

const LOOK: &str = "look at the indentation, the quotes and the colons of this line and the one above";

/// Tells a mistake by what the parser says of it, and where.
pub(super) fn told(text: &str, info: &str, mark: Mark) -> Mistake {
    // Of several returns before a newline, only the last one belongs to it.
    let text = text.replace("\r\n", "\n");
    let lines: Vec<&str> = text.split(['\n', '\r']).collect();
    let at = |line: usize| Line { number: line, text: lines.get(line.wrapping_sub(1)).copied().unwrap_or_default() };
    let here = at(mark.line as usize);
    let above = (1..here.number).rev().map(at).find(|line| !line.is_empty());
    if let Some(line) = (1..=here.number).map(at).find(|line| line.text.starts_with("<<<<<<< ")) {
        let hint = "settle it: keep what is right, and remove the lines that begin with <<<<<<<, ======= and >>>>>>>";
        return line.whole("a merge conflict was left here", hint);
    }
    for line in above.iter().chain([&here]) {
        if let Some(mistake) = line.odd_space() {
            return mistake;
        }
    }
    let quoted = above.iter().chain([&here]).find_map(Line::odd_quote);
    if let Some(mistake) = quoted {
        return mistake;
    }
    let next = at(here.number + 1);
    if info.contains("tab")
        && let Some(mistake) = [here, next].iter().chain(&above).find_map(Line::indenting_tab)
    {
        return mistake;
    }
    let is_key = info.contains("simple key expect") || info.contains("mapping values are not allowed");
    let is_item = is_key || info.contains("'-' indicator");
    if let Some(mistake) = above.iter().chain([&here]).filter(|_| is_item).find_map(|line| line.joined_dash()) {
        return mistake;
    }
    if info.contains("simple key expect")
        && let Some(line) = above.filter(|line| !line.has_field())
    {
        return line.joined_colon().unwrap_or_else(|| {
            let hint = "write 'name: value'; a text that goes on over lines is indented, or begins with '|' or '>'";
            line.whole("this line has no ':' that makes it a field", hint)
        });
    }
    if info.contains("invalid indentation")
        && let Some(mistake) = above.as_ref().and_then(Line::never_closed)
    {
        return mistake;
    }
    let (what, hint) = in_plain_words(info);
    Mistake { mark, what, hint }
}

/// Whether a map that begins inside of another is the placeholder of a template: `{{ name }}`.
pub(super) fn is_template(text: &str, mark: Mark) -> bool {
    let line = text.lines().nth((mark.line as usize).saturating_sub(1)).unwrap_or_default();
    let begin = (mark.column as usize).saturating_sub(1);
    let here = line.chars().skip(begin.saturating_sub(1)).take(3).collect::<String>();
    here.contains("{{")
}

/// A line of the text, from 1.
#[derive(Clone, Copy)]
struct Line<'t> {
    number: usize,
    text: &'t str,
}

impl Line<'_> {
    /// Whether nothing stands on it but a comment.
    fn is_empty(&self) -> bool {
        let text = self.text.trim();
        text.is_empty() || text.starts_with('#')
    }

    fn has_field(&self) -> bool {
        let text = self.text.trim_end();
        text.ends_with(':') || text.contains(": ") || text.contains(":\t")
    }

    fn mistake(&self, column: usize, length: usize, what: &'static str, hint: &'static str) -> Mistake {
        let number = |value: usize| u32::try_from(value).unwrap_or(u32::MAX - 1);
        let mark = Mark { line: number(self.number), column: number(column) + 1, length: number(length) };
        Mistake { mark, what: what.into(), hint }
    }

    fn whole(&self, what: &'static str, hint: &'static str) -> Mistake {
        let indent = self.text.chars().take_while(|c| c.is_whitespace()).count();
        self.mistake(indent, self.text.trim().chars().count(), what, hint)
    }

    /// A space that YAML takes for a letter, where only a plain one makes sense.
    fn odd_space(&self) -> Option<Mistake> {
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
    fn odd_quote(&self) -> Option<Mistake> {
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

    /// A bracket that is open at the end of the line.
    fn never_closed(&self) -> Option<Mistake> {
        let mut open = Vec::new();
        let mut quote = None;
        for (column, character) in self.text.chars().enumerate() {
            match (quote, character) {
                (Some(begun), _) if begun == character => quote = None,
                (Some(_), _) => {}
                (None, '"' | '\'') => quote = Some(character),
                (None, '#') => break,
                (None, '{' | '[') => open.push((column, character)),
                (None, '}' | ']') => {
                    open.pop();
                }
                _ => {}
            }
        }
        let (column, character) = open.into_iter().next()?;
        Some(match character {
            '{' => self.mistake(column, 1, "a '{' has no '}'", "close it where its last field ends"),
            _ => self.mistake(column, 1, "a '[' has no ']'", "close it where its last item ends"),
        })
    }

    /// A tab before what stands on the line.
    fn indenting_tab(&self) -> Option<Mistake> {
        let indent = self.text.chars().take_while(|c| c.is_whitespace());
        let column = indent.collect::<Vec<_>>().iter().position(|c| *c == '\t')?;
        Some(self.mistake(column, 1, "a tab stands where only spaces may", "indent with spaces"))
    }

    /// `-name: x`
    fn joined_dash(&self) -> Option<Mistake> {
        let bare = self.text.trim_start();
        let next = bare.strip_prefix('-')?.chars().next()?;
        let column = self.text.chars().count() - bare.chars().count();
        let is_name = next.is_alphabetic() || next == '$';
        is_name.then(|| self.mistake(column, 1, "a space is missing behind the '-'", "write '- name: value'"))
    }

    /// `name:x`
    fn joined_colon(&self) -> Option<Mistake> {
        let (name, rest) = self.text.split_once(':')?;
        let is_name =
            name.trim_start().trim_start_matches("- ").chars().all(|c| c.is_alphanumeric() || "$_-".contains(c));
        let column = name.chars().count();
        (is_name && !rest.starts_with("//"))
            .then(|| self.mistake(column, 1, "a space is missing behind the ':'", "write 'name: value'"))
    }
}

/// What the parser says of what is met most often.
fn in_plain_words(info: &str) -> (Cow<'static, str>, &'static str) {
    if let Some(character) = info.strip_prefix("unexpected character: `").and_then(|rest| rest.strip_suffix('\'')) {
        return (format!("a text cannot begin with '{character}'").into(), "put the text in quotes");
    }
    let known = [
        ("anchor or alias", "a text cannot begin with '*' or '&'", "put the text in quotes"),
        ("unknown anchor", "there is no anchor of this name above", "define it with '&name' above its first use"),
        ("followed by a valid YAML whitespace", "a tab stands behind the ':'", "write a space instead"),
        ("tab", "a tab stands where only spaces may", "indent with spaces"),
        (
            "mapping values are not allowed",
            "a ':' stands where no field can begin",
            "put the text in quotes when the ':' is part of it; otherwise indent this line like the fields beside it",
        ),
        (
            "unknown escape character",
            "what stands behind the '\\' is no escape",
            "write the text in single quotes, or '\\\\' for each '\\'",
        ),
        ("quoted scalar", "a text in quotes has no end here", "close it with the quote with which it begins"),
        (
            "'-' indicator",
            "this line is no item of the list above",
            "begin it with '-', or indent it like the field whose list that is",
        ),
        ("expected key", "this line does not fit the fields above", "indent it like the fields beside it"),
        ("node content", "a value is missing before this", "write one, or remove a comma"),
        ("',' or '}'", "a ',' or a '}' is missing before this", "separate fields by commas, and close what '{' opened"),
        ("',' or ']'", "a ',' or a ']' is missing before this", "separate items by commas, and close what '[' opened"),
        (
            "block sequence entries are not allowed",
            "a list cannot begin here",
            "write the '-' on a line of its own, below the name of the field",
        ),
        (
            "invalid indentation",
            "this line is indented like nothing above",
            "indent it like the fields or items beside it",
        ),
    ];
    let found = known.into_iter().find(|(part, ..)| info.contains(part));
    found.map_or_else(|| (info.to_owned().into(), LOOK), |(_, what, hint)| (what.into(), hint))
}

#[cfg(test)]
mod tests {
    use crate::check::yaml::{Syntax, read};

    /// The place and the message of the one mistake of a text.
    fn told(text: &str) -> (u32, u32, String) {
        let (_, problems) = read(text.as_bytes(), Syntax::Yaml);
        let [problem] = problems.as_slice() else { panic!("{text:?}: {problems:?}") };
        let message = problem.message.trim_start_matches("this is not YAML: ").to_owned();
        assert!(problem.hint.is_some());
        (problem.mark.line, problem.mark.column, message)
    }

    #[test]
    fn the_line_is_the_one_to_blame() {
        let fine = "info:\n  name: a\n";
        for (wrong, line, column, message) in [
            ("  domain:sales\n  owner:\n    id: x\n", 3, 9, "a space is missing behind the ':'"),
            ("  domain\n  owner:\n    id: x\n", 3, 3, "this line has no ':' that makes it a field"),
            ("  domain\n", 3, 3, "this line has no ':' that makes it a field"),
            ("  domain\n\n# end\n", 3, 3, "this line has no ':' that makes it a field"),
            ("  domain:\u{A0}sales\n  owner: x\n", 3, 10, "a space stands here that is no plain one"),
            ("\u{A0}\u{A0}domain: sales\n  owner: x\n", 3, 1, "a space stands here that is no plain one"),
            ("ports:\n  -name: a\n   version: b\n", 4, 3, "a space is missing behind the '-'"),
            ("<<<<<<< HEAD\n  domain: a\n=======\n", 3, 1, "a merge conflict was left here"),
            ("  text: %a\n", 3, 9, "a text cannot begin with '%'"),
            ("  tags: [a, , b]\n", 3, 13, "a value is missing before this"),
            ("  path: \"C:\\data\"\n", 3, 9, "what stands behind the '\\' is no escape"),
            ("ports:\n  - a\n  b: c\n", 5, 3, "this line is no item of the list above"),
            ("  domain: sales\n\towner: x\n", 4, 1, "a tab stands where only spaces may"),
            ("  domain: “sales: all”\n", 3, 11, "a typographic quote stands here"),
            ("  owner: { id: x, at: { a: b }\n  domain: sales\n", 3, 10, "a '{' has no '}'"),
            ("  tags: [*]\n", 3, 10, "a text cannot begin with '*' or '&'"),
        ] {
            let (at, col, said) = told(&format!("{fine}{wrong}"));
            assert!(said.starts_with(message), "{wrong:?}: {said}");
            assert_eq!((at, col), (line, column), "{wrong:?}: {said}");
        }
    }
}
