//! Commits, branches and merges in the model's bare repositories.

use git2::{Oid, Signature, Time};

use super::world::{Pull, Repository, World};

/// How a pull request becomes part of its base.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Merge {
    /// A commit with two parents.
    Commit,
    /// One new commit with all changes.
    Squash,
    /// Each commit anew, on top of the base.
    Rebase,
}

/// A bare repository as GitHub sets it up: pull requests' references cannot be pushed to, and any
/// commit can be fetched by its id.
pub fn make(folder: &std::path::Path) {
    let mut options = git2::RepositoryInitOptions::new();
    options.bare(true).initial_head("main").external_template(false);
    let repository = git2::Repository::init_opts(folder, &options).unwrap();
    let mut config = repository.config().unwrap();
    config.set_bool("http.receivepack", true).unwrap();
    config.set_bool("uploadpack.allowAnySHA1InWant", true).unwrap();
    config.set_bool("uploadpack.allowFilter", true).unwrap();
    config.set_str("receive.hideRefs", "refs/pull").unwrap();
    config.set_i32("gc.auto", 0).unwrap();
}

impl World {
    /// The same calls make the same commits: each is a minute after the one before.
    fn signature(&mut self, login: &str) -> Signature<'static> {
        self.commits += 1;
        let time = Time::new(1_790_000_000 + 60 * self.commits, 0);
        let email = format!("{}@users.noreply.example.com", login.to_lowercase());
        Signature::new(login, &email, &time).unwrap()
    }

    /// Writes a commit on top of another one; `None` as content deletes a file.
    pub fn write_commit(
        &mut self,
        repository: u64,
        parent: Option<&str>,
        files: &[(&str, Option<&str>)],
        message: &str,
        by: &str,
    ) -> String {
        let signature = self.signature(by);
        let git = self.repository(repository).git();
        let parent = parent.map(|id| git.find_commit(Oid::from_str(id).unwrap()).unwrap());
        let mut index = git2::Index::new().unwrap();
        if let Some(parent) = &parent {
            index.read_tree(&parent.tree().unwrap()).unwrap();
        }
        for (path, content) in files {
            match content {
                None => index.remove_path(std::path::Path::new(path)).unwrap(),
                Some(content) => {
                    let id = git.blob(content.as_bytes()).unwrap();
                    index.add(&entry(path, id, content.len())).unwrap();
                }
            }
        }
        let tree = git.find_tree(index.write_tree_to(&git).unwrap()).unwrap();
        let parents: Vec<&git2::Commit<'_>> = parent.iter().collect();
        git.commit(None, &signature, &signature, message, &tree, &parents).unwrap().to_string()
    }

    /// The commit that a merge makes, or `None` when they conflict. No branch moves.
    pub fn merge_commit(&mut self, repository: u64, pull: &Pull, base: &str, how: Merge, by: &str) -> Option<String> {
        let signature = self.signature(by);
        let git = self.repository(repository).git();
        let commit = |id: &str| git.find_commit(Oid::from_str(id).unwrap()).unwrap();
        let (onto, head) = (commit(base), commit(&pull.head));
        if how == Merge::Rebase {
            return rebase(&git, onto, &head, &signature).map(|id| id.to_string());
        }
        let mut index = git.merge_commits(&onto, &head, None).unwrap();
        if index.has_conflicts() {
            return None;
        }
        let tree = git.find_tree(index.write_tree_to(&git).unwrap()).unwrap();
        let (message, parents) = match how {
            Merge::Squash => (format!("{} (#{})", pull.title, pull.number), vec![&onto]),
            _ => (format!("Merge pull request #{} from {}", pull.number, pull.head_branch), vec![&onto, &head]),
        };
        Some(git.commit(None, &signature, &signature, &message, &tree, &parents).unwrap().to_string())
    }
}

fn entry(path: &str, id: Oid, size: usize) -> git2::IndexEntry {
    let zero = git2::IndexTime::new(0, 0);
    git2::IndexEntry {
        ctime: zero,
        mtime: zero,
        dev: 0,
        ino: 0,
        mode: 0o100_644,
        uid: 0,
        gid: 0,
        file_size: u32::try_from(size).unwrap(),
        id,
        flags: 0,
        flags_extended: 0,
        path: path.as_bytes().to_vec(),
    }
}

