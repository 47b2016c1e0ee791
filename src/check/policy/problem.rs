//! What is wrong with a policy set, as findings; and what the library's own errors say.

use crate::domain::finding::{Finding, Location, RuleId, Severity};
use crate::domain::id::RepoPath;
use crate::domain::rule::Rule;

/// The rule id of everything that keeps a policy set from being loaded.
pub const NOT_LOADED: RuleId = RuleId::built_in("policy/not-loaded");

/// What the built-in rules about policies say of themselves; the others are the policies' own.
pub const RULES: &[Rule] = &[
    Rule {
        id: "policy/not-loaded",
        severity: Severity::Error,
        meaning: "The policies cannot be loaded: a file is not Rego, its settings name an unknown event, a rule \
                  calls itself, or a function is called whose answer is not a matter of the input. Until they load, \
                  everything is refused.",
        example: "package mesh.names\n\ndeny contains \"x\" { true }",
        remedy: "Mend the file at the place that is named; `meshwright policy test` loads it in the same way.",
        source: "policies fail closed",
    },
    Rule {
        id: "policy/not-evaluated",
        severity: Severity::Error,
        meaning: "A policy gave no answer: it failed, ran out of its time or memory, overflowed its stack, or the \
                  policies are missing. What cannot be evaluated is refused.",
        example: "deny contains \"x\" if count(numbers.range(1, 300000000)) > 0",
        remedy: "Mend the policy that is named, or raise `policy_limits`, then reconcile again.",
        source: "policies fail closed",
    },
];

/// A finding at a place of a policy file. Lines and columns count from 1.
pub(super) fn problem(file: RepoPath, line: u32, column: u32, message: impl Into<String>) -> Finding {
    let location = Location { file, line: line.max(1), column: column.max(1), length: 0 };
    Finding::error(NOT_LOADED, location, "", message)
}

/// An error of the library, with its place where it gives one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct EngineError {
    /// The file, by the name under which it was given to the library.
    pub(super) file: Option<String>,
    /// Line and column, 0 where there is none.
    pub(super) line: u32,
    pub(super) column: u32,
    /// What it says, on one line.
    pub(super) message: String,
}

impl EngineError {
    /// Reads the library's text: `--> file:line:column`, an excerpt, `error: message`.
    pub(super) fn read(error: &dyn std::fmt::Display) -> Self {
        let text = error.to_string();
        let place = text.lines().find_map(|line| line.strip_prefix("--> ")).and_then(|place| {
            let mut parts = place.rsplitn(3, ':');
            let column = parts.next()?.trim().parse().ok()?;
            let line = parts.next()?.parse().ok()?;
            Some((parts.next()?.to_owned(), line, column))
        });
        let message = match text.split_once("\nerror: ") {
            Some((_, message)) => message,
            None => &text,
        };
        let message = message.trim().trim_end_matches('.').split_whitespace().collect::<Vec<_>>().join(" ");
        let message = cut(&message, 500);
        match place {
            Some((file, line, column)) => Self { file: Some(file), line, column, message },
            None => Self { file: None, line: 0, column: 0, message },
        }
    }

    /// The place and the message on one line.
    pub(super) fn on_one_line(&self) -> String {
        match &self.file {
            Some(file) => format!("{} ({file}:{}:{})", self.message, self.line, self.column),
            None => self.message.clone(),
        }
    }
}

/// The first `limit` characters, with a mark where something was cut off.
pub(super) fn cut(text: &str, limit: usize) -> String {
    match text.char_indices().nth(limit) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_is_read_out_of_the_librarys_errors() {
        let text =
            "\n--> policies/a:b.rego:3:14\n  |\n3 | deny contains\n  |              ^\nerror: expecting `if`\nkeyword.";
        let error = EngineError::read(&text);
        assert_eq!(error.file.as_deref(), Some("policies/a:b.rego"));
        assert_eq!((error.line, error.column), (3, 14));
        assert_eq!(error.message, "expecting `if` keyword");
        assert_eq!(EngineError::read(&"not a valid rule path").file, None);
    }
}
