//! Puts content and places together, for YAML events and JSON tokens alike. The limits on depth
//! and number of values, and the rule against doubled keys, are kept here, once.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::place::{Located, Mark, Place, Shape, push_segment};
use super::{Document, Problem, rules};
use crate::check::limits::{MAX_DEPTH, MAX_NODES, MAX_TOTAL_BYTES};
use crate::domain::finding::Severity;

/// How many errors of one file are kept; whoever has more starts with these.
const MAX_ERRORS: usize = 100;

/// How many warnings of one file are kept. A definition with a hundred unquoted status codes is
/// said often enough.
const MAX_WARNINGS: usize = 20;

pub(super) struct Builder {
    located: Located,
    frames: Vec<Frame>,
    root: Option<Value>,
    problems: Vec<Problem>,
    text_bytes: usize,
    has_references: bool,
    anchors: HashMap<usize, Anchor>,
    /// Values that were copied because an anchor is on them; counted, so that anchors on anchors
    /// cannot ask for more work than the file is worth.
    anchored: usize,
}

/// A list or map that is not finished.
struct Frame {
    body: Body,
    node: usize,
    anchor: usize,
    text_before: usize,
    /// The depth of the deepest finished child.
    height: usize,
}

enum Body {
    List(Vec<Value>),
    Map { fields: Map<String, Value>, key: Option<Key> },
}

/// A key whose value is not finished.
struct Key {
    text: String,
    mark: Mark,
    duplicate: bool,
    places_before: usize,
    keys_before: usize,
}

/// A finished value that aliases may stand for.
struct Anchor {
    value: Value,
    node: usize,
    text_bytes: usize,
    height: usize,
}

impl Builder {
    /// For a text of so many bytes.
    pub(super) fn new(bytes: usize) -> Self {
        Self {
            located: Located { places: Vec::with_capacity(bytes / 20), ..Located::default() },
            frames: Vec::new(),
            root: None,
            problems: Vec::new(),
            text_bytes: 0,
            has_references: false,
            anchors: HashMap::new(),
            anchored: 0,
        }
    }

    /// Whether the next thing has to be a key.
    pub(super) fn wants_key(&self) -> bool {
        matches!(self.frames.last(), Some(Frame { body: Body::Map { key: None, .. }, .. }))
    }

    /// Whether the next value is the whole content.
    pub(super) fn pointer_is_root(&self) -> bool {
        self.frames.is_empty()
    }

    /// The key whose value comes next.
    pub(super) fn open_key(&self) -> Option<&str> {
        match self.frames.last() {
            Some(Frame { body: Body::Map { key: Some(key), .. }, .. }) => Some(&key.text),
            _ => None,
        }
    }

    /// Something to say that does not end the reading.
    pub(super) fn report(&mut self, problem: Problem) {
        let is_error = problem.rule.severity == Severity::Error;
        let of_its_kind = |other: &&Problem| (other.rule.severity == Severity::Error) == is_error;
        let limit = if is_error { MAX_ERRORS } else { MAX_WARNINGS };
        if self.problems.iter().filter(of_its_kind).count() < limit {
            self.problems.push(problem);
        }
    }

    /// The pointer of the value that comes next, or of the key that was just given.
    pub(super) fn pointer(&self) -> String {
        let mut pointer = String::new();
        for frame in &self.frames {
            match &frame.body {
                Body::List(items) => push_segment(&mut pointer, &items.len().to_string()),
                Body::Map { key: Some(key), .. } => push_segment(&mut pointer, &key.text),
                Body::Map { key: None, .. } => {}
            }
        }
        pointer
    }

    pub(super) fn key(&mut self, text: String, mark: Mark) {
        let places_before = self.located.places.len();
        let keys_before = self.located.keys.len();
        let Some(Frame { body: Body::Map { fields, key }, node, .. }) = self.frames.last_mut() else { return };
        // Maps are small, and comparing a few keys is cheaper than hashing one.
        let duplicate =
            if fields.len() <= 8 { fields.keys().any(|key| *key == text) } else { fields.contains_key(&text) };
        if fields.is_empty()
            && let Some(place) = self.located.places.get_mut(*node)
            && (place.head.line, place.head.column) == (mark.line, mark.column)
        {
            // A block map begins where its first key does, and has no length of its own.
            place.head.length = mark.length;
        }
        if text == "$ref" {
            self.has_references = true;
        }
        let nul = text.contains('\0');
        self.text_bytes += text.len();
        *key = Some(Key { text, mark, duplicate, places_before, keys_before });
        if nul {
            self.report_nul(mark);
        }
        if duplicate {
            let pointer = self.pointer();
            let name = super::shown(pointer.rsplit('/').next().unwrap_or(""));
            self.report(
                Problem::new(&rules::DUPLICATE_KEY, mark, pointer, format!("the key {name} stands in this map twice"))
                    .with_hint("keep one of them; the first one was read"),
            );
        }
    }

