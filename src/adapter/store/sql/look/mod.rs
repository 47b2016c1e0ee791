//! What people look at.

mod catalog;
mod rollouts;

use async_trait::async_trait;
use serde_json::Value;

use crate::domain::id::{Digest, Fqn, SourceName};
use crate::port::store::{
    ActivityRow, AuditRow, ContainerRow, DeliveryRow, FindingRow, LeaseRow, Look, PassRow, ProductRow, ProposalRow,
    ReportRow, SourceRow, StoreError, VersionRow, WakeRow,
};

use super::sharing::{leases, wakes};
use super::{SqlStore, deliveries, proposals};

#[async_trait]
impl Look for SqlStore {
    async fn sources(&self) -> Result<Vec<SourceRow>, StoreError> {
        catalog::sources(&mut *self.read_once().await?).await
    }

    async fn products(&self) -> Result<Vec<ProductRow>, StoreError> {
        catalog::products(&mut *self.read_once().await?).await
    }

    async fn versions(&self, product: Option<&Fqn>) -> Result<Vec<VersionRow>, StoreError> {
        catalog::versions(&mut *self.read_once().await?, product).await
    }

    async fn content(&self, digest: &Digest) -> Result<Option<Value>, StoreError> {
        catalog::content(&mut *self.read_once().await?, digest).await
    }

    async fn container_rows(&self) -> Result<Vec<ContainerRow>, StoreError> {
        rollouts::containers(&mut *self.read_once().await?).await
    }

    async fn activity_rows(&self, limit: usize) -> Result<Vec<ActivityRow>, StoreError> {
        rollouts::activities(&mut *self.read_once().await?, limit).await
    }

    async fn report_rows(&self, limit: usize) -> Result<Vec<ReportRow>, StoreError> {
        rollouts::reports(&mut *self.read_once().await?, limit).await
    }

    async fn delivery_rows(&self, limit: usize) -> Result<Vec<DeliveryRow>, StoreError> {
        deliveries::rows(&mut *self.read_once().await?, limit).await
    }

    async fn audit_rows(&self, limit: usize) -> Result<Vec<AuditRow>, StoreError> {
        rollouts::audit(&mut *self.read_once().await?, limit).await
    }

    async fn finding_rows(&self, source: Option<&SourceName>) -> Result<Vec<FindingRow>, StoreError> {
        catalog::findings(&mut *self.read_once().await?, source).await
    }

    async fn proposal_rows(&self, source: Option<&SourceName>, limit: usize) -> Result<Vec<ProposalRow>, StoreError> {
        proposals::rows(&mut *self.read_once().await?, source, limit).await
    }

    async fn pass_rows(&self, source: Option<&SourceName>, limit: usize) -> Result<Vec<PassRow>, StoreError> {
        rollouts::passes(&mut *self.read_once().await?, source, limit).await
    }

    async fn wake_rows(&self, limit: usize) -> Result<Vec<WakeRow>, StoreError> {
        wakes::rows(&mut *self.read_once().await?, limit).await
    }

    async fn lease_rows(&self) -> Result<Vec<LeaseRow>, StoreError> {
        leases::rows(&mut *self.read_once().await?).await
    }
}
