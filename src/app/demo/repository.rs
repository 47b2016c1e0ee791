//! The demo's Git repository: the examples that are embedded in the binary, committed with git2,
//! so that no configuration of the user's plays a part.

use std::io;
use std::path::{Path, PathBuf};

use git2::{IndexAddOption, Repository, RepositoryInitOptions, Signature};
use include_dir::{Dir, DirEntry, include_dir};

use crate::domain::id::Revision;

use super::DemoError;

static EXAMPLES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/examples-repo");
static CHANGES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/demo");

/// A change that the demo commits.
#[derive(Debug, Clone, Copy)]
pub(super) enum Overlay {
    /// A column more, and a minor version more.
    Compatible,
    /// A column that others read is gone, with a minor version more.
    Breaking,
}

impl Overlay {
    fn folder(self) -> &'static str {
        match self {
            Overlay::Compatible => "compatible",
            Overlay::Breaking => "breaking",
        }
    }
}

/// The repository.
pub(super) struct DemoRepository {
    folder: PathBuf,
    repository: Repository,
}

impl DemoRepository {
    /// Makes the repository, with no commit in it.
    pub(super) fn create(folder: &Path) -> Result<Self, DemoError> {
        let mut options = RepositoryInitOptions::new();
        options.initial_head("main").mkpath(true).external_template(false);
        let repository = Repository::init_opts(folder, &options)?;
        Ok(Self { folder: folder.to_path_buf(), repository })
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Commits the whole mesh.
    pub(super) fn commit_examples(&self) -> Result<Revision, DemoError> {
        unpack(&EXAMPLES, Path::new(""), &self.folder)?;
        self.commit("A small retail mesh")
    }

    /// Commits a change over it.
    pub(super) fn commit_overlay(&self, overlay: Overlay, message: &str) -> Result<Revision, DemoError> {
        let folder = CHANGES
            .get_dir(overlay.folder())
            .ok_or_else(|| DemoError::Unexpected(format!("the change '{}' is not embedded", overlay.folder())))?;
        unpack(folder, folder.path(), &self.folder)?;
        self.commit(message)
    }

    fn commit(&self, message: &str) -> Result<Revision, DemoError> {
        let mut index = self.repository.index()?;
        index.add_all(["*"], IndexAddOption::DEFAULT, None)?;
        index.write()?;
        let tree = self.repository.find_tree(index.write_tree()?)?;
        let author = Signature::now("Meshwright demo", "demo@example.com")?;
        let parent = self.repository.head().ok().map(|head| head.peel_to_commit()).transpose()?;
        let parents: Vec<_> = parent.iter().collect();
        let id = self.repository.commit(Some("HEAD"), &author, &author, message, &tree, &parents)?;
        id.to_string().parse().map_err(|error| DemoError::Unexpected(format!("{error}")))
    }
}

/// The configuration that comes with the mesh.
pub(super) fn configuration_text() -> Result<&'static str, DemoError> {
    EXAMPLES
        .get_file("meshwright.yaml")
        .and_then(|file| file.contents_utf8())
        .ok_or_else(|| DemoError::Unexpected("the mesh's configuration is not embedded".to_owned()))
}

#[expect(clippy::disallowed_methods, reason = "the demo writes into its own temporary folder")]
pub(super) fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    std::fs::write(path, bytes)
}

/// Writes all files below `folder` into `target`, without the leading `prefix`. Scripts can be run.
fn unpack(folder: &Dir<'_>, prefix: &Path, target: &Path) -> io::Result<()> {
    for entry in folder.entries() {
        let relative = entry.path().strip_prefix(prefix).map_err(io::Error::other)?;
        let path = target.join(relative);
        match entry {
            DirEntry::Dir(inner) => {
                std::fs::create_dir_all(&path)?;
                unpack(inner, prefix, target)?;
            }
            DirEntry::File(file) => {
                write(&path, file.contents())?;
                if file.contents().starts_with(b"#!") {
                    use std::os::unix::fs::PermissionsExt as _;
                    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755))?;
                }
            }
        }
    }
    Ok(())
}
