//! One data product descriptor, checked and resolved, in the words of DPDS 1.0.0; `draft` knows what
//! 1.0.0-DRAFT says otherwise.
//!
//! The content stays JSON, because most of it belongs to other languages (API definitions,
//! templates, extensions). What Meshwright itself acts upon is typed beside it.

mod content;
pub mod draft;
mod leniency;
mod lifecycle;
mod lineage;
mod parts;
mod plain;
mod published;

pub use content::Content;
pub use leniency::{Compatibility, Leniency};
pub use lifecycle::LifecycleTask;
pub use parts::{Component, Port};
pub use published::Published;

use std::collections::BTreeMap;

use semver::Version;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::canonical;
use super::id::{Digest, Fqn, Namespace};

/// A version of a product, by number and by content.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct VersionRef {
    /// The semantic version of `info.version`.
    pub version: Version,
    /// The digest of the canonical content.
    pub digest: Digest,
}

/// A descriptor that was read, resolved and found whole enough to be acted upon.
#[derive(Debug, Clone)]
pub struct Descriptor {
    /// The product's major version.
    pub fqn: Fqn,
    /// `info.name`.
    pub name: String,
    /// `info.version`.
    pub version: Version,
    /// `info.domain`.
    pub domain: String,
    /// `info.owner.id`.
    pub owner: String,
    /// `info.displayName`, or the name.
    pub display_name: String,
    /// All ports, in DPDS' order of kinds, then as written.
    pub ports: Vec<Port>,
    /// Infrastructural and application components, as written.
    pub components: Vec<Component>,
    /// Stage to tasks, each list in the order in which it runs. Stages as written.
    pub lifecycle: Vec<(String, Vec<LifecycleTask>)>,
    /// Tasks of every stage, in the order in which they run: a descriptor of 1.0.0-DRAFT has no stages.
    /// Empty where there is a `lifecycleInfo`.
    pub every_stage: Vec<LifecycleTask>,
    /// The canonical content: references resolved, `components` and computed fields left out.
    pub content: Content,
    /// The digest of the canonical content.
    pub digest: Digest,
}

/// What resolved content lacks to be a descriptor. The rules of `check` say the same to the user,
/// with a place; whoever sees this has skipped them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the content is no descriptor: {what} at '{pointer}'")]
pub struct NotADescriptor {
    /// What is missing or of the wrong form.
    pub what: &'static str,
    /// Where, as a JSON pointer.
    pub pointer: String,
}

impl Descriptor {
    /// Reads resolved content. `namespace` is the mesh's, from the configuration.
    pub fn from_resolved(namespace: &Namespace, resolved: &Value) -> Result<Self, NotADescriptor> {
        Self::from_resolved_owned(namespace, resolved.clone())
    }

    /// The same, for content that nobody else needs.
    pub fn from_resolved_owned(namespace: &Namespace, resolved: Value) -> Result<Self, NotADescriptor> {
        let missing = |what, pointer: &str| NotADescriptor { what, pointer: pointer.to_owned() };
        let text = |pointer: &'static str| {
            resolved.pointer(pointer).and_then(Value::as_str).ok_or_else(|| missing("a text is missing", pointer))
        };
        let name = text("/info/name")?.to_owned();
        let version =
            Version::parse(text("/info/version")?).map_err(|_| missing("not a semantic version", "/info/version"))?;
        let domain = text("/info/domain")?.to_owned();
        let owner = text("/info/owner/id")?.to_owned();
        let display_name = resolved.pointer("/info/displayName").and_then(Value::as_str).unwrap_or(&name).to_owned();
        let fqn = Fqn::product(namespace, &name, version.major);
        let ports = parts::ports(&fqn, &resolved);
        let components = parts::components(&fqn, &resolved);
        let lifecycle = lifecycle::stages(&resolved);
        let stages = resolved.pointer("/internalComponents/lifecycleInfo").and_then(Value::as_object);
        let has_stages = stages.is_some_and(|stages| !stages.is_empty());
        let every_stage = if has_stages { Vec::new() } else { draft::tasks(&components, &resolved) };
        let content = canonical_content(resolved);
        let digest = canonical::digest(&content);
        Ok(Self {
            fqn,
            name,
            version,
            domain,
            owner,
            display_name,
            ports,
            components,
            lifecycle,
            every_stage,
            content: content.into(),
            digest,
        })
    }

    /// Keeps content in the least memory.
    pub fn pack(&mut self) {
        self.content = self.content.packed();
        for task in self.lifecycle.iter_mut().flat_map(|(_, tasks)| tasks) {
            task.template = task.template.as_ref().map(Content::packed);
            task.configurations = task.configurations.as_ref().map(Content::packed);
        }
    }

    /// The version, by number and content.
    pub fn version_ref(&self) -> VersionRef {
        VersionRef { version: self.version.clone(), digest: self.digest.clone() }
    }

    /// The tasks of one stage, in the order in which they run; `None` when the product does not
    /// name the stage.
    pub fn tasks_of(&self, stage: &str) -> Option<&[LifecycleTask]> {
        let of_stage = self.lifecycle.iter().find(|(name, _)| name == stage).map(|(_, tasks)| tasks.as_slice());
        of_stage.or_else(|| (!self.every_stage.is_empty()).then_some(self.every_stage.as_slice()))
    }

    /// The output ports and products of others that this product reads: the names in
    /// `consumesFrom`, `dependsOn` and an input port's `x-upstream` that belong to other products.
    pub fn upstream(&self) -> Vec<Fqn> {
        lineage::upstream(self)
    }

    /// Input port name to what it reads, where the port says so by `x-upstream`.
    pub fn upstream_by_port(&self) -> BTreeMap<String, Fqn> {
        lineage::upstream_by_port(self)
    }

    /// The content as policies, observers and executors see it: with the computed, read-only
    /// fields (`id`, `fullyQualifiedName`, `entityType`) filled in when it is serialised.
    pub fn published(&self) -> Published<'_> {
        Published::of(self)
    }
}

