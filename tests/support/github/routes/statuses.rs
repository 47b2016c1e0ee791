//! Commit statuses: written one after another, shown by the newest of each context.

use serde_json::{Value, json};

use super::Call;
use crate::support::github::answer::{Answer, Outcome};
use crate::support::github::auth::Need;
use crate::support::github::hooks::Happening;
use crate::support::github::json::merge;
use crate::support::github::world::{Repository, Status, World};

/// GitHub takes no more of them for one commit and context.
const MOST_OF_A_CONTEXT: usize = 1000;
const LONGEST_DESCRIPTION: usize = 140;
const LONGEST_CONTEXT: usize = 255;

pub fn answer(world: &mut World, call: &Call, name: (&str, &str), rest: &[&str]) -> Option<Outcome> {
    let read = |world: &World| world.enter(&call.caller, name, Need::Read(&["statuses"]));
    Some(match (call.method.as_str(), rest) {
        ("POST", ["statuses", sha]) => {
            world.enter(&call.caller, name, Need::Write(&["statuses"])).and_then(|id| write(world, call, id, sha))
        }
        ("GET", ["commits", reference, "statuses"]) => read(world).and_then(|id| {
            let found = world.repository(id);
            let sha = found.resolve(reference)?;
            let newest_first = found.statuses.iter().rev().filter(|status| status.sha == sha);
            Answer::list(newest_first.map(|status| with_creator(world, found, status)).collect())
        }),
        ("GET", ["commits", reference, "status"]) => read(world).and_then(|id| combined(world, call, id, reference)),
        _ => return None,
    })
}

fn with_creator(world: &World, repository: &Repository, status: &Status) -> Value {
    let mut value = world.status_json(repository, status);
    merge(&mut value, json!({ "creator": world.user_json(&status.creator) }));
    value
}

fn write(world: &mut World, call: &Call, id: u64, sha: &str) -> Outcome {
    let found = world.repository(id);
    let is_commit = sha.len() == 40 && found.resolve(sha).is_ok();
    if !is_commit {
        return Err(Answer::unprocessable(&format!("No commit found for SHA: {sha}")));
    }
    let context = call.text("context").unwrap_or_else(|| "default".to_owned());
    let state = call.text("state").unwrap_or_default();
    if !["error", "failure", "pending", "success"].contains(&state.as_str()) {
        return Err(Answer::invalid("Status", "state", "state is not included in the list"));
    }
    if call.text("description").is_some_and(|text| text.chars().count() > LONGEST_DESCRIPTION) {
        return Err(Answer::invalid("Status", "description", "description is too long (maximum is 140 characters)"));
    }
    if context.chars().count() > LONGEST_CONTEXT {
        return Err(Answer::invalid("Status", "context", "context is too long (maximum is 255 characters)"));
    }
    let is_same = |status: &&Status| status.sha == sha && status.context.eq_ignore_ascii_case(&context);
    if found.statuses.iter().filter(is_same).count() >= MOST_OF_A_CONTEXT {
        let message = "This SHA and context has reached the maximum number of statuses.";
        return Err(Answer::invalid("Status", "base", message));
    }
    let status = Status {
        id: world.new_id(),
        sha: sha.to_owned(),
        context,
        state,
        description: call.text("description"),
        target_url: call.text("target_url"),
        creator: world.acts_as(&call.caller),
        created_at: world.now(),
    };
    world.repository_mut(id).statuses.push(status.clone());
    let found = world.repository(id);
    let value = with_creator(world, found, &status);
    if world.is_heard("status", id) {
        let mut payload = json!({ "sha": sha, "name": found.full_name(), "branches": [] });
        merge(&mut payload, world.status_json(found, &status));
        world.tell(&Happening {
            event: "status",
            action: None,
            repository: id,
            by: &status.creator,
            only: None,
            payload,
        });
    }
    Answer::created(value)
}

/// The newest status of each context, the newest first.
pub fn newest(repository: &Repository, sha: &str) -> Vec<Status> {
    let mut shown: Vec<Status> = Vec::new();
    for status in repository.statuses.iter().rev().filter(|status| status.sha == sha) {
        if !shown.iter().any(|known| known.context.eq_ignore_ascii_case(&status.context)) {
            shown.push(status.clone());
        }
    }
    shown
}

fn combined(world: &World, call: &Call, id: u64, reference: &str) -> Outcome {
    let found = world.repository(id);
    let sha = found.resolve(reference)?;
    let shown = newest(found, &sha);
    let has = |state: &str| shown.iter().any(|status| status.state == state);
    let state = if has("error") || has("failure") {
        "failure"
    } else if shown.is_empty() || has("pending") {
        "pending"
    } else {
        "success"
    };
    let statuses: Vec<Value> = shown.iter().map(|status| world.status_json(found, status)).collect();
    let api = format!("{}/repos/{}/commits/{sha}", world.base, found.full_name());
    // Only the list within is in pages.
    let paged = Answer::list(statuses).map(|answer| answer.paged(&format!("{api}/status"), &call.query))?;
    let crate::support::github::answer::Body::Json(page) = &paged.body else { unreachable!("a page is JSON") };
    let body = json!({
        "state": state, "sha": sha, "total_count": shown.len(), "statuses": page,
        "repository": world.repository_json(found), "commit_url": api, "url": format!("{api}/status"),
    });
    let mut answer = Answer::new(200, body);
    answer.headers = paged.headers;
    Ok(answer)
}
