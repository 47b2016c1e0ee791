//! What forges are told, what people decide, and what history is kept.

use async_trait::async_trait;
use meshwright::domain::forge::{Approval, Hold};
use meshwright::domain::id::{Digest, RepoPath, Revision, SourceName, StageName};
use meshwright::domain::plan::TaskKey;
use meshwright::domain::report::Report;
use meshwright::domain::time::Timestamp;
use meshwright::port::store::*;

use super::SimStore;
use crate::at_once::at_once;
use crate::world::Broken;

#[async_trait]
impl ReportBook for SimStore {
    async fn unpublished(
        &self,
        sources: &[SourceName],
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<WantedReport>, StoreError> {
        let wanted: Result<Vec<WantedReport>, StoreError> = read!(self.unpublished(sources, now, limit));
        if self.replica.world.broken == Some(Broken::MarkedBeforeSent) {
            for report in wanted.iter().flatten() {
                at_once(self.inner.published(report, report.external.as_deref(), now))?;
            }
        }
        wanted
    }
    async fn sources_with_unpublished(&self) -> Result<Vec<SourceName>, StoreError> {
        read!(self.sources_with_unpublished())
    }
    async fn pending(&self, source: &SourceName, context: &str) -> Result<Vec<Revision>, StoreError> {
        read!(self.pending(source, context))
    }
    async fn want(&self, reports: &[Report], at: Timestamp) -> Result<(), StoreError> {
        write!(self.want(reports, at))
    }
    async fn untold(&self) -> Result<Vec<Untold>, StoreError> {
        read!(self.untold())
    }
    async fn tell(
        &self,
        stage: &StageName,
        basis: &Basis,
        reports: &[Report],
        at: Timestamp,
    ) -> Result<(), StoreError> {
        write!(self.tell(stage, basis, reports, at))
    }
    async fn write_anew(&self, source: &SourceName, revision: &Revision, at: Timestamp) -> Result<(), StoreError> {
        write!(self.write_anew(source, revision, at))
    }
    async fn wanted_comment(&self, source: &SourceName, pull: u64) -> Result<Option<Report>, StoreError> {
        read!(self.wanted_comment(source, pull))
    }
    async fn published(&self, report: &WantedReport, external: Option<&str>, at: Timestamp) -> Result<(), StoreError> {
        write!(self.published(report, external, at))
    }
    async fn failed(
        &self,
        report: &WantedReport,
        message: &str,
        again: Option<Timestamp>,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        write!(self.failed(report, message, again, at))
    }
    async fn pause(
        &self,
        sources: &[SourceName],
        why: &Pause,
        until: Timestamp,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        write!(self.pause(sources, why, until, at))
    }
    async fn to_verify(
        &self,
        sources: &[SourceName],
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<WantedReport>, StoreError> {
        read!(self.to_verify(sources, now, limit))
    }
    async fn verified(&self, report: &WantedReport, at: Timestamp) -> Result<(), StoreError> {
        write!(self.verified(report, at))
    }
    async fn lost(&self, report: &WantedReport, at: Timestamp) -> Result<(), StoreError> {
        write!(self.lost(report, at))
    }
}

#[async_trait]
impl HistoryBook for SimStore {
    async fn prune(&self, part: History, keep: &Kept, most: usize, dry_run: bool) -> Result<u64, StoreError> {
        write!(self.prune(part, keep, most, dry_run))
    }
    async fn needed_tasks(&self) -> Result<Vec<TaskKey>, StoreError> {
        read!(self.needed_tasks())
    }
}

#[async_trait]
impl ApprovalBook for SimStore {
    async fn decide(&self, decision: &Decision) -> Result<(), StoreError> {
        write!(self.decide(decision))
    }
    async fn decided(&self, request: &str) -> Result<Option<String>, StoreError> {
        read!(self.decided(request))
    }
    async fn approvals(&self, plan: &Digest, stage: &StageName) -> Result<Vec<Approval>, StoreError> {
        read!(self.approvals(plan, stage))
    }
    async fn holds(&self) -> Result<Vec<Hold>, StoreError> {
        read!(self.holds())
    }
    async fn to_retry(&self, source: &SourceName) -> Result<Vec<RepoPath>, StoreError> {
        read!(self.to_retry(source))
    }
}
