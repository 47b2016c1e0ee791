//! What policies are asked while an activity is rolled out.

use serde_json::{Value, json};

use crate::domain::activity::{FencingToken, TaskStatus};
use crate::domain::plan::PlannedTask;
use crate::domain::policy::{PolicyEvent, Question, Verdict, Written};
use crate::port::store::ActivityRecord;

use super::super::Engine;
use super::call::{Surroundings, results_so_far};
use super::drive::DriveError;

impl Engine {
    /// Whether the task is the first of its phase, and nothing of the phase was begun yet.
    pub(super) fn begins_phase(&self, record: &ActivityRecord, index: usize) -> bool {
        let phase_of = |index: usize| record.planned.tasks.get(index).map(|task| task.phase);
        let first = index == 0 || phase_of(index - 1) != phase_of(index);
        first && matches!(record.state.tasks.get(index), Some(TaskStatus::Planned))
    }

    pub(super) async fn refused_before_phase(
        &self,
        record: &mut ActivityRecord,
        surroundings: &Surroundings,
        token: FencingToken,
        task: &PlannedTask,
    ) -> Result<bool, DriveError> {
        let stage = record.planned.container.stage.to_string();
        let current = json!({"lifecycle": record.planned.from.as_ref().map(|_| &stage)});
        let tasks: Vec<Value> = record.planned.tasks.iter().map(task_json).collect();
        let after = json!({
            "lifecycle": stage,
            "activity": activity_json(record),
            "tasks": tasks,
            "phase": task.phase,
            "dataProductVersion": *surroundings.descriptor,
        });
        let verdict = self.ask(record, PolicyEvent::ActivityStageTransition, Some(current), Some(after)).await;
        if verdict.allows() {
            return Ok(false);
        }
        self.refuse(record, token, verdict).await?;
        Ok(true)
    }

    pub(super) async fn ask(
        &self,
        record: &ActivityRecord,
        event: PolicyEvent,
        current_state: Option<Value>,
        after_state: Option<Value>,
    ) -> Verdict {
        let question = Question {
            event,
            current_state: current_state.as_ref().map(Written::of),
            after_state: after_state.as_ref().map(Written::of),
            change: None,
            stage: Some(record.planned.container.stage.clone()),
            source: Some(record.source.clone()),
        };
        let answers = self.ports.judge.judge(vec![question]).await;
        answers
            .into_iter()
            .next()
            .unwrap_or_else(|| Verdict::not_evaluated(self.ports.judge.policies(), "the policies gave no answer"))
    }
}

/// An activity as Open Data Mesh's policies see it.
pub(super) fn activity_json(record: &ActivityRecord) -> Value {
    let planned = &record.planned;
    json!({
        "id": planned.id,
        "dataProductId": planned.container.product.id().to_string(),
        "dataProductFqn": planned.container.product,
        "dataProductVersion": planned.to.version.to_string(),
        "stage": planned.container.stage,
        "status": "PROCESSING",
        "results": results_so_far(record),
    })
}

fn task_json(task: &PlannedTask) -> Value {
    json!({
        "name": task.name,
        "phase": task.phase,
        "executor": task.executor,
        "template": task.template,
        "configurations": task.configurations,
    })
}
