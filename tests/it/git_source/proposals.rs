//! Proposals: their heads, what merging them comes to, and what becomes of them when they are closed.

use meshwright::adapter::git::{GitSourceSpec, GitSources};
use meshwright::domain::forge::Proposal;
use meshwright::domain::id::Revision;
use meshwright::port::source::{FetchError, Merge, Source, TouchKind};

use super::{Fixture, at, files_below, name, spec};
use crate::support::repository::TestRepository;

impl Fixture {
    async fn pull(&self, number: u64) -> Result<Option<Revision>, FetchError> {
        self.sources.fetch_proposal(&name("mesh"), &Proposal::Pull(number), None).await
    }

    async fn merged(&self, base: &Revision, head: &Revision) -> Merge {
        self.sources.merge(&name("mesh"), base, head).await.unwrap()
    }

    fn proposal_refs(&self) -> Vec<String> {
        let folder = self.mirror().join("refs/meshwright/proposal");
        if !folder.exists() {
            return Vec::new();
        }
        let relative = |file: &std::path::PathBuf| file.strip_prefix(&folder).unwrap().display().to_string();
        let mut names: Vec<String> = files_below(&folder).iter().map(relative).collect();
        names.sort();
        names
    }
}

/// Commits on a branch of its own that begins at `from`, and stands as pull request `number`.
fn propose(repository: &TestRepository, number: u64, from: &Revision, files: &[(&str, &str)]) -> Revision {
    repository.git(&["checkout", "--quiet", "--detach", from.as_str()]);
    let head = repository.commit(files, "proposed");
    repository.git(&["update-ref", &format!("refs/pull/{number}/head"), head.as_str()]);
    repository.git(&["checkout", "--quiet", "main"]);
    head
}

fn clean(merge: Merge) -> Revision {
    match merge {
        Merge::Clean(revision) => revision,
        other => panic!("it does not merge cleanly: {other:?}"),
    }
}

#[tokio::test]
async fn a_proposal_is_fetched_by_its_number_and_follows_its_head() {
    let repository = TestRepository::new();
    let base = repository.commit(&[("a", "1")], "first");
    let fixture = Fixture::of(repository.path().display());
    assert_eq!(fixture.pull(7).await, Ok(None), "there is no such proposal");

    // It may be the first thing that is ever asked of the mirror.
    let head = propose(&repository, 7, &base, &[("a", "2")]);
    assert_eq!(fixture.pull(7).await, Ok(Some(head.clone())));
    assert_eq!(fixture.read(&head, "a").await.unwrap(), "2");
    assert_eq!(fixture.fetch().await, at(&base));

    // Forced elsewhere, the new head counts; the old one can still be read.
    let forced = propose(&repository, 7, &base, &[("a", "3")]);
    assert_eq!(fixture.pull(7).await, Ok(Some(forced.clone())));
    assert_eq!(fixture.read(&head, "a").await.unwrap(), "2");
    assert_eq!(fixture.pull(70).await, Ok(None), "a number is no prefix");

    // As GitLab keeps them.
    repository.git(&["update-ref", "refs/merge-requests/8/head", head.as_str()]);
    assert_eq!(fixture.pull(8).await, Ok(Some(head)));
}

