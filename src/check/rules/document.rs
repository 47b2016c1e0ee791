//! Which form of the specification a descriptor is written in.

use serde_json::Value;

use super::{Entity, Subject, rules};
use crate::check::report::Report;
use crate::check::yaml::shown;
use crate::domain::descriptor::draft::blocks;

const LIFECYCLE_INFO: &str = "/internalComponents/lifecycleInfo";

/// The form of a descriptor, as it says itself. What its parts mean is told by their presence: real
/// descriptors mix both forms.
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

/// Says that the form does not exist, or which parts of another form stand in it.
pub(super) fn check(subject: &Subject<'_>, entities: &[Entity<'_>], findings: &mut Report) {
    let pointer = "/dataProductDescriptor";
    let version = subject.content.get("dataProductDescriptor").and_then(Value::as_str).unwrap_or_default();
    match form(subject.content) {
        Form::Unknown => findings.push(subject.finding(
            &rules::UNKNOWN_VERSION,
            pointer.into(),
            format!("there is no version {} of the specification", shown(version)),
            "write 1.0.0",
        )),
        Form::Released => parts_of_the_draft(subject, entities, findings),
        Form::Draft => parts_of_the_release(subject, entities, findings),
    }
}

fn parts_of_the_draft(subject: &Subject<'_>, entities: &[Entity<'_>], findings: &mut Report) {
    let stages = subject.content.pointer(LIFECYCLE_INFO).and_then(Value::as_object);
    let has_stages = stages.is_some_and(|stages| !stages.is_empty());
    for entity in entities {
        for block in blocks(entity.kind) {
            if entity.value.get(block.field).is_none() || !findings.wants(rules::MIXED_FORMS.severity) {
                continue;
            }
            let field = block.field;
            let (message, hint) = match block.phase {
                None => (format!("'{field}' belongs to 1.0.0-DRAFT"), "call it 'obligations'"),
                Some(_) if has_stages => (
                    format!("'{field}' belongs to 1.0.0-DRAFT, and nothing is done with it beside 'lifecycleInfo'"),
                    "make it a task of 'lifecycleInfo'",
                ),
                Some(_) => (
                    format!("'{field}' belongs to 1.0.0-DRAFT, and is rolled out at every stage"),
                    "make it a task of 'lifecycleInfo', at the stages where it is wanted",
                ),
            };
            let pointer = format!("{}/{field}", entity.pointer());
            findings.push(subject.key_finding(&rules::MIXED_FORMS, pointer, message, hint));
        }
    }
}

fn parts_of_the_release(subject: &Subject<'_>, entities: &[Entity<'_>], findings: &mut Report) {
    let mut say = |pointer: String, field: &str| {
        if findings.wants(rules::MIXED_FORMS.severity) {
            let message = format!("'{field}' belongs to 1.0.0, and the descriptor says that it is of 1.0.0-DRAFT");
            let hint = "write 'dataProductDescriptor: 1.0.0' when the whole descriptor is of that form";
            findings.push(subject.key_finding(&rules::MIXED_FORMS, pointer, message, hint));
        }
    };
    if subject.content.pointer(LIFECYCLE_INFO).is_some() {
        say(LIFECYCLE_INFO.to_owned(), "lifecycleInfo");
    }
    for entity in entities.iter().filter(|entity| entity.value.get("obligations").is_some()) {
        say(format!("{}/obligations", entity.pointer()), "obligations");
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
