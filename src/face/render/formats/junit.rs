//! JUnit's XML, as build servers read it: a suite for each descriptor, a case for each finding, and one
//! that passes where nothing was found. Warnings and notes are told and do not fail.

use std::collections::BTreeMap;
use std::io::{self, Write};

use crate::domain::finding::Finding;
use crate::face::Validation;

use crate::face::render::harmless;

/// Writes the document.
pub fn junit(out: &mut dyn Write, validation: &Validation) -> io::Result<()> {
    let mut by_file: BTreeMap<&str, Vec<&Finding>> = BTreeMap::new();
    for descriptor in &validation.descriptors {
        by_file.entry(descriptor.path.as_str()).or_default();
    }
    for finding in &validation.findings {
        by_file.entry(finding.location.file.as_str()).or_default().push(finding);
    }
    let failed = validation.findings.iter().filter(|finding| finding.is_error()).count();
    let clean = by_file.values().filter(|findings| findings.is_empty()).count();
    let cases = validation.findings.len() + clean + validation.problems.len();
    writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
    let problems = validation.problems.len();
    writeln!(
        out,
        "<testsuites name=\"meshwright validate\" tests=\"{cases}\" failures=\"{failed}\" errors=\"{problems}\">"
    )?;
    for (file, findings) in &by_file {
        suite(out, file, findings)?;
    }
    if !validation.problems.is_empty() {
        writeln!(out, "  <testsuite name=\"meshwright\" tests=\"{problems}\" failures=\"0\" errors=\"{problems}\">")?;
        for problem in &validation.problems {
            writeln!(out, "    <testcase classname=\"meshwright\" name=\"problem\">")?;
            writeln!(out, "      <error message=\"{}\"/>", xml(problem))?;
            writeln!(out, "    </testcase>")?;
        }
        writeln!(out, "  </testsuite>")?;
    }
    writeln!(out, "</testsuites>")
}

fn suite(out: &mut dyn Write, file: &str, findings: &[&Finding]) -> io::Result<()> {
    let file = xml(file);
    let failures = findings.iter().filter(|finding| finding.is_error()).count();
    let tests = findings.len().max(1);
    writeln!(out, "  <testsuite name=\"{file}\" tests=\"{tests}\" failures=\"{failures}\" errors=\"0\">")?;
    if findings.is_empty() {
        writeln!(out, "    <testcase classname=\"{file}\" name=\"valid\" file=\"{file}\"/>")?;
    }
    for finding in findings {
        let place = &finding.location;
        let name = format!("{}:{} {}", place.line, place.column, finding.rule);
        writeln!(
            out,
            "    <testcase classname=\"{file}\" name=\"{}\" file=\"{file}\" line=\"{}\">",
            xml(&name),
            place.line
        )?;
        let mut text = format!("{}: {}", place, finding.message);
        if let Some(hint) = &finding.hint {
            text.push_str("\nhint: ");
            text.push_str(hint);
        }
        if finding.is_error() {
            let (message, rule) = (xml(&finding.message), xml(finding.rule.as_str()));
            writeln!(out, "      <failure message=\"{message}\" type=\"{rule}\">{}</failure>", xml(&text))?;
        } else {
            writeln!(out, "      <system-out>{}: {}</system-out>", finding.severity.as_str(), xml(&text))?;
        }
        writeln!(out, "    </testcase>")?;
    }
    writeln!(out, "  </testsuite>")
}

/// Text inside elements and quoted attributes (XML 1.0). What is no character there is made visible.
fn xml(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for line in text.split('\n') {
        if !safe.is_empty() {
            safe.push_str("&#10;");
        }
        for c in harmless(line).chars() {
            match c {
                '&' => safe.push_str("&amp;"),
                '<' => safe.push_str("&lt;"),
                '>' => safe.push_str("&gt;"),
                '"' => safe.push_str("&quot;"),
                '\u{FFFE}' | '\u{FFFF}' => safe.push('\u{FFFD}'),
                c => safe.push(c),
            }
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_stay_texts() {
        assert_eq!(xml("a<b> & \"c\""), "a&lt;b&gt; &amp; &quot;c&quot;");
        assert_eq!(xml("a\nb"), "a&#10;b");
        assert!(!xml("a\u{1}b\u{1b}[31m").chars().any(char::is_control));
    }
}
