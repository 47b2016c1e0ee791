//! Counting, in words.

use crate::domain::finding::{Finding, Severity};

use super::style;

/// How many findings there are of each weight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Errors.
    pub errors: usize,
    /// Warnings.
    pub warnings: usize,
    /// Notes.
    pub notes: usize,
}

impl Counts {
    /// Counts them.
    pub fn of(findings: &[Finding]) -> Self {
        let count = |severity| findings.iter().filter(|finding| finding.severity == severity).count();
        Self { errors: count(Severity::Error), warnings: count(Severity::Warning), notes: count(Severity::Note) }
    }

    /// `2 errors, 1 warning`; `no findings`.
    pub fn words(&self, colour: bool) -> String {
        let mut parts = Vec::new();
        if self.errors > 0 {
            parts.push(style::error(&counted(self.errors, "error"), colour));
        }
        if self.warnings > 0 {
            parts.push(style::warning(&counted(self.warnings, "warning"), colour));
        }
        if self.notes > 0 {
            parts.push(counted(self.notes, "note"));
        }
        if parts.is_empty() { style::good("no findings", colour) } else { parts.join(", ") }
    }
}

/// `1 error`, `2 errors`, `2 activities`.
pub fn counted(number: usize, noun: &str) -> String {
    match (number, noun.strip_suffix('y')) {
        (1, _) => format!("1 {noun}"),
        (_, Some(stem)) => format!("{number} {stem}ies"),
        (_, None) => format!("{number} {noun}s"),
    }
}
