//! What a built-in rule says about itself. The rooms that have rules list them as constants; the
//! catalogue of all stands in `check`, from which `explain` and `docs/findings.md` are made.

use super::finding::{RuleId, Severity};

/// A built-in rule, explained.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// The stable id, `family/name`.
    pub id: &'static str,
    /// The weight its findings have.
    pub severity: Severity,
    /// What it means, in a sentence or two.
    pub meaning: &'static str,
    /// A few lines that break it.
    pub example: &'static str,
    /// What to do.
    pub remedy: &'static str,
    /// Where the rule comes from ("DPDS 1.0.0, Lifecycle Task Object"), or why we have it.
    pub source: &'static str,
}

impl Rule {
    /// The id, as findings carry it.
    pub const fn id(&self) -> RuleId {
        RuleId::built_in(self.id)
    }

    /// The remedy as findings have it: words to follow on a line, not a sentence.
    pub fn hint(&self) -> String {
        let text = self.remedy.strip_suffix('.').unwrap_or(self.remedy);
        let mut characters = text.chars();
        characters.next().map(|first| first.to_ascii_lowercase()).into_iter().chain(characters).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_remedy_becomes_a_hint() {
        let remedy = "Raise it, or keep what was there.";
        let rule = Rule { id: "a/b", severity: Severity::Error, meaning: "", example: "", remedy, source: "" };
        assert_eq!(rule.hint(), "raise it, or keep what was there");
    }
}
