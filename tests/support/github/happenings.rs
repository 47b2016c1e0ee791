//! What happens in repositories: pushes, pull requests, merges and merge groups, and who is told.

use serde_json::{Value, json};

use super::hooks::Happening;
use super::objects::Merge;
use super::world::{CheckSuite, Pull, World};

/// What GitHub writes where there was no commit, or is none any more.
pub const ZERO: &str = "0000000000000000000000000000000000000000";

/// At most this many commits stand in a push.
const COMMITS_OF_A_PUSH: usize = 2048;

impl World {
    /// A reference has moved: whoever wants to know is told, and pull requests follow.
    pub fn pushed(&mut self, repository: u64, reference: &str, before: Option<&str>, after: Option<&str>, by: &str) {
        let payload = self.push_json(repository, reference, before, after, by);
        self.tell(&Happening { event: "push", action: None, repository, by, only: None, payload });
        let (kind, short) = match reference.split_once("refs/heads/") {
            Some((_, branch)) => ("branch", branch.to_owned()),
            None => ("tag", reference.trim_start_matches("refs/tags/").to_owned()),
        };
        let event = match (before, after) {
            (None, Some(_)) => Some("create"),
            (Some(_), None) => Some("delete"),
            _ => None,
        };
        if let Some(event) = event {
            let mut payload = json!({ "ref": short, "ref_type": kind, "pusher_type": "user" });
            if event == "create" {
                let branch = self.repository(repository).default_branch.clone();
                super::json::merge(&mut payload, json!({ "master_branch": branch, "description": null }));
            }
            self.tell(&Happening { event, action: None, repository, by, only: None, payload });
        }
        if kind == "branch" {
            if let Some(after) = after {
                self.open_suites(repository, Some(&short), after, by);
                self.heads_moved(repository, &short, after, by);
            }
            self.base_moved(repository, &short, by);
        }
    }

    fn push_json(&self, id: u64, reference: &str, before: Option<&str>, after: Option<&str>, by: &str) -> Value {
        let repository = self.repository(id);
        let git = repository.git();
        let page = format!("{}/{}", self.base, repository.full_name());
        let oid = |id: &str| git2::Oid::from_str(id).unwrap();
        let mut commits = Vec::new();
        if let Some(after) = after {
            let mut walk = git.revwalk().unwrap();
            walk.set_sorting(git2::Sort::TOPOLOGICAL | git2::Sort::REVERSE).unwrap();
            walk.push(oid(after)).unwrap();
            for hidden in before.into_iter().chain(self.hidden(id, reference, before).as_deref()) {
                walk.hide(oid(hidden)).unwrap();
            }
            for commit in walk.take(COMMITS_OF_A_PUSH) {
                commits.push(commit_json(&git, commit.unwrap(), &page));
            }
        }
        let head = after.map(|after| commit_json(&git, oid(after), &page));
        let is_forced = match (before, after) {
            (Some(before), Some(after)) => !repository.contains(after, before),
            _ => false,
        };
        let email = format!("{}@users.noreply.example.com", by.to_lowercase());
        let (from, to) = (before.unwrap_or(ZERO), after.unwrap_or(ZERO));
        json!({
            "ref": reference, "before": from, "after": to, "created": before.is_none(), "deleted": after.is_none(),
            "forced": is_forced, "base_ref": null, "compare": format!("{page}/compare/{from:.12}...{to:.12}"),
            "commits": commits, "head_commit": head, "pusher": { "name": by, "email": email },
        })
    }

    /// For a new branch, the default branch's commits are no news.
    fn hidden(&self, id: u64, reference: &str, before: Option<&str>) -> Option<String> {
        let repository = self.repository(id);
        let main = repository.default_branch.clone();
        (before.is_none() && reference != format!("refs/heads/{main}")).then(|| repository.branch(&main)).flatten()
    }

    /// For every commit that was pushed, each App that writes checks gets a suite.
    pub fn open_suites(&mut self, repository: u64, branch: Option<&str>, sha: &str, by: &str) {
        let apps: Vec<u64> = self.apps.iter().map(|app| app.id).collect();
        for app in apps {
            let may = |permissions: &std::collections::BTreeMap<String, String>| {
                permissions.get("checks").is_some_and(|level| level == "write")
            };
            if self.installation_for(app, repository).is_some_and(|installation| may(&installation.permissions)) {
                let suite = self.suite(repository, app, branch, sha);
                let found = self.repository(repository);
                let suite = found.check_suites.iter().find(|known| known.id == suite).unwrap();
                let payload = json!({ "check_suite": self.check_suite_json(found, suite) });
                let action = Some("requested");
                self.tell(&Happening { event: "check_suite", action, repository, by, only: Some(app), payload });
            }
        }
    }

    /// The suite of an App for a commit, made when there is none.
    pub fn suite(&mut self, repository: u64, app: u64, branch: Option<&str>, sha: &str) -> u64 {
        let suites = &self.repository(repository).check_suites;
        if let Some(suite) = suites.iter().find(|suite| suite.app == app && suite.sha == sha) {
            return suite.id;
        }
        let (id, created_at) = (self.new_id(), self.now());
        let suite = CheckSuite { id, app, sha: sha.to_owned(), branch: branch.map(str::to_owned), created_at };
        self.repository_mut(repository).check_suites.push(suite);
        id
    }

