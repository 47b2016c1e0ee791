//! Sources against real repositories and the real `git`: what is fetched, what is read, and that
//! every way in which it can go wrong has its own outcome. None of these outcomes but `Head::At`
//! can ever be taken for 'all products were removed'.

#![expect(
    clippy::disallowed_methods,
    reason = "tests panic when something is not as it should be, run the real git, and break its files"
)]

mod environment;
mod hostile;
mod http;
mod https;
mod mirrors;
mod notes;
mod outcomes;
mod processes;
mod proposals;
mod ssh;
mod trees;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use meshwright::adapter::git::{GitSourceSpec, GitSources};
use meshwright::domain::id::{RepoPath, Revision, SourceName};
use meshwright::domain::source::Head;
use meshwright::port::source::{FetchError, Source};
use meshwright::port::tree::{ReadError, Tree};
use tempfile::TempDir;

/// Sources with their mirrors in a temporary folder.
struct Fixture {
    mirrors: TempDir,
    sources: Arc<GitSources>,
}

impl Fixture {
    fn new(specs: Vec<GitSourceSpec>) -> Self {
        let mirrors = tempfile::tempdir().unwrap();
        let sources = Arc::new(GitSources::new(mirrors.path().join("mirrors"), specs).unwrap());
        Self { mirrors, sources }
    }

    /// One source, `mesh`, on the branch `main`.
    fn of(url: impl std::fmt::Display) -> Self {
        Self::new(vec![spec("mesh", url)])
    }

    /// The same mirrors, as the next process finds them.
    fn restarted(self, specs: Vec<GitSourceSpec>) -> Self {
        let sources = Arc::new(GitSources::new(self.mirrors.path().join("mirrors"), specs).unwrap());
        Self { mirrors: self.mirrors, sources }
    }

    async fn fetch(&self) -> Result<Head, FetchError> {
        self.sources.fetch(&name("mesh")).await
    }

    async fn tree(&self, revision: &Revision) -> Arc<dyn Tree> {
        self.sources.tree(&name("mesh"), revision).await.unwrap()
    }

    async fn read(&self, revision: &Revision, file: &str) -> Result<String, ReadError> {
        let tree = self.sources.tree(&name("mesh"), revision).await?;
        tree.read(&path(file), 1 << 20).map(|bytes| String::from_utf8(bytes).unwrap())
    }

    /// The only mirror.
    fn mirror(&self) -> PathBuf {
        let mut mirrors = self.entries_ending(".git");
        assert_eq!(mirrors.len(), 1, "{mirrors:?}");
        mirrors.remove(0)
    }

    fn entries_ending(&self, end: &str) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.mirrors.path().join("mirrors")).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        paths.filter(|path| path.to_str().unwrap().ends_with(end)).collect()
    }
}

fn spec(source: &str, url: impl std::fmt::Display) -> GitSourceSpec {
    GitSourceSpec {
        name: name(source),
        url: url.to_string(),
        branch: "main".to_owned(),
        timeout: Duration::from_secs(60),
        credentials: None,
    }
}

fn name(text: &str) -> SourceName {
    text.parse().unwrap()
}

fn path(text: &str) -> RepoPath {
    text.parse().unwrap()
}

fn at(revision: &Revision) -> Result<Head, FetchError> {
    Ok(Head::At { revision: revision.clone() })
}

/// The files below a folder.
fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_dir() { folders.push(entry.path()) } else { files.push(entry.path()) }
        }
    }
    files
}

/// Whether an optional part is there. When it is not, the test is skipped with a word about it, or
/// fails where all parts are demanded.
fn part_is_there(part: &str, is_there: bool) -> bool {
    if !is_there {
        assert!(std::env::var_os("MESHWRIGHT_REQUIRE_PARTS").is_none_or(|value| value != "1"), "{part} is missing");
        eprintln!("SKIPPED: {part} is missing");
    }
    is_there
}
