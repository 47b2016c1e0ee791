//! Whether a value has the shape of the configuration: the JSON Schema that is made from the types
//! is walked beside the value. A general validator would do, but of a value that matches none of
//! several forms it can only say that; this one knows which form was meant, which keys there are,
//! and where secrets belong. All that is wrong is said at once.

use serde_json::{Map, Value};

use super::error::{Problems, below};
use crate::domain::suggest::did_you_mean;

/// Compares `value` with `schema`, which is the whole document.
pub(super) fn compare(value: &Value, schema: &Value, problems: &mut Problems) {
    let walk = Walk { root: schema };
    walk.value(value, schema, "", problems);
}

struct Walk<'a> {
    root: &'a Value,
}

/// What a schema wants, as one word.
fn wanted(schema: &Value) -> &'static str {
    match schema.get("type").and_then(Value::as_str) {
        Some("object") => "a mapping",
        Some("array") => "a list",
        Some("string") => "a text",
        Some("integer") => "a whole number",
        Some("boolean") => "true or false",
        _ => "another value",
    }
}

/// What a value is, as one word.
fn found(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a mapping",
    }
}

fn fits(value: &Value, kind: &str) -> bool {
    match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_u64() || value.is_i64(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        _ => true,
    }
}

impl<'a> Walk<'a> {
    fn resolve(&self, schema: &'a Value) -> &'a Value {
        let pointer = schema.get("$ref").and_then(Value::as_str).and_then(|name| name.strip_prefix('#'));
        match pointer.and_then(|pointer| self.root.pointer(pointer)) {
            Some(target) => self.resolve(target),
            None => schema,
        }
    }

    fn is_secret(schema: &Value) -> bool {
        schema.get("$ref").and_then(Value::as_str) == Some("#/$defs/SecretRef")
    }

    fn value(&self, value: &Value, schema: &'a Value, at: &str, problems: &mut Problems) {
        if Self::is_secret(schema) && !value.is_object() {
            problems
                .at(at, "a secret does not stand in the configuration")
                .secret()
                .hint("say where it is kept: { env: VARIABLE } or { file: PATH }");
            return;
        }
        let schema = self.resolve(schema);
        if let Some(branches) = schema.get("oneOf").or_else(|| schema.get("anyOf")).and_then(Value::as_array) {
            let branches: Vec<&Value> = branches.iter().collect();
            self.choice(value, &branches, at, problems);
            return;
        }
        let kinds: Vec<&str> = match schema.get("type") {
            Some(Value::String(kind)) => vec![kind],
            Some(Value::Array(kinds)) => kinds.iter().filter_map(Value::as_str).collect(),
            _ => return,
        };
        if !kinds.iter().any(|kind| fits(value, kind)) {
            let problem = problems.at(at, format!("{} is wanted here, not {}", wanted_of(&kinds), found(value)));
            if !value.is_number() && !value.is_boolean() {
                problem.secret();
            }
            if kinds.contains(&"string") && (value.is_number() || value.is_boolean()) {
                problem.hint("put it in quotes to make it a text, and give lengths of time a unit, as in '60s'");
            }
            return;
        }
        match value {
            Value::Object(fields) => self.object(fields, schema, at, problems),
            Value::Array(items) => {
                if let Some(schema) = schema.get("items") {
                    for (index, item) in items.iter().enumerate() {
                        self.value(item, schema, &below(at, index), problems);
                    }
                }
            }
            Value::Number(number) => {
                let limits = (schema.get("minimum").and_then(Value::as_i64), number.as_i64());
                if let (Some(least), Some(number)) = limits
                    && number < least
                {
                    problems.at(at, format!("the number must be at least {least}"));
                }
            }
            Value::Null | Value::Bool(_) | Value::String(_) => {}
        }
    }

    fn object(&self, fields: &Map<String, Value>, schema: &'a Value, at: &str, problems: &mut Problems) {
        let none = Map::new();
        let known = schema.get("properties").and_then(Value::as_object);
        let others = schema.get("additionalProperties");
        for (key, value) in fields {
            let here = below(at, key);
            match (known.and_then(|known| known.get(key)), others) {
                (Some(schema), _) => self.value(value, schema, &here, problems),
                (None, Some(schema @ Value::Object(_))) => self.value(value, schema, &here, problems),
                (None, _) => {
                    let names = known.unwrap_or(&none).keys().map(String::as_str);
                    problems
                        .at_key(&here, format!("the key '{key}' is not known here"))
                        .secret()
                        .hint(did_you_mean(key, names.collect::<Vec<_>>()));
                }
            }
        }
        for key in schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str) {
            if !fields.contains_key(key) {
                let problem = problems.at_key(at, format!("the key '{key}' is missing"));
                let about = known.and_then(|known| known.get(key)).and_then(|schema| schema.get("description"));
                if let Some(about) = about.and_then(Value::as_str) {
                    problem.hint(format!("{key}: {}", about.replace('\n', " ")));
                }
            }
        }
    }

