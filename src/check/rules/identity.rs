//! Given read-only fields equal the computed ones (DPDS 1.0.0, MUST). They may be left out.

use serde_json::Value;

use super::{Entity, Subject, odm, rules};
use crate::check::report::Report;
use crate::check::schema::formats::{is_fqn, is_name};
use crate::check::schema::rules::FORMAT;
use crate::check::yaml::shown;
use crate::domain::id::{EntityKind, Fqn};

pub(super) fn check(subject: &Subject<'_>, entities: &[Entity<'_>], findings: &mut Report) {
    let kind = EntityKind::DataProduct;
    if let Some(info) = subject.content.get("info") {
        compare(subject, info, kind, || "/info".to_owned(), || subject.product.cloned(), findings);
    }
    for entity in entities {
        if findings.is_full() {
            return;
        }
        let fqn = || Some(subject.product.filter(|_| is_name(entity.name))?.component(entity.kind, entity.name));
        compare(subject, entity.value, entity.kind, || entity.pointer(), fqn, findings);
        if let Some(api) = entity.value.get("promises").and_then(|promises| promises.get("api")) {
            definition(subject, api, EntityKind::Api, || format!("{}/promises/api", entity.pointer()), findings);
        }
    }
    for (_, tasks, pointer) in subject.stages() {
        for (index, task) in tasks.iter().enumerate() {
            if let Some(template) = task.get("template") {
                let pointer = || format!("{pointer}/{index}/template");
                definition(subject, template, EntityKind::Template, pointer, findings);
            }
        }
    }
}

fn definition(
    subject: &Subject<'_>,
    value: &Value,
    kind: EntityKind,
    pointer: impl Fn() -> String,
    findings: &mut Report,
) {
    let text = |field: &str| value.get(field).and_then(Value::as_str);
    let fqn = || Some(Fqn::definition(subject.namespace, kind, text("name")?, text("version")?));
    compare(subject, value, kind, pointer, fqn, findings);
}

/// Compares what is given with what is computed; without a computed name only the type can be.
/// Most descriptors give nothing, so nothing is computed before something is given.
fn compare(
    subject: &Subject<'_>,
    value: &Value,
    kind: EntityKind,
    pointer: impl Fn() -> String,
    fqn: impl Fn() -> Option<Fqn>,
    findings: &mut Report,
) {
    let given = |field: &str| value.get(field).and_then(Value::as_str);
    // What is no such name or id at all, the schema has said; what belongs there, only we know.
    for (field, is_said) in [
        ("fullyQualifiedName", !given("fullyQualifiedName").is_none_or(is_fqn)),
        ("id", !given("id").is_none_or(is_uuid)),
    ] {
        if is_said
            && !subject.is_namespace_guessed
            && let (Some(text), Some(fqn)) = (given(field), fqn())
        {
            let computed = if field == "id" { fqn.id().to_string() } else { fqn.as_str().to_owned() };
            let location = subject.location(&format!("{}/{field}", pointer()));
            findings.mendable(FORMAT.id(), location, text, &computed);
        }
    }
    let mut say = |rule, field: &str, given: &str, computed: &str| {
        let message = format!("'{field}' is {}, and is computed as '{computed}'", shown(given));
        let hint = format!("leave '{field}' out, or write '{computed}'");
        let finding = subject.finding(rule, format!("{}/{field}", pointer()), message, hint);
        // Without a namespace, what is computed is not what the platform will compute.
        if field == "entityType" || !subject.is_namespace_guessed {
            findings.push_mendable(finding, given, computed);
        } else {
            findings.push(finding);
        }
    };
    if let Some(entity_type) = given("entityType")
        && entity_type != kind.entity_type()
    {
        say(&rules::ENTITY_TYPE, "entityType", entity_type, kind.entity_type());
    }
    if let Some(name) = given("fullyQualifiedName").filter(|name| is_fqn(name))
        && let Some(fqn) = fqn()
        && name != fqn.as_str()
    {
        let is_older = odm::is_name(name, subject, value, kind);
        let rule = if is_older { &rules::ODM_IDENTITY } else { &rules::FULLY_QUALIFIED_NAME };
        say(rule, "fullyQualifiedName", name, fqn.as_str());
    }
    if let Some(id) = given("id").filter(|id| is_uuid(id))
        && let Some(fqn) = fqn()
        && let Ok(parsed) = id.parse::<uuid::Uuid>()
        && parsed != fqn.id()
    {
        let names = [Some(fqn.as_str()), given("fullyQualifiedName")];
        let is_older = names.into_iter().flatten().any(|name| odm::id_of(name) == parsed);
        say(if is_older { &rules::ODM_IDENTITY } else { &rules::ID }, "id", id, &fqn.id().to_string());
    }
}

fn is_uuid(text: &str) -> bool {
    text.len() == uuid::fmt::Hyphenated::LENGTH && text.parse::<uuid::Uuid>().is_ok()
}
