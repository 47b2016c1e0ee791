//! What became of deliveries, and delivering them once more.

use serde_json::{Value, json};

use super::{Call, number};
use crate::support::github::answer::{Answer, Outcome};
use crate::support::github::auth::Need;
use crate::support::github::hooks::{Delivery, Hook};
use crate::support::github::world::World;

pub fn of_repository(world: &mut World, call: &Call, name: (&str, &str), rest: &[&str]) -> Option<Outcome> {
    let enter = |world: &World| world.enter(&call.caller, name, Need::Write(&["repository_hooks"]));
    Some(match (call.method.as_str(), rest) {
        ("GET", ["hooks"]) => enter(world).and_then(|id| {
            let found = world.repository(id);
            Answer::list(found.hooks.iter().map(|hook| hook_json(world, &found.full_name(), hook)).collect())
        }),
        ("GET", ["hooks", hook, "deliveries"]) => enter(world).and_then(|_| list(world, call, &of_hook(number(hook)?))),
        ("GET", ["hooks", hook, "deliveries", delivery]) => {
            enter(world).and_then(|_| one(world, number(delivery)?, &of_hook(number(hook)?)))
        }
        ("POST", ["hooks", hook, "deliveries", delivery, "attempts"]) => {
            enter(world).and_then(|_| again(world, number(delivery)?, &of_hook(number(hook)?)))
        }
        _ => return None,
    })
}

fn of_hook(hook: u64) -> impl Fn(&Delivery) -> bool {
    move |delivery| delivery.app.is_none() && delivery.hook.id == hook
}

pub fn of_app(world: &mut World, call: &Call, app: u64, rest: &[&str]) -> Option<Outcome> {
    let is_its = move |delivery: &Delivery| delivery.app == Some(app);
    Some(match (call.method.as_str(), rest) {
        ("GET", ["config"]) => Answer::ok(config(world.app(app).hook.as_ref())),
        ("PATCH", ["config"]) => {
            let known = world.app(app).hook.clone();
            let id = known.as_ref().map_or_else(|| world.new_id(), |hook| hook.id);
            let (url, secret) = known.map(|hook| (hook.url, hook.secret)).unwrap_or_default();
            let (url, secret) = (call.text("url").unwrap_or(url), call.text("secret").unwrap_or(secret));
            let hook = Hook { id, url, secret };
            let place = world.apps.iter_mut().find(|known| known.id == app)?;
            place.hook = Some(hook.clone());
            Answer::ok(config(Some(&hook)))
        }
        ("GET", ["deliveries"]) => list(world, call, &is_its),
        ("GET", ["deliveries", delivery]) => number(delivery).and_then(|delivery| one(world, delivery, &is_its)),
        ("POST", ["deliveries", delivery, "attempts"]) => {
            number(delivery).and_then(|delivery| again(world, delivery, &is_its))
        }
        _ => return None,
    })
}

fn config(hook: Option<&Hook>) -> Value {
    let url = hook.map_or("", |hook| hook.url.as_str());
    json!({ "content_type": "json", "insecure_ssl": "0", "secret": "********", "url": url })
}

fn hook_json(world: &World, name: &str, hook: &Hook) -> Value {
    let url = format!("{}/repos/{name}/hooks/{}", world.base, hook.id);
    json!({
        "type": "Repository", "id": hook.id, "name": "web", "active": true, "events": ["*"], "config": config(Some(hook)),
        "updated_at": jiff::Timestamp::UNIX_EPOCH, "created_at": jiff::Timestamp::UNIX_EPOCH, "url": url,
        "test_url": format!("{url}/test"), "ping_url": format!("{url}/pings"),
        "deliveries_url": format!("{url}/deliveries"),
        "last_response": { "code": null, "status": "unused", "message": null },
    })
}

/// The newest first, in pages that go on from a cursor.
fn list(world: &World, call: &Call, is_its: &dyn Fn(&Delivery) -> bool) -> Outcome {
    let size: usize = call.asked("per_page").and_then(|size| size.parse().ok()).unwrap_or(30).clamp(1, 100);
    let before: u64 = match call.asked("cursor") {
        None => u64::MAX,
        Some(cursor) => cursor
            .strip_prefix("v1_")
            .and_then(|id| id.parse().ok())
            .ok_or_else(|| Answer::error(400, "Invalid cursor"))?,
    };
    let is_wanted = |delivery: &&Delivery| {
        let is_good = delivery.status.is_some_and(|status| (200..400).contains(&status));
        delivery.id < before
            && delivery.status.is_some()
            && is_its(delivery)
            && call.asked("status").is_none_or(|status| is_good == (status == "success"))
    };
    let mut found = world.deliveries.iter().rev().filter(is_wanted);
    let shown: Vec<&Delivery> = found.by_ref().take(size).collect();
    let has_more = found.next().is_some();
    let mut answer = Answer::new(200, shown.iter().map(|delivery| delivery_json(delivery)).collect());
    if let Some(last) = shown.last().filter(|_| has_more) {
        let others = call.query.iter().filter(|(key, _)| key != "cursor").map(|(key, value)| format!("{key}={value}&"));
        let (path, others) = (call.path.join("/"), others.collect::<String>());
        answer =
            answer.with_header("link", &format!("<{}/{path}?{others}cursor=v1_{}>; rel=\"next\"", world.base, last.id));
    }
    Ok(answer)
}

fn find<'a>(world: &'a World, id: u64, is_its: &dyn Fn(&Delivery) -> bool) -> Result<&'a Delivery, Answer> {
    world.deliveries.iter().find(|delivery| delivery.id == id && is_its(delivery)).ok_or_else(Answer::not_found)
}

fn one(world: &World, id: u64, is_its: &dyn Fn(&Delivery) -> bool) -> Outcome {
    let delivery = find(world, id, is_its)?;
    let headers: serde_json::Map<String, Value> =
        delivery.headers().into_iter().map(|(name, value)| (name.to_owned(), json!(value))).collect();
    let mut value = delivery_json(delivery);
    crate::support::github::json::merge(
        &mut value,
        json!({
            "url": delivery.hook.url, "request": { "headers": headers, "payload": delivery.payload },
            "response": { "headers": {}, "payload": delivery.answer },
        }),
    );
    Answer::ok(value)
}

fn again(world: &mut World, id: u64, is_its: &dyn Fn(&Delivery) -> bool) -> Outcome {
    find(world, id, is_its)?;
    world.redeliver(id);
    Ok(Answer::new(202, json!({})))
}

fn delivery_json(delivery: &Delivery) -> Value {
    let status = delivery.status.unwrap_or_default();
    let word = match status {
        0 => "failed to connect to host".to_owned(),
        200..=399 => "OK".to_owned(),
        other => format!("Invalid HTTP Response: {other}"),
    };
    json!({
        "id": delivery.id, "guid": delivery.guid, "delivered_at": delivery.at, "redelivery": delivery.is_redelivery,
        "duration": 0.1, "status": word, "status_code": status, "event": delivery.event, "action": delivery.action,
        "installation_id": delivery.installation, "repository_id": delivery.repository, "throttled_at": null,
    })
}
