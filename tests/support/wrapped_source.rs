//! A source that stands between whoever calls and the real one. What becomes of its fetches is a
//! [`Hook`]'s business. The port is written down once, here.

use std::sync::Arc;

use async_trait::async_trait;
use meshwright::domain::forge::Proposal;
use meshwright::domain::id::{Revision, SourceName};
use meshwright::domain::source::Head;
use meshwright::port::source::{FetchError, Merge, Source, Touched};
use meshwright::port::tree::{ReadError, Tree};

/// What becomes of fetches, which are made by awaiting `made`.
pub trait Hook: Send + Sync {
    /// The branch is fetched.
    fn fetch<T: Send>(&self, made: impl Future<Output = T> + Send) -> impl Future<Output = T> + Send;

    /// So many proposals are brought together.
    fn brings(&self, _proposals: usize) {}
}

/// The real one, and what stands before it.
pub struct WrappedSource<H> {
    inner: Arc<dyn Source>,
    pub hook: H,
}

impl<H: Hook> WrappedSource<H> {
    pub fn of(inner: Arc<dyn Source>, hook: H) -> Arc<Self> {
        Arc::new(Self { inner, hook })
    }
}

#[async_trait]
impl<H: Hook> Source for WrappedSource<H> {
    async fn fetch(&self, source: &SourceName) -> Result<Head, FetchError> {
        self.hook.fetch(self.inner.fetch(source)).await
    }

    async fn standing(&self, source: &SourceName) -> Option<Head> {
        self.inner.standing(source).await
    }

    async fn tree(&self, source: &SourceName, revision: &Revision) -> Result<Arc<dyn Tree>, ReadError> {
        self.inner.tree(source, revision).await
    }

    async fn touched(
        &self,
        source: &SourceName,
        from: &Revision,
        to: &Revision,
    ) -> Result<Option<Vec<Touched>>, ReadError> {
        self.inner.touched(source, from, to).await
    }

    async fn between(
        &self,
        source: &SourceName,
        from: &Revision,
        to: &Revision,
        limit: usize,
    ) -> Result<Option<Vec<Revision>>, ReadError> {
        self.inner.between(source, from, to, limit).await
    }

    async fn fetch_proposal(
        &self,
        source: &SourceName,
        proposal: &Proposal,
        told: Option<&Revision>,
    ) -> Result<Option<Revision>, FetchError> {
        self.inner.fetch_proposal(source, proposal, told).await
    }

    async fn has_proposal(&self, source: &SourceName, proposal: &Proposal, head: &Revision) -> bool {
        self.inner.has_proposal(source, proposal, head).await
    }

    async fn bring_together(&self, source: &SourceName, proposals: &[Proposal]) {
        self.hook.brings(proposals.len());
        self.inner.bring_together(source, proposals).await;
    }

    async fn merge(&self, source: &SourceName, base: &Revision, head: &Revision) -> Result<Merge, ReadError> {
        self.inner.merge(source, base, head).await
    }

    async fn keep_proposals(&self, source: &SourceName, open: &[Proposal]) -> Result<usize, FetchError> {
        self.inner.keep_proposals(source, open).await
    }
}
