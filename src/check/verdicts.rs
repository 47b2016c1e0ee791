//! What policies say, as findings: a violation's pointer into the content becomes a line and column.

use crate::domain::finding::{Finding, arrange};
use crate::domain::policy::Verdict;

use super::Assessment;

/// The findings of a verdict on this descriptor, arranged.
pub fn findings(assessment: &Assessment, verdict: &Verdict) -> Vec<Finding> {
    if verdict.violations.is_empty() {
        return Vec::new();
    }
    let locator = assessment.locator();
    let mut findings: Vec<Finding> = verdict
        .violations
        .iter()
        .map(|violation| {
            let pointer = into_content(violation.pointer.as_deref().unwrap_or_default());
            let location = locator.locate_within(pointer, violation.within);
            let severity = violation.enforcement.severity();
            let finding = Finding::new(severity, violation.rule.clone(), location, pointer, &violation.message);
            match &violation.hint {
                Some(hint) => finding.with_hint(hint),
                None => finding,
            }
        })
        .collect();
    arrange(&mut findings);
    findings
}

/// Pointers begin at the content. Policies that were written against the whole input may begin
/// there; what they mean is clear. A text that is no pointer means the whole.
fn into_content(pointer: &str) -> &str {
    let pointer = pointer.strip_prefix("/afterState").unwrap_or(pointer);
    let pointer = pointer.strip_prefix("/dataProductVersion").unwrap_or(pointer);
    if pointer.starts_with('/') { pointer } else { "" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::finding::{RuleId, Severity};
    use crate::domain::id::Digest;
    use crate::domain::policy::{Enforcement, Violation};

    #[test]
    fn violations_become_findings_with_their_weight_and_advice() {
        let path: crate::domain::id::RepoPath = "dp.yaml".parse().unwrap();
        struct Nothing;
        impl crate::port::tree::Tree for Nothing {
            fn list(
                &self,
                _: Option<&crate::domain::id::RepoPath>,
            ) -> Result<crate::port::tree::Listing, crate::port::tree::ReadError> {
                Ok(crate::port::tree::Listing::default())
            }
            fn read(
                &self,
                path: &crate::domain::id::RepoPath,
                _: u64,
            ) -> Result<Vec<u8>, crate::port::tree::ReadError> {
                Err(crate::port::tree::ReadError::NotFound(path.clone()))
            }
        }
        let assessment = crate::check::assess(&Nothing, &path, &crate::check::Settings::default());
        let violation = |pointer: Option<&str>, enforcement| Violation {
            rule: RuleId::policy("mesh.owner", "mailbox"),
            enforcement,
            message: "the owner is no mailbox".to_owned(),
            pointer: pointer.map(str::to_owned),
            within: None,
            hint: Some("name a mailbox".to_owned()),
        };
        let verdict = Verdict {
            policies: Digest::of(b""),
            violations: vec![
                violation(Some("/info/owner"), Enforcement::Block),
                violation(Some("/afterState/dataProductVersion/info/owner"), Enforcement::Block),
                violation(None, Enforcement::Warn),
                violation(Some("nonsense"), Enforcement::Warn),
            ],
        };
        let found = findings(&assessment, &verdict);
        let of = |severity| found.iter().filter(|finding| finding.severity == severity).collect::<Vec<_>>();
        assert_eq!(of(Severity::Error).len(), 1, "said twice is said once: {found:?}");
        assert_eq!(of(Severity::Error)[0].pointer, "/info/owner");
        assert_eq!(of(Severity::Warning)[0].pointer, "");
        assert_eq!(of(Severity::Warning)[0].hint.as_deref(), Some("name a mailbox"));
    }
}
