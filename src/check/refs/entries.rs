//! Where references stood that were replaced: what is wrong with what came in their place may be that another file
//! was meant.

use super::item::Item;
use super::resolve::small;
use crate::check::yaml::{Located, Mark};
use crate::domain::finding::Location;

/// The references of a descriptor, in the order of what came in their place.
#[derive(Debug, Default)]
pub(in crate::check) struct Entries {
    all: Vec<Entry>,
}

/// A reference that was replaced.
#[derive(Debug)]
pub(in crate::check) struct Entry {
    node: usize,
    file: u16,
    mark: Mark,
    /// Its text; without one where that is longer than anybody reads.
    pub text: Option<Box<str>>,
}

impl Entries {
    /// Keeps the reference in whose place comes what is put at `node`. Of references that lead to references, the
    /// first.
    pub(super) fn push(&mut self, node: usize, item: Item<'_>, text: &str) {
        /// A file of many long texts may be referenced many times.
        const LONGEST: usize = 200;
        if self.all.last().is_some_and(|last| last.node == node) {
            return;
        }
        let located = &item.source.document.located;
        let place = located.child(item.node, "$ref").and_then(|node| located.places.get(node));
        if let Some(place) = place {
            let text = (text.len() <= LONGEST).then(|| text.into());
            self.all.push(Entry { node, file: small(item.source.file), mark: place.head, text });
        }
    }

    /// The reference that brought what stands at a pointer, which is there.
    pub(in crate::check) fn at(&self, located: &Located, pointer: &str) -> Option<&Entry> {
        if self.all.is_empty() {
            return None;
        }
        let node = located.find(pointer).node?;
        self.all.binary_search_by_key(&node, |entry| entry.node).ok().and_then(|at| self.all.get(at))
    }
}

impl Entry {
    /// Where it stands.
    pub(in crate::check) fn location(&self, located: &Located) -> Option<Location> {
        let file = located.files.get(usize::from(self.file))?.clone();
        Some(Location { file, line: self.mark.line, column: self.mark.column, length: self.mark.length })
    }

    /// Whether it leads out of its file.
    pub(in crate::check) fn leads_to_a_file(&self) -> bool {
        self.text.as_ref().is_none_or(|text| !text.starts_with('#'))
    }
}
