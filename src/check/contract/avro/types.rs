//! The types of a schema that is not valid, one after the other: all that is wrong with them, each at its place.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

use super::defaults::Defaults;
use super::names::{self, COMPLEX, PRIMITIVE};
use crate::check::contract::{Fault, MOST_FAULTS, listed};
use crate::check::yaml::shown;

/// What is wrong with a schema: at most [`MOST_FAULTS`], in the order of the text.
pub(super) fn faults_of(schema: &Value) -> Vec<Fault> {
    let mut named = HashMap::new();
    defined(schema, "", &mut named);
    let defaults = Defaults::new(&named);
    let mut told = Told { named: &named, defaults, taken: HashSet::new(), faults: Vec::new() };
    told.schema(schema, "", "");
    told.faults
}

/// The types that a schema defines, by their full names. Schemas are no deeper than any document that is read.
fn defined<'a>(schema: &'a Value, namespace: &str, named: &mut HashMap<String, &'a Value>) {
    match schema {
        Value::Array(branches) => branches.iter().for_each(|branch| defined(branch, namespace, named)),
        Value::Object(fields) => {
            let own = match fields.get("type") {
                Some(Value::String(kind)) if names::is_named(kind) => {
                    let (full, own) = full_name(fields, namespace);
                    named.entry(full).or_insert(schema);
                    own
                }
                Some(inner) => {
                    defined(inner, namespace, named);
                    namespace.to_owned()
                }
                None => namespace.to_owned(),
            };
            for key in ["items", "values"] {
                fields.get(key).into_iter().for_each(|inner| defined(inner, &own, named));
            }
            let inner = fields.get("fields").and_then(Value::as_array).into_iter().flatten();
            inner.filter_map(|field| field.get("type")).for_each(|inner| defined(inner, &own, named));
        }
        _ => {}
    }
}

/// The full name of a record, an enum or a fixed, and the namespace of what is in it.
fn full_name(fields: &Map<String, Value>, around: &str) -> (String, String) {
    let name = fields.get("name").and_then(Value::as_str).unwrap_or_default();
    match name.rsplit_once('.') {
        Some((namespace, _)) => (name.to_owned(), namespace.to_owned()),
        None => {
            let namespace = fields.get("namespace").and_then(Value::as_str).unwrap_or(around);
            (names::within(namespace, name), namespace.to_owned())
        }
    }
}

struct Told<'a> {
    named: &'a HashMap<String, &'a Value>,
    defaults: Defaults<'a>,
    /// Full names that were met.
    taken: HashSet<String>,
    faults: Vec<Fault>,
}

impl<'a> Told<'a> {
    fn tell(&mut self, pointer: &str, why: String, hint: impl Into<String>) {
        if self.faults.len() < MOST_FAULTS {
            self.faults.push(Fault::at(pointer.to_owned(), why).with_hint(hint));
        }
    }

    fn schema(&mut self, schema: &'a Value, pointer: &str, namespace: &str) {
        if self.faults.len() >= MOST_FAULTS {
            return;
        }
        match schema {
            Value::String(name) => self.name(name, pointer, namespace),
            Value::Array(branches) => self.union(branches, pointer, namespace),
            Value::Object(fields) => self.object(fields, pointer, namespace),
            other => {
                let hint = "write the name of a type, as in \"string\", or a type in braces";
                self.tell(pointer, format!("{other} stands in the place of a type"), hint);
            }
        }
    }

    /// The name of a type. What is qualified, or begins with a capital, may be defined in another file.
    fn name(&mut self, name: &str, pointer: &str, namespace: &str) {
        let is_known = PRIMITIVE.contains(&name)
            || self.named.contains_key(name)
            || self.named.contains_key(&names::within(namespace, name));
        if is_known || name.contains('.') {
            return;
        }
        if COMPLEX.contains(&name) {
            let why = format!("{} is no type by itself", shown(name));
            return self.tell(pointer, why, format!("write {}", names::in_braces(name)));
        }
        if let Some(hint) = names::instead(name) {
            let why = format!("it has the type {}, which is none of Avro's", shown(name));
            self.tell(pointer, why, hint);
        } else if name.starts_with(|c: char| c.is_ascii_lowercase()) {
            let why = format!("it has the type {}, which is none of Avro's and is not defined in it", shown(name));
            self.tell(pointer, why, format!("write one of {}, or define it there", PRIMITIVE.join(", ")));
        } else if !names::is_name(name) {
            self.tell(pointer, format!("it has the type {}, which is no name", shown(name)), names::HOW);
        }
    }

