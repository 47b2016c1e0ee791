//! Given read-only fields equal the computed ones (DPDS 1.0.0, MUST). They may be left out.

use serde_json::Value;

use super::{Subject, rules};
use crate::check::schema::formats::is_name;
use crate::check::yaml::shown;
use crate::domain::finding::Finding;
use crate::domain::id::{EntityKind, Fqn};

pub(super) fn check(subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    if let Some(info) = subject.content.get("info") {
        compare(subject, "/info", info, EntityKind::DataProduct, subject.product.cloned(), findings);
    }
    for entity in subject.entities() {
        let pointer = entity.pointer();
        let fqn = match subject.product {
            Some(product) if is_name(entity.name) => Some(product.component(entity.kind, entity.name)),
            _ => None,
        };
        compare(subject, &pointer, entity.value, entity.kind, fqn, findings);
        if let Some(api) = entity.value.pointer("/promises/api") {
            definition(subject, &format!("{pointer}/promises/api"), api, EntityKind::Api, findings);
        }
    }
    for (_, tasks, pointer) in subject.stages() {
        for (index, task) in tasks.iter().enumerate() {
            if let Some(template) = task.get("template") {
                let pointer = format!("{pointer}/{index}/template");
                definition(subject, &pointer, template, EntityKind::Template, findings);
            }
        }
    }
}

fn definition(subject: &Subject<'_>, pointer: &str, value: &Value, kind: EntityKind, findings: &mut Vec<Finding>) {
    let text = |field: &str| value.get(field).and_then(Value::as_str);
    let fqn = match (text("name"), text("version")) {
        (Some(name), Some(version)) => Some(Fqn::definition(subject.namespace, kind, name, version)),
        _ => None,
    };
    compare(subject, pointer, value, kind, fqn, findings);
}

/// Compares what is given with what is computed; without a computed name only the type can be.
fn compare(
    subject: &Subject<'_>,
    pointer: &str,
    value: &Value,
    kind: EntityKind,
    fqn: Option<Fqn>,
    findings: &mut Vec<Finding>,
) {
    let given = |field: &str| value.get(field).and_then(Value::as_str);
    let mut say = |rule, field: &str, given: &str, computed: &str| {
        let message = format!("'{field}' is {}, and is computed as '{computed}'", shown(given));
        findings.push(subject.finding(
            rule,
            format!("{pointer}/{field}"),
            message,
            format!("leave '{field}' out, or write '{computed}'"),
        ));
    };
    if let Some(entity_type) = given("entityType")
        && entity_type != kind.entity_type()
    {
        say(&rules::ENTITY_TYPE, "entityType", entity_type, kind.entity_type());
    }
    let Some(fqn) = fqn else { return };
    if let Some(name) = given("fullyQualifiedName")
        && name != fqn.as_str()
    {
        say(&rules::FULLY_QUALIFIED_NAME, "fullyQualifiedName", name, fqn.as_str());
    }
    // What is no UUID at all was said by the schema.
    if let Some(id) = given("id")
        && let Ok(parsed) = id.parse::<uuid::Uuid>()
        && parsed != fqn.id()
    {
        say(&rules::ID, "id", id, &fqn.id().to_string());
    }
}
