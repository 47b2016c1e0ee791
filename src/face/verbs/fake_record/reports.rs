//! What is told, and what people decide.

use async_trait::async_trait;

use super::FakeRecord;
use crate::domain::forge::{Approval, Hold};
use crate::domain::id::{Digest, RepoPath, Revision, SourceName, StageName};
use crate::domain::report::Report;
use crate::domain::time::Timestamp;
use crate::port::store::{ApprovalBook, Basis, Decision, Pause, ReportBook, StoreError, Untold, WantedReport};

#[async_trait]
impl ReportBook for FakeRecord {
    async fn unpublished(&self, _: &[SourceName], _: Timestamp, _: usize) -> Result<Vec<WantedReport>, StoreError> {
        unreachable!("not shown")
    }

    async fn sources_with_unpublished(&self) -> Result<Vec<SourceName>, StoreError> {
        unreachable!("not shown")
    }

    async fn pending(&self, _: &SourceName, _: &str) -> Result<Vec<Revision>, StoreError> {
        unreachable!("not shown")
    }

    async fn want(&self, _: &[Report], _: Timestamp) -> Result<(), StoreError> {
        unreachable!("nothing is written")
    }

    async fn untold(&self) -> Result<Vec<Untold>, StoreError> {
        unreachable!("not shown")
    }

    async fn tell(&self, _: &StageName, _: &Basis, _: &[Report], _: Timestamp) -> Result<(), StoreError> {
        unreachable!("nothing is written")
    }

    async fn write_anew(&self, _: &SourceName, _: &Revision, _: Timestamp) -> Result<(), StoreError> {
        unreachable!("nothing is written")
    }

    async fn wanted_comment(&self, _: &SourceName, _: u64) -> Result<Option<Report>, StoreError> {
        unreachable!("not shown")
    }

    async fn published(&self, _: &WantedReport, _: Option<&str>, _: Timestamp) -> Result<(), StoreError> {
        unreachable!("nothing is written")
    }

    async fn failed(&self, _: &WantedReport, _: &str, _: Option<Timestamp>, _: Timestamp) -> Result<(), StoreError> {
        unreachable!("nothing is written")
    }

    async fn pause(&self, _: &[SourceName], _: &Pause, _: Timestamp, _: Timestamp) -> Result<(), StoreError> {
        unreachable!("nothing is written")
    }

    async fn to_verify(&self, _: &[SourceName], _: Timestamp, _: usize) -> Result<Vec<WantedReport>, StoreError> {
        unreachable!("not shown")
    }

    async fn verified(&self, _: &WantedReport, _: Timestamp) -> Result<(), StoreError> {
        unreachable!("nothing is written")
    }

    async fn lost(&self, _: &WantedReport, _: Timestamp) -> Result<(), StoreError> {
        unreachable!("nothing is written")
    }
}

#[async_trait]
impl ApprovalBook for FakeRecord {
    async fn decide(&self, _: &Decision) -> Result<(), StoreError> {
        unreachable!("nothing is written")
    }

    async fn decided(&self, _: &str) -> Result<Option<String>, StoreError> {
        unreachable!("not shown")
    }

    async fn approvals(&self, _: &Digest, _: &StageName) -> Result<Vec<Approval>, StoreError> {
        unreachable!("not shown")
    }

    async fn holds(&self) -> Result<Vec<Hold>, StoreError> {
        unreachable!("not shown")
    }

    async fn to_retry(&self, _: &SourceName) -> Result<Vec<RepoPath>, StoreError> {
        unreachable!("not shown")
    }
}
