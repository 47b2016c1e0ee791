//! JSON (RFC 8259), read with places. YAML 1.2 promises to contain JSON, but a YAML parser takes
//! comments and bare words in a `.json` file for granted, and does not know surrogate pairs; other
//! tools would then refuse what we accepted.

use serde_json::Value;

use super::builder::{Builder, too_deep};
use super::events::out_of_range;
use super::place::{Mark, Shape};
use super::scalar::{Plain, float, whole};
use super::{Document, Problem, rules, shown};
use crate::check::limits::MAX_DEPTH;

/// What stands behind the one value of a text.
const END: &str = "the end of the file";

/// Reads the one value of a text.
pub(super) fn read(text: &str) -> (Option<Document>, Vec<Problem>) {
    let mut reader =
        Reader { text, at: 0, line: 1, counted: 0, column: 1, builder: Builder::new(text.len()), depth: 0 };
    reader.blank();
    if reader.at == text.len() {
        return (None, Vec::new());
    }
    match reader.value().and_then(|()| reader.end()) {
        Ok(()) => reader.builder.finished(),
        Err(problem) => (None, reader.builder.abandoned(problem)),
    }
}

struct Reader<'t> {
    text: &'t str,
    /// The next byte.
    at: usize,
    line: u32,
    /// Up to where characters were counted into `column`. A file without line breaks would
    /// otherwise be counted from its beginning for every value.
    counted: usize,
    column: u32,
    builder: Builder,
    depth: usize,
}

impl<'t> Reader<'t> {
    fn value(&mut self) -> Result<(), Problem> {
        match self.peek() {
            Some(b'{') => self.map(),
            Some(b'[') => self.list(),
            Some(b'"') => {
                let (text, mark) = self.string()?;
                self.builder.scalar(Value::String(text), mark, false, 0)
            }
            Some(b'-' | b'+' | b'.' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word("true", Value::Bool(true)),
            Some(b'f') => self.word("false", Value::Bool(false)),
            Some(b'n') => self.word("null", Value::Null),
            _ => Err(self.unexpected("a value")),
        }
    }

    fn map(&mut self) -> Result<(), Problem> {
        self.open(Shape::Map)?;
        self.blank();
        if self.peek() == Some(b'}') {
            return self.close();
        }
        loop {
            if self.peek() != Some(b'"') {
                return Err(self.unexpected("a key in double quotes"));
            }
            let (text, mark) = self.string()?;
            self.builder.key(text, mark);
            self.blank();
            if self.peek() != Some(b':') {
                return Err(self.unexpected("':'"));
            }
            self.at += 1;
            self.blank();
            self.value()?;
            self.blank();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => return self.close(),
                _ => return Err(self.unexpected("',' or '}'")),
            }
            self.blank();
        }
    }

