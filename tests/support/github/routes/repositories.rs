//! Repositories, their branches and commits, who may do what in them; people; what is left of the limit.

use serde_json::{Value, json};

use super::Call;
use crate::support::github::answer::{Answer, Outcome};
use crate::support::github::auth::{Caller, Need};
use crate::support::github::world::{Kind, Repository, World};

pub fn answer(world: &mut World, call: &Call, name: (&str, &str), rest: &[&str]) -> Option<Outcome> {
    let seen = |world: &World| world.enter(&call.caller, name, Need::See);
    let read = |world: &World| world.enter(&call.caller, name, Need::Read(&["contents"]));
    Some(match (call.method.as_str(), rest) {
        ("GET", []) => seen(world).and_then(|id| Answer::ok(world.full_repository_json(world.repository(id)))),
        ("GET", ["branches", branch @ ..]) => {
            read(world).and_then(|id| branch_json(world, world.repository(id), &branch.join("/")))
        }
        ("GET", ["git", "ref", reference @ ..]) => {
            read(world).and_then(|id| reference_json(world, world.repository(id), &reference.join("/")))
        }
        ("GET", ["commits", reference @ ..]) => read(world).and_then(|id| {
            let repository = world.repository(id);
            let sha = repository.resolve(&reference.join("/"))?;
            Answer::ok(commit_json(world, repository, &sha))
        }),
        ("GET", ["collaborators", login, "permission"]) => {
            world.enter(&call.caller, name, Need::Read(&["metadata"])).and_then(|id| permission(world, call, id, login))
        }
        _ => return None,
    })
}

fn permission(world: &World, call: &Call, id: u64, login: &str) -> Outcome {
    if let Caller::Person { login } = &call.caller
        && !matches!(world.role(id, login).as_str(), "admin" | "maintain" | "write")
    {
        return Err(Answer::forbidden("Must have push access to view collaborator permission."));
    }
    let user = world.user(login).ok_or_else(Answer::not_found)?;
    let role = world.role(id, login);
    // The older field knows only four words.
    let word = match role.as_str() {
        "maintain" => "write",
        "triage" => "read",
        other => other,
    };
    let mut person = user.json(&world.base);
    crate::support::github::json::merge(
        &mut person,
        json!({ "role_name": role, "permissions": {
        "admin": role == "admin", "maintain": matches!(role.as_str(), "admin" | "maintain"),
        "push": word == "write" || word == "admin", "triage": word != "none" && role != "read", "pull": word != "none",
    } }),
    );
    Answer::ok(json!({ "permission": word, "role_name": role, "user": person }))
}

fn branch_json(world: &World, repository: &Repository, branch: &str) -> Outcome {
    let Some(sha) = repository.branch(branch) else { return Err(Answer::error(404, "Branch not found")) };
    let url = format!("{}/repos/{}/branches/{branch}", world.base, repository.full_name());
    Answer::ok(json!({
        "name": branch, "commit": commit_json(world, repository, &sha), "protected": false,
        "protection": { "enabled": false, "required_status_checks": { "enforcement_level": "off", "contexts": [], "checks": [] } },
        "protection_url": format!("{url}/protection"),
        "_links": { "self": url, "html": format!("{}/{}/tree/{branch}", world.base, repository.full_name()) },
    }))
}

fn reference_json(world: &World, repository: &Repository, name: &str) -> Outcome {
    let id = repository.git().refname_to_id(&format!("refs/{name}")).map_err(|_| Answer::not_found())?;
    let api = format!("{}/repos/{}", world.base, repository.full_name());
    Answer::ok(json!({
        "ref": format!("refs/{name}"), "node_id": format!("REF_{id}"), "url": format!("{api}/git/refs/{name}"),
        "object": { "type": "commit", "sha": id.to_string(), "url": format!("{api}/git/commits/{id}") },
    }))
}

fn commit_json(world: &World, repository: &Repository, sha: &str) -> Value {
    let git = repository.git();
    let commit = git.find_commit(git2::Oid::from_str(sha).unwrap()).unwrap();
    let (api, page) = (format!("{}/repos/{}", world.base, repository.full_name()), &world.base);
    let person = |by: git2::Signature<'_>| {
        let date = jiff::Timestamp::from_second(by.when().seconds()).unwrap();
        json!({ "name": by.name().unwrap_or_default(), "email": by.email().unwrap_or_default(), "date": date })
    };
    let parents: Vec<Value> = commit
        .parent_ids()
        .map(|id| json!({ "sha": id.to_string(), "url": format!("{api}/commits/{id}"), "html_url": format!("{page}/commit/{id}") }))
        .collect();
    json!({
        "sha": sha, "node_id": format!("C_{sha}"), "url": format!("{api}/commits/{sha}"),
        "html_url": format!("{page}/{}/commit/{sha}", repository.full_name()),
        "comments_url": format!("{api}/commits/{sha}/comments"), "author": null, "committer": null, "parents": parents,
        "commit": {
            "message": commit.message().unwrap_or_default(), "comment_count": 0, "url": format!("{api}/git/commits/{sha}"),
            "author": person(commit.author()), "committer": person(commit.committer()),
            "tree": { "sha": commit.tree_id().to_string(), "url": format!("{api}/git/trees/{}", commit.tree_id()) },
        },
    })
}

pub fn myself(world: &World, call: &Call) -> Outcome {
    match &call.caller {
        Caller::Person { login } => user(world, login),
        Caller::Nobody => Err(Answer::error(401, "Requires authentication")),
        Caller::App { .. } | Caller::Installation { .. } => {
            Err(Answer::forbidden("Resource not accessible by integration"))
        }
    }
}

pub fn user(world: &World, login: &str) -> Outcome {
    let user = world.user(login).ok_or_else(Answer::not_found)?;
    debug_assert!(matches!(user.kind, Kind::User | Kind::Bot | Kind::Organization));
    Answer::ok(world.public_user_json(user))
}

pub fn rate_limit(world: &mut World, call: &Call) -> Outcome {
    let (now, account) = (world.now(), world.account(&call.caller));
    let (limit, used, reset) = world.limits.standing(&account, now);
    let core = json!({ "limit": limit, "used": used, "remaining": limit - used, "reset": reset, "resource": "core" });
    let search = json!({ "limit": 30, "used": 0, "remaining": 30, "reset": reset, "resource": "search" });
    Answer::ok(json!({ "resources": { "core": core, "search": search }, "rate": core }))
}
