//! Copies of the file, and putting one back.

#![expect(clippy::disallowed_methods, reason = "these tests look at files past the store")]

use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use meshwright::adapter::store::SqlStore;
use meshwright::adapter::store::sqlite::{backup, restore};
use meshwright::port::store::{Look, PassBook, StoreError};

use crate::support::samples::{PassSample, at};

async fn pass(store: &SqlStore, number: u64) {
    let version = format!("1.{number}.0");
    store.record_pass(&PassSample::new(number, number - 1).version("trips", &version, "a").build()).await.unwrap();
}

fn says<T: std::fmt::Debug>(result: Result<T, StoreError>, why: &str) {
    let error = result.unwrap_err();
    assert!(error.to_string().contains(why), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_is_one_moment_while_the_daemon_writes() {
    let folder = tempfile::tempdir().unwrap();
    let (path, copy) = (folder.path().join("state.db"), folder.path().join("copy.db"));
    let store = SqlStore::open(&path).await.unwrap();
    pass(&store, 1).await;
    let stop = Arc::new(AtomicBool::new(false));
    let (writer, ending) = (store.clone(), Arc::clone(&stop));
    let writing = tokio::spawn(async move {
        let mut number = 1;
        while !ending.load(Ordering::Relaxed) || number < 3 {
            number += 1;
            pass(&writer, number).await;
        }
        number
    });
    backup(&path, &copy).await.unwrap();
    stop.store(true, Ordering::Relaxed);
    let written = writing.await.unwrap();
    assert_eq!(std::fs::metadata(&copy).unwrap().permissions().mode() & 0o777, 0o600);
    let copied = SqlStore::open_read_only(&copy).await.unwrap();
    let versions = copied.versions(None).await.unwrap().len() as u64;
    assert!((1..=written).contains(&versions), "{versions} of {written}");
    assert_eq!(copied.pass_rows(None, 1_000).await.unwrap().len() as u64, versions);
    says(backup(&path, &copy).await, "there already");
    assert!(copy.exists());
    says(backup(&folder.path().join("nothing.db"), &folder.path().join("x.db")).await, "no such file");
    assert!(!folder.path().join("x.db").exists());
}

#[tokio::test]
async fn a_copy_takes_the_records_place_and_what_was_there_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let (path, copy) = (folder.path().join("state.db"), folder.path().join("copy.db"));
    let store = SqlStore::open(&path).await.unwrap();
    pass(&store, 1).await;
    backup(&path, &copy).await.unwrap();
    pass(&store, 2).await;
    says(restore(&path, &copy, at(1)).await, "is using it");
    drop(store);

    let aside = restore(&path, &copy, at(1)).await.unwrap().unwrap();
    let versions = async |path: &std::path::Path| {
        SqlStore::open_read_only(path).await.unwrap().versions(None).await.unwrap().len()
    };
    assert_eq!((versions(&path).await, versions(&aside).await), (1, 2));
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let store = SqlStore::open(&path).await.unwrap();
    pass(&store, 2).await;
    store.close().await;

    // Where nothing is yet, nothing is kept.
    let elsewhere = folder.path().join("new/state.db");
    assert_eq!(restore(&elsewhere, &copy, at(1)).await.unwrap(), None);
    assert_eq!(versions(&elsewhere).await, 1);
}

#[tokio::test]
async fn what_is_no_whole_record_is_not_put_in_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let (path, copy) = (folder.path().join("state.db"), folder.path().join("copy.db"));
    let store = SqlStore::open(&path).await.unwrap();
    pass(&store, 1).await;
    store.close().await;
    backup(&path, &copy).await.unwrap();
    let before = std::fs::read(&path).unwrap();
    let whole = std::fs::read(&copy).unwrap();

    let mut damaged = whole.clone();
    let from = damaged.len() / 2;
    damaged[from..from + 8192].fill(0xa5);
    for (bytes, why) in [
        (b"# Notes\n".repeat(2000), "no SQLite database"),
        (damaged, "damaged"),
        (Vec::new(), "nothing has been recorded"),
    ] {
        std::fs::write(&copy, bytes).unwrap();
        says(restore(&path, &copy, at(1)).await, why);
        assert!(std::fs::read(&path).unwrap() == before);
    }
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().contains("restoring")), "{left:?}");
}