#[tokio::test]
async fn what_the_forge_tells_is_brought_at_once_and_what_is_here_is_not_asked_for() {
    let repository = TestRepository::new();
    let base = repository.commit(&[("a", "1")], "first");
    let fixture = Fixture::of(repository.path().display());
    let mesh = name("mesh");
    assert_eq!(fixture.sources.standing(&mesh).await, None, "nobody has looked yet");
    assert_eq!(fixture.fetch().await, at(&base));
    assert_eq!(fixture.sources.standing(&mesh).await, at(&base).ok());
    let told = async |number: u64, head: &Revision| {
        fixture.sources.fetch_proposal(&mesh, &Proposal::Pull(number), Some(head)).await
    };
    let head = propose(&repository, 7, &base, &[("a", "2")]);
    assert_eq!(told(7, &head).await, Ok(Some(head.clone())));
    assert_eq!(fixture.read(&head, "a").await.unwrap(), "2");

    // What stands there counts, whatever was told.
    let forced = propose(&repository, 7, &base, &[("a", "3")]);
    assert_eq!(told(7, &base).await, Ok(Some(forced.clone())));
    repository.git(&["update-ref", "refs/merge-requests/8/head", head.as_str()]);
    assert_eq!(told(8, &head).await, Ok(Some(head.clone())), "as GitLab keeps them");
    assert_eq!(told(9, &head).await, Ok(None), "there is no such proposal");

    // Nobody could answer now, and nobody is asked.
    std::fs::rename(repository.file(".git"), repository.file("gone")).unwrap();
    assert_eq!(told(7, &forced).await, Ok(Some(forced)));
    assert!(told(7, &head).await.is_err(), "this one was its head once, and stands there no more");
    assert_eq!(fixture.sources.standing(&mesh).await, at(&base).ok());
    assert!(fixture.fetch().await.is_err());
    assert_eq!(fixture.sources.standing(&mesh).await, None, "it could not be seen");
}

#[tokio::test]
async fn several_are_brought_at_once_and_one_that_is_gone_takes_none_along() {
    let repository = TestRepository::new();
    let base = repository.commit(&[("a", "1")], "first");
    let fixture = Fixture::of(repository.path().display());
    let mesh = name("mesh");
    let mut heads: Vec<Revision> =
        (1..=4).map(|number| propose(&repository, number, &base, &[("a", &format!("proposed {number}"))])).collect();
    let pulls = |numbers: &[u64]| numbers.iter().map(|number| Proposal::Pull(*number)).collect::<Vec<_>>();
    fixture.sources.bring_together(&mesh, &pulls(&[1, 2])).await;
    assert!(!fixture.sources.has_proposal(&mesh, &Proposal::Pull(1), &heads[0]).await, "there is no mirror yet");
    assert_eq!(fixture.fetch().await, at(&base));
    let group = Proposal::MergeGroup(base.clone());
    fixture.sources.bring_together(&mesh, &[pulls(&[1, 2, 3]), vec![group]].concat()).await;
    assert_eq!(fixture.proposal_refs(), ["mesh/pull/1", "mesh/pull/2", "mesh/pull/3"]);
    for (number, head) in (1..=3).zip(&heads) {
        assert!(fixture.sources.has_proposal(&mesh, &Proposal::Pull(number), head).await, "{number}");
        assert_eq!(fixture.read(head, "a").await.unwrap(), format!("proposed {number}"));
    }
    assert!(!fixture.sources.has_proposal(&mesh, &Proposal::Pull(1), &heads[1]).await);
    assert!(!fixture.sources.has_proposal(&mesh, &Proposal::Pull(4), &heads[3]).await);

    // One that nobody knows: the others come by themselves, and are not tried together again at once.
    fixture.sources.bring_together(&mesh, &pulls(&[4, 99])).await;
    fixture.sources.bring_together(&mesh, &pulls(&[4])).await;
    assert!(!fixture.sources.has_proposal(&mesh, &Proposal::Pull(4), &heads[3]).await);
    assert_eq!(fixture.pull(4).await, Ok(Some(heads.remove(3))));
}

#[tokio::test]
async fn only_a_commit_of_the_merge_queue_is_a_merge_group() {
    let repository = TestRepository::new();
    let base = repository.commit(&[("a", "1")], "first");
    let head = propose(&repository, 1, &base, &[("b", "1")]);
    let fixture = Fixture::of(repository.path().display());
    let group = Proposal::MergeGroup(head.clone());
    let asked = async || fixture.sources.fetch_proposal(&name("mesh"), &group, None).await;
    assert_eq!(asked().await, Ok(None), "a pull request's head is no merge group");
    repository.git(&["update-ref", "refs/heads/gh-readonly-queue/other/pr-1-x", head.as_str()]);
    assert_eq!(asked().await, Ok(None), "it is to be merged into another branch");
    repository.git(&["update-ref", "refs/heads/gh-readonly-queue/main/pr-1-x", head.as_str()]);
    assert_eq!(asked().await, Ok(Some(head.clone())));
    assert_eq!(fixture.fetch().await, at(&base));
    assert_eq!(clean(fixture.merged(&base, &head).await), head, "it holds the base already");
    repository.git(&["update-ref", "-d", "refs/heads/gh-readonly-queue/main/pr-1-x"]);
    assert_eq!(asked().await, Ok(None));
}

