//! Holding a lease for as long as the work takes that it is for.
//!
//! Needs: a lease outlives its holder's work by a heartbeat, and not the holder by more than its length;
//! whoever has lost one stops, and hands nothing more to anybody.
//!
//! Named races, and the decision for each:
//! - *The process was stopped* (a signal, a machine that slept) *and goes on after the lease's end.* The beat
//!   that was due looks at the clock before it asks for a renewal, and ends the tenure; and whoever is about
//!   to have an effect asks [`Tenure::is_over`], which looks at the clock too.
//! - *The record cannot be asked for a while.* The beat tries again until the lease is over by our own clock.
//!   Whether somebody has taken it over by then does not matter: we stop.
//! - *The renewal is refused.* Another was given the lease: we stop.
//! - *The clock is set.* Forwards, a tenure may end early; backwards, it ends late, and the record refuses
//!   what is written under it.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use tokio::task::{JoinError, JoinHandle};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use crate::domain::time::{Timestamp, to_millis};
use crate::port::clock::Clock;
use crate::port::store::{Lease, LeaseName, Store, StoreError};

use super::Engine;

/// How many heartbeats there are in a lease.
const BEATS: u32 = 3;
/// The longest pause before a lease that another holds is asked for again.
const ASK_EVERY: Duration = Duration::from_secs(5);

/// A lease that is held. Dropping it ends the heartbeat, and leaves the lease to its time.
pub(super) struct Tenure {
    lease: Lease,
    over: CancellationToken,
    /// When it is over unless renewed, in milliseconds.
    until: Arc<AtomicI64>,
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    _beat: AbortOnDrop<()>,
}

impl Tenure {
    /// The proof.
    pub fn lease(&self) -> &Lease {
        &self.lease
    }

    /// Cancelled when it is over, and when `halt` is: see [`Engine::keep`].
    pub fn over(&self) -> &CancellationToken {
        &self.over
    }

    /// Whether it is over, also by the clock: then nothing may be handed to anybody any more.
    pub fn is_over(&self) -> bool {
        if !self.over.is_cancelled() && to_millis(self.clock.now()) >= self.until.load(Ordering::Acquire) {
            self.over.cancel();
        }
        self.over.is_cancelled()
    }

    /// Gives it back before its time.
    pub async fn hand_back(self) {
        if let Err(error) = self.store.hand_back(&self.lease).await {
            debug!(lease = ?self.lease.what, %error, "a lease is left to its time");
        }
    }
}

impl Engine {
    /// The end of a lease that is taken or renewed now.
    pub(super) fn end_of_lease(&self, now: Timestamp) -> Timestamp {
        now.checked_add(self.settings.lease).unwrap_or(now)
    }

    /// Keeps a lease, which was taken until `until`, by its heartbeat. Whatever is done under it stops
    /// when `halt` is cancelled too.
    pub(super) fn keep(&self, lease: Lease, until: Timestamp, halt: &CancellationToken) -> Tenure {
        let over = halt.child_token();
        let ends = Arc::new(AtomicI64::new(to_millis(until)));
        let heart = Heart {
            store: Arc::clone(&self.ports.store),
            clock: Arc::clone(&self.ports.clock),
            lease: lease.clone(),
            length: self.settings.lease,
            until: Arc::clone(&ends),
        };
        let beating = over.clone();
        let beat = tokio::spawn(async move {
            heart.beat().await;
            beating.cancel();
        });
        Tenure {
            lease,
            over,
            until: ends,
            store: Arc::clone(&self.ports.store),
            clock: Arc::clone(&self.ports.clock),
            _beat: AbortOnDrop(beat),
        }
    }

    /// Takes a lease if it is free: the engine whose writes are fenced by it, and the tenure.
    pub(super) async fn lease_now(
        &self,
        name: &LeaseName,
        halt: &CancellationToken,
    ) -> Result<Option<(Arc<Engine>, Tenure)>, StoreError> {
        let now = self.ports.clock.now();
        let until = self.end_of_lease(now);
        let lease = self.ports.store.take_lease(name, &self.settings.holder, now, until).await?;
        Ok(lease.map(|lease| (self.under(&lease), self.keep(lease, until, halt))))
    }

    /// Does `work` at one replica at a time: whenever the lease is free, and for as long as it is ours, until
    /// told to stop. The work is given an engine whose writes are fenced by the lease, and what tells it
    /// that the lease is lost, at which it is broken off. At the stop it ends by itself; then the lease is
    /// handed back.
    pub async fn alone<W, F>(self: &Arc<Self>, name: &LeaseName, stop: &CancellationToken, work: W)
    where
        W: Fn(Arc<Engine>) -> F + Send + Sync,
        F: Future<Output = ()> + Send,
    {
        let pause = (self.settings.lease / BEATS).min(ASK_EVERY);
        while !stop.is_cancelled() {
            // A stop does not end the tenure: the work ends itself, in its own time.
            match self.lease_now(name, &CancellationToken::new()).await {
                Ok(Some((engine, tenure))) => {
                    debug!(lease = name.as_str(), token = tenure.lease().token.0, "taken");
                    let ended = tokio::select! {
                        biased;
                        () = tenure.over().cancelled() => false,
                        () = work(engine) => true,
                    };
                    if ended {
                        tenure.hand_back().await;
                    } else {
                        info!(lease = name.as_str(), "another replica goes on with it");
                    }
                }
                Ok(None) => {}
                Err(error) => warn!(lease = name.as_str(), %error, "a lease could not be asked for; trying again"),
            }
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                () = tokio::time::sleep(pause) => {}
            }
        }
    }
}

/// What renews a lease.
struct Heart {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    lease: Lease,
    length: Duration,
    until: Arc<AtomicI64>,
}

impl Heart {
    /// Returns when the lease is over.
    async fn beat(&self) {
        let mut pause = self.length / BEATS;
        loop {
            tokio::time::sleep(pause).await;
            let now = self.clock.now();
            let left = self.until.load(Ordering::Acquire).saturating_sub(to_millis(now));
            let Some(left) = u64::try_from(left).ok().filter(|left| *left > 0).map(Duration::from_millis) else {
                info!(lease = ?self.lease.what, "a lease is over by the clock: what was done under it stops");
                return;
            };
            let until = now.checked_add(self.length).unwrap_or(now);
            pause = match tokio::time::timeout(left, self.store.renew(&self.lease, until)).await {
                Ok(Ok(true)) => {
                    self.until.store(to_millis(until), Ordering::Release);
                    self.length / BEATS
                }
                Ok(Ok(false)) => {
                    info!(lease = ?self.lease.what, "another was given a lease: what was done under it stops");
                    return;
                }
                Ok(Err(error)) => {
                    warn!(lease = ?self.lease.what, %error, "a lease could not be renewed; trying again");
                    (self.length / BEATS / 4).min(left)
                }
                Err(_) => {
                    info!(lease = ?self.lease.what, "a lease could not be renewed in time: what was done under it stops");
                    return;
                }
            };
        }
    }
}

/// A task that ends with whoever waits for it.
pub(super) struct AbortOnDrop<T>(pub JoinHandle<T>);

impl<T> AbortOnDrop<T> {
    /// Waits for its end.
    pub async fn join(mut self) -> Result<T, JoinError> {
        (&mut self.0).await
    }
}

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}
