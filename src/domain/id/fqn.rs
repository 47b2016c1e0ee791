//! Fully qualified names, and the ids that follow from them.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize, Serializer};
use uuid::Uuid;

use super::{InvalidId, Namespace};

/// What kind of thing a fully qualified name names (DPDS 1.0.0, "Fully Qualified Names").
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EntityKind {
    /// A data product.
    DataProduct,
    /// An input port.
    InputPort,
    /// An output port.
    OutputPort,
    /// A discovery port.
    DiscoveryPort,
    /// An observability port.
    ObservabilityPort,
    /// A control port.
    ControlPort,
    /// An application component.
    Application,
    /// An infrastructural component.
    Infrastructure,
    /// A standard definition that describes an API.
    Api,
    /// A standard definition that is a template.
    Template,
}

impl EntityKind {
    /// The five kinds of port, in DPDS order.
    pub const PORTS: [EntityKind; 5] = [
        EntityKind::InputPort,
        EntityKind::OutputPort,
        EntityKind::DiscoveryPort,
        EntityKind::ObservabilityPort,
        EntityKind::ControlPort,
    ];

    /// The segment that names the kind in a fully qualified name.
    pub const fn fqn_segment(self) -> &'static str {
        match self {
            EntityKind::DataProduct => "dataproducts",
            EntityKind::InputPort => "inputports",
            EntityKind::OutputPort => "outputports",
            EntityKind::DiscoveryPort => "discoveryports",
            EntityKind::ObservabilityPort => "observabilityports",
            EntityKind::ControlPort => "controlports",
            EntityKind::Application => "applications",
            EntityKind::Infrastructure => "infrastructure",
            EntityKind::Api => "apis",
            EntityKind::Template => "templates",
        }
    }

    /// The value of `entityType`.
    pub const fn entity_type(self) -> &'static str {
        match self {
            EntityKind::DataProduct => "dataproduct",
            EntityKind::InputPort => "inputport",
            EntityKind::OutputPort => "outputport",
            EntityKind::DiscoveryPort => "discoveryport",
            EntityKind::ObservabilityPort => "observabilityport",
            EntityKind::ControlPort => "controlport",
            EntityKind::Application => "application",
            EntityKind::Infrastructure => "infrastructure",
            EntityKind::Api => "api",
            EntityKind::Template => "template",
        }
    }

    /// The field of a descriptor that holds entities of this kind (`outputPorts`).
    pub const fn field(self) -> &'static str {
        match self {
            EntityKind::DataProduct => "info",
            EntityKind::InputPort => "inputPorts",
            EntityKind::OutputPort => "outputPorts",
            EntityKind::DiscoveryPort => "discoveryPorts",
            EntityKind::ObservabilityPort => "observabilityPorts",
            EntityKind::ControlPort => "controlPorts",
            EntityKind::Application => "applicationComponents",
            EntityKind::Infrastructure => "infrastructuralComponents",
            EntityKind::Api => "apis",
            EntityKind::Template => "templates",
        }
    }
}

/// A fully qualified name of anything in the mesh:
/// `urn:dpds:{namespace}:dataproducts:{name}:{major}` and what hangs below it.
///
/// A clone shares the text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct Fqn(Arc<str>);

impl Fqn {
    /// The name of one major version of a data product.
    pub fn product(namespace: &Namespace, name: &str, major: u64) -> Self {
        Self(format!("urn:dpds:{namespace}:dataproducts:{name}:{major}").into())
    }

    /// The name of a port or component of this product.
    pub fn component(&self, kind: EntityKind, name: &str) -> Self {
        Self(format!("{}:{}:{}", self.0, kind.fqn_segment(), name).into())
    }

    /// The name of a standard definition, which belongs to the mesh and not to a product.
    pub fn definition(namespace: &Namespace, kind: EntityKind, name: &str, version: &str) -> Self {
        Self(format!("urn:dpds:{namespace}:{}:{name}:{version}", kind.fqn_segment()).into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The product to which this name belongs: itself, or the product of the port or component.
    /// `None` where the name has no product (an api, a template, a foreign name).
    pub fn owner(&self) -> Option<Fqn> {
        let parts: Vec<&str> = self.0.split(':').collect();
        match parts.as_slice() {
            ["urn", "dpds", namespace, "dataproducts", name, major, ..] => {
                Some(Fqn(format!("urn:dpds:{namespace}:dataproducts:{name}:{major}").into()))
            }
            _ => None,
        }
    }

    /// The product's name without namespace and major, for people; the whole text for other things.
    pub fn product_name(&self) -> &str {
        self.0.split(':').nth(4).unwrap_or(&self.0)
    }

    /// The product's major version; `None` where there is none.
    pub fn major(&self) -> Option<u64> {
        self.0.split(':').nth(5)?.parse().ok()
    }

    /// The `id` that DPDS computes from the name: UUID version 5 in the DNS namespace, which is
    /// what both printed examples of the specification come out with.
    pub fn id(&self) -> Uuid {
        Uuid::new_v5(&Uuid::NAMESPACE_DNS, self.0.as_bytes())
    }
}

impl FromStr for Fqn {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        Self::try_from(text.to_owned())
    }
}

impl TryFrom<String> for Fqn {
    type Error = InvalidId;

    fn try_from(text: String) -> Result<Self, InvalidId> {
        let fine = (5..=512).contains(&text.len())
            && text.starts_with("urn:")
            && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | ':' | '-' | '_'));
        if fine {
            Ok(Self(text.into()))
        } else {
            Err(InvalidId::new(
                "fully qualified name",
                &text,
                "it begins with 'urn:' and has letters, digits, '.', ':', '-' and '_', at most 512 characters",
            ))
        }
    }
}

impl From<Fqn> for String {
    fn from(fqn: Fqn) -> String {
        fqn.as_str().to_owned()
    }
}

impl Serialize for Fqn {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl fmt::Display for Fqn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_the_two_printed_examples_of_the_specification() {
        let namespace: Namespace = "it.quantyca".parse().unwrap();
        let product = Fqn::product(&namespace, "tripExecution", 1);
        assert_eq!(product.as_str(), "urn:dpds:it.quantyca:dataproducts:tripExecution:1");
        assert_eq!(product.id().to_string(), "2b172838-73b1-5d6c-be45-cc75aee180a0");
        let port = product.component(EntityKind::InputPort, "tmsTripCDC");
        assert_eq!(port.id().to_string(), "3235744b-8d2e-57b5-afba-f66862cc6a21");
        assert_eq!(port.owner(), Some(product));
    }
}
