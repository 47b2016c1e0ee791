//! Where policies come from: folders, or the pack inside of the binary.

use std::collections::BTreeSet;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use include_dir::{Dir, include_dir};

use crate::check::policy::{MAX_FILE_BYTES, MAX_FILES, MAX_TOTAL_BYTES, PolicyFile};
use crate::domain::id::RepoPath;

/// The pack that ships.
static SHIPPED: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/policies");

/// How deep folders may be nested.
const MAX_DEPTH: usize = 16;

/// How many entries of folders are looked at.
const MAX_ENTRIES: usize = 10_000;

/// Where policies come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PolicySources {
    /// The pack inside of the binary.
    Shipped,
    /// These folders, together.
    Folders(Vec<PathBuf>),
}

/// Policies that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum SourcesError {
    /// No folder is named.
    #[error("no policy folder is configured")]
    NoFolder,
    /// The folder is not there, or is no folder.
    #[error("the policy folder '{0}' cannot be read: {1}")]
    Folder(PathBuf, std::io::Error),
    /// There is no policy in the folder.
    #[error("the policy folder '{0}' has no policy in it")]
    Empty(PathBuf),
    /// A file cannot be read.
    #[error("the policy file '{0}' cannot be read: {1}")]
    File(PathBuf, std::io::Error),
    /// A name cannot be used.
    #[error("the policy file '{0}' has a name that cannot be used")]
    Name(PathBuf),
    /// A link leads out of the folder.
    #[error("'{0}' is a link that leads out of the policy folder, and is not followed")]
    Link(PathBuf),
    /// There is too much of something.
    #[error("the policy folder '{folder}' has more than {limit}")]
    TooMuch {
        /// The folder.
        folder: PathBuf,
        /// Of what there is too much, and how much there may be.
        limit: String,
    },
}

impl PolicySources {
    /// Reads all files that a policy set has a use for. It blocks, within bounds.
    pub(super) fn read(&self) -> Result<Vec<PolicyFile>, SourcesError> {
        match self {
            PolicySources::Shipped => Ok(shipped()),
            PolicySources::Folders(folders) if folders.is_empty() => Err(SourcesError::NoFolder),
            PolicySources::Folders(folders) => {
                let mut labels = BTreeSet::new();
                let mut files = Vec::new();
                for folder in folders {
                    let label = label(folder, &mut labels);
                    let found = Reading::of(folder, label)?;
                    if !found.iter().any(|file| file.name.as_str().ends_with(".rego")) {
                        return Err(SourcesError::Empty(folder.clone()));
                    }
                    files.extend(found);
                }
                Ok(files)
            }
        }
    }
}

fn shipped() -> Vec<PolicyFile> {
    let mut files = Vec::new();
    let mut open = vec![&SHIPPED];
    while let Some(folder) = open.pop() {
        open.extend(folder.dirs());
        for file in folder.files() {
            let name = file.path().to_str().and_then(|name| name.parse::<RepoPath>().ok());
            if let (Some(name), Some(text)) = (name.filter(PolicyFile::is_wanted), file.contents_utf8()) {
                files.push(PolicyFile { folder: "policies".parse().ok(), name, text: text.to_owned() });
            }
        }
    }
    files
}

/// The name under which people know a folder: its last part, told apart from others of that name.
fn label(folder: &Path, taken: &mut BTreeSet<String>) -> Option<RepoPath> {
    let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or("policies");
    let mut label = name.to_owned();
    for number in 2..=taken.len() + 2 {
        if taken.insert(label.clone()) {
            break;
        }
        label = format!("{name}-{number}");
    }
    label.parse().ok()
}

/// One folder, being read.
struct Reading<'a> {
    folder: &'a Path,
    /// The folder without links, against which links are held.
    real: PathBuf,
    label: Option<RepoPath>,
    entries: usize,
    bytes: usize,
    files: Vec<PolicyFile>,
}