#[tokio::test]
async fn the_same_merge_is_the_same_commit_and_can_be_read() {
    let repository = TestRepository::new();
    let lines = |first: &str, last: &str| format!("{first}\n{}{last}\n", "same\n".repeat(20));
    let first = repository.commit(&[("both", &lines("a", "z")), ("old/name", &lines("n", "n")), ("x", "1")], "first");
    let head =
        propose(&repository, 1, &first, &[("both", &lines("a", "Z")), ("old/name", &lines("N", "n")), ("new", "1")]);
    let is_base = repository.commit(&[("both", &lines("A", "z")), ("x", "2")], "base moves");
    repository.git(&["mv", "old/name", "moved"]);
    let base = repository.commit(&[], "base renames");
    assert_ne!(is_base, base);

    let fixture = Fixture::of(repository.path().display());
    assert_eq!(fixture.fetch().await, at(&base));
    assert_eq!(fixture.pull(1).await, Ok(Some(head.clone())));
    let merged = clean(fixture.merged(&base, &head).await);
    assert_eq!(fixture.read(&merged, "both").await.unwrap(), lines("A", "Z"));
    assert_eq!(fixture.read(&merged, "moved").await.unwrap(), lines("N", "n"), "a change follows a renamed file");
    assert_eq!(fixture.read(&merged, "x").await.unwrap(), "2");
    let touched = fixture.sources.touched(&name("mesh"), &base, &merged).await.unwrap().unwrap();
    let touched: Vec<_> = touched.iter().map(|touch| (touch.path.as_str(), touch.kind)).collect();
    assert_eq!(touched, [("both", TouchKind::Written), ("moved", TouchKind::Written), ("new", TouchKind::Written)]);

    // In another process, from another clone, at another time: the same.
    let other = Fixture::of(repository.path().display());
    assert_eq!(other.fetch().await, at(&base));
    other.pull(1).await.unwrap();
    assert_eq!(clean(other.merged(&base, &head).await), merged);

    // What has all of the other side is the result itself.
    assert_eq!(clean(fixture.merged(&first, &head).await), head);
    assert_eq!(clean(fixture.merged(&base, &first).await), base);
}

#[tokio::test]
async fn conflicts_and_unrelated_histories_are_outcomes() {
    let repository = TestRepository::new();
    let first = repository.commit(&[("a", "1\n"), ("b", "1\n")], "first");
    let head = propose(&repository, 1, &first, &[("a", "2\n"), ("b", "2\n"), ("c", "1")]);
    let base = repository.commit(&[("a", "3\n"), ("b", "3\n")], "base");
    let fixture = Fixture::of(repository.path().display());
    fixture.fetch().await.unwrap();
    fixture.pull(1).await.unwrap();
    let wanted = Merge::Conflicts { paths: vec!["a".to_owned(), "b".to_owned()], count: 2 };
    assert_eq!(fixture.merged(&base, &head).await, wanted);

    let tree = repository.git(&["rev-parse", &format!("{head}^{{tree}}")]);
    let stranger: Revision = repository.git(&["commit-tree", &tree, "-m", "stranger"]).parse().unwrap();
    repository.git(&["update-ref", "refs/pull/2/head", stranger.as_str()]);
    assert_eq!(fixture.pull(2).await, Ok(Some(stranger.clone())));
    assert_eq!(fixture.merged(&base, &stranger).await, Merge::Unrelated);
}

