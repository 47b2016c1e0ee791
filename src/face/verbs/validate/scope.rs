//! Which tree is read for the paths that a user names, and how its paths are shown. The tree's top
//! is the repository's, so that references across folders work as they will after the commit; the
//! paths that are shown begin where the user stands, so that a terminal can open them.

use std::path::{Component, Path, PathBuf};

use crate::domain::id::RepoPath;

/// What is looked at.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    /// The tree's top: the repository's where there is one; absolute.
    pub top: PathBuf,
    /// Where the user stands; absolute.
    pub current: PathBuf,
    /// Named files.
    pub files: Vec<RepoPath>,
    /// Named folders; `None` is the top.
    pub folders: Vec<Option<RepoPath>>,
    /// Paths that are not there or cannot be named.
    pub problems: Vec<String>,
}

impl Scope {
    /// A path of the tree as the user would write it.
    pub fn shown(&self, path: &RepoPath) -> String {
        relative(&self.current, &self.top.join(path.as_str()))
    }

    /// Whether the user named this file, or a folder that holds it.
    pub fn holds(&self, path: &RepoPath) -> bool {
        let is_below = |folder: &Option<RepoPath>| match folder {
            None => true,
            Some(folder) => path.as_str().strip_prefix(folder.as_str()).is_some_and(|rest| rest.starts_with('/')),
        };
        self.files.contains(path) || self.folders.iter().any(is_below)
    }

    /// A folder of the tree as the user would write it.
    pub fn shown_folder(&self, folder: Option<&RepoPath>) -> String {
        let shown = folder.map_or_else(|| relative(&self.current, &self.top), |folder| self.shown(folder));
        if shown.is_empty() { ".".to_owned() } else { shown }
    }
}

/// Finds the tree for some paths.
pub fn scope(current_folder: &Path, paths: &[PathBuf]) -> Scope {
    let current = current_folder.canonicalize().unwrap_or_else(|_| current_folder.to_path_buf());
    let mut problems = Vec::new();
    let mut found = Vec::new();
    for path in paths {
        match current.join(path).canonicalize() {
            Ok(whole) => found.push(whole),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                problems.push(format!("there is no file or folder '{}'", path.display()));
            }
            Err(error) => problems.push(format!("'{}' cannot be looked at: {error}", path.display())),
        }
    }
    let mut top = found.first().map_or_else(|| current.clone(), |first| top_of(first, &current));
    while found.iter().any(|path| !path.starts_with(&top)) && top.pop() {}
    let mut scope = Scope { top, current, files: Vec::new(), folders: Vec::new(), problems };
    for path in found {
        match inside(&scope.top, &path) {
            Ok(None) => scope.folders.push(None),
            Ok(Some(inside)) if path.is_dir() => scope.folders.push(Some(inside)),
            Ok(Some(inside)) => scope.files.push(inside),
            Err(problem) => scope.problems.push(problem),
        }
    }
    scope
}

/// The nearest folder above that is a repository's; without one, where the user stands, or else the path's own folder.
fn top_of(path: &Path, current: &Path) -> PathBuf {
    if let Some(repository) = path.ancestors().find(|folder| folder.join(".git").exists()) {
        return repository.to_path_buf();
    }
    if path.starts_with(current) {
        return current.to_path_buf();
    }
    let folder = if path.is_dir() { Some(path) } else { path.parent() };
    folder.unwrap_or(path).to_path_buf()
}

fn inside(top: &Path, path: &Path) -> Result<Option<RepoPath>, String> {
    let rest = path.strip_prefix(top).map_err(|_| format!("'{}' is outside of the tree", path.display()))?;
    let parts: Option<Vec<&str>> = rest.components().map(|part| part.as_os_str().to_str()).collect();
    let text = parts.ok_or_else(|| format!("the path '{}' is not UTF-8", path.display()))?.join("/");
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|error: crate::domain::id::InvalidId| error.to_string())
}

/// `to` as it is written from `from`; both absolute.
fn relative(from: &Path, to: &Path) -> String {
    let mut here = from.components().peekable();
    let mut there = to.components().peekable();
    while let (Some(a), Some(b)) = (here.peek(), there.peek())
        && a == b
    {
        here.next();
        there.next();
    }
    let up = here.map(|_| Component::ParentDir);
    let path: PathBuf = up.chain(there).collect();
    path.display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_top_is_the_repositorys_and_paths_are_shown_from_where_the_user_stands() {
        let folder = tempfile::tempdir().unwrap();
        let top = folder.path().canonicalize().unwrap();
        for name in ["repo/.git", "repo/a/b", "repo/c", "other"] {
            std::fs::create_dir_all(top.join(name)).unwrap();
        }
        std::fs::File::create_new(top.join("repo/c/x.yaml")).unwrap();
        let here = top.join("repo/a");
        let scope_ = scope(&here, &["b".into(), "../c/x.yaml".into(), "nothing".into()]);
        assert_eq!(scope_.top, top.join("repo"));
        assert_eq!(scope_.folders, [Some("a/b".parse().unwrap())]);
        assert_eq!(scope_.files, ["c/x.yaml".parse().unwrap()]);
        assert_eq!(scope_.problems, ["there is no file or folder 'nothing'"]);
        assert_eq!(scope_.shown(&"a/b/dp.yaml".parse().unwrap()), "b/dp.yaml");
        assert_eq!(scope_.shown(&"c/x.yaml".parse().unwrap()), "../c/x.yaml");
        assert!(scope_.holds(&"a/b/dp.yaml".parse().unwrap()) && scope_.holds(&"c/x.yaml".parse().unwrap()));
        assert!(!scope_.holds(&"c/y.yaml".parse().unwrap()) && !scope_.holds(&"a/bb/dp.yaml".parse().unwrap()));
        let wide = scope(&here, &["b".into(), "../../other".into()]);
        assert_eq!(wide.top, top, "paths of two trees are read from what they have in common");
        assert_eq!(wide.folders.len(), 2);
    }
}
