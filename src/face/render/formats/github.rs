//! GitHub's workflow commands: `::error file=…,line=…,col=…::message`. The runner turns them into
//! annotations on the lines of a pull request. The escapes are those of the runner's toolkit
//! (`command.ts`): `%`, CR and LF in data; those and `:` and `,` in properties.

use std::io::{self, Write};

use crate::domain::finding::Severity;
use crate::face::Validation;

use crate::face::render::harmless;

/// Writes one command for every finding and every problem.
pub fn github(out: &mut dyn Write, validation: &Validation) -> io::Result<()> {
    for finding in &validation.findings {
        let command = match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "notice",
        };
        let place = &finding.location;
        let file = property(place.file.as_str());
        write!(out, "::{command} file={file},line={},col={}", place.line.max(1), place.column.max(1))?;
        if place.length > 0 {
            write!(out, ",endColumn={}", place.column + place.length)?;
        }
        let message = match &finding.hint {
            Some(hint) => format!("{}\n{}: {}", harmless(&finding.message), "hint", harmless(hint)),
            None => harmless(&finding.message).into_owned(),
        };
        writeln!(out, ",title={}::{}", property(&harmless(finding.rule.as_str())), data(&message))?;
    }
    for problem in &validation.problems {
        writeln!(out, "::error::{}", data(&harmless(problem)))?;
    }
    Ok(())
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn properties_and_data_are_escaped_as_the_runner_unescapes_them() {
        assert_eq!(data("50%: a,b\r\nc"), "50%25: a,b%0D%0Ac");
        assert_eq!(property("C:a,b%\n"), "C%3Aa%2Cb%25%0A");
    }
}
