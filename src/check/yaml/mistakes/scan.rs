//! A rough reading of a text up to a place: which brackets and quotes are open there. It takes for granted that what
//! stands above is YAML, since a parser came that far.

use super::line::Line;

/// Where a character stands: its line, and its column from 0.
pub(super) type At = (usize, usize);

/// What is open at a place, and what was closed last.
#[derive(Debug, Default)]
pub(super) struct Scan {
    /// The brackets that are open, the outermost first.
    pub open: Vec<(At, char)>,
    /// The bracket that was closed last.
    pub closed: Option<(At, char)>,
    /// The quotes of the last text in quotes.
    pub quoted: Option<(At, At)>,
}

/// Reads up to a place. What stands there is not read.
pub(super) fn scan(lines: &[&str], end: At) -> Scan {
    let mut scan = Scan::default();
    let mut quote: Option<(At, char)> = None;
    // How far the name of a block text is indented: deeper lines are its text.
    let mut block: Option<usize> = None;
    for (number, text) in (1..=end.0).zip(lines) {
        let line = Line { number, text };
        if let Some(indent) = block {
            if text.trim().is_empty() || line.indent() > indent {
                continue;
            }
            block = None;
        }
        let is_block = scan.open.is_empty() && quote.is_none();
        let mut before = ' ';
        // Whether a text can begin: elsewhere, quotes and brackets are letters of one.
        let mut begins = is_block || quote.is_none();
        let mut characters = text.chars().enumerate().peekable();
        while let Some((column, character)) = characters.next() {
            if (number, column) >= end {
                return scan;
            }
            let next = characters.peek().map(|(_, next)| *next);
            if let Some((begin, mark)) = quote {
                if (mark == '"' && character == '\\') || (mark == '\'' && character == '\'' && next == Some('\'')) {
                    characters.next();
                } else if mark == character {
                    scan.quoted = Some((begin, (number, column)));
                    quote = None;
                    begins = false;
                }
                before = character;
                continue;
            }
            let is_apart = next.is_none_or(char::is_whitespace);
            match character {
                '#' if before.is_whitespace() => break,
                '"' | '\'' if begins => quote = Some(((number, column), character)),
                '{' | '[' if begins || !scan.open.is_empty() => scan.open.push(((number, column), character)),
                '}' | ']' if !scan.open.is_empty() => {
                    scan.open.pop();
                    scan.closed = Some(((number, column), character));
                    begins = false;
                }
                ',' if !scan.open.is_empty() => begins = true,
                ':' if is_apart || matches!(before, '"' | '\'') => begins = true,
                '-' | '?' if begins && is_apart && scan.open.is_empty() => {}
                _ if character.is_whitespace() => {}
                _ => begins = false,
            }
            before = character;
        }
        if scan.open.is_empty() && quote.is_none() && line.block_mark().is_some() {
            block = Some(line.content());
        }
    }
    scan
}
