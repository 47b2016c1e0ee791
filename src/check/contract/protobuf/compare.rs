//! Two editions of a `.proto` file side by side: messages and enums by name, what is in them by number.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use prost_types::{DescriptorProto, EnumDescriptorProto, MethodDescriptorProto, ServiceDescriptorProto};
use serde_json::Value;

use super::model::{Model, Named, Names};
use super::reserved::Reserved;
use super::{fields, rules};
use crate::check::contract::fields::Spot;
use crate::check::contract::notes::Notes;
use crate::check::contract::parts::Parts;
use crate::check::contract::{joined, privacy};
use crate::check::yaml::shown;
use crate::domain::compat::{ContractRule, Reason, Side};

/// Messages of different names that are compared with each other. It bounds how deep that goes, too.
const MOST_OTHER_PAIRS: usize = 100;

pub(super) fn compare(before: &Model<'_>, after: &Model<'_>, side: Side, pointer: &str) -> Vec<Reason> {
    let (old_names, new_names) = (before.names(), after.names());
    let (mut taken, mut given) = before.of_services(&old_names);
    let (also_taken, also_given) = after.of_services(&new_names);
    taken.extend(also_taken);
    given.extend(also_given);
    let mut comparison = Comparison {
        before,
        after,
        old: &old_names,
        new: &new_names,
        taken,
        given,
        pointer,
        notes: Notes::new(side),
        other_pairs: BTreeSet::new(),
        parts: after.parts(),
    };
    comparison.files();
    let mut reasons = comparison.notes.into_reasons();
    comparison.parts.place(&mut reasons);
    reasons
}

pub(super) struct Comparison<'a> {
    pub before: &'a Model<'a>,
    pub after: &'a Model<'a>,
    pub old: &'a Names<'a>,
    pub new: &'a Names<'a>,
    /// What methods take: it is sent by others, whoever owns the port.
    taken: BTreeSet<String>,
    /// What methods give: it is read by others.
    given: BTreeSet<String>,
    pointer: &'a str,
    notes: Notes,
    /// Messages of different names that stand for each other.
    other_pairs: BTreeSet<(String, String)>,
    /// Where the parts of the desired edition stand.
    pub parts: Parts,
}

impl<'a> Comparison<'a> {
    /// Adds a reason within a message or an enum, for those who use it.
    pub(super) fn tell(&mut self, owner: &str, rule: &ContractRule, path: &str, message: impl Into<String>) {
        let sides = [(Side::Written, self.taken.contains(owner)), (Side::Read, self.given.contains(owner))];
        let heaviest = sides.iter().filter(|(_, used)| *used).map(|(side, _)| *side);
        let side = heaviest.max_by_key(|side| rule.impact(*side)).unwrap_or(self.notes.side);
        self.notes.tell_to(side, rule, self.pointer, path, message);
    }

    /// How something was marked as personal data, and how it is.
    pub(super) fn marks(&mut self, was: &Value, is: &Value, path: &str) {
        if was == is {
            return;
        }
        let spot = Spot { before: Some(was), after: Some(is), pointer: String::new(), path: path.to_owned() };
        for reason in privacy::compare(&spot, self.notes.side) {
            self.notes.extend([Reason { pointer: self.pointer.to_owned(), path: path.to_owned(), ..reason }]);
        }
    }

