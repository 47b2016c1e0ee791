//! The generator of benchmark repositories: what it makes must stay what its description says, or
//! figures of different days cannot be compared.

#[path = "../../benches/generator/mod.rs"]
mod source;

use git2::Repository;

#[test]
fn a_repository_has_the_promised_files_and_is_the_same_every_time() {
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let revision = source::repository(one.path(), 100).unwrap();
    assert_eq!(source::repository(other.path(), 100).unwrap(), revision);

    let repository = Repository::open_bare(one.path()).unwrap();
    let tree = repository.find_commit(revision.parse().unwrap()).unwrap().tree().unwrap();
    let mut files = 0;
    tree.walk(git2::TreeWalkMode::PreOrder, |_, entry| {
        files += usize::from(entry.kind() == Some(git2::ObjectType::Blob));
        git2::TreeWalkResult::Ok
    })
    .unwrap();
    assert_eq!(files, 110, "a tenth has a second file");
    for index in 0..100 {
        let entry = tree.get_path(source::path(index).as_ref()).unwrap();
        let blob = repository.find_blob(entry.id()).unwrap();
        assert_eq!(blob.content(), source::descriptor(index, 0).as_bytes());
    }
}

#[test]
fn descriptors_are_yaml_of_about_five_kilobytes() {
    let texts: Vec<String> = (0..100).map(|index| source::descriptor(index, 0)).collect();
    let mean = texts.iter().map(String::len).sum::<usize>() / texts.len();
    assert!((4_600..=5_600).contains(&mean), "{mean}");
    for text in &texts {
        let value: serde_json::Value = serde_yaml::from_str(text).unwrap();
        assert_eq!(value["dataProductDescriptor"], "1.0.0");
    }
    let mistakes = (0..100).filter(|index| source::has_mistake(*index)).count();
    let references = (0..100).filter(|index| source::has_reference(*index)).count();
    assert_eq!((mistakes, references), (10, 10));
}

#[test]
fn a_change_is_one_commit_that_touches_one_file() {
    let folder = tempfile::tempdir().unwrap();
    let before = source::repository(folder.path(), 20).unwrap();
    let after = source::change_one(folder.path(), 4, 1).unwrap();
    let again = source::change_one(folder.path(), 4, 2).unwrap();

    let repository = Repository::open_bare(folder.path()).unwrap();
    let commit = |revision: &str| repository.find_commit(revision.parse().unwrap()).unwrap();
    for (from, to) in [(&before, &after), (&after, &again)] {
        assert_eq!(commit(to).parent_id(0).unwrap().to_string(), *from);
        let (old, new) = (commit(from).tree().unwrap(), commit(to).tree().unwrap());
        let diff = repository.diff_tree_to_tree(Some(&old), Some(&new), None).unwrap();
        let touched: Vec<String> =
            diff.deltas().map(|delta| delta.new_file().path().unwrap().display().to_string()).collect();
        assert_eq!(touched, [source::path(4)]);
    }
}
