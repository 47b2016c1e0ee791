//! What passes read and write.

mod descriptors;
pub mod plans;
pub mod reading;
mod record;
pub mod rollouts;
mod versions;

use async_trait::async_trait;

use crate::domain::descriptor::VersionRef;
use crate::domain::id::{Digest, Fqn, RepoPath, SourceName};
use crate::domain::plan::Plan;
use crate::domain::source::Condition;
use crate::domain::time::Timestamp;
use crate::port::store::{ContainerRecord, Pass, PassBook, RecordedVersion, SourceRecord, Standing, StoreError};

use super::{Scope, SqlStore};

#[async_trait]
impl PassBook for SqlStore {
    async fn source(&self, source: &SourceName) -> Result<Option<SourceRecord>, StoreError> {
        reading::source(&mut *self.read_once().await?, source).await
    }

    async fn note_condition(
        &self,
        source: &SourceName,
        url: &str,
        branch: &str,
        condition: Option<&Condition>,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let mut transaction = self.write(Scope::Source(source)).await?;
        record::note_condition(&mut transaction, source, url, branch, condition, at).await?;
        Ok(transaction.commit().await?)
    }

    async fn descriptors_reading(&self, source: &SourceName, files: &[RepoPath]) -> Result<Vec<RepoPath>, StoreError> {
        reading::descriptors_reading(&mut *self.read_once().await?, source, files).await
    }

    async fn descriptors(&self, source: &SourceName) -> Result<Vec<(RepoPath, Option<Fqn>)>, StoreError> {
        reading::descriptors(&mut *self.read_once().await?, source).await
    }

    async fn held_back(&self, source: &SourceName) -> Result<Vec<RepoPath>, StoreError> {
        reading::held_back(&mut *self.read_once().await?, source).await
    }

    async fn standing(&self, source: &SourceName) -> Result<Vec<Standing>, StoreError> {
        reading::standing(&mut *self.read_once().await?, source).await
    }

    async fn latest_versions(&self, products: &[Fqn]) -> Result<Vec<RecordedVersion>, StoreError> {
        reading::latest_versions(&mut *self.read_once().await?, products).await
    }

    async fn version_numbers(&self, product: &Fqn) -> Result<Vec<(VersionRef, bool)>, StoreError> {
        reading::version_numbers(&mut *self.read_once().await?, product).await
    }

    async fn containers(&self, products: &[Fqn]) -> Result<Vec<ContainerRecord>, StoreError> {
        reading::containers(&mut *self.read_once().await?, products).await
    }

    async fn record_pass(&self, pass: &Pass) -> Result<(), StoreError> {
        let mut transaction = self.write(Scope::Source(&pass.plan.source)).await?;
        record::record(&mut transaction, pass).await?;
        Ok(transaction.commit().await?)
    }

    async fn plan(&self, digest: &Digest) -> Result<Option<Plan>, StoreError> {
        plans::read(&mut *self.read().await?, digest).await
    }
}
