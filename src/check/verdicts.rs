//! From what policies hold against a product to findings with a place.

use crate::domain::finding::Finding;
use crate::domain::policy::Verdict;

use super::Assessment;

/// One finding for every violation.
pub fn findings(assessment: &Assessment, verdict: &Verdict) -> Vec<Finding> {
    verdict
        .violations
        .iter()
        .map(|violation| {
            let pointer = violation.pointer.as_deref().unwrap_or("/info");
            let location = assessment.locate(pointer);
            let severity = violation.enforcement.severity();
            let finding = Finding::new(severity, violation.rule.clone(), location, pointer, violation.message.clone());
            match &violation.hint {
                Some(hint) => finding.with_hint(hint.clone()),
                None => finding,
            }
        })
        .collect()
}
