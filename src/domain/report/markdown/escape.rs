//! Other people's text inside Markdown that we write. A descriptor, a path, a policy's message may be
//! anybody's, and a comment is shown in our name: such text must not end its cell, code span or comment,
//! mention people, link, fetch an image, hide anything, or look like our own marker.
//!
//! Two forms are enough. *Code* shows names, paths and versions as they are: nothing inside a code span
//! means anything to a forge, once it cannot end there. *Prose* shows messages: every character that
//! means something to Markdown is escaped, and what forges link on their own (mentions, issues,
//! commits, addresses, emoji) is broken by a zero-width space, which is written as a reference so that
//! whoever reads the source sees it. Text loses its own invisible characters before either.

use crate::domain::report::shortened;

/// Breaks what a forge would link on its own.
const BREAK: &str = "&#8203;";

/// What means something to Markdown in the middle of a line, where prose always stands.
const MEANINGFUL: &str = r"\`*_{}[]()#!~^$@";

/// Runs of at least so many hexadecimal digits may be linked as commits.
const SHORTEST_COMMIT: usize = 7;

/// The text in one line, without what cannot be seen, of at most `limit` characters.
pub(super) fn visible(text: &str, limit: usize) -> String {
    let mut out = String::new();
    let mut after_space = true;
    let mut length = 0;
    for c in text.chars() {
        let c = if c.is_whitespace() { ' ' } else { shown(c) };
        if c == ' ' && after_space {
            continue;
        }
        after_space = c == ' ';
        out.push(c);
        length += 1;
        // Enough to see that it is too long.
        if length > limit && !after_space {
            return shortened(out, limit);
        }
    }
    out.truncate(out.trim_end().len());
    out
}

/// A character that can be seen, in the place of one that cannot.
fn shown(c: char) -> char {
    let hidden = matches!(c,
        // Soft hyphen, joiners and fillers that take no room.
        '\u{ad}' | '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{2800}' | '\u{3164}' | '\u{ffa0}'
        // Marks of direction, invisible operators, byte order marks, annotations.
        | '\u{61c}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
        // Variation selectors and tags, in which whole texts can be hidden; private use.
        | '\u{fe00}'..='\u{fe0f}' | '\u{e000}'..='\u{f8ff}' | '\u{e0000}'..='\u{10ffff}'
    );
    if hidden || c.is_control() { '\u{fffd}' } else { c }
}

/// A code span. What could be read as the beginning of a comment is broken, so that no marker is faked.
pub(super) fn code(text: &str, limit: usize) -> String {
    span(&visible(text, limit))
}

/// A code span in a cell of a table, where a bar would end the cell even inside code.
pub(super) fn cell_code(text: &str, limit: usize) -> String {
    span(&visible(text, limit).replace('|', "¦"))
}

fn span(text: &str) -> String {
    let text = unmarked(text);
    if text.is_empty() {
        return "—".to_owned();
    }
    let fence = "`".repeat(longest_run(&text, '`') + 1);
    // Of a space on both sides one is taken away again, so a backtick at the edge needs both.
    let pad = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// A sentence: shown as it is, and meaning nothing.
pub(super) fn prose(text: &str, limit: usize) -> String {
    let text = visible(text, limit);
    let mut out = String::with_capacity(text.len() + 16);
    let mut digits = 0;
    let mut characters = text.chars().peekable();
    let mut before = ' ';
    while let Some(c) = characters.next() {
        digits = if c.is_ascii_hexdigit() { digits + 1 } else { 0 };
        if digits == SHORTEST_COMMIT {
            out.push_str(BREAK);
            digits = 1;
        }
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '|' => out.push_str("&#124;"),
            c if MEANINGFUL.contains(c) => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
        let next = characters.peek().copied().unwrap_or(' ');
        let links = match c {
            '@' | '#' | ':' | '$' => next != ' ',
            // `GH-1`; and `www.`, of which a host may begin with what cannot be seen.
            '-' => before.eq_ignore_ascii_case(&'h'),
            'w' | 'W' => next.eq_ignore_ascii_case(&'w'),
            _ => false,
        };
        if links {
            out.push_str(BREAK);
        }
        before = c;
    }
    out
}

/// A fenced block of code in a language; lines are kept, and end as they are cut.
pub(super) fn block(language: &str, text: &str) -> String {
    let shown = |line: &str| -> String {
        let visible = |c| if c == '\t' { c } else { shown(c) };
        unmarked(&line.chars().map(visible).collect::<String>())
    };
    let lines: Vec<String> = text.lines().map(shown).collect();
    let longest = lines.iter().map(|line| longest_run(line, '`')).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}{language}\n{}\n{fence}\n", lines.join("\n"))
}

/// Text inside an element of HTML, where Markdown means nothing: as code, which forges leave alone.
pub(super) fn html_code(text: &str, limit: usize) -> String {
    let mut out = String::from("<code>");
    for c in unmarked(&visible(text, limit)).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out.push_str("</code>");
    out
}

/// A link whose text is `label`, which is Markdown already. The address is ours but for a path, which
/// comes percent-encoded.
pub(super) fn link(label: &str, address: &str) -> String {
    format!("[{label}]({address})")
}

fn unmarked(text: &str) -> String {
    text.replace("<!--", "<! --")
}

fn longest_run(text: &str, wanted: char) -> usize {
    text.split(|c| c != wanted).map(str::len).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_is_shown() {
        assert_eq!(visible("a\u{202e}b\u{200b}c\u{e0041}", 99), "a\u{fffd}b\u{fffd}c\u{fffd}");
        assert_eq!(visible(" a\r\n\t b ", 99), "a b");
        assert_eq!(visible("abcdef", 4), "abc…");
        assert_eq!(visible("abcd", 4), "abcd");
    }

    #[test]
    fn code_cannot_be_ended_from_inside() {
        assert_eq!(code("a`b", 9), "``a`b``");
        assert_eq!(code("``", 9), "``` `` ```");
        assert_eq!(code("", 9), "—");
        assert_eq!(cell_code("a|b\\", 9), "`a¦b\\`");
        assert_eq!(code("<!-- meshwright:source=a -->", 99), "`<! -- meshwright:source=a -->`");
        assert_eq!(block("diff", "+```\n+</details>"), "````diff\n+```\n+</details>\n````\n");
    }

    #[test]
    fn prose_means_nothing() {
        assert_eq!(prose("ask @all, see #12 or GH-3", 99), "ask \\@&#8203;all, see \\#&#8203;12 or GH-&#8203;3");
        assert_eq!(prose("![x](https://e.com)", 99), "\\!\\[x\\]\\(https:&#8203;//e.com\\)");
        assert_eq!(prose("<b> | `c`", 99), "&lt;b&gt; &#124; \\`c\\`");
        assert_eq!(prose("deadbeef1", 99), "deadbe&#8203;ef1");
    }
}
