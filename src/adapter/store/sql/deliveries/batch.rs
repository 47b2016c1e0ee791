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
//! - *A delivery comes when the writer has found nothing left.* Its caller begins a new writer, and what that one
//!   has to do is no business of the one that ends.
//! - *Upkeep wants to write while deliveries come.* It waits until none is being written, so that nobody's answer
//!   waits for it; but not for ever, because what comes has to be let go again ([`Batches::quiet`]).
//! - *The same id twice in one transaction.* The second is a duplicate of the first: both are answered
//!   after the commit.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, oneshot};
use tokio::time::timeout;

use crate::adapter::store::sql::{Scope, SqlStore};
use crate::domain::forge::delivery::Delivery;
use crate::port::store::{Recorded, StoreError};

use super::write;

/// How many deliveries share a transaction at most.
const MOST_AT_ONCE: usize = 500;
/// How many may wait. At the pace of a slow disk that is a few seconds' worth: whoever comes later would
/// not be answered in time anyway.
const MOST_WAITING: usize = 10_000;

/// How long upkeep makes way for deliveries.
const UPKEEP_PATIENCE: Duration = Duration::from_secs(1);

/// What waits to be written.
#[derive(Debug, Default)]
pub struct Batches {
    waiting: Mutex<Waiting>,
    /// Rung when nothing is written any more.
    idle: Notify,
}

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
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until no delivery waits for its answer, for a while. Upkeep asks before each of its writes.
    pub async fn quiet(&self) {
        let idle = async {
            loop {
                let rung = self.idle.notified();
                if !self.lock().is_writing {
                    return;
                }
                rung.await;
            }
        };
        // When deliveries never cease, it is done all the same.
        let _ = timeout(UPKEEP_PATIENCE, idle).await;
    }
}

/// A writer. It says that nobody writes any more, also when it is cancelled or panics.
#[derive(Debug)]
struct Writing {
    batches: Arc<Batches>,
    /// Whether it has said so: from then on, another one may be at work.
    has_ended: bool,
}

impl Writing {
    const fn of(batches: Arc<Batches>) -> Self {
        Self { batches, has_ended: false }
    }

    /// Takes the oldest; with none, the writer has ended.
    fn take(&mut self) -> Vec<Entry> {
        let batches = Arc::clone(&self.batches);
        let mut waiting = batches.lock();
        let most = waiting.entries.len().min(MOST_AT_ONCE);
        let taken: Vec<Entry> = waiting.entries.drain(..most).collect();
        if taken.is_empty() {
            self.end(waiting);
        }
        taken
    }

    fn end(&mut self, mut waiting: MutexGuard<'_, Waiting>) {
        waiting.is_writing = false;
        drop(waiting);
        self.has_ended = true;
        self.batches.idle.notify_waiters();
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        if !self.has_ended {
            let batches = Arc::clone(&self.batches);
            let mut waiting = batches.lock();
            waiting.entries.clear();
            self.end(waiting);
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
        tokio::spawn(write_all(store.plain(), Writing::of(batches)));
    }
    let broken = || StoreError::Unavailable("the writing of deliveries broke off".to_owned());
    answered.await.unwrap_or_else(|_| Err(broken()))
}

async fn write_all(store: SqlStore, mut writing: Writing) {
    loop {
        let entries = writing.take();
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

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use crate::domain::forge::delivery::Hint;

    use super::*;

    fn delivery(number: usize) -> Delivery {
        Delivery {
            forge: "hub".parse().unwrap(),
            id: format!("n{number}").parse().unwrap(),
            received_at: "2026-10-01T12:00:00Z".parse().unwrap(),
            hint: Hint::default(),
            targets: Vec::new(),
            commands: Vec::new(),
        }
    }

    async fn open() -> (tempfile::TempDir, SqlStore) {
        let folder = tempfile::tempdir().unwrap();
        let store = SqlStore::open(&folder.path().join("state.db")).await.unwrap();
        (folder, store)
    }

    #[tokio::test]
    async fn when_too_many_wait_the_next_is_refused_at_once_and_those_before_it_are_recorded() {
        let (_folder, store) = open().await;
        // Somebody else writes, and does not come to an end.
        let busy = store.write(Scope::Rows).await.unwrap();
        let mut callers = tokio::task::JoinSet::new();
        let mut call = |number| {
            let store = store.clone();
            callers.spawn(async move { record(&store, delivery(number)).await });
        };
        let waiting = |is_so: fn(&Waiting) -> bool| {
            let deliveries = Arc::clone(&store.deliveries);
            async move {
                while !is_so(&deliveries.lock()) {
                    tokio::task::yield_now().await;
                }
            }
        };
        call(0);
        waiting(|waiting| waiting.is_writing && waiting.entries.is_empty()).await;
        (1..=MOST_WAITING).for_each(&mut call);
        waiting(|waiting| waiting.entries.len() == MOST_WAITING).await;
        let refused = record(&store, delivery(usize::MAX)).await;
        assert!(matches!(&refused, Err(StoreError::Unavailable(why)) if why.contains("too many")), "{refused:?}");
        drop(busy);
        let recorded = callers.join_all().await;
        assert!(recorded.iter().all(Result::is_ok), "{:?}", recorded.iter().find(|recorded| recorded.is_err()));
    }

    #[test]
    fn a_writer_that_has_ended_leaves_the_next_one_alone() {
        let batches = Arc::new(Batches::default());
        let next = || Entry { delivery: delivery(1), answer: oneshot::channel().0 };
        let begin = || {
            let mut waiting = batches.lock();
            waiting.is_writing = true;
            Writing::of(Arc::clone(&batches))
        };
        let mut ended = begin();
        assert!(ended.take().is_empty());
        let mut writing = begin();
        batches.lock().entries.push(next());
        drop(ended);
        assert!(batches.lock().is_writing);
        assert_eq!(writing.take().len(), 1);
        // One that breaks off leaves nothing that nobody would write.
        batches.lock().entries.push(next());
        drop(writing);
        let waiting = batches.lock();
        assert!(!waiting.is_writing && waiting.entries.is_empty());
    }

    #[tokio::test]
    async fn upkeep_makes_way_for_deliveries_and_not_for_ever() {
        let (_folder, store) = open().await;
        store.deliveries.quiet().await;
        let busy = store.write(Scope::Rows).await.unwrap();
        let answered = tokio::spawn({
            let store = store.clone();
            async move { record(&store, delivery(1)).await }
        });
        while !store.deliveries.lock().is_writing {
            tokio::task::yield_now().await;
        }
        let waits = tokio::spawn({
            let deliveries = Arc::clone(&store.deliveries);
            async move { deliveries.quiet().await }
        });
        tokio::task::yield_now().await;
        assert!(!waits.is_finished(), "a delivery waits for its answer");
        drop(busy);
        answered.await.unwrap().unwrap();
        waits.await.unwrap();
        // One that is never answered.
        store.deliveries.lock().is_writing = true;
        let began = Instant::now();
        store.deliveries.quiet().await;
        assert!(began.elapsed() >= UPKEEP_PATIENCE, "{:?}", began.elapsed());
    }
}
