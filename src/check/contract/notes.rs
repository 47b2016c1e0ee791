//! What every language's comparison needs: a bounded list of reasons, and definitions read within limits.

use std::borrow::Cow;

use serde_json::Value;

use super::{Editions, Fault};
use crate::check::limits::{MAX_DEPTH, MAX_FILE_BYTES};
use crate::check::yaml::{self, Document, Problem, Syntax};
use crate::domain::compat::{ContractRule, Reason, Side};

/// Reasons that are kept for one definition. Nobody reads more.
const MOST_REASONS: usize = 200;

/// The reasons of one comparison as they are found.
#[derive(Debug)]
pub(super) struct Notes {
    /// Who is on the other side.
    pub side: Side,
    reasons: Vec<Reason>,
    left_out: usize,
    /// What the reasons that were left out mean at most.
    weight: Option<Reason>,
}

impl Notes {
    pub(super) fn new(side: Side) -> Self {
        Self { side, reasons: Vec::new(), left_out: 0, weight: None }
    }

    /// Adds a reason for those who are on the other side of the definition.
    pub(super) fn tell(&mut self, rule: &ContractRule, pointer: &str, path: &str, message: impl Into<String>) {
        self.tell_to(self.side, rule, pointer, path, message);
    }

    /// Adds a reason for a part of the definition that has a side of its own.
    pub(super) fn tell_to(
        &mut self,
        side: Side,
        rule: &ContractRule,
        pointer: &str,
        path: &str,
        message: impl Into<String>,
    ) {
        self.add(rule.reason(side, pointer, path, message));
    }

    pub(super) fn extend(&mut self, reasons: impl IntoIterator<Item = Reason>) {
        reasons.into_iter().for_each(|reason| self.add(reason));
    }

    fn add(&mut self, reason: Reason) {
        if self.reasons.len() < MOST_REASONS {
            self.reasons.push(reason);
            return;
        }
        self.left_out += 1;
        if self.weight.as_ref().is_none_or(|heaviest| heaviest.impact < reason.impact) {
            self.weight = Some(reason);
        }
    }

    /// All that was told. What was left out is the last reason: how many, and the heaviest of them.
    pub(super) fn into_reasons(mut self) -> Vec<Reason> {
        if let Some(mut last) = self.weight {
            if let Some(others) = self.left_out.checked_sub(1).filter(|others| *others > 0) {
                last.message = format!("{} (and {others} more differences that are not listed)", last.message);
            }
            self.reasons.push(last);
        }
        self.reasons
    }
}

/// The text of a definition that is kept as text, where it is of a size that is read.
pub(super) fn text(definition: &Value) -> Result<&str, String> {
    match definition {
        Value::String(text) if text.len() as u64 > MAX_FILE_BYTES => {
            Err(format!("it is longer than {} KiB", MAX_FILE_BYTES / 1024))
        }
        Value::String(text) => Ok(text),
        _ => Err("it is not a text".to_owned()),
    }
}

/// A definition as an object, read where it is the text of one, in JSON or YAML.
pub(super) fn object(definition: &Value) -> Result<Cow<'_, Value>, String> {
    match definition {
        Value::Object(_) => Ok(Cow::Borrowed(definition)),
        other => located_object(other).map(|document| Cow::Owned(document.value)),
    }
}

/// The text of an object, in JSON or YAML, with the places of its parts.
pub(super) fn located_object(definition: &Value) -> Result<Document, String> {
    const NONE: &str = "it is neither an object nor the text of one";
    let text = match definition {
        Value::String(_) => text(definition)?,
        _ => return Err(NONE.to_owned()),
    };
    let document = document(text)?;
    if document.value.is_object() { Ok(document) } else { Err(NONE.to_owned()) }
}

/// A text in JSON or YAML, with the places of its parts.
pub(super) fn document(text: &str) -> Result<Document, String> {
    let syntax = if text.trim_start().starts_with(['{', '[']) { Syntax::Json } else { Syntax::Yaml };
    let (document, problems) = yaml::read(text.as_bytes(), syntax);
    document.ok_or_else(|| {
        problems.first().map_or_else(
            || "it cannot be read".to_owned(),
            |Problem { mark, message, .. }| format!("line {}, column {}: {message}", mark.line, mark.column),
        )
    })
}

/// Why a definition is no document that says one of these fields at its top. Nothing at all is no fault.
pub(super) fn lacks(definition: &Value, fields: &[&str]) -> Vec<Fault> {
    let document = match object(definition) {
        Ok(document) => document,
        Err(why) => return vec![Fault::of(why)],
    };
    let is_there = fields.iter().any(|field| document.get(field).is_some());
    let is_empty = document.as_object().is_some_and(serde_json::Map::is_empty);
    let named = fields.iter().map(|field| format!("'{field}'")).collect::<Vec<_>>().join(" or ");
    if is_there || is_empty { Vec::new() } else { vec![Fault::of(format!("it does not say {named}"))] }
}

/// How the message begins that the desired edition cannot be read.
pub(super) const AFTER_UNREADABLE: &str = "the definition cannot be read: ";

/// Both editions, or what hinders, as a sentence.
pub(super) fn both<'a, T>(
    editions: &Editions<'a>,
    read: impl Fn(&'a Value) -> Result<T, String>,
) -> Result<(T, T), String> {
    let before = read(editions.before).map_err(|why| format!("the recorded definition cannot be read: {why}"))?;
    let after = read(editions.after).map_err(|why| format!("{AFTER_UNREADABLE}{why}"))?;
    Ok((before, after))
}

/// Whether brackets stand deeper inside each other than any reader of ours goes. Quoted ones count as
/// well, because telling them apart is the parser's business, and this keeps the parser from the end of
/// the stack.
pub(super) fn is_too_deep(text: &str) -> bool {
    let mut depth = 0_usize;
    text.bytes().any(|byte| {
        match byte {
            b'{' | b'[' | b'(' | b'<' => depth += 1,
            b'}' | b']' | b')' | b'>' => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth > MAX_DEPTH
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::check::contract::fields::rule;
    use crate::domain::change::Impact::{Breaking, Compatible};

    const FINE: ContractRule = rule("test/fine", "", Compatible, Compatible, "");
    const BAD: ContractRule = rule("test/bad", "", Breaking, Breaking, "");

    #[test]
    fn what_is_left_out_keeps_its_weight() {
        let mut notes = Notes::new(Side::Read);
        for index in 0..MOST_REASONS + 10 {
            notes.tell(if index == MOST_REASONS + 3 { &BAD } else { &FINE }, "", "", format!("change {index}"));
        }
        let reasons = notes.into_reasons();
        assert_eq!(reasons.len(), MOST_REASONS + 1);
        let last = reasons.last().unwrap();
        assert_eq!((last.rule.as_str(), last.impact), ("test/bad", Breaking));
        assert_eq!(last.message, "change 203 (and 9 more differences that are not listed)");
    }

    #[test]
    fn texts_are_read_within_limits() {
        assert!(object(&json!("a: 1")).is_ok());
        assert!(object(&json!("{\"a\": 1}")).is_ok());
        assert_eq!(object(&json!("- a")).unwrap_err(), "it is neither an object nor the text of one");
        assert!(object(&json!("a: 1\nb: [")).unwrap_err().starts_with("line "));
        assert!(text(&json!("x".repeat(2 << 20))).unwrap_err().contains("1024 KiB"));
        assert!(is_too_deep(&"{".repeat(MAX_DEPTH + 1)));
        assert!(!is_too_deep(&"{}".repeat(1000)));
    }
}
