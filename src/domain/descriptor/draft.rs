//! Parts of 1.0.0-DRAFT, which 1.0.0 has in another form: `contracts` are its `obligations`, and what
//! became tasks of `lifecycleInfo` stood in the components, a block for each phase.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Content;
use super::lifecycle::{LifecycleTask, service};
use super::parts::Component;
use crate::domain::id::{EntityKind, Fqn};
use crate::domain::stage::Phase;

/// A part that only the draft has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Block {
    /// The field.
    pub field: &'static str,
    /// The phase in which it runs, when it is a task.
    pub phase: Option<Phase>,
}

const INFRASTRUCTURE: &[Block] = &[Block { field: "provisionInfo", phase: Some(Phase::Provision) }];
const APPLICATION: &[Block] = &[
    Block { field: "buildInfo", phase: Some(Phase::Build) },
    Block { field: "deployInfo", phase: Some(Phase::Deploy) },
];
const PORT: &[Block] = &[Block { field: "contracts", phase: None }];

/// The parts that only the draft has, of an entity of this kind.
pub const fn blocks(kind: EntityKind) -> &'static [Block] {
    match kind {
        EntityKind::Infrastructure => INFRASTRUCTURE,
        EntityKind::Application => APPLICATION,
        _ => PORT,
    }
}

/// The tasks that the blocks of components stand for, in the order in which they run: by phase, and
/// within it each component after those that it depends on.
pub(super) fn tasks(components: &[Component], resolved: &Value) -> Vec<LifecycleTask> {
    let mut tasks: Vec<(Phase, LifecycleTask)> = Vec::new();
    for component in in_dependency_order(components) {
        let Some(value) = resolved.pointer(&component.pointer) else { continue };
        for block in blocks(component.kind) {
            let (Some(phase), Some(block_value)) = (block.phase, value.get(block.field)) else { continue };
            if !block_value.is_object() {
                continue;
            }
            let task = LifecycleTask {
                name: format!("{}-{}", phase.as_str(), component.name),
                order: None,
                phase: Some(phase),
                service: service(block_value),
                template: block_value.get("template").cloned().map(Content::from),
                configurations: block_value.get("configurations").cloned().map(Content::from),
                pointer: format!("{}/{}", component.pointer, block.field),
            };
            tasks.push((phase, task));
        }
    }
    // The sort is stable: within a phase the order stays.
    tasks.sort_by_key(|(phase, _)| *phase);
    tasks.into_iter().map(|(_, task)| task).collect()
}

/// Components after those of the same product that they depend on; as written, where nothing
/// depends. A circle, which the rules refuse, is cut where it closes.
fn in_dependency_order(components: &[Component]) -> Vec<&Component> {
    let by_name: BTreeMap<&Fqn, usize> = components.iter().enumerate().map(|(at, it)| (&it.fqn, at)).collect();
    let mut ordered = Vec::with_capacity(components.len());
    let mut seen = vec![false; components.len()];
    // Each component on the way, with how many of its dependencies were followed.
    let mut way: Vec<(usize, usize)> = Vec::new();
    for start in 0..components.len() {
        way.push((start, 0));
        while let Some((at, followed)) = way.pop() {
            let (Some(component), Some(was_seen)) = (components.get(at), seen.get_mut(at)) else { continue };
            if followed == 0 && std::mem::replace(was_seen, true) {
                continue;
            }
            match component.depends_on.get(followed) {
                None => ordered.push(component),
                Some(dependency) => {
                    way.push((at, followed + 1));
                    way.extend(by_name.get(dependency).map(|dependency| (*dependency, 0)));
                }
            }
        }
    }
    ordered
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::domain::descriptor::Descriptor;

    #[test]
    fn blocks_become_tasks_of_their_phases_after_what_they_depend_on() {
        let of = |name: &str| format!("urn:dpds:com.example:dataproducts:trips:1:infrastructure:{name}");
        let resolved = json!({
            "dataProductDescriptor": "1.0.0-DRAFT",
            "info": {"name": "trips", "version": "1.0.0", "domain": "d", "owner": {"id": "a@b.c"}},
            "interfaceComponents": {"outputPorts": []},
            "internalComponents": {
                "applicationComponents": [
                    {"name": "sink", "version": "1.0.0", "deployInfo": {"service": {"$href": "k8s"}}, "buildInfo": {}},
                ],
                "infrastructuralComponents": [
                    {"name": "schema", "version": "1.0.0", "dependsOn": [of("database")],
                     "provisionInfo": {"service": {"$href": "azure"}, "configurations": {"SCHEMA": "tracking"}}},
                    {"name": "database", "version": "1.0.0", "provisionInfo": {"service": {"$href": "azure"}}},
                    {"name": "topic", "version": "1.0.0"},
                ],
            },
        });
        let descriptor = Descriptor::from_resolved(&"com.example".parse().unwrap(), &resolved).unwrap();
        let tasks = descriptor.tasks_of("dev").unwrap();
        let names: Vec<&str> = tasks.iter().map(|task| task.name.as_str()).collect();
        assert_eq!(names, ["provision-database", "provision-schema", "build-sink", "deploy-sink"]);
        assert_eq!(tasks[1].pointer, "/internalComponents/infrastructuralComponents/0/provisionInfo");
        assert_eq!(
            tasks[1].configurations.as_ref().map(|it| it.value()).as_deref(),
            Some(&json!({"SCHEMA": "tracking"}))
        );
        assert!(descriptor.tasks_of("prod").is_some(), "the draft has no stages: it is rolled out at all of them");

        let mut mixed = resolved;
        mixed["internalComponents"]["lifecycleInfo"] = json!({"prod": [{"name": "one"}]});
        let descriptor = Descriptor::from_resolved(&"com.example".parse().unwrap(), &mixed).unwrap();
        assert_eq!(descriptor.tasks_of("dev"), None, "stages that are named decide alone");
        assert_eq!(descriptor.tasks_of("prod").unwrap().len(), 1);
    }
}
