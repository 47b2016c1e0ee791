//! Activities, as logs of events.

pub mod append;
mod claim;
pub mod load;
mod logs;

use async_trait::async_trait;

use crate::domain::activity::{ActivityEvent, ActivityState, ActivityStatus, FencingToken};
use crate::domain::id::{Revision, SourceName, StageName};
use crate::domain::plan::ActivityId;
use crate::domain::time::Timestamp;
use crate::port::store::{ActivityBook, ActivityRecord, AppendError, LogLine, StageStanding, StoreError};

use super::{Scope, SqlStore};

#[async_trait]
impl ActivityBook for SqlStore {
    async fn unfinished(&self) -> Result<Vec<ActivityRecord>, StoreError> {
        load::unfinished(&mut *self.read().await?).await
    }

    async fn activity(&self, id: &ActivityId) -> Result<Option<ActivityRecord>, StoreError> {
        load::one(&mut *self.read().await?, id).await
    }

    async fn activities_of(&self, source: &SourceName, revision: &Revision) -> Result<Vec<ActivityRecord>, StoreError> {
        load::of_revision(&mut *self.read().await?, source, revision).await
    }

    async fn stage_standing(
        &self,
        source: &SourceName,
        revision: &Revision,
        stage: &StageName,
    ) -> Result<Vec<StageStanding>, StoreError> {
        load::stage_standing(&mut *self.read_once().await?, source, revision, stage).await
    }

    async fn count_at(
        &self,
        source: &SourceName,
        revision: &Revision,
        stage: &StageName,
        statuses: &[ActivityStatus],
        most: usize,
    ) -> Result<usize, StoreError> {
        load::count_at(&mut *self.read_once().await?, (source, revision, stage), statuses, most).await
    }

    async fn troubled(&self, source: &SourceName) -> Result<Vec<ActivityRecord>, StoreError> {
        load::troubled(&mut *self.read().await?, source).await
    }

    async fn claim(
        &self,
        id: &ActivityId,
        holder: &str,
        at: Timestamp,
        until: Timestamp,
    ) -> Result<Option<FencingToken>, StoreError> {
        let mut transaction = self.write(Scope::Activity(id)).await?;
        let token = claim::claim(&mut transaction, id, holder, at, until).await?;
        transaction.commit().await?;
        Ok(token)
    }

    async fn append(
        &self,
        id: &ActivityId,
        token: Option<FencingToken>,
        event: &ActivityEvent,
        at: Timestamp,
    ) -> Result<ActivityState, AppendError> {
        let mut transaction = self.write(Scope::Activity(id)).await?;
        let appended = append::append(&mut transaction, id, token, event, at).await;
        if matches!(appended, Err(AppendError::Fenced | AppendError::Illegal(_))) {
            // Nothing of it was written; that somebody tried is.
            append::count_refused(&mut transaction, id).await?;
        }
        if !matches!(appended, Err(AppendError::Store(_))) {
            transaction.commit().await?;
        }
        appended
    }

    async fn events(&self, id: &ActivityId) -> Result<Vec<(Timestamp, ActivityEvent)>, StoreError> {
        load::events(&mut *self.read_once().await?, id).await
    }

    async fn append_log(&self, id: &ActivityId, token: FencingToken, lines: &[LogLine]) -> Result<(), StoreError> {
        if lines.is_empty() {
            return Ok(());
        }
        let mut transaction = self.write(Scope::Activity(id)).await?;
        if !claim::is_newest(&mut transaction, id, token).await? {
            return Err(StoreError::Fenced);
        }
        logs::append(&mut transaction, id, lines).await?;
        Ok(transaction.commit().await?)
    }

    async fn log(&self, id: &ActivityId) -> Result<Vec<LogLine>, StoreError> {
        logs::read(&mut *self.read_once().await?, id).await
    }
}
