//! What an event of an activity means for what is listed, recorded and audited because of it.
//! Pure, and the same for every database.

use serde_json::{Map, Value, json};

use crate::domain::activity::{ActivityEvent, ActivityState, ActivityStatus, CompensationStatus, TaskStatus};
use crate::domain::plan::PlannedActivity;

/// The event's stable word.
pub fn kind(event: &ActivityEvent) -> &'static str {
    match event {
        ActivityEvent::Claimed { .. } => "claimed",
        ActivityEvent::TaskStarted { .. } => "task-started",
        ActivityEvent::TaskCheckpointed { .. } => "task-checkpointed",
        ActivityEvent::TaskSucceeded { .. } => "task-succeeded",
        ActivityEvent::TaskFailed { .. } => "task-failed",
        ActivityEvent::CancelRequested { .. } => "cancel-requested",
        ActivityEvent::Refusing { .. } => "refusing",
        ActivityEvent::CompensationStarted { .. } => "compensation-started",
        ActivityEvent::CompensationCheckpointed { .. } => "compensation-checkpointed",
        ActivityEvent::CompensationSucceeded { .. } => "compensation-succeeded",
        ActivityEvent::CompensationFailed { .. } => "compensation-failed",
        ActivityEvent::Refused { .. } => "refused",
        ActivityEvent::Succeeded => "succeeded",
        ActivityEvent::Failed => "failed",
        ActivityEvent::Skipped { .. } => "skipped",
        ActivityEvent::Rejected { .. } => "rejected",
        ActivityEvent::Cancelled { .. } => "cancelled",
        ActivityEvent::Superseded { .. } => "superseded",
    }
}

/// The audit event's kind, for events that end an activity.
pub fn audit_kind(event: &ActivityEvent) -> Option<&'static str> {
    match event {
        ActivityEvent::Succeeded => Some("activity-succeeded"),
        ActivityEvent::Failed => Some("activity-failed"),
        ActivityEvent::Refused { .. } => Some("activity-refused"),
        ActivityEvent::Skipped { .. } => Some("activity-skipped"),
        ActivityEvent::Rejected { .. } => Some("activity-rejected"),
        ActivityEvent::Cancelled { .. } => Some("activity-cancelled"),
        ActivityEvent::Superseded { .. } => Some("activity-superseded"),
        ActivityEvent::Claimed { .. }
        | ActivityEvent::TaskStarted { .. }
        | ActivityEvent::TaskCheckpointed { .. }
        | ActivityEvent::TaskSucceeded { .. }
        | ActivityEvent::TaskFailed { .. }
        | ActivityEvent::CancelRequested { .. }
        | ActivityEvent::Refusing { .. }
        | ActivityEvent::CompensationStarted { .. }
        | ActivityEvent::CompensationCheckpointed { .. }
        | ActivityEvent::CompensationSucceeded { .. }
        | ActivityEvent::CompensationFailed { .. } => None,
    }
}

/// What the audit event says of it.
pub fn audit_detail(planned: &PlannedActivity, plan: &str, event: &ActivityEvent, message: Option<&str>) -> Value {
    let mut detail = json!({
        "container": planned.container.to_string(),
        "version": planned.to.version.to_string(),
        "digest": planned.to.digest.as_str(),
        "plan": plan,
    });
    if let Some(fields) = detail.as_object_mut() {
        if let Some(message) = message {
            fields.insert("message".to_owned(), Value::from(message));
        }
        if let ActivityEvent::Refused { violations } = event {
            let rules = violations.iter().map(|violation| Value::from(violation.rule.as_str())).collect();
            fields.insert("rules".to_owned(), Value::Array(rules));
        }
    }
    detail
}

/// Whether the event may be written without a claim: those of activities that never begin, and the decision
/// that one which runs is to be stopped.
pub fn needs_no_claim(state: &ActivityState, event: &ActivityEvent) -> bool {
    use ActivityEvent as E;
    match event {
        E::CancelRequested { .. } => state.status == ActivityStatus::Running,
        E::Skipped { .. } | E::Rejected { .. } | E::Cancelled { .. } | E::Superseded { .. } => {
            state.status == ActivityStatus::Waiting
        }
        _ => false,
    }
}

/// How many tasks have succeeded.
pub fn done(state: &ActivityState) -> i64 {
    let done = state.tasks.iter().filter(|task| matches!(task, TaskStatus::Succeeded { .. })).count();
    i64::try_from(done).unwrap_or(i64::MAX)
}

/// Why the activity did not go as planned, in a sentence, as of `event` and the state after it. What could
/// not be undone is said after the first cause.
pub fn message(planned: &PlannedActivity, state: &ActivityState, event: &ActivityEvent) -> Option<String> {
    let cause = cause(planned, state, event);
    let left = state.compensations.iter().find_map(|(index, status)| match status {
        CompensationStatus::Failed { message } => Some((planned.tasks.get(*index)?, message)),
        _ => None,
    });
    match left {
        Some((task, why)) => Some(format!("{}; {} could not be undone: {why}", cause.unwrap_or_default(), task.name)),
        None => cause,
    }
}

fn cause(planned: &PlannedActivity, state: &ActivityState, event: &ActivityEvent) -> Option<String> {
    match event {
        ActivityEvent::Skipped { because } => {
            return Some(format!("{because}, for which it waited, did not succeed"));
        }
        ActivityEvent::Superseded { by: Some(by) } => {
            return Some(format!("{by} takes its place"));
        }
        ActivityEvent::Superseded { by: None } => return Some("a later commit no longer wants it".to_owned()),
        _ => {}
    }
    let refused = match event {
        ActivityEvent::Refused { violations } => Some(violations),
        _ => state.refusal.as_ref(),
    };
    if let Some(violations) = refused {
        return Some(match violations.as_slice() {
            [] => "policies refused it".to_owned(),
            [only] => only.message.clone(),
            [first, others @ ..] => format!("{} (and {} more)", first.message, others.len()),
        });
    }
    let decided = state.rejection.as_ref().map(ToString::to_string);
    let decided = decided.or_else(|| state.cancellation.as_ref().map(ToString::to_string));
    decided.or_else(|| {
        state.tasks.iter().zip(&planned.tasks).find_map(|(status, task)| match status {
            TaskStatus::Failed { message, .. } => Some(format!("{}: {message}", task.name)),
            TaskStatus::Retrying { message, .. } => Some(format!("{} will be tried again: {message}", task.name)),
            TaskStatus::Planned | TaskStatus::Running { .. } | TaskStatus::Succeeded { .. } => None,
        })
    })
}

/// What the tasks returned, by their names. Of two tasks with one name, the later counts.
pub fn results(planned: &PlannedActivity, state: &ActivityState) -> Map<String, Value> {
    let finished = planned.tasks.iter().zip(&state.tasks).filter_map(|(task, status)| match status {
        TaskStatus::Succeeded { results } => Some((task.name.clone(), results.clone())),
        _ => None,
    });
    finished.collect()
}
