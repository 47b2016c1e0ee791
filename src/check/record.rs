//! Rules that compare a descriptor with what is recorded of its product.

use semver::Version;

use crate::domain::descriptor::{Descriptor, VersionRef};
use crate::domain::finding::{Finding, Severity};
use crate::domain::id::{Fqn, RepoPath, SourceName};
use crate::domain::rule::Rule;

use super::Assessment;

/// A released version has other content now.
pub const NOT_BUMPED: Rule = Rule {
    id: "version/not-bumped",
    severity: Severity::Error,
    meaning: "The content differs from what was released under the same version. A released version never changes: whoever runs it must be able to rely on it.",
    example: "version: 1.2.0   # released with other content",
    remedy: "Raise info.version: the patch for a mend, the minor for an addition, the major for a breaking change.",
    source: "DPDS 1.0.0, versioning: Semantic Versioning 2.0.0, rule 3",
};

/// The version is lower than the recorded one.
pub const WENT_BACK: Rule = Rule {
    id: "version/went-back",
    severity: Severity::Warning,
    meaning: "The version is lower than the latest recorded one, and was never recorded itself. Going back to a recorded version is a rollback and is fine.",
    example: "version: 1.1.0   # 1.2.0 is recorded",
    remedy: "Raise the version above the recorded one, or go back to a version that was recorded.",
    source: "Semantic Versioning 2.0.0, precedence",
};

/// A port's major version changed without the product's.
pub const PORT_MAJOR: Rule = Rule {
    id: "port/major-without-product-major",
    severity: Severity::Error,
    meaning: "A port's major version differs from the recorded one, but the product's major version is the same.",
    example: "outputPorts: [{ name: trips, version: 2.0.0 }]   # was 1.4.0, and the product is still 1.x",
    remedy: "Raise the product's major version too, or keep the port's.",
    source: "DPDS 1.0.0: when a port's major version changes, the product's changes too",
};

/// Two descriptors describe the same product.
pub const CLAIMED_TWICE: Rule = Rule {
    id: "identity/claimed-twice",
    severity: Severity::Error,
    meaning: "Another descriptor describes the same product already. The one that was recorded first keeps it.",
    example: "info: { name: orders }   # so does retail/sales/data-product-descriptor.yaml",
    remedy: "Choose another name, or remove the other descriptor first.",
    source: "DPDS 1.0.0: product names are unique within the mesh namespace",
};

/// A product reads from something that is not known.
pub const UPSTREAM_NOT_FOUND: Rule = Rule {
    id: "lineage/upstream-not-found",
    severity: Severity::Warning,
    meaning: "The product reads from a port of another product that is not recorded.",
    example: "x-upstream: urn:dpds:com.example:dataproducts:ordrs:1:outputports:orders",
    remedy: "Mend the name, or register the other product first.",
    source: "products are rolled out after those they depend on",
};

/// The rules of this room.
pub const RULES: &[Rule] = &[NOT_BUMPED, WENT_BACK, PORT_MAJOR, CLAIMED_TWICE, UPSTREAM_NOT_FOUND];

/// Compares versions with those recorded of the same product: number and content digest, and
/// whether it was released. `latest` is the one recorded last, with its content.
pub fn versions(
    assessment: &Assessment,
    descriptor: &Descriptor,
    latest: Option<&Descriptor>,
    recorded: &[(VersionRef, bool)],
) -> Vec<Finding> {
    let mut findings = Vec::new();
    let place = || assessment.locate("/info/version");
    let number = &descriptor.version;
    match recorded.iter().find(|(version, _)| version.version == *number) {
        Some((version, true)) if version.digest != descriptor.digest => {
            let message = format!("version {number} is released with other content");
            let hint =
                format!("a released version never changes: raise it, at least to {}", next_patch(number, recorded));
            findings.push(Finding::error(NOT_BUMPED.id(), place(), "/info/version", message).with_hint(hint));
        }
        Some(_) => {}
        None => {
            let highest = recorded.iter().map(|(version, _)| &version.version).max();
            if let Some(highest) = highest.filter(|highest| *highest > number) {
                let message = format!("version {number} is lower than {highest}, which is recorded");
                findings.push(
                    Finding::warning(WENT_BACK.id(), place(), "/info/version", message).with_hint(WENT_BACK.remedy),
                );
            }
        }
    }
    if let Some(latest) = latest.filter(|latest| latest.fqn == descriptor.fqn) {
        findings.extend(port_majors(assessment, descriptor, latest));
    }
    findings
}

/// The product belongs to another descriptor already.
pub fn claimed_twice(assessment: &Assessment, source: Option<&SourceName>, other: &RepoPath) -> Finding {
    let place = match source {
        Some(source) => format!("'{other}' of the source '{source}'"),
        None => format!("'{other}'"),
    };
    let message = format!("{place} describes the same product");
    Finding::error(CLAIMED_TWICE.id(), assessment.locate("/info/name"), "/info/name", message)
        .with_hint(CLAIMED_TWICE.remedy)
}

fn port_majors(assessment: &Assessment, descriptor: &Descriptor, latest: &Descriptor) -> Vec<Finding> {
    let major = |text: &str| Version::parse(text).ok().map(|version| version.major);
    let mut findings = Vec::new();
    for port in &descriptor.ports {
        let Some(before) = latest.ports.iter().find(|before| before.fqn == port.fqn) else { continue };
        let (Some(was), Some(is)) = (major(&before.version), major(&port.version)) else { continue };
        // Major 0 is not generally available, and becomes 1 without breaking anybody's reliance.
        if was != is && was != 0 {
            let pointer = format!("{}/version", port.pointer);
            let message = format!(
                "port '{}' goes from {} to {}, but the product stays at major {}",
                port.name, before.version, port.version, descriptor.version.major
            );
            let hint =
                format!("raise info.version to {}.0.0, or keep the port's major version", descriptor.version.major + 1);
            findings
                .push(Finding::error(PORT_MAJOR.id(), assessment.locate(&pointer), pointer, message).with_hint(hint));
        }
    }
    findings
}

fn next_patch(number: &Version, recorded: &[(VersionRef, bool)]) -> Version {
    let same_major = recorded.iter().map(|(version, _)| &version.version).filter(|other| other.major == number.major);
    let highest = same_major.max().unwrap_or(number);
    Version::new(highest.major, highest.minor, highest.patch + 1)
}

/// The product reads from something that is not recorded.
pub fn upstream_not_found(assessment: &Assessment, descriptor: &Descriptor, upstream: &Fqn) -> Finding {
    let port = descriptor.ports.iter().find(|port| port.upstream.as_ref() == Some(upstream));
    let component = descriptor
        .components
        .iter()
        .find(|component| component.consumes_from.contains(upstream) || component.depends_on.contains(upstream));
    let pointer = port
        .map(|port| format!("{}/x-upstream", port.pointer))
        .or_else(|| component.map(|component| component.pointer.clone()))
        .unwrap_or_default();
    let message = format!("'{upstream}' belongs to a product that is not recorded");
    Finding::warning(UPSTREAM_NOT_FOUND.id(), assessment.locate(&pointer), pointer, message)
        .with_hint(UPSTREAM_NOT_FOUND.remedy)
}