impl<'a> Reading<'a> {
    fn of(folder: &'a Path, label: Option<RepoPath>) -> Result<Vec<PolicyFile>, SourcesError> {
        let real = folder.canonicalize().map_err(|error| SourcesError::Folder(folder.to_owned(), error))?;
        let mut reading = Self { folder, real, label, entries: 0, bytes: 0, files: Vec::new() };
        let mut open = vec![(folder.to_owned(), 0)];
        while let Some((path, depth)) = open.pop() {
            if depth > MAX_DEPTH {
                return Err(reading.too_much(format!("{MAX_DEPTH} folders inside of each other")));
            }
            let entries = std::fs::read_dir(&path).map_err(|error| SourcesError::Folder(path.clone(), error))?;
            for entry in entries {
                let entry = entry.map_err(|error| SourcesError::Folder(path.clone(), error))?;
                if reading.look_at(&entry)? {
                    open.push((entry.path(), depth + 1));
                }
            }
        }
        reading.files.sort();
        Ok(reading.files)
    }

    /// Takes in a file; says whether the entry is a folder to go into.
    fn look_at(&mut self, entry: &std::fs::DirEntry) -> Result<bool, SourcesError> {
        self.entries += 1;
        if self.entries > MAX_ENTRIES {
            return Err(self.too_much(format!("{MAX_ENTRIES} entries")));
        }
        let path = entry.path();
        // Hidden entries are other tools' own: `.git`, `.regal`, the `..data` of a Kubernetes volume.
        if entry.file_name().as_encoded_bytes().starts_with(b".") {
            return Ok(false);
        }
        let kind = entry.file_type().map_err(|error| SourcesError::File(path.clone(), error))?;
        if kind.is_dir() {
            return Ok(true);
        }
        let inside = path.strip_prefix(self.folder).ok().and_then(Path::to_str);
        let name = inside.and_then(|name| name.parse::<RepoPath>().ok());
        let Some(name) = name else { return Err(SourcesError::Name(path)) };
        if !PolicyFile::is_wanted(&name) {
            return Ok(false);
        }
        let target = if kind.is_symlink() { self.follow(&path)? } else { path };
        let text = read_text(&target).map_err(|error| SourcesError::File(target, error))?;
        self.bytes += text.len();
        if self.files.len() >= MAX_FILES || self.bytes > MAX_TOTAL_BYTES {
            return Err(self.too_much(format!("{MAX_FILES} files or {} MiB of policies", MAX_TOTAL_BYTES >> 20)));
        }
        self.files.push(PolicyFile { folder: self.label.clone(), name, text });
        Ok(false)
    }

    /// A link to a file inside of the folder is followed, because a Kubernetes volume consists of
    /// such links. A link to anywhere else is refused, and not passed over: a policy would be missing.
    fn follow(&self, path: &Path) -> Result<PathBuf, SourcesError> {
        let target = path.canonicalize().map_err(|error| SourcesError::File(path.to_owned(), error))?;
        if target.starts_with(&self.real) && target.is_file() {
            Ok(target)
        } else {
            Err(SourcesError::Link(path.to_owned()))
        }
    }

    fn too_much(&self, limit: String) -> SourcesError {
        SourcesError::TooMuch { folder: self.folder.to_owned(), limit }
    }
}

#[expect(clippy::disallowed_methods, reason = "policies are read from the configured folders, within bounds")]
fn read_text(path: &Path) -> std::io::Result<String> {
    let limit = MAX_FILE_BYTES as u64 + 1;
    let file = std::fs::File::open(path)?;
    if !file.metadata()?.is_file() {
        return Err(std::io::Error::other("it is not a file"));
    }
    let mut text = String::new();
    file.take(limit).read_to_string(&mut text)?;
    if text.len() as u64 == limit {
        return Err(std::io::Error::other(format!("it has more than {MAX_FILE_BYTES} bytes")));
    }
    Ok(text)
}
