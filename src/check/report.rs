//! What is found on the way, and no more of it than anybody reads. A hostile file could ask for a
//! hundred thousand findings; what must not happen is that many warnings hide an error.

use super::fix::Fix;
use super::limits::MAX_FINDINGS;
use crate::domain::descriptor::Leniency;
use crate::domain::finding::{Finding, Location, RuleId, Severity};

/// Findings, with a limit for errors and one for the others.
#[derive(Debug, Default)]
pub(super) struct Report {
    findings: Vec<Finding>,
    errors: usize,
    dropped: bool,
    fixes: Vec<Fix>,
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

    /// Keeps a finding about the text `from`, where `to` belongs.
    pub(super) fn push_mendable(&mut self, finding: Finding, from: &str, to: &str) {
        self.push_doubtful(finding, (from, to), None);
    }

    /// The same, with the reason not to mend it without a person, if there is one.
    pub(super) fn push_doubtful(&mut self, finding: Finding, texts: (&str, &str), doubt: Option<&'static str>) {
        if self.wants(finding.severity) {
            self.mendable(finding.rule.clone(), finding.location.clone(), texts, doubt);
            self.push(finding);
        }
    }

    /// Keeps how to mend a place about which another room has said what is wrong.
    pub(super) fn mendable(
        &mut self,
        rule: RuleId,
        location: Location,
        (from, to): (&str, &str),
        doubt: Option<&'static str>,
    ) {
        if self.fixes.len() < MAX_FINDINGS {
            self.fixes.push(Fix { rule, location, from: from.to_owned(), to: to.to_owned(), doubt });
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

    /// Weighs anew what the switches allow: `leniency` says for a rule what becomes of its findings.
    ///
    /// When there were more errors than are kept, some of those that were left out may be of another
    /// rule, so everything stays as it is.
    pub(super) fn ease(&mut self, leniency: impl Fn(&RuleId) -> Leniency) {
        if self.errors >= MAX_FINDINGS {
            return;
        }
        self.findings.retain_mut(|finding| match leniency(&finding.rule) {
            Leniency::Off => true,
            Leniency::Warn => {
                finding.severity = finding.severity.min(Severity::Warning);
                true
            }
            Leniency::Accept => false,
        });
        self.errors = self.findings.iter().filter(|finding| finding.is_error()).count();
    }

    /// Looks at what was found once more: what `keep` lets go was part of something else.
    pub(super) fn amend(&mut self, keep: impl FnMut(&mut Finding) -> bool) {
        self.findings.retain_mut(keep);
        self.errors = self.findings.iter().filter(|finding| finding.is_error()).count();
    }

    /// All findings that were kept, whether there were more, and how to mend some.
    pub(super) fn into_parts(self) -> (Vec<Finding>, bool, Vec<Fix>) {
        (self.findings, self.dropped, self.fixes)
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

    #[test]
    fn only_what_is_allowed_weighs_less_and_never_when_something_was_left_out() {
        let finding = |rule, line| {
            let location = Location { line, ..Location::top_of("d.yaml".parse().unwrap()) };
            Finding::error(RuleId::built_in(rule), location, "", "m")
        };
        let leniency = |rule: &RuleId| match rule.as_str() {
            "a/warned" => Leniency::Warn,
            "a/accepted" => Leniency::Accept,
            _ => Leniency::Off,
        };
        let mut report = Report::default();
        report.extend([finding("a/warned", 1), finding("a/accepted", 2)]);
        report.ease(leniency);
        assert!(!report.has_errors());
        report.push(finding("a/other", 3));
        report.ease(leniency);
        assert!(report.has_errors());

        let mut full = Report::default();
        full.extend((0..MAX_FINDINGS as u32 + 1).map(|line| finding("a/accepted", line)));
        full.ease(leniency);
        assert!(full.has_errors(), "nobody knows what the one was that was left out");
    }

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
        let (findings, dropped, _) = report.into_parts();
        assert_eq!((findings.len(), dropped), (MAX_FINDINGS + 1, true));
    }
}
