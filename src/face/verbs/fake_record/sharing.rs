//! What replicas share; nobody who looks asks for it.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;

use super::FakeRecord;
use crate::domain::id::SourceName;
use crate::domain::plan::ActivityId;
use crate::domain::time::Timestamp;
use crate::port::store::{
    Basis, Bell, Bells, Lease, LeaseBook, LeaseName, Listener, LookEnd, Matter, Store, StoreError, TakeWake, TakenWake,
    Terms, Wake, WakeBook,
};

#[async_trait]
impl WakeBook for FakeRecord {
    async fn wake(&self, _: &[Wake]) -> Result<(), StoreError> {
        unreachable!("nothing is written")
    }

    async fn take_wake(&self, _: &TakeWake<'_>) -> Result<Option<TakenWake>, StoreError> {
        unreachable!("nothing is written")
    }

    async fn settle_wake(&self, _: &TakenWake, _: &LookEnd, _: Timestamp) -> Result<bool, StoreError> {
        unreachable!("nothing is written")
    }

    async fn next_wake(&self) -> Result<Option<Timestamp>, StoreError> {
        unreachable!("not shown")
    }
}

#[async_trait]
impl LeaseBook for FakeRecord {
    async fn take_lease(
        &self,
        _: &LeaseName,
        _: &str,
        _: Timestamp,
        _: Timestamp,
    ) -> Result<Option<Lease>, StoreError> {
        unreachable!("nothing is written")
    }

    async fn renew(&self, _: &Lease, _: Timestamp) -> Result<bool, StoreError> {
        unreachable!("nothing is written")
    }

    async fn hand_back(&self, _: &Lease) -> Result<(), StoreError> {
        unreachable!("nothing is written")
    }

    async fn recover(&self, _: &str, _: Timestamp) -> Result<u64, StoreError> {
        unreachable!("nothing is written")
    }

    async fn present(&self, _: Timestamp) -> Result<Vec<String>, StoreError> {
        unreachable!("not shown")
    }

    async fn held_by_others(&self, _: &str, _: Timestamp) -> Result<BTreeSet<ActivityId>, StoreError> {
        unreachable!("not shown")
    }
}

#[async_trait]
impl Terms for FakeRecord {
    fn under(&self, _: &Lease) -> Arc<dyn Store> {
        unreachable!("nothing is written")
    }

    fn upon(&self, _: &Basis) -> Arc<dyn Store> {
        unreachable!("nothing is written")
    }

    async fn basis(&self, _: &SourceName, _: Matter) -> Result<Basis, StoreError> {
        unreachable!("not shown")
    }
}

impl Bells for FakeRecord {
    fn ring(&self, _: Bell) {}

    fn listen(&self) -> Box<dyn Listener> {
        unreachable!("nobody listens")
    }
}