    /// Pull requests whose head is this branch get the new commit.
    fn heads_moved(&mut self, from: u64, branch: &str, after: &str, by: &str) {
        let is_its = |pull: &Pull| {
            pull.is_open && pull.head_repository == Some(from) && pull.head_branch == branch && pull.head != after
        };
        let moved: Vec<(u64, u64, String)> = self
            .repositories
            .iter()
            .flat_map(|repository| {
                repository.pulls.iter().filter(|pull| is_its(pull)).map(|pull| (repository.id, pull))
            })
            .map(|(id, pull)| (id, pull.number, pull.head.clone()))
            .collect();
        for (repository, number, before) in moved {
            if repository != from {
                let reference = format!("refs/heads/{branch}");
                self.repository(repository).take_objects(self.repository(from), &reference);
            }
            self.pull_mut(repository, number).head = after.to_owned();
            self.refresh(repository, number);
            self.tell_pull(repository, number, "synchronize", by, json!({ "before": before, "after": after }));
        }
    }

    /// Pull requests into this branch are merged anew for a test; those that are in it by now are merged.
    fn base_moved(&mut self, repository: u64, branch: &str, by: &str) {
        let found = self.repository(repository);
        let is_its = |pull: &&Pull| pull.is_open && pull.base_branch == branch;
        let numbers: Vec<u64> = found.pulls.iter().filter(is_its).map(|pull| pull.number).collect();
        for number in numbers {
            let found = self.repository(repository);
            let head = found.pull(number).unwrap().head.clone();
            match found.branch(branch) {
                Some(base) if found.contains(&base, &head) => self.settle(repository, number, &base, by),
                _ => self.refresh(repository, number),
            }
        }
    }

    pub fn pull_mut(&mut self, repository: u64, number: u64) -> &mut Pull {
        self.repository_mut(repository).pull_mut(number).unwrap()
    }

    /// Looks anew where head and base stand, and whether they merge.
    pub fn refresh(&mut self, repository: u64, number: u64) {
        let found = self.repository(repository);
        let pull = found.pull(number).unwrap().clone();
        found.set_reference(&format!("refs/pull/{number}/head"), &pull.head);
        let base = found.branch(&pull.base_branch).unwrap_or_else(|| pull.base.clone());
        let merged = self.merge_commit(repository, &pull, &base, Merge::Commit, &pull.author);
        let reference = format!("refs/pull/{number}/merge");
        match &merged {
            Some(merged) => self.repository(repository).set_reference(&reference, merged),
            None => self.repository(repository).delete_reference(&reference),
        }
        let now = self.now();
        let pull = self.pull_mut(repository, number);
        pull.base = base;
        pull.merge_commit = merged;
        pull.updated_at = now;
    }

    /// Tells of a pull request.
    pub fn tell_pull(&mut self, repository: u64, number: u64, action: &str, by: &str, more: Value) {
        let found = self.repository(repository);
        let pull = self.full_pull_json(found, found.pull(number).unwrap());
        let mut payload = json!({ "number": number, "pull_request": pull });
        super::json::merge(&mut payload, more);
        self.tell(&Happening { event: "pull_request", action: Some(action), repository, by, only: None, payload });
    }

    /// Merges a pull request into its base, and returns the commit at which the base then stands.
    pub fn merge_pull(&mut self, repository: u64, number: u64, how: Merge, by: &str) -> Option<String> {
        let found = self.repository(repository);
        let pull = found.pull(number)?.clone();
        let base = found.branch(&pull.base_branch)?;
        let merged = self.merge_commit(repository, &pull, &base, how, by)?;
        self.take_in(repository, number, &merged, by);
        Some(merged)
    }

    /// The base moves to the commit with which the pull request was merged.
    pub fn take_in(&mut self, repository: u64, number: u64, merged: &str, by: &str) {
        let found = self.repository(repository);
        let branch = found.pull(number).unwrap().base_branch.clone();
        let before = found.branch(&branch);
        found.set_reference(&format!("refs/heads/{branch}"), merged);
        self.settle(repository, number, merged, by);
        self.pushed(repository, &format!("refs/heads/{branch}"), before.as_deref(), Some(merged), by);
    }

    fn settle(&mut self, repository: u64, number: u64, merged: &str, by: &str) {
        let now = self.now();
        let pull = self.pull_mut(repository, number);
        pull.is_open = false;
        pull.merge_commit = Some(merged.to_owned());
        (pull.merged_at, pull.closed_at, pull.updated_at) = (Some(now), Some(now), now);
        pull.merged_by = Some(by.to_owned());
        self.repository(repository).delete_reference(&format!("refs/pull/{number}/merge"));
        self.tell_pull(repository, number, "closed", by, json!({}));
    }
}

/// A commit as it stands in a push.
fn commit_json(git: &git2::Repository, id: git2::Oid, page: &str) -> Value {
    let commit = git.find_commit(id).unwrap();
    let person = |by: git2::Signature<'_>| {
        let (name, email) = (by.name().unwrap_or_default().to_owned(), by.email().unwrap_or_default().to_owned());
        json!({ "name": name, "email": email, "username": name })
    };
    let before = commit.parent(0).ok().map(|parent| parent.tree().unwrap());
    let diff = git.diff_tree_to_tree(before.as_ref(), Some(&commit.tree().unwrap()), None).unwrap();
    let files = |wanted: &[git2::Delta]| -> Vec<String> {
        let path = |delta: git2::DiffDelta<'_>| delta.new_file().path().unwrap().display().to_string();
        diff.deltas().filter(|delta| wanted.contains(&delta.status())).map(path).collect()
    };
    let time = jiff::Timestamp::from_second(commit.time().seconds()).unwrap();
    json!({
        "id": id.to_string(), "tree_id": commit.tree_id().to_string(), "distinct": true,
        "message": commit.message().unwrap_or_default(), "timestamp": time, "url": format!("{page}/commit/{id}"),
        "author": person(commit.author()), "committer": person(commit.committer()),
        "added": files(&[git2::Delta::Added]), "removed": files(&[git2::Delta::Deleted]),
        "modified": files(&[git2::Delta::Modified, git2::Delta::Typechange]),
    })
}
