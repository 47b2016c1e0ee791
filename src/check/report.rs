//! What is found on the way, and no more of it than anybody reads. A hostile file could ask for a
//! hundred thousand findings; what must not happen is that many warnings hide an error.

use super::limits::MAX_FINDINGS;
use crate::domain::finding::{Finding, Severity};

/// Findings, with a limit for errors and one for the others.
#[derive(Debug, Default)]
pub(super) struct Report {
    findings: Vec<Finding>,
    errors: usize,
    dropped: bool,
}

impl Report {
    /// Whether a finding of this weight would be kept. Asked when there is one to say, where making
    /// it costs; when it is not wanted, it counts as said.
    pub(super) fn wants(&mut self, severity: Severity) -> bool {
        let kept = if severity == Severity::Error { self.errors } else { self.findings.len() - self.errors };
        self.dropped |= kept >= MAX_FINDINGS;
        kept < MAX_FINDINGS
    }

    /// Keeps a finding, when there is room.
    pub(super) fn push(&mut self, finding: Finding) {
        if self.wants(finding.severity) {
            self.errors += usize::from(finding.is_error());
            self.findings.push(finding);
        }
    }

    /// Whether there are enough errors, so that looking for more is not worth it. The descriptor is
    /// refused in any case.
    pub(super) fn is_full(&mut self) -> bool {
        !self.wants(Severity::Error)
    }

    /// Whether the descriptor is refused.
    pub(super) fn has_errors(&self) -> bool {
        self.errors > 0
    }

    /// All findings that were kept, and whether there were more.
    pub(super) fn into_parts(self) -> (Vec<Finding>, bool) {
        (self.findings, self.dropped)
    }
}

impl Extend<Finding> for Report {
    fn extend<I: IntoIterator<Item = Finding>>(&mut self, findings: I) {
        findings.into_iter().for_each(|finding| self.push(finding));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::finding::{Location, RuleId};

    #[test]
    fn warnings_do_not_hide_errors() {
        let mut report = Report::default();
        let finding = |severity| {
            let location = Location::top_of("d.yaml".parse().unwrap());
            Finding::new(severity, RuleId::built_in("a/b"), location, "", "m")
        };
        for _ in 0..MAX_FINDINGS + 10 {
            report.push(finding(Severity::Warning));
        }
        assert!(!report.has_errors() && !report.is_full());
        report.push(finding(Severity::Error));
        assert!(report.has_errors());
        let (findings, dropped) = report.into_parts();
        assert_eq!((findings.len(), dropped), (MAX_FINDINGS + 1, true));
    }
}
