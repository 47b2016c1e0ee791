//! What forges deliver by webhook. A delivery is a hint: it says where to look, and never what is
//! there. So its order, its doubling, its loss and whatever it claims change how soon something is
//! seen, and nothing else. Only commands of people carry more; they are taken down once each, and
//! whether their author may give them is asked of the forge.

mod hint;
mod index;

pub use hint::{Asking, Hint, Subject};
pub use index::{RepositoryIndex, WatchedBranch};

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::domain::id::{ForgeName, Revision, SourceName};
use crate::domain::source::Target;
use crate::domain::time::Timestamp;

use super::Command;

/// The id that a forge gives to a delivery, and again when it delivers it again. At most 128 visible
/// ASCII characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DeliveryId(String);

/// Why a text is no delivery's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the id of a delivery has 1 to 128 visible ASCII characters")]
pub struct InvalidDeliveryId;

impl DeliveryId {
    /// An id of our own making, for a delivery that has none: what does not belong into an id is left out,
    /// and so is what is too long.
    pub fn made(text: &str) -> Self {
        let kept: String = text.chars().filter(char::is_ascii_graphic).take(120).collect();
        Self(format!("made-{kept}"))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for DeliveryId {
    type Err = InvalidDeliveryId;

    fn from_str(text: &str) -> Result<Self, InvalidDeliveryId> {
        let fits = (1..=128).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        if fits { Ok(Self(text.to_owned())) } else { Err(InvalidDeliveryId) }
    }
}

impl TryFrom<String> for DeliveryId {
    type Error = InvalidDeliveryId;

    fn try_from(text: String) -> Result<Self, InvalidDeliveryId> {
        text.parse()
    }
}

impl From<DeliveryId> for String {
    fn from(id: DeliveryId) -> String {
        id.0
    }
}

impl fmt::Display for DeliveryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A delivery, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// From where it came.
    pub forge: ForgeName,
    /// Its id.
    pub id: DeliveryId,
    /// When it came.
    pub received_at: Timestamp,
    /// What it says.
    pub hint: Hint,
    /// What it wakes.
    pub targets: Vec<Target>,
    /// What people ask for in it.
    pub commands: Vec<CommandRequest>,
}

/// What became of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeliveryVerdict {
    /// It woke what it is about.
    Woke,
    /// The same; and it is a push that does not begin where the last known one ended, so that a delivery
    /// was lost, or overtaken by this one.
    Gap,
    /// It is a command, which was taken down.
    Command,
    /// Nothing that is watched depends on it.
    Ignored,
}

impl Delivery {
    /// What becomes of it, when `gap` says whether a push is missing before it.
    pub fn verdict(&self, gap: bool) -> DeliveryVerdict {
        match (self.commands.is_empty(), self.targets.is_empty()) {
            (false, _) => DeliveryVerdict::Command,
            (true, true) => DeliveryVerdict::Ignored,
            (true, false) if gap => DeliveryVerdict::Gap,
            (true, false) => DeliveryVerdict::Woke,
        }
    }
}

/// What somebody asks for in a comment, or by a button of a check. Whoever does it has to ask the
/// forge first whether the author may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandRequest {
    /// From where it came.
    pub forge: ForgeName,
    /// With which delivery.
    pub delivery: DeliveryId,
    /// What makes it this request and no other, whatever delivery brings it: the comment, or the
    /// digest of what was signed. The same origin asks a source once.
    pub origin: String,
    /// The source that it is for. One comment asks every source of its repository.
    pub source: SourceName,
    /// The pull request under which it stands; `None` for a button.
    pub pull: Option<u64>,
    /// The comment that can be answered; `None` for a button.
    pub comment: Option<u64>,
    /// The commit whose check has the button; `None` for a comment.
    pub head: Option<Revision>,
    /// The login of who asks: a claim of the forge, checked by its signature.
    pub author: String,
    /// What it asks for.
    pub asked: Asked,
    /// When it came.
    pub at: Timestamp,
}

/// What a request asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Asked {
    /// This.
    Command(Command),
    /// Nothing that is understood: why, in a sentence that says what there is.
    Unclear(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_short_and_visible() {
        assert!("72d3162e-cc78-11e3-81ab-4c9367dc0958".parse::<DeliveryId>().is_ok());
        for bad in ["", "a b", "a\n", "é", &"x".repeat(129)] {
            assert_eq!(bad.parse::<DeliveryId>(), Err(InvalidDeliveryId), "{bad:?}");
        }
    }
}
