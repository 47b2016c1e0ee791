//! From a stage's lifecycle tasks to planned ones: each named executor known, each placeholder
//! one that will have a value.

use std::collections::BTreeSet;

use crate::domain::descriptor::LifecycleTask;
use crate::domain::finding::{Finding, Severity};
use crate::domain::id::{ExecutorName, StageName};
use crate::domain::placeholder::{Placeholder, placeholders};
use crate::domain::rule::Rule;
use crate::domain::stage::{Phase, Platform};

use super::build::Desired;
use super::{ActivityId, PlannedTask, TaskKey};

/// A task names an executor that the configuration does not have.
pub const UNKNOWN_EXECUTOR: Rule = Rule {
    id: "lifecycle/unknown-executor",
    severity: Severity::Error,
    meaning: "A lifecycle task names an executor that the platform does not have. A descriptor can only name executors; the daemon's configuration defines them.",
    example: "service: { $href: warehous }   # the configuration has 'warehouse'",
    remedy: "Name one of the platform's executors, or ask the platform team to register this one.",
    source: "DPDS 1.0.0, Lifecycle Task Object: service",
};

/// A placeholder names a result that will never be there.
pub const UNRESOLVED_PLACEHOLDER: Rule = Rule {
    id: "lifecycle/unresolved-placeholder",
    severity: Severity::Error,
    meaning: "A placeholder `${stage.results.task.path}` names a task that does not run before the task in which it stands.",
    example: "rows: ${dev.results.biuld.rows}   # the task is called 'build'",
    remedy: "Name a task that runs earlier at the same stage, or one of a stage that comes before it.",
    source: "Open Data Mesh, context of configurations",
};

/// The rules that planning itself has.
pub const RULES: &[Rule] = &[UNKNOWN_EXECUTOR, UNRESOLVED_PLACEHOLDER, super::order::LINEAGE_CYCLE];

/// The tasks of one stage in the order in which they run, and what is wrong with them.
///
/// Phases run one after the other; within a phase DPDS' order holds, which the descriptor's list
/// already has. An empty task belongs to the phase of the task before it, since it does nothing.
pub(super) fn planned_tasks(
    product: &Desired,
    stage: &StageName,
    before: &[StageName],
    platform: &Platform,
    activity: &ActivityId,
) -> (Vec<PlannedTask>, Vec<Finding>) {
    let mut findings = Vec::new();
    let mut phased: Vec<(Phase, &LifecycleTask, Option<ExecutorName>)> = Vec::new();
    let mut phase = Phase::Provision;
    for task in product.descriptor.tasks_of(stage.as_str()).unwrap_or_default() {
        let executor = match executor_of(task, platform) {
            Ok(executor) => executor,
            Err(finding) => {
                findings.push(finding.into_finding(product));
                continue;
            }
        };
        let profile = executor.as_ref().and_then(|name| platform.executors.get(name));
        phase = task.phase.or(profile.map(|profile| profile.phase)).unwrap_or(phase);
        phased.push((phase, task, executor));
    }
    // The sort is stable: within a phase the order stays.
    phased.sort_by_key(|(phase, ..)| *phase);

    let mut earlier = BTreeSet::new();
    let mut tasks = Vec::with_capacity(phased.len());
    for (index, (phase, task, executor)) in phased.into_iter().enumerate() {
        // Executors always get both parts, so what is not there is `null`.
        let configurations = task.configurations.clone().unwrap_or_default();
        for placeholder in placeholders(&configurations.value()) {
            if !resolvable(&placeholder, product, stage, before, &earlier) {
                findings.push(unresolved(product, task, &placeholder, stage, &earlier));
            }
        }
        earlier.insert(task.name.as_str());
        let profile = executor.as_ref().and_then(|name| platform.executors.get(name));
        tasks.push(PlannedTask {
            name: task.name.clone(),
            phase,
            template: task.template.clone().unwrap_or_default(),
            configurations,
            timeout_seconds: profile.map_or(0, |profile| profile.timeout_seconds),
            attempts: profile.map_or(1, |profile| profile.attempts.max(1)),
            key: TaskKey::derive(activity, index, &task.name),
            executor,
        });
    }
    (tasks, findings)
}

/// A task names an executor that is not there.
struct NoSuchExecutor {
    pointer: String,
    message: String,
    hint: String,
}

impl NoSuchExecutor {
    fn into_finding(self, product: &Desired) -> Finding {
        let location = (product.locate)(&self.pointer);
        Finding::error(UNKNOWN_EXECUTOR.id(), location, self.pointer, self.message).with_hint(self.hint)
    }
}

fn executor_of(task: &LifecycleTask, platform: &Platform) -> Result<Option<ExecutorName>, NoSuchExecutor> {
    let Some(service) = &task.service else { return Ok(None) };
    let known = service.parse::<ExecutorName>().ok().filter(|name| platform.executors.contains_key(name));
    if known.is_some() {
        return Ok(known);
    }
    let names: Vec<&str> = platform.executors.keys().map(ExecutorName::as_str).collect();
    Err(NoSuchExecutor {
        pointer: format!("{}/service/$href", task.pointer),
        message: format!("task '{}' names the executor '{service}', which the platform does not have", task.name),
        hint: if names.is_empty() {
            "the configuration has no executors: add one under 'executors'".to_owned()
        } else {
            format!("the platform has: {}", names.join(", "))
        },
    })
}

fn resolvable(
    placeholder: &Placeholder,
    product: &Desired,
    stage: &StageName,
    before: &[StageName],
    earlier: &BTreeSet<&str>,
) -> bool {
    if placeholder.stage == stage.as_str() {
        return earlier.contains(placeholder.task.as_str());
    }
    before.iter().any(|name| name.as_str() == placeholder.stage)
        && product
            .descriptor
            .tasks_of(&placeholder.stage)
            .is_some_and(|tasks| tasks.iter().any(|task| task.name == placeholder.task))
}

fn unresolved(
    product: &Desired,
    task: &LifecycleTask,
    placeholder: &Placeholder,
    stage: &StageName,
    earlier: &BTreeSet<&str>,
) -> Finding {
    let pointer = format!("{}/configurations{}", task.pointer, placeholder.pointer);
    let location = (product.locate)(&pointer);
    let names: Vec<&str> = earlier.iter().copied().collect();
    let hint = if names.is_empty() {
        format!("no task runs before '{}' at stage '{stage}'", task.name)
    } else {
        format!("before '{}' at stage '{stage}' run: {}", task.name, names.join(", "))
    };
    Finding::error(
        UNRESOLVED_PLACEHOLDER.id(),
        location,
        pointer,
        format!("{placeholder} will have no value: no such task runs before '{}'", task.name),
    )
    .with_hint(hint)
}