    fn list(&mut self) -> Result<(), Problem> {
        self.open(Shape::List)?;
        self.blank();
        if self.peek() == Some(b']') {
            return self.close();
        }
        loop {
            self.value()?;
            self.blank();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => return self.close(),
                _ => return Err(self.unexpected("',' or ']'")),
            }
            self.blank();
        }
    }

    fn open(&mut self, shape: Shape) -> Result<(), Problem> {
        let mark = self.mark(1);
        if self.depth >= MAX_DEPTH {
            return Err(too_deep(mark, self.builder.pointer()));
        }
        self.depth += 1;
        self.at += 1;
        self.builder.open(shape, mark, 0)
    }

    fn close(&mut self) -> Result<(), Problem> {
        self.depth -= 1;
        self.at += 1;
        self.builder.close()
    }

    fn word(&mut self, word: &str, value: Value) -> Result<(), Problem> {
        let rest = self.rest();
        let ends = rest.get(word.len()..).is_some_and(|after| !after.starts_with(|c: char| c.is_alphanumeric()));
        if !(rest.starts_with(word) && ends) {
            return Err(self.unexpected("a value"));
        }
        let mark = self.mark(word.len());
        self.at += word.len();
        self.builder.scalar(value, mark, false, 0)
    }

    fn number(&mut self) -> Result<(), Problem> {
        let rest = self.rest();
        let is_end = |c: char| c.is_whitespace() || matches!(c, ',' | ';' | ']' | '}' | '[' | '{' | '"' | '/' | '#');
        let text = rest.find(is_end).and_then(|end| rest.get(..end)).unwrap_or(rest);
        let mark = self.mark(text.chars().count());
        let read = match form(text) {
            None if text == "-" && self.builder.pointer_is_root() => return Err(self.unexpected("a value")),
            None => {
                let message = format!("{} is not a number as JSON writes them", shown(text));
                return Err(
                    Problem::new(&rules::JSON, mark, self.builder.pointer(), message).with_hint(instead_of(text))
                );
            }
            Some(Form::Whole) => whole(text),
            Some(Form::Float) => float(text),
        };
        self.at += text.len();
        match read {
            Plain::Value(value) => self.builder.scalar(value, mark, false, 0),
            Plain::Text | Plain::NotFinite | Plain::OutOfRange => {
                let mut problem = out_of_range(text, mark);
                problem.pointer = self.builder.pointer();
                self.builder.report(problem);
                self.builder.scalar(Value::String(text.to_owned()), mark, true, 0)
            }
        }
    }

    /// A text in double quotes, and where it stands with its quotes.
    fn string(&mut self) -> Result<(String, Mark), Problem> {
        let start = self.at;
        let mut mark = self.mark(0);
        self.at += 1;
        let mut out = String::new();
        loop {
            let rest = self.rest();
            let Some(end) = rest.bytes().position(|byte| matches!(byte, b'"' | b'\\') || byte < 0x20) else {
                return Err(Problem::new(&rules::JSON, mark, self.builder.pointer(), "this text has no end")
                    .with_hint("close it with '\"'"));
            };
            out.push_str(rest.get(..end).unwrap_or_default());
            self.at += end;
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    let written = self.text.get(start..self.at).unwrap_or_default();
                    mark.length = count(written.chars().count());
                    return Ok((out, mark));
                }
                Some(b'\\') => out.push(self.escape()?),
                _ => {
                    let problem = self.problem("a tab or line break stands inside of a text");
                    return Err(problem.with_hint("write '\\t' or '\\n', or close the text with '\"'"));
                }
            }
        }
    }

    fn escape(&mut self) -> Result<char, Problem> {
        let rest = self.rest();
        let simple = match rest.as_bytes().get(1) {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{C}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode_escape(),
            _ => return Err(self.problem("JSON does not have this escape").with_hint("write '\\\\' for a backslash")),
        };
        self.at += 2;
        Ok(simple)
    }

    fn unicode_escape(&mut self) -> Result<char, Problem> {
        let rest = self.rest();
        let unit = |from: usize| {
            let digits = rest.get(from..from + 6)?.strip_prefix("\\u")?;
            let hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
            if hex { u16::from_str_radix(digits, 16).ok() } else { None }
        };
        let first = unit(0);
        let decoded = first.and_then(|first| {
            let units = [Some(first), unit(6)];
            let pair = char::decode_utf16(units.into_iter().flatten()).next()?.ok()?;
            Some((pair, if (0xD800..0xE000).contains(&first) { 12 } else { 6 }))
        });
        match decoded {
            Some((character, length)) => {
                self.at += length;
                Ok(character)
            }
            None => Err(self
                .problem("this is not the escape of a character")
                .with_hint("write '\\u' and four hexadecimal digits, or two such escapes for a surrogate pair")),
        }
    }

    fn end(&mut self) -> Result<(), Problem> {
        self.blank();
        if self.at < self.text.len() { Err(self.unexpected(END)) } else { Ok(()) }
    }

    fn unexpected(&mut self, wanted: &str) -> Problem {
        let found = match self.rest().chars().next() {
            None => "the file ends".to_owned(),
            Some(character) => format!("found {}", shown(&character.to_string())),
        };
        let hint = self.what_to_do(wanted);
        self.problem(&format!("this is not JSON: expected {wanted}, and {found}")).with_hint(hint)
    }

    fn what_to_do(&self, wanted: &str) -> &'static str {
        let rest = self.rest();
        let is_behind = wanted == END;
        match (self.peek(), wanted) {
            (Some(b'/' | b'#'), _) => "remove the comment; JSON has none",
            (Some(b'<' | b'=' | b'>'), _) if is_conflict(rest) => "settle the merge conflict that was left here",
            (Some(b','), END) if rest.trim_end().len() == 1 => "remove the comma",
            (Some(b'}' | b']'), END) => "remove it; when it does close something, one too many stands further up",
            (Some(b'{' | b'['), END) => "remove what stands twice, or put it into a file of its own",
            (Some(b',' | b'"'), END) => {
                "remove a '}' or ']' that is too many: the last one above closes the whole file"
            }
            (Some(b'}' | b']'), "a value" | "a key in double quotes") => "remove the comma before it",
            (Some(b'}'), "',' or ']'") => "put a ']' before it, or remove it when it is too many",
            (Some(b']'), "',' or '}'") => "put a '}' before it, or remove it when it is too many",
            (Some(b','), "a key in double quotes" | "a value") => "remove a comma, or write what is missing",
            (Some(b':'), "',' or ']'") => "close the list above with ']', or put its fields in braces",
            (Some(b';'), _) => "write a comma instead",
            (Some(b'\''), _) => "write it in double quotes",
            _ if rest.starts_with(['“', '”', '„', '‘', '’', '«', '»']) => {
                "replace the typographic quotes by plain ones: \""
            }
            _ if rest.starts_with(['\u{A0}', '\u{2007}', '\u{202F}', '\u{3000}']) => {
                "replace the no-break space by a plain one"
            }
            (Some(b'='), "':'") => "write ':' instead",
            (Some(b'"' | b'{' | b'['), "':'") => "put a ':' before it",
            (Some(b'T' | b'F' | b'N' | b'I' | b'u'), "a value") => {
                "write true, false or null in lower case, and texts in double quotes; JSON has no NaN and no Infinity"
            }
            (None, _) => "close what was opened above, with '}' or ']'",
            (Some(byte), _)
                if !is_behind && self.builder.pointer_is_root() && (byte.is_ascii_alphabetic() || byte == b'-') =>
            {
                "write JSON, or let the file's name end in .yaml"
            }
            (Some(_), END) => "remove what stands behind the end",
            (Some(b'"' | b'{' | b'[' | b'0'..=b'9'), "',' or '}'" | "',' or ']'") => "put a comma before it",
            (Some(byte), "a value" | "a key in double quotes") if byte.is_ascii_alphabetic() => {
                "put it in double quotes"
            }
            _ => "look for a missing comma or quote",
        }
    }

    fn problem(&mut self, message: &str) -> Problem {
        let mark = self.mark(1);
        Problem::new(&rules::JSON, mark, self.builder.pointer(), message)
    }

    fn blank(&mut self) {
        while let Some(byte) = self.peek() {
            let next_line = match byte {
                b' ' | b'\t' => false,
                b'\n' => true,
                b'\r' => self.text.as_bytes().get(self.at + 1) != Some(&b'\n'),
                _ => break,
            };
            self.at += 1;
            if next_line {
                self.line += 1;
                self.column = 1;
                self.counted = self.at;
            }
        }
    }

    /// The place of the next character; `length` counts from there.
    fn mark(&mut self, length: usize) -> Mark {
        let passed = self.text.as_bytes().get(self.counted..self.at).unwrap_or_default();
        // Bytes that do not continue a character begin one.
        let characters = passed.iter().filter(|byte| (**byte & 0xC0) != 0x80).count();
        self.column += count(characters);
        self.counted = self.at;
        Mark { line: self.line, column: self.column, length: count(length) }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }
}

