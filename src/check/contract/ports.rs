//! A product: each of its ports, and what the next version has to be.

use std::collections::HashMap;

use semver::Version;
use serde_json::Value;

use super::fields::Spot;
use super::promises;
use crate::domain::compat::{Compatibility, PortCompatibility, ProductCompatibility, Reason, required};
use crate::domain::id::EntityKind;

/// Compares two canonical contents of a product: `before` as recorded under the version `recorded`, `after`
/// as desired.
pub fn compare(before: &Value, after: &Value, recorded: &Version) -> ProductCompatibility {
    let mut ports = Vec::new();
    let mut gone = Vec::new();
    let mut port_major = false;
    for kind in EntityKind::PORTS {
        let pointer = format!("/interfaceComponents/{}", kind.field());
        let (was, is) = (named(before, &pointer), named(after, &pointer));
        let recorded_ports: HashMap<&str, &Value> = was.iter().map(|(_, name, port)| (*name, *port)).collect();
        for (index, name, port) in &is {
            let spot = Spot {
                before: recorded_ports.get(name).copied(),
                after: Some(port),
                pointer: format!("{pointer}/{index}"),
                path: String::new(),
            };
            port_major |= spot.before.is_some_and(|before| major_changed(before, port));
            ports.push(told(kind, name, &spot, after));
        }
        for (_, name, port) in was.iter().filter(|(_, name, _)| !is.iter().any(|(_, other, _)| other == name)) {
            let spot = Spot { before: Some(port), after: None, pointer: pointer.clone(), path: String::new() };
            gone.push(told(kind, name, &spot, after));
        }
    }
    ports.extend(gone);
    let heaviest = ports.iter().map(|port| port.compatibility).max().unwrap_or(Compatibility::Identical);
    ProductCompatibility { compatibility: heaviest, required: required(recorded, heaviest, port_major), ports }
}

fn named<'a>(content: &'a Value, pointer: &str) -> Vec<(usize, &'a str, &'a Value)> {
    let items = content.pointer(pointer).and_then(Value::as_array).into_iter().flatten().enumerate();
    items.filter_map(|(index, port)| Some((index, port.get("name")?.as_str()?, port))).collect()
}

fn told(kind: EntityKind, name: &str, port: &Spot<'_>, content: &Value) -> PortCompatibility {
    let reasons = if port.is_same() { Vec::new() } else { promises::compare(kind, port) };
    let reasons = reasons.into_iter().map(|reason| Reason { pointer: nearest(content, reason.pointer), ..reason });
    let told = PortCompatibility::new(kind, name, reasons.collect());
    match port.before.filter(|_| port.after.is_some()).and_then(version) {
        Some(recorded) => told.after(&recorded),
        None => told,
    }
}

fn version(port: &Value) -> Option<Version> {
    Version::parse(port.get("version")?.as_str()?).ok()
}

/// The pointer, or that of the nearest parent that the content has.
fn nearest(content: &Value, mut pointer: String) -> String {
    while content.pointer(&pointer).is_none() {
        let end = pointer.rfind('/').unwrap_or(0);
        pointer.truncate(end);
    }
    pointer
}

/// Whether the port's major version differs. Major 0 is not generally available, and becomes 1 without
/// breaking anybody's reliance.
fn major_changed(before: &Value, after: &Value) -> bool {
    match (version(before), version(after)) {
        (Some(before), Some(after)) => before.major != after.major && before.major != 0,
        _ => false,
    }
}
