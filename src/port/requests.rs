//! What people ask for: in comments of pull requests, by the buttons of checks, on the command line.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::domain::forge::Person;
use crate::domain::id::{Digest, Revision, SourceName, StageName};
use crate::domain::plan::ActivityId;
use crate::domain::time::Timestamp;

use super::store::StoreError;

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Look anew.
    Plan,
    /// Let what waits at this stage begin.
    Approve(StageName),
    /// Never let what waits at this stage begin.
    Reject(StageName),
    /// Let nothing more begin.
    Hold,
    /// End holds.
    Resume,
    /// Try again what has failed.
    Retry,
    /// Stop what runs of this activity, or of all that is meant, and never begin what waits.
    Cancel(Option<ActivityId>),
    /// Say what can be asked for.
    Help,
}

/// From where it is asked, which tells what is meant and how it is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A comment: what was merged by this pull request is meant. Whether its author may ask is asked of
    /// the forge.
    Comment {
        /// The pull request.
        pull: u64,
        /// The comment.
        comment: u64,
    },
    /// The button of a check: what belongs to this commit is meant. The forge is asked as well.
    Button {
        /// The commit.
        head: Revision,
        /// The pull request whose commit it is, where that is known: there it is answered in words.
        pull: Option<u64>,
    },
    /// The machine: whoever may write beside the record may ask.
    Machine {
        /// The plan that is meant; without one, all plans of the source.
        plan: Option<Digest>,
    },
}

/// One request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Tells it from all others, for ever.
    pub id: String,
    /// The source.
    pub source: SourceName,
    /// What is asked for; or why that cannot be told, in a sentence that says what there is.
    pub action: Result<Action, String>,
    /// From where.
    pub origin: Origin,
    /// Who asks.
    pub by: Person,
    /// When it came.
    pub at: Timestamp,
}

/// How a request stands with another source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Elsewhere {
    /// It has no answer yet.
    Open,
    /// It was done.
    Done,
    /// It was refused.
    Refused,
}

/// Where requests stand until they are answered.
#[async_trait]
pub trait Requests: Send + Sync {
    /// Requests that have no answer yet, the oldest first, at most `limit`; without those of the sources
    /// `except`, so that what has to wait does not keep others waiting.
    async fn open(&self, limit: usize, except: &[SourceName]) -> Result<Vec<Request>, StoreError>;

    /// How the same comment stands with the other sources that it asks; nothing where it asks one alone.
    async fn elsewhere(&self, _request: &Request) -> Result<Vec<Elsewhere>, StoreError> {
        Ok(Vec::new())
    }

    /// This is the answer: done, or refused with the reason. Answering twice keeps the first.
    async fn answer(&self, request: &Request, answer: Result<&str, &str>, at: Timestamp) -> Result<(), StoreError>;
}