    pub(super) fn scalar(&mut self, value: Value, mark: Mark, broken: bool, anchor: usize) -> Result<(), Problem> {
        let text_before = self.text_bytes;
        if let Value::String(text) = &value {
            self.text_bytes += text.len();
            if text.contains('\0') {
                self.report_nul(mark);
            }
        }
        let node = self.open_place(mark, Shape::Scalar)?;
        if broken && let Some(place) = self.located.places.get_mut(node) {
            place.broken = true;
        }
        self.finish(value, node, anchor, text_before, 0)
    }

    /// The text of a block scalar. `is_folded` says that its lines are joined.
    pub(super) fn block_text(
        &mut self,
        text: String,
        mark: Mark,
        is_folded: bool,
        anchor: usize,
    ) -> Result<(), Problem> {
        let node = self.located.places.len();
        let is_literal = !is_folded && !text.starts_with(['\n', ' ']);
        self.scalar(Value::String(text), mark, false, anchor)?;
        if let Some(place) = self.located.places.get_mut(node) {
            place.is_literal = is_literal;
        }
        Ok(())
    }

    /// A value that is not there. `is_comment` says that a comment stands there that may be meant as one.
    pub(super) fn nothing(&mut self, mark: Mark, is_comment: bool, anchor: usize) -> Result<(), Problem> {
        let node = self.located.places.len();
        self.scalar(Value::Null, mark, false, anchor)?;
        if let Some(place) = self.located.places.get_mut(node) {
            place.is_comment = is_comment;
        }
        Ok(())
    }

    pub(super) fn open(&mut self, shape: Shape, mark: Mark, anchor: usize) -> Result<(), Problem> {
        if self.frames.len() >= MAX_DEPTH {
            return Err(too_deep(mark, self.pointer()));
        }
        let node = self.open_place(mark, shape)?;
        let body = match shape {
            Shape::Map => Body::Map { fields: Map::new(), key: None },
            Shape::List | Shape::Scalar => Body::List(Vec::new()),
        };
        self.frames.push(Frame { body, node, anchor, text_before: self.text_bytes, height: 0 });
        Ok(())
    }

    pub(super) fn close(&mut self) -> Result<(), Problem> {
        let Some(frame) = self.frames.pop() else { return Ok(()) };
        let value = match frame.body {
            Body::List(items) => Value::Array(items),
            Body::Map { fields, .. } => Value::Object(fields),
        };
        self.finish(value, frame.node, frame.anchor, frame.text_before, frame.height + 1)
    }

    /// Puts a copy of what an alias stands for into its place.
    pub(super) fn alias(&mut self, anchor: usize, mark: Mark) -> Result<(), Problem> {
        let Some(known) = self.anchors.get(&anchor) else {
            let message = "this alias stands inside of what it stands for";
            let problem = Problem::new(&rules::RECURSIVE_ALIAS, mark, self.pointer(), message)
                .with_hint("write the part out where it is needed");
            self.report(problem);
            return self.scalar(Value::Null, mark, true, 0);
        };
        let (from, height, text_bytes) = (known.node, known.height, known.text_bytes);
        let to = self.located.places.get(from).map_or(from, |place| place.end as usize);
        let too_much = self.located.places.len() + (to - from) > MAX_NODES
            || self.text_bytes.saturating_add(text_bytes) > MAX_TOTAL_BYTES;
        if too_much {
            let message = format!("the aliases stand for more than {MAX_NODES} values or {MAX_TOTAL_BYTES} bytes");
            return Err(Problem::new(&rules::ALIAS_BOMB, mark, self.pointer(), message)
                .with_hint("write the parts out, or move them to a file and reference it"));
        }
        if self.frames.len() + height > MAX_DEPTH {
            return Err(too_deep(mark, self.pointer()));
        }
        let value = known.value.clone();
        let text_before = self.text_bytes;
        self.text_bytes += text_bytes;
        let node = self.open_place(mark, Shape::Scalar)?;
        let (key, key_text) = self.located.places.get(node).map_or_else(Default::default, |at| (at.key, at.key_text));
        self.located.places.truncate(node);
        for index in from..to {
            let Some(mut place) = self.located.places.get(index).copied() else { break };
            // The copy lies behind the original, so the difference is never negative.
            place.end += (node - from) as u32;
            self.located.places.push(place);
        }
        if let Some(place) = self.located.places.get_mut(node) {
            (place.key, place.key_text) = (key, key_text);
        }
        self.finish(value, node, 0, text_before, height)
    }

