//! Where the parts of a `.proto` file stand, by their names.

use std::collections::HashMap;

use prost_types::{DescriptorProto, EnumDescriptorProto, FileDescriptorProto};

use crate::check::contract::joined;
use crate::check::contract::parts::Parts;
use crate::domain::finding::Stretch;

/// Numbers of fields in `descriptor.proto`, of which paths in a file's source code info are made.
pub(super) mod tag {
    pub(in super::super) const PACKAGE: i32 = 2;
    pub(in super::super) const MESSAGES: i32 = 4;
    pub(in super::super) const ENUMS: i32 = 5;
    pub(in super::super) const SERVICES: i32 = 6;
    /// Of a message, a field, an enum, a value, a service and a method alike.
    pub(in super::super) const NAME: i32 = 1;
    pub(in super::super) const FIELDS: i32 = 2;
    pub(in super::super) const INNER_MESSAGES: i32 = 3;
    pub(in super::super) const INNER_ENUMS: i32 = 4;
    pub(in super::super) const VALUES: i32 = 2;
    pub(in super::super) const METHODS: i32 = 2;
    /// Of a file, and of a message.
    pub(in super::super) const EXTENSIONS: i32 = 7;
    pub(in super::super) const INNER_EXTENSIONS: i32 = 6;
    /// Of a field.
    pub(in super::super) const NUMBER: i32 = 3;
    pub(in super::super) const TYPE_NAME: i32 = 6;
    /// Of a value.
    pub(in super::super) const VALUE_NUMBER: i32 = 2;
    /// Of a method.
    pub(in super::super) const INPUT: i32 = 2;
    pub(in super::super) const OUTPUT: i32 = 3;
}

pub(super) fn parts(file: &FileDescriptorProto, text: &str) -> Parts {
    let mut named = Named { places: Places::of(file, text), parts: Parts::default() };
    named.parts.add("package".to_owned(), named.places.at(&[tag::PACKAGE]));
    for (message, index) in file.message_type.iter().zip(0..) {
        named.message(message.name(), message, &[tag::MESSAGES, index]);
    }
    for (one, index) in file.enum_type.iter().zip(0..) {
        named.enumeration(one.name(), one, &[tag::ENUMS, index]);
    }
    for (service, index) in file.service.iter().zip(0..) {
        named.add(service.name().to_owned(), &[tag::SERVICES, index]);
        for (method, inner) in service.method.iter().zip(0..) {
            named.add(joined(service.name(), method.name()), &[tag::SERVICES, index, tag::METHODS, inner]);
        }
    }
    named.parts
}

/// Where things stand, by their paths.
pub(super) struct Places<'a>(HashMap<&'a [i32], Stretch>);

impl<'a> Places<'a> {
    pub(super) fn of(file: &'a FileDescriptorProto, text: &str) -> Self {
        let lines: Vec<&str> = text.split('\n').collect();
        let locations = file.source_code_info.iter().flat_map(|info| &info.location);
        Self(locations.filter_map(|at| Some((at.path.as_slice(), stretch(&lines, &at.span)?))).collect())
    }

    fn at(&self, path: &[i32]) -> Option<Stretch> {
        self.0.get(path).copied()
    }

    /// What stands at a path, or the nearest thing around it.
    pub(super) fn find(&self, path: &[i32]) -> Option<Stretch> {
        (1..=path.len()).rev().find_map(|length| self.at(path.get(..length)?))
    }
}

struct Named<'a> {
    places: Places<'a>,
    parts: Parts,
}

impl Named<'_> {
    /// The name of what stands at a path.
    fn add(&mut self, name: String, path: &[i32]) {
        let place = self.places.at(&below(path, &[tag::NAME]));
        self.parts.add(name, place.or_else(|| self.places.at(path)));
    }

    /// The parser goes no deeper than it lets messages stand inside of each other.
    fn message(&mut self, name: &str, message: &DescriptorProto, path: &[i32]) {
        self.add(name.to_owned(), path);
        for (field, index) in message.field.iter().zip(0..) {
            self.add(joined(name, field.name()), &below(path, &[tag::FIELDS, index]));
        }
        for (inner, index) in message.nested_type.iter().zip(0..) {
            let inner_name = format!("{name}.{}", inner.name());
            self.message(&inner_name, inner, &below(path, &[tag::INNER_MESSAGES, index]));
        }
        for (one, index) in message.enum_type.iter().zip(0..) {
            self.enumeration(&format!("{name}.{}", one.name()), one, &below(path, &[tag::INNER_ENUMS, index]));
        }
    }

    fn enumeration(&mut self, name: &str, one: &EnumDescriptorProto, path: &[i32]) {
        self.add(name.to_owned(), path);
        for (value, index) in one.value.iter().zip(0..) {
            self.add(joined(name, value.name()), &below(path, &[tag::VALUES, index]));
        }
    }
}

pub(super) fn below(path: &[i32], steps: &[i32]) -> Vec<i32> {
    path.iter().chain(steps).copied().collect()
}

/// Longer lines were not written by people, and their characters are not counted for each of their parts.
const LONGEST_LINE: usize = 2_000;

/// Lines and columns count from 0 there, and columns are bytes.
fn stretch(lines: &[&str], span: &[i32]) -> Option<Stretch> {
    let number = |index: usize| span.get(index).and_then(|number| usize::try_from(*number).ok());
    let (line, from) = (number(0)?, number(1)?);
    let text = lines.get(line)?;
    let is_counted = text.len() <= LONGEST_LINE;
    let characters = |part: &str| u32::try_from(if is_counted { part.chars().count() } else { part.len() }).ok();
    let column = characters(text.get(..from)?)?.checked_add(1)?;
    let to = number(2).filter(|_| span.len() == 3);
    let length = to.and_then(|to| characters(text.get(from..to)?)).unwrap_or(0);
    Some(Stretch { line: u32::try_from(line).ok()?.checked_add(1)?, column, length })
}
