//! Many deliveries, one transaction.
//!
//! Needs: a delivery is answered when it is durable, which costs one `fsync`; a thousand of them come
//! in a second, and a disk does a hundred or so. So all that wait while one transaction is written
//! share the next one.
//!
//! Named races, and the decision for each:
//! - *The caller goes away* (the forge hung up). Its delivery is recorded all the same: the writing is
//!   a task of its own, and the answer finds nobody.
//! - *A delivery comes while the last one is being written.* Whether somebody writes is changed under
//!   the same lock as what waits, so either the writer finds it, or its own caller begins to write.
//! - *The writer ends early.* Whoever waits gets an error, and the next delivery begins a new writer.
//! - *The same id twice in one transaction.* The second is a duplicate of the first: both are answered
//!   after the commit.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use crate::adapter::store::sql::{Scope, SqlStore};
use crate::domain::forge::delivery::Delivery;
use crate::port::store::{Recorded, StoreError};

use super::write;

/// How many deliveries share a transaction at most.
const MOST_AT_ONCE: usize = 500;
/// How many may wait. At the pace of a slow disk that is a few seconds' worth: whoever comes later would
/// not be answered in time anyway.
const MOST_WAITING: usize = 10_000;

/// What waits to be written.
#[derive(Debug, Default)]
pub struct Batches(Mutex<Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    entries: Vec<Entry>,
    is_writing: bool,
}

#[derive(Debug)]
struct Entry {
    delivery: Delivery,
    answer: oneshot::Sender<Result<Recorded, StoreError>>,
}

impl Batches {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        // No code under the lock can panic half-way through a change.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the oldest; with none, the writer has ended.
    fn take(&self) -> Vec<Entry> {
        let mut waiting = self.lock();
        let most = waiting.entries.len().min(MOST_AT_ONCE);
        let taken: Vec<Entry> = waiting.entries.drain(..most).collect();
        waiting.is_writing = !taken.is_empty();
        taken
    }
}

/// Says that nobody writes any more, also when the writer is cancelled or panics.
struct Writing(Arc<Batches>);

impl Drop for Writing {
    fn drop(&mut self) {
        let mut waiting = self.0.lock();
        if waiting.is_writing {
            waiting.is_writing = false;
            waiting.entries.clear();
        }
    }
}

/// Records a delivery together with those that come at the same time.
pub async fn record(store: &SqlStore, delivery: Delivery) -> Result<Recorded, StoreError> {
    let batches = Arc::clone(&store.deliveries);
    let (answer, answered) = oneshot::channel();
    let begin = {
        let mut waiting = batches.lock();
        if waiting.entries.len() >= MOST_WAITING {
            return Err(StoreError::Unavailable("too many deliveries wait to be recorded".to_owned()));
        }
        waiting.entries.push(Entry { delivery, answer });
        !std::mem::replace(&mut waiting.is_writing, true)
    };
    if begin {
        // What many bring is on nobody's terms.
        tokio::spawn(write_all(store.plain(), Writing(batches)));
    }
    let broken = || StoreError::Unavailable("the writing of deliveries broke off".to_owned());
    answered.await.unwrap_or_else(|_| Err(broken()))
}

async fn write_all(store: SqlStore, writing: Writing) {
    loop {
        let entries = writing.0.take();
        if entries.is_empty() {
            return;
        }
        let (deliveries, answers): (Vec<Delivery>, Vec<_>) =
            entries.into_iter().map(|entry| (entry.delivery, entry.answer)).unzip();
        let outcomes: Vec<Result<Recorded, StoreError>> = match write_batch(&store, &deliveries).await {
            Ok(recorded) => recorded.into_iter().map(Ok).collect(),
            Err(error) => deliveries.iter().map(|_| Err(error.clone())).collect(),
        };
        for (answer, outcome) in answers.into_iter().zip(outcomes) {
            // Whoever hung up meanwhile needs no answer.
            let _ = answer.send(outcome);
        }
    }
}

async fn write_batch(store: &SqlStore, deliveries: &[Delivery]) -> Result<Vec<Recorded>, StoreError> {
    let mut transaction = store.write(Scope::Deliveries).await?;
    let recorded = write::record(&mut transaction, deliveries).await?;
    transaction.commit().await?;
    Ok(recorded)
}
