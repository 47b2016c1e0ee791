//! Real Git repositories in temporary folders, made by the `git` program. The same calls make the
//! same commits: author, dates and configuration do not depend on the machine.

#![expect(clippy::disallowed_methods, reason = "a test that cannot make its repository stops; the real git is run")]

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::process::Command;

use meshwright::domain::id::Revision;
use tempfile::TempDir;

/// A repository with a working tree, whose branch is `main`. It is removed when it is dropped.
#[derive(Debug)]
pub struct TestRepository {
    folder: TempDir,
    commits: Cell<u64>,
}

impl TestRepository {
    /// A repository without a commit.
    pub fn new() -> Self {
        Self::with_format("sha1")
    }

    /// A repository without a commit, of the object format `sha1` or `sha256`.
    pub fn with_format(format: &str) -> Self {
        let repository = Self { folder: tempfile::tempdir().unwrap(), commits: Cell::new(0) };
        let object_format = format!("--object-format={format}");
        repository.git(&["init", "--quiet", "--initial-branch=main", "--template=", &object_format]);
        repository
    }

    /// Another one just like it, with the same commits.
    pub fn copy(&self) -> Self {
        let copy = Self { folder: tempfile::tempdir().unwrap(), commits: self.commits.clone() };
        copy_folder(self.path(), copy.path());
        copy
    }

    /// Its folder.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// A path below its folder.
    pub fn file(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    /// Writes the files, and commits all that differs in the working tree.
    pub fn commit(&self, files: &[(&str, &str)], message: &str) -> Revision {
        for (path, content) in files {
            let path = self.file(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, content).unwrap();
        }
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "--message", message]);
        self.head()
    }

    /// Makes `branch` stand at a tree that is made of other objects, as no working tree could hold it.
    pub fn commit_tree(&self, tree: &str, branch: &str, message: &str) -> Revision {
        let commit = self.git(&["commit-tree", tree, "-m", message]);
        self.git(&["update-ref", &format!("refs/heads/{branch}"), &commit]);
        commit.parse().unwrap()
    }

    /// Where HEAD stands.
    pub fn head(&self) -> Revision {
        self.git(&["rev-parse", "HEAD"]).parse().unwrap()
    }

    /// Runs git in the working tree, and returns what it prints, trimmed. It must succeed.
    pub fn git(&self, arguments: &[&str]) -> String {
        self.git_with_input(arguments, "")
    }

    /// The same, with a text on its standard input.
    pub fn git_with_input(&self, arguments: &[&str], input: &str) -> String {
        use std::io::Write as _;

        // Every run is a minute later than the one before.
        self.commits.set(self.commits.get() + 1);
        let date = format!("@{} +0000", 1_790_000_000 + 60 * self.commits.get());
        let mut child = Command::new("git")
            .args(arguments)
            .current_dir(self.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.path())
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("LC_ALL", "C")
            .envs([("GIT_AUTHOR_NAME", "Test"), ("GIT_AUTHOR_EMAIL", "test@example.com"), ("GIT_AUTHOR_DATE", &date)])
            .envs([
                ("GIT_COMMITTER_NAME", "Test"),
                ("GIT_COMMITTER_EMAIL", "test@example.com"),
                ("GIT_COMMITTER_DATE", &date),
            ])
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .expect("git must be installed");
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "git {arguments:?} failed: {said}");
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    }
}

/// Copies a folder with all that lies below it; links are not expected.
pub fn copy_folder(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            std::fs::create_dir_all(&target).unwrap();
            copy_folder(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}
