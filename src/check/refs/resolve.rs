//! The walk that replaces references. It copies the content once, in the order of the text, and
//! writes the places beside it; its cost is bounded by the number of values that come out.
//!
//! The walk recurses at most `MAX_DEPTH` containers and `MAX_REFERENCE_DEPTH` references deep.

use std::borrow::Cow;
use std::collections::HashMap;
use std::rc::Rc;

use serde_json::{Map, Value};

use super::entries::Entries;
use super::files::Files;
use super::follow::{Followed, Unfollowed};
use super::item::{Item, Override, Site, Source, fields_of};
use super::mode::{self, Meaning, Mode};
use super::near::Names;
use super::rules;
use super::target::{NoTarget, is_local};
use crate::check::limits::{MAX_DEPTH, MAX_NODES, MAX_TOTAL_BYTES};
use crate::check::report::Report;
use crate::check::yaml::{self, Document, Located, Mark, Place, Shape, Syntax, push_segment, shown};
use crate::domain::finding::{Finding, Location};
use crate::domain::id::RepoPath;
use crate::domain::rule::Rule;

pub(super) struct Resolver<'t, 'f> {
    pub(super) files: Files<'t>,
    pub(super) names: &'f Names,
    pub(super) findings: &'f mut Report,
    pub(super) out: Located,
    pub(super) pointer: String,
    /// What is being replaced: file and place of each target on the way here.
    pub(super) stack: Vec<(usize, usize)>,
    pub(super) text_bytes: usize,
    /// Children by key, of the large maps into which references lead.
    pub(super) indexes: HashMap<(usize, usize), HashMap<String, usize>>,
    /// Where keys `$ref` stand in each file into which the walk has come, in order.
    pub(super) references: HashMap<usize, Vec<usize>>,
    /// A limit was reached and said; everything from there on is left out.
    pub(super) full: bool,
    /// The file whose root is the root of the definition that is being walked.
    home: Option<usize>,
    /// From where '#/…' of that definition may lead: its own place, and those with an '$id' above.
    pub(super) roots: Vec<(usize, usize)>,
    /// The references that were replaced.
    entries: Entries,
}

impl<'t, 'f> Resolver<'t, 'f> {
    pub(super) fn new(files: Files<'t>, names: &'f Names, findings: &'f mut Report) -> Self {
        Self {
            files,
            names,
            findings,
            out: Located::default(),
            pointer: String::new(),
            stack: Vec::new(),
            text_bytes: 0,
            indexes: HashMap::new(),
            references: HashMap::new(),
            full: false,
            home: None,
            roots: Vec::new(),
            entries: Entries::default(),
        }
    }

    /// The whole content of the root document.
    pub(super) fn root(&mut self, document: &Rc<Document>) -> Value {
        let source = Source { file: 0, document: Rc::clone(document) };
        self.stack.push((0, 0));
        self.walk(Item { source: &source, value: &document.value, node: 0 }, Mode::Root, None, &[], 0)
    }

    pub(super) fn into_parts(mut self) -> (Located, Vec<RepoPath>, Entries) {
        let paths = self.files.into_paths();
        self.out.files.clone_from(&paths);
        (self.out, paths, self.entries)
    }

