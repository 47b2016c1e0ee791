//! A disk that is full for a while. The limit on the size of files stands in for it: it is the
//! operating system's, it meets SQLite in the middle of a write, and it can be lifted again. It
//! holds for a whole process, so the story is told in a child.

use meshwright::adapter::store::SqlStore;
use meshwright::port::store::{Look, PassBook, StoreError};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::support::samples::{self, PassSample, product};

#[test]
#[expect(clippy::disallowed_methods, reason = "the limit needs a process of its own")]
fn a_full_disk_passes() {
    let folder = tempfile::tempdir().unwrap();
    // A process that writes beyond the limit is killed by a signal unless it ignores it.
    let output = std::process::Command::new("sh")
        .args(["-c", "trap '' XFSZ; exec \"$@\"", "sh"])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "store_contract::sqlite_disk::child", "--ignored", "--nocapture"])
        .env("MESHWRIGHT_TEST_FOLDER", folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("1 passed"), "{said}\n{errors}");
}

#[tokio::test]
#[ignore = "run by `a_full_disk_passes`, in a process with limits"]
async fn child() {
    let folder = std::env::var_os("MESHWRIGHT_TEST_FOLDER").expect("run by `a_full_disk_passes`");
    let path = std::path::Path::new(&folder).join("state.db");
    let store = SqlStore::open(&path).await.unwrap();
    let pass = |number: u64| {
        let mark = "0123456789abcdef".repeat(4096);
        PassSample::new(number, number - 1).version("trips", &format!("1.{number}.0"), &mark).build()
    };
    store.record_pass(&pass(1)).await.unwrap();

    let before = getrlimit(Resource::Fsize);
    let room = std::fs::metadata(path.with_extension("db-wal")).unwrap().len() + 200_000;
    setrlimit(Resource::Fsize, Rlimit { current: Some(room), maximum: before.maximum }).unwrap();
    // SQLite makes room for itself once or twice, by moving its log into the file.
    let (mut number, mut failures) = (2, 0);
    while failures < 3 {
        assert!(number < 100, "the limit was not met");
        match store.record_pass(&pass(number)).await {
            Ok(()) => (number, failures) = (number + 1, 0),
            Err(StoreError::Unavailable(_)) => failures += 1,
            Err(other) => panic!("{other}"),
        }
    }
    assert!(number > 2, "nothing could be written before the disk was full");

    // What was recorded is there, what was not is not, and looking goes on.
    let recorded = store.source(&samples::source()).await.unwrap().unwrap();
    assert_eq!((recorded.revision, recorded.sequence), (Some(samples::revision(number - 1)), number - 1));
    assert_eq!(store.versions(Some(&product("trips", 1))).await.unwrap().len() as u64, number - 1);

    setrlimit(Resource::Fsize, before).unwrap();
    store.record_pass(&pass(number)).await.unwrap();
    assert_eq!(store.source(&samples::source()).await.unwrap().unwrap().sequence, number);
    store.close().await;
    assert_eq!(SqlStore::open(&path).await.unwrap().versions(None).await.unwrap().len() as u64, number);
}
