//! The fields of two messages, by their numbers.

use std::collections::{BTreeMap, HashMap, HashSet};

use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{DescriptorProto, FieldDescriptorProto, UninterpretedOption};
use serde_json::Value;

use super::compare::{Comparison, is_entry};
use super::model::Named;
use super::reserved::Reserved;
use super::rules;
use crate::check::contract::{joined, privacy};
use crate::check::yaml::shown;

/// A field, its message and the name of that.
#[derive(Clone, Copy)]
struct Standing<'a, 'n> {
    scope: &'n str,
    message: &'a DescriptorProto,
    field: &'a FieldDescriptorProto,
}

pub(super) fn compare<'a>(
    told: &mut Comparison<'a>,
    scope: &str,
    was: &'a DescriptorProto,
    new_scope: &str,
    is: &'a DescriptorProto,
) {
    let by_number = |message: &'a DescriptorProto| {
        message.field.iter().map(|field| (field.number(), field)).collect::<BTreeMap<i32, &'a FieldDescriptorProto>>()
    };
    let by_name = |message: &'a DescriptorProto| {
        message.field.iter().map(|field| (field.name(), field.number())).collect::<HashMap<&'a str, i32>>()
    };
    let (olds, news) = (by_number(was), by_number(is));
    let (old_names, new_names) = (by_name(was), by_name(is));
    let (was_reserved, is_reserved) = (Reserved::of_message(was), Reserved::of_message(is));
    let old_oneofs: HashSet<&str> = was.oneof_decl.iter().map(prost_types::OneofDescriptorProto::name).collect();
    let all = Oneofs::of(was, is);
    for (number, field) in &olds {
        let old = Standing { scope, message: was, field };
        let moved = new_names.get(field.name()).copied();
        match news.get(number) {
            Some(now) => both(told, old, Standing { scope: new_scope, message: is, field: now }, moved, &all),
            None => gone(told, old, moved, &is_reserved),
        }
    }
    let options = |message: &'a DescriptorProto| {
        message.options.as_ref().map(|options| options.uninterpreted_option.as_slice()).unwrap_or_default()
    };
    told.marks(&marks(options(was)), &marks(options(is)), scope);
    if let Some(message) = was_reserved.let_go(&is_reserved) {
        told.tell(scope, &rules::RESERVATION_REMOVED, scope, message);
    }
    for (number, field) in news.iter().filter(|(number, _)| !olds.contains_key(number)) {
        let path = joined(scope, field.name());
        let name = shown(field.name());
        if was_reserved.has_name(field.name()) || was_reserved.has_number(*number) {
            let message = format!("field {name} = {number} uses what was reserved");
            told.tell(scope, &rules::RESERVED_USED, &path, message);
        } else if old_names.contains_key(field.name()) {
            // Told as renumbered.
        } else if field.label() == Label::Required {
            let message = format!("field {name} = {number} is new and required, and nobody sends it yet");
            told.tell(scope, &rules::REQUIRED_ADDED, &path, message);
        } else if let Some(oneof) = oneof(is, field).filter(|name| old_oneofs.contains(name)) {
            let message = format!("field {name} = {number} is a new member of oneof {}", shown(oneof));
            told.tell(scope, &rules::ONEOF_GREW, &path, message);
        } else {
            told.tell(scope, &rules::FIELD_ADDED, &path, format!("field {name} = {number} is new"));
        }
    }
}

/// A field whose number stands for nothing any more; `moved` is the number at which its name stands now.
fn gone(told: &mut Comparison<'_>, old: Standing<'_, '_>, moved: Option<i32>, reserved: &Reserved<'_>) {
    let (field, number) = (old.field, old.field.number());
    let path = joined(old.scope, field.name());
    let name = shown(field.name());
    if let Some(now) = moved {
        let message = format!("field {name} had number {number} and has {now}");
        return told.tell(old.scope, &rules::FIELD_RENUMBERED, &path, message);
    }
    let advice = if reserved.has_number(number) { "" } else { ", and its number is not reserved" };
    told.tell(old.scope, &rules::FIELD_REMOVED, &path, format!("field {name} = {number} is gone{advice}"));
}

