//! Watching real repositories and real policy folders. That something does *not* wake is seen by
//! doing something afterwards that does: the kernel tells of both in their order.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use meshwright::domain::source::Target;
use meshwright::port::door::{Door, WakeReason};
use meshwright::trigger::watch::{Pace, Place, watch};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

const PACE: Pace = Pace {
    quiet: Duration::from_millis(30),
    longest: Duration::from_millis(300),
    inspection: Duration::from_millis(100),
};

/// Counts the knocks.
#[derive(Debug, Default)]
struct CountingDoor {
    wakes: Mutex<Vec<Target>>,
    policies: AtomicUsize,
}

impl Door for CountingDoor {
    fn wake(&self, target: Target, reason: WakeReason) {
        assert_eq!(reason, WakeReason::FileChange);
        self.wakes.lock().unwrap().push(target);
    }

    fn recorded(&self, _: &[Target]) {
        panic!("files bring no deliveries");
    }

    fn policies_changed(&self) {
        self.policies.fetch_add(1, Ordering::SeqCst);
    }
}

/// Watched places in a temporary folder.
struct Story {
    folder: TempDir,
    door: Arc<CountingDoor>,
    cancel: CancellationToken,
    watching: Option<tokio::task::JoinHandle<()>>,
}

impl Story {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            door: Arc::default(),
            cancel: CancellationToken::new(),
            watching: None,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A repository with one commit.
    fn repository(&self, name: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(&path).unwrap();
        git(&path, &["init", "--quiet", "--initial-branch=main"]);
        commit(&path);
        path
    }

    /// Watches repositories under their names, and one folder of policies. Returns when all that is
    /// there is watched: each place is knocked for once when it is.
    async fn watch(&mut self, repositories: &[(&str, &Path)]) {
        let policies = self.path("policies");
        std::fs::create_dir_all(&policies).unwrap();
        let mut places: Vec<Place> = repositories
            .iter()
            .map(|(name, folder)| Place::Repository { target: target(name), folder: (*folder).to_owned() })
            .collect();
        places.push(Place::Policies { folder: policies });
        self.watching = Some(tokio::spawn(watch(Arc::clone(&self.door) as _, places, PACE, self.cancel.clone())));
        for (name, folder) in repositories {
            if folder.exists() {
                self.until(&format!("{name} is watched"), || self.wakes(name) > 0).await;
            }
        }
        self.until("the policies are watched", || self.policies() > 0).await;
    }

    fn wakes(&self, name: &str) -> usize {
        self.door.wakes.lock().unwrap().iter().filter(|woken| **woken == target(name)).count()
    }

    fn policies(&self) -> usize {
        self.door.policies.load(Ordering::SeqCst)
    }

