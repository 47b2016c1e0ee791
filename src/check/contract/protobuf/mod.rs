//! Protocol Buffers: whether messages that are made with one edition of a `.proto` file can be read with
//! the other, in their binary form.

mod rules;
mod model;
mod places;
mod compare;
mod fields;
mod reserved;
mod faults;
mod words;
mod braces;
#[cfg(test)]
mod tests;

use serde_json::Value;

use self::model::Model;
use super::notes::{Notes, both};
use super::{Editions, Fault, Language};
use crate::domain::compat::Reason;

/// How this language is told, compared and explained.
pub(super) const LANGUAGE: Language = Language {
    name: "Protocol Buffers",
    about: "The text of one `.proto` file, proto2 or proto3. Fields are told by their numbers. Files that it imports \
            need not be there: a type from elsewhere is known by its name only. What methods of services take is \
            weighed as sent by others, what they give as read by others; other messages as the port says. Of \
            options, names in JSON and marks of personal data are compared; comments are not.",
    specifications: &["protobuf", "proto", "proto2", "proto3", "protocolbuffers", "grpc"],
    is_told_by_shape,
    faults: |definition| match Model::read(definition) {
        Ok(model) => faults::faults_of(&model),
        // Files of an edition are not read yet.
        Err(_) if definition.as_str().is_some_and(|text| text.lines().any(|line| line.starts_with("edition"))) => {
            Vec::new()
        }
        Err(why) => vec![Fault::of(why)],
    },
    odd: |_| Vec::new(),
    compare,
    rules: rules::RULES,
};

fn is_told_by_shape(definition: &Value) -> bool {
    let says = |line: &str| line.starts_with("syntax") && (line.contains("proto2") || line.contains("proto3"));
    definition.as_str().is_some_and(|text| text.lines().map(str::trim_start).take(200).any(says))
}

/// Compares the texts of two `.proto` files.
pub(crate) fn compare(editions: &Editions<'_>) -> Vec<Reason> {
    match both(editions, Model::read) {
        Ok((before, after)) => compare::compare(&before, &after, editions.side, editions.pointer),
        Err(message) => {
            let mut notes = Notes::new(editions.side);
            notes.tell(&rules::UNREADABLE, editions.pointer, "", message);
            notes.into_reasons()
        }
    }
}
