//! The files of one descriptor: each is read and parsed once, and counted.

use std::collections::HashMap;
use std::rc::Rc;

use crate::check::limits::{MAX_FILE_BYTES, MAX_FILES, MAX_TOTAL_BYTES};
use crate::check::report::Report;
use crate::check::yaml::{self, Document, Problem, Syntax};
use crate::domain::finding::{Finding, Location};
use crate::domain::id::RepoPath;
use crate::domain::rule::Rule;
use crate::port::tree::{ReadError, Tree};

use super::rules;

/// What a file holds.
#[derive(Debug, Clone)]
pub(super) enum Content {
    /// YAML or JSON.
    Document(Rc<Document>),
    /// Another language, as it is.
    Text(Rc<str>),
}

/// Why there is no content.
#[derive(Debug, Clone)]
pub(super) enum NoContent {
    /// What to say at every place that references the file.
    Say { rule: &'static Rule, message: String, hint: &'static str },
    /// Its own findings say all there is to say.
    Said,
}

type Loaded = Result<Content, NoContent>;

pub(super) struct Files<'t> {
    tree: &'t dyn Tree,
    paths: Vec<RepoPath>,
    loaded: Vec<Loaded>,
    by_path: HashMap<RepoPath, usize>,
    bytes: usize,
}

impl<'t> Files<'t> {
    /// Where they are.
    pub(super) fn tree(&self) -> &'t dyn Tree {
        self.tree
    }

    pub(super) fn new(tree: &'t dyn Tree) -> Self {
        Self { tree, paths: Vec::new(), loaded: Vec::new(), by_path: HashMap::new(), bytes: 0 }
    }

    /// Reads the root file. Without content, `findings` say why.
    pub(super) fn open_root(&mut self, path: &RepoPath, syntax: Syntax, findings: &mut Report) -> Option<Content> {
        self.paths.push(path.clone());
        self.by_path.insert(path.clone(), 0);
        let loaded = match self.tree.read(path, MAX_FILE_BYTES) {
            Ok(bytes) => self.parse(path, &bytes, Some(syntax), "", findings),
            Err(error) => {
                let (rule, message, hint) = match &error {
                    ReadError::Symlink(_) | ReadError::Submodule(_) => {
                        (&yaml::rules::LINK, error.to_string(), "commit the file itself")
                    }
                    ReadError::TooLarge { path, size, .. } => {
                        (&yaml::rules::TOO_LARGE, too_large(path, *size), TOO_LARGE_HINT)
                    }
                    ReadError::NotFound(_) | ReadError::Folder(_) => {
                        (&yaml::rules::UNREADABLE, error.to_string(), "check the path")
                    }
                    ReadError::Broken { .. } => (&yaml::rules::UNREADABLE, error.to_string(), "fetch again"),
                };
                let location = Location::top_of(path.clone());
                findings.push(Finding::error(rule.id(), location, "", message).with_hint(hint));
                Err(NoContent::Said)
            }
        };
        self.loaded.push(loaded.clone());
        loaded.ok()
    }

    /// The content of a referenced file, read when it is asked for the first time. `pointer` is the
    /// place that references it; findings about the file are below it.
    pub(super) fn open(
        &mut self,
        path: &RepoPath,
        pointer: &str,
        findings: &mut Report,
    ) -> Result<(usize, Content), NoContent> {
        if let Some(index) = self.by_path.get(path) {
            return match self.loaded.get(*index) {
                Some(Ok(content)) => Ok((*index, content.clone())),
                Some(Err(reason)) => Err(reason.clone()),
                None => Err(NoContent::Said),
            };
        }
        if self.paths.len() >= MAX_FILES {
            let message = format!("the descriptor references more than {MAX_FILES} files");
            return Err(NoContent::Say { rule: &rules::TOO_MANY_FILES, message, hint: "put small parts together" });
        }
        let index = self.paths.len();
        self.paths.push(path.clone());
        self.by_path.insert(path.clone(), index);
        let loaded = self.load(path, pointer, findings);
        self.loaded.push(loaded.clone());
        loaded.map(|content| (index, content))
    }

    /// The path of an opened file.
    pub(super) fn path(&self, index: usize) -> Option<&RepoPath> {
        self.paths.get(index)
    }

    /// All files, in the order in which they were asked for.
    pub(super) fn into_paths(self) -> Vec<RepoPath> {
        self.paths
    }

    /// The root document itself; it is moved out, because nobody else holds it.
    pub(super) fn take_root(&mut self, held: Rc<Document>) -> Document {
        self.loaded.clear();
        Rc::unwrap_or_clone(held)
    }

    fn load(&mut self, path: &RepoPath, pointer: &str, findings: &mut Report) -> Loaded {
        let bytes = match self.tree.read(path, MAX_FILE_BYTES) {
            Ok(bytes) => bytes,
            Err(error) => return Err(refused(&error)),
        };
        self.bytes = self.bytes.saturating_add(bytes.len());
        if self.bytes > MAX_TOTAL_BYTES {
            let message = format!("the descriptor and its files have more than {MAX_TOTAL_BYTES} bytes together");
            let hint = "move examples, data and generated parts out";
            return Err(NoContent::Say { rule: &rules::TOO_MANY_BYTES, message, hint });
        }
        self.parse(path, &bytes, Syntax::of(path), pointer, findings)
    }

    fn parse(
        &mut self,
        path: &RepoPath,
        bytes: &[u8],
        syntax: Option<Syntax>,
        pointer: &str,
        findings: &mut Report,
    ) -> Loaded {
        if self.bytes == 0 {
            self.bytes = bytes.len();
        }
        let Some(syntax) = syntax else {
            return match yaml::text_of(bytes) {
                Ok(text) => Ok(Content::Text(text.into())),
                Err(problem) => {
                    findings.push(found(path, pointer, problem));
                    Err(NoContent::Said)
                }
            };
        };
        let (document, problems) = yaml::read(bytes, syntax);
        findings.extend(problems.into_iter().map(|problem| found(path, pointer, problem)));
        document.map(|document| Content::Document(Rc::new(document))).ok_or(NoContent::Said)
    }
}

