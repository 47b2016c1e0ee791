//! From a method and a path to an answer.

mod apps;
mod checks;
mod comments;
mod deployments;
mod hooks;
mod pulls;
mod repositories;
mod statuses;

pub use checks::told as told_check;
pub use statuses::newest as newest_statuses;

use serde_json::Value;

use super::answer::{Answer, Outcome};
use super::auth::Caller;
use super::world::World;

/// A request, taken apart.
#[derive(Debug)]
pub struct Call {
    pub method: String,
    /// The path below the API's root, in parts, decoded.
    pub path: Vec<String>,
    pub query: Vec<(String, String)>,
    pub body: Value,
    pub caller: Caller,
}

impl Call {
    /// A text in the body.
    pub fn text(&self, name: &str) -> Option<String> {
        self.body.get(name).and_then(Value::as_str).map(str::to_owned)
    }

    /// The value of a query's key.
    pub fn asked(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// What the model answers; `None` when it knows no such request.
pub fn answer(world: &mut World, call: &Call) -> Option<Outcome> {
    let path: Vec<&str> = call.path.iter().map(String::as_str).collect();
    match (call.method.as_str(), path.as_slice()) {
        // Where a repository went, whatever it is called now.
        (_, ["repositories", id, rest @ ..]) => {
            let id: u64 = id.parse().ok()?;
            let Some(found) =
                world.repositories.iter().find(|repository| repository.id == id && !repository.is_deleted)
            else {
                return Some(Err(Answer::not_found()));
            };
            let (owner, name) = (found.owner.clone(), found.name.clone());
            in_repository(world, call, (&owner, &name), rest)
        }
        (_, ["repos", owner, name, rest @ ..]) => {
            let answer = in_repository(world, call, (owner, name), rest)?;
            Some(answer.map_err(|answer| whole_place(answer, call, rest)))
        }
        (_, ["app" | "app-manifests" | "installation" | "orgs", ..]) | ("GET", ["users", _, "installation"]) => {
            apps::answer(world, call, &path)
        }
        ("GET", ["user"]) => Some(repositories::myself(world, call)),
        ("GET", ["users", login]) => Some(repositories::user(world, login)),
        ("GET", ["rate_limit"]) => Some(repositories::rate_limit(world, call)),
        _ => None,
    }
}

fn in_repository(world: &mut World, call: &Call, name: (&str, &str), rest: &[&str]) -> Option<Outcome> {
    match rest.first().copied() {
        Some("installation") => apps::of_repository(world, call, name),
        Some("pulls") => pulls::answer(world, call, name, rest),
        Some("statuses") => statuses::answer(world, call, name, rest),
        Some("check-runs" | "check-suites") => checks::answer(world, call, name, rest),
        Some("commits") => match rest {
            [_, _, "status" | "statuses"] => statuses::answer(world, call, name, rest),
            [_, _, "check-runs" | "check-suites"] => checks::answer(world, call, name, rest),
            [_, _, "pulls"] => pulls::answer(world, call, name, rest),
            _ => repositories::answer(world, call, name, rest),
        },
        Some("issues") => comments::answer(world, call, name, rest),
        Some("deployments") => deployments::answer(world, call, name, rest),
        Some("hooks") => hooks::of_repository(world, call, name, rest),
        _ => repositories::answer(world, call, name, rest),
    }
}

/// An answer that says where a repository went says where this request should have gone.
fn whole_place(mut answer: Answer, call: &Call, rest: &[&str]) -> Answer {
    if answer.status == 301 {
        let query: Vec<String> = call.query.iter().map(|(key, value)| format!("{key}={value}")).collect();
        for (name, value) in &mut answer.headers {
            if *name == "location" {
                for part in rest {
                    value.push('/');
                    value.push_str(part);
                }
                if !query.is_empty() {
                    value.push('?');
                    value.push_str(&query.join("&"));
                }
            }
        }
        let place = answer.headers.iter().find(|(name, _)| *name == "location").map(|(_, value)| value.clone());
        if let super::answer::Body::Json(body) = &mut answer.body {
            super::json::merge(body, serde_json::json!({ "url": place }));
        }
    }
    answer
}

/// The number that an id in a path is.
fn number(text: &str) -> Result<u64, Answer> {
    text.parse().map_err(|_| Answer::not_found())
}