/// Two fields of one number; `moved` is the number at which the old one's name stands now.
fn both<'a>(
    told: &mut Comparison<'a>,
    old: Standing<'a, '_>,
    new: Standing<'a, '_>,
    moved: Option<i32>,
    all: &Oneofs<'_>,
) {
    let path = joined(old.scope, old.field.name());
    let (was, is) = (old.field, new.field);
    if moved.is_none() {
        told.parts.moved(&path, &joined(new.scope, is.name()));
    }
    if was.name() != is.name() {
        let (rule, message) = match moved {
            Some(now) => {
                let (name, other) = (shown(was.name()), shown(is.name()));
                let number = was.number();
                let message = format!("field {name} had number {number} and has {now}; {other} stands at {number}");
                (&rules::FIELD_RENUMBERED, message)
            }
            None => {
                let (name, other) = (shown(was.name()), shown(is.name()));
                (&rules::FIELD_RENAMED, format!("field {} was called {name} and is called {other}", was.number()))
            }
        };
        told.tell(old.scope, rule, &path, message);
    } else if was.json_name != is.json_name {
        let name = |field: &FieldDescriptorProto| field.json_name.as_deref().map_or("the usual one".to_owned(), shown);
        let message = format!("the name in JSON was {} and is {}", name(was), name(is));
        told.tell(old.scope, &rules::JSON_NAME, &path, message);
    }
    if was.default_value != is.default_value {
        let value = |field: &FieldDescriptorProto| field.default_value.as_deref().map_or("none".to_owned(), shown);
        let message = format!("the default was {} and is {}", value(was), value(is));
        told.tell(old.scope, &rules::DEFAULT_CHANGED, &path, message);
    }
    let options = |field: &'a FieldDescriptorProto| {
        field.options.as_ref().map(|options| options.uninterpreted_option.as_slice()).unwrap_or_default()
    };
    told.marks(&marks(options(was)), &marks(options(is)), &path);
    labels(told, old, new, &path);
    oneofs(told, old, new, all, &path);
    types(told, old, new, &path);
}

/// What marks a field or a message as personal data: options of one's own, by the last part of their names.
fn marks(options: &[UninterpretedOption]) -> Value {
    let fields = options.iter().filter_map(|option| {
        let name = option.name.last()?.name_part.rsplit('.').next()?.to_owned();
        let text = option.string_value.as_deref().map(|text| String::from_utf8_lossy(text).into_owned());
        let value = option.identifier_value.clone().or(text)?;
        Some((name, Value::from(value)))
    });
    privacy::marks_of(&fields.collect())
}

fn labels(told: &mut Comparison<'_>, old: Standing<'_, '_>, new: Standing<'_, '_>, path: &str) {
    let (rule, message) = match (old.field.label(), new.field.label()) {
        (before, after) if before == after => {
            let (before, after) = (old.field.proto3_optional(), new.field.proto3_optional());
            if before == after || old.field.label() == Label::Repeated {
                return;
            }
            let message = if after { "'optional' was added" } else { "'optional' was removed" };
            (&rules::PRESENCE, message)
        }
        (_, Label::Repeated) => (&rules::BECAME_REPEATED, "it is repeated now"),
        (Label::Repeated, _) => (&rules::BECAME_SINGLE, "it is no longer repeated"),
        (_, Label::Required) => (&rules::BECAME_REQUIRED, "it is required now"),
        (Label::Required, _) => (&rules::BECAME_OPTIONAL, "it is no longer required"),
        _ => return,
    };
    told.tell(old.scope, rule, path, message);
}

/// The `oneof` to which a field belongs, leaving aside those that stand for `optional`.
fn oneof<'a>(message: &'a DescriptorProto, field: &FieldDescriptorProto) -> Option<&'a str> {
    let index = field.oneof_index.filter(|_| !field.proto3_optional())?;
    message.oneof_decl.get(usize::try_from(index).ok()?).map(prost_types::OneofDescriptorProto::name)
}

/// The members of each `oneof` that stand on both sides, by the name of the `oneof`, which is not sent.
struct Oneofs<'a> {
    before: HashMap<&'a str, HashSet<i32>>,
    after: HashMap<&'a str, HashSet<i32>>,
    /// Of a recorded and a desired one that share a field: whether the desired one has other members, and whether
    /// the recorded one had. Each pair is looked at once, however many fields are in it.
    moves: HashMap<(&'a str, &'a str), (bool, bool)>,
}

