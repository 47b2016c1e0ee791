//! One operation: parameters, the body of the request, responses.

use std::collections::BTreeMap;

use super::paths::{Comparison, Item};
use super::{media, rules, security};
use crate::check::contract::document::Here;
use crate::check::yaml::shown;
use crate::domain::compat::{ContractRule, Side};

/// Headers that are described elsewhere, says the specification.
const NO_HEADERS: [&str; 3] = ["accept", "content-type", "authorization"];

pub(super) fn compare<'a>(
    told: &mut Comparison<'a>,
    path: &str,
    was: (&Item<'a>, &Here<'a>),
    is: (&Item<'a>, &Here<'a>),
    asked: Side,
) {
    let ((_, before), (_, after)) = (was, is);
    let answered = if asked == Side::Written { Side::Read } else { Side::Written };
    if !before.is("deprecated") && after.is("deprecated") {
        told.tell(&rules::OPERATION_DEPRECATED, after, path, "it is deprecated");
    }
    let id = |of: &Here<'a>| of.text("operationId");
    if let (Some(old), Some(new)) = (id(before), id(after))
        && old != new
    {
        let message = format!("the operation's id was {} and is {}", shown(old), shown(new));
        told.tell(&rules::OPERATION_ID, after, path, message);
    }
    parameters(told, path, was, is, asked);
    body(told, path, before, after, asked);
    responses(told, path, before, after, answered);
    security::requirements(told, path, before, after);
    told.callbacks(before, after, asked, path);
}

/// Adds a reason for a part with a side of its own.
pub(super) fn tell<'a>(
    told: &mut Comparison<'a>,
    side: Side,
    rule: &ContractRule,
    at: &Here<'a>,
    path: &str,
    message: impl Into<String>,
) {
    told.notes.tell_to(side, rule, &at.pointer, path, message);
}

/// Parameters by what tells them apart: those of the path by their position, others by place and name.
fn parameters_of<'a>(item: &Item<'a>, operation: &Here<'a>) -> BTreeMap<(String, String), Here<'a>> {
    let mut all = BTreeMap::new();
    for list in [item.here.get("parameters"), operation.get("parameters")].into_iter().flatten() {
        for one in list.items() {
            let (Some(place), Some(name)) = (one.text("in"), one.text("name")) else {
                let reference = one.stray().unwrap_or_default().to_owned();
                all.insert((String::new(), reference), one);
                continue;
            };
            let key = match place {
                "path" => {
                    item.names.iter().position(|known| known == name).map_or(name.to_owned(), |at| at.to_string())
                }
                "header" => name.to_lowercase(),
                _ => name.to_owned(),
            };
            if place != "header" || !NO_HEADERS.contains(&key.as_str()) {
                all.insert((place.to_owned(), key), one);
            }
        }
    }
    all
}

fn parameters<'a>(
    told: &mut Comparison<'a>,
    path: &str,
    was: (&Item<'a>, &Here<'a>),
    is: (&Item<'a>, &Here<'a>),
    side: Side,
) {
    let before = parameters_of(was.0, was.1);
    let mut after = parameters_of(is.0, is.1);
    for (key, old) in before {
        let path = format!("{path} {} {}", key.0, old.text("name").unwrap_or_default());
        let Some(new) = after.remove(&key) else {
            if key.0.is_empty() {
                told.tell(&rules::REFERENCE, is.1, path.trim(), format!("the reference {} is gone", shown(&key.1)));
            } else {
                let message = format!("{} parameter {} is gone", key.0, shown(old.text("name").unwrap_or_default()));
                tell(told, side, &rules::PARAMETER_REMOVED, is.1, &path, message);
            }
            continue;
        };
        parameter(told, &path, &old, &new, side);
    }
    for (key, new) in after {
        let name = new.text("name").unwrap_or_default();
        let path = format!("{path} {} {name}", key.0);
        if key.0.is_empty() {
            told.tell(&rules::REFERENCE, is.1, path.trim(), format!("the reference {} is new", shown(&key.1)));
        } else if new.is("required") {
            let message = format!("{} parameter {} is new and required", key.0, shown(name));
            tell(told, side, &rules::PARAMETER_REQUIRED, &new, &path, message);
        } else {
            let message = format!("{} parameter {} is new, and optional", key.0, shown(name));
            tell(told, side, &rules::PARAMETER_ADDED, &new, &path, message);
        }
    }
}

fn parameter<'a>(told: &mut Comparison<'a>, path: &str, old: &Here<'a>, new: &Here<'a>, side: Side) {
    match (old.is("required"), new.is("required")) {
        (false, true) => tell(told, side, &rules::PARAMETER_BECAME_REQUIRED, new, path, "it is required now"),
        (true, false) => tell(told, side, &rules::PARAMETER_BECAME_OPTIONAL, new, path, "it is no longer required"),
        _ => {}
    }
    let style = |of: &Here<'a>| {
        let usual = if matches!(of.text("in"), Some("query" | "cookie")) { "form" } else { "simple" };
        let style = of.text("style").unwrap_or(usual);
        let explode = of.value.get("explode").and_then(serde_json::Value::as_bool).unwrap_or(style == "form");
        (style, explode, of.value.get("content").is_some())
    };
    let (before, after) = (style(old), style(new));
    if before != after || (old.is("allowReserved") && !new.is("allowReserved")) {
        let text = |(style, explode, content): (&str, bool, bool)| {
            if content { "by content".to_owned() } else { format!("'{style}', explode {explode}") }
        };
        let message = if before == after {
            "reserved characters are no longer allowed".to_owned()
        } else {
            format!("it was written {} and is {}", text(before), text(after))
        };
        tell(told, side, &rules::PARAMETER_STYLE, new, path, message);
    }
    schemas(told, path, old, new, side);
    media::compare(told, path, old, new, side);
}

