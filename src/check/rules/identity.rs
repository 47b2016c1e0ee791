//! Given read-only fields equal the computed ones (DPDS 1.0.0, MUST). They may be left out.

use serde_json::Value;

use super::doubt::{self, Evidence};
use super::{Entity, odm, rules};
use crate::check::report::Report;
use crate::check::schema::formats::{is_fqn, is_name};
use crate::check::schema::rules::FORMAT;
use crate::check::yaml::shown;
use crate::domain::id::{EntityKind, Fqn};

pub(super) fn check(evidence: &Evidence<'_>, entities: &[Entity<'_>], findings: &mut Report) {
    let subject = evidence.subject();
    let kind = EntityKind::DataProduct;
    if let Some(info) = subject.content.get("info") {
        compare(evidence, (info, kind), || "/info".to_owned(), || subject.product.cloned(), findings);
    }
    for entity in entities {
        if findings.is_full() {
            return;
        }
        let fqn = || Some(subject.product.filter(|_| is_name(entity.name))?.component(entity.kind, entity.name));
        compare(evidence, (entity.value, entity.kind), || entity.pointer(), fqn, findings);
        if let Some(api) = entity.value.get("promises").and_then(|promises| promises.get("api")) {
            let pointer = || format!("{}/promises/api", entity.pointer());
            definition(evidence, (api, EntityKind::Api), pointer, findings);
        }
    }
    for (_, tasks, pointer) in subject.stages() {
        for (index, task) in tasks.iter().enumerate() {
            if let Some(template) = task.get("template") {
                let pointer = || format!("{pointer}/{index}/template");
                definition(evidence, (template, EntityKind::Template), pointer, findings);
            }
        }
    }
}

fn definition(
    evidence: &Evidence<'_>,
    (value, kind): (&Value, EntityKind),
    pointer: impl Fn() -> String,
    findings: &mut Report,
) {
    let text = |field: &str| value.get(field).and_then(Value::as_str);
    let fqn = || Some(Fqn::definition(evidence.subject().namespace, kind, text("name")?, text("version")?));
    compare(evidence, (value, kind), pointer, fqn, findings);
}

/// Compares what is given with what is computed; without a computed name only the type can be.
/// Most descriptors give nothing, so nothing is computed before something is given.
fn compare(
    evidence: &Evidence<'_>,
    (value, kind): (&Value, EntityKind),
    pointer: impl Fn() -> String,
    fqn: impl Fn() -> Option<Fqn>,
    findings: &mut Report,
) {
    let subject = evidence.subject();
    let given = |field: &str| value.get(field).and_then(Value::as_str);
    let name = given("fullyQualifiedName").filter(|name| is_fqn(name));
    let other = name.and_then(|name| Some((name, fqn().filter(|fqn| name != fqn.as_str())?)));
    let disagreement = other.as_ref().and_then(|(name, fqn)| evidence.disagreement(kind, name, fqn));
    let is_given = name.is_some() || given("fullyQualifiedName").is_some() || given("id").is_some();
    // What is computed from a name that may be wrong is not written anywhere.
    let doubt = match &disagreement {
        Some(told) => told.doubt,
        None if is_given && evidence.is_product_doubtful(kind) => Some(doubt::OF_PRODUCT),
        None => None,
    };
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
            findings.mendable(FORMAT.id(), location, (text, &computed), doubt);
        }
    }
    let mut say = |rule, field: &str, (given, computed): (&str, &str), told: Option<(String, String)>, doubt| {
        let (message, hint) = told.unwrap_or_else(|| {
            let message = format!("'{field}' is {}, and is computed as '{computed}'", shown(given));
            (message, format!("leave '{field}' out, or write '{computed}'"))
        });
        let finding = subject.finding(rule, format!("{}/{field}", pointer()), message, hint);
        // Without a namespace, what is computed is not what the platform will compute.
        if field == "entityType" || !subject.is_namespace_guessed {
            findings.push_doubtful(finding, (given, computed), doubt);
        } else {
            findings.push(finding);
        }
    };
    if let Some(entity_type) = given("entityType")
        && entity_type != kind.entity_type()
    {
        say(&rules::ENTITY_TYPE, "entityType", (entity_type, kind.entity_type()), None, None);
    }
    if let Some((name, fqn)) = &other
        && !evidence.is_of_other_product(name, fqn)
    {
        let is_older = odm::is_name(name, subject, value, kind);
        let rule = if is_older { &rules::ODM_IDENTITY } else { &rules::FULLY_QUALIFIED_NAME };
        let told = disagreement.map(|told| (told.message, told.hint));
        say(rule, "fullyQualifiedName", (name, fqn.as_str()), told, doubt);
    }
    if let Some(id) = given("id").filter(|id| is_uuid(id))
        && let Some(fqn) = fqn()
        && let Ok(parsed) = id.parse::<uuid::Uuid>()
        && parsed != fqn.id()
        // It follows from the name that was given.
        && !(doubt.is_some() && other.as_ref().is_some_and(|(name, _)| name.parse::<Fqn>().is_ok_and(|it| it.id() == parsed)))
    {
        let names = [Some(fqn.as_str()), given("fullyQualifiedName")];
        let is_older = names.into_iter().flatten().any(|name| odm::id_of(name) == parsed);
        let rule = if is_older { &rules::ODM_IDENTITY } else { &rules::ID };
        say(rule, "id", (id, &fqn.id().to_string()), None, doubt);
    }
}

fn is_uuid(text: &str) -> bool {
    text.len() == uuid::fmt::Hyphenated::LENGTH && text.parse::<uuid::Uuid>().is_ok()
}
