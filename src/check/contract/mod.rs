//! Contracts: what a port's `api.definition` promises, in the language in which it is written, and what
//! a change of it means to those on the other side. One room for each language; all speak in
//! [`Reason`]s.
//!
//! What is not understood is [`Impact::Unknown`](crate::domain::change::Impact::Unknown) with the reason
//! for it, never compatible.

pub(crate) mod fields;
pub(crate) mod data_type;
mod privacy;
mod definition;
mod notes;
mod parts;
mod vocabulary;
mod document;
mod promises;
mod ports;
mod datastore;
pub mod asyncapi;
pub mod avro;
pub mod json_schema;
pub mod odcs;
pub mod openapi;
pub mod protobuf;
pub mod sql;

pub(in crate::check) use definition::{faults, may_be_list, meant, odd};
pub use ports::compare;
pub(in crate::check) use vocabulary::Odd;

use serde_json::Value;

use crate::domain::compat::{ContractRule, Reason, Side};
use crate::domain::finding::Stretch;
use crate::domain::suggest;

/// Two editions of one definition, in a language that the caller has told by `specification`.
#[derive(Debug, Clone, Copy)]
pub struct Editions<'a> {
    /// What is recorded.
    pub before: &'a Value,
    /// What is desired: an object, or the text of the definition.
    pub after: &'a Value,
    /// Who is on the other side.
    pub side: Side,
    /// The JSON pointer of the definition in the desired content; reasons' pointers begin with it.
    pub pointer: &'a str,
}

/// Tells what differs between two editions, and what it means.
pub type Compare = fn(&Editions<'_>) -> Vec<Reason>;

/// A language of definitions: how it is told, compared and explained.
#[derive(Debug, Clone, Copy)]
pub struct Language {
    /// Its name, for people.
    pub name: &'static str,
    /// What is compared and what is not, in a few sentences for `docs/compatibility.md`.
    pub about: &'static str,
    /// What `specification` says of it, in lower case and without spaces, `-` and `_`.
    pub specifications: &'static [&'static str],
    /// Whether a definition looks like it, for ports whose `specification` is `custom` or unknown.
    pub is_told_by_shape: fn(&Value) -> bool,
    /// Why a definition is certainly none of it: the first things that tell so. What is merely not understood is no
    /// fault.
    pub faults: fn(&Value) -> Vec<Fault>,
    /// What is odd about a definition that may well be in it: misspelt fields, values that it does not have.
    odd: fn(&Value) -> Vec<Odd>,
    /// The comparison.
    pub compare: Compare,
    /// The rules, in the order in which they are documented.
    pub rules: &'static [ContractRule],
}

/// What is wrong with a definition, whatever it is compared with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fault {
    /// The end of a sentence.
    pub why: String,
    /// Where: a JSON pointer into the definition.
    pub pointer: String,
    /// Where in the definition's text, where it is a text and that is known.
    pub within: Option<Stretch>,
    /// What to do, where more can be said than to correct it.
    pub hint: String,
}

/// So many faults are told of one definition.
const MOST_FAULTS: usize = 20;

impl Fault {
    /// A fault somewhere, or at the place with which the message begins.
    fn of(message: String) -> Self {
        let placed = message.strip_prefix("line ").and_then(|rest| rest.split_once(": ")).and_then(|(place, why)| {
            let (line, column) = place.split_once(", column ")?;
            let stretch = Stretch { line: line.parse().ok()?, column: column.parse().ok()?, length: 0 };
            Some((stretch, why.to_owned()))
        });
        match placed {
            Some((within, why)) => Self { why, within: Some(within), ..Self::default() },
            None => Self { why: message, ..Self::default() },
        }
    }

    /// A fault of a part.
    fn at(pointer: String, why: String) -> Self {
        Self { why, pointer, ..Self::default() }
    }

    /// The same, with what to do about it.
    fn with_hint(self, hint: impl Into<String>) -> Self {
        Self { hint: hint.into(), ..self }
    }
}

