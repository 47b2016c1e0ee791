//! A repository: what is pushed to it, and what it shows.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::{Hub, PullHandle};
use crate::support::github::hooks::{Happening, Hook};
use crate::support::github::objects;
use crate::support::github::routes::{newest_statuses, told_check};
use crate::support::github::world::{CheckRun, Comment, Deployment, Kind, Repository, Status};

/// Who does what tests do, if nobody else is named.
pub const SOMEBODY: &str = "alice";

#[derive(Debug, Clone, Copy)]
pub struct RepositoryHandle<'a> {
    pub(super) hub: &'a Hub,
    pub id: u64,
}

impl Repository {
    pub fn new(id: u64, owner: &str, name: &str, below: &Path) -> Self {
        let folder = below.join(format!("{id}.git"));
        objects::make(&folder);
        Self {
            id,
            owner: owner.to_owned(),
            name: name.to_owned(),
            folder,
            is_private: false,
            is_archived: false,
            is_deleted: false,
            fork_of: None,
            default_branch: "main".to_owned(),
            collaborators: BTreeMap::new(),
            hooks: Vec::new(),
            pulls: Vec::new(),
            last_number: 0,
            statuses: Vec::new(),
            check_suites: Vec::new(),
            check_runs: Vec::new(),
            comments: Vec::new(),
            deployments: Vec::new(),
        }
    }
}

impl<'a> RepositoryHandle<'a> {
    pub(super) fn look<T>(&self, look: impl FnOnce(&Repository) -> T) -> T {
        self.hub.with(|world| look(world.repository(self.id)))
    }

    fn change(&self, change: impl FnOnce(&mut Repository)) {
        self.hub.with(|world| change(world.repository_mut(self.id)));
    }

    /// `owner/name`.
    pub fn full_name(&self) -> String {
        self.look(Repository::full_name)
    }

    /// Where it is cloned from.
    pub fn clone_url(&self) -> String {
        format!("{}/{}.git", self.hub.url(), self.full_name())
    }

    /// The same, with the credentials of a person, who may push if they are a collaborator.
    pub fn clone_url_as(&self, login: &str) -> String {
        let token = self.hub.token(login);
        self.clone_url().replacen("http://", &format!("http://{login}:{token}@"), 1)
    }

    /// The bare repository itself.
    pub fn folder(&self) -> PathBuf {
        self.look(|repository| repository.folder.clone())
    }

    /// Only who is let in may see it.
    pub fn private(self) -> Self {
        self.change(|repository| repository.is_private = true);
        self
    }

    /// Lets somebody in: `admin`, `maintain`, `write`, `triage` or `read`.
    pub fn collaborator(self, login: &str, role: &str) -> Self {
        self.hub.with(|world| world.ensure_user(login, Kind::User));
        self.change(|repository| {
            repository.collaborators.insert(login.to_lowercase(), role.to_owned());
        });
        self
    }

    /// Puts these files on the default branch.
    pub fn with_files(self, files: &[(&str, &str)]) -> Self {
        self.push("main", files);
        self
    }

    /// Commits these files on a branch, which begins at the default branch if there is none, and
    /// pushes it. The commit's id comes back.
    pub fn push(&self, branch: &str, files: &[(&str, &str)]) -> String {
        let files: Vec<(&str, Option<&str>)> = files.iter().map(|(path, text)| (*path, Some(*text))).collect();
        self.push_changes(branch, &files, "A change")
    }

    /// The same; a file without content is deleted.
    pub fn push_changes(&self, branch: &str, files: &[(&str, Option<&str>)], message: &str) -> String {
        self.hub.with(|world| {
            world.ensure_user(SOMEBODY, Kind::User);
            let found = world.repository(self.id);
            let before = found.branch(branch);
            let parent = before.clone().or_else(|| found.branch(&found.default_branch));
            let after = world.write_commit(self.id, parent.as_deref(), files, message, SOMEBODY);
            let reference = format!("refs/heads/{branch}");
            world.repository(self.id).set_reference(&reference, &after);
            world.pushed(self.id, &reference, before.as_deref(), Some(&after), SOMEBODY);
            after
        })
    }

