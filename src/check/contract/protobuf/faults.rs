//! What no compiler takes in a `.proto` file that is well written as a text: numbers and names that are taken, types
//! that are nowhere.

use std::collections::{HashMap, HashSet};

use prost_types::{DescriptorProto, EnumDescriptorProto, EnumValueDescriptorProto, FieldDescriptorProto};

use super::compare::is_entry;
use super::model::{Model, Named, Names};
use super::places::{Places, below, tag};
use super::reserved::Reserved;
use super::words;
use crate::check::contract::{Fault, MOST_FAULTS, near_type};
use crate::check::yaml::shown;

/// Numbers that nobody may use.
const KEPT: std::ops::RangeInclusive<i32> = 19_000..=19_999;

/// What is wrong with a file: at most [`MOST_FAULTS`], in the order of the text.
pub(super) fn faults_of(model: &Model<'_>) -> Vec<Fault> {
    let names = model.names();
    let imports = model.file.dependency.iter().map(String::as_str).collect();
    let mut told = Told { model, names: &names, found: Vec::new(), knows_all: model.imports_are_known(), imports };
    told.file();
    if told.found.is_empty() {
        return Vec::new();
    }
    let places = Places::of(&model.file, model.text);
    let placed = told.found.into_iter().map(|Found { path, why, hint }| {
        let within = places.find(&path);
        Fault { why, within, hint, ..Fault::default() }
    });
    let mut faults: Vec<Fault> = placed.collect();
    faults.sort_by_key(|fault| fault.within.map(|within| (within.line, within.column)));
    faults
}

/// A fault, and the path in the file's descriptor of what it is about.
struct Found {
    path: Vec<i32>,
    why: String,
    hint: String,
}

struct Told<'a> {
    model: &'a Model<'a>,
    names: &'a Names<'a>,
    found: Vec<Found>,
    /// Whether no type can come from a file that is not there.
    knows_all: bool,
    imports: HashSet<&'a str>,
}

/// The names of one scope: what stands there, by its name.
type Scope<'a> = HashMap<&'a str, &'static str>;

impl<'a> Told<'a> {
    fn tell(&mut self, path: Vec<i32>, why: String, hint: impl Into<String>) {
        if !self.is_full() {
            self.found.push(Found { path, why, hint: hint.into() });
        }
    }

    /// Whether enough is told, so that looking for more is not worth it.
    fn is_full(&self) -> bool {
        self.found.len() >= MOST_FAULTS
    }

    fn file(&mut self) {
        let file = &self.model.file;
        let mut scope = Scope::new();
        for (message, index) in file.message_type.iter().zip(0..) {
            self.taken(&mut scope, message.name(), "message", &[tag::MESSAGES, index]);
            self.message(message.name(), message, &[tag::MESSAGES, index]);
        }
        for (one, index) in file.enum_type.iter().zip(0..) {
            self.taken(&mut scope, one.name(), "enum", &[tag::ENUMS, index]);
            self.enumeration(&mut scope, one.name(), one, &[tag::ENUMS, index]);
        }
        for (service, index) in file.service.iter().zip(0..) {
            let path = [tag::SERVICES, index];
            self.taken(&mut scope, service.name(), "service", &path);
            let mut methods = Scope::new();
            for (method, inner) in service.method.iter().zip(0..) {
                let path = below(&path, &[tag::METHODS, inner]);
                self.taken(&mut methods, method.name(), "method", &path);
                let name = shown(method.name());
                let types = [(tag::INPUT, method.input_type(), "takes"), (tag::OUTPUT, method.output_type(), "gives")];
                for (part, written, does) in types {
                    self.known("", written, below(&path, &[part]), || format!("the method {name} {does}"));
                }
            }
        }
        for (field, index) in file.extension.iter().zip(0..) {
            self.typed("", field, &[tag::EXTENSIONS, index]);
        }
    }

    /// A name in its scope, which may be there already.
    fn taken(&mut self, scope: &mut Scope<'a>, name: &'a str, kind: &'static str, path: &[i32]) {
        let Some(other) = scope.insert(name, kind) else { return };
        let name = shown(name);
        let (why, hint) = match (other, kind) {
            ("value", "value") => (
                format!("two enums that stand beside each other have the value {name}"),
                "values are named in the scope around their enum: begin them with its name",
            ),
            _ if other == kind => {
                (format!("there are two {kind}s {name}"), "give one of them another name, or leave it out")
            }
            _ => (format!("{name} is a {other} and a {kind}"), "give one of them another name"),
        };
        self.tell(below(path, &[tag::NAME]), why, hint);
    }

