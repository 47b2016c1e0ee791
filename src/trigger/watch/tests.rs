//! The loop and the station, with a watcher that does as it is told. Real repositories and real
//! file events are in `tests/it/triggers.rs`.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use notify::event::{AccessKind, CreateKind, EventKind, Flag, ModifyKind, RemoveKind};
use notify::{Config, ErrorKind, Event, EventHandler, RecursiveMode, Watcher, WatcherKind};

use super::*;
use crate::trigger::counting_door::CountingDoor;

/// What the watcher was asked for, and whether it obliges.
#[derive(Debug, Default)]
struct Orders {
    full: AtomicBool,
    attempts: AtomicUsize,
    watched: Mutex<BTreeSet<PathBuf>>,
}

struct ObedientWatcher(Arc<Orders>);

impl Watcher for ObedientWatcher {
    fn new<F: EventHandler>(_: F, _: Config) -> notify::Result<Self> {
        Ok(Self(Arc::default()))
    }

    fn watch(&mut self, path: &Path, _: RecursiveMode) -> notify::Result<()> {
        self.0.attempts.fetch_add(1, Ordering::SeqCst);
        if self.0.full.load(Ordering::SeqCst) {
            return Err(notify::Error::new(ErrorKind::MaxFilesWatch));
        }
        self.0.watched.lock().unwrap().insert(path.to_owned());
        Ok(())
    }

    fn unwatch(&mut self, path: &Path) -> notify::Result<()> {
        self.0.watched.lock().unwrap().retain(|watched| !watched.starts_with(path));
        Ok(())
    }

    fn kind() -> WatcherKind {
        WatcherKind::NullWatcher
    }
}

struct Story {
    orders: Arc<Orders>,
    listener: Arc<Listener>,
    station: Station,
    folder: tempfile::TempDir,
}

impl Story {
    fn with_policies() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let orders = Arc::new(Orders::default());
        let listener = Arc::new(Listener::default());
        let told = Arc::clone(&orders);
        let places = vec![Place::Policies { folder: folder.path().join("policies") }];
        let station =
            Station::new(places, Arc::clone(&listener), move |_| Ok(Box::new(ObedientWatcher(Arc::clone(&told)))));
        Self { orders, listener, station, folder }
    }

    fn policies(&self) -> PathBuf {
        self.folder.path().join("policies")
    }
}

fn event(kind: EventKind, path: PathBuf) -> notify::Result<Event> {
    Ok(Event::new(kind).add_path(path))
}

#[test]
fn a_folder_that_is_not_there_is_watched_once_it_is() {
    let mut story = Story::with_policies();
    assert!(story.station.inspect().is_empty());
    std::fs::create_dir(story.policies()).unwrap();
    assert_eq!(story.station.inspect(), BTreeSet::from([Subject::Policies]), "it may have changed before");
    assert!(story.station.inspect().is_empty(), "and is watched once");
    assert_eq!(story.orders.attempts.load(Ordering::SeqCst), 1);
}

#[test]
fn at_the_limit_of_watches_it_goes_on_and_tries_again() {
    let mut story = Story::with_policies();
    std::fs::create_dir(story.policies()).unwrap();
    story.orders.full.store(true, Ordering::SeqCst);
    assert!(story.station.inspect().is_empty());
    story.orders.full.store(false, Ordering::SeqCst);
    assert_eq!(story.station.inspect(), BTreeSet::from([Subject::Policies]));
    assert_eq!(story.orders.attempts.load(Ordering::SeqCst), 2);
}

#[test]
fn a_folder_that_was_swapped_or_lost_is_watched_anew() {
    let mut story = Story::with_policies();
    std::fs::create_dir(story.policies()).unwrap();
    story.station.inspect();
    // Another folder under the same name; the old one is kept, so that its number is not used again.
    std::fs::rename(story.policies(), story.folder.path().join("old")).unwrap();
    std::fs::create_dir(story.policies()).unwrap();
    assert_eq!(story.station.inspect(), BTreeSet::from([Subject::Policies]));
    // The same number, but the listener has heard that the watched folder went.
    story.listener.hear(event(EventKind::Remove(RemoveKind::Folder), story.policies()));
    assert!(story.listener.has_lost_something());
    assert_eq!(story.station.inspect(), BTreeSet::from([Subject::Policies]));
    assert_eq!(story.orders.attempts.load(Ordering::SeqCst), 3);
}

#[test]
fn only_changes_that_matter_are_marked() {
    let mut story = Story::with_policies();
    std::fs::create_dir(story.policies()).unwrap();
    story.station.inspect();
    let rule = story.policies().join("naming.rego");
    story.listener.hear(event(EventKind::Access(AccessKind::Any), rule.clone()));
    story.listener.hear(event(EventKind::Create(CreateKind::File), story.policies().join("notes.txt")));
    story.listener.hear(Err(notify::Error::new(ErrorKind::MaxFilesWatch)));
    assert!(story.listener.take().is_empty());
    story.listener.hear(event(EventKind::Modify(ModifyKind::Any), rule));
    assert_eq!(story.listener.take(), BTreeSet::from([Subject::Policies]));
    story.listener.hear(Ok(Event::new(EventKind::Other).set_flag(Flag::Rescan)));
    assert_eq!(story.listener.take(), BTreeSet::from([Subject::Policies]), "events were dropped");
}

const PACE: Pace =
    Pace { quiet: Duration::from_millis(200), longest: Duration::from_secs(2), inspection: Duration::from_secs(3600) };

/// A loop whose places are all heard of by hand.
struct Loop {
    door: Arc<CountingDoor>,
    listener: Arc<Listener>,
    running: tokio::task::JoinHandle<()>,
    cancel: CancellationToken,
    _folder: tempfile::TempDir,
    rule: PathBuf,
}

impl Loop {
    async fn begin() -> Self {
        let story = Story::with_policies();
        std::fs::create_dir(story.policies()).unwrap();
        let rule = story.policies().join("naming.rego");
        let (door, cancel) = (Arc::new(CountingDoor::default()), CancellationToken::new());
        let running =
            tokio::spawn(run(Arc::clone(&door) as _, story.station, Arc::clone(&story.listener), PACE, cancel.clone()));
        while door.policies() == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        assert_eq!(door.policies(), 1, "it is watched from now on, and may have changed before");
        Self { door, listener: story.listener, running, cancel, _folder: story.folder, rule }
    }

    fn change(&self) {
        self.listener.hear(event(EventKind::Modify(ModifyKind::Any), self.rule.clone()));
    }

    async fn end(self) {
        self.cancel.cancel();
        self.running.await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn many_changes_in_a_row_knock_once_when_they_are_over() {
    let story = Loop::begin().await;
    for _ in 0..5 {
        story.change();
        tokio::time::sleep(Duration::from_millis(150)).await;
    }
    assert_eq!(story.door.policies(), 1, "things have not settled");
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(story.door.policies(), 2);
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(story.door.policies(), 2);
    story.end().await;
}

#[tokio::test(start_paused = true)]
async fn changes_that_never_stop_do_not_keep_it_from_knocking() {
    let story = Loop::begin().await;
    for _ in 0..100 {
        story.change();
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let knocks = story.door.policies() - 1;
    assert!((4..=5).contains(&knocks), "10 s of changes, and 2 s at the longest: {knocks}");
    story.end().await;
}
