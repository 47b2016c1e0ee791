//! From a planned task to a call in which nothing is left to be decided.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};
use tokio_util::sync::CancellationToken;

use crate::domain::activity::{FencingToken, TaskStatus};
use crate::domain::descriptor::Descriptor;
use crate::domain::id::Fqn;
use crate::domain::placeholder::{self, Placeholder};
use crate::domain::plan::PlannedTask;
use crate::domain::time::Timestamp;
use crate::port::executor::{TaskCall, TaskError, Upstream};
use crate::port::source::FetchError;
use crate::port::store::{ActivityRecord, ContainerRecord, StoreError};
use crate::port::tree::Tree;

use super::super::Engine;

/// What all tasks of an activity share.
pub(super) struct Surroundings {
    /// The product version's published content.
    pub descriptor: Arc<Value>,
    /// The commit's files.
    pub tree: Arc<dyn Tree>,
    /// What runs: of the product itself at all stages, and of what it reads from at this one.
    containers: Vec<ContainerRecord>,
}

/// Why the surroundings cannot be had.
#[derive(Debug, thiserror::Error)]
pub(super) enum SurroundingsError {
    /// The record failed: try again later.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The commit is not here, and cannot be fetched for now: try again later.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// The commit cannot be read any more: the task cannot run.
    #[error("{0}")]
    Gone(String),
}

impl Engine {
    pub(super) async fn surroundings(&self, record: &ActivityRecord) -> Result<Surroundings, SurroundingsError> {
        let planned = &record.planned;
        let product = &planned.container.product;
        let content = self.ports.store.content(&planned.to.digest).await?;
        let version = &planned.to.version;
        let content = content
            .ok_or_else(|| SurroundingsError::Gone(format!("the content of version {version} is not kept any more")))?;
        let descriptor = Descriptor::from_resolved(&self.settings.namespace, &content)
            .map_err(|error| SurroundingsError::Gone(error.to_string()))?;
        let tree = self.tree_of(record).await?;
        let mut products: Vec<Fqn> = planned.upstream.values().filter_map(Fqn::owner).collect();
        products.push(product.clone());
        let containers = self.ports.store.containers(&products).await?;
        let published = serde_json::to_value(descriptor.published());
        let published = published.map_err(|error| SurroundingsError::Gone(error.to_string()))?;
        Ok(Surroundings { descriptor: Arc::new(published), tree, containers })
    }

    /// The files of the activity's commit. Another replica may have planned it, or an earlier run on another
    /// disk: what the mirror lacks is fetched. Only what is missing after that is gone.
    async fn tree_of(&self, record: &ActivityRecord) -> Result<Arc<dyn Tree>, SurroundingsError> {
        let source = &self.ports.source;
        if let Ok(tree) = source.tree(&record.source, &record.revision).await {
            return Ok(tree);
        }
        match source.fetch(&record.source).await {
            Ok(_) => {}
            Err(error @ FetchError::Unknown(_)) => return Err(SurroundingsError::Gone(error.to_string())),
            Err(error) => return Err(SurroundingsError::Fetch(error)),
        }
        let tree = source.tree(&record.source, &record.revision).await;
        tree.map_err(|error| SurroundingsError::Gone(error.to_string()))
    }

    /// The call of one attempt; an error when a placeholder has no value.
    pub(super) fn call(
        &self,
        record: &ActivityRecord,
        surroundings: &Surroundings,
        index: usize,
        task: &PlannedTask,
        attempt: Attempt,
        cancel: &CancellationToken,
    ) -> Result<TaskCall, TaskError> {
        let planned = &record.planned;
        let filled =
            placeholder::fill(&task.configurations.value(), &|wanted| value_of(wanted, record, surroundings, index));
        let configurations = match filled {
            Ok(configurations) => configurations,
            // A task whose placeholders have no value never came to its executor: undoing it needs none.
            Err(_) if attempt.undoing => task.configurations.clone().into_value(),
            Err(error) => return Err(TaskError::permanent(error.to_string())),
        };
        let left = attempt.deadline.duration_since(self.ports.clock.now());
        Ok(TaskCall {
            key: if attempt.undoing { task.key.compensation() } else { task.key.clone() },
            token: attempt.token,
            activity: planned.id.clone(),
            container: planned.container.clone(),
            version: planned.to.clone(),
            task: task.name.clone(),
            phase: task.phase,
            attempt: attempt.number,
            template: task.template.clone().into_value(),
            configurations,
            descriptor: Arc::clone(&surroundings.descriptor),
            source: record.source.clone(),
            revision: record.revision.clone(),
            tree: Arc::clone(&surroundings.tree),
            folder: planned.path.parent(),
            upstream: upstream(record, surroundings),
            timeout: Duration::try_from(left).unwrap_or_default(),
            handle: attempt.handle,
            undoes: attempt.undoing.then(|| task.key.clone()),
            // Cancelling the attempt must not cancel more than it.
            cancel: cancel.child_token(),
        })
    }
}

/// What tells one attempt from another.
pub(super) struct Attempt {
    pub token: FencingToken,
    /// From 1.
    pub number: u32,
    pub handle: Option<String>,
    /// When it is over.
    pub deadline: Timestamp,
    /// Whether it undoes the task.
    pub undoing: bool,
}

/// The results of the tasks of this activity that have ended well, by name.
pub(super) fn results_so_far(record: &ActivityRecord) -> Map<String, Value> {
    let tasks = record.planned.tasks.iter().zip(&record.state.tasks);
    tasks
        .filter_map(|(task, status)| match status {
            TaskStatus::Succeeded { results } => Some((task.name.clone(), results.clone())),
            _ => None,
        })
        .collect()
}

fn value_of(wanted: &Placeholder, record: &ActivityRecord, surroundings: &Surroundings, index: usize) -> Option<Value> {
    let container = &record.planned.container;
    if wanted.stage == container.stage.as_str() {
        let place = record.planned.tasks.iter().take(index).position(|task| task.name == wanted.task)?;
        return match record.state.tasks.get(place)? {
            TaskStatus::Succeeded { results } => wanted.select(results).cloned(),
            _ => None,
        };
    }
    let other = surroundings
        .containers
        .iter()
        .find(|other| other.container.product == container.product && other.container.stage.as_str() == wanted.stage)?;
    wanted.select(other.results.get(&wanted.task)?).cloned()
}

fn upstream(record: &ActivityRecord, surroundings: &Surroundings) -> BTreeMap<String, Upstream> {
    let stage = &record.planned.container.stage;
    let ports = record.planned.upstream.iter();
    ports
        .filter_map(|(name, port)| {
            let owner = port.owner()?;
            let container = surroundings
                .containers
                .iter()
                .find(|other| other.container.product == owner && other.container.stage == *stage)?;
            Some((name.clone(), Upstream { port: port.clone(), results: container.results.clone() }))
        })
        .collect()
}
