//! Findings, as a compiler would show them: the line with a caret, the rule's id, what to do.

use std::io::{self, Write};

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use crate::domain::finding::{Finding, Severity};
use crate::domain::id::RepoPath;

use super::{harmless, harmless_line};

/// Where the text of a file comes from. `None` for a file that cannot be read, which is shown without an excerpt.
pub type TextOf<'a> = dyn Fn(&RepoPath) -> Option<String> + 'a;

/// So many characters of a line are shown at most: generated JSON may stand on one line.
const LONGEST_LINE: usize = 160;

/// A place farther to the right is shown without an excerpt, which would cost more than it tells.
const FARTHEST_COLUMN: u32 = 100_000;

/// Writes all findings, file by file. `shown` says how a path is shown (relative to where the user stands).
pub fn findings(
    out: &mut dyn Write,
    findings: &[Finding],
    shown: &dyn Fn(&RepoPath) -> String,
    text_of: &TextOf<'_>,
    colour: bool,
    width: usize,
) -> io::Result<()> {
    let renderer = renderer(colour, width);
    let mut sorted: Vec<&Finding> = findings.iter().collect();
    sorted.sort_by(|a, b| (&a.location, &a.rule).cmp(&(&b.location, &b.rule)));
    for of_file in sorted.chunk_by(|a, b| a.location.file == b.location.file) {
        let Some(first) = of_file.first() else { continue };
        let path = shown(&first.location.file);
        let text = text_of(&first.location.file);
        let text = text.as_deref().map(|text| text.strip_prefix('\u{feff}').unwrap_or(text));
        let mut lines: Vec<&str> = text.map(|text| text.lines().collect()).unwrap_or_default();
        if text.is_some() {
            // What is missing at the end is missing on the line behind the last one.
            lines.push("");
        }
        for finding in of_file {
            let line = (finding.location.line as usize).checked_sub(1).and_then(|index| lines.get(index)).copied();
            let diagnostic = Diagnostic {
                level: level(finding.severity),
                id: Some(finding.rule.as_str()),
                message: &finding.message,
                path: &path,
                line: finding.location.line,
                column: finding.location.column,
                length: finding.location.length,
                excerpt: line,
                pointer: &finding.pointer,
                hint: finding.hint.as_deref(),
            };
            diagnostic.write(out, &renderer)?;
        }
    }
    Ok(())
}

pub(super) fn renderer(colour: bool, width: usize) -> Renderer {
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    renderer.decor_style(DecorStyle::Ascii).term_width(width.max(60))
}

fn level(severity: Severity) -> Level<'static> {
    match severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    }
}

/// Anything that is said about a line of a file.
pub(super) struct Diagnostic<'a> {
    pub(super) level: Level<'static>,
    pub(super) id: Option<&'a str>,
    pub(super) message: &'a str,
    pub(super) path: &'a str,
    /// From 1; 0 where only the file is known.
    pub(super) line: u32,
    pub(super) column: u32,
    pub(super) length: u32,
    /// The line, if it can be shown.
    pub(super) excerpt: Option<&'a str>,
    pub(super) pointer: &'a str,
    pub(super) hint: Option<&'a str>,
}

impl Diagnostic<'_> {
    /// Writes it, and an empty line below it.
    pub(super) fn write(&self, out: &mut dyn Write, renderer: &Renderer) -> io::Result<()> {
        let message = harmless(self.message);
        let path = harmless(self.path);
        let id = self.id.map(harmless);
        let mut title = self.level.clone().primary_title(message);
        if let Some(id) = id {
            title = title.id(id);
        }
        let mut group = Group::with_title(title);
        let excerpt = self.excerpt.filter(|_| self.column < FARTHEST_COLUMN);
        match excerpt.map(|line| cut(line, self.column as usize, self.length as usize)) {
            Some((line, span)) => {
                let snippet = Snippet::source(line)
                    .line_start(self.line as usize)
                    .fold(false)
                    .path(path)
                    .annotation(AnnotationKind::Primary.span(span));
                group = group.element(snippet);
            }
            None => {
                let mut origin = Origin::path(path);
                if self.line > 0 {
                    origin = origin.line(self.line as usize).char_column(self.column as usize);
                }
                group = group.element(origin);
                if !self.pointer.is_empty() {
                    group = group.element(Level::NOTE.with_name("at").message(harmless(self.pointer)));
                }
            }
        }
        if let Some(hint) = self.hint {
            group = group.element(Level::HELP.with_name("hint").message(harmless(hint)));
        }
        writeln!(out, "{}\n", renderer.render(&[group]))
    }
}

