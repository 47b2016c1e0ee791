//! Pull requests in memory, over a real repository: what a forge would tell of them when asked.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use meshwright::domain::forge::{Proposal, PullRequest, PullState};
use meshwright::domain::id::{Revision, SourceName};
use meshwright::domain::report::Report;
use meshwright::domain::source::Target;
use meshwright::port::forge::reviews::{Reaction, Reviews};
use meshwright::port::forge::{Abilities, Forge, ForgeError};

use super::repository::TestRepository;
use super::world::{World, source};

/// A forge's pull requests.
#[derive(Debug, Default)]
pub struct PullRequests {
    pulls: Mutex<BTreeMap<u64, PullRequest>>,
    /// How often all open ones were asked for.
    pub listed: AtomicUsize,
    /// What is said instead of an answer.
    pub down: Mutex<Option<ForgeError>>,
}

impl PullRequests {
    /// Those of the world's own source, from now on.
    pub fn of(world: &mut World) -> Arc<Self> {
        let pulls = Arc::new(Self::default());
        world.reviews.insert(source(), Arc::clone(&pulls) as Arc<dyn Reviews>);
        world.forges.insert(source(), Arc::new(Showing));
        pulls
    }

    /// Opens a pull request, or moves the head of one: one commit with these files on top of `from`.
    pub fn push(&self, repository: &TestRepository, number: u64, from: &Revision, files: &[(&str, &str)]) -> Revision {
        repository.git(&["checkout", "--quiet", "--detach", from.as_str()]);
        let head = repository.commit(files, "proposed");
        repository.git(&["checkout", "--quiet", "main"]);
        self.point(repository, number, &head);
        head
    }

    /// Opens a pull request, or moves the head of one, to a commit that is there.
    pub fn point(&self, repository: &TestRepository, number: u64, head: &Revision) {
        repository.git(&["update-ref", &format!("refs/pull/{number}/head"), head.as_str()]);
        self.told(number, head);
    }

    fn told(&self, number: u64, head: &Revision) {
        let mut pulls = self.pulls.lock().unwrap();
        let pull = pulls.entry(number).or_insert_with(|| PullRequest {
            number,
            title: format!("Proposal {number}"),
            author: "mona".to_owned(),
            state: PullState::Open,
            is_draft: false,
            is_fork: number.is_multiple_of(2),
            head: head.clone(),
            base: "main".to_owned(),
            merge_commit: None,
        });
        pull.head = head.clone();
    }

    /// Opens many at once, from 1 on: each with one file on top of `from`.
    pub fn push_many(&self, repository: &TestRepository, from: &Revision, files: &[(String, String)]) {
        let mut stream = String::new();
        for (number, (path, text)) in (1..).zip(files) {
            let name = format!("refs/pull/{number}/head");
            stream += &format!("commit {name}\ncommitter T <t@example.com> 1790000000 +0000\ndata 1\np\n");
            stream += &format!("from {from}\nM 100644 inline {path}\ndata {}\n{text}\n", text.len());
        }
        repository.git_with_input(&["fast-import", "--quiet"], &stream);
        for number in 1..=u64::try_from(files.len()).unwrap() {
            let head = repository.git(&["rev-parse", &format!("refs/pull/{number}/head")]).parse().unwrap();
            self.told(number, &head);
        }
    }

    /// Changes what is told of one.
    pub fn change(&self, number: u64, change: impl FnOnce(&mut PullRequest)) {
        change(self.pulls.lock().unwrap().get_mut(&number).unwrap());
    }

    fn answer<T>(&self, answer: T) -> Result<T, ForgeError> {
        match &*self.down.lock().unwrap() {
            Some(error) => Err(error.clone()),
            None => Ok(answer),
        }
    }
}

/// The target of a pull request of the world's own source.
pub fn pull(number: u64) -> Target {
    Target::proposal(source(), Proposal::Pull(number))
}

#[async_trait]
impl Reviews for PullRequests {
    async fn pull_request(&self, _: &SourceName, number: u64) -> Result<Option<PullRequest>, ForgeError> {
        self.answer(self.pulls.lock().unwrap().get(&number).cloned())
    }

    async fn open_pull_requests(&self, _: &SourceName, base: &str) -> Result<Vec<PullRequest>, ForgeError> {
        self.listed.fetch_add(1, Ordering::SeqCst);
        let pulls = self.pulls.lock().unwrap();
        let open = pulls.values().filter(|pull| pull.state == PullState::Open && pull.base == base);
        self.answer(open.cloned().collect())
    }

    async fn merged_as(&self, _: &SourceName, commit: &Revision) -> Result<Option<u64>, ForgeError> {
        let pulls = self.pulls.lock().unwrap();
        let merged = pulls.values().find(|pull| pull.merge_commit.as_ref() == Some(commit));
        self.answer(merged.map(|pull| pull.number))
    }

    async fn may_write(&self, _: &SourceName, _: &str) -> Result<bool, ForgeError> {
        self.answer(false)
    }

    async fn react(&self, _: &SourceName, _: u64, _: Reaction) -> Result<(), ForgeError> {
        self.answer(())
    }
}

/// A forge that shows whatever it is given.
#[derive(Debug)]
struct Showing;

#[async_trait]
impl Forge for Showing {
    fn abilities(&self) -> Abilities {
        Abilities { checks: true, comments: true, deployments: false }
    }

    async fn publish(&self, _: &Report, external: Option<&str>) -> Result<Option<String>, ForgeError> {
        Ok(external.map(str::to_owned))
    }

    async fn shows(&self, _: &Report, _: Option<&str>) -> Result<bool, ForgeError> {
        Ok(true)
    }
}
