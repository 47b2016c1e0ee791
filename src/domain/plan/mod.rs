//! The immutable, printable list of what will be done for a set of changes. Making one changes
//! nothing; executing one has no choices left.

mod build;
mod order;
mod stages;
mod tasks;
#[cfg(test)]
mod tests;

pub use build::{Desired, Locate, PendingActivity, PlanInputs, plan};
pub use stages::against_lifecycle;

use std::collections::BTreeMap;
use std::fmt;
use std::iter::once;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::canonical;
use super::change::Change;
use super::descriptor::{Content, VersionRef};
use super::finding::Finding;
use super::id::{ContainerId, Digest, ExecutorName, Fqn, InvalidId, RepoPath, Revision, SourceName};
use super::rule::Rule;
use super::stage::Phase;

/// The rules that planning itself has.
pub const RULES: &[Rule] = &[
    stages::UNKNOWN_STAGE,
    tasks::UNKNOWN_EXECUTOR,
    tasks::UNRESOLVED_PLACEHOLDER,
    tasks::NO_PLACEHOLDER,
    order::LINEAGE_CYCLE,
];

/// An activity's id: derived from its plan, so the same plan has the same activities.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ActivityId(String);

impl ActivityId {
    /// The id of the attempt to bring `container` to `to` at `revision`. `sequence` tells apart
    /// two plans that are alike in all else (a branch forced back and forth).
    pub fn derive(
        source: &SourceName,
        revision: &Revision,
        sequence: u64,
        container: &ContainerId,
        to: &Digest,
    ) -> Self {
        let digest = Digest::of_fields([
            "activity",
            source.as_str(),
            revision.as_str(),
            &sequence.to_string(),
            &container.to_string(),
            to.as_str(),
        ]);
        Self(format!("act-{}", digest.as_str().get(7..23).unwrap_or_default()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ActivityId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let hex = text.strip_prefix("act-").unwrap_or("");
        if hex.len() == 16 && hex.bytes().all(|b| b.is_ascii_hexdigit()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidId {
                kind: "activity id",
                text: text.chars().take(80).collect(),
                rule: "it is 'act-' and 16 hexadecimal digits",
            })
        }
    }
}

impl fmt::Display for ActivityId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A task's idempotency key: the same for every attempt, on every run of the daemon.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TaskKey(String);

impl TaskKey {
    /// The key of the task at this place of an activity.
    pub fn derive(activity: &ActivityId, index: usize, name: &str) -> Self {
        let digest = Digest::of_fields(["task", activity.as_str(), &index.to_string(), name]);
        Self(format!("task-{}", digest.as_str().get(7..39).unwrap_or_default()))
    }

    /// The key under which the task is undone.
    pub fn compensation(&self) -> Self {
        let digest = Digest::of_fields(["compensation", self.as_str()]);
        Self(format!("undo-{}", digest.as_str().get(7..39).unwrap_or_default()))
    }

    /// The text: `task-` (or, of a compensation, `undo-`) and 32 hexadecimal digits, fit for a file name or a header.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TaskKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One step of an activity.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlannedTask {
    /// Its name within the activity.
    pub name: String,
    /// Its phase: its executor's.
    pub phase: Phase,
    /// Who runs it; `None` for an empty task, which succeeds by doing nothing.
    pub executor: Option<ExecutorName>,
    /// The template, handed on as it is; `null` where there is none.
    pub template: Content,
    /// The configurations; placeholders are filled in right before the task runs.
    pub configurations: Content,
    /// How long one attempt may take.
    pub timeout_seconds: u64,
    /// How often it is tried when it fails for a passing reason.
    pub attempts: u32,
    /// Its idempotency key.
    pub key: TaskKey,
}

/// One attempt to move a container to a version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlannedActivity {
    /// Its id.
    pub id: ActivityId,
    /// What is moved.
    pub container: ContainerId,
    /// Where it moves to.
    pub to: VersionRef,
    /// What runs there as far as the record knows.
    pub from: Option<VersionRef>,
    /// The root file of the descriptor; its folder is the tree that executors get.
    pub path: RepoPath,
    /// The activities of this plan that have to succeed before it may begin.
    pub after: Vec<ActivityId>,
    /// Upstream products' containers, by input port, for executors that read from them.
    pub upstream: BTreeMap<String, Fqn>,
    /// What is done, in order.
    pub tasks: Vec<PlannedTask>,
}

