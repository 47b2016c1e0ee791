//! Where each value of a document stands: a flat list beside the content, in the order of the
//! text. A value knows where its subtree ends, so a JSON pointer is followed by skipping
//! siblings, and nothing is looked up unless something is to be said.

use crate::domain::finding::{Location, Stretch};
use crate::domain::id::RepoPath;

/// A stretch of one line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Mark {
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
    /// Characters on that line; 0 where it goes on below.
    pub length: u32,
}

/// What kind of value stands at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Text, a number, true, false or null.
    Scalar,
    /// A list.
    List,
    /// A map.
    Map,
}

/// One value.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    /// Where to point for the value: itself, or for a list or map with a key, its key.
    pub head: Mark,
    /// Where its key stands, when it is the value of one.
    pub key: Mark,
    /// The text of its key: begin and end in [`Located::keys`].
    pub key_text: (u32, u32),
    /// The first place after its subtree.
    pub end: u32,
    /// The file of `head`: an index into [`Located::files`].
    pub file: u16,
    /// The file of `key`.
    pub key_file: u16,
    /// What it is.
    pub shape: Shape,
    /// Whether something was said already that explains why it is not as it should be.
    pub broken: bool,
    /// Whether it is a text whose lines stand in the file as they are, one below the other from `head` on: a
    /// literal (`|`) that does not begin with an empty line or a space, or a whole file.
    pub is_literal: bool,
    /// Whether nothing stands there but a comment that may be meant as the value: `address: #sales`.
    pub is_comment: bool,
}

/// The places of a document or of a resolved descriptor.
#[derive(Debug, Clone, Default)]
pub struct Located {
    /// Depth first, in the order of the text. Empty when there is no content.
    pub places: Vec<Place>,
    /// All keys, one after the other.
    pub keys: String,
    /// The files in which the places are; the root file first.
    pub files: Vec<RepoPath>,
}

/// What a pointer leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// The place, or its nearest parent that is there; `None` when there is no content.
    pub node: Option<usize>,
    /// Whether it, or something above it, is broken.
    pub broken: bool,
}

impl Located {
    /// The children of a place.
    pub fn children(&self, node: usize) -> impl Iterator<Item = usize> + '_ {
        let end = self.places.get(node).map_or(0, |place| place.end as usize);
        let mut next = node + 1;
        std::iter::from_fn(move || {
            if next >= end {
                return None;
            }
            let child = next;
            // A subtree is never empty, so this always moves on.
            next = self.places.get(child).map_or(end, |place| (place.end as usize).max(child + 1));
            Some(child)
        })
    }

    /// The key under which a place stands in its map.
    pub fn key(&self, node: usize) -> &str {
        let Some(place) = self.places.get(node) else { return "" };
        self.keys.get(place.key_text.0 as usize..place.key_text.1 as usize).unwrap_or("")
    }

    /// The child of a map by its key, or of a list by its index.
    pub fn child(&self, node: usize, segment: &str) -> Option<usize> {
        match self.places.get(node)?.shape {
            Shape::Scalar => None,
            Shape::Map => self.children(node).find(|child| self.key(*child) == segment),
            Shape::List => self.children(node).nth(index(segment)?),
        }
    }

    /// Follows a JSON pointer as far as it goes.
    pub fn find(&self, pointer: &str) -> Found {
        if self.places.is_empty() {
            return Found { node: None, broken: false };
        }
        let mut node = 0;
        let mut broken = self.is_broken(node);
        for segment in segments(pointer) {
            let Some(child) = self.child(node, &segment) else { break };
            node = child;
            broken |= self.is_broken(node);
        }
        Found { node: Some(node), broken }
    }

    /// Where to point for what a JSON pointer leads to.
    pub fn location(&self, pointer: &str) -> Option<Location> {
        self.head_location(self.find(pointer).node?)
    }

    /// The same of a stretch of the text to which the pointer leads. Where lines of the text are no lines of the
    /// file (in quotes, folded), that is the whole text.
    pub fn location_within(&self, pointer: &str, within: Option<Stretch>) -> Option<Location> {
        let node = self.find(pointer).node?;
        let mut location = self.head_location(node)?;
        let Some(within) = within else { return Some(location) };
        if self.places.get(node).is_some_and(|place| place.is_literal) {
            location.line = location.line.saturating_add(within.line.saturating_sub(1));
            location.column = location.column.saturating_add(within.column.saturating_sub(1));
            location.length = within.length;
        }
        Some(location)
    }

    /// Where to point for the key of what a JSON pointer leads to.
    pub fn key_location(&self, pointer: &str) -> Option<Location> {
        let place = self.places.get(self.find(pointer).node?)?;
        if place.key.line == 0 { self.mark_in(place.file, place.head) } else { self.mark_in(place.key_file, place.key) }
    }

    /// The stretch to which to point for what a JSON pointer leads to, in a document of one text.
    pub fn head_mark(&self, pointer: &str) -> Option<Mark> {
        Some(self.places.get(self.find(pointer).node?)?.head)
    }

    /// The same for the key of what a JSON pointer leads to.
    pub fn key_mark(&self, pointer: &str) -> Option<Mark> {
        Some(self.places.get(self.find(pointer).node?)?.key)
    }

    /// Where to point for a place.
    pub fn head_location(&self, node: usize) -> Option<Location> {
        let place = self.places.get(node)?;
        self.mark_in(place.file, place.head)
    }

    fn mark_in(&self, file: u16, mark: Mark) -> Option<Location> {
        let file = self.files.get(usize::from(file))?.clone();
        Some(Location { file, line: mark.line, column: mark.column, length: mark.length })
    }

    fn is_broken(&self, node: usize) -> bool {
        self.places.get(node).is_some_and(|place| place.broken)
    }
}

/// The segments of a JSON pointer, without their escapes.
pub fn segments(pointer: &str) -> impl Iterator<Item = std::borrow::Cow<'_, str>> {
    let rest = pointer.strip_prefix('/');
    rest.into_iter().flat_map(|rest| rest.split('/')).map(|segment| {
        if segment.contains('~') { segment.replace("~1", "/").replace("~0", "~").into() } else { segment.into() }
    })
}

/// Appends a segment to a JSON pointer.
pub fn push_segment(pointer: &mut String, segment: &str) {
    pointer.push('/');
    for character in segment.chars() {
        match character {
            '~' => pointer.push_str("~0"),
            '/' => pointer.push_str("~1"),
            other => pointer.push(other),
        }
    }
}

/// A list index as JSON pointers write it: no sign, no leading zero.
fn index(segment: &str) -> Option<usize> {
    let plain = segment == "0" || (!segment.starts_with('0') && segment.bytes().all(|byte| byte.is_ascii_digit()));
    if plain { segment.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_are_unescaped_and_escaped() {
        let all: Vec<_> = segments("/a~1b/m~0n//0").collect();
        assert_eq!(all, ["a/b", "m~n", "", "0"]);
        assert_eq!(segments("").count(), 0);
        let mut pointer = String::from("/x");
        push_segment(&mut pointer, "a/b~");
        assert_eq!(pointer, "/x/a~1b~0");
    }

    #[test]
    fn an_index_has_one_form() {
        assert_eq!(index("0"), Some(0));
        assert_eq!(index("12"), Some(12));
        for not in ["", "01", "-1", "+1", "a"] {
            assert_eq!(index(not), None, "{not:?}");
        }
    }
}
