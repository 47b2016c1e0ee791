//! The published form of a descriptor: its content with the computed, read-only fields (`id`,
//! `fullyQualifiedName`, `entityType`) filled in. It is written down without a copy of the content.

use std::sync::Arc;

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Map, Value};

use super::{COMPUTED, Descriptor};
use crate::domain::id::{EntityKind, Fqn};

/// The content as policies, observers and executors see it; serialised, it is that.
#[derive(Debug)]
pub struct Published<'a> {
    product: &'a Fqn,
    content: Arc<Value>,
}

impl<'a> Published<'a> {
    pub(super) fn of(descriptor: &'a Descriptor) -> Self {
        Self { product: &descriptor.fqn, content: descriptor.content.value() }
    }
}

impl Serialize for Published<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Value::Object(root) = &*self.content else { return self.content.serialize(serializer) };
        let product = self.product;
        let mut map = serializer.serialize_map(Some(root.len()))?;
        for (name, value) in root {
            match (name.as_str(), value) {
                ("info", Value::Object(fields)) => {
                    map.serialize_entry(name, &Identified { fields, fqn: product, kind: EntityKind::DataProduct })?;
                }
                ("interfaceComponents", Value::Object(lists)) => {
                    map.serialize_entry(name, &Lists { lists, product, kinds: &EntityKind::PORTS })?;
                }
                ("internalComponents", Value::Object(lists)) => {
                    let kinds = &[EntityKind::Application, EntityKind::Infrastructure];
                    map.serialize_entry(name, &Lists { lists, product, kinds })?;
                }
                _ => map.serialize_entry(name, value)?,
            }
        }
        map.end()
    }
}

/// A section of the descriptor: lists of components, by the fields of these kinds, and whatever else.
struct Lists<'a> {
    lists: &'a Map<String, Value>,
    product: &'a Fqn,
    kinds: &'a [EntityKind],
}

impl Serialize for Lists<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.lists.iter().map(|(name, value)| {
            let kind = self.kinds.iter().find(|kind| kind.field() == name).copied();
            (name, Listed { value, product: self.product, kind })
        }))
    }
}

/// What stands in a section.
struct Listed<'a> {
    value: &'a Value,
    product: &'a Fqn,
    /// The kind of its items, where it is a list of components.
    kind: Option<EntityKind>,
}

impl Serialize for Listed<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match (self.value, self.kind) {
            (Value::Array(items), Some(kind)) => {
                serializer.collect_seq(items.iter().map(|item| Item { item, product: self.product, kind }))
            }
            (value, _) => value.serialize(serializer),
        }
    }
}

/// A component. One without a name has no identity.
struct Item<'a> {
    item: &'a Value,
    product: &'a Fqn,
    kind: EntityKind,
}

impl Serialize for Item<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let named = self.item.as_object().and_then(|fields| Some((fields, fields.get("name")?.as_str()?)));
        match named {
            Some((fields, name)) => {
                let fqn = self.product.component(self.kind, name);
                Identified { fields, fqn: &fqn, kind: self.kind }.serialize(serializer)
            }
            None => self.item.serialize(serializer),
        }
    }
}

/// Something with a fully qualified name.
struct Identified<'a> {
    fields: &'a Map<String, Value>,
    fqn: &'a Fqn,
    kind: EntityKind,
}

impl Identified<'_> {
    fn write<M: SerializeMap>(&self, map: &mut M, field: &'static str) -> Result<(), M::Error> {
        match field {
            "id" => map.serialize_entry(field, &format_args!("{}", self.fqn.id())),
            "fullyQualifiedName" => map.serialize_entry(field, self.fqn.as_str()),
            _ => map.serialize_entry(field, self.kind.entity_type()),
        }
    }
}

impl Serialize for Identified<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (name, value) in self.fields {
            match COMPUTED.into_iter().find(|computed| computed == name) {
                Some(computed) => self.write(&mut map, computed)?,
                None => map.serialize_entry(name, value)?,
            }
        }
        for computed in COMPUTED.into_iter().filter(|computed| !self.fields.contains_key(*computed)) {
            self.write(&mut map, computed)?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn computed_fields_stand_behind_the_others_wherever_something_has_a_name() {
        let resolved = json!({
            "dataProductDescriptor": "1.0.0",
            "info": {"name": "trips", "version": "2.0.0", "domain": "d", "owner": {"id": "a@b.c"}, "x": null},
            "tags": ["a"],
            "interfaceComponents": {
                "outputPorts": [{"name": "p", "n": 1.50}, {"title": "nameless"}, "no component"],
                "x-ports": [{"name": "not a port"}],
            },
            "internalComponents": {
                "infrastructuralComponents": [{"name": "db"}],
                "lifecycleInfo": {"dev": [{"name": "task"}]},
            },
        });
        let descriptor = Descriptor::from_resolved(&"com.example".parse().unwrap(), &resolved).unwrap();
        let text = serde_json::to_string(&descriptor.published()).unwrap();
        let urn = "urn:dpds:com.example:dataproducts:trips:2";
        let id = |fqn: &str| fqn.parse::<Fqn>().unwrap().id().to_string();
        let identity =
            |fqn: &str, kind: &str| format!(r#""id":"{}","fullyQualifiedName":"{fqn}","entityType":"{kind}""#, id(fqn));
        let expected = [
            r#"{"dataProductDescriptor":"1.0.0","info":{"name":"trips","version":"2.0.0","domain":"d","#,
            r#""owner":{"id":"a@b.c"},"x":null,"#,
            &identity(urn, "dataproduct"),
            r#"},"tags":["a"],"interfaceComponents":{"outputPorts":[{"name":"p","n":1.5,"#,
            &identity(&format!("{urn}:outputports:p"), "outputport"),
            r#"},{"title":"nameless"},"no component"],"x-ports":[{"name":"not a port"}]},"#,
            r#""internalComponents":{"infrastructuralComponents":[{"name":"db","#,
            &identity(&format!("{urn}:infrastructure:db"), "infrastructure"),
            r#"}],"lifecycleInfo":{"dev":[{"name":"task"}]}}}"#,
        ];
        assert_eq!(text, expected.concat());
    }
}