    /// The parser goes no deeper than it lets messages stand inside of each other.
    fn message(&mut self, name: &str, message: &'a DescriptorProto, path: &[i32]) {
        if self.is_full() {
            return;
        }
        self.fields(name, message, path);
        let mut scope: Scope<'a> = message.field.iter().map(|field| (field.name(), "field")).collect();
        let has_maps = message.nested_type.iter().any(is_entry);
        let maps: HashMap<&str, (&FieldDescriptorProto, i32)> = match has_maps {
            true => {
                message.field.iter().zip(0..).filter_map(|it| Some((last(it.0.type_name.as_deref()?), it))).collect()
            }
            false => HashMap::new(),
        };
        for (inner, index) in message.nested_type.iter().zip(0..) {
            let inner_name = format!("{name}.{}", inner.name());
            if is_entry(inner) {
                if let Some((field, index)) = maps.get(inner.name()) {
                    self.values_of(field, &inner_name, inner, &below(path, &[tag::FIELDS, *index]));
                }
                continue;
            }
            let path = below(path, &[tag::INNER_MESSAGES, index]);
            self.taken(&mut scope, inner.name(), "message", &path);
            self.message(&inner_name, inner, &path);
        }
        for (one, index) in message.enum_type.iter().zip(0..) {
            let path = below(path, &[tag::INNER_ENUMS, index]);
            self.taken(&mut scope, one.name(), "enum", &path);
            self.enumeration(&mut scope, &format!("{name}.{}", one.name()), one, &path);
        }
        for (field, index) in message.extension.iter().zip(0..) {
            self.typed(name, field, &below(path, &[tag::INNER_EXTENSIONS, index]));
        }
    }

    /// What the values of a map are.
    fn values_of(&mut self, field: &FieldDescriptorProto, name: &str, entry: &'a DescriptorProto, path: &[i32]) {
        if let Some(written) = entry.field.iter().find_map(|field| field.type_name.as_deref()) {
            let own = shown(field.name());
            self.known(name, written, path.to_vec(), || format!("the values of {own} have"));
        }
    }

    fn fields(&mut self, name: &str, message: &'a DescriptorProto, path: &[i32]) {
        let (mut numbers, mut names) = (HashMap::new(), HashSet::new());
        let reserved = Reserved::of_message(message);
        let of = shown(name);
        let free = || free(message.field.iter().map(FieldDescriptorProto::number), &reserved);
        for (field, index) in message.field.iter().zip(0..) {
            if self.is_full() {
                return;
            }
            let path = below(path, &[tag::FIELDS, index]);
            let (own, number) = (shown(field.name()), field.number());
            let at = |part: i32| below(&path, &[part]);
            if let Some(other) = numbers.insert(number, field.name()) {
                let why = format!("{} and {own} of {of} have the number {number}", shown(other));
                self.tell(at(tag::NUMBER), why, format!("give {own} a free number{}", free()));
            } else if reserved.has_number(number) {
                let why = format!("{own} of {of} has the number {number}, which is reserved there");
                self.tell(at(tag::NUMBER), why, format!("give {own} a free number{}", free()));
            } else if KEPT.contains(&number) {
                let why = format!("{own} of {of} has the number {number}, and no field may have 19000 to 19999");
                self.tell(at(tag::NUMBER), why, format!("give {own} another number{}", free()));
            }
            if !names.insert(field.name()) {
                let hint = "give one of them another name, or leave it out";
                self.tell(at(tag::NAME), format!("{of} has two fields {own}"), hint);
            } else if reserved.has_name(field.name()) {
                let hint = "give it another name, or take this one out of 'reserved'";
                self.tell(at(tag::NAME), format!("{of} has a field {own}, and reserves this name"), hint);
            }
            self.typed(name, field, &path);
        }
    }

    fn typed(&mut self, scope: &str, field: &'a FieldDescriptorProto, path: &[i32]) {
        if let Some(written) = field.type_name.as_deref() {
            let own = shown(field.name());
            self.known(scope, written, below(path, &[tag::TYPE_NAME]), || format!("{own} has"));
        }
    }