/// The schemas below two parameters, headers or media types.
pub(super) fn schemas<'a>(told: &mut Comparison<'a>, path: &str, old: &Here<'a>, new: &Here<'a>, side: Side) {
    let open = serde_json::Value::Bool(true);
    match (old.child("schema"), new.child("schema")) {
        (Some(before), Some(after)) => told.schemas.compare(&mut told.notes, side, &before, &after, path),
        (None, None) => {}
        // Without a schema, everything is allowed.
        (Some(before), None) => {
            let after = Here { value: &open, root: new.root, base: new.base, pointer: new.pointer.clone() };
            told.schemas.compare(&mut told.notes, side, &before, &after, path);
        }
        (None, Some(after)) => {
            let before = Here { value: &open, root: old.root, base: old.base, pointer: old.pointer.clone() };
            told.schemas.compare(&mut told.notes, side, &before, &after, path);
        }
    }
}

fn body<'a>(told: &mut Comparison<'a>, path: &str, was: &Here<'a>, is: &Here<'a>, side: Side) {
    let path = format!("{path} request");
    match (was.get("requestBody"), is.get("requestBody")) {
        (None, None) => {}
        (None, Some(new)) if new.is("required") => {
            tell(told, side, &rules::BODY_REQUIRED, &new, &path, "the request must have a body now");
        }
        (None, Some(new)) => tell(told, side, &rules::BODY_ADDED, &new, &path, "the request may have a body now"),
        (Some(_), None) => tell(told, side, &rules::BODY_REMOVED, is, &path, "the request no longer has a body"),
        (Some(old), Some(new)) => {
            if told.stray(&old, &new, &path) {
                return;
            }
            match (old.is("required"), new.is("required")) {
                (false, true) => tell(told, side, &rules::BODY_REQUIRED, &new, &path, "the body is required now"),
                (true, false) => {
                    tell(told, side, &rules::BODY_OPTIONAL, &new, &path, "the body is no longer required");
                }
                _ => {}
            }
            media::compare(told, &path, &old, &new, side);
        }
    }
}

fn responses<'a>(told: &mut Comparison<'a>, path: &str, was: &Here<'a>, is: &Here<'a>, side: Side) {
    let by_status = |of: &Here<'a>| {
        let members = of.get("responses").map(|responses| responses.members()).unwrap_or_default();
        let members = members.into_iter().filter(|(status, _)| !status.starts_with("x-"));
        members.map(|(status, here)| (status.to_uppercase(), here)).collect::<BTreeMap<String, Here<'a>>>()
    };
    let (before, after) = (by_status(was), by_status(is));
    let at = is.get("responses").unwrap_or_else(|| is.clone());
    for (status, old) in &before {
        let path = format!("{path} {status}");
        let range = status.get(..1).map(|class| format!("{class}XX")).unwrap_or_default();
        let Some(new) = after.get(status).or_else(|| after.get(&range)) else {
            let is_success = status.starts_with('2');
            let rule = if is_success { &rules::SUCCESS_REMOVED } else { &rules::RESPONSE_REMOVED };
            tell(told, side, rule, &at, &path, format!("{} is no longer answered", shown(status)));
            continue;
        };
        if told.stray(old, new, &path) {
            continue;
        }
        headers(told, &path, old, new, side);
        media::compare(told, &path, old, new, side);
    }
    for (status, new) in after.iter().filter(|(status, _)| !before.contains_key(*status)) {
        let message = format!("{} may be answered now", shown(status));
        tell(told, side, &rules::RESPONSE_ADDED, new, &format!("{path} {status}"), message);
    }
}

fn headers<'a>(told: &mut Comparison<'a>, path: &str, was: &Here<'a>, is: &Here<'a>, side: Side) {
    let by_name = |of: &Here<'a>| {
        let members = of.get("headers").map(|headers| headers.members()).unwrap_or_default();
        let members = members.into_iter().map(|(name, here)| (name.to_lowercase(), here));
        members.filter(|(name, _)| name != "content-type").collect::<BTreeMap<String, Here<'a>>>()
    };
    let (before, after) = (by_name(was), by_name(is));
    for (name, old) in &before {
        let path = format!("{path} header {name}");
        let Some(new) = after.get(name) else {
            tell(told, side, &rules::HEADER_REMOVED, is, &path, format!("header {} is gone", shown(name)));
            continue;
        };
        if old.is("required") && !new.is("required") {
            tell(told, side, &rules::HEADER_OPTIONAL, new, &path, "it is no longer always there");
        }
        schemas(told, &path, old, new, side);
    }
    for (name, new) in after.iter().filter(|(name, _)| !before.contains_key(*name)) {
        let message = format!("header {} is new", shown(name));
        tell(told, side, &rules::HEADER_ADDED, new, &format!("{path} header {name}"), message);
    }
}
