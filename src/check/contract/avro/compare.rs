//! Two Avro schemas side by side, by the rules of schema resolution.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::model::{Field, Kind, Model, Named, Node};
use super::rules;
use crate::check::contract::fields::Spot;
use crate::check::contract::notes::Notes;
use crate::check::contract::{joined, privacy};
use crate::check::yaml::shown;
use crate::domain::compat::{Reason, Side};

/// Types inside each other that are followed. Definitions refer to each other, so this is deeper than
/// any text.
const DEEPEST: usize = 150;

pub(super) fn compare(before: &Model, after: &Model, side: Side, pointer: &str) -> Vec<Reason> {
    let path = match &after.root.kind {
        Kind::Record(name, _) | Kind::Enum(name, ..) | Kind::Fixed(name, _) => name.short.clone(),
        _ => String::new(),
    };
    let mut comparison = Comparison {
        old_named: before.named(),
        new_named: after.named(),
        side,
        pointer,
        notes: Notes::new(side),
        seen: HashSet::new(),
        depth: 0,
    };
    comparison.marks((&before.marks, &after.marks), "", &path);
    comparison.nodes(&before.root, &after.root, &path);
    comparison.notes.into_reasons()
}

struct Comparison<'a> {
    old_named: HashMap<&'a str, &'a Node>,
    new_named: HashMap<&'a str, &'a Node>,
    side: Side,
    pointer: &'a str,
    notes: Notes,
    /// Pairs of named types that were compared.
    seen: HashSet<(&'a str, &'a str)>,
    depth: usize,
}

impl<'a> Comparison<'a> {
    fn tell(&mut self, rule: &crate::domain::compat::ContractRule, at: &str, path: &str, message: String) {
        let pointer = format!("{}{at}", self.pointer);
        self.notes.tell(rule, &pointer, path, message);
    }

    /// Two types that stand at the same place.
    fn nodes(&mut self, old: &'a Node, new: &'a Node, path: &str) {
        if self.depth == DEEPEST {
            return self.tell(&rules::TOO_LARGE, &new.pointer, path, "it is nested too deeply".to_owned());
        }
        self.depth += 1;
        let at = new.pointer.as_str();
        let (old, new) = (self.defined(old, true), self.defined(new, false));
        match (&old.kind, &new.kind) {
            (Kind::Union(olds), Kind::Union(news)) => self.unions(olds, news, at, path),
            (Kind::Union(olds), _) => self.unions(olds, std::slice::from_ref(new), at, path),
            (_, Kind::Union(news)) => self.unions(std::slice::from_ref(old), news, at, path),
            _ => self.single(old, new, at, path),
        }
        self.depth -= 1;
    }

