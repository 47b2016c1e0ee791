//! Watching local files: the branches of local repositories, and the folders of policies.
//!
//! It makes waiting shorter and is never relied on: every source has its rhythm besides. So a
//! place that cannot be watched (it is not there, the system's limit is reached, a network
//! file system says nothing) is complained about once, tried again now and then, and otherwise
//! left to the rhythm.
//!
//! Who is who: the *listener* is called by `notify` on its own thread for every event. It only
//! marks subjects as changed. The *loop* is one task: it waits for marks, lets things settle, and
//! knocks at the door. The *station* is what is watched now; it is inspected every few seconds,
//! on a thread where blocking is allowed.
//!
//! Named races:
//! * **A change before its place is watched** is not heard. Whenever a place is newly watched, at
//!   start-up as well, its subject is woken.
//! * **A file in a folder that has just been made** may be written before the folder is watched.
//!   The making of the folder is a change itself, and by the time things have settled, the file
//!   is there. Should it come later than that and still before the watch, the rhythm finds it.
//! * **A repository is deleted and cloned again, or swapped by renaming:** the watch hangs on the
//!   old folder. The listener marks a watched folder that goes as lost, and the inspection
//!   compares the folder's identity (a renamed parent is not heard of, and a new folder may get
//!   the old one's number, so neither alone would do).
//! * **Changes that never stop:** things are let settle for [`Pace::quiet`], but no longer than
//!   [`Pace::longest`] after the first.
//! * **A change while the door is knocked at:** marks are taken before knocking, so that a later
//!   one is a new mark, and leads to one more round.
//! * **The kernel drops events:** all subjects are marked.
//! * **The listener wants the lock while the loop adds a watch:** adding waits for `notify`'s thread,
//!   which may stand in the listener. No lock is held while a watch is added or removed.
//! * **Our own doing:** fetching reads the repository, and reading is no change (`Access` events are
//!   dropped). Statuses are written below `refs/notes`, which is not watched. Should git tidy up
//!   on that occasion and write `packed-refs`, that is one look that finds nothing.

mod listener;
mod place;
mod station;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::port::door::{Door, WakeReason};

use listener::Listener;
pub use place::Place;
use place::Subject;
use station::Station;

/// The times of watching.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// How long nothing must have changed before the door is knocked at.
    pub quiet: Duration,
    /// How long to wait for that at most.
    pub longest: Duration,
    /// How often to see whether everything is still watched.
    pub inspection: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self { quiet: Duration::from_millis(200), longest: Duration::from_secs(2), inspection: Duration::from_secs(10) }
    }
}

/// Watches the places until it is cancelled.
pub async fn watch(door: Arc<dyn Door>, places: Vec<Place>, pace: Pace, cancel: CancellationToken) {
    let listener = Arc::new(Listener::default());
    let station = Station::new(places, Arc::clone(&listener), station::recommended);
    run(door, station, listener, pace, cancel).await;
}

async fn run(
    door: Arc<dyn Door>,
    mut station: Station,
    listener: Arc<Listener>,
    pace: Pace,
    cancel: CancellationToken,
) {
    let mut inspections = interval(pace.inspection);
    inspections.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let inspect = tokio::select! {
            () = cancel.cancelled() => return,
            _ = inspections.tick() => true,
            () = listener.heard() => {
                if settle(&listener, pace, &cancel).await.is_break() {
                    return;
                }
                listener.has_lost_something()
            }
        };
        if inspect {
            // Cancelled or not, this ends soon; a station that is lost with its thread is the end.
            match tokio::task::spawn_blocking(move || {
                let fresh = station.inspect();
                (station, fresh)
            })
            .await
            {
                Ok((returned, fresh)) => {
                    station = returned;
                    knock(door.as_ref(), fresh);
                }
                Err(error) => {
                    tracing::error!(%error, "watching local files has ended; sources are looked at by their rhythm");
                    return;
                }
            }
        }
        knock(door.as_ref(), listener.take());
    }
}

/// Waits until nothing has changed for a while.
async fn settle(listener: &Listener, pace: Pace, cancel: &CancellationToken) -> std::ops::ControlFlow<()> {
    let at_the_latest = Instant::now() + pace.longest;
    loop {
        let quiet = (Instant::now() + pace.quiet).min(at_the_latest);
        tokio::select! {
            biased;
            () = cancel.cancelled() => return std::ops::ControlFlow::Break(()),
            () = sleep_until(quiet) => return std::ops::ControlFlow::Continue(()),
            () = listener.heard() => {}
        }
    }
}

fn knock(door: &dyn Door, subjects: BTreeSet<Subject>) {
    for subject in subjects {
        match subject {
            Subject::Source(target) => door.wake(target, WakeReason::FileChange),
            Subject::Policies => door.policies_changed(),
        }
    }
}

#[cfg(test)]
mod tests;
