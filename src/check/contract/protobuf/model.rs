//! One edition of a `.proto` file: its messages, enums and services by name.

use std::collections::{BTreeMap, BTreeSet};

use prost_types::{DescriptorProto, EnumDescriptorProto, FileDescriptorProto, ServiceDescriptorProto};
use serde_json::Value;

use super::{braces, places};
use crate::check::contract::notes::{is_too_deep, text};
use crate::check::contract::parts::Parts;
use crate::check::yaml::shown;

/// A file. Names are those within its package: `Order`, `Order.Line`.
#[derive(Debug)]
pub(super) struct Model<'t> {
    pub text: &'t str,
    pub file: FileDescriptorProto,
    pub is_proto3: bool,
    package: String,
}

/// What a field's type name stands for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Named<'a> {
    Message(&'a str, &'a DescriptorProto),
    Enum(&'a str, &'a EnumDescriptorProto),
    /// Defined in a file that is not there.
    Elsewhere,
}

/// Everything of a file that has a name.
#[derive(Debug, Default)]
pub(super) struct Names<'a> {
    pub messages: BTreeMap<String, &'a DescriptorProto>,
    pub enums: BTreeMap<String, &'a EnumDescriptorProto>,
    pub services: BTreeMap<&'a str, &'a ServiceDescriptorProto>,
}

impl<'t> Model<'t> {
    pub(super) fn read(definition: &'t Value) -> Result<Self, String> {
        const NAME: &str = "definition";
        let text = text(definition)?;
        if is_too_deep(text) {
            return Err("it is nested too deeply".to_owned());
        }
        let file = protox_parse::parse(NAME, text).map_err(|error| located(&format!("{error:?}"), NAME, text))?;
        let package = file.package.clone().unwrap_or_default();
        let is_proto3 = file.syntax.as_deref() == Some("proto3");
        Ok(Self { text, file, is_proto3, package })
    }

    /// Where its parts stand.
    pub(super) fn parts(&self) -> Parts {
        places::parts(&self.file, self.text)
    }

    pub(super) fn names(&self) -> Names<'_> {
        let mut names = Names::default();
        let mut waiting: Vec<(String, &DescriptorProto)> =
            self.file.message_type.iter().map(|message| (message.name().to_owned(), message)).collect();
        for one in &self.file.enum_type {
            names.enums.insert(one.name().to_owned(), one);
        }
        while let Some((name, message)) = waiting.pop() {
            for one in &message.enum_type {
                names.enums.insert(format!("{name}.{}", one.name()), one);
            }
            waiting.extend(message.nested_type.iter().map(|inner| (format!("{name}.{}", inner.name()), inner)));
            names.messages.insert(name, message);
        }
        names.services = self.file.service.iter().map(|service| (service.name(), service)).collect();
        names
    }

    /// Whether all that it imports comes with every compiler, so that its types are known. In the package of those, their
    /// names are short.
    pub(super) fn imports_are_known(&self) -> bool {
        let is_theirs = self.package.starts_with("google");
        self.file.dependency.iter().all(|import| !is_theirs && import.starts_with("google/protobuf/"))
    }

    /// A name as it is written somewhere in the scope of a message, looked up from there outwards.
    pub(super) fn resolve<'a>(&self, names: &'a Names<'_>, scope: &str, written: &str) -> Named<'a> {
        let find = |name: &str| {
            if let Some((name, message)) = names.messages.get_key_value(name) {
                return Some(Named::Message(name, message));
            }
            names.enums.get_key_value(name).map(|(name, one)| Named::Enum(name, one))
        };
        let in_package = |name: &str| {
            if self.package.is_empty() {
                return find(name);
            }
            // A name may begin with any inner part of the package.
            const MOST_PARTS: usize = 100;
            let mut package = self.package.as_str();
            for _ in 0..MOST_PARTS {
                if let Some(rest) = name.strip_prefix(package).and_then(|rest| rest.strip_prefix('.')) {
                    return find(rest);
                }
                package = package.split_once('.')?.1;
            }
            None
        };
        if let Some(absolute) = written.strip_prefix('.') {
            let inner = if self.package.is_empty() {
                find(absolute)
            } else {
                absolute.strip_prefix(&self.package).and_then(|rest| rest.strip_prefix('.')).and_then(find)
            };
            return inner.unwrap_or(Named::Elsewhere);
        }
        let mut scope = Some(scope);
        while let Some(around) = scope.filter(|around| !around.is_empty()) {
            if let Some(found) = find(&format!("{around}.{written}")) {
                return found;
            }
            scope = around.rsplit_once('.').map(|(outer, _)| outer);
        }
        find(written).or_else(|| in_package(written)).unwrap_or(Named::Elsewhere)
    }

    /// The messages that methods take, and those that they give, with all that stand inside them.
    pub(super) fn of_services(&self, names: &Names<'_>) -> (BTreeSet<String>, BTreeSet<String>) {
        let methods = || names.services.values().flat_map(|service| &service.method);
        let taken = methods().map(|method| method.input_type());
        let given = methods().map(|method| method.output_type());
        (self.reached(names, taken), self.reached(names, given))
    }

    fn reached<'a>(&self, names: &Names<'_>, from: impl Iterator<Item = &'a str>) -> BTreeSet<String> {
        let mut reached = BTreeSet::new();
        let mut waiting: Vec<Named<'_>> = from.map(|name| self.resolve(names, "", name)).collect();
        while let Some(named) = waiting.pop() {
            match named {
                Named::Message(name, message) if reached.insert(name.to_owned()) => {
                    let types = message.field.iter().filter_map(|field| field.type_name.as_deref());
                    waiting.extend(types.map(|written| self.resolve(names, name, written)));
                }
                Named::Enum(name, _) => {
                    reached.insert(name.to_owned());
                }
                _ => {}
            }
        }
        reached
    }
}

/// The parser's message, with the place first.
fn located(message: &str, name: &str, text: &str) -> String {
    if message.ends_with("reached end of file")
        && let Some((line, column, words)) = braces::left_open(text)
    {
        return format!("line {line}, column {column}: {} is never closed: a }} is missing", shown(&words));
    }
    let placed =
        message.strip_prefix(name).and_then(|rest| rest.strip_prefix(':')).and_then(|rest| rest.split_once(':'));
    match placed.and_then(|(line, rest)| Some((line, rest.split_once(':')?))) {
        Some((line, (column, message))) => format!("line {line}, column {column}: {}", message.trim()),
        None => message.to_owned(),
    }
}
