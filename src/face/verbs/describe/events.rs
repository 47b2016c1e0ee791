//! Tasks and events of an activity, in words.

use serde_json::Value;

use crate::domain::activity::{ActivityEvent, CancelCause, CompensationStatus, TaskStatus};
use crate::domain::policy::Violation;
use crate::domain::time::Timestamp;

pub(super) fn status_words(status: &TaskStatus) -> (&'static str, String) {
    match status {
        TaskStatus::Planned => ("waiting", String::new()),
        TaskStatus::Running { attempt, deadline: Some(until), .. } => {
            ("running", format!(", attempt {attempt} until {}", moment(*until)))
        }
        TaskStatus::Running { attempt, .. } => ("running", format!(", attempt {attempt}")),
        TaskStatus::Retrying { attempts, message, again: Some(again) } => {
            ("waiting", format!(", {attempts} failed, again at {}: {message}", moment(*again)))
        }
        TaskStatus::Retrying { attempts, message, .. } => ("waiting", format!(", {attempts} failed: {message}")),
        TaskStatus::Succeeded { results } => match results.as_object() {
            Some(results) if !results.is_empty() => ("succeeded", format!(" {}", Value::from(results.clone()))),
            _ => ("succeeded", String::new()),
        },
        TaskStatus::Failed { message, .. } => ("failed", format!(": {message}")),
    }
}

pub(super) fn event_words(event: &ActivityEvent) -> String {
    match event {
        ActivityEvent::Claimed { token } => format!("claimed with token {}", token.0),
        ActivityEvent::TaskStarted { task, attempt, .. } => format!("task {} started, attempt {attempt}", task + 1),
        ActivityEvent::TaskCheckpointed { task, .. } => format!("task {} can be found again after a crash", task + 1),
        ActivityEvent::TaskSucceeded { task, .. } => format!("task {} succeeded", task + 1),
        ActivityEvent::TaskFailed { task, attempt, message, retry, .. } => {
            let next = if *retry { "it will be tried again" } else { "for good" };
            format!("task {} failed at attempt {attempt}, {next}: {message}", task + 1)
        }
        ActivityEvent::CancelRequested { why: CancelCause::Person(by), .. } => {
            format!("to be stopped: cancelled by {by}")
        }
        ActivityEvent::CancelRequested { why: CancelCause::Newer(id), .. } => format!("to be stopped for {id}"),
        ActivityEvent::CompensationStarted { task, attempt, .. } => {
            format!("undoing task {} started, attempt {attempt}", task + 1)
        }
        ActivityEvent::CompensationCheckpointed { task, .. } => {
            format!("undoing task {} can be found again after a crash", task + 1)
        }
        ActivityEvent::CompensationSucceeded { task } => format!("task {} is undone", task + 1),
        ActivityEvent::CompensationFailed { task, attempt, message, again } => {
            let next = if again.is_some() { "it will be tried again" } else { "for good" };
            format!("undoing task {} failed at attempt {attempt}, {next}: {message}", task + 1)
        }
        ActivityEvent::Refusing { violations } => {
            format!("refused by policies, and to be undone: {}", messages(violations))
        }
        ActivityEvent::Refused { violations } => format!("refused by policies: {}", messages(violations)),
        ActivityEvent::Succeeded => "succeeded".to_owned(),
        ActivityEvent::Failed => "failed".to_owned(),
        ActivityEvent::Skipped { because } => format!("skipped, because {because} did not succeed"),
        ActivityEvent::Rejected { by, .. } => format!("rejected by {by}"),
        ActivityEvent::Cancelled { by, .. } => format!("cancelled by {by}"),
        ActivityEvent::Superseded { by: Some(by) } => format!("superseded by {by}"),
        ActivityEvent::Superseded { by: None } => "superseded: the product is refused or gone".to_owned(),
    }
}

/// What became of undoing a task.
pub(super) fn undoing_words(status: &CompensationStatus) -> String {
    match status {
        CompensationStatus::Running { attempt, .. } => format!("being undone, attempt {attempt}"),
        CompensationStatus::Retrying { attempts, again, message } => {
            format!("to be undone, {attempts} failed, again at {}: {message}", moment(*again))
        }
        CompensationStatus::Succeeded => "undone".to_owned(),
        CompensationStatus::Failed { message } => format!("could not be undone: {message}"),
    }
}

fn messages(violations: &[Violation]) -> String {
    let each = violations.iter().map(|violation| format!("{} [{}]", violation.message, violation.rule));
    each.collect::<Vec<_>>().join("; ")
}

fn moment(at: Timestamp) -> String {
    at.strftime("%H:%M:%S UTC").to_string()
}
