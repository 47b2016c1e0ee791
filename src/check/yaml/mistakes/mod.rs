//! What is most likely wrong with a text that is no YAML, in the words of those who do not write parsers, and at the
//! line that is to blame: a parser stops where it can go no further, which is often below.

mod line;
mod scan;
mod words;

use std::borrow::Cow;

use self::line::Line;
use self::scan::{At, scan};
use super::place::Mark;
use super::shown;

/// A mistake, where it is, and what to do.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Mistake {
    pub mark: Mark,
    /// The end of a sentence.
    pub what: Cow<'static, str>,
    pub hint: Cow<'static, str>,
}

/// Tells a mistake by what the parser says of it, and where.
pub(super) fn told(text: &str, info: &str, mark: Mark) -> Mistake {
    // Of several returns before a newline, only the last one belongs to it.
    let text = text.replace("\r\n", "\n");
    let lines: Vec<&str> = text.split(['\n', '\r']).collect();
    let around = Around { lines: &lines, mark };
    around.by_itself(info).or_else(|| around.by_info(info)).unwrap_or_else(|| {
        let (what, hint) = words::plain(info, around.at_mark());
        Mistake { mark, what, hint }
    })
}

/// Whether a map that begins inside of another is the placeholder of a template: `{{ name }}`.
pub(super) fn is_template(text: &str, mark: Mark) -> bool {
    let line = text.lines().nth((mark.line as usize).saturating_sub(1)).unwrap_or_default();
    let begin = (mark.column as usize).saturating_sub(1);
    let here = line.chars().skip(begin.saturating_sub(1)).take(3).collect::<String>();
    here.contains("{{")
}

/// The lines of a text, and the place where its parser stopped.
struct Around<'t> {
    lines: &'t [&'t str],
    mark: Mark,
}