impl<'a> Oneofs<'a> {
    fn of(was: &'a DescriptorProto, is: &'a DescriptorProto) -> Self {
        let numbers = |of: &DescriptorProto| of.field.iter().map(FieldDescriptorProto::number).collect::<HashSet<_>>();
        let members = |of: &'a DescriptorProto, elsewhere: &HashSet<i32>| {
            let mut members: HashMap<&'a str, HashSet<i32>> = HashMap::new();
            for field in of.field.iter().filter(|field| elsewhere.contains(&field.number())) {
                if let Some(name) = oneof(of, field) {
                    members.entry(name).or_default().insert(field.number());
                }
            }
            members
        };
        let (before, after) = (members(was, &numbers(is)), members(is, &numbers(was)));
        let place: HashMap<i32, &'a str> =
            after.iter().flat_map(|(name, members)| members.iter().map(|number| (*number, *name))).collect();
        let mut moves = HashMap::new();
        for (old, members) in &before {
            for new in members.iter().filter_map(|number| place.get(number).copied()) {
                moves.entry((*old, new)).or_insert_with(|| {
                    let now = after.get(new);
                    now.map_or((false, false), |now| (!now.is_subset(members), !members.is_subset(now)))
                });
            }
        }
        Self { before, after, moves }
    }

    /// Whether a field came to stand with others, and whether others left it or it left them. `was` and `is` are the
    /// names of its oneofs; outside of any, it stands by itself.
    fn moved(&self, was: Option<&str>, is: Option<&str>) -> (bool, bool) {
        let is_shared = |members: Option<&HashSet<i32>>| members.is_some_and(|members| members.len() > 1);
        match (was, is) {
            (Some(was), Some(is)) => self.moves.get(&(was, is)).copied().unwrap_or_default(),
            (Some(was), None) => (false, is_shared(self.before.get(was))),
            (None, Some(is)) => (is_shared(self.after.get(is)), false),
            (None, None) => (false, false),
        }
    }
}

fn oneofs(told: &mut Comparison<'_>, old: Standing<'_, '_>, new: Standing<'_, '_>, all: &Oneofs<'_>, path: &str) {
    let (was, is) = (oneof(old.message, old.field), oneof(new.message, new.field));
    let (joined, left) = all.moved(was, is);
    if was.is_some() == is.is_some() && !joined && !left {
        return;
    }
    if joined {
        let message = format!("it became a member of oneof {} with others", shown(is.unwrap_or_default()));
        told.tell(old.scope, &rules::INTO_ONEOF, path, message);
    }
    if left {
        let message = format!("it left oneof {}, or others left it", shown(was.unwrap_or_default()));
        told.tell(old.scope, &rules::OUT_OF_ONEOF, path, message);
    }
    if !joined && !left {
        let message = if is.is_some() { "it is the member of a oneof now" } else { "it left its oneof" };
        told.tell(old.scope, &rules::ONEOF_ALONE, path, message);
    }
}

fn types<'a>(told: &mut Comparison<'a>, old: Standing<'a, '_>, new: Standing<'a, '_>, path: &str) {
    let (was, is) = (old.field, new.field);
    match (&was.type_name, &is.type_name) {
        (Some(before), Some(after)) => {
            let one = told.before.resolve(told.old, old.scope, before);
            let other = told.after.resolve(told.new, new.scope, after);
            named(told, old, one, other, (before, after), path);
        }
        (None, None) => scalars(told, old.scope, scalar(was), scalar(is), path),
        (Some(before), None) => {
            let kind = kind(told.before.resolve(told.old, old.scope, before));
            one_named(told, old.scope, (kind, before), (scalar(is), ""), path);
        }
        (None, Some(after)) => {
            let kind = kind(told.after.resolve(told.new, new.scope, after));
            one_named(told, old.scope, (scalar(was), ""), (kind, after), path);
        }
    }
}

fn named<'a>(
    told: &mut Comparison<'a>,
    old: Standing<'a, '_>,
    one: Named<'a>,
    other: Named<'a>,
    written: (&str, &str),
    path: &str,
) {
    match (one, other) {
        (Named::Message(before, was), Named::Message(after, is)) => match (is_entry(was), is_entry(is)) {
            (true, true) => entries(told, (before, was), (after, is), path),
            (false, false) if before == after => {}
            (false, false) => {
                let message = format!("its type is called {} and no longer {}", shown(after), shown(before));
                told.tell(old.scope, &rules::TYPE_RENAMED, path, message);
                told.pair((before, was), (after, is));
            }
            // A map is sent as a list of entries.
            (true, false) | (false, true) => {
                let now = if is_entry(is) { "is a map now" } else { "is no longer a map" };
                told.tell(old.scope, &rules::TYPE_SAME_ENCODING, path, format!("it {now}"));
                if told.is_next(before, after) {
                    compare(told, before, was, after, is);
                }
            }
        },
        (Named::Enum(before, was), Named::Enum(after, is)) => {
            if before != after {
                let message = format!("its type is called {} and no longer {}", shown(after), shown(before));
                told.tell(old.scope, &rules::TYPE_RENAMED, path, message);
                told.parts.moved(before, after);
                told.enums(before, was, is);
            }
        }
        (Named::Elsewhere, _) | (_, Named::Elsewhere) => {
            if written.0.trim_start_matches('.') != written.1.trim_start_matches('.') {
                let message = format!("its type was {} and is {}", shown(written.0), shown(written.1));
                told.tell(old.scope, &rules::TYPE_ELSEWHERE, path, message);
            }
        }
        _ => {
            let message = format!("its type was {} and is {}", shown(written.0), shown(written.1));
            told.tell(old.scope, &rules::TYPE_CHANGED, path, message);
        }
    }
}

