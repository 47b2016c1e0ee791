//! What a fetch comes to.

use std::net::TcpListener;
use std::time::Duration;

use meshwright::adapter::git::{GitSetupError, GitSourceSpec, GitSources};
use meshwright::domain::source::Head;
use meshwright::port::source::{FetchError, Source, TouchKind, Touched};
use meshwright::port::tree::ReadError;

use super::{Fixture, at, name, path, processes::GitDaemon, spec};
use crate::support::repository::TestRepository;

#[tokio::test]
async fn a_path_a_file_url_and_a_daemon_bring_the_same_commit() {
    let repository = TestRepository::new();
    let revision = repository.commit(&[("a/b.yaml", "b: 1\n")], "first");
    let daemon = GitDaemon::start(repository.path());
    let mut urls = vec![repository.path().display().to_string(), format!("file://{}", repository.path().display())];
    urls.extend(daemon.as_ref().map(|daemon| daemon.url("/.git")));
    for url in urls {
        let fixture = Fixture::of(&url);
        assert_eq!(fixture.fetch().await, at(&revision), "{url}");
        assert_eq!(fixture.read(&revision, "a/b.yaml").await.unwrap(), "b: 1\n", "{url}");
        // Nothing is checked out, and no configuration names the repository.
        assert!(!fixture.mirror().join("a").exists());
        let second = repository.commit(&[("a/b.yaml", "b: 2\n")], "second");
        assert_eq!(fixture.fetch().await, at(&second), "{url}");
        assert_eq!(fixture.fetch().await, at(&second), "{url}");
        repository.git(&["reset", "--quiet", "--hard", revision.as_str()]);
    }
}

#[tokio::test]
async fn a_repository_without_commits_is_empty_and_then_is_not() {
    let repository = TestRepository::new();
    let fixture = Fixture::of(repository.path().display());
    assert_eq!(fixture.fetch().await, Ok(Head::EmptyRepository));
    let revision = repository.commit(&[("a", "1")], "first");
    assert_eq!(fixture.fetch().await, at(&revision));
}

#[tokio::test]
async fn a_missing_and_a_deleted_branch_have_their_own_outcome() {
    let repository = TestRepository::new();
    let revision = repository.commit(&[("a", "1")], "first");
    let on_branch =
        |branch: &str| GitSourceSpec { branch: branch.to_owned(), ..spec("mesh", repository.path().display()) };
    let fixture = Fixture::new(vec![on_branch("release")]);
    // Neither a tag nor a branch whose name ends alike is taken for it.
    repository.git(&["tag", "release"]);
    repository.git(&["branch", "other/release"]);
    assert_eq!(fixture.fetch().await, Ok(Head::NoSuchBranch));

    repository.git(&["branch", "release"]);
    assert_eq!(fixture.fetch().await, at(&revision));
    repository.git(&["branch", "--delete", "--force", "release"]);
    assert_eq!(fixture.fetch().await, Ok(Head::NoSuchBranch));
    assert_eq!(fixture.read(&revision, "a").await.unwrap(), "1", "what was returned stays readable");

    // A branch below the name of the deleted one.
    repository.git(&["branch", "release/1"]);
    let fixture = fixture.restarted(vec![on_branch("release/1")]);
    assert_eq!(fixture.fetch().await, at(&revision));
}

