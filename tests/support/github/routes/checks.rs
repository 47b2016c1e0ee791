//! Check runs: only Apps write them, in pieces of at most 50 annotations.

use serde_json::{Value, json};

use super::{Call, number};
use crate::support::github::answer::{Answer, Outcome};
use crate::support::github::auth::{Caller, Need};
use crate::support::github::hooks::Happening;
use crate::support::github::world::{CheckRun, World};

const MOST_ANNOTATIONS: usize = 50;
const MOST_ACTIONS: usize = 3;
const LONGEST_TEXT: usize = 65_535;
/// Messages and raw details of annotations, in bytes.
const LARGEST_MESSAGE: usize = 64 * 1024;

pub fn answer(world: &mut World, call: &Call, name: (&str, &str), rest: &[&str]) -> Option<Outcome> {
    let read = |world: &World| world.enter(&call.caller, name, Need::Read(&["checks"]));
    let write = |world: &World| {
        let id = world.enter(&call.caller, name, Need::Write(&["checks"]))?;
        match &call.caller {
            Caller::Installation { app, .. } => Ok((id, *app)),
            _ => Err(Answer::forbidden("You must authenticate via a GitHub App.")),
        }
    };
    Some(match (call.method.as_str(), rest) {
        ("POST", ["check-runs"]) => write(world).and_then(|(id, app)| create(world, call, id, app)),
        ("PATCH", ["check-runs", run]) => write(world).and_then(|(id, app)| update(world, call, id, app, number(run)?)),
        ("GET", ["check-runs", run]) => read(world).and_then(|id| {
            let (found, number) = (world.repository(id), number(run)?);
            let run = found.check_runs.iter().find(|run| run.id == number).ok_or_else(Answer::not_found)?;
            Answer::ok(world.check_run_json(found, run))
        }),
        ("GET", ["check-runs", run, "annotations"]) => read(world).and_then(|id| {
            let number = number(run)?;
            let run = world.repository(id).check_runs.iter().find(|run| run.id == number);
            Answer::list(run.ok_or_else(Answer::not_found)?.annotations.iter().map(annotation_json).collect())
        }),
        ("GET", ["commits", reference, "check-runs"]) => read(world).and_then(|id| list(world, call, id, reference)),
        ("GET", ["commits", reference, "check-suites"]) => read(world).and_then(|id| {
            let found = world.repository(id);
            let sha = found.resolve(reference)?;
            let suites = found.check_suites.iter().filter(|suite| suite.sha == sha);
            Answer::counted("check_suites", suites.map(|suite| world.check_suite_json(found, suite)).collect())
        }),
        _ => return None,
    })
}

fn list(world: &World, call: &Call, id: u64, reference: &str) -> Outcome {
    let found = world.repository(id);
    let sha = found.resolve(reference)?;
    let mut shown: Vec<&CheckRun> = Vec::new();
    for run in found.check_runs.iter().rev().filter(|run| run.sha == sha) {
        // By default only the newest of each name is shown, App by App.
        let is_older = shown.iter().any(|known| known.name == run.name && known.app == run.app);
        let is_wanted = call.asked("check_name").is_none_or(|name| run.name == name)
            && call.asked("status").is_none_or(|status| run.status == status)
            && call.asked("app_id").is_none_or(|app| run.app.to_string() == app);
        if is_wanted && (!is_older || call.asked("filter") == Some("all")) {
            shown.push(run);
        }
    }
    Answer::counted("check_runs", shown.into_iter().map(|run| world.check_run_json(found, run)).collect())
}

fn annotation_json(given: &Value) -> Value {
    let field = |name: &str| given.get(name).cloned().unwrap_or(Value::Null);
    json!({
        "path": field("path"), "start_line": field("start_line"), "end_line": field("end_line"),
        "start_column": field("start_column"), "end_column": field("end_column"),
        "annotation_level": field("annotation_level"), "title": field("title"), "message": field("message"),
        "raw_details": field("raw_details"), "blob_href": "",
    })
}

fn create(world: &mut World, call: &Call, id: u64, app: u64) -> Outcome {
    let sha = call.text("head_sha").unwrap_or_default();
    if world.repository(id).resolve(&sha).is_err() {
        return Err(Answer::unprocessable(&format!("No commit found for SHA: {sha}")));
    }
    let mut run = CheckRun {
        id: 0,
        app,
        suite: 0,
        sha: sha.clone(),
        name: call.text("name").ok_or_else(|| Answer::invalid("CheckRun", "name", "name is missing"))?,
        status: "queued".to_owned(),
        conclusion: None,
        details_url: None,
        external_id: None,
        started_at: Some(world.now().to_string()),
        completed_at: None,
        title: None,
        summary: None,
        text: None,
        annotations: Vec::new(),
        actions: Vec::new(),
    };
    write_fields(world, call, &mut run)?;
    run.id = world.new_id();
    run.suite = world.suite(id, app, None, &sha);
    world.repository_mut(id).check_runs.push(run.clone());
    tell(world, call, id, app, &run, "created");
    Answer::created(world.check_run_json(world.repository(id), &run))
}

