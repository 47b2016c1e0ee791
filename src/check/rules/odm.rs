//! Names and ids as the first generation of Open Data Mesh computes them: the name without the major
//! version, of parts with the versions in it, and ids as Java's `UUID.nameUUIDFromBytes` makes them.

use md5::{Digest, Md5};
use serde_json::Value;
use uuid::{Builder, Uuid};

use super::Subject;
use crate::domain::id::EntityKind;

/// Whether a name has the older form of the entity's own name.
pub(super) fn is_name(given: &str, subject: &Subject<'_>, value: &Value, kind: EntityKind) -> bool {
    let text = |value: &Value, field: &str| value.get(field).and_then(Value::as_str).map(str::to_owned);
    let Some(info) = subject.content.get("info") else { return false };
    let Some(product) = text(info, "name") else { return false };
    let namespace = subject.namespace;
    let products =
        [format!("urn:{namespace}:dataproducts:{product}"), format!("urn:dpds:{namespace}:dataproducts:{product}")];
    let Some(rest) = products.iter().find_map(|product| given.strip_prefix(product.as_str())) else { return false };
    if kind == EntityKind::DataProduct {
        return rest.is_empty();
    }
    let (Some(name), Some(product_version)) = (text(value, "name"), text(info, "version")) else { return false };
    let version = text(value, "version").unwrap_or_default();
    let lists =
        [kind.fqn_segment(), if kind == EntityKind::Infrastructure { "infrastructures" } else { kind.fqn_segment() }];
    lists.iter().any(|list| {
        let short = format!(":{product_version}:{list}:{name}");
        rest == short
            || rest.strip_prefix(short.as_str()).is_some_and(|tail| tail.strip_prefix(':') == Some(version.as_str()))
    })
}

/// The id that belongs to a name: version 3, of the name alone.
pub(super) fn id_of(name: &str) -> Uuid {
    Builder::from_md5_bytes(Md5::digest(name.as_bytes()).into()).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_those_of_the_first_generation() {
        // The vector of Open Data Mesh's own implementation.
        let id = id_of("urn:dpds:it.quantyca:dataproducts:tripExecution:1");
        assert_eq!(id.to_string(), "1f541d38-37fc-3753-beb8-e69f480c6916");
    }
}