    fn union(&mut self, branches: &'a [Value], pointer: &str, namespace: &str) {
        let mut seen = HashSet::new();
        for (index, branch) in branches.iter().enumerate() {
            let at = format!("{pointer}/{index}");
            let kind = branch.get("type").and_then(Value::as_str).filter(|kind| !names::is_named(kind));
            if branch.is_array() {
                let hint = "write the types of the inner list into the outer one";
                self.tell(&at, "a union stands in a union".to_owned(), hint);
            } else if let Some(twice) = branch.as_str().or(kind).filter(|kind| !seen.insert(*kind)) {
                let what = format!("a union has the type {} twice", shown(twice));
                self.tell(&at, what, "leave one of them out");
            }
            self.schema(branch, &at, namespace);
        }
    }

    fn object(&mut self, fields: &'a Map<String, Value>, pointer: &str, namespace: &str) {
        let at = format!("{pointer}/type");
        match fields.get("type") {
            Some(Value::String(kind)) => match kind.as_str() {
                "record" | "error" => self.record(fields, pointer, namespace),
                "enum" => self.enumeration(fields, pointer, namespace),
                "fixed" => {
                    self.own_name("a fixed", fields, pointer, namespace);
                    if fields.get("size").and_then(Value::as_u64).is_none() {
                        let why = format!("{} has no 'size'", titled("a fixed", fields));
                        self.tell(pointer, why, "write how many bytes it has, as in \"size\": 16");
                    }
                }
                "array" => self.inner("items", fields, pointer, namespace),
                "map" => self.inner("values", fields, pointer, namespace),
                other if fields.contains_key("fields") => {
                    let why = format!("it has fields, and its type is {}", shown(other));
                    self.tell(&at, why, "write \"type\": \"record\"");
                }
                other => self.name(other, &at, namespace),
            },
            Some(inner) => self.schema(inner, &at, namespace),
            None => self.tell(pointer, "a type in braces has no 'type'".to_owned(), missing("type", fields)),
        }
    }

    fn inner(&mut self, key: &str, fields: &'a Map<String, Value>, pointer: &str, namespace: &str) {
        let kind = if key == "items" { "an array" } else { "a map" };
        match fields.get(key) {
            Some(inner) => self.schema(inner, &format!("{pointer}/{key}"), namespace),
            None => self.tell(pointer, format!("{kind} has no '{key}'"), missing(key, fields)),
        }
    }

    /// The name of a record, an enum or a fixed; the namespace of what is in it.
    fn own_name(&mut self, kind: &str, fields: &'a Map<String, Value>, pointer: &str, namespace: &str) -> String {
        let (full, own) = full_name(fields, namespace);
        let at = format!("{pointer}/name");
        match fields.get("name") {
            Some(Value::String(name)) => {
                if let Some(part) = name.split('.').find(|part| !names::is_name(part)) {
                    let why = format!("{kind} is called {}, which is no name", shown(name));
                    self.tell(&at, why, names::mended(part));
                } else if !self.taken.insert(full) {
                    let hint = format!("write \"{name}\" alone where it is used again, or give it another name");
                    self.tell(&at, format!("the type {} is defined twice", shown(name)), hint);
                }
            }
            Some(other) => self.tell(&at, format!("{kind} is called {other}, which is no text"), "put it in quotes"),
            None => self.tell(pointer, format!("{kind} has no 'name'"), missing("name", fields)),
        }
        if let Some(Value::String(namespace)) = fields.get("namespace")
            && let Some(part) = namespace.split('.').find(|part| !namespace.is_empty() && !names::is_name(part))
        {
            let why = format!("{} is no namespace", shown(namespace));
            self.tell(&format!("{pointer}/namespace"), why, names::mended(part));
        }
        own
    }

    fn enumeration(&mut self, fields: &'a Map<String, Value>, pointer: &str, namespace: &str) {
        self.own_name("an enum", fields, pointer, namespace);
        let titled = titled("an enum", fields);
        let Some(symbols) = fields.get("symbols").and_then(Value::as_array) else {
            let hint = match fields.contains_key("symbols") {
                true => "write a list of texts, as in [\"OPEN\", \"CLOSED\"]".to_owned(),
                false => missing("symbols", fields),
            };
            return self.tell(pointer, format!("{titled} has no list 'symbols'"), hint);
        };
        let mut seen = HashSet::new();
        for (index, symbol) in symbols.iter().enumerate() {
            let at = format!("{pointer}/symbols/{index}");
            match symbol.as_str() {
                None => {
                    let hint = "put it in quotes; it is a name, with letters, digits and _";
                    self.tell(&at, format!("{titled} has the symbol {symbol}, which is no text"), hint);
                }
                Some(name) if !names::is_name(name) => {
                    let why = format!("{titled} has the symbol {}, which is no name", shown(name));
                    self.tell(&at, why, names::mended(name));
                }
                Some(name) if !seen.insert(name) => {
                    let why = format!("{titled} has the symbol {} twice", shown(name));
                    self.tell(&at, why, "leave one of them out");
                }
                Some(_) => {}
            }
        }
        if let Some(default) = fields.get("default")
            && !symbols.contains(default)
        {
            let why = format!("the default of {titled} is {}, which is none of its symbols", cut(default));
            let symbols = symbols.iter().filter_map(Value::as_str);
            self.tell(&format!("{pointer}/default"), why, format!("its symbols are {}", listed(symbols)));
        }
    }

