//! The artifact store.

use std::os::unix::fs::symlink;
use std::path::Path;

use meshwright::adapter::executors::ArtifactStore;
use meshwright::adapter::executors::artifacts::{Artifact, results};
use meshwright::domain::id::Fqn;
use meshwright::domain::plan::TaskKey;
use meshwright::port::artifacts::Artifacts as _;
use serde_json::json;

use super::{Files, call};

#[expect(clippy::disallowed_methods, reason = "a test makes its files")]
fn write(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

#[expect(clippy::disallowed_methods, reason = "a test reads what was made")]
fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap()
}

fn store() -> (tempfile::TempDir, ArtifactStore, TaskKey, Fqn) {
    let folder = tempfile::tempdir().unwrap();
    let store = ArtifactStore::new(folder.path().join("artifacts"));
    let call = call("orders", Files::default());
    (folder, store, call.key, call.container.product)
}

#[test]
fn what_is_kept_is_found_again_and_replaced_as_a_whole() {
    let (folder, store, key, owner) = store();
    let output = folder.path().join("output");
    write(&output.join("daily_orders.csv"), "a,b\n");
    write(&output.join("inner/x.json"), "{}");
    let kept = store.keep(&key, &owner, &output).unwrap();
    assert_eq!(
        kept.iter().map(|artifact| artifact.name.as_str()).collect::<Vec<_>>(),
        ["daily_orders.csv", "inner/x.json"]
    );
    assert_eq!(read(&store.resolve(&kept[0].uri).unwrap()), "a,b\n");
    assert_eq!(read(&store.resolve_owned(&kept[1].uri, &owner).unwrap()), "{}");

    let again = folder.path().join("again");
    write(&again.join("daily_orders.csv"), "c\n");
    store.keep(&key, &owner, &again).unwrap();
    assert_eq!(read(&store.resolve(&kept[0].uri).unwrap()), "c\n");
    assert!(store.resolve(&kept[1].uri).is_err(), "what is not made any more is gone");
    let names: Vec<_> = std::fs::read_dir(folder.path().join("artifacts")).unwrap().flatten().collect();
    assert_eq!(names.len(), 1, "nothing temporary is left");
}

#[test]
fn nothing_but_plain_files_of_the_product_is_handed_out() {
    let (folder, store, key, owner) = store();
    let output = folder.path().join("output");
    write(&output.join("x.csv"), "1");
    store.keep(&key, &owner, &output).unwrap();
    let place = folder.path().join("artifacts").join(key.as_str());
    write(&folder.path().join("secret"), "s");
    symlink(folder.path().join("secret"), place.join("link")).unwrap();
    symlink(folder.path(), place.join("links")).unwrap();
    for uri in [
        "x.csv".to_owned(),
        "artifact:".to_owned(),
        format!("artifact:{key}"),
        format!("artifact:{key}/"),
        format!("artifact:{key}/nothing"),
        format!("artifact:{key}/../{key}/x.csv"),
        format!("artifact:{key}//x.csv"),
        format!("artifact:{key}/link"),
        format!("artifact:{key}/links/secret"),
        format!("artifact:{key}/.meshwright-owner"),
        "artifact:../secret".to_owned(),
        "artifact:../../etc/passwd".to_owned(),
        format!("artifact:/{key}/x.csv"),
        format!("file:{key}/x.csv"),
    ] {
        assert!(store.resolve(&uri).is_err(), "{uri}");
    }
    let uri = format!("artifact:{key}/x.csv");
    assert!(store.resolve_owned(&uri, &owner).is_ok());
    let other = "urn:dpds:com.example:dataproducts:other:1".parse().unwrap();
    assert!(store.resolve_owned(&uri, &other).unwrap_err().to_string().contains("does not belong"));
}

#[test]
fn links_and_reserved_names_are_not_kept() {
    let (folder, store, key, owner) = store();
    let output = folder.path().join("output");
    write(&output.join("ok"), "1");
    symlink("/etc/passwd", output.join("evil")).unwrap();
    let error = store.keep(&key, &owner, &output).unwrap_err().to_string();
    assert!(error.contains("'evil'") && error.contains("no links"), "{error}");
    std::fs::remove_file(output.join("evil")).unwrap();
    write(&output.join(".meshwright-owner"), "someone");
    assert!(store.keep(&key, &owner, &output).unwrap_err().to_string().contains("reserved"));
    assert!(store.resolve(&format!("artifact:{key}/ok")).is_err());
}

#[test]
fn results_name_files_in_two_ways() {
    let artifact = |name: &str| Artifact { name: name.into(), uri: format!("artifact:k/{name}") };
    let told = results(&[artifact("daily-orders.csv"), artifact("in/a.b.csv"), artifact("x.csv"), artifact("x.json")]);
    assert_eq!(told["artifacts"]["daily-orders.csv"], "artifact:k/daily-orders.csv");
    assert_eq!(
        told["files"],
        json!({
            "daily_orders": "artifact:k/daily-orders.csv", "in_a_b": "artifact:k/in/a.b.csv",
            "x_csv": "artifact:k/x.csv", "x_json": "artifact:k/x.json",
        })
    );
}

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "a test makes things older than they are")]
async fn what_nobody_needs_is_removed_unless_it_is_young() {
    let folder = tempfile::tempdir().unwrap();
    let store = ArtifactStore::new(folder.path().join("artifacts"));
    let made = call("kept", Files::default());
    let key = |index| TaskKey::derive(&made.activity, index, "build");
    for index in 0..3 {
        let output = tempfile::tempdir().unwrap();
        write(&output.path().join("rows.csv"), "1");
        store.keep(&key(index), &made.container.product, output.path()).unwrap();
    }
    let long_ago = std::time::SystemTime::now() - std::time::Duration::from_secs(2 * 24 * 3_600);
    for index in 0..2 {
        let kept = std::fs::File::open(folder.path().join("artifacts").join(key(index).as_str())).unwrap();
        kept.set_modified(long_ago).unwrap();
    }
    let needed = std::collections::BTreeSet::from([key(0)]);
    assert_eq!(store.keep_only(needed.clone(), true).await.unwrap(), 1);
    assert!(store.resolve(&format!("artifact:{}/rows.csv", key(1))).is_ok(), "it was only counted");
    assert_eq!(store.keep_only(needed.clone(), false).await.unwrap(), 1);
    assert_eq!(store.keep_only(needed, false).await.unwrap(), 0);
    for (index, is_there) in [(0, true), (1, false), (2, true)] {
        assert_eq!(store.resolve(&format!("artifact:{}/rows.csv", key(index))).is_ok(), is_there, "{index}");
    }
}