    /// Several forms: finds the one that was meant.
    fn choice(&self, value: &Value, branches: &[&'a Value], at: &str, problems: &mut Problems) {
        let nullable = branches.iter().any(|branch| branch.get("type").and_then(Value::as_str) == Some("null"));
        if nullable && value.is_null() {
            return;
        }
        let branches: Vec<&'a Value> = branches
            .iter()
            .copied()
            .filter(|branch| branch.get("type").and_then(Value::as_str) != Some("null"))
            .collect();
        if let [only] = branches.as_slice()
            && only.pointer("/properties/kind/const").is_none()
        {
            return self.value(value, only, at, problems);
        }
        // A word of a list.
        let words: Vec<&str> =
            branches.iter().filter_map(|branch| branch.get("const").and_then(Value::as_str)).collect();
        if words.len() == branches.len() {
            match value.as_str() {
                Some(word) if words.contains(&word) => {}
                Some(word) => {
                    problems.at(at, format!("'{word}' is not known here")).hint(did_you_mean(word, words));
                }
                None => {
                    problems.at(at, format!("one of {} is wanted here, not {}", words.join(", "), found(value)));
                }
            }
            return;
        }
        // A mapping whose `kind` says which it is.
        let kinds: Vec<(&str, &'a Value)> = branches
            .iter()
            .filter_map(|branch| Some((branch.pointer("/properties/kind/const")?.as_str()?, *branch)))
            .collect();
        if kinds.len() == branches.len() {
            return self.by_kind(value, &kinds, at, problems);
        }
        // A mapping with one key that says which it is.
        let variants: Vec<(&str, &'a Value)> = branches
            .iter()
            .filter_map(|branch| {
                let fields = branch.get("properties")?.as_object()?;
                let (key, _) = fields.iter().next().filter(|_| fields.len() == 1)?;
                Some((key.as_str(), *branch))
            })
            .collect();
        if variants.len() == branches.len() {
            return self.by_key(value, &variants, at, problems);
        }
        // Forms of different types.
        let fitting = branches.iter().find(|branch| {
            let resolved = self.resolve(branch);
            match resolved.get("type").and_then(Value::as_str) {
                Some(kind) => fits(value, kind),
                None => value.is_object(),
            }
        });
        match fitting {
            Some(branch) => self.value(value, branch, at, problems),
            None => {
                problems.at(at, format!("a text or a mapping is wanted here, not {}", found(value))).secret();
            }
        }
    }

    fn by_kind(&self, value: &Value, kinds: &[(&str, &'a Value)], at: &str, problems: &mut Problems) {
        let names: Vec<&str> = kinds.iter().map(|(name, _)| *name).collect();
        let Some(fields) = value.as_object() else {
            problems.at(at, format!("a mapping is wanted here, not {}", found(value))).secret();
            return;
        };
        match fields.get("kind") {
            None => {
                problems.at_key(at, "the key 'kind' is missing").hint(format!("it is one of {}", names.join(", ")));
            }
            Some(kind) => {
                let chosen = kinds.iter().find(|(name, _)| kind.as_str() == Some(name));
                match (chosen, kind.as_str()) {
                    (Some((_, branch)), _) => self.value(value, branch, at, problems),
                    (None, Some(word)) => {
                        problems
                            .at(&below(at, "kind"), format!("the kind '{word}' is not known"))
                            .hint(did_you_mean(word, names));
                    }
                    (None, None) => {
                        problems.at(&below(at, "kind"), format!("one of {} is wanted here", names.join(", ")));
                    }
                }
            }
        }
    }

    fn by_key(&self, value: &Value, variants: &[(&str, &'a Value)], at: &str, problems: &mut Problems) {
        let names: Vec<&str> = variants.iter().map(|(name, _)| *name).collect();
        let Some(fields) = value.as_object() else {
            problems
                .at(
                    at,
                    format!("a mapping with one of the keys {} is wanted here, not {}", names.join(", "), found(value)),
                )
                .secret();
            return;
        };
        let mut chosen = Vec::new();
        for key in fields.keys() {
            match variants.iter().find(|(name, _)| name == key) {
                Some((_, branch)) => chosen.push(*branch),
                None => {
                    problems
                        .at_key(&below(at, key), format!("the key '{key}' is not known here"))
                        .secret()
                        .hint(did_you_mean(key, names.clone()));
                }
            }
        }
        match chosen.as_slice() {
            [branch] if fields.len() == 1 => self.value(value, branch, at, problems),
            [] if fields.is_empty() => {
                problems.at(at, format!("one of the keys {} is wanted here", names.join(", ")));
            }
            [_, _, ..] => {
                problems.at(at, format!("only one of the keys {} may stand here", names.join(", "))).secret();
            }
            _ => {}
        }
    }
}

fn wanted_of(kinds: &[&str]) -> &'static str {
    let first = kinds.iter().find(|kind| **kind != "null").copied().unwrap_or("null");
    wanted(&serde_json::json!({ "type": first }))
}