/// Whether a line of a merge conflict begins here.
fn is_conflict(rest: &str) -> bool {
    ["<<<<<<< ", "=======", ">>>>>>> "].iter().any(|mark| rest.starts_with(mark))
}

/// What to do about something that begins like a number.
fn instead_of(text: &str) -> &'static str {
    let unsigned = text.trim_start_matches(['-', '+']);
    let mantissa = unsigned.split(['e', 'E']).next().unwrap_or_default();
    let is_number = text.chars().all(|c| c.is_ascii_digit() || matches!(c, '-' | '+' | '.' | 'e' | 'E'))
        && mantissa.matches('.').count() <= 1
        && !mantissa.contains(['-', '+']);
    match unsigned {
        "Infinity" | "NaN" => "write a finite number; JSON has no NaN and no Infinity",
        _ if is_number => {
            "write it without leading zeros or plus signs, and with digits on both sides of a point; where a text is meant, put it in double quotes"
        }
        _ => "put it in double quotes",
    }
}

enum Form {
    Whole,
    Float,
}

/// `-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?`
fn form(text: &str) -> Option<Form> {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent.strip_prefix(['+', '-']).unwrap_or(exponent))),
        None => (unsigned, None),
    };
    let (before, after) = match mantissa.split_once('.') {
        Some((before, after)) => (before, Some(after)),
        None => (mantissa, None),
    };
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let fine = digits(before)
        && (before == "0" || !before.starts_with('0'))
        && after.is_none_or(digits)
        && exponent.is_none_or(digits);
    let form = if after.is_none() && exponent.is_none() { Form::Whole } else { Form::Float };
    fine.then_some(form)
}

