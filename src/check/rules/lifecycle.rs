//! Stages and tasks (DPDS 1.0.0, Lifecycle Info Object and Lifecycle Task Object).

use std::borrow::Cow;
use std::collections::HashMap;

use serde_json::Value;

use super::{Entity, Subject, rules};
use crate::check::report::Report;
use crate::check::yaml::shown;
use crate::domain::descriptor::draft::blocks;
use crate::domain::id::{ExecutorName, StageName};

pub(super) fn check(subject: &Subject<'_>, entities: &[Entity<'_>], findings: &mut Report) {
    for entity in entities {
        for block in blocks(entity.kind).iter().filter(|block| block.phase.is_some()) {
            let block = block.field;
            let executor = entity.value.get(block).and_then(|block| block.pointer("/service/$href")?.as_str());
            if let Some(executor) = executor {
                service(subject, executor, format!("{}/{block}/service/$href", entity.pointer()), findings);
            }
        }
    }
    for (stage, tasks, pointer) in subject.stages() {
        if let Err(error) = stage.parse::<StageName>() {
            let message = format!("{} is not the name of a stage", shown(stage));
            findings.push(subject.key_finding(&rules::STAGE_NAME, pointer.clone(), message, error.rule));
        }
        task_names(subject, tasks, &pointer, findings);
        orders(subject, tasks, &pointer, findings);
        for (index, task) in tasks.iter().enumerate() {
            if findings.is_full() {
                return;
            }
            if let Some(executor) = task.pointer("/service/$href").and_then(Value::as_str) {
                service(subject, executor, format!("{pointer}/{index}/service/$href"), findings);
            }
        }
    }
}

fn task_names(subject: &Subject<'_>, tasks: &[Value], stage: &str, findings: &mut Report) {
    if tasks.len() < 2 {
        return;
    }
    let mut taken: HashMap<Cow<'_, str>, usize> = HashMap::new();
    for (index, task) in tasks.iter().enumerate() {
        let given = task.get("name").and_then(Value::as_str);
        // The name that the plan gives to a task without one.
        let name = given.map_or_else(|| Cow::from(format!("task-{}", index + 1)), Cow::from);
        match taken.get(&name) {
            Some(_) if findings.is_full() => return,
            Some(first) => {
                let field = if given.is_some() { "/name" } else { "" };
                let message = format!("the task name {} is taken by item {} of the stage", shown(&name), first + 1);
                let hint = "rename one of them; results of tasks are addressed by name";
                let pointer = format!("{stage}/{index}{field}");
                findings.push(subject.finding(&rules::DUPLICATE_TASK, pointer, message, hint));
            }
            None => {
                taken.insert(name, index);
            }
        }
    }
}

fn orders(subject: &Subject<'_>, tasks: &[Value], stage: &str, findings: &mut Report) {
    let mut taken: HashMap<i64, usize> = HashMap::new();
    for (index, task) in tasks.iter().enumerate() {
        let Some(order) = task.get("order").filter(|order| order.is_number()) else { continue };
        let pointer = format!("{stage}/{index}/order");
        match order.as_i64() {
            Some(whole) => match taken.get(&whole) {
                Some(_) if !findings.wants(rules::DUPLICATE_ORDER.severity) => {}
                Some(first) => {
                    let message = format!("item {} of the stage has the order {whole} as well", first + 1);
                    let hint = "give each task its own order; these run one after the other, as written";
                    findings.push(subject.finding(&rules::DUPLICATE_ORDER, pointer, message, hint));
                }
                None => {
                    taken.insert(whole, index);
                }
            },
            // JSON Schema takes 1.0 for a whole number; readers with typed numbers do not. What has
            // a fraction was said by the schema.
            None if order.as_f64().is_some_and(|float| float.fract() == 0.0) => {
                let message = format!("the order {order} is not written as a whole number");
                findings.push(subject.finding(&rules::ORDER, pointer, message, "write it without a point"));
            }
            None => {}
        }
    }
}

fn service(subject: &Subject<'_>, executor: &str, pointer: String, findings: &mut Report) {
    if executor.parse::<ExecutorName>().is_ok() {
        return;
    }
    let inner = executor.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
    match inner.filter(|inner| inner.parse::<ExecutorName>().is_ok()) {
        Some(inner) => {
            let message = format!("the executor's name stands in braces: {}", shown(executor));
            let finding = subject.finding(&rules::EXECUTOR_IN_BRACES, pointer, message, format!("write '{inner}'"));
            findings.push_mendable(finding, executor, inner);
        }
        None => {
            let message = format!("{} is not the name of an executor", shown(executor));
            let hint = "write a name: letters, digits, '-', '_' and '.'; where the executor is, only the platform's configuration says";
            findings.push(subject.finding(&rules::EXECUTOR_NAME, pointer, message, hint));
        }
    }
}
