//! What is watched of a place, and which of its files matter.

use std::path::{Path, PathBuf};

use crate::domain::source::Target;

/// Something on this machine whose changes are of interest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A Git repository, with a working tree or bare.
    Repository {
        /// What to wake when one of its branches has moved.
        target: Target,
        /// Its folder.
        folder: PathBuf,
    },
    /// A folder of policies.
    Policies {
        /// The folder.
        folder: PathBuf,
    },
}

/// Who is told of a change.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Subject {
    Source(Target),
    Policies,
}

/// A folder to be watched, and which changes in it matter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Spot {
    pub(super) folder: PathBuf,
    pub(super) recursive: bool,
    heeds: Heeds,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Heeds {
    /// `refs/heads` and all below.
    Branches,
    /// `packed-refs` and `HEAD`, beside many files that do not matter.
    RefFiles,
    /// Rules and what describes them.
    Policies,
}

impl Place {
    pub(super) fn subject(&self) -> Subject {
        match self {
            Place::Repository { target, .. } => Subject::Source(target.clone()),
            Place::Policies { .. } => Subject::Policies,
        }
    }

    pub(super) fn folder(&self) -> &Path {
        match self {
            Place::Repository { folder, .. } | Place::Policies { folder } => folder,
        }
    }

    /// The folders to be watched as things stand now, or the reason why there are none.
    ///
    /// Of a repository, only branches are: `refs/notes` is where our own statuses go, and watching
    /// it, or `logs` and `objects`, would be to wake ourselves for ever.
    pub(super) fn spots(&self) -> Result<Vec<Spot>, &'static str> {
        match self {
            Place::Repository { folder, .. } => {
                let git = common_git_folder(folder).ok_or("there is no Git repository")?;
                let branches = git.join("refs").join("heads");
                if !branches.is_dir() {
                    // With `reftable`, branches and notes stand in the same files.
                    return Err("its branches are not kept as files");
                }
                Ok(vec![
                    Spot { folder: branches, recursive: true, heeds: Heeds::Branches },
                    Spot { folder: git, recursive: false, heeds: Heeds::RefFiles },
                ])
            }
            Place::Policies { folder } if folder.is_dir() => {
                Ok(vec![Spot { folder: folder.clone(), recursive: true, heeds: Heeds::Policies }])
            }
            Place::Policies { .. } => Err("there is no such folder"),
        }
    }
}

impl Spot {
    /// Whether a change of this path matters.
    pub(super) fn heeds(&self, path: &Path) -> bool {
        let Ok(inner) = path.strip_prefix(&self.folder) else { return false };
        let extension = path.extension().and_then(|extension| extension.to_str());
        match self.heeds {
            // Git writes `main.lock` and renames it to `main`. A new folder counts as well: what is
            // written into it before it is watched is not heard of otherwise.
            Heeds::Branches => extension != Some("lock"),
            Heeds::RefFiles => inner == Path::new("packed-refs") || inner == Path::new("HEAD"),
            // Without an extension it is likely a folder; `..data` is what Kubernetes swaps when a
            // mounted ConfigMap changes. All else is let be, as a database may well stand here.
            Heeds::Policies => {
                matches!(extension, None | Some("rego" | "yaml" | "yml" | "json")) || inner == Path::new("..data")
            }
        }
    }
}

/// The folder in which a repository keeps its branches: of a working tree its `.git`, of a linked
/// working tree that of the main one, of a bare repository itself.
fn common_git_folder(folder: &Path) -> Option<PathBuf> {
    let dot_git = folder.join(".git");
    let git = if dot_git.is_dir() {
        dot_git
    } else if dot_git.is_file() {
        folder.join(first_line(&dot_git)?.strip_prefix("gitdir:")?.trim())
    } else if folder.join("HEAD").is_file() && folder.join("objects").is_dir() {
        folder.to_owned()
    } else {
        return None;
    };
    match first_line(&git.join("commondir")) {
        Some(common) => Some(git.join(common.trim())),
        None => Some(git),
    }
}

#[expect(clippy::disallowed_methods, reason = "git says in two small files where a linked working tree's branches are")]
fn first_line(file: &Path) -> Option<String> {
    let text = std::fs::read_to_string(file).ok()?;
    text.lines().next().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spot(heeds: Heeds) -> Spot {
        Spot { folder: PathBuf::from("/a"), recursive: true, heeds }
    }

    #[test]
    fn of_a_repository_only_what_says_where_branches_stand_matters() {
        let branches = spot(Heeds::Branches);
        assert!(branches.heeds(Path::new("/a/main")));
        assert!(branches.heeds(Path::new("/a/feature/x")));
        assert!(!branches.heeds(Path::new("/a/main.lock")));
        assert!(!branches.heeds(Path::new("/b/main")));
        let files = spot(Heeds::RefFiles);
        assert!(files.heeds(Path::new("/a/packed-refs")));
        assert!(files.heeds(Path::new("/a/HEAD")));
        for other in ["packed-refs.lock", "index", "FETCH_HEAD", "logs/HEAD", "refs/notes/meshwright", "config"] {
            assert!(!files.heeds(&Path::new("/a").join(other)), "{other}");
        }
    }

    #[test]
    fn of_a_policy_folder_rules_and_folders_matter() {
        let policies = spot(Heeds::Policies);
        for path in ["naming.rego", "deep/naming.rego", "naming.yaml", "data.json", "deep", "..data"] {
            assert!(policies.heeds(&Path::new("/a").join(path)), "{path}");
        }
        for path in ["state.db", "state.db-wal", "naming.rego.swp", "notes.txt"] {
            assert!(!policies.heeds(&Path::new("/a").join(path)), "{path}");
        }
    }
}
