//! From a stage's lifecycle tasks to planned ones: each named executor known, each placeholder
//! one that will have a value.

use std::collections::BTreeSet;

use crate::domain::descriptor::{Descriptor, LifecycleTask};
use crate::domain::finding::{Finding, Severity};
use crate::domain::id::{ExecutorName, StageName};
use crate::domain::placeholder::{Lookalike, Placeholder, lookalikes, placeholders};
use crate::domain::rule::Rule;
use crate::domain::stage::{Phase, Platform};
use crate::domain::suggest::did_you_mean;

use super::stages::Placed;
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

/// Something that looks like a placeholder and is none.
pub const NO_PLACEHOLDER: Rule = Rule {
    id: "lifecycle/no-placeholder",
    severity: Severity::Warning,
    meaning: "A text in braces begins with the name of a stage or of a task, as a placeholder does, and is not of its form. The executor gets it as it is written.",
    example: "rows: ${dev.result.build.rows}   # it is 'results'",
    remedy: "Write ${<stage>.results.<task>.<field>}; or $${ in the place of ${ where the text is meant as it is.",
    source: "Open Data Mesh, context of configurations",
};

/// A task with what is known of it before it is planned.
pub(super) struct Draft<'a> {
    phase: Phase,
    task: &'a LifecycleTask,
    executor: Option<ExecutorName>,
}

/// The tasks of one stage in the order in which they run, and what is wrong with them.
///
/// Phases run one after the other; within a phase DPDS' order holds, which the descriptor's list
/// already has. An empty task belongs to the phase of the task before it, since it does nothing.
pub(super) fn draft<'a>(
    product: Placed<'a>,
    stage: &StageName,
    before: &[StageName],
    platform: &Platform,
) -> (Vec<Draft<'a>>, Vec<Finding>) {
    let mut findings = Vec::new();
    let mut phased = Vec::new();
    let mut phase = Phase::Provision;
    for task in product.descriptor.tasks_of(stage.as_str()).unwrap_or_default() {
        // A task whose executor is not known refuses the product; what it would return is not missed besides.
        let executor = executor_of(task, platform).unwrap_or_else(|finding| {
            findings.push(finding.into_finding(product));
            None
        });
        let profile = executor.as_ref().and_then(|name| platform.executors.get(name));
        phase = task.phase.or(profile.map(|profile| profile.phase)).unwrap_or(phase);
        phased.push(Draft { phase, task, executor });
    }
    // The sort is stable: within a phase the order stays.
    phased.sort_by_key(|draft| draft.phase);

    let names: BTreeSet<&str> = phased.iter().map(|draft| draft.task.name.as_str()).collect();
    let mut earlier = BTreeSet::new();
    for Draft { task, .. } in &phased {
        if let Some(configurations) = &task.configurations {
            let configurations = configurations.value();
            for placeholder in placeholders(&configurations) {
                if !resolvable(&placeholder, product.descriptor, stage, before, &earlier) {
                    findings.push(unresolved(product, task, &placeholder, stage, &earlier));
                }
            }
            let is_meant =
                |word: &str| names.contains(word) || platform.stages.iter().any(|stage| stage.name.as_str() == word);
            findings.extend(lookalikes(&configurations, &is_meant).iter().map(|found| none(product, task, found)));
        }
        earlier.insert(task.name.as_str());
    }
    (phased, findings)
}

/// The tasks of an activity.
pub(super) fn tasks_of(drafts: Vec<Draft<'_>>, platform: &Platform, activity: &ActivityId) -> Vec<PlannedTask> {
    let of_draft = |(index, Draft { phase, task, executor }): (usize, Draft<'_>)| {
        let profile = executor.as_ref().and_then(|name| platform.executors.get(name));
        PlannedTask {
            name: task.name.clone(),
            phase,
            template: task.template.clone().unwrap_or_default(),
            // Executors always get both parts, so what is not there is `null`.
            configurations: task.configurations.clone().unwrap_or_default(),
            timeout_seconds: profile.map_or(0, |profile| profile.timeout_seconds),
            attempts: profile.map_or(1, |profile| profile.attempts.max(1)),
            key: TaskKey::derive(activity, index, &task.name),
            executor,
        }
    };
    drafts.into_iter().enumerate().map(of_draft).collect()
}

/// A task names an executor that is not there.
struct NoSuchExecutor {
    pointer: String,
    message: String,
    hint: String,
}

impl NoSuchExecutor {
    fn into_finding(self, product: Placed<'_>) -> Finding {
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
            did_you_mean(service, names)
        },
    })
}

fn resolvable(
    placeholder: &Placeholder,
    descriptor: &Descriptor,
    stage: &StageName,
    before: &[StageName],
    earlier: &BTreeSet<&str>,
) -> bool {
    if placeholder.stage == stage.as_str() {
        return earlier.contains(placeholder.task.as_str());
    }
    before.iter().any(|name| name.as_str() == placeholder.stage)
        && descriptor
            .tasks_of(&placeholder.stage)
            .is_some_and(|tasks| tasks.iter().any(|task| task.name == placeholder.task))
}

/// What is no placeholder, and was meant as one.
fn none(product: Placed<'_>, task: &LifecycleTask, found: &Lookalike) -> Finding {
    let pointer = format!("{}/configurations{}", task.pointer, found.pointer);
    let location = (product.locate)(&pointer);
    let message = format!("'{}' is no placeholder, and is passed on as it is written", found.text);
    Finding::warning(NO_PLACEHOLDER.id(), location, pointer, message).with_hint(NO_PLACEHOLDER.hint())
}

fn unresolved(
    product: Placed<'_>,
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
