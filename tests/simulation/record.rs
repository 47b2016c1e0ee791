//! The real record of a run: a file of its own, copied from one that was made once.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use meshwright::adapter::store::SqlStore;
use meshwright::adapter::store::sqlite::SqliteOptions;
use meshwright::port::store::Store;
use tempfile::TempDir;

use super::at_once::at_once;

/// Folders of runs are made in memory, where there is such a file system.
fn folder() -> TempDir {
    let memory = PathBuf::from("/dev/shm");
    let parent = if memory.is_dir() { memory } else { std::env::temp_dir() };
    tempfile::Builder::new().prefix("meshwright-simulation-").tempdir_in(parent).unwrap()
}

fn options() -> SqliteOptions {
    SqliteOptions { busy_timeout: Duration::from_secs(10), readers: 1 }
}

/// An empty record with its schema.
fn template() -> &'static PathBuf {
    static TEMPLATE: OnceLock<(TempDir, PathBuf)> = OnceLock::new();
    &TEMPLATE
        .get_or_init(|| {
            let folder = folder();
            let path = folder.path().join("template.db");
            let store = at_once(SqlStore::open_with(&path, &options())).unwrap();
            at_once(store.close());
            (folder, path)
        })
        .1
}

/// The record of a run.
pub struct Record {
    folder: TempDir,
    open: Mutex<Arc<SqlStore>>,
}

impl Record {
    /// A new one.
    pub fn new() -> Self {
        let folder = folder();
        let path = folder.path().join("state.db");
        std::fs::copy(template(), &path).unwrap();
        let store = at_once(SqlStore::open_with(&path, &options())).unwrap();
        Self { folder, open: Mutex::new(Arc::new(store)) }
    }

    /// The record itself, without anything that goes wrong.
    pub fn store(&self) -> Arc<dyn Store> {
        Arc::clone(&*self.open.lock().unwrap()) as Arc<dyn Store>
    }

    /// Closes the file and opens it again. Nobody may be using it.
    pub fn reopen(&self) {
        let mut open = self.open.lock().unwrap();
        at_once(open.close());
        *open = Arc::new(at_once(SqlStore::open_with(&self.folder.path().join("state.db"), &options())).unwrap());
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        at_once(self.open.lock().unwrap().close());
    }
}