    fn files(&mut self) {
        let (before, after) = (self.before, self.after);
        if before.is_proto3 != after.is_proto3 {
            let now = if after.is_proto3 { "proto3" } else { "proto2" };
            self.tell("", &rules::SYNTAX, "", format!("the file is written in {now} now"));
        }
        let (was, is) = (before.file.package(), after.file.package());
        if was != is {
            let services = !before.file.service.is_empty();
            let rule = if services { &rules::PACKAGE_OF_SERVICE } else { &rules::PACKAGE };
            self.tell("", rule, "package", format!("the package was {} and is {}", shown(was), shown(is)));
        }
        if before.file.extension != after.file.extension {
            self.tell("", &rules::EXTENSIONS, "", "extensions of the file differ");
        }
        let (old, new) = (self.old, self.new);
        let mut removed = Vec::new();
        for (name, message) in &old.messages {
            match new.messages.get(name) {
                Some(now) => self.messages(name, message, name, now),
                None if is_entry(message) || self.is_inside_removed(name) => {}
                None => removed.push(name),
            }
        }
        for (name, one) in &old.enums {
            match new.enums.get(name) {
                Some(now) => self.enums(name, one, now),
                None if self.is_inside_removed(name) => {}
                None => self.tell(name, &rules::ENUM_REMOVED, name, format!("enum {} is gone", shown(name))),
            }
        }
        let is_new =
            |known: bool, message: Option<&&DescriptorProto>| !known && !message.is_some_and(|one| is_entry(one));
        for (name, message) in &new.messages {
            if is_new(old.messages.contains_key(name), Some(message)) {
                self.tell(name, &rules::MESSAGE_ADDED, name, format!("message {} is new", shown(name)));
            }
        }
        for name in new.enums.keys().filter(|name| !old.enums.contains_key(*name)) {
            self.tell(name, &rules::ENUM_ADDED, name, format!("enum {} is new", shown(name)));
        }
        self.services();
        // Those that go on under another name were told as such.
        removed.retain(|name| !self.other_pairs.iter().any(|(old, _)| old == *name));
        for name in removed {
            self.tell(name, &rules::MESSAGE_REMOVED, name, format!("message {} is gone", shown(name)));
        }
    }

    /// Whether a name stands inside a message that is gone, which has been told.
    fn is_inside_removed(&self, name: &str) -> bool {
        name.rsplit_once('.').is_some_and(|(outer, _)| !self.new.messages.contains_key(outer))
    }

    /// Compares two messages; `scope` and `new_scope` are their names.
    fn messages(&mut self, scope: &str, was: &'a DescriptorProto, new_scope: &str, is: &'a DescriptorProto) {
        self.parts.moved(scope, new_scope);
        if was.extension_range != is.extension_range || was.extension != is.extension {
            self.tell(scope, &rules::EXTENSIONS, scope, "extensions of the message differ");
        }
        if is_entry(was) {
            // A map's entry is told as its field.
            return;
        }
        fields::compare(self, scope, was, new_scope, is);
    }

    /// Whether two messages of different names are still to be compared.
    pub(super) fn is_next(&mut self, was: &str, is: &str) -> bool {
        if !self.other_pairs.insert((was.to_owned(), is.to_owned())) {
            return false;
        }
        let is_within = self.other_pairs.len() <= MOST_OTHER_PAIRS;
        if !is_within {
            self.tell(was, &rules::TOO_LARGE, was, "too many messages have other names");
        }
        is_within
    }

    /// Two messages of different names that stand for each other.
    pub(super) fn pair(&mut self, was: (&str, &'a DescriptorProto), is: (&str, &'a DescriptorProto)) {
        // Those of the same name are compared anyway.
        let is_compared = self.new.messages.contains_key(was.0) && self.old.messages.contains_key(is.0);
        if !is_compared {
            if self.is_next(was.0, is.0) {
                self.messages(was.0, was.1, is.0, is.1);
            }
        } else if was.1.field != is.1.field {
            let message = format!("it is {} now, which has other fields than {}", shown(is.0), shown(was.0));
            self.tell(was.0, &rules::TYPE_CHANGED, was.0, message);
        }
    }

    pub(super) fn enums(&mut self, name: &str, was: &EnumDescriptorProto, is: &EnumDescriptorProto) {
        let olds: BTreeMap<i32, Vec<&str>> = by_number(was);
        let news: BTreeMap<i32, Vec<&str>> = by_number(is);
        let (old_names, new_names) = (by_name(was), by_name(is));
        let still: HashSet<(&str, i32)> = is.value.iter().map(|value| (value.name(), value.number())).collect();
        let reserved = Reserved::of_enum(was);
        if let Some(message) = reserved.let_go(&Reserved::of_enum(is)) {
            self.tell(name, &rules::RESERVATION_REMOVED, name, message);
        }
        for value in &was.value {
            let path = joined(name, value.name());
            let (old_name, number) = (shown(value.name()), value.number());
            let alive = news.get(&number);
            if still.contains(&(value.name(), number)) {
                continue;
            }
            match (new_names.get(value.name()), alive) {
                (Some(now), _) => {
                    let message = format!("value {old_name} was {number} and is {now}");
                    self.tell(name, &rules::VALUE_RENUMBERED, &path, message);
                }
                (None, Some(names)) => {
                    let now = names.first().copied().unwrap_or_default();
                    let message = format!("value {number} was called {old_name} and is called {}", shown(now));
                    self.parts.moved(&path, &joined(name, now));
                    self.tell(name, &rules::VALUE_RENAMED, &path, message);
                }
                (None, None) => {
                    let message = format!("value {old_name} = {number} is gone");
                    self.tell(name, &rules::VALUE_REMOVED, &path, message);
                }
            }
        }
        for value in &is.value {
            let (number, path) = (value.number(), joined(name, value.name()));
            let shown_name = shown(value.name());
            if reserved.has_name(value.name()) || reserved.has_number(number) {
                let message = format!("value {shown_name} = {number} uses what was reserved");
                self.tell(name, &rules::RESERVED_USED, &path, message);
            } else if !olds.contains_key(&number) && !old_names.contains_key(value.name()) {
                let rule = if self.after.is_proto3 { &rules::VALUE_ADDED } else { &rules::VALUE_ADDED_TO_CLOSED };
                self.tell(name, rule, &path, format!("value {shown_name} = {number} is new"));
            }
        }
    }

