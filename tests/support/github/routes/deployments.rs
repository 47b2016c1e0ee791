//! Deployments to environments, and how they went.

use serde_json::{Value, json};

use super::{Call, number};
use crate::support::github::answer::{Answer, Outcome};
use crate::support::github::auth::Need;
use crate::support::github::world::{Deployment, DeploymentStatus, World};

const STATES: [&str; 7] = ["error", "failure", "inactive", "in_progress", "queued", "pending", "success"];
const LONGEST_DESCRIPTION: usize = 140;

pub fn answer(world: &mut World, call: &Call, name: (&str, &str), rest: &[&str]) -> Option<Outcome> {
    let read = |world: &World| world.enter(&call.caller, name, Need::Read(&["deployments"]));
    let write = |world: &World| world.enter(&call.caller, name, Need::Write(&["deployments"]));
    Some(match (call.method.as_str(), rest) {
        ("POST", ["deployments"]) => write(world).and_then(|id| create(world, call, id)),
        ("GET", ["deployments"]) => read(world).and_then(|id| {
            let found = world.repository(id);
            let is_wanted = |deployment: &&Deployment| {
                call.asked("sha").is_none_or(|sha| deployment.sha == sha)
                    && call.asked("ref").is_none_or(|reference| deployment.reference == reference)
                    && call.asked("task").is_none_or(|task| deployment.task == task)
                    && call.asked("environment").is_none_or(|environment| deployment.environment == environment)
            };
            let newest_first = found.deployments.iter().rev().filter(is_wanted);
            Answer::list(newest_first.map(|deployment| world.deployment_json(found, deployment)).collect())
        }),
        ("GET", ["deployments", of]) => read(world).and_then(|id| {
            let found = world.repository(id);
            let of = number(of)?;
            let deployment = found.deployments.iter().find(|deployment| deployment.id == of);
            Answer::ok(world.deployment_json(found, deployment.ok_or_else(Answer::not_found)?))
        }),
        ("POST", ["deployments", of, "statuses"]) => {
            write(world).and_then(|id| create_status(world, call, id, number(of)?))
        }
        ("GET", ["deployments", of, "statuses"]) => read(world).and_then(|id| {
            let found = world.repository(id);
            let of = number(of)?;
            let deployment =
                found.deployments.iter().find(|deployment| deployment.id == of).ok_or_else(Answer::not_found)?;
            let newest_first = deployment.statuses.iter().rev();
            Answer::list(newest_first.map(|status| world.deployment_status_json(found, deployment, status)).collect())
        }),
        _ => return None,
    })
}

fn create(world: &mut World, call: &Call, id: u64) -> Outcome {
    let reference = call.text("ref").unwrap_or_default();
    let found = world.repository(id);
    let sha =
        found.resolve(&reference).map_err(|_| Answer::unprocessable(&format!("No ref found for: {reference}")))?;
    // Without a word about them, all statuses must be green, which is what nobody wants here.
    let needs_all = call.body.get("required_contexts").is_none_or(Value::is_null);
    let shown = super::statuses::newest(found, &sha);
    if needs_all && shown.iter().any(|status| status.state != "success") {
        return Err(Answer::error(409, &format!("Conflict: Commit status checks failed for {reference}.")));
    }
    if call.body.get("auto_merge").is_none_or(|value| value != &Value::Bool(false))
        && let Some(base) = found.branch(&found.default_branch)
        && !found.contains(&sha, &base)
        && found.branch(&reference).is_some()
    {
        return Err(Answer::error(
            409,
            "Conflict merging the default branch; the model does not do it: say auto_merge false",
        ));
    }
    let deployment = Deployment {
        id: world.new_id(),
        sha,
        reference,
        task: call.text("task").unwrap_or_else(|| "deploy".to_owned()),
        environment: call.text("environment").unwrap_or_else(|| "production".to_owned()),
        description: call.text("description"),
        payload: call.body.get("payload").cloned().unwrap_or_else(|| json!({})),
        creator: world.acts_as(&call.caller),
        created_at: world.now(),
        statuses: Vec::new(),
    };
    world.repository_mut(id).deployments.push(deployment.clone());
    Answer::created(world.deployment_json(world.repository(id), &deployment))
}

fn create_status(world: &mut World, call: &Call, id: u64, of: u64) -> Outcome {
    let found = world.repository(id);
    let deployment = found.deployments.iter().find(|deployment| deployment.id == of).ok_or_else(Answer::not_found)?;
    let environment = call.text("environment").unwrap_or_else(|| deployment.environment.clone());
    let state = call.text("state").filter(|state| STATES.contains(&state.as_str()));
    let state =
        state.ok_or_else(|| Answer::invalid("DeploymentStatus", "state", "state is not included in the list"))?;
    let description = call.text("description").unwrap_or_default();
    if description.chars().count() > LONGEST_DESCRIPTION {
        return Err(Answer::invalid(
            "DeploymentStatus",
            "description",
            "description is too long (maximum is 140 characters)",
        ));
    }
    let status = DeploymentStatus {
        id: world.new_id(),
        state,
        description,
        environment: environment.clone(),
        target_url: call.text("log_url").or_else(|| call.text("target_url")).unwrap_or_default(),
        environment_url: call.text("environment_url").unwrap_or_default(),
        creator: world.acts_as(&call.caller),
        created_at: world.now(),
    };
    let is_auto_inactive = call.body.get("auto_inactive").is_none_or(|value| value != &Value::Bool(false));
    let (mut ids, now) = (Vec::new(), world.now());
    if status.state == "success" && is_auto_inactive {
        // Earlier ones to the same environment are no longer what runs there.
        let earlier =
            world.repository(id).deployments.iter().filter(|other| other.id != of && other.environment == environment);
        let is_active = |other: &&Deployment| other.statuses.last().is_some_and(|status| status.state == "success");
        ids = earlier.filter(is_active).map(|other| other.id).collect();
    }
    for other in ids {
        let inactive =
            DeploymentStatus { id: world.new_id(), state: "inactive".to_owned(), created_at: now, ..status.clone() };
        let found = world.repository_mut(id).deployments.iter_mut().find(|deployment| deployment.id == other);
        found.ok_or_else(Answer::not_found)?.statuses.push(inactive);
    }
    let found = world.repository_mut(id).deployments.iter_mut().find(|deployment| deployment.id == of);
    found.ok_or_else(Answer::not_found)?.statuses.push(status.clone());
    let found = world.repository(id);
    let deployment = found.deployments.iter().find(|deployment| deployment.id == of).ok_or_else(Answer::not_found)?;
    Answer::created(world.deployment_status_json(found, deployment, &status))
}
