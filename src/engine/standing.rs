//! Working out what is said of a source, and recording it while it is still so.
//!
//! A named race: an activity ends while a pass works out what its commit shows. Were the pass to record what it
//! read before, the commit would stay pending for ever.
//!
//! Decision: whoever records something that was worked out from how a source stands names the [`Basis`] that
//! was there before the first reading, and the record refuses it as [`StoreError::Moved`] when that is
//! another by now. Then all is worked out anew. Somebody's write always goes through, so that the work as
//! a whole goes on; and those of one process queue up at a gate before that, because each refusal costs the
//! work. (Not so what is told to proposals, which is worked out fast.) What an activity's end changes is told apart from it (`reports::telling`), so that ends wait for nothing
//! but a moment at the gate.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use tokio::sync::{Mutex, OwnedMutexGuard};
use tracing::debug;

use crate::domain::id::SourceName;
use crate::port::store::{Basis, Matter, Store, StoreError};

use super::pause::part_of;
use super::{Engine, PassError};

/// After so many refusals in a row it is left to the next look.
const MOST_TRIES: u32 = 20;
/// The longest pause before the first further try; it grows with each.
const PAUSE: Duration = Duration::from_millis(5);

/// A source that stands still while something is worked out from it, or else what is written is refused.
pub(super) struct Standing<'e> {
    engine: &'e Engine,
    basis: Basis,
    /// The record, in which nothing is written unless the source stands as it did.
    pub store: Arc<dyn Store>,
    tries: u32,
    _gate: Option<OwnedMutexGuard<()>>,
}

/// A gate for each source.
#[derive(Debug, Default)]
pub(super) struct Stands(std::sync::Mutex<BTreeMap<SourceName, Arc<Mutex<()>>>>);

impl Engine {
    /// Waits for its turn among those of this process that change how the source stands.
    pub(super) async fn gate_of(&self, source: &SourceName) -> OwnedMutexGuard<()> {
        let gate = {
            let mut gates = self.stands.0.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(gates.entry(source.clone()).or_default())
        };
        gate.lock_owned().await
    }

    /// Waits for its turn, and takes down how the source stands.
    pub(super) async fn stand<'e>(&'e self, source: &SourceName, of: Matter) -> Result<Standing<'e>, StoreError> {
        let gate = match of {
            Matter::Rollouts | Matter::Decisions => Some(self.gate_of(source).await),
            Matter::Proposals => None,
        };
        let basis = self.ports.store.basis(source, of).await?;
        let store = self.ports.store.upon(&basis);
        Ok(Standing { engine: self, basis, store, tries: 0, _gate: gate })
    }
}

impl Standing<'_> {
    /// Whether this refusal says that all is to be worked out anew. If so, the source's standing was taken
    /// down anew.
    pub async fn moved(&mut self, error: &impl MayMove) -> Result<bool, StoreError> {
        if !error.is_moved() || self.tries >= MOST_TRIES {
            return Ok(false);
        }
        self.tries += 1;
        debug!(source = %self.basis.source, tries = self.tries, "the source stands otherwise by now; anew");
        // Others were refused at the same moment, and are not to come back together with us.
        let (tries, edition) = (self.tries.to_string(), self.basis.edition.to_string());
        let what = [self.engine.settings.holder.as_str(), self.basis.source.as_str(), &edition, &tries];
        tokio::time::sleep(part_of(PAUSE * self.tries, what)).await;
        self.basis = self.engine.ports.store.basis(&self.basis.source, self.basis.of).await?;
        self.store = self.engine.ports.store.upon(&self.basis);
        Ok(true)
    }
}

/// An error that may be a [`StoreError::Moved`].
pub(super) trait MayMove {
    /// Whether it is.
    fn is_moved(&self) -> bool;
}

impl MayMove for StoreError {
    fn is_moved(&self) -> bool {
        matches!(self, StoreError::Moved)
    }
}

impl MayMove for PassError {
    fn is_moved(&self) -> bool {
        matches!(self, PassError::Store(StoreError::Moved))
    }
}
