//! Gitea's and Forgejo's events, which are worded after GitHub's. Their comments give no commands: who
//! may write to a repository is not asked there.

use crate::domain::forge::delivery::Hint;

use super::github;
use super::payload::PullRequest;

/// What a payload lets one suspect.
pub fn read(event: &str, payload: &[u8]) -> Result<Option<Hint>, serde_json::Error> {
    let hint = match event {
        "push" => Some(github::push(serde_json::from_slice(payload)?)),
        "create" | "delete" => github::reference(&serde_json::from_slice(payload)?),
        "pull_request" => pull_request(serde_json::from_slice(payload)?),
        _ => None,
    };
    Ok(hint.map(|hint| Hint { event: event.to_owned(), ..hint }))
}

/// Labels, milestones and assignees come as this event as well.
fn pull_request(event: PullRequest) -> Option<Hint> {
    let matters = ["opened", "synchronized", "reopened", "edited", "closed"].contains(&event.action.as_str());
    matters.then(|| github::pull(event))
}
