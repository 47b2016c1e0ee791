//! The tasks of a product's stages (DPDS 1.0.0, Lifecycle Info Object and Lifecycle Task Object).

use serde_json::Value;

use super::Content;
use crate::domain::pointer::escaped;
use crate::domain::stage::Phase;

/// One task of one stage. Nothing in it is required: an empty one is legal and does nothing.
#[derive(Debug, Clone, PartialEq)]
pub struct LifecycleTask {
    /// `name`, or `task-<position>` counted from 1 as written.
    pub name: String,
    /// `order`.
    pub order: Option<i32>,
    /// The phase in which it runs, where the descriptor says so (1.0.0-DRAFT); else its executor's.
    pub phase: Option<Phase>,
    /// `service.$href`: the name of an executor.
    pub service: Option<String>,
    /// `template`, handed to the executor as it is.
    pub template: Option<Content>,
    /// `configurations`, handed to the executor with its placeholders filled in.
    pub configurations: Option<Content>,
    /// A JSON pointer to the task.
    pub pointer: String,
}

/// All stages as written, the tasks of each in the order in which they run: those with `order`
/// first, ascending; then the others as defined. Equal orders keep the order of definition.
pub(super) fn stages(resolved: &Value) -> Vec<(String, Vec<LifecycleTask>)> {
    const POINTER: &str = "/internalComponents/lifecycleInfo";
    let stages = resolved.pointer(POINTER).and_then(Value::as_object);
    stages
        .into_iter()
        .flatten()
        .map(|(stage, list)| {
            let step = escaped(stage);
            let mut tasks: Vec<LifecycleTask> = list
                .as_array()
                .into_iter()
                .flatten()
                .enumerate()
                .map(|(index, item)| task(item, index, format!("{POINTER}/{step}/{index}")))
                .collect();
            tasks.sort_by_key(|task| task.order.map_or((1, 0), |order| (0, order)));
            (stage.clone(), tasks)
        })
        .collect()
}

/// The executor that a task names. Older descriptors have the name in braces; where that is not allowed,
/// a rule has refused it.
pub(super) fn service(task: &Value) -> Option<String> {
    let name = task.pointer("/service/$href")?.as_str()?;
    let inner = name.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
    Some(inner.unwrap_or(name).to_owned())
}

fn task(item: &Value, index: usize, pointer: String) -> LifecycleTask {
    let name = item.get("name").and_then(Value::as_str).map(str::to_owned);
    LifecycleTask {
        name: name.unwrap_or_else(|| format!("task-{}", index + 1)),
        order: item.get("order").and_then(Value::as_i64).and_then(|order| i32::try_from(order).ok()),
        phase: None,
        service: service(item),
        template: item.get("template").cloned().map(Content::from),
        configurations: item.get("configurations").cloned().map(Content::from),
        pointer,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn ordered_tasks_come_first_and_ties_keep_their_places() {
        let resolved = json!({"internalComponents": {"lifecycleInfo": {"dev": [
            {"name": "free1"}, {"name": "b", "order": 2}, {"name": "a", "order": 1}, {"name": "b2", "order": 2}, {},
        ]}}});
        let stages = stages(&resolved);
        let names: Vec<&str> = stages[0].1.iter().map(|task| task.name.as_str()).collect();
        assert_eq!(names, ["a", "b", "b2", "free1", "task-5"]);
        assert_eq!(stages[0].1[0].pointer, "/internalComponents/lifecycleInfo/dev/2");
    }
}