    fn walk(
        &mut self,
        item: Item<'_>,
        mode: Mode,
        site: Option<Site<'_>>,
        overrides: &[Override<'_>],
        depth: usize,
    ) -> Value {
        let reference = item.value.as_object().and_then(|fields| fields.get("$ref"));
        match (mode.reference(), reference) {
            (Meaning::Ours, Some(Value::String(text))) => return self.ours(item, text, mode, site, overrides, depth),
            (Meaning::Theirs, Some(Value::String(text))) => {
                return self.theirs(item, text, mode, site, overrides, depth);
            }
            // What an executor is told is its own business.
            (Meaning::Ours, Some(other)) if mode != Mode::Configurations => {
                self.not_a_text(item, other);
                return self.leave_broken(item, site, depth);
            }
            _ => {}
        }
        self.copy(item, mode, site, overrides, depth)
    }

    /// Copies a value as it is, and replaces the references inside of it.
    fn copy(
        &mut self,
        item: Item<'_>,
        mode: Mode,
        site: Option<Site<'_>>,
        overrides: &[Override<'_>],
        depth: usize,
    ) -> Value {
        let Some(place) = item.place() else { return Value::Null };
        if overrides.is_empty()
            && let Some(copy) = self.copy_plain(item, place, site, depth)
        {
            return copy;
        }
        let text = if let Value::String(text) = item.value { text.len() } else { 0 };
        let Some(at) = self.open(place, item.source.file, site, text, depth) else { return Value::Null };
        let value = match item.value {
            Value::Object(fields) => {
                let (home, roots) = (self.home, self.roots.len());
                if mode == Mode::Definition {
                    self.home = Some(item.source.file);
                }
                if mode == Mode::Definition || (mode == Mode::Foreign && fields.contains_key("$id")) {
                    self.roots.push((item.source.file, item.node));
                }
                let fields = self.copy_fields(item, fields, mode, overrides, depth);
                self.home = home;
                self.roots.truncate(roots);
                Value::Object(fields)
            }
            Value::Array(items) => {
                let mut copied = Vec::with_capacity(items.len());
                let nodes = item.source.document.located.children(item.node);
                for (index, (value, node)) in items.iter().zip(nodes).enumerate() {
                    if self.full {
                        break;
                    }
                    let length = self.pointer.len();
                    push_segment(&mut self.pointer, &index.to_string());
                    let child = Item { value, node, ..item };
                    copied.push(self.walk(child, mode.of_item(), None, &[], depth + 1));
                    self.pointer.truncate(length);
                }
                Value::Array(copied)
            }
            scalar => scalar.clone(),
        };
        self.close(at);
        value
    }

    fn copy_fields(
        &mut self,
        item: Item<'_>,
        fields: &Map<String, Value>,
        mode: Mode,
        overrides: &[Override<'_>],
        depth: usize,
    ) -> Map<String, Value> {
        let mut copied = Map::with_capacity(fields.len() + overrides.len());
        let located = &item.source.document.located;
        let own = fields.iter().zip(located.children(item.node)).map(|((key, value), node)| {
            let mark = located.places.get(node).map_or_else(Mark::default, |place| place.key);
            let site = Site { text: key, mark, file: item.source.file };
            Override { site, item: Item { value, node, ..item } }
        });
        let replaced = own.map(|own| *overrides.iter().find(|other| other.site.text == own.site.text).unwrap_or(&own));
        let added = overrides.iter().filter(|other| !fields.contains_key(other.site.text)).copied();
        for Override { site, item } in replaced.chain(added) {
            if self.full {
                break;
            }
            if copied.contains_key(site.text) {
                continue;
            }
            let length = self.pointer.len();
            push_segment(&mut self.pointer, site.text);
            let value = self.walk(item, mode.of_field(site.text), Some(site), &[], depth + 1);
            self.pointer.truncate(length);
            copied.insert(site.text.to_owned(), value);
        }
        copied
    }

    /// A Reference Object of DPDS.
    fn ours(
        &mut self,
        item: Item<'_>,
        text: &str,
        mode: Mode,
        site: Option<Site<'_>>,
        overrides: &[Override<'_>],
        depth: usize,
    ) -> Value {
        let mut overrides = overrides.to_vec();
        for field in fields_of(item) {
            match field.site.text {
                "$ref" | "mediaType" => {}
                "description" => overrides.push(field),
                other => {
                    let location = self.location_of_key(&field);
                    let message = format!("{} stands beside a '$ref' and is ignored", shown(other));
                    self.say(&rules::SIBLING_IGNORED, location, message, "move it into what is referenced");
                }
            }
        }
        let (rule, message, hint) = match self.followed(item, text, mode) {
            Ok(followed) => {
                if let Some(instead) = mode::instead_of_reference(&self.pointer) {
                    let name = shown(self.pointer.rsplit('/').next().unwrap_or_default());
                    let message = format!("a reference stands in the place of the list {name}, and not of its items");
                    let location = self.location_of_reference(item);
                    self.say(&rules::NOT_HERE, location, message, self.as_items(item, text, &followed, instead));
                    if !followed.is_list() {
                        return self.leave_broken(item, site, depth);
                    }
                    // What was meant is plain, so it is followed: no second finding comes of the first.
                }
                self.entries.push(self.out.places.len(), item, text);
                return self.replace(followed, mode, site, &overrides, depth);
            }
            Err(Unfollowed::Said) => return self.leave_broken(item, site, depth),
            // A cycle of DPDS' own references has no meaning that could be kept.
            Err(Unfollowed::Cycle(message)) => (&rules::CYCLE, message, "write one of the parts out".into()),
            Err(Unfollowed::Say(rule, message, hint)) => (rule, message, hint),
        };
        let location = self.location_of_reference(item);
        self.say(rule, location, message, hint);
        self.leave_broken(item, site, depth)
    }

    /// A `$ref` that is no text.
    fn not_a_text(&mut self, item: Item<'_>, other: &Value) {
        let located = &item.source.document.located;
        let place = located.child(item.node, "$ref").and_then(|node| located.places.get(node));
        let location = place.and_then(|place| self.location(item.source.file, place.key));
        let is_yaml = self.files.path(item.source.file).and_then(Syntax::of) == Some(Syntax::Yaml);
        let message = if other.is_null() { "'$ref' is there and has no value" } else { "'$ref' is not a text" };
        let hint = match other {
            Value::Null if is_yaml => "put the reference in quotes: behind ' #' a comment begins",
            _ => "write one reference: '#/components/…', 'file.yaml' or 'file.yaml#/pointer'",
        };
        self.say(&rules::MALFORMED, location, message.to_owned(), hint);
    }

    /// A reference of another language, inside of a definition.
    fn theirs(
        &mut self,
        item: Item<'_>,
        text: &str,
        mode: Mode,
        site: Option<Site<'_>>,
        overrides: &[Override<'_>],
        depth: usize,
    ) -> Value {
        let location = self.location_of_reference(item);
        if is_local(text) {
            if self.home != Some(item.source.file) && text.starts_with("#/") {
                let message =
                    format!("{} means the file in which it stands, and that was put into another", shown(text));
                self.say(&rules::MEANING_MOVED, location, message, "reference the other file by its name");
            } else if self.home.is_some() {
                self.look_inside(item, text);
            }
            return self.copy(item, mode, site, overrides, depth);
        }
        match self.read_target(item, text) {
            Err(NoTarget::Remote) => {
                let message = format!("the remote reference {} was left as it is", shown(text));
                self.say(
                    &rules::REMOTE_NOT_FOLLOWED,
                    location,
                    message,
                    "commit the file and reference it by its path",
                );
                return self.copy(item, mode, site, overrides, depth);
            }
            Err(NoTarget::NoSlash(..)) => {
                let message = format!("{} names an anchor, and was left as it is", shown(text));
                self.say(&rules::ANCHOR_NOT_FOLLOWED, location, message, "use a JSON pointer behind the '#'");
                return self.copy(item, mode, site, overrides, depth);
            }
            Err(NoTarget::Outside | NoTarget::Backslashes(_) | NoTarget::Malformed(_)) | Ok(_) => {}
        }
        match self.followed(item, text, mode) {
            Ok(followed) => {
                let mut overrides = overrides.to_vec();
                overrides.extend(fields_of(item).filter(|field| !matches!(field.site.text, "$ref" | "mediaType")));
                self.replace(followed, mode, site, &overrides, depth)
            }
            Err(Unfollowed::Cycle(message)) => {
                // Schemas may well be recursive; only putting one into itself has no end.
                let hint = "nothing needs to be done; who reads the definition needs the file beside it";
                self.say(&rules::RECURSIVE_DEFINITION, location, message, hint);
                self.copy(item, mode, site, overrides, depth)
            }
            Err(Unfollowed::Say(rule, message, hint)) => {
                self.say(rule, location, message, hint);
                self.leave_broken(item, site, depth)
            }
            Err(Unfollowed::Said) => self.leave_broken(item, site, depth),
        }
    }

    fn replace(
        &mut self,
        followed: Followed,
        mode: Mode,
        site: Option<Site<'_>>,
        overrides: &[Override<'_>],
        depth: usize,
    ) -> Value {
        match followed {
            Followed::Text(file, text) => {
                let head = Mark { line: 1, column: 1, length: 0 };
                let place = Place {
                    head,
                    key: Mark::default(),
                    key_text: (0, 0),
                    end: 0,
                    file: 0,
                    key_file: 0,
                    shape: Shape::Scalar,
                    broken: false,
                    is_literal: true,
                    is_comment: false,
                };
                let Some(at) = self.open(place, file, site, text.len(), depth) else { return Value::Null };
                self.close(at);
                Value::String(text.as_ref().to_owned())
            }
            Followed::Part { source, node, fragment } => {
                let Some(value) = source.document.value.pointer(&fragment) else { return Value::Null };
                let home = self.home;
                if mode == Mode::Definition {
                    self.home = fragment.is_empty().then_some(source.file);
                }
                self.stack.push((source.file, node));
                let item = Item { source: &source, value, node };
                // As where the definition stands in its place.
                let odd = value.get("$ref").filter(|it| mode == Mode::Definition && !it.is_string());
                let value = match odd {
                    Some(other) => {
                        self.not_a_text(item, other);
                        self.leave_broken(item, site, depth)
                    }
                    None => self.walk(item, mode.of_target(), site, overrides, depth),
                };
                self.stack.pop();
                self.home = home;
                value
            }
        }
    }

    /// Copies a reference that leads nowhere, so that what is said about it is said once.
    fn leave_broken(&mut self, item: Item<'_>, site: Option<Site<'_>>, depth: usize) -> Value {
        let at = self.out.places.len();
        let value = self.copy(item, Mode::Opaque, site, &[], depth);
        if let Some(place) = self.out.places.get_mut(at) {
            place.broken = true;
        }
        value
    }

    /// Takes a place; `None` when a limit is reached.
    fn open(&mut self, place: Place, file: usize, site: Option<Site<'_>>, text: usize, depth: usize) -> Option<usize> {
        if self.full {
            return None;
        }
        self.text_bytes = self.text_bytes.saturating_add(text + site.map_or(0, |site| site.text.len()));
        let at = self.out.places.len();
        let (rule, message) = if at >= MAX_NODES {
            (&rules::TOO_MANY_NODES, format!("with all references replaced there are more than {MAX_NODES} values"))
        } else if self.text_bytes > MAX_TOTAL_BYTES {
            (
                &rules::TOO_MANY_BYTES,
                format!("with all references replaced there are more than {MAX_TOTAL_BYTES} bytes"),
            )
        } else if depth >= MAX_DEPTH && place.shape != Shape::Scalar {
            (&yaml::rules::TOO_DEEP, format!("with all references replaced, the content is more than {MAX_DEPTH} deep"))
        } else {
            let key_begin = self.out.keys.len() as u32;
            self.out.keys.push_str(site.map_or("", |site| site.text));
            self.out.places.push(Place {
                key: site.map_or_else(Mark::default, |site| site.mark),
                key_text: (key_begin, self.out.keys.len() as u32),
                end: at as u32 + 1,
                file: small(file),
                key_file: small(site.map_or(file, |site| site.file)),
                ..place
            });
            return Some(at);
        };
        self.full = true;
        if let Some(root) = self.out.places.first_mut() {
            root.broken = true;
        }
        let location = self.location(file, place.head);
        self.say(rule, location, message, "move what is large out of the descriptor");
        None
    }

    fn close(&mut self, at: usize) {
        let end = self.out.places.len() as u32;
        if let Some(place) = self.out.places.get_mut(at) {
            place.end = end;
        }
    }

    pub(super) fn say(
        &mut self,
        rule: &'static Rule,
        location: Option<Location>,
        message: String,
        hint: impl Into<Cow<'static, str>>,
    ) {
        let Some(location) = location else { return };
        let finding = Finding::new(rule.severity, rule.id(), location, self.pointer.as_str(), message);
        self.findings.push(finding.with_hint(hint.into()));
    }

    pub(super) fn path(&self, file: usize) -> &str {
        self.files.path(file).map_or("", RepoPath::as_str)
    }

    pub(super) fn location_of_reference(&self, item: Item<'_>) -> Option<Location> {
        let located = &item.source.document.located;
        let node = located.child(item.node, "$ref").unwrap_or(item.node);
        self.location(item.source.file, located.places.get(node)?.head)
    }

    fn location_of_key(&self, field: &Override<'_>) -> Option<Location> {
        self.location(field.site.file, field.site.mark)
    }

    fn location(&self, file: usize, mark: Mark) -> Option<Location> {
        let file = self.files.path(file)?.clone();
        Some(Location { file, line: mark.line, column: mark.column, length: mark.length })
    }
}

/// There are at most [`crate::check::limits::MAX_FILES`] files.
pub(super) fn small(file: usize) -> u16 {
    u16::try_from(file).unwrap_or(u16::MAX)
}
