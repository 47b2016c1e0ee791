//! Repositories, URLs and branches by somebody who wants something else than to be read.

use std::os::unix::fs::PermissionsExt as _;

use meshwright::adapter::git::GitSourceSpec;
use meshwright::domain::source::Head;
use meshwright::port::source::FetchError;
use meshwright::port::tree::{Entry, EntryKind, ReadError};

use super::{Fixture, at, path, spec};
use crate::support::repository::TestRepository;

#[tokio::test]
async fn urls_and_branches_are_never_read_as_anything_else() {
    let marker = tempfile::tempdir().unwrap();
    let touch = format!("touch {}/ran", marker.path().display());
    for url in [
        format!("--upload-pack={touch}"),
        format!("ext::sh -c {}", touch.replace(' ', "% ")),
        format!("-oProxyCommand={touch}"),
        format!("ssh://-oProxyCommand={touch}/x"),
        format!("git@-oProxyCommand={touch}:x"),
        "https://bob:s3cret@example.com/x".to_owned(),
        "https://example.com/x\n[core]".to_owned(),
        "http://example.com/x".to_owned(),
    ] {
        let Err(FetchError::Refused(message)) = Fixture::of(&url).fetch().await else { panic!("{url} was let in") };
        assert!(!message.contains("s3cret"), "{message}");
    }
    let repository = TestRepository::new();
    repository.commit(&[("a", "1")], "first");
    for branch in
        [format!("--upload-pack={touch}"), "main:refs/heads/x".to_owned(), "*".to_owned(), "main\nx".to_owned()]
    {
        let bad = GitSourceSpec { branch: branch.clone(), ..spec("mesh", repository.path().display()) };
        let outcome = Fixture::new(vec![bad]).fetch().await;
        assert!(matches!(outcome, Err(FetchError::Refused(_))), "{branch}: {outcome:?}");
    }
    assert_eq!(std::fs::read_dir(marker.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn hooks_and_configuration_of_a_served_repository_do_not_run() {
    let marker = tempfile::tempdir().unwrap();
    let repository = TestRepository::new();
    let first = repository.commit(&[("a", "1")], "first");
    let script = format!("#!/bin/sh\necho \"$0\" >> {}/ran\ncat\n", marker.path().display());
    let program = marker.path().join("program");
    let executable = |file: &std::path::Path| {
        std::fs::write(file, &script).unwrap();
        std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o755)).unwrap();
    };
    executable(&program);
    std::fs::create_dir(repository.file(".git/hooks")).unwrap();
    for hook in ["reference-transaction", "post-checkout", "post-merge", "pre-auto-gc", "fsmonitor-watchman"] {
        executable(&repository.file(&format!(".git/hooks/{hook}")));
    }
    let program = program.to_str().unwrap();
    for key in ["uploadpack.packObjectsHook", "core.fsmonitor", "core.sshCommand", "core.pager", "core.gitProxy"] {
        repository.git(&["config", key, program]);
    }
    repository.git(&["config", "remote.origin.uploadpack", program]);
    repository.git(&["config", "extensions.partialClone", "origin"]);
    repository.git(&["config", "remote.origin.url", "/nowhere"]);

    let fixture = Fixture::of(repository.path().display());
    assert_eq!(fixture.fetch().await, at(&first));
    repository.git(&["update-ref", "refs/heads/next", "HEAD"]);
    let ran = marker.path().join("ran");
    // The hooks do run where they should: the test's own update has just called one.
    assert!(ran.exists());
    std::fs::remove_file(&ran).unwrap();
    let second = repository.commit_tree(&repository.git(&["rev-parse", "HEAD^{tree}"]), "main", "second");
    let _ = std::fs::remove_file(&ran);
    assert_eq!(fixture.fetch().await, at(&second));
    assert!(!ran.exists(), "{}", std::fs::read_to_string(&ran).unwrap());
}

#[tokio::test]
async fn a_repository_around_the_mirrors_has_no_say() {
    let repository = TestRepository::new();
    let revision = repository.commit(&[("a", "1")], "first");
    let around = TestRepository::new();
    around.git(&["config", "core.sshCommand", "false"]);
    around.git(&["config", "url./nowhere.insteadOf", &repository.path().display().to_string()]);
    let mirrors = around.file(".meshwright/mirrors");
    let sources =
        meshwright::adapter::git::GitSources::new(mirrors, vec![spec("mesh", repository.path().display())]).unwrap();
    use meshwright::port::source::Source as _;
    assert_eq!(sources.fetch(&super::name("mesh")).await, at(&revision));
}

#[tokio::test]
async fn links_submodules_and_climbing_paths_are_told_and_not_followed() {
    let repository = TestRepository::new();
    let blob = repository.git_with_input(&["hash-object", "-w", "--stdin"], "content");
    let link = repository.git_with_input(&["hash-object", "-w", "--stdin"], "/etc");
    let commit = "1234567890123456789012345678901234567890";
    let inner = repository.git_with_input(&["mktree"], &format!("100644 blob {blob}\tfile\n"));
    let tree = repository.git_with_input(
        &["mktree", "--missing", "-z"],
        &[
            format!("040000 tree {inner}\t.."),
            format!("040000 tree {inner}\t.git"),
            format!("120000 blob {link}\tlink"),
            format!("160000 commit {commit}\tsubmodule"),
            format!("040000 tree {inner}\tfolder"),
            format!("100755 blob {blob}\tscript"),
            format!("100644 blob {blob}\tback\\slash"),
            format!("100644 blob {blob}\tline\nbreak"),
            format!("100644 blob {blob}\tfüße"),
            String::new(),
        ]
        .join("\0"),
    );
    let revision = repository.commit_tree(&tree, "main", "hostile");
    let fixture = Fixture::of(repository.path().display());
    assert_eq!(fixture.fetch().await, at(&revision));
    let tree = fixture.tree(&revision).await;
    let listing = tree.list(None).unwrap();
    let entry = |text, kind| Entry { path: path(text), kind };
    assert_eq!(
        listing.entries,
        [
            entry(".git/file", EntryKind::File),
            entry("folder/file", EntryKind::File),
            entry("füße", EntryKind::File),
            entry("link", EntryKind::Symlink),
            entry("script", EntryKind::File),
            entry("submodule", EntryKind::Submodule),
        ]
    );
    let mut unusable = listing.unusable;
    unusable.sort();
    assert_eq!(unusable, ["../", "back\\slash", "line\\nbreak"]);

    let read = |text: &str| tree.read(&path(text), 100).map(|bytes| String::from_utf8(bytes).unwrap());
    assert_eq!(read("folder/file"), Ok("content".to_owned()));
    assert_eq!(read("link"), Err(ReadError::Symlink(path("link"))));
    assert_eq!(read("link/passwd"), Err(ReadError::Symlink(path("link"))));
    assert_eq!(read("submodule"), Err(ReadError::Submodule(path("submodule"))));
    assert_eq!(read("submodule/a/b"), Err(ReadError::Submodule(path("submodule"))));
    assert_eq!(read("folder"), Err(ReadError::Folder(path("folder"))));
    assert_eq!(read("folder/none"), Err(ReadError::NotFound(path("folder/none"))));
    assert_eq!(read("script/below"), Err(ReadError::NotFound(path("script/below"))));
    let too_large = ReadError::TooLarge { path: path("folder/file"), size: 7, limit: 6 };
    assert_eq!(tree.read(&path("folder/file"), 6), Err(too_large));
    assert_eq!(tree.list(Some(&path("link"))), Err(ReadError::Symlink(path("link"))));
    assert_eq!(tree.list(Some(&path("folder"))).unwrap().entries, [entry("folder/file", EntryKind::File)]);
    // None of this made the mirror look broken.
    assert_eq!(fixture.fetch().await, at(&revision));
    assert!(fixture.read(&revision, "folder/file").await.is_ok());
}

#[tokio::test]
async fn a_few_trees_that_name_billions_of_files_are_not_listed() {
    let repository = TestRepository::new();
    let blob = repository.git_with_input(&["hash-object", "-w", "--stdin"], "x");
    let mut tree = repository.git_with_input(&["mktree"], &format!("100644 blob {blob}\tf\n"));
    for _ in 0..10 {
        let rows: String = (0..10).map(|number| format!("040000 tree {tree}\td{number}\n")).collect();
        tree = repository.git_with_input(&["mktree"], &rows);
    }
    let empty = repository.git_with_input(&["mktree"], "");
    let before = repository.commit_tree(&empty, "main", "empty");
    let fixture = Fixture::of(repository.path().display());
    assert_eq!(fixture.fetch().await, at(&before));
    assert_eq!(fixture.tree(&before).await.list(None).unwrap().entries, []);
    let bomb = repository.commit_tree(&tree, "main", "bomb");
    assert_eq!(fixture.fetch().await, at(&bomb));
    assert!(matches!(fixture.tree(&bomb).await.list(None), Err(ReadError::Broken { .. })));
    use meshwright::port::source::Source as _;
    let touched = fixture.sources.touched(&super::name("mesh"), &before, &bomb).await;
    assert!(matches!(touched, Err(ReadError::Broken { .. })));
}

#[tokio::test]
async fn a_repository_of_another_user_is_read_when_it_is_configured() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("SKIPPED: only root can give a repository to another user");
        return;
    }
    let repository = TestRepository::new();
    let revision = repository.commit(&[("a", "1")], "first");
    let other = Some(rustix::fs::Uid::from_raw(12345));
    for folder in [repository.path().to_owned(), repository.file(".git")] {
        rustix::fs::chown(&folder, other, None).unwrap();
    }
    let fixture = Fixture::of(repository.path().display());
    assert_eq!(fixture.fetch().await, Ok(Head::At { revision }));
}
