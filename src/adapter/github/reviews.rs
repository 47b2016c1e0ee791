//! Pull requests and the people who comment on them.

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::json;

use crate::domain::forge::{PullRequest, PullState};
use crate::domain::id::{Revision, SourceName};
use crate::domain::report::one_line;
use crate::port::forge::ForgeError;
use crate::port::forge::reviews::{Reaction, Reviews};

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::GithubForge;
use super::client::Weight;

/// A thousand pull requests, a hundred a page.
const MOST_PAGES: usize = 10;
/// GitHub's limit of a title.
const LONGEST_TITLE: usize = 256;
/// Logins have at most 39 characters; those of companies with an own directory have a suffix.
const LONGEST_LOGIN: usize = 100;

#[derive(Deserialize)]
struct Pull {
    number: u64,
    #[serde(default)]
    title: String,
    #[serde(default)]
    user: Option<User>,
    state: String,
    #[serde(default)]
    merged_at: Option<String>,
    #[serde(default)]
    merge_commit_sha: Option<Revision>,
    #[serde(default)]
    draft: bool,
    head: End,
    base: End,
}

#[derive(Deserialize)]
struct User {
    login: String,
}

#[derive(Deserialize)]
struct End {
    #[serde(rename = "ref")]
    branch: String,
    sha: Revision,
    #[serde(default)]
    repo: Option<Repo>,
}

#[derive(Deserialize)]
struct Repo {
    id: u64,
}

#[derive(Deserialize)]
struct Permission {
    permission: String,
}

impl From<Pull> for PullRequest {
    fn from(pull: Pull) -> Self {
        let state = match (pull.state.as_str(), &pull.merged_at) {
            ("open", _) => PullState::Open,
            (_, Some(_)) => PullState::Merged,
            (_, None) => PullState::Closed,
        };
        // A fork that was removed is a fork all the same.
        let is_fork = match (&pull.head.repo, &pull.base.repo) {
            (Some(head), Some(base)) => head.id != base.id,
            _ => true,
        };
        PullRequest {
            number: pull.number,
            title: one_line(&pull.title, LONGEST_TITLE),
            // The account of who opened it may be gone.
            author: pull.user.map_or_else(|| "ghost".to_owned(), |user| user.login),
            state,
            is_draft: pull.draft,
            is_fork,
            head: pull.head.sha,
            base: pull.base.branch,
            // Before the merge it is the commit of a merge that was only tried.
            merge_commit: pull.merge_commit_sha.filter(|_| state == PullState::Merged),
        }
    }
}

#[async_trait]
impl Reviews for GithubForge {
    async fn pull_request(&self, source: &SourceName, number: u64) -> Result<Option<PullRequest>, ForgeError> {
        let repository = self.github.repository(source)?;
        match repository.find(&format!("/pulls/{number}")).await? {
            Some(answer) => Ok(Some(answer.json::<Pull>()?.into())),
            None => Ok(None),
        }
    }

    async fn open_pull_requests(&self, source: &SourceName, base: &str) -> Result<Vec<PullRequest>, ForgeError> {
        let repository = self.github.repository(source)?;
        let branch = utf8_percent_encode(base, NON_ALPHANUMERIC);
        let path = format!("/pulls?state=open&base={branch}&sort=created&direction=asc&per_page=100");
        let (pulls, has_more) = repository.pages(&path, MOST_PAGES, |page: Vec<Pull>| page).await?;
        if has_more {
            tracing::warn!(%source, base, "there are more than 1,000 open pull requests; the oldest 1,000 are looked at");
        }
        let mut pulls: Vec<PullRequest> = pulls.into_iter().map(PullRequest::from).collect();
        // Pages shift when a pull request is closed between them.
        pulls.retain(|pull| pull.state == PullState::Open && pull.base == base);
        pulls.sort_by_key(|pull| pull.number);
        pulls.dedup_by_key(|pull| pull.number);
        Ok(pulls)
    }

    async fn merged_as(&self, source: &SourceName, commit: &Revision) -> Result<Option<u64>, ForgeError> {
        let repository = self.github.repository(source)?;
        let Some(answer) = repository.find(&format!("/commits/{commit}/pulls?per_page=100")).await? else {
            return Ok(None);
        };
        // Among them are all that only contain the commit.
        let pulls = answer.json::<Vec<Pull>>()?.into_iter().map(PullRequest::from);
        Ok(pulls.filter(|pull| pull.merge_commit.as_ref() == Some(commit)).map(|pull| pull.number).min())
    }

    async fn may_write(&self, source: &SourceName, login: &str) -> Result<bool, ForgeError> {
        let is_login = (1..=LONGEST_LOGIN).contains(&login.len())
            && login.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        if !is_login {
            return Ok(false);
        }
        let repository = self.github.repository(source)?;
        let found = repository.find(&format!("/collaborators/{login}/permission")).await?;
        let Some(answer) = found else { return Ok(false) };
        let permission: Permission = answer.json()?;
        Ok(matches!(permission.permission.as_str(), "admin" | "maintain" | "write"))
    }

    async fn react(&self, source: &SourceName, comment: u64, reaction: Reaction) -> Result<(), ForgeError> {
        let repository = self.github.repository(source)?;
        let content = match reaction {
            Reaction::Seen => "+1",
            Reaction::Refused => "confused",
        };
        let path = format!("/issues/comments/{comment}/reactions");
        repository.create(&path, &json!({ "content": content }), Weight::Write).await.map(drop)
    }
}