    pub(super) fn finished(mut self) -> (Option<Document>, Vec<Problem>) {
        let document = self.root.take().map(|value| Document {
            value,
            located: self.located,
            has_references: self.has_references,
        });
        (document, self.problems)
    }

    /// What was said so far, when the reading had to end.
    pub(super) fn abandoned(mut self, last: Problem) -> Vec<Problem> {
        self.problems.push(last);
        self.problems
    }

    /// An escape can write what no file may contain. Databases and C programs end a text there.
    fn report_nul(&mut self, mark: Mark) {
        let message = "the text has the character U+0000 in it";
        self.report(
            Problem::new(&rules::CONTROL_CHARACTER, mark, self.pointer(), message).with_hint("remove the escape"),
        );
    }

    fn open_place(&mut self, mark: Mark, shape: Shape) -> Result<usize, Problem> {
        let node = self.located.places.len();
        if node >= MAX_NODES {
            let message = format!("the file has more than {MAX_NODES} values");
            return Err(Problem::new(&rules::TOO_MANY_NODES, mark, self.pointer(), message)
                .with_hint("a descriptor describes data, it does not hold it; move what is large elsewhere"));
        }
        let mut place = Place {
            head: mark,
            key: Mark::default(),
            key_text: (0, 0),
            end: 0,
            file: 0,
            key_file: 0,
            shape,
            broken: false,
            is_literal: false,
            is_comment: false,
        };
        if let Some(Frame { body: Body::Map { key: Some(key), .. }, .. }) = self.frames.last() {
            let begin = self.located.keys.len() as u32;
            self.located.keys.push_str(&key.text);
            place.key_text = (begin, self.located.keys.len() as u32);
            place.key = key.mark;
            if shape != Shape::Scalar {
                place.head = key.mark;
            }
        }
        self.located.places.push(place);
        Ok(node)
    }

    fn finish(
        &mut self,
        value: Value,
        node: usize,
        anchor: usize,
        text_before: usize,
        height: usize,
    ) -> Result<(), Problem> {
        let end = self.located.places.len();
        if let Some(place) = self.located.places.get_mut(node) {
            place.end = end as u32;
        }
        if anchor != 0 {
            self.anchored += end - node;
            if self.anchored > MAX_NODES {
                let mark = self.located.places.get(node).map_or_else(Mark::default, |place| place.head);
                let message = format!("the anchors are on more than {MAX_NODES} values");
                return Err(Problem::new(&rules::ALIAS_BOMB, mark, self.pointer(), message)
                    .with_hint("put anchors only where an alias needs them"));
            }
            let text_bytes = self.text_bytes - text_before;
            self.anchors.insert(anchor, Anchor { value: value.clone(), node, text_bytes, height });
        }
        match self.frames.last_mut() {
            None => self.root = Some(value),
            Some(frame) => {
                frame.height = frame.height.max(height);
                match &mut frame.body {
                    Body::List(items) => items.push(value),
                    Body::Map { fields, key } => match key.take() {
                        Some(key) if key.duplicate => {
                            self.located.places.truncate(key.places_before);
                            self.located.keys.truncate(key.keys_before);
                            self.anchors.retain(|_, anchor| anchor.node < key.places_before);
                        }
                        Some(key) => {
                            fields.insert(key.text, value);
                        }
                        None => {}
                    },
                }
            }
        }
        Ok(())
    }
}

pub(super) fn too_deep(mark: Mark, pointer: String) -> Problem {
    let message = format!("maps and lists stand more than {MAX_DEPTH} deep inside each other");
    Problem::new(&rules::TOO_DEEP, mark, pointer, message).with_hint("flatten the content")
}