/// The part of a line around the place, made harmless, and the place in it as a range of bytes.
fn cut(line: &str, column: usize, length: usize) -> (String, std::ops::Range<usize>) {
    let all: Vec<char> = harmless_line(line).chars().collect();
    let place = column.saturating_sub(1).min(all.len());
    let length = length.max(1);
    let from = if all.len() <= LONGEST_LINE { 0 } else { place.saturating_sub(LONGEST_LINE / 3) };
    let to = all.len().min(from + LONGEST_LINE);
    let mut text = String::new();
    if from > 0 {
        // Spaces keep the column true; the library leaves leading ones out when the line is too wide.
        text.extend(std::iter::repeat_n(' ', from - 1));
        text.push('…');
    }
    let (mut start, mut end) = (None, None);
    for (index, c) in all.iter().enumerate().take(to).skip(from) {
        if index == place {
            start = Some(text.len());
        }
        if index == place + length {
            end = Some(text.len());
        }
        text.push(*c);
    }
    let start = start.unwrap_or(text.len());
    let end = end.unwrap_or(text.len()).max(start);
    if to < all.len() {
        text.push('…');
    }
    (text, start..end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::finding::{Location, RuleId};

    fn show(findings_: &[Finding], text: Option<&str>) -> String {
        let mut out = Vec::new();
        let text = text.map(str::to_owned);
        findings(&mut out, findings_, &|path| path.to_string(), &|_| text.clone(), false, 100).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn finding(line: u32, column: u32, length: u32) -> Finding {
        let location = Location { file: "a/dp.yaml".parse().unwrap(), line, column, length };
        Finding::error(RuleId::built_in("schema/required"), location, "/info", "the field 'name' is missing")
    }

    #[test]
    fn a_finding_has_its_line_and_a_caret() {
        let text = "dataProductDescriptor: 1.0.0\ninfo:\n  fullyQualifiedName: x\n";
        let shown = show(&[finding(2, 1, 4).with_hint("add 'name'")], Some(text));
        let wanted = "error[schema/required]: the field 'name' is missing\n --> a/dp.yaml:2:1\n  |\n2 | info:\n  | ^^^^\n  |\n  = hint: add 'name'\n\n";
        assert_eq!(shown, wanted, "\n{shown}");
    }

    #[test]
    fn without_the_file_the_pointer_says_where() {
        let shown = show(&[finding(2, 1, 4)], None);
        assert!(shown.contains("--> a/dp.yaml:2:1") && shown.contains("at: /info"), "{shown}");
    }

    #[test]
    fn a_long_line_is_cut_around_its_place_and_the_column_stays_true() {
        let text = format!("{{{}\"bad\": 1{}}}", "\"a\": 1, ".repeat(5000), ", \"b\": 2".repeat(5000));
        let column = u32::try_from(text.find("\"bad\"").unwrap()).unwrap() + 1;
        let shown = show(&[finding(1, column, 5)], Some(&text));
        assert!(shown.len() < 1000, "{}", shown.len());
        assert!(shown.contains(&format!("a/dp.yaml:1:{column}")), "{shown}");
        let lines: Vec<&str> = shown.lines().collect();
        let source = lines.iter().position(|line| line.contains("\"bad\"")).unwrap();
        assert_eq!(
            lines[source].find("\"bad\"").map(|at| lines[source][..at].chars().count()),
            lines[source + 1].find('^')
        );
    }

    #[test]
    fn escapes_in_files_and_messages_do_no_harm() {
        let location = Location { file: "dp.yaml".parse().unwrap(), line: 1, column: 1, length: 3 };
        let mut nasty = Finding::error(
            RuleId::policy("p", "r\u{1b}]0;x\u{7}"),
            location,
            "",
            "bad \u{1b}[31mname\u{202e}\n::set-env",
        );
        nasty.hint = Some("do \u{9b}2J".to_owned());
        let shown = show(&[nasty], Some("a: \u{1b}[2J\u{202e}\r\n"));
        let dangerous = |c: char| (c.is_control() && c != '\n') || matches!(c, '\u{202a}'..='\u{202e}');
        assert!(!shown.contains(dangerous), "{shown:?}");
        assert!(!shown.lines().any(|line| line.starts_with("::")), "{shown}");
    }

    #[test]
    fn places_outside_of_the_text_are_shown_at_its_end() {
        for (line, column, length) in [(1, 99, 5), (9, 1, 1), (1, 1, 99), (0, 0, 0)] {
            assert!(show(&[finding(line, column, length)], Some("é: x\n")).contains("schema/required"));
        }
        assert!(show(&[finding(1, 1, 0)], Some("")).contains("schema/required"));
    }
}
