//! What tasks have made for later ones, as far as it is kept by us.

use std::collections::BTreeSet;

use async_trait::async_trait;

use crate::domain::plan::TaskKey;

use super::executor::TaskError;

/// Where artifacts are kept.
#[async_trait]
pub trait Artifacts: Send + Sync {
    /// Removes what was made by other tasks than these and is older than a day; says of how many tasks.
    /// With `dry_run` it is only counted.
    async fn keep_only(&self, tasks: BTreeSet<TaskKey>, dry_run: bool) -> Result<u64, TaskError>;
}
