//! What a forge shows beside commit statuses.

use serde::{Deserialize, Serialize};

use crate::domain::finding::Severity;
use crate::domain::id::{RepoPath, StageName};

/// At most this many bytes fit into a check run's summary. GitHub's description says characters; what it answers
/// to one that is longer is 'exceeds a maximum bytesize of 65535'.
pub const CHECK_TEXT_LIMIT: usize = 65_535;
/// At most this many characters fit into a comment (GitHub's limit).
pub const COMMENT_LIMIT: usize = 65_536;

/// What is shown in more than one line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Detail {
    /// A check run: a summary, and annotations at the lines that are at fault.
    Check(Check),
    /// The one comment of a pull request.
    Comment(Comment),
    /// A deployment to an environment, and how it goes.
    Deployment {
        /// The environment.
        stage: StageName,
        /// How it goes.
        status: DeploymentStatus,
    },
}

/// How a deployment goes, in GitHub's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeploymentStatus {
    /// Nothing of it has begun.
    Queued,
    /// Some of it has begun.
    InProgress,
    /// All of it runs.
    Success,
    /// Some of it does not, and will not by itself.
    Failure,
    /// It never began: a later commit took its place.
    Inactive,
}

impl DeploymentStatus {
    /// The word, as GitHub's API has it.
    pub const fn as_str(self) -> &'static str {
        match self {
            DeploymentStatus::Queued => "queued",
            DeploymentStatus::InProgress => "in_progress",
            DeploymentStatus::Success => "success",
            DeploymentStatus::Failure => "failure",
            DeploymentStatus::Inactive => "inactive",
        }
    }
}

/// A check run. Its title is the report's description, its state the report's state.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Check {
    /// Markdown, at most [`CHECK_TEXT_LIMIT`] bytes.
    pub summary: String,
    /// At the lines that are at fault, in the order of files and lines. Forges take them in batches.
    pub annotations: Vec<Annotation>,
    /// Buttons.
    pub actions: Vec<CheckAction>,
}

/// Something said about lines of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Annotation {
    /// The file.
    pub path: RepoPath,
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1.
    pub column: u32,
    /// How bad it is.
    pub severity: Severity,
    /// The rule.
    pub title: String,
    /// What is wrong, and what to do about it; plain text.
    pub message: String,
}

/// A button of a check run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckAction {
    /// What stands on it, at most 20 characters.
    pub label: String,
    /// What it does, at most 40 characters.
    pub description: String,
    /// What comes back when it is pressed, at most 20 characters: `approve`.
    pub identifier: String,
}

/// The one comment of a pull request: written once, then edited in place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comment {
    /// The pull request's number.
    pub pull: u64,
    /// Markdown, with the marker by which it is found again.
    pub body: String,
    /// What became of the last commands, as Markdown; empty where nobody has asked for anything. Together
    /// with the body it has at most [`COMMENT_LIMIT`] characters.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub answers: String,
}

impl Comment {
    /// All that is shown.
    pub fn text(&self) -> String {
        format!("{}{}", self.body, self.answers)
    }
}
