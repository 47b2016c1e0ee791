//! Bodies and parameters against schemas. OpenAPI 3.0 has a dialect of JSON Schema of its own, which
//! is made into the common one.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::sync::{Arc, Mutex};

use serde_json::{Map, Value, json};

use super::Description;
use super::operations::{Operation, Operations};

/// So many mistakes of one body are told.
const MOST_TOLD: usize = 5;

impl Description {
    #[expect(clippy::disallowed_methods, reason = "a test reads what npm has installed")]
    pub fn read(file: &Path) -> Self {
        let text = std::fs::read(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let document: Value = serde_json::from_slice(&text).unwrap();
        Self { operations: Operations::of(&document), document, validators: Mutex::new(HashMap::new()) }
    }

    /// What a reference stands for, or the thing itself.
    pub fn resolve<'a>(&'a self, value: &'a Value) -> &'a Value {
        let reference = value.get("$ref").and_then(Value::as_str).and_then(|text| text.strip_prefix('#'));
        reference.map_or(value, |pointer| self.document.pointer(pointer).unwrap())
    }

    /// What is wrong with a value by a schema; the name is the schema's own.
    pub fn wrong(&self, name: &str, schema: &Value, is_strict: bool, value: &Value) -> Vec<String> {
        let known = self.validators.lock().unwrap().get(name).cloned();
        let validator = known.unwrap_or_else(|| {
            let made = Arc::new(self.validator(schema, is_strict));
            self.validators.lock().unwrap().insert(name.to_owned(), Arc::clone(&made));
            made
        });
        let told = |error: jsonschema::ValidationError<'_>| {
            let text: String = error.to_string().chars().take(400).collect();
            format!("{}: {text}", error.instance_path())
        };
        // Of a fork that was deleted GitHub tells nothing, against its own description.
        let is_known = |error: &jsonschema::ValidationError<'_>| {
            error.instance().is_null() && error.instance_path().as_str().ends_with("/head/repo")
        };
        validator.iter_errors(value).filter(|error| !is_known(error)).take(MOST_TOLD).map(told).collect()
    }

    fn validator(&self, schema: &Value, is_strict: bool) -> jsonschema::Validator {
        let mut needed = BTreeSet::new();
        self.references(schema, &mut needed);
        let mut components = Map::new();
        for name in needed {
            let schema = &self.document["components"]["schemas"][&name];
            components.insert(name, converted(schema, is_strict));
        }
        let whole = json!({ "allOf": [converted(schema, is_strict)], "components": { "schemas": components } });
        jsonschema::options()
            .with_draft(jsonschema::Draft::Draft202012)
            .should_validate_formats(true)
            // Where there is no address, GitHub gives an empty text.
            .with_format("uri", |text: &str| text.is_empty() || text.parse::<hyper::Uri>().is_ok())
            .build(&whole)
            .unwrap_or_else(|error| panic!("GitHub's description: {error}"))
    }

    /// The names of all schemas to which one refers, directly or not.
    fn references(&self, value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::Object(object) => {
                let reference = object.get("$ref").and_then(Value::as_str);
                if let Some(name) = reference.and_then(|text| text.strip_prefix("#/components/schemas/"))
                    && found.insert(name.to_owned())
                {
                    self.references(&self.document["components"]["schemas"][name], found);
                }
                object.values().for_each(|value| self.references(value, found));
            }
            Value::Array(items) => items.iter().for_each(|value| self.references(value, found)),
            _ => {}
        }
    }

    pub fn wrong_body(&self, operation: &Operation, body: &Value) -> Vec<String> {
        let described = &self.document.pointer(&operation.pointer).unwrap()["requestBody"];
        let described = self.resolve(described);
        match (described.is_null(), body.is_null()) {
            (true, true) => Vec::new(),
            (true, false) => vec!["a body where none is described".to_owned()],
            (false, true) => match described["required"].as_bool() {
                Some(true) => vec!["the body is missing".to_owned()],
                _ => Vec::new(),
            },
            (false, false) => {
                let schema = &described["content"]["application/json"]["schema"];
                self.wrong(&format!("{} body", operation.pointer), schema, true, body)
            }
        }
    }

    pub fn wrong_parameters(&self, operation: &Operation, query: &[(String, String)]) -> Vec<String> {
        let of = |pointer: &str| {
            self.document.pointer(pointer).unwrap()["parameters"].as_array().cloned().unwrap_or_default()
        };
        let described: Vec<Value> = of(&operation.path_pointer)
            .into_iter()
            .chain(of(&operation.pointer))
            .map(|parameter| self.resolve(&parameter).clone())
            .collect();
        let find =
            |place: &str, name: &str| described.iter().find(|known| known["in"] == place && known["name"] == name);
        let mut wrong = Vec::new();
        let given =
            query.iter().map(|pair| ("query", pair)).chain(operation.parameters.iter().map(|pair| ("path", pair)));
        for (place, (name, text)) in given {
            let Some(parameter) = find(place, name) else {
                wrong.push(format!("the {place} has '{name}', which is not described"));
                continue;
            };
            // What is undescribed in type is a text.
            let schema = &parameter["schema"];
            let value = match self.resolve(schema)["type"].as_str() {
                Some("integer" | "number" | "boolean") => {
                    serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.clone()))
                }
                Some("array") => json!(text.split(',').collect::<Vec<_>>()),
                _ => Value::String(text.clone()),
            };
            let key = format!("{} {place} {name}", operation.pointer);
            wrong.extend(self.wrong(&key, schema, false, &value).into_iter().map(|wrong| format!("'{name}'{wrong}")));
        }
        wrong
    }
}

/// A schema of OpenAPI 3.0 as JSON Schema. A strict one allows no properties that are not described:
/// GitHub overlooks them, and then what was wished does not happen.
fn converted(schema: &Value, is_strict: bool) -> Value {
    let Value::Object(object) = schema else { return schema.clone() };
    let mut made = Map::new();
    for (key, value) in object {
        let value = match (key.as_str(), value) {
            ("properties", Value::Object(properties)) => {
                let each = properties.iter().map(|(name, schema)| (name.clone(), converted(schema, is_strict)));
                Value::Object(each.collect())
            }
            ("items" | "additionalProperties" | "not", value) => converted(value, is_strict),
            // Branches say only what is particular to them.
            ("allOf" | "anyOf" | "oneOf", Value::Array(branches)) => {
                branches.iter().map(|branch| converted(branch, false)).collect()
            }
            ("nullable" | "example" | "examples" | "discriminator" | "externalDocs" | "xml", _) => continue,
            (_, value) => value.clone(),
        };
        made.insert(key.clone(), value);
    }
    let has_branches = ["allOf", "anyOf", "oneOf"].iter().any(|key| made.contains_key(*key));
    let is_object = made.get("type").is_some_and(|kind| kind == "object") && made.contains_key("properties");
    if is_strict && is_object && !made.contains_key("additionalProperties") {
        made.insert("additionalProperties".to_owned(), Value::Bool(false));
    }
    if object.get("nullable") != Some(&Value::Bool(true)) {
        return Value::Object(made);
    }
    match made.get("type").cloned() {
        Some(Value::String(kind)) if !has_branches => {
            made.insert("type".to_owned(), json!([kind, "null"]));
            if let Some(Value::Array(values)) = made.get_mut("enum")
                && !values.contains(&Value::Null)
            {
                values.push(Value::Null);
            }
            Value::Object(made)
        }
        _ => json!({ "anyOf": [made, { "type": "null" }] }),
    }
}