impl<'t> Around<'t> {
    fn line(&self, number: usize) -> Line<'t> {
        Line { number, text: self.lines.get(number.wrapping_sub(1)).copied().unwrap_or_default() }
    }

    fn here(&self) -> Line<'t> {
        self.line(self.mark.line as usize)
    }

    /// The lines above one on which something stands, the nearest first.
    fn above(&self, number: usize) -> impl Iterator<Item = Line<'t>> + '_ {
        (1..number).rev().map(|number| self.line(number)).filter(|line| !line.is_empty())
    }

    /// The mark as the place that a scan goes up to.
    fn end(&self) -> At {
        (self.mark.line as usize, (self.mark.column as usize).saturating_sub(1))
    }

    /// What stands on the line of the mark, from there on.
    fn rest(&self) -> &'t str {
        let here = self.here().text;
        here.char_indices().nth(self.end().1).and_then(|(byte, _)| here.get(byte..)).unwrap_or_default()
    }

    fn at_mark(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// What is wrong with a line near the mark, whatever comes of it.
    fn by_itself(&self, info: &str) -> Option<Mistake> {
        let here = self.here();
        if let Some(line) =
            (1..=here.number).map(|number| self.line(number)).find(|line| line.text.starts_with("<<<<<<< "))
        {
            let hint =
                "settle it: keep what is right, and remove the lines that begin with <<<<<<<, ======= and >>>>>>>";
            return Some(line.whole("a merge conflict was left here", hint));
        }
        let above = self.above(here.number).next();
        let both = || above.iter().chain([&here]);
        if let Some(mistake) = both().find_map(Line::odd_space).or_else(|| both().find_map(Line::odd_quote)) {
            return Some(mistake);
        }
        let next = self.line(here.number + 1);
        let tab = || [here, next].iter().chain(&above).find_map(Line::indenting_tab);
        if let Some(mistake) = if info.contains("tab") { tab() } else { None } {
            return Some(mistake);
        }
        let is_key = info.contains("simple key expect") || info.contains("mapping values are not allowed");
        let is_item = is_key || info.contains("'-' indicator");
        if is_item && let Some(mistake) = both().find_map(Line::joined_dash) {
            return Some(mistake);
        }
        let is_bullet = |line: &&Line<'_>| self.above(line.number).next().is_none_or(|above| !above.goes_on_in(line));
        if (is_item || info.contains("anchor or alias"))
            && let Some(mistake) = both().filter(is_bullet).find_map(Line::bullet)
        {
            return Some(mistake);
        }
        self.not_indented()
    }

    fn by_info(&self, info: &str) -> Option<Mistake> {
        let is = |part: &str| info.contains(part);
        if is("simple key expect") {
            return self.above(self.here().number).next().filter(|line| !line.has_field()).map(no_colon);
        }
        if is("mapping values are not allowed") {
            return Some(self.colon());
        }
        if is("trailing content after") {
            return self.behind_quotes();
        }
        if is("'-' indicator") {
            return self.beside_item();
        }
        if is("expected key") {
            return self.behind_brackets().or_else(|| self.beside_item()).or_else(|| self.end_of_block());
        }
        self.in_brackets()
    }

    /// Lines of a block text that are indented like the field whose text they are: the text is empty, and they are
    /// read as fields.
    fn not_indented(&self) -> Option<Mistake> {
        let mut least = usize::MAX;
        let mut first = None;
        let here = self.here();
        for line in [here].into_iter().filter(|line| !line.is_empty()).chain(self.above(here.number)) {
            if let (Some(mark), Some(first)) = (line.block_mark(), first) {
                let first: Line<'_> = first;
                let is_text = least == first.indent() && least <= line.content();
                let name = line.name()?;
                return (is_text && first.name().is_none() && !first.is_item()).then(|| {
                    let what = format!("the text behind '{mark}' above has no lines, since this one is not indented");
                    first.whole(what, format!("indent the lines of the text deeper than {}", shown(name)))
                });
            }
            least = least.min(line.indent());
            first = Some(line);
        }
        None
    }

    /// A colon that makes a field where none can begin.
    fn colon(&self) -> Mistake {
        let here = self.here();
        // Where the text begins that goes on up to here.
        let mut begin = None;
        for line in self.above(here.number) {
            let is_item = begin.is_some_and(|begin: Line<'_>| begin.is_item()) || line.text.trim() == "-";
            if line.has_field() || is_item {
                // What stands behind a name is the value, and goes on below.
                if !is_item && !line.is_head() {
                    begin = None;
                }
                break;
            }
            begin = Some(line);
        }
        if let Some(line) = begin {
            return no_colon(line);
        }
        let what = "a ':' stands where no field can begin";
        let before: String = here.text.chars().take(self.end().1).collect();
        if before.contains(": ") {
            let hint = "put the text in quotes when the ':' is part of it; otherwise give each field a line of its own";
            return here.mistake(self.end().1, 0, what, hint);
        }
        let name = self.above(here.number).find(Line::has_field).and_then(|line| line.name());
        let field = name.map_or_else(|| "the line above".to_owned(), |name| format!("{} above", shown(name)));
        let hint = format!("indent this line and {field} alike; put the text in quotes when the ':' is part of it");
        here.mistake(self.end().1, 0, what, hint)
    }

    /// What stands behind a text in quotes.
    fn behind_quotes(&self) -> Option<Mistake> {
        let here = self.here();
        let end = self.end();
        let scan = scan(self.lines, end);
        let ((begin_line, begin), (end_line, quote_at)) = scan.quoted?;
        let between = end.1.checked_sub(quote_at + 1).filter(|_| end_line == here.number)?;
        if !here.text.chars().skip(quote_at + 1).take(between).all(char::is_whitespace) {
            return None;
        }
        let rest = self.rest();
        if scan.open.is_empty()
            && let Some(mistake) = self.separator("a text")
        {
            return Some(mistake);
        }
        if begin_line < here.number {
            let hint = "close it with the quote with which it begins";
            return Some(self.line(begin_line).mistake(begin, 1, "a text in quotes has no end on this line", hint));
        }
        let what = "a text in quotes ends before this, and more stands behind it";
        let quote = here.text.chars().nth(begin)?;
        let is_joined = between == 0;
        let is_inner = rest.contains(quote) && !rest.starts_with(quote);
        let hint = match quote {
            '\'' if is_joined || (is_inner && scan.open.is_empty()) => {
                "write '' for each ' inside of the text, or put it in double quotes"
            }
            '"' if is_joined || (is_inner && scan.open.is_empty()) => {
                "write \\\" for each \" inside of the text, or put it in single quotes"
            }
            _ if !scan.open.is_empty() => {
                return Some(here.mistake(
                    end.1,
                    0,
                    "a ',' is missing before this",
                    "separate what stands in brackets by commas",
                ));
            }
            _ => "put all of it inside of the quotes, or remove it",
        };
        Some(here.mistake(end.1, rest.trim_end().chars().count(), what, hint))
    }

    /// A comma or semicolon that ends a line, as JSON and programs have them.
    fn separator(&self, behind: &str) -> Option<Mistake> {
        let mut rest = self.rest().chars();
        let found = rest.next().filter(|first| matches!(first, ',' | ';'))?;
        let rest = rest.as_str().trim();
        let is_last = rest.is_empty() || rest.starts_with('#');
        let what = format!("a '{found}' stands behind {behind}, where the line has to end");
        is_last.then(|| self.here().mistake(self.end().1, 1, what, format!("remove the '{found}'")))
    }

    /// Brackets and braces that are not closed, or in which something is missing.
    fn in_brackets(&self) -> Option<Mistake> {
        let here = self.here();
        let end = self.end();
        let before = here.text.chars().nth(end.1.wrapping_sub(1));
        if self.rest().starts_with('{') && before == Some('$') {
            let length = self.rest().chars().position(|c| c == '}').unwrap_or_default() + 2;
            let what = "inside of brackets, the '{' of '${' begins a map, and not a text";
            return Some(here.mistake(end.1 - 1, length, what, "put the whole text with '${…}' in quotes"));
        }
        let scan = scan(self.lines, end);
        let ((number, column), bracket) = scan.open.into_iter().next()?;
        let line = self.line(number);
        // What stands in brackets is indented deeper than the field that has them.
        let indent = if line.content() == column { line.indent() } else { line.content() };
        let is_outside = |line: &Line<'_>| {
            !line.is_empty() && line.indent() <= indent && !line.text.trim_start().starts_with(['}', ']'])
        };
        let last = here.number.min(self.lines.len());
        let goes_on = (number + 1..=last).map(|number| self.line(number)).find(is_outside);
        let is_end = (here.number..=self.lines.len()).all(|number| self.line(number).text.trim().is_empty());
        if goes_on.is_none() && !is_end {
            return None;
        }
        Some(swallowed(line, column, bracket).unwrap_or_else(|| match bracket {
            '{' => line.mistake(column, 1, "a '{' has no '}'", "close it where its last field ends"),
            _ => line.mistake(column, 1, "a '[' has no ']'", "close it where its last item ends"),
        }))
    }

    /// What stands behind a closing bracket, on its line.
    fn behind_brackets(&self) -> Option<Mistake> {
        let end = self.end();
        let ((number, column), bracket) = scan(self.lines, end).closed?;
        let here = self.here();
        let between = here.text.chars().skip(column + 1).take(end.1.checked_sub(column + 1)?).all(char::is_whitespace);
        if number != here.number || !between {
            return None;
        }
        self.separator(&format!("the '{bracket}'")).or_else(|| {
            let what = format!("something stands behind the '{bracket}', where the line has to end");
            let length = self.rest().trim_end().chars().count();
            Some(here.mistake(end.1, length, what, "remove it; put all of it in quotes when it is one text"))
        })
    }

    /// A line beside or inside of an item of a list, that is indented like neither.
    fn beside_item(&self) -> Option<Mistake> {
        let here = self.here();
        here.name()?;
        let item = self.above(here.number).find(|line| {
            let indent = line.indent();
            indent < here.indent() || (indent == here.indent() && line.is_item())
        })?;
        let name = shown(item.name().filter(|_| item.is_item())?);
        let field = || self.above(item.number).find(|line| line.is_head() && line.content() <= item.indent());
        if item.indent() < here.indent() && here.indent() != item.content() {
            let what = "this line is indented like no field of the item above";
            return Some(here.whole(what, format!("indent it like {name}")));
        }
        let hint = match field().and_then(|line| line.name()) {
            Some(list) if item.indent() == here.indent() => {
                format!(
                    "indent it like {name} when it is a field of that item, or like {} when it stands beside the list; begin it with '-' when it is an item",
                    shown(list)
                )
            }
            _ => return None,
        };
        Some(here.whole("this line is no item of the list above", hint))
    }

    /// A line of a block text that is indented less than the first one.
    fn end_of_block(&self) -> Option<Mistake> {
        let here = self.here();
        let head = self.above(here.number).find(|line| line.indent() < here.indent())?;
        let mark = head.block_mark()?;
        let what = format!("this line is indented less than the first one of the text behind '{mark}'");
        let hint = match (here.name(), head.name()) {
            (Some(_), Some(name)) => {
                format!("indent it like {} when it is a field, or like the first line of the text", shown(name))
            }
            _ => "indent all lines of the text alike".to_owned(),
        };
        Some(here.whole(what, hint))
    }
}