#[tokio::test]
async fn what_would_cost_too_much_is_not_merged() {
    let repository = TestRepository::new();
    let long = |mark: &str| format!("{mark}\n").repeat((5 << 20) / (mark.len() + 1));
    let first = repository.commit(&[("large", &long("a")), ("a", "1")], "first");
    let head = propose(&repository, 1, &first, &[("large", &long("b"))]);
    let base = repository.commit(&[("large", &long("c"))], "base");
    let fixture = Fixture::of(repository.path().display());
    fixture.fetch().await.unwrap();
    fixture.pull(1).await.unwrap();
    let outcome = fixture.merged(&base, &head).await;
    assert!(matches!(&outcome, Merge::TooLarge(why) if why.contains("'large'")), "{outcome:?}");

    // A few objects that name billions of files, and folders without end.
    let blob = repository.git_with_input(&["hash-object", "-w", "--stdin"], "x");
    let mut wide = repository.git_with_input(&["mktree"], &format!("100644 blob {blob}\tf\n"));
    for _ in 0..10 {
        let rows: String = (0..10).map(|number| format!("040000 tree {wide}\td{number}\n")).collect();
        wide = repository.git_with_input(&["mktree"], &rows);
    }
    let mut deep = repository.git_with_input(&["mktree"], &format!("100644 blob {blob}\tf\n"));
    for _ in 0..200 {
        deep = repository.git_with_input(&["mktree"], &format!("040000 tree {deep}\td\n"));
    }
    for (number, tree, why) in [(2, wide, "files and folders"), (3, deep, "levels deep")] {
        let bomb = repository.git(&["commit-tree", &tree, "-p", first.as_str(), "-m", "bomb"]);
        repository.git(&["update-ref", &format!("refs/pull/{number}/head"), &bomb]);
        let bomb = fixture.pull(number).await.unwrap().unwrap();
        for onto in [&base, &first] {
            let outcome = fixture.merged(onto, &bomb).await;
            assert!(matches!(&outcome, Merge::TooLarge(said) if said.contains(why)), "{outcome:?}");
        }
    }
}

#[tokio::test]
async fn a_proposal_that_brings_too_much_is_refused_and_leaves_the_source_alone() {
    let repository = TestRepository::new();
    let small = repository.commit(&[("a", "1")], "small");
    let mirrors = tempfile::tempdir().unwrap();
    let specs = vec![spec("mesh", repository.path().display())];
    let sources = GitSources::with_limit(mirrors.path().to_owned(), specs, 4).unwrap();
    let mesh = name("mesh");
    assert_eq!(sources.fetch(&mesh).await, at(&small));
    let mut random = fastrand::Rng::with_seed(7);
    let large: String = (0..3_000_000).map(|_| random.alphanumeric()).collect();
    propose(&repository, 1, &small, &[("large", &large)]);
    for _ in 0..2 {
        let outcome = sources.fetch_proposal(&mesh, &Proposal::Pull(1), None).await;
        assert!(matches!(&outcome, Err(FetchError::Refused(said)) if said.contains("1 MiB")), "{outcome:?}");
    }
    let bytes: u64 = files_below(mirrors.path()).iter().map(|file| file.metadata().unwrap().len()).sum();
    assert!(bytes < 1 << 20, "{bytes} bytes are left");
    let next = repository.commit(&[("a", "2")], "next");
    assert_eq!(sources.fetch(&mesh).await, at(&next));
    let fits = propose(&repository, 2, &next, &[("b", "1")]);
    assert_eq!(sources.fetch_proposal(&mesh, &Proposal::Pull(2), None).await, Ok(Some(fits)));
}