const TOO_LARGE_HINT: &str = "move examples, data and generated parts out of the descriptor";

fn too_large(path: &RepoPath, size: u64) -> String {
    format!("'{path}' has {size} bytes, and the limit is {MAX_FILE_BYTES}")
}

fn refused(error: &ReadError) -> NoContent {
    let (rule, message, hint) = match error {
        ReadError::NotFound(_) => {
            (&rules::NOT_FOUND, error.to_string(), "paths are relative to the file in which they stand")
        }
        ReadError::Symlink(_) => (&rules::LINK, error.to_string(), "reference the file itself"),
        ReadError::Submodule(_) => (&rules::SUBMODULE, error.to_string(), "copy the file into this repository"),
        ReadError::Folder(_) => (&rules::FOLDER, error.to_string(), "reference a file in it"),
        ReadError::TooLarge { path, size, .. } => (&yaml::rules::TOO_LARGE, too_large(path, *size), TOO_LARGE_HINT),
        ReadError::Broken { .. } => (&yaml::rules::UNREADABLE, error.to_string(), "fetch again"),
    };
    NoContent::Say { rule, message, hint }
}

fn found(path: &RepoPath, pointer: &str, problem: Problem) -> Finding {
    let Problem { rule, mark, pointer: within, message, hint } = problem;
    let location = Location { file: path.clone(), line: mark.line, column: mark.column, length: mark.length };
    let finding = Finding::new(rule.severity, rule.id(), location, format!("{pointer}{within}"), message);
    match hint {
        Some(hint) => finding.with_hint(hint),
        None => finding,
    }
}
