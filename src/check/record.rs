//! Rules that compare a descriptor with what is recorded of its product.

use semver::Version;

use crate::domain::compat::{self, Compatibility, ProductCompatibility, is_enough};
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
    meaning: "The version is lower than the latest recorded one, and was never recorded itself; also when the same file described a higher major version until now. Going back to a recorded version is a rollback and is fine.",
    example: "version: 1.1.0   # 1.2.0 is recorded",
    remedy: "Raise the version above the recorded one, or go back to a version that was recorded.",
    source: "Semantic Versioning 2.0.0, precedence",
};

/// The version does not go as far as what changed requires.
pub const TOO_LOW: Rule = Rule {
    id: "version/too-low",
    severity: Severity::Warning,
    meaning: "The version does not go as far as the change requires: a new major version where somebody breaks (before 1.0.0 a new minor one), a new minor version where what others rely on changed without breaking them, or cannot be told. How each port is judged is told by `meshwright diff` and by docs/compatibility.md. It is a warning because it is the policy `mesh.compatibility` that enforces it, which may be waived.",
    example: "version: 1.2.1   # 1.2.0 is recorded, and a column is gone: 2.0.0",
    remedy: "Raise info.version at least to the version in the hint, or keep what others rely on.",
    source: "DPDS 1.0.0, versioning: Semantic Versioning 2.0.0, rules 4, 6, 7 and 8",
};

/// Whether the version goes far enough cannot be told.
pub const PERHAPS_TOO_LOW: Rule = Rule {
    id: "version/perhaps-too-low",
    severity: Severity::Warning,
    meaning: "Something changed of which cannot be told whether it breaks somebody, and the version is high enough only if it does not.",
    example: "version: 1.3.0   # 1.2.0 is recorded, and a pattern of a schema is another one",
    remedy: "Look at the reasons in the hint. If somebody breaks, raise info.version to the next major version (before 1.0.0 the next minor one).",
    source: "DPDS 1.0.0, versioning; what cannot be told is never taken for compatible",
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
pub const RULES: &[Rule] =
    &[NOT_BUMPED, WENT_BACK, TOO_LOW, PERHAPS_TOO_LOW, PORT_MAJOR, CLAIMED_TWICE, UPSTREAM_NOT_FOUND];

/// Compares versions with those recorded of the same product: number and content digest, and
/// whether it was released. `latest` is the one recorded last, with its content, and `told` what changed
/// since then, where something did.
pub fn versions(
    assessment: &Assessment,
    descriptor: &Descriptor,
    latest: Option<&Descriptor>,
    recorded: &[(VersionRef, bool)],
    told: Option<&ProductCompatibility>,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    let latest = latest.filter(|latest| latest.fqn == descriptor.fqn);
    if let Some(latest) = latest {
        findings.extend(port_majors(assessment, descriptor, latest));
    }
    let place = || assessment.locate("/info/version");
    let number = &descriptor.version;
    let same_number = recorded.iter().find(|(version, _)| version.version == *number);
    match same_number {
        Some((version, true)) if version.digest != descriptor.digest => {
            let message = format!("version {number} is released with other content");
            let next = next_patch(number, recorded);
            let next = told.map(|told| &told.required).filter(|required| **required > next).unwrap_or(&next);
            let hint = format!("a released version never changes: raise it, at least to {next}");
            findings.push(Finding::error(NOT_BUMPED.id(), place(), "/info/version", message).with_hint(hint));
            return findings;
        }
        // Going back to a recorded version is a rollback.
        Some((version, _)) if version.digest == descriptor.digest => return findings,
        // Until it was released, its content may be mended; not so that somebody breaks.
        Some(_) if told.is_none_or(|told| told.compatibility != Compatibility::Breaking) => return findings,
        Some(_) => {}
        None => {
            let highest = recorded.iter().map(|(version, _)| &version.version).max();
            if let Some(highest) = highest.filter(|highest| *highest > number) {
                findings.push(went_back(assessment, number, highest));
                return findings;
            }
        }
    }
    // That a port's major version requires one of the product is said where the port stands.
    if let (Some(latest), Some(told), true) = (latest, told, findings.is_empty()) {
        findings.extend(step(assessment, number, &latest.version, told));
    }
    findings
}

/// The version is lower than one that is recorded, and was never recorded itself. Of another major when
/// the same file described that one until now.
pub fn went_back(assessment: &Assessment, number: &Version, highest: &Version) -> Finding {
    let message = format!("version {number} is lower than {highest}, which is recorded");
    let place = assessment.locate("/info/version");
    Finding::warning(WENT_BACK.id(), place, "/info/version", message).with_hint(WENT_BACK.hint())
}

/// Whether the step from the recorded version to the desired one is as large as the change requires.
fn step(assessment: &Assessment, number: &Version, from: &Version, told: &ProductCompatibility) -> Option<Finding> {
    let finding = |rule: &Rule, message: String, hint: String| {
        let place = assessment.locate("/info/version");
        Some(Finding::warning(rule.id(), place, "/info/version", message).with_hint(hint))
    };
    let required = &told.required;
    if !is_enough(number, required) {
        let because = match told.compatibility {
            Compatibility::Breaking => "what changed breaks those who rely on it",
            Compatibility::Unknown => "of what changed cannot be told whether it breaks somebody",
            Compatibility::Compatible => "what others rely on changed, without breaking them",
            Compatibility::Identical => "the content changed",
        };
        let hint = format!("raise it at least to {required}{}", heaviest(told));
        return finding(&TOO_LOW, format!("version {number} is too low after {from}: {because}"), hint);
    }
    let if_it_breaks = compat::required(from, Compatibility::Breaking, false);
    if told.compatibility == Compatibility::Unknown && !is_enough(number, &if_it_breaks) {
        let message =
            format!("version {number} is too low after {from} if what changed breaks somebody, which cannot be told");
        return finding(
            &PERHAPS_TOO_LOW,
            message,
            format!("raise it to {if_it_breaks} if somebody breaks{}", heaviest(told)),
        );
    }
    None
}

/// The heaviest of what changed, for the end of a hint.
fn heaviest(told: &ProductCompatibility) -> String {
    const MOST: usize = 3;
    let all: Vec<String> = told
        .reasons(told.compatibility)
        .map(|(port, reason)| {
            let path = if reason.path.is_empty() { String::new() } else { format!("{}: ", reason.path) };
            format!("{}.{}: {path}{} [{}]", port.kind.field(), port.name, reason.message, reason.rule)
        })
        .collect();
    let left_out: usize = told.ports.iter().map(|port| port.left_out).sum();
    let more = all.len().saturating_sub(MOST) + left_out;
    let shown = all.into_iter().take(MOST).collect::<Vec<_>>().join("; ");
    match (shown.is_empty(), more) {
        (true, _) => String::new(),
        (false, 0) => format!(": {shown}"),
        (false, more) => format!(": {shown}; and {more} more"),
    }
}

/// The product belongs to another descriptor already.
pub fn claimed_twice(assessment: &Assessment, source: Option<&SourceName>, other: &RepoPath) -> Finding {
    let place = match source {
        Some(source) => format!("'{other}' of the source '{source}'"),
        None => format!("'{other}'"),
    };
    let message = format!("{place} describes the same product");
    Finding::error(CLAIMED_TWICE.id(), assessment.locate("/info/name"), "/info/name", message)
        .with_hint(CLAIMED_TWICE.hint())
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
        .with_hint(UPSTREAM_NOT_FOUND.hint())
}