/// A container that is not rolled out, because nothing runs that it could read from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// The container.
    pub container: ContainerId,
    /// The product that does not run at its stage, and is not on its way there.
    pub waits_for: Fqn,
}

/// What will be done about one revision of one source.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The source.
    pub source: SourceName,
    /// The commit.
    pub revision: Revision,
    /// How many plans were recorded for the source before.
    pub sequence: u64,
    /// The policies that were asked.
    pub policies: Digest,
    /// What changed; unchanged products are left out.
    pub changes: Vec<Change>,
    /// Products that are not acted upon because of what was found.
    pub refused: Vec<Fqn>,
    /// What is done: products after those they depend on, stages in promotion order.
    pub activities: Vec<PlannedActivity>,
    /// Containers that want another version, and wait for something to read from.
    pub held: Vec<Held>,
    /// Activities of earlier plans that have not begun, and whose aim nobody has any more. Those of
    /// containers for which this plan has an activity are superseded by it, and not listed.
    pub withdrawn: Vec<ActivityId>,
    /// What planning itself found (an unknown executor, an unresolved placeholder), by product.
    pub findings: BTreeMap<Fqn, Vec<Finding>>,
    /// The digest of all of the above.
    pub digest: Digest,
}

impl Plan {
    /// Whether nothing is to be done.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.activities.is_empty() && self.withdrawn.is_empty()
    }

    /// The digest that a plan with these parts has: of the canonical form of the whole, made part by
    /// part, because as one tree of values a large plan takes several times its own memory.
    fn digest_of(&self) -> Digest {
        let Self {
            source,
            revision,
            sequence,
            policies,
            changes,
            refused,
            activities,
            held,
            withdrawn,
            findings,
            digest: _,
        } = self;
        // In the canonical order of the fields.
        let parts = list("activities", activities)
            .chain(list("changes", changes))
            .chain(one("findings", findings))
            .chain(list("held", held))
            .chain(one("policies", policies))
            .chain(list("refused", refused))
            .chain(one("revision", revision))
            .chain(one("sequence", sequence))
            .chain(one("source", source))
            .chain(list("withdrawn", withdrawn));
        // Each part begins with the comma behind the part before.
        let without_first_comma = parts.enumerate().map(|(index, part)| match index {
            0 => part.get(1..).unwrap_or_default().to_vec(),
            _ => part,
        });
        Digest::of_pieces(once(b"{".to_vec()).chain(without_first_comma).chain(once(b"}".to_vec())))
    }
}

/// A field in canonical form.
fn one<T: Serialize>(name: &str, value: &T) -> impl Iterator<Item = Vec<u8>> {
    let mut text = format!(",\"{name}\":").into_bytes();
    text.extend(canonical_of(value));
    once(text)
}

/// A field that is a list, item by item.
fn list<T: Serialize>(name: &str, items: &[T]) -> impl Iterator<Item = Vec<u8>> {
    let begin = format!(",\"{name}\":[").into_bytes();
    let items = items.iter().enumerate().map(|(index, item)| {
        let mut text = if index == 0 { Vec::new() } else { b",".to_vec() };
        text.extend(canonical_of(item));
        text
    });
    once(begin).chain(items).chain(once(b"]".to_vec()))
}

fn canonical_of(value: &impl Serialize) -> Vec<u8> {
    canonical::canonical(&serde_json::to_value(value).unwrap_or(Value::Null))
}
