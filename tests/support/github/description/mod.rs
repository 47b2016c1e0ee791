//! GitHub's own description of its API (npm `@octokit/openapi`): every request, every answer of the
//! model and every delivery is held against it.

mod operations;
mod schema;

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex};

use serde_json::Value;

use self::operations::Operations;
use super::answer::{Answer, Body};
use crate::support::npm;

/// The description, and what was made of it.
#[derive(Debug)]
struct Description {
    document: Value,
    operations: Operations,
    validators: Mutex<HashMap<String, Arc<jsonschema::Validator>>>,
}

static DESCRIPTION: LazyLock<Option<Description>> = LazyLock::new(|| {
    let file = npm::package("@octokit/openapi")?.join("generated/api.github.com.json");
    Some(Description::read(&file))
});

/// Says loudly when the description is not there, so that the test that is running says it.
pub fn look() {
    if DESCRIPTION.is_none() {
        npm::package("@octokit/openapi");
    }
}

/// What is wrong with a request.
pub fn wrong_with_request(method: &str, path: &str, query: &[(String, String)], body: &Value) -> Vec<String> {
    let mut wrong = beyond_limits(path, body);
    if let Some(description) = &*DESCRIPTION {
        match description.operations.find(method, path) {
            None => wrong.push("GitHub's description has no such request".to_owned()),
            Some(operation) => {
                wrong.extend(description.wrong_parameters(&operation, query));
                wrong.extend(description.wrong_body(&operation, body));
            }
        }
    }
    wrong.iter().map(|wrong| format!("{method} {path}: {wrong}")).collect()
}

/// What is wrong with an answer of the model's own.
pub fn wrong_with_answer(method: &str, path: &str, answer: &Answer) -> Vec<String> {
    let Some(description) = &*DESCRIPTION else { return Vec::new() };
    let Some(operation) = description.operations.find(method, path) else { return Vec::new() };
    let described = description.resolve(description.document.pointer(&operation.pointer).unwrap())["responses"].clone();
    let Some(response) = described.get(answer.status.to_string()) else {
        // Of refusals, few are described.
        let is_fine = !(200..300).contains(&answer.status);
        return if is_fine { Vec::new() } else { vec![format!("{method} {path}: {} is not described", answer.status)] };
    };
    let content = &description.resolve(response)["content"]["application/json"]["schema"];
    let (Body::Json(body), false) = (&answer.body, content.is_null()) else { return Vec::new() };
    let name = format!("{} answer {}", operation.pointer, answer.status);
    let wrong = description.wrong(&name, content, false, body);
    wrong.into_iter().map(|wrong| format!("the model's answer {} to {method} {path}: {wrong}", answer.status)).collect()
}

/// What is wrong with a delivery of the model's own.
pub fn wrong_with_delivery(event: &str, action: Option<&str>, payload: &Value) -> Vec<String> {
    let Some(description) = &*DESCRIPTION else { return Vec::new() };
    let name = [Some(event), action].into_iter().flatten().collect::<Vec<_>>().join("-").replace('_', "-");
    let pointer = format!("/x-webhooks/{name}/post/requestBody/content/application~1json/schema");
    let Some(schema) = description.document.pointer(&pointer) else {
        return vec![format!("GitHub's description has no delivery '{name}'")];
    };
    let wrong = description.wrong(&pointer, schema, false, payload);
    wrong.into_iter().map(|wrong| format!("the model's delivery '{name}': {wrong}")).collect()
}

/// Limits that the description has in words only. GitHub answers 422 to what is beyond them.
fn beyond_limits(path: &str, body: &Value) -> Vec<String> {
    let is_below = |folder: &str| path.split('/').rev().take(2).any(|part| part == folder);
    let texts: &[(&str, usize)] = if is_below("statuses") {
        &[("/description", 140), ("/context", 255)]
    } else if is_below("check-runs") {
        &[("/output/summary", 65_535), ("/output/text", 65_535), ("/output/title", 255)]
    } else if is_below("comments") {
        &[("/body", 65_536)]
    } else if is_below("deployments") {
        &[("/description", 140)]
    } else {
        &[]
    };
    let length = |pointer: &str| body.pointer(pointer).and_then(Value::as_str).map_or(0, |text| text.chars().count());
    let texts = texts.iter().filter(|(pointer, limit)| length(pointer) > *limit);
    let mut beyond: Vec<String> = texts
        .map(|(pointer, limit)| format!("{pointer} has {} characters, and {limit} are allowed", length(pointer)))
        .collect();
    let annotations = body.pointer("/output/annotations").and_then(Value::as_array).map_or(0, Vec::len);
    if annotations > 50 {
        beyond.push(format!("{annotations} annotations, and 50 are allowed in a request"));
    }
    beyond
}