#[tokio::test]
async fn a_forced_branch_moves_and_the_old_commit_stays_readable() {
    let repository = TestRepository::new();
    repository.commit(&[("kept", "1"), ("changed", "1"), ("moved", "1"), ("folder/x", "1")], "first");
    let old = repository.commit(&[("changed", "2")], "second");
    let fixture = Fixture::of(repository.path().display());
    assert_eq!(fixture.fetch().await, at(&old));

    repository.git(&["checkout", "--quiet", "--orphan", "other"]);
    repository.git(&["mv", "moved", "renamed"]);
    repository.git(&["rm", "--quiet", "--force", "-r", "folder"]);
    let new = repository.commit(&[("changed", "3"), ("folder", "a file now")], "rewritten");
    repository.git(&["branch", "--force", "main", "other"]);
    repository.git(&["reflog", "expire", "--expire=now", "--all"]);
    repository.git(&["gc", "--quiet", "--prune=now"]);

    assert_eq!(fixture.fetch().await, at(&new));
    assert_eq!(fixture.read(&old, "changed").await.unwrap(), "2");
    assert_eq!(fixture.read(&new, "changed").await.unwrap(), "3");
    let touched = fixture.sources.touched(&name("mesh"), &old, &new).await.unwrap().unwrap();
    let written = |text| Touched { path: path(text), kind: TouchKind::Written };
    let deleted = |text| Touched { path: path(text), kind: TouchKind::Deleted };
    assert_eq!(
        touched,
        [written("changed"), written("folder"), deleted("folder/x"), deleted("moved"), written("renamed")]
    );
    let unknown = "0123456789012345678901234567890123456789".parse().unwrap();
    assert_eq!(fixture.sources.touched(&name("mesh"), &unknown, &new).await, Ok(None));
    assert_eq!(fixture.sources.touched(&name("mesh"), &new, &new).await, Ok(Some(Vec::new())));
    assert!(matches!(fixture.read(&unknown, "changed").await, Err(ReadError::Broken { .. })));
}

#[tokio::test]
async fn a_repository_that_cannot_be_reached_says_so_and_keeps_what_was_fetched() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    for url in
        ["/nowhere/at/all".to_owned(), format!("git://127.0.0.1:{closed}/x"), format!("http://127.0.0.1:{closed}/x")]
    {
        let outcome = Fixture::of(&url).fetch().await;
        assert!(matches!(outcome, Err(FetchError::Unreachable(_))), "{url}: {outcome:?}");
    }

    let repository = TestRepository::new();
    let revision = repository.commit(&[("a", "1")], "first");
    let fixture = Fixture::of(repository.path().display());
    assert_eq!(fixture.fetch().await, at(&revision));
    std::fs::rename(repository.file(".git"), repository.file("gone")).unwrap();
    assert!(matches!(fixture.fetch().await, Err(FetchError::Unreachable(_))));
    assert_eq!(fixture.read(&revision, "a").await.unwrap(), "1");
}

#[tokio::test]
async fn a_sha256_repository_is_refused_with_a_reason() {
    let repository = TestRepository::with_format("sha256");
    repository.commit(&[("a", "1")], "first");
    let Err(FetchError::Refused(message)) = Fixture::of(repository.path().display()).fetch().await else {
        panic!("it must be refused")
    };
    assert!(message.contains("SHA-256"), "{message}");
}

#[tokio::test]
async fn names_are_unique_and_unknown_ones_are_told() {
    let mirrors = tempfile::tempdir().unwrap();
    let twice = vec![spec("mesh", "/a"), spec("mesh", "/b")];
    let outcome = GitSources::new(mirrors.path().to_owned(), twice);
    assert!(matches!(outcome, Err(GitSetupError::DuplicateName(_))));
    let fixture = Fixture::of("/a");
    assert_eq!(fixture.sources.fetch(&name("other")).await, Err(FetchError::Unknown(name("other"))));
    assert_eq!(fixture.sources.local_repository(&name("mesh")), Some(std::path::Path::new("/a")));
}

#[tokio::test]
async fn a_source_that_is_refused_does_not_stop_the_others() {
    let repository = TestRepository::new();
    let revision = repository.commit(&[("a", "1")], "first");
    let bad = GitSourceSpec { timeout: Duration::from_secs(1), ..spec("bad", "ext::sh -c true") };
    let fixture = Fixture::new(vec![bad, spec("mesh", repository.path().display())]);
    assert_eq!(fixture.fetch().await, at(&revision));
    assert!(matches!(fixture.sources.fetch(&name("bad")).await, Err(FetchError::Refused(_))));
}