#[tokio::test]
async fn a_mirror_full_of_old_proposals_is_cloned_again_with_branch_and_proposal() {
    let repository = TestRepository::new();
    let base = repository.commit(&[("a", "1")], "base");
    let mirrors = tempfile::tempdir().unwrap();
    let specs = vec![spec("mesh", repository.path().display())];
    let sources = GitSources::with_limit(mirrors.path().to_owned(), specs, 4).unwrap();
    let mesh = name("mesh");
    assert_eq!(sources.fetch(&mesh).await, at(&base));
    let mut random = fastrand::Rng::with_seed(7);
    for number in 1..=8 {
        let some: String = (0..1_000_000).map(|_| random.alphanumeric()).collect();
        let head = propose(&repository, number, &base, &[("some", &some)]);
        assert_eq!(
            sources.fetch_proposal(&mesh, &Proposal::Pull(number), None).await,
            Ok(Some(head.clone())),
            "{number}"
        );
        assert_eq!(clean(sources.merge(&mesh, &base, &head).await.unwrap()), head, "the branch is there as well");
    }
    let bytes: u64 = files_below(mirrors.path()).iter().map(|file| file.metadata().unwrap().len()).sum();
    assert!(bytes < 5 << 20, "{bytes} bytes are left");
}

#[tokio::test]
async fn closed_proposals_are_let_go_and_those_of_another_source_are_not() {
    let repository = TestRepository::new();
    let base = repository.commit(&[("a", "1")], "first");
    for number in 1..=3 {
        propose(&repository, number, &base, &[("a", &number.to_string())]);
    }
    repository.git(&["branch", "next"]);
    let shown = repository.path().display();
    let next = GitSourceSpec { branch: "next".to_owned(), ..spec("next", &shown) };
    let fixture = Fixture::new(vec![spec("mesh", &shown), next]);
    assert_eq!(fixture.sources.keep_proposals(&name("mesh"), &[]).await, Ok(0), "there is no mirror yet");
    fixture.fetch().await.unwrap();
    for number in 1..=3 {
        fixture.pull(number).await.unwrap();
    }
    fixture.sources.fetch_proposal(&name("next"), &Proposal::Pull(1), None).await.unwrap();
    assert_eq!(fixture.sources.keep_proposals(&name("mesh"), &[Proposal::Pull(2)]).await, Ok(2));
    assert_eq!(fixture.proposal_refs(), ["mesh/pull/2", "next/pull/1"]);
    assert_eq!(fixture.sources.keep_proposals(&name("mesh"), &[]).await, Ok(1));
    assert_eq!(fixture.proposal_refs(), ["next/pull/1"]);
    assert_eq!(fixture.fetch().await, at(&base));
}

#[tokio::test]
async fn what_merges_have_written_is_rolled_up_and_can_still_be_read() {
    let repository = TestRepository::new();
    let first = repository.commit(&[("a", "1\n"), ("b", "1\n")], "first");
    let head = propose(&repository, 1, &first, &[("a", "2\n")]);
    let base = repository.commit(&[("b", "2\n")], "base");
    let fixture = Fixture::of(repository.path().display());
    fixture.fetch().await.unwrap();
    fixture.pull(1).await.unwrap();
    let merged = clean(fixture.merged(&base, &head).await);

    // As many objects as thousands of merges leave.
    let mirror = fixture.mirror();
    let folder = tempfile::tempdir().unwrap();
    let names: Vec<String> =
        (0..4_100).map(|number| folder.path().join(format!("{number}")).display().to_string()).collect();
    for name in &names {
        std::fs::write(name, name).unwrap();
    }
    let git_dir = format!("--git-dir={}", mirror.display());
    repository.git_with_input(&[&git_dir, "hash-object", "-w", "--stdin-paths"], &format!("{}\n", names.join("\n")));
    let files = || files_below(&mirror.join("objects")).len();
    assert!(files() > 4_100);
    let next = repository.commit(&[("c", "1")], "next");
    assert_eq!(fixture.fetch().await, at(&next));
    assert!(files() < 100, "{} files are left", files());
    let fixture = fixture.restarted(vec![spec("mesh", repository.path().display())]);
    assert_eq!(fixture.read(&merged, "a").await.unwrap(), "2\n");
    assert_eq!(fixture.read(&merged, "b").await.unwrap(), "2\n");
}