    fn services(&mut self) {
        let (old, new) = (self.old, self.new);
        for (name, was) in &old.services {
            let Some(is) = new.services.get(name) else {
                self.tell("", &rules::SERVICE_REMOVED, name, format!("service {} is gone", shown(name)));
                continue;
            };
            let methods = |of: &'a ServiceDescriptorProto| {
                of.method.iter().map(|method| (method.name(), method)).collect::<HashMap<&'a str, _>>()
            };
            let (olds, news) = (methods(was), methods(is));
            for method in &was.method {
                let path = joined(name, method.name());
                match news.get(method.name()) {
                    Some(now) => self.methods(&path, method, now),
                    None => {
                        let message = format!("method {} is gone", shown(method.name()));
                        self.tell("", &rules::METHOD_REMOVED, &path, message);
                    }
                }
            }
            for method in is.method.iter().filter(|one| !olds.contains_key(one.name())) {
                let path = joined(name, method.name());
                self.tell("", &rules::SERVICE_ADDED, &path, format!("method {} is new", shown(method.name())));
            }
        }
        for name in new.services.keys().filter(|name| !old.services.contains_key(*name)) {
            self.tell("", &rules::SERVICE_ADDED, name, format!("service {} is new", shown(name)));
        }
    }

    fn methods(&mut self, path: &str, was: &MethodDescriptorProto, is: &MethodDescriptorProto) {
        let streams = [
            ("the request", was.client_streaming(), is.client_streaming()),
            ("the response", was.server_streaming(), is.server_streaming()),
        ];
        for (what, _, after) in streams.into_iter().filter(|(_, before, after)| before != after) {
            let now = if after { "is a stream now" } else { "is no longer a stream" };
            self.tell("", &rules::METHOD_STREAMING, path, format!("{what} {now}"));
        }
        let types = [("takes", was.input_type(), is.input_type()), ("gives", was.output_type(), is.output_type())];
        for (what, before, after) in types {
            let (old, new) = (self.before.resolve(self.old, "", before), self.after.resolve(self.new, "", after));
            match (old, new) {
                (Named::Message(one, was), Named::Message(other, is)) if one != other => {
                    let message = format!("it {what} {} instead of {}", shown(other), shown(one));
                    self.tell("", &rules::METHOD_TYPE, path, message);
                    self.pair((one, was), (other, is));
                }
                (Named::Message(..), Named::Message(..)) => {}
                _ if before.trim_start_matches('.') == after.trim_start_matches('.') => {}
                _ => {
                    let message = format!("it {what} {} instead of {}", shown(after), shown(before));
                    self.tell("", &rules::METHOD_TYPE, path, message);
                }
            }
        }
    }
}

fn by_name(of: &EnumDescriptorProto) -> HashMap<&str, i32> {
    of.value.iter().map(|value| (value.name(), value.number())).collect()
}

fn by_number(of: &EnumDescriptorProto) -> BTreeMap<i32, Vec<&str>> {
    let mut numbers: BTreeMap<i32, Vec<&str>> = BTreeMap::new();
    for value in &of.value {
        numbers.entry(value.number()).or_default().push(value.name());
    }
    numbers
}

pub(super) fn is_entry(message: &DescriptorProto) -> bool {
    message.options.as_ref().is_some_and(|options| options.map_entry())
}