/// Files have at most 2^20 bytes, so nothing is ever cut.
fn count(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX - 1)
}

#[cfg(test)]
mod tests {
    use crate::check::yaml::{Syntax, read};

    #[test]
    fn the_hint_is_what_to_do() {
        let fine = "{\n  \"a\": { \"b\": [1] },\n";
        for (wrong, line, column, message, hint) in [
            ("\"c\": 1 },\n\"d\": 1 }", 3, 9, "expected the end of the file, and found ','", "remove a '}'"),
            ("\"c\": 1 }\n}\n", 4, 1, "expected the end of the file, and found '}'", "remove it; when it does"),
            (
                "\"c\": 1 }\n{ \"c\": 1 }",
                4,
                1,
                "expected the end of the file, and found '{'",
                "remove what stands twice",
            ),
            ("\"c\": 1 },\n", 3, 9, "expected the end of the file, and found ','", "remove the comma"),
            ("\"c\": 1 } x", 3, 10, "expected the end of the file, and found 'x'", "remove what stands behind"),
            ("\"c\": [1 }", 3, 9, "expected ',' or ']', and found '}'", "put a ']' before it"),
            ("\"c\": 1]", 3, 7, "expected ',' or '}', and found ']'", "put a '}' before it"),
            ("\"c\": 1; \"d\": 1 }", 3, 7, "found ';'", "write a comma instead"),
            ("\"c\": 1,, \"d\": 1 }", 3, 8, "expected a key in double quotes, and found ','", "remove a comma"),
            ("\"c\" 1 }", 3, 5, "expected ':', and found '1'", "look for a missing"),
            ("\"c\" = 1 }", 3, 5, "expected ':', and found '='", "write ':' instead"),
            ("\"c\" \"d\" }", 3, 5, "expected ':', and found '\"'", "put a ':' before it"),
            ("\"c\": v1.0.0 }", 3, 6, "expected a value, and found 'v'", "put it in double quotes"),
            ("c: 1 }", 3, 1, "expected a key in double quotes, and found 'c'", "put it in double quotes"),
            ("\"c\": 1.0.0 }", 3, 6, "'1.0.0' is not a number", "put it in double quotes"),
            ("\"c\": 1.0.0-rc.1, ", 3, 6, "'1.0.0-rc.1' is not a number", "put it in double quotes"),
            ("\"c\": 2024-06-01}", 3, 6, "'2024-06-01' is not a number", "put it in double quotes"),
            ("\"c\": 10:30 }", 3, 6, "'10:30' is not a number", "put it in double quotes"),
            ("\"c\": 01 }", 3, 6, "'01' is not a number", "write it without leading zeros"),
            ("\"c\": +1e+3 }", 3, 6, "'+1e+3' is not a number", "write it without leading zeros"),
            ("\"c\": .5 }", 3, 6, "'.5' is not a number", "write it without leading zeros"),
            ("\"c\": -Infinity }", 3, 6, "'-Infinity' is not a number", "write a finite number"),
        ] {
            let (_, problems) = read(format!("{fine}{wrong}").as_bytes(), Syntax::Json);
            let [problem] = problems.as_slice() else { panic!("{wrong:?}: {problems:?}") };
            let told = problem.hint.as_deref().unwrap_or_default();
            assert!(problem.message.contains(message) && told.starts_with(hint), "{wrong:?}: {problem:?}");
            assert_eq!((problem.mark.line, problem.mark.column), (line, column), "{wrong:?}: {problem:?}");
        }
        let (_, problems) = read(b"- name: a\n", Syntax::Json);
        assert_eq!(problems[0].hint.as_deref(), Some("write JSON, or let the file's name end in .yaml"));
    }
}
