//! A pull request, from its opening to its end; and the merge group that may come between.

use serde_json::json;

use super::RepositoryHandle;
use super::repository::SOMEBODY;
use crate::support::github::hooks::Happening;
use crate::support::github::objects::Merge;
use crate::support::github::world::{Comment, Kind, Pull};

#[derive(Debug, Clone, Copy)]
pub struct PullHandle<'a> {
    repository: RepositoryHandle<'a>,
    pub number: u64,
}

impl<'a> PullHandle<'a> {
    pub(super) fn open(repository: RepositoryHandle<'a>, from: u64, branch: &str) -> Self {
        let id = repository.id;
        let number = repository.hub.with(|world| {
            world.ensure_user(SOMEBODY, Kind::User);
            let head = world.repository(from).branch(branch).unwrap_or_else(|| panic!("there is no branch {branch}"));
            let reference = format!("refs/heads/{branch}");
            if from != id {
                world.repository(id).take_objects(world.repository(from), &reference);
            }
            let found = world.repository(id);
            let base_branch = found.default_branch.clone();
            let base = found.branch(&base_branch).unwrap();
            let number = found.last_number + 1;
            let author = if from == id { SOMEBODY.to_owned() } else { world.repository(from).owner.clone() };
            let (new, now) = (world.new_id(), world.now());
            let pull = Pull {
                id: new,
                number,
                title: format!("Merge {branch}"),
                body: None,
                author: author.clone(),
                is_open: true,
                is_draft: false,
                head_repository: Some(from),
                head_branch: branch.to_owned(),
                head,
                base_branch,
                base,
                merge_commit: None,
                merged_at: None,
                merged_by: None,
                closed_at: None,
                created_at: now,
                updated_at: now,
            };
            let found = world.repository_mut(id);
            found.last_number = number;
            found.pulls.push(pull);
            world.refresh(id, number);
            world.tell_pull(id, number, "opened", &author, json!({}));
            number
        });
        Self { repository, number }
    }

    fn look<T>(&self, look: impl FnOnce(&Pull) -> T) -> T {
        self.repository.look(|repository| look(repository.pull(self.number).unwrap()))
    }

    fn change(&self, change: impl FnOnce(&mut Pull)) {
        let id = self.repository.id;
        self.repository.hub.with(|world| change(world.pull_mut(id, self.number)));
    }

    fn tell(&self, action: &str, more: serde_json::Value) {
        let id = self.repository.id;
        self.repository.hub.with(|world| {
            world.refresh(id, self.number);
            world.tell_pull(id, self.number, action, SOMEBODY, more);
        });
    }

    /// The commit that is proposed.
    pub fn head(&self) -> String {
        self.look(|pull| pull.head.clone())
    }

    /// Whether it would merge without conflicts.
    pub fn is_mergeable(&self) -> bool {
        self.look(|pull| pull.is_open && pull.merge_commit.is_some())
    }

    pub fn is_merged(&self) -> bool {
        self.look(|pull| pull.merged_at.is_some())
    }

    /// One more commit on its branch; its id comes back.
    pub fn push(&self, files: &[(&str, &str)]) -> String {
        let (from, branch) = self.look(|pull| (pull.head_repository.unwrap(), pull.head_branch.clone()));
        RepositoryHandle { hub: self.repository.hub, id: from }.push(&branch, files)
    }

    /// Another commit in place of what its branch had.
    pub fn force_push(&self, to: &str) {
        let (from, branch) = self.look(|pull| (pull.head_repository.unwrap(), pull.head_branch.clone()));
        RepositoryHandle { hub: self.repository.hub, id: from }.force_push(&branch, to);
    }

    pub fn title(&self, title: &str) {
        let before = self.look(|pull| pull.title.clone());
        self.change(|pull| title.clone_into(&mut pull.title));
        self.tell("edited", json!({ "changes": { "title": { "from": before } } }));
    }

    /// Another branch is to take it in.
    pub fn change_base(&self, branch: &str) {
        let before = self.look(|pull| (pull.base_branch.clone(), pull.base.clone()));
        self.change(|pull| branch.clone_into(&mut pull.base_branch));
        self.tell(
            "edited",
            json!({ "changes": { "base": { "ref": { "from": before.0 }, "sha": { "from": before.1 } } } }),
        );
    }

    /// Makes it a draft, or ready for review.
    pub fn draft(&self, is_draft: bool) {
        self.change(|pull| pull.is_draft = is_draft);
        self.tell(if is_draft { "converted_to_draft" } else { "ready_for_review" }, json!({}));
    }

    pub fn close(&self) {
        let now = self.repository.hub.now();
        self.change(|pull| (pull.is_open, pull.closed_at) = (false, Some(now)));
        self.tell("closed", json!({}));
    }

    pub fn reopen(&self) {
        self.change(|pull| (pull.is_open, pull.closed_at) = (true, None));
        self.tell("reopened", json!({}));
    }

    /// Merges it; the commit at which the base then stands comes back.
    pub fn merge(&self, how: Merge) -> String {
        let id = self.repository.id;
        let merged = self.repository.hub.with(|world| world.merge_pull(id, self.number, how, SOMEBODY));
        merged.unwrap_or_else(|| panic!("#{} does not merge", self.number))
    }

