//! What is watched now, and the keeping of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use notify::{RecursiveMode, Watcher};

use super::listener::Listener;
use super::place::{Place, Spot, Subject};

type AnyWatcher = Box<dyn Watcher + Send>;

/// Makes the watcher, whose events go to the listener.
pub(super) type MakeWatcher = Box<dyn Fn(Arc<Listener>) -> notify::Result<AnyWatcher> + Send>;

/// The operating system's own way of watching.
pub(super) fn recommended(listener: Arc<Listener>) -> notify::Result<AnyWatcher> {
    let watcher = notify::recommended_watcher(move |event| listener.hear(event))?;
    Ok(Box::new(watcher))
}

/// The places, and what is watched of them. Its calls block.
pub(super) struct Station {
    places: Vec<Place>,
    listener: Arc<Listener>,
    make: MakeWatcher,
    watcher: Option<AnyWatcher>,
    watched: BTreeMap<PathBuf, Hold>,
    complaints: BTreeSet<PathBuf>,
}

/// A watch that stands.
#[derive(Debug, PartialEq, Eq)]
struct Hold {
    identity: Option<Identity>,
    concerned: Vec<(Subject, Spot)>,
}

/// Device and number of a folder: they tell it from another one with the same path.
type Identity = (u64, u64);

impl fmt::Debug for Station {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Station").field("places", &self.places).field("watched", &self.watched).finish_non_exhaustive()
    }
}

impl Station {
    /// Nothing is watched before the first inspection.
    pub(super) fn new<M>(places: Vec<Place>, listener: Arc<Listener>, make: M) -> Self
    where
        M: Fn(Arc<Listener>) -> notify::Result<AnyWatcher> + Send + 'static,
    {
        Self {
            places,
            listener,
            make: Box::new(make),
            watcher: None,
            watched: BTreeMap::new(),
            complaints: BTreeSet::new(),
        }
    }

    /// Sees to it that everything is watched that can be; answers with the subjects of which
    /// something is watched only since now, and that may have changed before.
    pub(super) fn inspect(&mut self) -> BTreeSet<Subject> {
        let wanted = self.wanted();
        let mut fresh = BTreeSet::new();
        // The watcher is taken out for the while, so that the rest of the station can be used.
        let Some(mut watcher) = self.take_or_make_watcher() else { return fresh };
        self.let_go(watcher.as_mut(), &wanted);
        for (folder, concerned) in wanted {
            if self.watched.contains_key(&folder) {
                continue;
            }
            // The identity is asked for first: should the folder be swapped right now, the next
            // inspection sees another one.
            let hold = Hold { identity: identity(&folder), concerned };
            let recursive = hold.concerned.iter().any(|(_, spot)| spot.recursive);
            let mode = if recursive { RecursiveMode::Recursive } else { RecursiveMode::NonRecursive };
            self.listener.heed(folder.clone(), hold.concerned.clone());
            match watcher.watch(&folder, mode) {
                Ok(()) => {
                    self.complaints.remove(&folder);
                    fresh.extend(hold.concerned.iter().map(|(subject, _)| subject.clone()));
                    self.watched.insert(folder, hold);
                }
                Err(error) => {
                    self.listener.ignore(&folder);
                    // Of a folder with many folders, some may be watched by now.
                    let _ = watcher.unwatch(&folder);
                    self.complain(&folder, &error.to_string());
                }
            }
        }
        self.watcher = Some(watcher);
        fresh
    }

    /// By folder: who is concerned by what there.
    fn wanted(&mut self) -> BTreeMap<PathBuf, Vec<(Subject, Spot)>> {
        let mut wanted: BTreeMap<PathBuf, Vec<(Subject, Spot)>> = BTreeMap::new();
        for place in self.places.clone() {
            match place.spots() {
                Ok(spots) => {
                    self.complaints.remove(place.folder());
                    for spot in spots {
                        wanted.entry(spot.folder.clone()).or_default().push((place.subject(), spot));
                    }
                }
                Err(reason) => self.complain(place.folder(), reason),
            }
        }
        wanted
    }

    fn take_or_make_watcher(&mut self) -> Option<AnyWatcher> {
        if let Some(watcher) = self.watcher.take() {
            return Some(watcher);
        }
        match (self.make)(Arc::clone(&self.listener)) {
            Ok(watcher) => Some(watcher),
            Err(error) => {
                // Most likely the limit of inotify instances of this user.
                self.complain(Path::new("/"), &error.to_string());
                None
            }
        }
    }

    /// Gives up watches that are lost, no longer wanted, or hang on a folder that is not the one
    /// that stands there now.
    fn let_go(&mut self, watcher: &mut dyn Watcher, wanted: &BTreeMap<PathBuf, Vec<(Subject, Spot)>>) {
        let lost = self.listener.take_lost();
        let gone: Vec<PathBuf> = self
            .watched
            .iter()
            .filter(|(folder, hold)| {
                lost.contains(*folder)
                    || wanted.get(*folder) != Some(&hold.concerned)
                    || identity(folder) != hold.identity
            })
            .map(|(folder, _)| folder.clone())
            .collect();
        for folder in gone {
            // Letting go of a folder lets go of all below it, so those are watched anew as well. That
            // a watch is not there any more is what was to be achieved.
            let _ = watcher.unwatch(&folder);
            let below: Vec<PathBuf> = self.watched.keys().filter(|other| other.starts_with(&folder)).cloned().collect();
            for other in below {
                self.listener.ignore(&other);
                self.watched.remove(&other);
            }
        }
    }

    /// Says it once, until it has been well in between.
    fn complain(&mut self, folder: &Path, reason: &str) {
        if self.complaints.insert(folder.to_owned()) {
            tracing::warn!(
                folder = %folder.display(),
                reason,
                "local files cannot be watched; the source is looked at by its rhythm"
            );
        }
    }
}

fn identity(folder: &Path) -> Option<Identity> {
    let metadata = std::fs::metadata(folder).ok()?;
    Some((metadata.dev(), metadata.ino()))
}