/// The keys and the values of two maps.
fn entries<'a>(
    told: &mut Comparison<'a>,
    was: (&str, &'a DescriptorProto),
    is: (&str, &'a DescriptorProto),
    path: &str,
) {
    for (before, after) in was.1.field.iter().zip(&is.1.field) {
        let old = Standing { scope: was.0, message: was.1, field: before };
        let new = Standing { scope: is.0, message: is.1, field: after };
        let path = joined(path, before.name());
        // No compiler takes a map whose values are entries of a map, which may be its own.
        let is_map = |type_name: &Option<String>, model: &super::model::Model<'_>, names, scope| {
            let named = type_name.as_deref().map(|written| model.resolve(names, scope, written));
            matches!(named, Some(Named::Message(_, message)) if is_entry(message))
        };
        if is_map(&before.type_name, told.before, told.old, was.0)
            || is_map(&after.type_name, told.after, told.new, is.0)
        {
            told.tell(
                was.0,
                &rules::TYPE_ELSEWHERE,
                &path,
                "its values are the entries of a map, which no compiler takes",
            );
            continue;
        }
        types(told, old, new, &path);
    }
}

/// What a field is made of, in the words of the language.
fn scalar(field: &FieldDescriptorProto) -> &'static str {
    match field.r#type() {
        Type::Double => "double",
        Type::Float => "float",
        Type::Int64 => "int64",
        Type::Uint64 => "uint64",
        Type::Int32 => "int32",
        Type::Fixed64 => "fixed64",
        Type::Fixed32 => "fixed32",
        Type::Bool => "bool",
        Type::String => "string",
        Type::Group => "group",
        Type::Message => "message",
        Type::Bytes => "bytes",
        Type::Uint32 => "uint32",
        Type::Enum => "enum",
        Type::Sfixed32 => "sfixed32",
        Type::Sfixed64 => "sfixed64",
        Type::Sint32 => "sint32",
        Type::Sint64 => "sint64",
    }
}

fn kind(named: Named<'_>) -> &'static str {
    match named {
        Named::Message(..) => "message",
        Named::Enum(..) => "enum",
        Named::Elsewhere => "",
    }
}

/// One of the two types has a name, the other is a scalar.
fn one_named(told: &mut Comparison<'_>, scope: &str, was: (&str, &str), is: (&str, &str), path: &str) {
    if was.0.is_empty() || is.0.is_empty() {
        let name = |of: (&str, &str)| shown(if of.1.is_empty() { of.0 } else { of.1 });
        let message = format!("its type was {} and is {}, of which one is defined elsewhere", name(was), name(is));
        return told.tell(scope, &rules::TYPE_ELSEWHERE, path, message);
    }
    scalars(told, scope, was.0, is.0, path);
}

fn scalars(told: &mut Comparison<'_>, scope: &str, was: &str, is: &str, path: &str) {
    if was == is {
        return;
    }
    let (rule, what) = if is_wider(was, is) {
        (&rules::TYPE_WIDENED, "which takes in more values")
    } else if is_wider(is, was) {
        (&rules::TYPE_NARROWED, "which takes in fewer values")
    } else if encoding(was).is_some() && encoding(was) == encoding(is) {
        (&rules::TYPE_SAME_ENCODING, "of the same encoding, where some values mean something else")
    } else {
        (&rules::TYPE_CHANGED, "which is encoded otherwise")
    };
    told.tell(scope, rule, path, format!("its type was '{was}' and is '{is}', {what}"));
}

/// Whether every value of one type is sent the same way as the other.
fn is_wider(from: &str, to: &str) -> bool {
    matches!(
        (from, to),
        ("int32", "int64")
            | ("uint32", "uint64" | "int64")
            | ("bool", "int32" | "int64" | "uint32" | "uint64")
            | ("enum", "int32" | "int64")
            | ("sint32", "sint64")
            | ("string", "bytes")
            | ("message", "bytes")
    )
}

/// Types of which each can be read as the other, as the guide to updating messages groups them.
fn encoding(of: &str) -> Option<u8> {
    Some(match of {
        "int32" | "int64" | "uint32" | "uint64" | "bool" | "enum" => 1,
        "sint32" | "sint64" => 2,
        "fixed32" | "sfixed32" => 3,
        "fixed64" | "sfixed64" => 4,
        "string" | "bytes" | "message" => 5,
        _ => return None,
    })
}
