//! `doctor`: what was examined, what it came to, and what to do about it.

use std::io;

use serde::Serialize;

use crate::face::cli::DocumentFormat;
use crate::face::render::{self, harmless_line, style};
use crate::face::{ExitStatus, Output};

/// What an examination came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// As it should be.
    Fine,
    /// It works, but it will not for ever, or not for all.
    Warning,
    /// It does not work.
    Failed,
    /// It could not be examined, because of something that failed before it.
    Skipped,
}

/// One thing that was examined.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Examined {
    /// What it belongs to: `source retail`, `forge acme`, `this machine`.
    pub subject: String,
    /// What was looked at: `fetch`, `clock`, `permissions`.
    pub what: &'static str,
    /// What it came to.
    pub outcome: Outcome,
    /// What was seen, in a sentence.
    pub message: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
}

impl Examined {
    /// Something that is as it should be.
    pub fn fine(subject: &str, what: &'static str, message: impl Into<String>) -> Self {
        Self::new(subject, what, Outcome::Fine, message.into(), None)
    }

    /// Something that works, but not for ever or not for all.
    pub fn warning(subject: &str, what: &'static str, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::new(subject, what, Outcome::Warning, message.into(), Some(remedy.into()))
    }

    /// Something that does not work.
    pub fn failed(subject: &str, what: &'static str, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::new(subject, what, Outcome::Failed, message.into(), Some(remedy.into()))
    }

    /// Something that could not be examined.
    pub fn skipped(subject: &str, what: &'static str, message: impl Into<String>) -> Self {
        Self::new(subject, what, Outcome::Skipped, message.into(), None)
    }

    fn new(subject: &str, what: &'static str, outcome: Outcome, message: String, remedy: Option<String>) -> Self {
        Self { subject: subject.to_owned(), what, outcome, message, remedy }
    }
}

/// Shows examinations as they end, and says at the end what they came to.
#[derive(Debug)]
pub struct Doctor {
    format: DocumentFormat,
    examined: Vec<Examined>,
}

impl Doctor {
    /// Nothing examined yet.
    pub fn new(format: DocumentFormat) -> Self {
        Self { format, examined: Vec::new() }
    }

    /// Notes what was examined; for people it is shown at once, because fetches take their time.
    pub fn note(&mut self, examined: Examined, output: &mut Output<'_>) -> io::Result<()> {
        if self.format == DocumentFormat::Text {
            if self.examined.last().is_none_or(|last| last.subject != examined.subject) {
                writeln!(output.out, "{}", style::strong(&harmless_line(&examined.subject), output.colour))?;
            }
            line(&examined, output)?;
            output.out.flush()?;
        }
        self.examined.push(examined);
        Ok(())
    }

    /// The sum. It ends with 1 when something failed.
    pub fn finish(self, output: &mut Output<'_>) -> io::Result<ExitStatus> {
        let number = |outcome| self.examined.iter().filter(|examined| examined.outcome == outcome).count();
        let (failed, warnings) = (number(Outcome::Failed), number(Outcome::Warning));
        match self.format {
            DocumentFormat::Text => {
                let sum = format!(
                    "{}, {}, {} examined",
                    render::counted(failed, "failure"),
                    render::counted(warnings, "warning"),
                    self.examined.len()
                );
                writeln!(output.out, "\n{}", if failed > 0 { style::error(&sum, output.colour) } else { sum })?;
            }
            DocumentFormat::Json | DocumentFormat::Yaml => render::document(output.out, &self.examined, self.format)?,
        }
        Ok(if failed > 0 { ExitStatus::Failed } else { ExitStatus::Success })
    }
}

fn line(examined: &Examined, output: &mut Output<'_>) -> io::Result<()> {
    let colour = output.colour;
    let mark = match examined.outcome {
        Outcome::Fine => style::good("ok     ", colour),
        Outcome::Warning => style::warning("warning", colour),
        Outcome::Failed => style::error("failed ", colour),
        Outcome::Skipped => style::faint("skipped", colour),
    };
    writeln!(output.out, "  {mark}  {}: {}", examined.what, harmless_line(&examined.message))?;
    if let Some(remedy) = &examined.remedy {
        writeln!(output.out, "           {}: {}", style::hint("remedy", colour), harmless_line(remedy))?;
    }
    Ok(())
}
