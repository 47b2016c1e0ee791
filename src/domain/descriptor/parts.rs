//! Ports and components, as far as Meshwright acts upon them.

use serde_json::Value;

use crate::domain::id::{EntityKind, Fqn};

/// A port, with its place in the content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Port {
    /// Which of the five kinds it is.
    pub kind: EntityKind,
    /// Its fully qualified name.
    pub fqn: Fqn,
    /// Its name, unique within its kind.
    pub name: String,
    /// Its version, as written.
    pub version: String,
    /// A JSON pointer to it.
    pub pointer: String,
    /// On input ports, the output port of another product that it reads: `x-upstream`.
    pub upstream: Option<Fqn>,
}

/// An application or an infrastructural component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Component {
    /// `Application` or `Infrastructure`.
    pub kind: EntityKind,
    /// Its fully qualified name.
    pub fqn: Fqn,
    /// Its name.
    pub name: String,
    /// What must be there before it, of this product or of others.
    pub depends_on: Vec<Fqn>,
    /// The ports that it reads.
    pub consumes_from: Vec<Fqn>,
    /// The ports that it feeds.
    pub provides_to: Vec<Fqn>,
    /// A JSON pointer to it.
    pub pointer: String,
}

pub(super) fn ports(product: &Fqn, resolved: &Value) -> Vec<Port> {
    let mut ports = Vec::new();
    for kind in EntityKind::PORTS {
        let pointer = format!("/interfaceComponents/{}", kind.field());
        for (index, item) in items(resolved, &pointer) {
            let Some(name) = text(item, "name") else { continue };
            ports.push(Port {
                kind,
                fqn: product.component(kind, name),
                name: name.to_owned(),
                version: text(item, "version").unwrap_or_default().to_owned(),
                pointer: format!("{pointer}/{index}"),
                upstream: text(item, "x-upstream").and_then(|fqn| fqn.parse().ok()),
            });
        }
    }
    ports
}

pub(super) fn components(product: &Fqn, resolved: &Value) -> Vec<Component> {
    let mut components = Vec::new();
    for kind in [EntityKind::Infrastructure, EntityKind::Application] {
        let pointer = format!("/internalComponents/{}", kind.field());
        for (index, item) in items(resolved, &pointer) {
            let Some(name) = text(item, "name") else { continue };
            components.push(Component {
                kind,
                fqn: product.component(kind, name),
                name: name.to_owned(),
                depends_on: names(item, "dependsOn"),
                consumes_from: names(item, "consumesFrom"),
                provides_to: names(item, "providesTo"),
                pointer: format!("{pointer}/{index}"),
            });
        }
    }
    components
}

fn items<'a>(resolved: &'a Value, pointer: &str) -> impl Iterator<Item = (usize, &'a Value)> {
    resolved.pointer(pointer).and_then(Value::as_array).into_iter().flatten().enumerate()
}

fn text<'a>(item: &'a Value, field: &str) -> Option<&'a str> {
    item.get(field).and_then(Value::as_str)
}

fn names(item: &Value, field: &str) -> Vec<Fqn> {
    let list = item.get(field).and_then(Value::as_array).into_iter().flatten();
    list.filter_map(Value::as_str).filter_map(|name| name.parse().ok()).collect()
}