    fn record(&mut self, fields: &'a Map<String, Value>, pointer: &str, namespace: &str) {
        let own = self.own_name("a record", fields, pointer, namespace);
        let titled = titled("a record", fields);
        let Some(list) = fields.get("fields").and_then(Value::as_array) else {
            let hint = match fields.contains_key("fields") {
                true => "write a list, as in [{ \"name\": \"id\", \"type\": \"long\" }]".to_owned(),
                false => missing("fields", fields),
            };
            return self.tell(pointer, format!("{titled} has no list 'fields'"), hint);
        };
        let mut seen = HashSet::new();
        for (index, field) in list.iter().enumerate() {
            let at = format!("{pointer}/fields/{index}");
            let Some(field) = field.as_object() else {
                let hint = "write { \"name\": …, \"type\": … }";
                self.tell(&at, format!("a field of {titled} is {}, and no map", cut(field)), hint);
                continue;
            };
            let name = field.get("name").and_then(Value::as_str);
            match name {
                None => self.tell(&at, format!("a field of {titled} has no 'name'"), missing("name", field)),
                Some(name) if !names::is_name(name) => {
                    let why = format!("a field of {titled} is called {}, which is no name", shown(name));
                    self.tell(&format!("{at}/name"), why, names::mended(name));
                }
                Some(name) if !seen.insert(name) => {
                    let why = format!("{titled} has two fields {}", shown(name));
                    self.tell(&format!("{at}/name"), why, "give one of them another name, or leave it out");
                }
                Some(_) => {}
            }
            self.field(field, name.unwrap_or_default(), &at, &own);
        }
    }

    fn field(&mut self, field: &'a Map<String, Value>, name: &str, pointer: &str, namespace: &str) {
        let name = shown(name);
        let at = format!("{pointer}/type");
        let Some(kind) = field.get("type") else {
            let hint = missing("type", field);
            return self.tell(pointer, format!("the field {name} has no 'type'"), hint);
        };
        if let Some(kind) = kind.as_str().filter(|kind| COMPLEX.contains(kind)) {
            let why = format!("{name} has the type '{kind}' without braces around it");
            let hint = format!("{kind} is defined inside of 'type': \"type\": {}", names::in_braces(kind));
            return self.tell(&at, why, hint);
        }
        let before = self.faults.len();
        self.schema(kind, &at, namespace);
        if let Some(default) = field.get("default").filter(|_| self.faults.len() == before)
            && let Some(wanted) = self.defaults.refused(default, kind, namespace)
        {
            let why = format!("the default of {name} is {}, which is no value of {wanted}", cut(default));
            self.tell(&format!("{pointer}/default"), why, names::for_default(default, &wanted));
        }
    }
}

/// `a record`, or `the record 'Order'`.
fn titled(kind: &str, fields: &Map<String, Value>) -> String {
    match fields.get("name").and_then(Value::as_str) {
        Some(name) => format!("the {} {}", kind.split_once(' ').map_or(kind, |(_, kind)| kind), shown(name)),
        None => kind.to_owned(),
    }
}

/// What to do about a key that is missing: another one may stand there for it.
fn missing(key: &str, fields: &Map<String, Value>) -> String {
    const KNOWN: [&str; 11] =
        ["type", "name", "namespace", "doc", "aliases", "default", "order", "fields", "symbols", "items", "values"];
    let others = fields.keys().map(String::as_str).filter(|other| !KNOWN.contains(other));
    let near = others.take(50).find(|other| crate::domain::suggest::nearest(other, [key]).is_some());
    match near {
        Some(near) => format!("{} stands there; call it '{key}'", shown(near)),
        None => format!("add '{key}'"),
    }
}

/// A value for a sentence, and not all of a long one.
fn cut(value: &Value) -> String {
    const LONGEST: usize = 60;
    let text = value.to_string();
    if text.chars().count() <= LONGEST { text } else { text.chars().take(LONGEST).chain(['…']).collect() }
}
