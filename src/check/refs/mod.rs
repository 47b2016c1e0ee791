//! `$ref`: every reference of a descriptor is replaced by what it stands for, from the document
//! itself and from files of the same commit. The result does not depend on what was referenced
//! and what was written in place. Nothing is fetched from anywhere; `$href` is never touched.
//!
//! Which references are DPDS' own and which belong to another language is told by where they
//! stand ([`mode`]): OpenAPI, AsyncAPI and JSON Schema have references of their own, with other
//! rules. In there, references to files are replaced as well, because an executor sees only the
//! descriptor; `#…` is left as it is, because it means that language's own document.

mod entries;
mod files;
mod follow;
mod item;
mod mode;
mod near;
mod plain;
mod resolve;
pub(super) mod rules;
mod target;

use serde_json::Value;

pub(super) use self::entries::{Entries, Entry};
pub use self::near::Names;

use self::files::{Content, Files};
use self::resolve::Resolver;
use super::report::Report;
use super::yaml::{self, Document, Located, Shape, Syntax};
use crate::domain::finding::{Finding, Location};
use crate::domain::id::RepoPath;
use crate::port::tree::Tree;

/// A descriptor's content with its references replaced.
#[derive(Debug)]
pub(super) struct Resolution {
    /// The content; `None` when the root file has none.
    pub content: Option<Value>,
    /// Where each value of the content stands.
    pub located: Located,
    /// Where the references stood.
    pub entries: Entries,
    /// All files that were read or looked for, the root file first.
    pub files: Vec<RepoPath>,
    /// What was found on the way.
    pub findings: Report,
}

/// Reads the file at `root` and everything it references. `names` are of the same tree.
pub(super) fn resolve(tree: &dyn Tree, names: &Names, root: &RepoPath) -> Resolution {
    let mut files = Files::new(tree);
    let mut findings = Report::default();
    let syntax = Syntax::of(root).unwrap_or(Syntax::Yaml);
    let opened = files.open_root(root, syntax, &mut findings);
    let Some(Content::Document(document)) = opened else {
        return nothing(files, findings);
    };
    if document.located.places.first().is_none_or(|place| place.shape != Shape::Map) {
        let location = Location { length: 0, ..Location::top_of(root.clone()) };
        findings.push(
            Finding::error(
                yaml::rules::NOT_A_MAP.id(),
                location,
                "",
                "the content of a descriptor is a map of fields, and this is not",
            )
            .with_hint("begin with 'dataProductDescriptor: 1.0.0'"),
        );
        return nothing(files, findings);
    }
    if !document.has_references {
        // Nothing to replace: the content is moved, not walked.
        let Document { value, mut located, .. } = files.take_root(document);
        located.files = vec![root.clone()];
        let entries = Entries::default();
        return Resolution { content: Some(value), located, entries, files: files.into_paths(), findings };
    }
    let mut resolver = Resolver::new(files, names, &mut findings);
    let content = resolver.root(&document);
    let (located, files, entries) = resolver.into_parts();
    Resolution { content: Some(content), located, entries, files, findings }
}

fn nothing(files: Files<'_>, findings: Report) -> Resolution {
    let (located, entries) = (Located::default(), Entries::default());
    Resolution { content: None, located, entries, files: files.into_paths(), findings }
}