    async fn until(&self, what: &str, condition: impl Fn() -> bool) {
        let begun = Instant::now();
        while !condition() {
            assert!(begun.elapsed() < Duration::from_secs(20), "waited in vain until {what}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Does something, and waits until it has woken the source.
    async fn wakes_when(&self, name: &str, what: &str, act: impl FnOnce()) {
        let before = self.wakes(name);
        act();
        self.until(what, || self.wakes(name) > before).await;
    }

    /// Everything that was done so far has been heard of when this returns.
    async fn catch_up(&self) {
        let before = self.policies();
        // A folder is made in one event; a file takes several, of which the last may come late.
        std::fs::create_dir(self.path("policies").join(format!("marker-{before}"))).unwrap();
        self.until("the marker is heard of", || self.policies() > before).await;
    }

    async fn end(mut self) {
        self.cancel.cancel();
        self.watching.take().unwrap().await.unwrap();
    }
}

fn target(name: &str) -> Target {
    Target::branch(name.parse().unwrap())
}

#[expect(clippy::disallowed_methods, reason = "the test does what people do with git")]
fn git(folder: &Path, arguments: &[&str]) {
    let output = std::process::Command::new("git")
        .args(arguments)
        .current_dir(folder)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_SYSTEM", "/dev/null")
        .envs([("GIT_AUTHOR_NAME", "Ada"), ("GIT_AUTHOR_EMAIL", "ada@example.com")])
        .envs([("GIT_COMMITTER_NAME", "Ada"), ("GIT_COMMITTER_EMAIL", "ada@example.com")])
        .output()
        .unwrap();
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

fn commit(folder: &Path) {
    git(folder, &["commit", "--quiet", "--allow-empty", "--message", "one more"]);
}

#[expect(clippy::disallowed_methods, reason = "the test does what people do with files")]
fn write(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
}

#[tokio::test]
async fn a_commit_wakes_its_own_source_and_no_other() {
    let mut story = Story::new();
    let (one, other) = (story.repository("one"), story.repository("other"));
    story.watch(&[("one", &one), ("other", &other)]).await;
    let quiet = story.wakes("other");
    story.wakes_when("one", "a commit is heard of", || commit(&one)).await;
    story.catch_up().await;
    assert_eq!(story.wakes("other"), quiet);
    story.end().await;
}

#[tokio::test]
async fn two_sources_of_one_repository_are_both_woken() {
    let mut story = Story::new();
    let shared = story.repository("shared");
    story.watch(&[("one", &shared), ("other", &shared)]).await;
    let before = story.wakes("other");
    story.wakes_when("one", "a commit is heard of", || commit(&shared)).await;
    story.until("the other source hears of it as well", || story.wakes("other") > before).await;
    story.end().await;
}

#[tokio::test]
async fn our_own_notes_and_fetches_wake_nobody() {
    let mut story = Story::new();
    let one = story.repository("one");
    story.watch(&[("one", &one)]).await;
    story.catch_up().await;
    let before = story.wakes("one");
    git(&one, &["notes", "--ref=meshwright", "add", "--message", "success", "HEAD"]);
    git(&one, &["notes", "--ref=meshwright", "append", "--message", "success", "HEAD"]);
    git(story.folder.path(), &["clone", "--quiet", "--mirror", "one", "mirror"]);
    write(&one.join("work-in-progress.yaml"), "a: 1\n");
    git(&one, &["add", "."]);
    story.catch_up().await;
    assert_eq!(story.wakes("one"), before);
    story.end().await;
}

#[tokio::test]
async fn branches_in_folders_packed_branches_and_pushes_are_heard_of() {
    let mut story = Story::new();
    let one = story.repository("one");
    git(story.folder.path(), &["clone", "--quiet", "--bare", "one", "bare"]);
    let bare = story.path("bare");
    story.watch(&[("one", &one), ("bare", &bare)]).await;
    story.wakes_when("one", "a branch in a new folder is heard of", || git(&one, &["branch", "a/b/c"])).await;
    story.catch_up().await;
    story
        .wakes_when("one", "and its next commit", || {
            git(&one, &["checkout", "--quiet", "a/b/c"]);
            commit(&one);
        })
        .await;
    story.wakes_when("one", "packed branches are heard of", || git(&one, &["pack-refs", "--all"])).await;
    story.wakes_when("bare", "a push is heard of", || git(&one, &["push", "--quiet", "../bare", "a/b/c:main"])).await;
    story.end().await;
}

#[tokio::test]
async fn a_linked_working_tree_hears_of_the_branches_of_the_main_one() {
    let mut story = Story::new();
    let main = story.repository("main");
    git(&main, &["worktree", "add", "--quiet", "../linked", "-b", "side"]);
    let linked = story.path("linked");
    story.watch(&[("linked", &linked)]).await;
    story.wakes_when("linked", "a commit in it is heard of", || commit(&linked)).await;
    story.wakes_when("linked", "a commit in the main one as well", || commit(&main)).await;
    story.end().await;
}

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "the test deletes the repository that it made")]
async fn a_repository_that_comes_later_or_again_is_heard_of() {
    let mut story = Story::new();
    let late = story.path("late");
    story.watch(&[("late", &late)]).await;
    story.wakes_when("late", "it is there", || drop(story.repository("late"))).await;
    story.wakes_when("late", "it is watched", || commit(&late)).await;
    story.catch_up().await;
    std::fs::remove_dir_all(&late).unwrap();
    story.wakes_when("late", "it is there again", || drop(story.repository("late"))).await;
    story.catch_up().await;
    // Swapped by renaming the folder above: nothing that is watched has gone.
    story.repository("next");
    story
        .wakes_when("late", "another one is in its place", || {
            std::fs::rename(&late, story.path("old")).unwrap();
            std::fs::rename(story.path("next"), &late).unwrap();
        })
        .await;
    story.catch_up().await;
    story.wakes_when("late", "and that one is watched", || commit(&late)).await;
    story.end().await;
}

#[tokio::test]
async fn changed_policies_are_told_of_and_files_beside_them_are_not() {
    let mut story = Story::new();
    let one = story.repository("one");
    story.watch(&[("one", &one)]).await;
    story.catch_up().await;
    let before = story.policies();
    write(&story.path("policies/state.db"), "x");
    write(&story.path("policies/README.txt"), "x");
    story.wakes_when("one", "what came before has been heard of", || commit(&one)).await;
    assert_eq!(story.policies(), before);

    write(&story.path("policies/naming.rego"), "package naming\n");
    story.until("a new rule is told of", || story.policies() > before).await;
    let before = story.policies();
    std::fs::create_dir(story.path("policies/more")).unwrap();
    story.until("a new folder is told of", || story.policies() > before).await;
    let before = story.policies();
    write(&story.path("policies/more/tags.rego"), "package tags\n");
    story.until("a rule in it is told of", || story.policies() > before).await;
    let before = story.policies();
    std::fs::remove_file(story.path("policies/naming.rego")).unwrap();
    story.until("a rule that is gone is told of", || story.policies() > before).await;
    story.end().await;
}
