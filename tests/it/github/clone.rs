//! Somebody's clone of a repository on GitHub, and what they do in it with Git.

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::support::github::RepositoryHandle;
use crate::support::repository::copy_folder;

/// A clone, made with the person's own token.
#[derive(Debug)]
pub struct Clone {
    folder: TempDir,
    name: &'static str,
}

impl Clone {
    pub fn of(repository: RepositoryHandle<'_>, name: &'static str) -> Self {
        let clone = Self { folder: tempfile::tempdir().unwrap(), name };
        clone.git(&["clone", "--quiet", &repository.clone_url_as(name), "."]);
        clone
    }

    /// A branch of its own, from where `main` stands at GitHub.
    pub fn begin(&self, branch: &str) {
        self.git(&["fetch", "--quiet", "origin"]);
        self.git(&["switch", "--quiet", "--force-create", branch, "origin/main"]);
    }

    /// Puts the files of a folder of this project over what is there.
    pub fn copy(&self, folder: &str) {
        copy_folder(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), self.folder.path());
    }

    /// Changes a file, at the first place that has this text.
    pub fn replace(&self, path: &str, from: &str, to: &str) {
        let path = self.folder.path().join(path);
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{} has no '{from}'", path.display());
        std::fs::write(path, text.replacen(from, to, 1)).unwrap();
    }

    /// A line of a file, from 1.
    pub fn line(&self, path: &str, line: usize) -> String {
        let text = std::fs::read_to_string(self.folder.path().join(path)).unwrap();
        text.lines().nth(line - 1).unwrap_or_default().to_owned()
    }

    /// Commits all that was changed, and pushes the branch; the commit's id comes back.
    pub fn push(&self, message: &str) -> String {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message", message]);
        self.git(&["push", "--quiet", "origin", "HEAD"]);
        self.git(&["rev-parse", "HEAD"])
    }

    /// Runs git here; it must succeed.
    pub fn git(&self, arguments: &[&str]) -> String {
        let output = Command::new("git")
            .args(["-c", &format!("user.name={}", self.name), "-c", &format!("user.email={}@example.com", self.name)])
            .args(["-c", "init.defaultBranch=main"])
            .args(arguments)
            .current_dir(self.folder.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("HOME", self.folder.path())
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("LC_ALL", "C")
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "git {arguments:?}: {said}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }
}
