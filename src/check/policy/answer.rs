//! Reads what `deny`, `warn` and `allow` yielded.

use serde::Deserialize;
use serde_json::Value;

use super::problem::cut;
use super::set::Package;
use crate::domain::finding::{RuleId, Stretch};
use crate::domain::policy::{Enforcement, NOT_EVALUATED, Violation};

/// The most violations that one rule of one package can report for one question.
const MAX_VIOLATIONS: usize = 200;

/// The longest message, hint or pointer, in characters.
const MAX_TEXT: usize = 2000;

/// The violations in the answer of `deny` or `warn`: a set (or list) of objects or texts. An object
/// of `{text: true}` is what `deny[msg]` makes in Rego v1, and is read as it was meant.
pub(super) fn from_set(package: &Package, rule: &'static str, answer: &Value) -> Vec<Violation> {
    let enforcement = if rule == "warn" { Enforcement::Warn } else { package.settings.enforcement };
    let mut found = match answer {
        Value::Null | Value::Bool(false) => Vec::new(),
        Value::Bool(true) => {
            vec![plain(package, rule, enforcement, &format!("the policy '{}' refuses it", package.name))]
        }
        Value::Array(items) => {
            let items = items.iter().take(MAX_VIOLATIONS);
            items.map(|item| from_item(package, rule, enforcement, item)).collect()
        }
        Value::Object(fields) if fields.values().all(|value| value == &Value::Bool(true)) => {
            let names = fields.keys().take(MAX_VIOLATIONS);
            names.map(|name| plain(package, rule, enforcement, name)).collect()
        }
        other => vec![unreadable(package, rule, other)],
    };
    let all = answer.as_array().map_or(0, Vec::len).max(answer.as_object().map_or(0, serde_json::Map::len));
    if all > MAX_VIOLATIONS {
        let message = format!("the policy '{}' reports {} more", package.name, all - MAX_VIOLATIONS);
        found.push(plain(package, rule, enforcement, &message));
    }
    found
}

/// The violation in the answer of `allow`: anything but `true` refuses.
pub(super) fn from_allow(package: &Package, answer: Option<&Value>) -> Option<Violation> {
    if answer == Some(&Value::Bool(true)) {
        return None;
    }
    let what = package.settings.title.as_deref().or(package.settings.description.as_deref());
    let what = what.map(|what| format!(" ({})", cut(what.trim(), 200))).unwrap_or_default();
    let why = match answer {
        None => "'allow' is undefined".to_owned(),
        Some(answer) => format!("'allow' is {}", cut(&answer.to_string(), 40)),
    };
    let message = format!("the policy '{}'{what} does not allow it: {why}", package.name);
    Some(plain(package, "allow", package.settings.enforcement, &message))
}

fn from_item(package: &Package, rule: &'static str, enforcement: Enforcement, item: &Value) -> Violation {
    let fields = match item {
        Value::String(message) => return plain(package, rule, enforcement, message),
        Value::Object(fields) => fields,
        other => return unreadable(package, rule, other),
    };
    let text = |field: &str| fields.get(field).and_then(Value::as_str).map(str::to_owned);
    let Some(message) = text("msg").or_else(|| text("message")) else { return unreadable(package, rule, item) };
    let mut violation = plain(package, rule, enforcement, &message);
    if let Some(name) = text("rule").filter(|name| is_rule_name(name)) {
        violation.rule = RuleId::policy(&package.name, &name);
    }
    violation.pointer = text("pointer").filter(|pointer| is_pointer(pointer));
    let within = fields.get("within").and_then(|within| Stretch::deserialize(within).ok());
    violation.within = within.filter(|within| within.line > 0 && within.column > 0);
    if let Some(hint) = text("hint") {
        violation.hint = Some(cut(&hint, MAX_TEXT));
    }
    violation
}

fn plain(package: &Package, rule: &str, enforcement: Enforcement, message: &str) -> Violation {
    Violation {
        rule: RuleId::policy(&package.name, rule),
        enforcement,
        message: cut(message, MAX_TEXT),
        pointer: None,
        within: None,
        hint: package.settings.remedy.clone(),
    }
}

/// An answer that cannot be read is no answer, and no answer refuses, whatever the package's enforcement.
fn unreadable(package: &Package, rule: &str, answer: &Value) -> Violation {
    let answer = cut(&answer.to_string(), 80);
    Violation {
        rule: NOT_EVALUATED,
        enforcement: Enforcement::Block,
        message: format!("the policy '{}' answered {answer}, which cannot be read as a violation", package.name),
        pointer: None,
        within: None,
        hint: Some(format!(
            "`{rule}` is a set of texts, or of objects with `msg` and, if wanted, `pointer`, `hint` and `rule`"
        )),
    }
}

fn is_rule_name(name: &str) -> bool {
    (1..=64).contains(&name.len()) && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
}

fn is_pointer(pointer: &str) -> bool {
    pointer.len() <= MAX_TEXT && (pointer.is_empty() || pointer.starts_with('/'))
}
