//! Apps, their installations, their tokens, and the manifest flow.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::{Call, number};
use crate::support::github::answer::{Answer, Outcome};
use crate::support::github::auth::Caller;
use crate::support::github::world::{Found, Installation, Token, World};

pub fn answer(world: &mut World, call: &Call, path: &[&str]) -> Option<Outcome> {
    let app = match &call.caller {
        Caller::App { app } => Ok(*app),
        Caller::Nobody => Err(Answer::error(401, "A JSON web token could not be decoded")),
        _ => Err(Answer::error(401, "'Issuer' claim ('iss') must be an Integer")),
    };
    Some(match (call.method.as_str(), path) {
        ("POST", ["app-manifests", code, "conversions"]) => convert(world, code),
        ("GET", ["app"]) => app.and_then(|app| Answer::ok(world.app_json(world.app(app)))),
        ("GET", ["app", "installations"]) => app.and_then(|app| {
            let its = world.installations.iter().filter(|installation| installation.app == app);
            Answer::list(its.map(|installation| world.installation_json(installation)).collect())
        }),
        ("GET", ["app", "installations", id]) => app.and_then(|app| {
            let installation = own(world, app, number(id)?)?;
            Answer::ok(world.installation_json(installation))
        }),
        ("POST", ["app", "installations", id, "access_tokens"]) => {
            app.and_then(|app| token(world, call, app, number(id)?))
        }
        (_, ["app", "hook", rest @ ..]) => match app {
            Ok(app) => return super::hooks::of_app(world, call, app, rest),
            Err(answer) => Err(answer),
        },
        ("GET", ["orgs" | "users", login, "installation"]) => app.and_then(|app| {
            let is_it = |installation: &&Installation| {
                installation.app == app && installation.account.eq_ignore_ascii_case(login)
            };
            let installation = world.installations.iter().find(is_it).ok_or_else(Answer::not_found)?;
            Answer::ok(world.installation_json(installation))
        }),
        ("GET", ["installation", "repositories"]) => repositories(world, call),
        _ => return None,
    })
}

pub fn of_repository(world: &mut World, call: &Call, (owner, name): (&str, &str)) -> Option<Outcome> {
    if call.method != "GET" {
        return None;
    }
    let Caller::App { app } = &call.caller else {
        return Some(Err(Answer::error(401, "A JSON web token could not be decoded")));
    };
    Some(match world.find(owner, name) {
        Found::Here(id) => match world.installation_for(*app, id) {
            Some(installation) => Answer::ok(world.installation_json(installation)),
            None => Err(Answer::not_found()),
        },
        Found::Moved(id) => {
            let place = format!("{}/repositories/{id}", world.base);
            Err(Answer::error(301, "Moved Permanently").with_header("location", &place))
        }
        Found::Nowhere => Err(Answer::not_found()),
    })
}

fn own(world: &World, app: u64, id: u64) -> Result<&Installation, Answer> {
    world.installation(id).filter(|installation| installation.app == app).ok_or_else(Answer::not_found)
}

fn token(world: &mut World, call: &Call, app: u64, id: u64) -> Outcome {
    let installation = own(world, app, id)?;
    if installation.is_suspended {
        return Err(Answer::forbidden("This installation has been suspended"));
    }
    let granted = installation.permissions.clone();
    let selection = if installation.selected.is_some() { "selected" } else { "all" };
    if let Some(Value::Object(wanted)) = call.body.get("permissions") {
        let has = |name: &String, level: &Value| {
            let level = level.as_str().unwrap_or_default();
            granted.get(name).is_some_and(|given| given == level || given == "write" && level == "read")
        };
        if !wanted.iter().all(|(name, level)| has(name, level)) {
            return Err(Answer::unprocessable("The permissions requested are not granted to this installation."));
        }
    }
    let number = world.new_id();
    let (token, expires_at) = (format!("ghs_{number:036}"), world.now() + SignedDuration::from_hours(1));
    world.tokens.insert(token.clone(), Token::Installation { installation: id, expires_at });
    Answer::created(json!({
        "token": token, "expires_at": expires_at, "permissions": granted, "repository_selection": selection,
    }))
}

fn repositories(world: &World, call: &Call) -> Outcome {
    let Caller::Installation { installation, .. } = &call.caller else {
        return Err(Answer::forbidden("You must authenticate with an installation access token"));
    };
    let installation = world.installation(*installation).ok_or_else(Answer::unauthorized)?;
    let covered = world
        .repositories
        .iter()
        .filter(|repository| !repository.is_deleted && world.covers(installation, repository.id));
    Answer::counted("repositories", covered.map(|repository| world.repository_json(repository)).collect())
}

/// The end of the manifest flow: a code is good once, and for an hour.
fn convert(world: &mut World, code: &str) -> Outcome {
    let Some(manifest) = world.manifests.remove(code) else { return Err(Answer::not_found()) };
    let text = |pointer: &str| manifest.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    let name = text("/name").unwrap_or_else(|| "App".to_owned());
    let permissions: BTreeMap<String, String> = manifest
        .get("default_permissions")
        .and_then(|value| serde_json::from_value(value.clone()).ok())
        .unwrap_or_default();
    let events: Vec<String> =
        manifest.get("default_events").and_then(|value| serde_json::from_value(value.clone()).ok()).unwrap_or_default();
    let owner = text("/owner").unwrap_or_else(|| "acme".to_owned());
    let app = world.make_app(&name, &owner, permissions, events);
    let secret = format!("secret-of-{app}");
    if let Some(url) = text("/hook_attributes/url") {
        let id = world.new_id();
        let hook = crate::support::github::hooks::Hook { id, url, secret: secret.clone() };
        world.apps.iter_mut().filter(|known| known.id == app).for_each(|app| app.hook = Some(hook.clone()));
    }
    let app = world.app(app);
    let mut value = world.app_json(app);
    crate::support::github::json::merge(
        &mut value,
        json!({
            "client_id": app.client_id, "client_secret": "client-secret", "webhook_secret": secret, "pem": app.private_key,
        }),
    );
    Answer::created(value)
}
