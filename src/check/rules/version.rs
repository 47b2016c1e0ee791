//! Versions within one document. Whether a version was bumped as its change demands can only be
//! told beside the record, and is not asked here.

use semver::Version;
use serde_json::Value;

use super::{Entity, Subject, rules};
use crate::check::report::Report;
use crate::domain::id::EntityKind;

pub(super) fn check(subject: &Subject<'_>, entities: &[Entity<'_>], findings: &mut Report) {
    let parse = |value: Option<&Value>| Version::parse(value?.as_str()?).ok();
    let Some(product) = parse(subject.content.pointer("/info/version")) else { return };
    for entity in entities {
        if matches!(entity.kind, EntityKind::Application | EntityKind::Infrastructure) {
            continue;
        }
        let Some(port) = parse(entity.value.get("version")) else { continue };
        if port.major > product.major && findings.wants(rules::PORT_MAJOR.severity) {
            let message = format!(
                "the port '{}' has the major version {}, and its product is at {product}",
                entity.name, port.major
            );
            let hint = format!(
                "raise the product's version to {}.0.0, or keep the port at major {}",
                port.major, product.major
            );
            findings.push(subject.finding(&rules::PORT_MAJOR, format!("{}/version", entity.pointer()), message, hint));
        }
    }
}
