//! One thing said about a descriptor. A user's mistake is a finding, never an `Err`.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::id::RepoPath;

/// The stable, readable name of a rule: `schema/required`, `policy/<package>.<rule>`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RuleId(std::borrow::Cow<'static, str>);

impl RuleId {
    /// The id of a rule that is written in Rust.
    pub const fn built_in(id: &'static str) -> Self {
        Self(std::borrow::Cow::Borrowed(id))
    }

    /// The id of a rule of a policy package: `policy/<package>.<rule>`.
    pub fn policy(package: &str, rule: &str) -> Self {
        Self(std::borrow::Cow::Owned(format!("policy/{package}.{rule}")))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a policy said it, and not a built-in rule.
    pub fn is_policy(&self) -> bool {
        self.0.starts_with("policy/")
    }
}

impl fmt::Display for RuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How much a finding weighs. Only an error refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// Probably a mistake; nothing is refused.
    Warning,
    /// The descriptor is refused.
    Error,
}

impl Severity {
    /// The word, in lower case.
    pub const fn as_str(self) -> &'static str {
        match self {
            Severity::Note => "note",
            Severity::Warning => "warning",
            Severity::Error => "error",
        }
    }
}

/// Where in a repository a finding points.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Location {
    /// The file, relative to the repository's top (or to the folder that is validated).
    pub file: RepoPath,
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
    /// How many characters the thing is long on its line; 0 where it is not known.
    pub length: u32,
}

impl Location {
    /// The beginning of a file: for findings about the whole of it.
    pub fn top_of(file: RepoPath) -> Self {
        Self { file, line: 1, column: 1, length: 0 }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// A stretch of one line of a text that stands inside of something else: a statement of the DDL, a field of the
/// `.proto` file that is a port's definition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stretch {
    /// Line of the text, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
    /// How many characters it is long on its line; 0 where it is not known.
    pub length: u32,
}

/// One thing said about a descriptor, with all that a person needs to mend it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Which rule says it.
    pub rule: RuleId,
    /// How much it weighs.
    pub severity: Severity,
    /// Where.
    pub location: Location,
    /// The same place as a JSON pointer into the resolved descriptor; empty for the whole.
    pub pointer: String,
    /// What is wrong, in one sentence, without a full stop.
    pub message: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub hint: Option<String>,
}

impl Finding {
    /// A finding that refuses the descriptor.
    pub fn error(rule: RuleId, location: Location, pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Severity::Error, rule, location, pointer, message)
    }

    /// A finding that refuses nothing.
    pub fn warning(rule: RuleId, location: Location, pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, rule, location, pointer, message)
    }

    /// A finding of any weight.
    pub fn new(
        severity: Severity,
        rule: RuleId,
        location: Location,
        pointer: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        Self { rule, severity, location, pointer: pointer.into(), message: message.into(), hint: None }
    }

    /// The same finding with advice.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Whether it refuses the descriptor.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

/// Puts findings into the order in which people read them (file, line, column, rule) and drops
/// those that say the same twice.
pub fn arrange(findings: &mut Vec<Finding>) {
    findings.sort_by(|a, b| (&a.location, &a.rule, &a.message).cmp(&(&b.location, &b.rule, &b.message)));
    findings.dedup();
}