    /// Puts a branch at any commit, by force.
    pub fn force_push(&self, branch: &str, to: &str) {
        self.hub.with(|world| {
            world.ensure_user(SOMEBODY, Kind::User);
            let before = world.repository(self.id).branch(branch);
            let reference = format!("refs/heads/{branch}");
            world.repository(self.id).set_reference(&reference, to);
            world.pushed(self.id, &reference, before.as_deref(), Some(to), SOMEBODY);
        });
    }

    pub fn delete_branch(&self, branch: &str) {
        self.hub.with(|world| {
            let before = world.repository(self.id).branch(branch);
            let reference = format!("refs/heads/{branch}");
            world.repository(self.id).delete_reference(&reference);
            world.pushed(self.id, &reference, before.as_deref(), None, SOMEBODY);
        });
    }

    /// Where a branch stands.
    pub fn head(&self, branch: &str) -> String {
        self.look(|repository| repository.branch(branch)).unwrap_or_else(|| panic!("there is no branch {branch}"))
    }

    /// A copy of it that belongs to somebody else.
    pub fn fork(&self, owner: &str) -> RepositoryHandle<'a> {
        let name = self.look(|repository| repository.name.clone());
        let fork = self.hub.repository(&format!("{owner}/{name}"));
        self.hub.with(|world| {
            let branch = world.repository(self.id).default_branch.clone();
            let head = world.repository(self.id).branch(&branch).unwrap();
            let reference = format!("refs/heads/{branch}");
            world.repository(fork.id).take_objects(world.repository(self.id), &reference);
            world.repository(fork.id).set_reference(&reference, &head);
            world.repository_mut(fork.id).fork_of = Some(self.id);
        });
        fork
    }

    /// Pushes a branch with these files, and opens a pull request into the default branch.
    pub fn open_pull_request(&self, branch: &str, files: &[(&str, &str)]) -> PullHandle<'a> {
        self.push(branch, files);
        self.open_pull_request_from(*self, branch)
    }

    /// Opens a pull request for a branch that is there, here or in a fork.
    pub fn open_pull_request_from(&self, from: RepositoryHandle<'_>, branch: &str) -> PullHandle<'a> {
        PullHandle::open(*self, from.id, branch)
    }

    /// A webhook of the repository itself, as people with a personal token have it.
    pub fn webhook(&self, url: &str, secret: &str) -> u64 {
        self.hub.with(|world| {
            let id = world.new_id();
            let hook = Hook { id, url: url.to_owned(), secret: secret.to_owned() };
            world.repository_mut(self.id).hooks.push(hook);
            id
        })
    }

    /// All statuses that were ever written for this commit, the oldest first.
    pub fn statuses(&self, sha: &str) -> Vec<Status> {
        self.look(|repository| repository.statuses.iter().filter(|status| status.sha == sha).cloned().collect())
    }

    /// Has this commit and context had so many statuses before.
    pub fn with_statuses(self, sha: &str, context: &str, count: usize) -> Self {
        self.hub.with(|world| {
            let (id, created_at) = (world.new_id(), world.now());
            let status = Status {
                id,
                sha: sha.to_owned(),
                context: context.to_owned(),
                state: "pending".to_owned(),
                description: None,
                target_url: None,
                creator: SOMEBODY.to_owned(),
                created_at,
            };
            world.repository_mut(self.id).statuses.extend(std::iter::repeat_n(status, count));
        });
        self
    }

    /// What is shown for this commit: the newest state of each context, and its description.
    pub fn shown(&self, sha: &str) -> BTreeMap<String, (String, String)> {
        let statuses = self.look(|repository| newest_statuses(repository, sha));
        let pair = |status: Status| (status.context, (status.state, status.description.unwrap_or_default()));
        statuses.into_iter().map(pair).collect()
    }

    /// The state of one context of a commit; nothing when there is none.
    pub fn state(&self, sha: &str, context: &str) -> Option<String> {
        self.shown(sha).remove(context).map(|(state, _)| state)
    }

    /// The newest check run of this name for a commit.
    pub fn check_run(&self, sha: &str, name: &str) -> Option<CheckRun> {
        let is_it = |run: &&CheckRun| run.sha == sha && run.name == name;
        self.look(|repository| repository.check_runs.iter().rev().find(is_it).cloned())
    }

    pub fn check_runs(&self) -> Vec<CheckRun> {
        self.look(|repository| repository.check_runs.clone())
    }

    pub fn deployments(&self) -> Vec<Deployment> {
        self.look(|repository| repository.deployments.clone())
    }

    /// The comments of all its pull requests.
    pub fn comments(&self) -> Vec<Comment> {
        self.look(|repository| repository.comments.clone())
    }

    /// Somebody presses a button of a check run.
    pub fn press(&self, run: &CheckRun, identifier: &str, by: &str) {
        let has_it = run.actions.iter().any(|action| action.get("identifier").is_some_and(|known| known == identifier));
        assert!(has_it, "the check run has no action '{identifier}': {:?}", run.actions);
        self.tell_check(run, "requested_action", by, json!({ "requested_action": { "identifier": identifier } }));
    }

    /// Somebody asks for a check run to be made again.
    pub fn rerun(&self, run: &CheckRun, by: &str) {
        self.tell_check(run, "rerequested", by, json!({}));
    }

    fn tell_check(&self, run: &CheckRun, action: &str, by: &str, more: serde_json::Value) {
        self.hub.with(|world| {
            world.ensure_user(by, Kind::User);
            let mut payload = json!({ "check_run": told_check(world, self.id, run) });
            crate::support::github::json::merge(&mut payload, more);
            let (event, action, only) = ("check_run", Some(action), Some(run.app));
            world.tell(&Happening { event, action, repository: self.id, by, only, payload });
        });
    }

    /// Makes it read-only, or writable again.
    pub fn archive(&self, is_archived: bool) {
        self.change(|repository| repository.is_archived = is_archived);
        self.tell(if is_archived { "archived" } else { "unarchived" }, json!({}));
    }

    /// Gives it another name; the old one leads here.
    pub fn rename(&self, name: &str) {
        let before = self.look(|repository| repository.name.clone());
        self.move_to(|repository| name.clone_into(&mut repository.name));
        self.tell("renamed", json!({ "changes": { "repository": { "name": { "from": before } } } }));
    }

    /// Gives it to another account; the old name leads here.
    pub fn transfer(&self, owner: &str) {
        let before = self.look(|repository| repository.owner.clone());
        let before = self.hub.with(|world| {
            world.ensure_user(owner, Kind::Organization);
            world.user_json(&before)
        });
        self.move_to(|repository| owner.clone_into(&mut repository.owner));
        self.tell("transferred", json!({ "changes": { "owner": { "from": { "organization": before } } } }));
    }

    fn move_to(&self, change: impl FnOnce(&mut Repository)) {
        let before = self.full_name().to_lowercase();
        self.change(change);
        self.hub.with(|world| world.moved.insert(before, self.id));
    }

    /// Deletes it.
    pub fn delete(&self) {
        self.tell("deleted", json!({}));
        self.change(|repository| repository.is_deleted = true);
    }

    fn tell(&self, action: &str, payload: serde_json::Value) {
        let (repository, by) = (self.id, SOMEBODY);
        self.hub.with(|world| {
            world.ensure_user(by, Kind::User);
            world.tell(&Happening { event: "repository", action: Some(action), repository, by, only: None, payload });
        });
    }
}