    /// Puts it into the merge queue.
    pub fn enqueue(&self) -> MergeGroupHandle<'a> {
        MergeGroupHandle::make(*self)
    }

    /// Somebody comments on it; the comment's id comes back.
    pub fn comment(&self, author: &str, body: &str) -> u64 {
        self.repository.hub.with(|world| {
            world.ensure_user(author, if author.ends_with("[bot]") { Kind::Bot } else { Kind::User });
            world.comment(self.repository.id, self.number, author, None, body)
        })
    }

    /// Somebody edits a comment.
    pub fn edit_comment(&self, comment: u64, by: &str, body: &str) {
        self.repository.hub.with(|world| world.edit_comment(self.repository.id, comment, by, body));
    }

    /// Somebody deletes a comment.
    pub fn delete_comment(&self, comment: u64) {
        let id = self.repository.id;
        self.repository.hub.with(|world| world.repository_mut(id).comments.retain(|known| known.id != comment));
    }

    /// Its comments, the oldest first.
    pub fn comments(&self) -> Vec<Comment> {
        self.repository.comments().into_iter().filter(|comment| comment.number == self.number).collect()
    }

    /// Its comments by this author.
    pub fn comments_by(&self, author: &str) -> Vec<Comment> {
        self.comments().into_iter().filter(|comment| comment.author == author).collect()
    }

    /// The reactions to a comment: who, and which.
    pub fn reactions(&self, comment: u64) -> Vec<(String, String)> {
        let comment = self.comments().into_iter().find(|known| known.id == comment);
        let reactions = comment.map(|comment| comment.reactions).unwrap_or_default();
        reactions.into_iter().map(|reaction| (reaction.by, reaction.content)).collect()
    }
}

/// What a merge queue makes of a pull request: the result of the merge, on a branch of its own.
#[derive(Debug, Clone)]
pub struct MergeGroupHandle<'a> {
    pull: PullHandle<'a>,
    /// The result of the merge.
    pub head: String,
    base: String,
}

impl<'a> MergeGroupHandle<'a> {
    fn make(pull: PullHandle<'a>) -> Self {
        let (repository, number) = (pull.repository, pull.number);
        let (head, base) = repository.hub.with(|world| {
            let found = world.repository(repository.id);
            let known = found.pull(number).unwrap().clone();
            let base = found.branch(&known.base_branch).unwrap();
            let head = world.merge_commit(repository.id, &known, &base, Merge::Commit, SOMEBODY);
            let head = head.unwrap_or_else(|| panic!("#{number} does not merge"));
            (head, base)
        });
        let group = Self { pull, head, base };
        repository.hub.with(|world| {
            let reference = group.reference(world.repository(repository.id).pull(number).unwrap());
            world.repository(repository.id).set_reference(&reference, &group.head);
            world.pushed(repository.id, &reference, None, Some(&group.head), SOMEBODY);
        });
        group.tell("checks_requested", json!({}));
        group
    }

    fn reference(&self, pull: &Pull) -> String {
        format!("refs/heads/gh-readonly-queue/{}/pr-{}-{}", pull.base_branch, pull.number, self.base)
    }

    fn tell(&self, action: &str, more: serde_json::Value) {
        let repository = self.pull.repository.id;
        self.pull.repository.hub.with(|world| {
            let found = world.repository(repository);
            let pull = found.pull(self.pull.number).unwrap();
            let git = found.git();
            let commit = git.find_commit(git2::Oid::from_str(&self.head).unwrap()).unwrap();
            let person = json!({ "name": SOMEBODY, "email": "alice@users.noreply.example.com" });
            let mut payload = json!({ "merge_group": {
                "head_sha": self.head, "head_ref": self.reference(pull), "base_sha": self.base,
                "base_ref": format!("refs/heads/{}", pull.base_branch),
                "head_commit": {
                    "id": self.head, "tree_id": commit.tree_id().to_string(),
                    "message": commit.message().unwrap_or_default(),
                    "timestamp": jiff::Timestamp::from_second(commit.time().seconds()).unwrap(),
                    "author": person, "committer": person,
                },
            } });
            crate::support::github::json::merge(&mut payload, more);
            let (event, action, by) = ("merge_group", Some(action), SOMEBODY);
            world.tell(&Happening { event, action, repository, by, only: None, payload });
        });
    }

    /// All that is required was green: the base moves to the group's head.
    pub fn merge(self) -> String {
        let (repository, number) = (self.pull.repository, self.pull.number);
        repository.hub.with(|world| world.take_in(repository.id, number, &self.head, SOMEBODY));
        self.end("merged");
        self.head
    }

    /// Something required was red, or the queue was changed.
    pub fn leave(self) {
        self.end("invalidated");
    }

    fn end(&self, reason: &str) {
        self.tell("destroyed", json!({ "reason": reason }));
        let repository = self.pull.repository.id;
        self.pull.repository.hub.with(|world| {
            let reference = self.reference(world.repository(repository).pull(self.pull.number).unwrap());
            world.repository(repository).delete_reference(&reference);
            world.pushed(repository, &reference, Some(&self.head), None, SOMEBODY);
        });
    }
}