fn update(world: &mut World, call: &Call, id: u64, app: u64, number: u64) -> Outcome {
    let known = world.repository(id).check_runs.iter().find(|run| run.id == number);
    let mut run = known.cloned().ok_or_else(Answer::not_found)?;
    if run.app != app {
        return Err(Answer::forbidden("Invalid app_id. The check run was made by another App."));
    }
    if let Some(name) = call.text("name") {
        run.name = name;
    }
    write_fields(world, call, &mut run)?;
    let place = world.repository_mut(id).check_runs.iter_mut().find(|run| run.id == number);
    *place.ok_or_else(Answer::not_found)? = run.clone();
    tell(world, call, id, app, &run, "completed");
    Answer::ok(world.check_run_json(world.repository(id), &run))
}

fn tell(world: &mut World, call: &Call, repository: u64, app: u64, run: &CheckRun, action: &str) {
    if action == "completed" && run.status != "completed" {
        return;
    }
    let by = world.acts_as(&call.caller);
    let payload = json!({ "check_run": told(world, repository, run) });
    let only = Some(app);
    world.tell(&Happening { event: "check_run", action: Some(action), repository, by: &by, only, payload });
}

/// A check run as deliveries tell it: with its whole suite.
pub fn told(world: &World, repository: u64, run: &CheckRun) -> Value {
    let found = world.repository(repository);
    let mut value = world.check_run_json(found, run);
    let suite = found.check_suites.iter().find(|suite| suite.id == run.suite).unwrap();
    let suite = world.check_suite_json(found, suite);
    crate::support::github::json::merge(&mut value, json!({ "check_suite": suite }));
    value
}

/// What creating and updating have in common.
fn write_fields(world: &World, call: &Call, run: &mut CheckRun) -> Result<(), Answer> {
    let invalid = |field: &str, message: &str| Answer::invalid("CheckRun", field, message);
    if let Some(status) = call.text("status") {
        run.status = status;
    }
    match call.text("conclusion") {
        Some(conclusion) => {
            run.conclusion = Some(conclusion);
            run.status = "completed".to_owned();
            run.completed_at = call.text("completed_at").or_else(|| Some(world.now().to_string()));
        }
        None if run.status == "completed" && run.conclusion.is_none() => {
            return Err(invalid("conclusion", "a completed check run needs a conclusion"));
        }
        None if run.status != "completed" => (run.conclusion, run.completed_at) = (None, None),
        None => {}
    }
    run.details_url = call.text("details_url").or_else(|| run.details_url.take());
    run.external_id = call.text("external_id").or_else(|| run.external_id.take());
    run.started_at = call.text("started_at").or_else(|| run.started_at.take());
    if let Some(output) = call.body.get("output") {
        let text = |name: &str| output.get(name).and_then(Value::as_str).map(str::to_owned);
        for name in ["summary", "text"] {
            // The description says characters; bytes are what counts.
            if text(name).is_some_and(|text| text.len() > LONGEST_TEXT) {
                return Err(invalid(name, "exceeds a maximum bytesize of 65535"));
            }
        }
        let annotations = output.get("annotations").and_then(Value::as_array).cloned().unwrap_or_default();
        if annotations.len() > MOST_ANNOTATIONS {
            return Err(invalid("annotations", "no more than 50 annotations a request"));
        }
        for annotation in &annotations {
            check_annotation(annotation).map_err(|message| invalid("annotations", message))?;
        }
        run.title = text("title").or_else(|| run.title.take());
        run.summary = text("summary").or_else(|| run.summary.take());
        run.text = text("text").or_else(|| run.text.take());
        // Those of an update are added; they can be taken away by nobody.
        run.annotations.extend(annotations);
    }
    if let Some(actions) = call.body.get("actions").and_then(Value::as_array) {
        if actions.len() > MOST_ACTIONS {
            return Err(invalid("actions", "no more than 3 actions"));
        }
        run.actions.clone_from(actions);
    }
    Ok(())
}

fn check_annotation(annotation: &Value) -> Result<(), &'static str> {
    let line = |name: &str| annotation.get(name).and_then(Value::as_u64);
    let size = |name: &str| annotation.get(name).and_then(Value::as_str).map_or(0, str::len);
    let (Some(start), Some(end)) = (line("start_line"), line("end_line")) else { return Err("lines are missing") };
    let has_columns = annotation.get("start_column").is_some() || annotation.get("end_column").is_some();
    if end < start {
        Err("the end is before the start")
    } else if has_columns && start != end {
        Err("columns need start and end on one line")
    } else if size("message") > LARGEST_MESSAGE || size("raw_details") > LARGEST_MESSAGE {
        Err("a message is larger than 64 KB")
    } else if annotation.get("title").and_then(Value::as_str).is_some_and(|title| title.chars().count() > 255) {
        Err("a title is longer than 255 characters")
    } else {
        Ok(())
    }
}
