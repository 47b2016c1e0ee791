//! Pull requests, as the forge tells of them when it is asked; and how it shows what became of comments.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use meshwright::domain::forge::{PullRequest, PullState};
use meshwright::domain::id::{Revision, SourceName};
use meshwright::port::forge::ForgeError;
use meshwright::port::forge::reviews::{Reaction, Reviews};

use super::git::Repositories;
use super::hooks::WRITER;
use super::world::Replica;

/// What was reacted to which comment.
pub type Reactions = Arc<Mutex<BTreeMap<u64, Reaction>>>;

/// The pull requests, as one replica asks for them.
pub struct SimReviews {
    pub replica: Arc<Replica>,
    pub repositories: Repositories,
    pub reactions: Reactions,
}

impl SimReviews {
    /// The forge is asked, and may not answer.
    async fn asked<T>(&self, what: &str, answer: impl FnOnce() -> T) -> Result<T, ForgeError> {
        self.replica.enter().await;
        let (world, rates) = (&self.replica.world, &self.replica.world.rates);
        tokio::time::sleep(world.chance.millis(1..=60)).await;
        let outcome = if world.fault("forge fails", rates.forge_fails) {
            Err(ForgeError::Transient("502".to_owned()))
        } else {
            let answer = answer();
            if world.fault("forge's answer is lost", rates.forge_answer_lost) {
                Err(ForgeError::Transient("connection reset".to_owned()))
            } else {
                Ok(answer)
            }
        };
        world.tell(format_args!("{} {what} {}", self.replica.name, if outcome.is_ok() { "ok" } else { "failed" }));
        self.replica.leave().await;
        outcome
    }

    fn pulls(&self, source: &SourceName) -> Vec<PullRequest> {
        let repositories = self.repositories.lock().unwrap();
        repositories[source].pulls.values().map(|pull| pull.request.clone()).collect()
    }
}

#[async_trait]
impl Reviews for SimReviews {
    async fn pull_request(&self, source: &SourceName, number: u64) -> Result<Option<PullRequest>, ForgeError> {
        self.asked("pull_request", || self.pulls(source).into_iter().find(|pull| pull.number == number)).await
    }

    async fn open_pull_requests(&self, source: &SourceName, base: &str) -> Result<Vec<PullRequest>, ForgeError> {
        let is_open = |pull: &PullRequest| pull.state == PullState::Open && pull.base == base;
        self.asked("open_pull_requests", || self.pulls(source).into_iter().filter(is_open).collect()).await
    }

    async fn merged_as(&self, source: &SourceName, commit: &Revision) -> Result<Option<u64>, ForgeError> {
        let is_it = |pull: &PullRequest| pull.merge_commit.as_ref() == Some(commit);
        self.asked("merged_as", || self.pulls(source).into_iter().find(is_it).map(|pull| pull.number)).await
    }

    async fn may_write(&self, _: &SourceName, login: &str) -> Result<bool, ForgeError> {
        self.asked("may_write", || login == WRITER).await
    }

    async fn react(&self, _: &SourceName, comment: u64, reaction: Reaction) -> Result<(), ForgeError> {
        self.asked("react", || {
            self.reactions.lock().unwrap().insert(comment, reaction);
        })
        .await
    }
}
