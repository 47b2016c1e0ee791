//! GitLab's events (<https://docs.gitlab.com/user/project/integrations/webhook_events/>). Its comments
//! give no commands: who may write to a project is not asked there.

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::domain::forge::delivery::{Hint, Subject};

use super::payload::{branch, commit, kept_reference, names};

/// What a payload lets one suspect.
pub fn read(event: &str, payload: &[u8]) -> Result<Option<Hint>, serde_json::Error> {
    Ok(match event {
        "Push Hook" => Some(push(serde_json::from_slice(payload)?)),
        "Merge Request Hook" => merge_request(serde_json::from_slice(payload)?),
        _ => None,
    })
}

#[derive(Debug, Deserialize)]
struct Project {
    path_with_namespace: String,
}

#[derive(Debug, Deserialize)]
struct Push {
    #[serde(rename = "ref")]
    reference: String,
    before: Option<String>,
    after: Option<String>,
    project: Project,
}

fn push(push: Push) -> Hint {
    Hint {
        event: "push".to_owned(),
        subjects: branch(&push.reference).map(Subject::Branch).into_iter().collect(),
        reference: kept_reference(&push.reference),
        is_push: true,
        before: commit(push.before.as_deref()),
        head: commit(push.after.as_deref()),
        repositories: names([push.project.path_with_namespace]),
        ..Hint::default()
    }
}

#[derive(Debug, Deserialize)]
struct MergeRequestEvent {
    project: Project,
    object_attributes: MergeRequest,
    changes: Option<Changes>,
}

#[derive(Debug, Deserialize)]
struct MergeRequest {
    iid: u64,
    action: Option<String>,
    target_branch: String,
    last_commit: Option<LastCommit>,
    /// There when an update brought commits.
    oldrev: Option<IgnoredAny>,
}

#[derive(Debug, Deserialize)]
struct LastCommit {
    id: String,
}

#[derive(Debug, Deserialize)]
struct Changes {
    target_branch: Option<Changed>,
    draft: Option<IgnoredAny>,
}

#[derive(Debug, Deserialize)]
struct Changed {
    previous: Option<String>,
}

fn merge_request(event: MergeRequestEvent) -> Option<Hint> {
    let request = event.object_attributes;
    let moved =
        event.changes.as_ref().is_some_and(|changes| changes.target_branch.is_some() || changes.draft.is_some());
    let action = request.action?;
    let matters = match action.as_str() {
        "open" | "reopen" | "close" | "merge" => true,
        "update" => request.oldrev.is_some() || moved,
        _ => false,
    };
    let previous = event.changes.and_then(|changes| changes.target_branch).and_then(|changed| changed.previous);
    matters.then(|| Hint {
        event: "merge_request".to_owned(),
        action: Some(action),
        reference: kept_reference(&request.target_branch),
        head: commit(request.last_commit.as_ref().map(|last| last.id.as_str())),
        subjects: vec![Subject::Pull {
            number: request.iid,
            bases: [request.target_branch].into_iter().chain(previous).collect(),
        }],
        repositories: names([event.project.path_with_namespace]),
        ..Hint::default()
    })
}
