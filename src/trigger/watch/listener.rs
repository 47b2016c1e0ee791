//! Hears every event, on the thread of `notify`, and marks what has changed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use notify::event::{EventKind, ModifyKind, RemoveKind, RenameMode};
use tokio::sync::Notify;

use super::place::{Spot, Subject};

/// What is heard goes in here, and is taken out by the loop. However much happens, it holds each
/// subject once.
#[derive(Debug, Default)]
pub(super) struct Listener {
    state: Mutex<State>,
    bell: Notify,
}

#[derive(Debug, Default)]
struct State {
    /// By watched folder: who is concerned by what there.
    spots: BTreeMap<PathBuf, Vec<(Subject, Spot)>>,
    changed: BTreeSet<Subject>,
    lost: BTreeSet<PathBuf>,
}

impl Listener {
    /// Returns when something was heard since the last time; also when that is taken already.
    pub(super) async fn heard(&self) {
        self.bell.notified().await;
    }

    /// Takes what has changed.
    pub(super) fn take(&self) -> BTreeSet<Subject> {
        std::mem::take(&mut self.state().changed)
    }

    /// Takes the watched folders that have gone.
    pub(super) fn take_lost(&self) -> BTreeSet<PathBuf> {
        std::mem::take(&mut self.state().lost)
    }

    /// Whether a watched folder has gone.
    pub(super) fn has_lost_something(&self) -> bool {
        !self.state().lost.is_empty()
    }

    /// From now on, changes in this folder concern these.
    pub(super) fn heed(&self, folder: PathBuf, concerned: Vec<(Subject, Spot)>) {
        self.state().spots.insert(folder, concerned);
    }

    /// Changes in this folder concern nobody any more.
    pub(super) fn ignore(&self, folder: &Path) {
        self.state().spots.remove(folder);
    }

    /// One event, or one failure to hear.
    pub(super) fn hear(&self, event: notify::Result<notify::Event>) {
        match event {
            Ok(event) => self.hear_event(&event),
            Err(error) => {
                tracing::warn!(%error, "not all local files can be watched; sources are looked at by their rhythm");
            }
        }
    }

    fn hear_event(&self, event: &notify::Event) {
        if matches!(event.kind, EventKind::Access(_)) {
            return;
        }
        let mut state = self.state();
        let state = &mut *state;
        let mut matters = false;
        for (subject, spot) in state.spots.values().flatten() {
            if event.need_rescan() || event.paths.iter().any(|path| spot.heeds(path)) {
                state.changed.insert(subject.clone());
                matters = true;
            }
        }
        for path in event.paths.iter().filter(|path| is_going(event.kind) && state.spots.contains_key(*path)) {
            state.lost.insert(path.clone());
            matters = true;
        }
        // The bell is rung for what was marked before as well, so that "quiet" means what it says.
        if matters {
            self.bell.notify_one();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Marks stay true whatever happened to the thread that held the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_going(kind: EventKind) -> bool {
    matches!(
        kind,
        EventKind::Remove(RemoveKind::Any | RemoveKind::Folder | RemoveKind::Other)
            | EventKind::Modify(ModifyKind::Name(RenameMode::Any | RenameMode::From | RenameMode::Both))
    )
}
