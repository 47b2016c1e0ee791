//! Pull requests, as they are listed and looked at.

use serde_json::{Value, json};

use super::{Call, number};
use crate::support::github::answer::{Answer, Outcome};
use crate::support::github::auth::Need;
use crate::support::github::world::{Pull, World};

/// A listing of a pull request's files stops here.
const MOST_FILES: usize = 3000;

pub fn answer(world: &mut World, call: &Call, name: (&str, &str), rest: &[&str]) -> Option<Outcome> {
    if call.method != "GET" {
        return None;
    }
    let enter = |world: &World| world.enter(&call.caller, name, Need::Read(&["pull_requests", "contents"]));
    Some(match rest {
        ["pulls"] => enter(world).and_then(|id| list(world, call, id)),
        ["pulls", pull] => enter(world).and_then(|id| {
            let found = world.repository(id);
            let pull = found.pull(number(pull)?).ok_or_else(Answer::not_found)?;
            Answer::ok(world.full_pull_json(found, pull))
        }),
        ["pulls", pull, "files"] => enter(world).and_then(|id| files(world, id, number(pull)?)),
        ["commits", sha, "pulls"] => enter(world).and_then(|id| {
            let found = world.repository(id);
            let sha = found.resolve(sha)?;
            let is_its = |pull: &&Pull| {
                found.contains(&pull.head, &sha) && !found.contains(&pull.base, &sha)
                    || pull.merge_commit.as_ref() == Some(&sha)
            };
            Answer::list(found.pulls.iter().filter(is_its).map(|pull| world.pull_json(found, pull)).collect())
        }),
        _ => return None,
    })
}

fn list(world: &World, call: &Call, id: u64) -> Outcome {
    let found = world.repository(id);
    let state = call.asked("state").unwrap_or("open");
    let is_wanted = |pull: &&Pull| {
        let owner = pull.head_repository.map(|id| world.repository(id).owner.clone()).unwrap_or_default();
        (state == "all" || pull.is_open == (state == "open"))
            && call.asked("base").is_none_or(|base| pull.base_branch == base)
            && call.asked("head").is_none_or(|head| format!("{owner}:{}", pull.head_branch).eq_ignore_ascii_case(head))
    };
    let mut pulls: Vec<&Pull> = found.pulls.iter().filter(is_wanted).collect();
    if call.asked("sort") == Some("updated") {
        pulls.sort_by_key(|pull| pull.updated_at);
    }
    // The newest stand first, if not asked for otherwise.
    if call.asked("direction") != Some("asc") {
        pulls.reverse();
    }
    Answer::list(pulls.into_iter().map(|pull| world.pull_json(found, pull)).collect())
}

fn files(world: &World, id: u64, pull: u64) -> Outcome {
    let found = world.repository(id);
    let pull = found.pull(pull).ok_or_else(Answer::not_found)?;
    let api = format!("{}/repos/{}", world.base, found.full_name());
    let file = |(path, status, added, deleted): (String, &'static str, usize, usize)| -> Value {
        json!({
            "sha": pull.head, "filename": path, "status": status, "additions": added, "deletions": deleted,
            "changes": added + deleted, "blob_url": format!("{api}/blob/{}/{path}", pull.head),
            "raw_url": format!("{api}/raw/{}/{path}", pull.head), "contents_url": format!("{api}/contents/{path}?ref={}", pull.head),
        })
    };
    Answer::list(found.changes(&pull.base, &pull.head).into_iter().take(MOST_FILES).map(file).collect())
}
