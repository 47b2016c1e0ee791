//! Which form of the specification a descriptor is written in.

use serde_json::Value;

use super::{Entity, Subject, rules};
use crate::check::report::Report;
use crate::check::yaml::shown;
use crate::domain::id::EntityKind;

/// The form of a descriptor. Each form that is supported has its schema and its rules; a document
/// of another form gets the one finding that says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::check) enum Form {
    /// 1.0.0 and its patches, which are not told apart.
    Released,
    /// 1.0.0-DRAFT.
    Draft,
    /// A version that does not exist.
    Unknown,
}

/// Tells the form by `dataProductDescriptor`. Where that is missing or no text, the schema says so.
pub(in crate::check) fn form(content: &Value) -> Form {
    match content.get("dataProductDescriptor").and_then(Value::as_str) {
        None => Form::Released,
        Some(version) => match version.strip_prefix("1.0.") {
            Some("0-DRAFT") => Form::Draft,
            Some(patch) if is_number(patch) => Form::Released,
            Some(_) | None => Form::Unknown,
        },
    }
}

fn is_number(text: &str) -> bool {
    let plain = text == "0" || !text.starts_with('0');
    plain && !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Says that the form is not supported, or which blocks of another form stand in it.
pub(super) fn check(subject: &Subject<'_>, entities: &[Entity<'_>], findings: &mut Report) {
    let pointer = "/dataProductDescriptor";
    let version = subject.content.get("dataProductDescriptor").and_then(Value::as_str).unwrap_or_default();
    match form(subject.content) {
        Form::Draft => findings.push(subject.finding(
            &rules::DRAFT,
            pointer.into(),
            "the form of 1.0.0-DRAFT is not supported yet".into(),
            "write the descriptor in the form of 1.0.0",
        )),
        Form::Unknown => findings.push(subject.finding(
            &rules::UNKNOWN_VERSION,
            pointer.into(),
            format!("there is no version {} of the specification", shown(version)),
            "write 1.0.0",
        )),
        Form::Released => draft_blocks(subject, entities, findings),
    }
}

fn draft_blocks(subject: &Subject<'_>, entities: &[Entity<'_>], findings: &mut Report) {
    for entity in entities {
        let (blocks, instead): (&[&str], _) = match entity.kind {
            EntityKind::Application | EntityKind::Infrastructure => {
                (&["provisionInfo", "buildInfo", "deployInfo"], "a task of 'lifecycleInfo'")
            }
            _ => (&["contracts"], "'obligations'"),
        };
        for block in blocks {
            if entity.value.get(block).is_some() && findings.wants(rules::DRAFT_BLOCK.severity) {
                let pointer = format!("{}/{block}", entity.pointer());
                let message = format!("'{block}' belongs to 1.0.0-DRAFT, and nothing is done with it");
                findings.push(subject.key_finding(&rules::DRAFT_BLOCK, pointer, message, format!("make it {instead}")));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn patches_are_not_told_apart_and_other_versions_do_not_exist() {
        for (version, expected) in [
            ("1.0.0", Form::Released),
            ("1.0.17", Form::Released),
            ("1.0.0-DRAFT", Form::Draft),
            ("1.0", Form::Unknown),
            ("1.0.", Form::Unknown),
            ("1.0.01", Form::Unknown),
            ("1.0.0-rc", Form::Unknown),
            ("1.1.0", Form::Unknown),
            ("2.0.0", Form::Unknown),
        ] {
            assert_eq!(form(&json!({"dataProductDescriptor": version})), expected, "{version}");
        }
        assert_eq!(form(&json!({})), Form::Released);
    }
}
