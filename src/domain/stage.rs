//! What planning needs to know of the configuration: stages, and what executors do.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::id::{ExecutorName, StageName};

/// The three phases of an activity, in the order in which they run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// Infrastructure.
    Provision,
    /// Applications.
    Build,
    /// Deployment of what was built onto what was provisioned.
    Deploy,
}

impl Phase {
    /// The word, in lower case.
    pub const fn as_str(self) -> &'static str {
        match self {
            Phase::Provision => "provision",
            Phase::Build => "build",
            Phase::Deploy => "deploy",
        }
    }
}

/// One stage of the mesh, in promotion order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stage {
    /// Its name.
    pub name: StageName,
    /// The stages in which a version must run before it comes here.
    pub after: Vec<StageName>,
    /// What lets a rollout begin here; without one, nothing has to.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub gate: Option<Gate>,
    /// What becomes of a rollout that runs when a later commit wants another version.
    #[serde(skip_serializing_if = "OnNewCommit::is_finish", default)]
    pub on_new_commit: OnNewCommit,
}

/// What becomes of a rollout that runs when a later commit wants another version of the same container.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum OnNewCommit {
    /// It goes on to its end, and the newer one begins after it.
    #[default]
    Finish,
    /// It is stopped, and undone where its executors can, as soon as the newer one could begin.
    Cancel,
}

impl OnNewCommit {
    /// Whether it is what stages do that say nothing.
    pub fn is_finish(&self) -> bool {
        *self == OnNewCommit::Finish
    }
}

/// What lets a rollout begin at a stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gate {
    /// How many people have to approve; at least 1.
    pub approvals: u32,
}

/// What planning knows of an executor. How it is reached is not its business.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExecutorProfile {
    /// The phase in which its tasks run.
    pub phase: Phase,
    /// How long one attempt may take, in seconds.
    pub timeout_seconds: u64,
    /// How often a task is tried when it fails for a passing reason; at least 1.
    pub attempts: u32,
}

impl Platform {
    /// Whether what runs at this stage is stopped for a later commit.
    pub fn cancels(&self, stage: &StageName) -> bool {
        self.stages.iter().any(|other| other.name == *stage && other.on_new_commit == OnNewCommit::Cancel)
    }

    /// The gate of a stage, if it has one.
    pub fn gate(&self, stage: &StageName) -> Option<Gate> {
        self.stages.iter().find(|other| other.name == *stage)?.gate
    }
}

/// The platform, as planning sees it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Platform {
    /// Stages, in promotion order.
    pub stages: Vec<Stage>,
    /// Executors by name.
    pub executors: BTreeMap<ExecutorName, ExecutorProfile>,
}