/// A comment in which the end of brackets stands.
fn swallowed(line: Line<'_>, column: usize, open: char) -> Option<Mistake> {
    let close = if open == '{' { '}' } else { ']' };
    let behind: String = line.text.chars().skip(column).collect();
    let (before, comment) = behind.split_once(" #")?;
    let at = column + before.chars().count() + 1;
    let what = format!("behind ' #' a comment begins, so the '{open}' before it has no '{close}'");
    let hint =
        format!("put the text in quotes when the '#' is part of it; otherwise write the '{close}' before the comment");
    comment.contains(close).then(|| line.mistake(at, comment.chars().count() + 1, what, hint))
}

/// A line that should be a field.
fn no_colon(line: Line<'_>) -> Mistake {
    line.joined_colon().unwrap_or_else(|| {
        let hint = "write 'name: value'; a text that goes on over lines is indented, or begins with '|' or '>'";
        line.whole("this line has no ':' that makes it a field", hint)
    })
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

    #[test]
    fn the_hint_is_what_to_do() {
        let fine = "info:\n  points:\n    - name: a\n      kind: b\n";
        for (wrong, line, column, message, hint) in [
            // A colon or a dash that was forgotten, or is none, is on the line where the text begins.
            ("    - name c\n      kind: d\n", 5, 5, "this line has no ':'", "write 'name: value'"),
            ("  owner:\n    id c\n    name: d\n", 6, 5, "this line has no ':'", "write 'name: value'"),
            ("    -\n      name c\n      kind: d\n", 6, 7, "this line has no ':'", "write 'name: value'"),
            ("    - name:c\n      kind: d\n", 5, 11, "a space is missing behind the ':'", "write 'name: value'"),
            ("    – name: c\n", 5, 5, "a '–' stands where the '-' of", "begin the item with '-'"),
            ("  others:\n    • name: c\n      kind: d\n", 6, 5, "a '•' stands where", "begin the item with '-'"),
            ("  others:\n    * name: c\n", 6, 5, "a '*' stands where", "begin the item with '-'"),
            ("  text: a\n    – b: c\n", 6, 8, "a ':' stands where", "indent this line and 'text' above alike"),
            ("  text: a\n    b\n    c: d\n", 7, 6, "a ':' stands where", "indent this line and 'text' above alike"),
            ("  text: a: b\n", 5, 10, "a ':' stands where", "put the text in quotes when the ':' is part of it"),
            // Texts in quotes that are closed, and one that is not.
            ("  \"text\": \"a\",\n", 5, 14, "a ',' stands behind a text", "remove the ','"),
            ("  text: 'a';  # b\n", 5, 12, "a ';' stands behind a text", "remove the ';'"),
            ("  tags: [a],\n", 5, 12, "a ',' stands behind the ']'", "remove the ','"),
            ("  tags: [a] b\n", 5, 13, "something stands behind the ']'", "remove it; put all of it in quotes"),
            ("  text: 'a's b'\n", 5, 12, "a text in quotes ends before this", "write '' for each '"),
            ("  text: \"a \"b\" c\"\n", 5, 13, "a text in quotes ends before this", "write \\\" for each \""),
            ("  text: \"a\" b\n", 5, 13, "a text in quotes ends before this", "put all of it inside"),
            ("  tags: ['a' 'b']\n", 5, 14, "a ',' is missing before this", "separate what stands in brackets"),
            ("  a: { b: 'c, d: e }\n  f: { b: 'c', d: e }\n", 5, 11, "a text in quotes has no end", "close it"),
            ("  text: \"a\"#b\n", 5, 12, "a '#' stands where no text can begin", "put the text in quotes when"),
            // Signs that begin something else.
            ("  a: { b: #/c }\n  d: e\n", 5, 11, "behind ' #' a comment begins, so the '{'", "put the text in quotes"),
            ("  a: { b: c, d: ${e.f}, g: h }\n", 5, 17, "inside of brackets, the '{' of '${'", "put the whole text"),
            ("  a: [s3://${b}]\n", 5, 12, "inside of brackets, the '{' of '${'", "put the whole text"),
            ("  text: > a\n    b\n", 5, 9, "behind '>' the line has to end", "begin the text on the next line"),
            ("  a: {b:{c: d}}\n", 5, 8, "a space is missing behind the ':'", "write 'name: value'"),
            ("  a: ? b\n", 5, 6, "a text cannot begin with '? '", "put the text in quotes"),
            // Brackets that are open where the fields go on.
            ("  tags: [a\ntext: b\n", 5, 9, "a '[' has no ']'", "close it where its last item ends"),
            ("  tags: [a,\n    b\n  text: c\n", 5, 9, "a '[' has no ']'", "close it where its last item ends"),
            ("  a: {b: c\n  text: d\n", 5, 6, "a '{' has no '}'", "close it where its last field ends"),
            ("  a: {b: c\n    d: e}\n", 6, 6, "a ',' or a '}' is missing", "separate fields by commas"),
            // Lines that are indented like nothing near.
            ("     more: c\n", 5, 6, "this line is indented like no field of the item above", "indent it like 'name'"),
            (
                "    more: c\n",
                5,
                5,
                "this line is no item",
                "indent it like 'name' when it is a field of that item, or like 'points'",
            ),
            (
                "  text: |\n  One line, and\n  another: one\n",
                6,
                3,
                "the text behind '|' above has no lines",
                "indent the lines",
            ),
            (
                "  text: >-\n\n  One line: and\n  another\n",
                7,
                3,
                "the text behind '>' above has no lines",
                "indent the lines",
            ),
            (
                "  text: |\n      a\n    b\n",
                7,
                5,
                "this line is indented less than",
                "indent all lines of the text alike",
            ),
            (
                "  text: |\n    'a [b {c\n  d: 'e' f\n",
                7,
                10,
                "a text in quotes ends before this",
                "put all of it inside",
            ),
        ] {
            let (_, problems) = read(format!("{fine}{wrong}").as_bytes(), Syntax::Yaml);
            let [problem] = problems.as_slice() else { panic!("{wrong:?}: {problems:?}") };
            let told = problem.hint.as_deref().unwrap_or_default();
            assert!(problem.message.contains(message) && told.starts_with(hint), "{wrong:?}: {problem:?}");
            assert_eq!((problem.mark.line, problem.mark.column), (line, column), "{wrong:?}: {problem:?}");
        }
    }
}
