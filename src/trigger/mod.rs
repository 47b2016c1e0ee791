//! Floor 4: what wakes the engine. A trigger carries only a key: which source is to be looked at.
//! What has happened there is found out by looking, so that a lost, doubled or invented wake
//! costs time and nothing else.
//!
//! Each source has a rhythm ([`Rhythm`]: an interval or a cron expression), which alone suffices.
//! Watching local files ([`watch`]) only makes it faster. Absent: reading of repositories, any
//! decision whether there is work, and webhooks, which come in through `face`. Where deliveries of
//! webhooks are lost, `redelivery` asks the forge to make them again, so that they come in there.

mod poll;
mod redelivery;
mod schedule;
pub mod watch;

#[cfg(test)]
mod counting_door;

pub use redelivery::ask_again;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::config::CronSchedule;
use crate::domain::source::Target;
use crate::port::clock::Clock;
use crate::port::door::{Door, WakeReason};

/// A source, as triggers know it.
#[derive(Debug, Clone)]
pub struct Watched {
    /// What to wake.
    pub target: Target,
    /// When to look at the latest.
    pub rhythm: Rhythm,
    /// The repository's folder (with a working tree or bare), when it is on this machine.
    pub repository: Option<PathBuf>,
}

/// How often a source is looked at when nothing else says that it has changed.
#[derive(Debug, Clone)]
pub enum Rhythm {
    /// At intervals of this length, give or take a tenth.
    Every(Duration),
    /// At the times of a cron expression.
    At(Box<CronSchedule>),
}

/// Wakes every source once, and from then on by its rhythm and when its files change; tells of
/// changes below the folders of `policies`. The tasks end soon after `cancel` is cancelled, or
/// at once when the set is dropped. Must be called within a tokio runtime.
pub fn start(
    door: &Arc<dyn Door>,
    clock: &Arc<dyn Clock>,
    sources: &[Watched],
    policies: &[PathBuf],
    cancel: &CancellationToken,
) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    for source in sources {
        door.wake(source.target.clone(), WakeReason::StartUp);
        let (door, target, cancel) = (Arc::clone(door), source.target.clone(), cancel.clone());
        match source.rhythm.clone() {
            Rhythm::Every(interval) => {
                tasks.spawn(poll::poll(door, target, interval, cancel));
            }
            Rhythm::At(schedule) => {
                tasks.spawn(schedule::follow(door, Arc::clone(clock), target, *schedule, cancel));
            }
        }
    }
    let repositories = sources.iter().filter_map(|source| {
        Some(watch::Place::Repository { target: source.target.clone(), folder: source.repository.clone()? })
    });
    let folders = policies.iter().map(|folder| watch::Place::Policies { folder: folder.clone() });
    let places: Vec<watch::Place> = repositories.chain(folders).collect();
    if !places.is_empty() {
        tasks.spawn(watch::watch(Arc::clone(door), places, watch::Pace::default(), cancel.clone()));
    }
    tasks
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trigger::counting_door::{CountingDoor, TokioClock, target};

    #[tokio::test(start_paused = true)]
    async fn every_source_is_woken_at_start_up_and_then_by_its_own_rhythm() {
        let door = Arc::new(CountingDoor::default());
        let cancel = CancellationToken::new();
        let sources = [
            Watched { target: target("often"), rhythm: Rhythm::Every(Duration::from_secs(60)), repository: None },
            Watched {
                target: target("hourly"),
                rhythm: Rhythm::At(Box::new("@hourly".parse().unwrap())),
                repository: None,
            },
        ];
        let clock = Arc::new(TokioClock::starting_at("2026-11-20T06:30:00Z"));
        let mut tasks = start(&(Arc::clone(&door) as _), &(clock as _), &sources, &[], &cancel);
        assert_eq!(door.count(&target("often"), WakeReason::StartUp), 1);
        assert_eq!(door.count(&target("hourly"), WakeReason::StartUp), 1);

        tokio::time::sleep(Duration::from_secs(60 * 60)).await;
        assert_eq!(door.count(&target("hourly"), WakeReason::Schedule), 1);
        let polls = door.count(&target("often"), WakeReason::Poll);
        assert!((54..=67).contains(&polls), "60 polls in an hour, give or take a tenth: {polls}");

        cancel.cancel();
        while tasks.join_next().await.is_some() {}
        let before = door.total();
        tokio::time::sleep(Duration::from_secs(60 * 60)).await;
        assert_eq!(door.total(), before, "nothing wakes after the end");
    }
}