    /// Whether a type is there, as far as that can be told; `has` is the beginning of the sentence that it is not.
    fn known(&mut self, scope: &str, written: &str, path: Vec<i32>, has: impl Fn() -> String) {
        let name = written.trim_start_matches('.');
        let file = words::file_of(name);
        // The files that are imported have more types than are known here.
        let may_be_imported = match file {
            Some(file) => self.imports.contains(file),
            None => name.contains("protobuf."),
        };
        if !self.knows_all || may_be_imported || self.is_full() {
            return;
        }
        if !matches!(self.model.resolve(self.names, scope, written), Named::Elsewhere) {
            return;
        }
        let why = format!("{} the type {}", has(), shown(name));
        match file {
            Some(file) => {
                self.tell(
                    path,
                    format!("{why}, and its file is not imported"),
                    format!("write import \"{file}\"; at the top"),
                );
            }
            None => {
                let hint = words::instead(name).unwrap_or_else(|| self.near(name));
                self.tell(path, format!("{why}, which is defined nowhere"), hint);
            }
        }
    }

    fn near(&self, name: &str) -> String {
        let all = self.names.messages.iter().filter(|(_, message)| !is_entry(message)).map(|(name, _)| name);
        let own = all.chain(self.names.enums.keys()).map(|name| last(name));
        match near_type(name, own.take(100).chain(words::TYPES)) {
            Some(near) => format!("did you mean '{near}'?"),
            None => "define it in this file, or import the file that defines it".to_owned(),
        }
    }

    fn enumeration(&mut self, scope: &mut Scope<'a>, name: &str, one: &'a EnumDescriptorProto, path: &[i32]) {
        let of = shown(name);
        let reserved = Reserved::of_enum(one);
        let free = || free(one.value.iter().map(EnumValueDescriptorProto::number), &reserved);
        let (mut numbers, mut names) = (HashMap::new(), HashSet::new());
        let may_share = may_share(one);
        for (value, index) in one.value.iter().zip(0..) {
            if self.is_full() {
                return;
            }
            let path = below(path, &[tag::VALUES, index]);
            let (own, number) = (shown(value.name()), value.number());
            let at = |part: i32| below(&path, &[part]);
            if index == 0 && number != 0 && self.model.is_proto3 {
                let why = format!("the first value of {of} is {number}, and has to be 0 in proto3");
                self.tell(
                    at(tag::VALUE_NUMBER),
                    why,
                    "put a value that is 0 first, such as one that says 'unspecified'",
                );
            }
            if let Some(other) = numbers.insert(number, value.name()).filter(|_| !may_share) {
                let why = format!("{} and {own} of {of} have the number {number}", shown(other));
                let hint = format!("give {own} a free number{}, or write option allow_alias = true;", free());
                self.tell(at(tag::VALUE_NUMBER), why, hint);
            } else if reserved.has_number(number) {
                let why = format!("{own} of {of} has the number {number}, which is reserved there");
                self.tell(at(tag::VALUE_NUMBER), why, format!("give {own} a free number{}", free()));
            }
            if !names.insert(value.name()) {
                let hint = "give one of them another name, or leave it out";
                self.tell(at(tag::NAME), format!("{of} has two values {own}"), hint);
            } else {
                self.taken(scope, value.name(), "value", &path);
                if reserved.has_name(value.name()) {
                    let hint = "give it another name, or take this one out of 'reserved'";
                    self.tell(at(tag::NAME), format!("{of} has a value {own}, and reserves this name"), hint);
                }
            }
        }
    }
}

/// A name without what it is in.
fn last(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

/// A number that may be used, for the end of a hint.
fn free(numbers: impl Iterator<Item = i32>, reserved: &Reserved<'_>) -> String {
    const LARGEST: i32 = 536_870_911;
    let after = |number: i32| if KEPT.contains(&number) { KEPT.end() + 1 } else { number };
    let last = numbers.filter(|number| !KEPT.contains(number)).max().unwrap_or(0).saturating_add(1);
    let next = after(reserved.free_from(after(last)));
    if next <= LARGEST && !reserved.has_number(next) { format!(", such as {next}") } else { String::new() }
}

/// Whether values of an enum may have the same number.
fn may_share(one: &EnumDescriptorProto) -> bool {
    let options = one.options.as_ref().map(|options| options.uninterpreted_option.as_slice()).unwrap_or_default();
    options.iter().any(|option| {
        option.name.iter().map(|part| part.name_part.as_str()).eq(["allow_alias"])
            && option.identifier_value.as_deref() == Some("true")
    })
}
