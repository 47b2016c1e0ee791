//! `policy test`: what became of the policies' own tests.

use std::io;

use serde::Serialize;
use serde_json::json;

use crate::domain::finding::Finding;
use crate::face::cli::DocumentFormat;
use crate::face::render::{Counts, TextOf, counted, document, findings, harmless, style};
use crate::face::{ExitStatus, Output};

/// What became of one test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PolicyTestLine {
    /// Package and rule.
    pub name: String,
    /// Where it stands.
    pub place: String,
    /// `passed`, `failed`, or `error`.
    pub outcome: &'static str,
    /// Why it did not pass.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// What it printed.
    pub printed: Vec<String>,
}

/// Shows the results. `problems` are findings in the policies themselves; with one of them, and
/// without any test, the verb fails: a pack whose tests are gone is not a tested one.
pub fn policy_test(
    tests: &[PolicyTestLine],
    problems: &[Finding],
    text_of: &TextOf<'_>,
    format: DocumentFormat,
    output: &mut Output<'_>,
) -> io::Result<ExitStatus> {
    let failed = tests.iter().filter(|test| test.outcome != "passed").count();
    let fine = failed == 0 && !tests.is_empty() && Counts::of(problems).errors == 0;
    let status = if fine { ExitStatus::Success } else { ExitStatus::Failed };
    if format != DocumentFormat::Text {
        document(output.out, &json!({ "tests": tests, "findings": problems, "passed": fine }), format)?;
        return Ok(status);
    }
    findings(output.out, problems, &|path| path.to_string(), text_of, output.colour, output.width)?;
    for test in tests {
        let word = style::status(test.outcome, output.colour);
        writeln!(output.out, "{word} {}", harmless(&test.name))?;
        if test.outcome != "passed" {
            let message = test.message.as_deref().unwrap_or("the rule is not true");
            writeln!(output.out, "    {}", harmless(message))?;
            writeln!(output.out, "    at {}", harmless(&test.place))?;
            for line in &test.printed {
                writeln!(output.out, "    > {}", harmless(line))?;
            }
        }
    }
    if tests.is_empty() {
        output.error(
            "there is no test",
            Some("write rules named test_… in files named *_test.rego beside the policies"),
        )?;
        return Ok(status);
    }
    writeln!(output.out, "\n{}: {failed} failed", counted(tests.len(), "test"))?;
    Ok(status)
}