    fn defined(&self, node: &'a Node, is_old: bool) -> &'a Node {
        match &node.kind {
            Kind::Reference(name) => {
                let named = if is_old { &self.old_named } else { &self.new_named };
                named.get(name.as_str()).copied().unwrap_or(node)
            }
            _ => node,
        }
    }

    fn single(&mut self, old: &'a Node, new: &'a Node, at: &str, path: &str) {
        if let (Some(before), Some(after)) = (name_of(old), name_of(new))
            && same_kind(old, new)
        {
            if !self.seen.insert((&before.full, &after.full)) {
                return;
            }
            self.names(before, after, at, path);
        }
        let text = || (described(old), described(new));
        match (&old.kind, &new.kind) {
            (Kind::Primitive(before), Kind::Primitive(after)) if before == after => {}
            (Kind::Primitive(before), Kind::Primitive(after)) => {
                let (widened, narrowed) = (is_promoted(before, after), is_promoted(after, before));
                let rule = match (widened, narrowed) {
                    (true, true) if *before == "string" => &rules::STRING_TO_BYTES,
                    (true, true) => &rules::BYTES_TO_STRING,
                    (true, false) => &rules::TYPE_WIDENED,
                    (false, true) => &rules::TYPE_NARROWED,
                    (false, false) => &rules::TYPE_CHANGED,
                };
                let what = match (self.side, widened, narrowed) {
                    (_, true, true) => "and bytes are read as text only where they are some",
                    (Side::Read, true, _) => "which readers of the former do not take",
                    (Side::Read, _, true) | (Side::Written, true, _) => "which is promoted when it is read",
                    (Side::Written, _, true) => "and what is sent as the former no longer fits",
                    _ => "which no rule resolves",
                };
                let (before, after) = text();
                self.tell(rule, at, path, format!("the type was {before} and is {after}, {what}"));
                if !widened && !narrowed {
                    return;
                }
            }
            (Kind::Array(before), Kind::Array(after)) => self.nodes(before, after, &format!("{path}[]")),
            (Kind::Map(before), Kind::Map(after)) => self.nodes(before, after, &format!("{path}{{}}")),
            (Kind::Record(_, before), Kind::Record(_, after)) => self.fields(before, after, at, path),
            (Kind::Enum(_, before, old_default), Kind::Enum(_, after, new_default)) => {
                self.symbols(before, old_default.as_deref(), after, new_default.as_deref(), at, path);
            }
            (Kind::Fixed(_, before), Kind::Fixed(_, after)) => {
                if before != after {
                    let message = format!("the size was {before} and is {after} bytes");
                    self.tell(&rules::SIZE_CHANGED, at, path, message);
                }
            }
            _ => {
                let (before, after) = text();
                let message = format!("the type was {before} and is {after}, which no rule resolves");
                return self.tell(&rules::TYPE_CHANGED, at, path, message);
            }
        }
        self.logical(old, new, at, path);
    }

    fn logical(&mut self, old: &Node, new: &Node, at: &str, path: &str) {
        let (rule, message) = match (&old.logical, &new.logical) {
            (Some(before), Some(after)) if before != after => {
                (&rules::LOGICAL_CHANGED, format!("the logical type was {} and is {}", shown(before), shown(after)))
            }
            (None, Some(after)) => (&rules::LOGICAL_ADDED, format!("the logical type is {} now", shown(after))),
            (Some(before), None) => {
                (&rules::LOGICAL_REMOVED, format!("the logical type is no longer {}", shown(before)))
            }
            _ => return,
        };
        self.tell(rule, at, path, message);
    }

    fn names(&mut self, before: &Named, after: &Named, at: &str, path: &str) {
        if before.full == after.full {
            return;
        }
        let (reader, writer) = self.directed(before, after);
        let was = format!("the name was {} and is {}", shown(&before.full), shown(&after.full));
        if reader.aliases.contains(&writer.full) {
            self.tell(&rules::NAME_CHANGED_WITH_ALIAS, at, path, format!("{was}, which an alias covers"));
        } else if before.short == after.short {
            let message = format!("{was}: not every reader leaves the namespace aside");
            self.tell(&rules::NAMESPACE_CHANGED, at, path, message);
        } else {
            self.tell(&rules::NAME_CHANGED, at, path, format!("{was}, and no alias says so"));
        }
    }

    /// The reader's and the writer's part of a pair.
    fn directed<T>(&self, old: T, new: T) -> (T, T) {
        match self.side {
            Side::Read => (old, new),
            Side::Written => (new, old),
        }
    }

    fn fields(&mut self, olds: &'a [Field], news: &'a [Field], at: &str, path: &str) {
        let (readers, writers) = self.directed(olds, news);
        let by_name: HashMap<&str, &Field> = writers.iter().map(|field| (field.name.as_str(), field)).collect();
        let mut used: HashSet<&str> = HashSet::new();
        for reader in readers {
            let aliases = reader.aliases.iter().map(String::as_str);
            let names = std::iter::once(reader.name.as_str()).chain(aliases);
            let Some(writer) = names.into_iter().find_map(|name| by_name.get(name).copied()) else {
                match self.side {
                    Side::Read => self.field_gone(reader, news, at, path),
                    Side::Written => self.field_new(reader, olds, path),
                }
                continue;
            };
            used.insert(&writer.name);
            let (old, new) = self.directed(reader, writer);
            self.field(old, new, path);
        }
        for writer in writers.iter().filter(|writer| !used.contains(writer.name.as_str())) {
            match self.side {
                Side::Read => self.field_new(writer, olds, path),
                Side::Written => self.field_gone(writer, news, at, path),
            }
        }
    }

    fn field(&mut self, old: &'a Field, new: &'a Field, path: &str) {
        let inner = joined(path, &new.name);
        if old.name != new.name {
            let (rule, known) = match self.side {
                Side::Read => (&rules::FIELD_RENAMED_AS_FORESEEN, "the former schema knows the new name as an alias"),
                Side::Written => (&rules::FIELD_RENAMED, "and has the former name as an alias"),
            };
            let message = format!("field {} is called {} now, {known}", shown(&old.name), shown(&new.name));
            self.tell(rule, &new.pointer, &inner, message);
        }
        if old.default != new.default {
            let message = match (&old.default, &new.default) {
                (None, Some(_)) => "has a default now",
                (Some(_), None) => "no longer has a default",
                _ => "has another default",
            };
            let message = format!("field {} {message}", shown(&new.name));
            self.tell(&rules::DEFAULT_CHANGED, &new.pointer, &inner, message);
        }
        self.marks((&old.marks, &new.marks), &new.pointer, &inner);
        self.nodes(&old.node, &new.node, &inner);
    }

    /// How something was marked as personal data, and how it is.
    fn marks(&mut self, (was, is): (&Value, &Value), at: &str, path: &str) {
        if was == is {
            return;
        }
        let pointer = format!("{}{at}", self.pointer);
        let spot = Spot { before: Some(was), after: Some(is), pointer, path: path.to_owned() };
        let told = privacy::compare(&spot, self.side);
        self.notes.extend(told.into_iter().map(|reason| Reason { path: path.to_owned(), ..reason }));
    }

    /// A field of the desired schema to which none of the recorded one belongs.
    fn field_new(&mut self, field: &Field, olds: &[Field], path: &str) {
        let inner = joined(path, &field.name);
        let name = shown(&field.name);
        if self.side == Side::Read && olds.iter().any(|old| field.aliases.contains(&old.name)) {
            // Told where the former name is missed.
            return;
        }
        let (rule, message) = match (&field.default, self.side) {
            (Some(_), _) => (&rules::FIELD_ADDED, format!("field {name} is new, and has a default")),
            (None, Side::Read) => (&rules::FIELD_REQUIRED, format!("field {name} is new; readers pass it over")),
            (None, Side::Written) => {
                let why = "what is written with the recorded schema lacks it";
                (&rules::FIELD_REQUIRED, format!("field {name} is new and has no default: {why}"))
            }
        };
        self.tell(rule, &field.pointer, &inner, message);
    }

    /// A field of the recorded schema to which none of the desired one belongs.
    fn field_gone(&mut self, field: &Field, news: &[Field], at: &str, path: &str) {
        let inner = joined(path, &field.name);
        let name = shown(&field.name);
        let renamed = news.iter().find(|new| new.aliases.contains(&field.name));
        let (rule, message) = match (renamed, self.side, &field.default) {
            (Some(new), Side::Read, None) => {
                let now = shown(&new.name);
                let message = format!("field {name} is called {now} now, which readers with the recorded schema miss");
                (&rules::FIELD_RENAMED, message)
            }
            (_, Side::Read, None) => {
                let message = format!("field {name} is gone, and readers have no default for it");
                (&rules::FIELD_REMOVED, message)
            }
            (_, Side::Read, Some(_)) => {
                let message = format!("field {name} is gone; readers get its default from now on");
                (&rules::FIELD_REMOVED_WITH_DEFAULT, message)
            }
            (_, Side::Written, _) => {
                let message = format!("field {name} is gone; what is sent in it is passed over");
                (&rules::FIELD_REMOVED, message)
            }
        };
        self.tell(rule, at, &inner, message);
    }

    fn symbols(
        &mut self,
        olds: &[String],
        old_default: Option<&str>,
        news: &[String],
        new_default: Option<&str>,
        at: &str,
        path: &str,
    ) {
        let (before, after): (HashSet<&String>, HashSet<&String>) = (olds.iter().collect(), news.iter().collect());
        for symbol in news.iter().filter(|symbol| !before.contains(symbol)) {
            let name = shown(symbol);
            let (rule, message) = match (self.side, old_default) {
                (Side::Read, Some(default)) => {
                    let message = format!("symbol {name} is new; readers take it for {}", shown(default));
                    (&rules::SYMBOL_ADDED_WITH_DEFAULT, message)
                }
                (Side::Read, None) => {
                    let message = format!("symbol {name} is new, and readers with the recorded schema fail on it");
                    (&rules::SYMBOL_ADDED, message)
                }
                (Side::Written, _) => (&rules::SYMBOL_ADDED, format!("symbol {name} is new")),
            };
            self.tell(rule, at, path, message);
        }
        for symbol in olds.iter().filter(|symbol| !after.contains(symbol)) {
            let name = shown(symbol);
            let (rule, message) = match (self.side, new_default) {
                (Side::Written, Some(default)) => {
                    let message = format!("symbol {name} is gone; where it is sent, {} is read", shown(default));
                    (&rules::SYMBOL_REMOVED_WITH_DEFAULT, message)
                }
                (Side::Written, None) => {
                    let message = format!("symbol {name} is gone, and what is sent with it cannot be read");
                    (&rules::SYMBOL_REMOVED, message)
                }
                (Side::Read, _) => (&rules::SYMBOL_REMOVED, format!("symbol {name} is gone")),
            };
            self.tell(rule, at, path, message);
        }
        if old_default != new_default {
            let message = "the symbol that stands for unknown ones is another".to_owned();
            self.tell(&rules::DEFAULT_CHANGED, at, path, message);
        }
    }

    /// Two sets of types, of which one may be a single type.
    fn unions(&mut self, olds: &'a [Node], news: &'a [Node], at: &str, path: &str) {
        let olds: Vec<&'a Node> = olds.iter().map(|node| self.defined(node, true)).collect();
        let news: Vec<&'a Node> = news.iter().map(|node| self.defined(node, false)).collect();
        let (readers, writers) = self.directed(&olds, &news);
        let mut taken: HashSet<usize> = HashSet::new();
        for writer in writers {
            let exact = readers.iter().position(|reader| is_same(reader, writer));
            if let Some((index, reader)) = exact.and_then(|index| Some((index, readers.get(index).copied()?))) {
                taken.insert(index);
                let (old, new) = self.directed(reader, writer);
                self.depth += 1;
                self.single(old, new, if new.pointer.is_empty() { at } else { &new.pointer }, path);
                self.depth -= 1;
                continue;
            }
            let promoted = readers.iter().position(|reader| match (&writer.kind, &reader.kind) {
                (Kind::Primitive(from), Kind::Primitive(to)) => is_promoted(from, to),
                _ => false,
            });
            if let Some((index, reader)) = promoted.and_then(|index| Some((index, readers.get(index).copied()?))) {
                taken.insert(index);
                let (old, new) = self.directed(reader, writer);
                self.single(old, new, at, path);
                continue;
            }
            let name = described(writer);
            match self.side {
                Side::Read => {
                    let message = format!("it may be {name} now, which readers with the recorded schema do not take");
                    self.tell(&rules::BRANCH_ADDED, at, path, message);
                }
                Side::Written => {
                    let message = format!("it may no longer be {name}, which may still be sent");
                    self.tell(&rules::BRANCH_REMOVED, at, path, message);
                }
            }
        }
        for (_, reader) in readers.iter().enumerate().filter(|(index, _)| !taken.contains(index)) {
            let name = described(reader);
            match self.side {
                Side::Read => self.tell(&rules::BRANCH_REMOVED, at, path, format!("it is no longer {name}")),
                Side::Written => self.tell(&rules::BRANCH_ADDED, at, path, format!("it may be {name} now")),
            }
        }
    }
}

fn name_of(node: &Node) -> Option<&Named> {
    match &node.kind {
        Kind::Record(name, _) | Kind::Enum(name, ..) | Kind::Fixed(name, _) => Some(name),
        _ => None,
    }
}

fn same_kind(one: &Node, other: &Node) -> bool {
    std::mem::discriminant(&one.kind) == std::mem::discriminant(&other.kind)
}

/// Whether a reader's branch is the one for a writer's.
fn is_same(reader: &Node, writer: &Node) -> bool {
    match (&reader.kind, &writer.kind) {
        (Kind::Primitive(one), Kind::Primitive(other)) => one == other,
        _ if !same_kind(reader, writer) => false,
        _ => match (name_of(reader), name_of(writer)) {
            (Some(reader), Some(writer)) => reader.short == writer.short || reader.aliases.contains(&writer.full),
            _ => true,
        },
    }
}

/// Whether what is written as one type can be read as another.
fn is_promoted(from: &str, to: &str) -> bool {
    matches!(
        (from, to),
        ("int", "long" | "float" | "double")
            | ("long", "float" | "double")
            | ("float", "double")
            | ("string", "bytes")
            | ("bytes", "string")
    )
}

fn described(node: &Node) -> String {
    match &node.kind {
        Kind::Primitive(name) => format!("'{name}'"),
        Kind::Array(_) => "an array".to_owned(),
        Kind::Map(_) => "a map".to_owned(),
        Kind::Union(_) => "a union".to_owned(),
        Kind::Record(name, _) => format!("the record {}", shown(&name.short)),
        Kind::Enum(name, ..) => format!("the enum {}", shown(&name.short)),
        Kind::Fixed(name, _) => format!("the fixed {}", shown(&name.short)),
        Kind::Reference(name) => shown(name),
    }
}