/// Fields that the platform computes: given or not, they say nothing about the product.
const COMPUTED: [&str; 3] = ["id", "fullyQualifiedName", "entityType"];

/// Resolved content without what does not count: the `components` library (what was used of it
/// now stands where it was referenced) and the computed fields.
fn canonical_content(mut content: Value) -> Value {
    let Some(root) = content.as_object_mut() else { return content };
    root.shift_remove("components");
    if let Some(info) = root.get_mut("info").and_then(Value::as_object_mut) {
        forget_computed(info);
    }
    for section in ["interfaceComponents", "internalComponents"] {
        let Some(lists) = root.get_mut(section).and_then(Value::as_object_mut) else { continue };
        for (field, list) in lists.iter_mut() {
            if field == "lifecycleInfo" {
                continue;
            }
            for item in list.as_array_mut().into_iter().flatten().filter_map(Value::as_object_mut) {
                forget_computed(item);
                for group in ["promises", "expectations", "obligations", "contracts"] {
                    let Some(definitions) = item.get_mut(group).and_then(Value::as_object_mut) else { continue };
                    definitions.values_mut().filter_map(Value::as_object_mut).for_each(forget_computed);
                }
            }
        }
    }
    for tasks in root
        .get_mut("internalComponents")
        .and_then(|internal| internal.get_mut("lifecycleInfo"))
        .and_then(Value::as_object_mut)
        .into_iter()
        .flat_map(|stages| stages.values_mut())
    {
        for task in tasks.as_array_mut().into_iter().flatten() {
            if let Some(template) = task.get_mut("template").and_then(Value::as_object_mut) {
                forget_computed(template);
            }
        }
    }
    content
}

fn forget_computed(fields: &mut Map<String, Value>) {
    for field in COMPUTED {
        fields.shift_remove(field);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn namespace() -> Namespace {
        "it.quantyca".parse().unwrap()
    }

    fn minimal() -> Value {
        json!({
            "dataProductDescriptor": "1.0.0",
            "info": {"name": "tripExecution", "version": "1.2.3", "domain": "d", "owner": {"id": "a@b.c"}},
            "interfaceComponents": {"outputPorts": [{"name": "trips", "version": "1.0.0"}]}
        })
    }

    #[test]
    fn computed_fields_and_the_library_do_not_change_the_digest() {
        let plain = Descriptor::from_resolved(&namespace(), &minimal()).unwrap();
        let mut adorned = minimal();
        adorned["info"]["fullyQualifiedName"] = json!("urn:dpds:it.quantyca:dataproducts:tripExecution:1");
        adorned["interfaceComponents"]["outputPorts"][0]["entityType"] = json!("outputport");
        adorned["components"] = json!({"apis": {}});
        let adorned = Descriptor::from_resolved(&namespace(), &adorned).unwrap();
        assert_eq!(plain.digest, adorned.digest);
        assert_eq!(plain.fqn.as_str(), "urn:dpds:it.quantyca:dataproducts:tripExecution:1");
    }

    #[test]
    fn the_published_form_has_the_computed_fields() {
        let descriptor = Descriptor::from_resolved(&namespace(), &minimal()).unwrap();
        let published = serde_json::to_value(descriptor.published()).unwrap();
        assert_eq!(published["info"]["id"], "2b172838-73b1-5d6c-be45-cc75aee180a0");
        assert_eq!(
            published["interfaceComponents"]["outputPorts"][0]["fullyQualifiedName"],
            "urn:dpds:it.quantyca:dataproducts:tripExecution:1:outputports:trips"
        );
    }

    #[test]
    fn what_is_missing_is_named() {
        let error = Descriptor::from_resolved(&namespace(), &json!({"info": {"name": "x"}})).unwrap_err();
        assert_eq!(error.pointer, "/info/version");
    }
}