/// All languages, in the order in which they are documented. The first that a shape tells is taken, so
/// the more particular stand first.
pub const LANGUAGES: &[Language] = &[
    datastore::LANGUAGE,
    openapi::LANGUAGE,
    asyncapi::LANGUAGE,
    odcs::LANGUAGE,
    avro::LANGUAGE,
    protobuf::LANGUAGE,
    sql::LANGUAGE,
    json_schema::LANGUAGE,
];

/// A key as a step of a JSON pointer.
pub(crate) fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// A name below a path, in quotes where it would be misread.
pub(crate) fn joined(path: &str, name: &str) -> String {
    let misread = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '.' | '[' | ']' | '"');
    let name = if name.is_empty() || name.contains(misread) { Value::from(name).to_string() } else { name.to_owned() };
    if path.is_empty() { name } else { format!("{path}.{name}") }
}

/// A value for a sentence: a text without quotes, anything else as JSON.
pub(crate) fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Things in a row, for a sentence: at most five of them.
pub(crate) fn listed<T: std::fmt::Display>(things: impl IntoIterator<Item = T>) -> String {
    const MOST: usize = 5;
    const LONGEST: usize = 60;
    let all: Vec<String> = things.into_iter().map(|thing| thing.to_string().chars().take(LONGEST).collect()).collect();
    let shown = all.iter().take(MOST).map(|thing| format!("'{thing}'")).collect::<Vec<_>>().join(", ");
    if all.len() > MOST { format!("{shown} and {} more", all.len() - MOST) } else { shown }
}

/// The type that was probably meant. What is a good deal longer than another name (`longtext`, `OrderLine`) is not it.
pub(crate) fn near_type<'n>(written: &str, names: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    suggest::nearest(written, names.into_iter().filter(|name| written.len().abs_diff(name.len()) <= 2))
}

/// Whether two editions of a specification differ in their patch number at most.
fn is_same_edition(spot: &fields::Spot<'_>) -> bool {
    let edition = |value: Option<&Value>| {
        let text = value?.as_str()?;
        let mut numbers = text.split('.');
        Some((numbers.next()?.to_owned(), numbers.next()?.to_owned()))
    };
    let (before, after) = (edition(spot.before), edition(spot.after));
    before.is_some() && before == after
}

/// A chapter of `docs/compatibility.md`.
#[derive(Debug, Clone, Copy)]
pub struct Chapter {
    /// Its heading.
    pub name: &'static str,
    /// What stands above its table.
    pub about: &'static str,
    /// Its table.
    pub rules: &'static [ContractRule],
}

/// All chapters: what holds for every port, then the languages.
pub fn chapters() -> Vec<Chapter> {
    let ports = Chapter {
        name: "Ports",
        about: "A port is known by its kind and its name. Objectives, periods and prices stand in definitions whose \
                language nobody fixed, so a value is known by the words on the way to it (`availability`, `freshness`, \
                `noticePeriod`, `retention`, `price`); shares, numbers and lengths of time are compared however they \
                are written. A month is 28 to 31 days long. An input port that reads another product (`x-upstream`) \
                is nobody's to rely on, and nothing is told of it.",
        rules: promises::RULES,
    };
    let privacy = Chapter {
        name: "Personal data",
        about: "On ports, tables and columns, and on whatever has a schema: properties in JSON Schema, OpenAPI and \
                AsyncAPI, fields in Avro, options of fields in Protocol Buffers. A tag such as `pii`, \
                `personal-data` or `sensitive`, a field such as `pii: true` or `x-personal-data: true`, or a \
                `classification`.",
        rules: privacy::RULES,
    };
    let definitions = Chapter {
        name: "Definitions",
        about: "A definition is compared in the language that `specification` names, whatever its letters' case; a \
                `custom` one in the language that it looks like.",
        rules: definition::RULES,
    };
    let languages =
        LANGUAGES.iter().map(|language| Chapter { name: language.name, about: language.about, rules: language.rules });
    [ports, privacy, definitions].into_iter().chain(languages).collect()
}
