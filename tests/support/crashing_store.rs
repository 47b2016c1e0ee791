//! A store that stops answering after a number of recorded events, as if the process had been
//! killed right then: what was written before stays, and nothing is written any more.

use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use meshwright::port::store::{Store, StoreError};
use tokio_util::sync::CancellationToken;

use super::wrapped_store::{Hook, Kind, WrappedStore};

/// A store that dies after a number of writes.
pub type CrashingStore = WrappedStore<Death>;

/// When the store dies. What ends by itself is not counted: dying after it is dying before the next write.
#[derive(Debug, Clone)]
pub struct Death {
    left: Arc<AtomicI64>,
    /// Cancelled at that moment.
    pub died: CancellationToken,
}

impl CrashingStore {
    /// Dies after this many writes.
    pub fn new(inner: Arc<dyn Store>, writes: i64) -> Self {
        let death = Death { left: Arc::new(AtomicI64::new(writes)), died: CancellationToken::new() };
        Self::with(inner, death)
    }
}

impl Death {
    /// How many writes were made of those that were allowed.
    pub fn writes_left(&self) -> i64 {
        self.left.load(Ordering::SeqCst)
    }
}

fn dead() -> StoreError {
    StoreError::Unavailable("killed".to_owned())
}

impl Hook for Death {
    async fn call<T, E>(
        &self,
        kind: Kind,
        _: &'static str,
        made: impl Future<Output = Result<T, E>> + Send,
    ) -> Result<T, E>
    where
        T: Send,
        E: From<StoreError> + Debug + Send,
    {
        if kind != Kind::Write {
            return if self.writes_left() > 0 { made.await } else { Err(dead().into()) };
        }
        // The last write that is allowed is made, and then the store is dead.
        if self.left.fetch_sub(1, Ordering::SeqCst) <= 0 {
            return Err(dead().into());
        }
        let outcome = made.await?;
        if self.writes_left() <= 0 {
            // Whoever made it never learns of it.
            self.died.cancel();
            return Err(dead().into());
        }
        Ok(outcome)
    }
}
