//! What the walk passes around: a value with its document, and the key under which it comes to
//! stand.

use std::rc::Rc;

use serde_json::Value;

use crate::check::yaml::{Document, Mark, Place};

/// A document, and which file it is.
#[derive(Clone)]
pub(super) struct Source {
    pub(super) file: usize,
    pub(super) document: Rc<Document>,
}

/// A value in its document.
#[derive(Clone, Copy)]
pub(super) struct Item<'d> {
    pub(super) source: &'d Source,
    pub(super) value: &'d Value,
    pub(super) node: usize,
}

/// The key under which a value comes to stand.
#[derive(Clone, Copy)]
pub(super) struct Site<'d> {
    pub(super) text: &'d str,
    pub(super) mark: Mark,
    pub(super) file: usize,
}

/// A field beside a `$ref` that replaces the target's.
#[derive(Clone, Copy)]
pub(super) struct Override<'d> {
    pub(super) site: Site<'d>,
    pub(super) item: Item<'d>,
}

impl Item<'_> {
    pub(super) fn place(&self) -> Option<Place> {
        self.source.document.located.places.get(self.node).copied()
    }
}

/// The fields of a map, each as what could replace a target's.
pub(super) fn fields_of(item: Item<'_>) -> impl Iterator<Item = Override<'_>> {
    let located = &item.source.document.located;
    let fields = item.value.as_object().into_iter().flatten();
    fields.zip(located.children(item.node)).map(move |((key, value), node)| {
        let mark = located.places.get(node).map_or_else(Mark::default, |place| place.key);
        Override { site: Site { text: key, mark, file: item.source.file }, item: Item { value, node, ..item } }
    })
}