fn rebase(git: &git2::Repository, onto: git2::Commit<'_>, head: &git2::Commit<'_>, by: &Signature<'_>) -> Option<Oid> {
    let mut walk = git.revwalk().unwrap();
    walk.set_sorting(git2::Sort::TOPOLOGICAL | git2::Sort::REVERSE).unwrap();
    walk.push(head.id()).unwrap();
    walk.hide(onto.id()).unwrap();
    let mut last = onto;
    for id in walk {
        let commit = git.find_commit(id.unwrap()).unwrap();
        if commit.parent_count() > 1 {
            continue;
        }
        let mut index = git.cherrypick_commit(&commit, &last, 0, None).unwrap();
        if index.has_conflicts() {
            return None;
        }
        let tree = git.find_tree(index.write_tree_to(git).unwrap()).unwrap();
        let message = commit.message().unwrap_or_default().to_owned();
        let id = git.commit(None, &commit.author(), by, &message, &tree, &[&last]).unwrap();
        last = git.find_commit(id).unwrap();
    }
    Some(last.id())
}

impl Repository {
    /// Makes a reference stand at a commit, whatever it stood at.
    pub fn set_reference(&self, name: &str, to: &str) {
        self.git().reference(name, Oid::from_str(to).unwrap(), true, "the model").unwrap();
    }

    pub fn delete_reference(&self, name: &str) {
        if let Ok(mut reference) = self.git().find_reference(name) {
            reference.delete().unwrap();
        }
    }

    /// Brings a commit over from another repository.
    pub fn take_objects(&self, from: &Repository, reference: &str) {
        let git = self.git();
        let mut remote = git.remote_anonymous(from.folder.to_str().unwrap()).unwrap();
        remote.fetch(&[reference], None, None).unwrap();
    }

    /// All branches and tags, and where they stand.
    pub fn references(&self) -> std::collections::BTreeMap<String, String> {
        let git = self.git();
        let references = git.references().unwrap();
        references
            .filter_map(Result::ok)
            .filter_map(|reference| Some((reference.name().ok()?.to_owned(), reference.target()?.to_string())))
            .filter(|(name, _)| name.starts_with("refs/heads/") || name.starts_with("refs/tags/"))
            .collect()
    }

    /// Whether a commit has another one among its ancestors, or is it.
    pub fn contains(&self, commit: &str, ancestor: &str) -> bool {
        let (commit, ancestor) = (Oid::from_str(commit).unwrap(), Oid::from_str(ancestor).unwrap());
        commit == ancestor || self.git().graph_descendant_of(commit, ancestor).unwrap_or(false)
    }

    /// The files that differ between where two commits parted and the second one: path, status
    /// (in GitHub's words), lines added and lines deleted.
    pub fn changes(&self, base: &str, head: &str) -> Vec<(String, &'static str, usize, usize)> {
        let git = self.git();
        let (base, head) = (Oid::from_str(base).unwrap(), Oid::from_str(head).unwrap());
        let tree = |id: Oid| git.find_commit(id).unwrap().tree().unwrap();
        let before = git.merge_base(base, head).ok().map(tree);
        let diff = git.diff_tree_to_tree(before.as_ref(), Some(&tree(head)), None).unwrap();
        (0..diff.deltas().len())
            .map(|place| {
                let delta = diff.get_delta(place).unwrap();
                let file = delta.new_file().path().or_else(|| delta.old_file().path()).unwrap();
                let status = match delta.status() {
                    git2::Delta::Added => "added",
                    git2::Delta::Deleted => "removed",
                    _ => "modified",
                };
                let patch = git2::Patch::from_diff(&diff, place).unwrap();
                let (_, added, deleted) = patch.map_or((0, 0, 0), |patch| patch.line_stats().unwrap());
                (file.to_str().unwrap().to_owned(), status, added, deleted)
            })
            .collect()
    }

    /// How many commits the second one has that the first one has not.
    pub fn ahead(&self, base: &str, head: &str) -> usize {
        let (base, head) = (Oid::from_str(base).unwrap(), Oid::from_str(head).unwrap());
        self.git().graph_ahead_behind(head, base).unwrap().0
    }
}
