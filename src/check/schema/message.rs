//! Plain words for each kind of error.

use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::{JsonType, ValidationError};
use serde_json::Value;

use super::shape::{fields_of, is_list, is_required, object_of};
use super::{formats, hint, rules};
use crate::check::report::Report;
use crate::check::yaml::{Located, push_segment, segments, shown};
use crate::domain::finding::{Finding, Location};
use crate::domain::id::RepoPath;
use crate::domain::rule::Rule;
use crate::domain::suggest;

/// Unknown fields of one map that are named; a hostile map has a hundred thousand.
const MOST_UNKNOWN_FIELDS: usize = 50;

/// Says what an error means, unless something was already said about the same place.
pub(super) fn explain(
    error: &ValidationError<'_>,
    schema: &Value,
    located: &Located,
    root: &RepoPath,
    findings: &mut Report,
) {
    let pointer = error.instance_path().as_str();
    if located.find(pointer).broken {
        return;
    }
    let location = || located.location(pointer).unwrap_or_else(|| Location::top_of(root.clone()));
    let mut say = |rule: &'static Rule, message: String, hint: String| {
        let finding = Finding::new(rule.severity, rule.id(), location(), pointer, message);
        findings.push(finding.with_hint(hint));
    };
    let name = label(pointer);
    match error.kind() {
        ValidationErrorKind::Required { property } => {
            let property = property.as_str().unwrap_or_default();
            if let Some(written) = misspelt(property, error, schema) {
                let at = format!("{pointer}/{}", written.replace('~', "~0").replace('/', "~1"));
                let location = located.key_location(&at).unwrap_or_else(location);
                let message = format!("{} is missing in {name}, and {} stands there", shown(property), shown(written));
                let finding = Finding::error(rules::REQUIRED.id(), location, pointer, message);
                let bare = hint::without_quotes(written).filter(|bare| *bare == property);
                findings.push(
                    finding.with_hint(bare.map_or_else(|| format!("call it {}", shown(property)), hint::for_quotes)),
                );
                return;
            }
            let message = format!("{} is missing in {name}", shown(property));
            say(rule_for_missing(pointer, property), message, format!("add {}", shown(property)));
        }
        ValidationErrorKind::Type { .. } if error.instance().is_null() => {
            // In YAML nothing at all may stand there; the key always does.
            let location = located.key_location(pointer).unwrap_or_else(location);
            let message = format!("{name} is there and has no value");
            let place = located.find(pointer).node.and_then(|node| located.places.get(node));
            let (rule, hint) = match is_required(pointer, schema) {
                true if is_list(pointer, schema) => (&rules::REQUIRED, "give it items, or write [] where it has none"),
                true => (&rules::REQUIRED, "give it a value"),
                false => (&rules::NULL, "leave the field out, or give it a value"),
            };
            let hint = match place {
                Some(place) if place.is_comment => "put the text in quotes: behind ' #' a comment begins",
                _ => hint,
            };
            findings.push(Finding::new(rule.severity, rule.id(), location, pointer, message).with_hint(hint));
        }
        ValidationErrorKind::Type { kind } => {
            let wanted = wanted_types(kind);
            let message = format!("{name} is {}, and should be {wanted}", kind_of(error.instance()));
            say(&rules::TYPE, message, hint::for_type(&wanted, error, schema));
        }
        ValidationErrorKind::Format { format } => {
            let (what, _) = formats::described(format);
            let text = error.instance().as_str().unwrap_or_default();
            if let Some((message, hint)) = hint::for_spaces(format, text) {
                say(&rules::FORMAT, format!("{name} {message}"), hint);
                return;
            }
            let message = format!("{name} is {}, which is not {what}", shown(text));
            say(&rules::FORMAT, message, hint::for_format(format, text, pointer));
        }
        ValidationErrorKind::MinLength { .. } => {
            say(&rules::EMPTY, format!("{name} is empty"), "give it a value".into());
        }
        ValidationErrorKind::Minimum { limit } => {
            let message = format!("{name} is {}, and the smallest is {limit}", error.instance());
            say(&rules::RANGE, message, format!("write {limit} or more"));
        }
        ValidationErrorKind::Maximum { limit } => {
            let message = format!("{name} is {}, and the largest is {limit}", error.instance());
            say(&rules::RANGE, message, format!("write {limit} or less"));
        }
        ValidationErrorKind::AdditionalProperties { unexpected } => {
            // A merge key was refused already.
            if !findings.wants(rules::UNKNOWN_FIELD.severity) {
                return;
            }
            let told: Vec<&str> = missing(error, schema).filter_map(|name| misspelt(name, error, schema)).collect();
            let fields = unexpected.iter().map(String::as_str);
            let (lost, lines) = lost_lines(error, located, root).unzip();
            findings.extend(lost);
            let lines: Vec<&str> = lines.unwrap_or_default();
            let untold = fields.filter(|field| *field != "<<" && !told.contains(field) && !lines.contains(field));
            // What was meant to be in another field, and is beside it, is one mistake.
            let mut strayed: Vec<(&str, Vec<&str>)> = Vec::new();
            for field in untold.take(MOST_UNKNOWN_FIELDS) {
                let home = hint::home_of(field, error, schema);
                match (home, strayed.iter_mut().find(|(other, _)| Some(*other) == home)) {
                    (Some(_), Some((_, fields))) => fields.push(field),
                    (Some(home), None) => strayed.push((home, vec![field])),
                    (None, _) => findings.push(unknown_field(field, error, schema, located, root)),
                }
            }
            for (home, fields) in strayed {
                findings.extend(strayed_fields(home, &fields, error, schema, located, root));
            }
        }
        _ => {
            let message = format!("{name} breaks the rule '{}' of the schema", error.kind().keyword());
            say(&rules::OTHER, message, "compare with the specification".into());
        }
    }
}

fn rule_for_missing(pointer: &str, property: &str) -> &'static Rule {
    let is_template = pointer.ends_with("/template") || in_library_of_templates(pointer);
    if is_template && matches!(property, "name" | "version") { &rules::UNNAMED_TEMPLATE } else { &rules::REQUIRED }
}

/// What an object lacks of what its schema requires.
fn missing<'s>(error: &'s ValidationError<'_>, schema: &'s Value) -> impl Iterator<Item = &'s str> {
    let required = object_of(error, schema).and_then(|object| object.get("required")?.as_array());
    let required = required.into_iter().flatten().filter_map(Value::as_str);
    required.filter(|name| error.instance().get(name).is_none())
}

/// The unknown field of the object that was probably meant to be the one that is missing.
fn misspelt<'e>(property: &str, error: &'e ValidationError<'_>, schema: &Value) -> Option<&'e str> {
    if rule_for_missing(error.instance_path().as_str(), property).id != rules::REQUIRED.id {
        return None;
    }
    let object = object_of(error, schema)?;
    let known = fields_of(schema, object)?;
    let fields = error.instance().as_object()?;
    let unknown =
        || fields.keys().map(String::as_str).filter(|name| !known.contains_key(*name) && !name.starts_with("x-"));
    // Where one text is all that there has to be, the only text that is there is that.
    let only = || {
        let is_all = object.get("required")?.as_array()?.len() == 1 && property == "$href";
        let mut unknown = unknown();
        let first = unknown.next().filter(|name| is_all && fields.get(*name).is_some_and(Value::is_string))?;
        unknown.next().is_none().then_some(first)
    };
    let quoted = unknown().find(|name| hint::without_quotes(name) == Some(property));
    quoted.or_else(|| suggest::nearest(property, unknown())).or_else(only)
}

/// Lines of a block text that are indented like its name, so that the text is empty and they are fields: what to say
/// of the first, and all of them.
fn lost_lines<'e>(
    error: &'e ValidationError<'_>,
    located: &Located,
    root: &RepoPath,
) -> Option<(Finding, Vec<&'e str>)> {
    let fields = error.instance().as_object()?;
    let is_line = |field: &&String| field.contains(char::is_whitespace);
    let above = fields.iter().zip(fields.keys().skip(1)).filter(|(_, below)| is_line(below));
    let at = |field: &str| {
        let mut pointer = error.instance_path().as_str().to_owned();
        push_segment(&mut pointer, field);
        pointer
    };
    // A text in quotes is at least as long as they are.
    let is_block = |field: &str| located.head_mark(&at(field)).is_some_and(|mark| mark.length < 2);
    let is_text = |(field, value): &(&String, &Value)| value.as_str() == Some("") && is_block(field);
    let ((name, _), first) = above.take(MOST_UNKNOWN_FIELDS).find(|(above, _)| is_text(above))?;
    let lines = fields.keys().skip_while(|field| *field != first).take_while(is_line);
    let lines = lines.take(MOST_UNKNOWN_FIELDS).map(String::as_str).collect();
    let pointer = at(first);
    let location = located.key_location(&pointer).unwrap_or_else(|| Location::top_of(root.clone()));
    let (line, name) = (shown(first), shown(name));
    let message = format!("{line} is read as a field, since the text of {name} above is not indented, and so is empty");
    let rule = &rules::UNKNOWN_FIELD;
    let finding = Finding::new(rule.severity, rule.id(), location, pointer, message);
    Some((finding.with_hint(format!("indent the lines of the text deeper than {name}")), lines))
}

/// Whether a pointer leads to a template in `components`.
fn in_library_of_templates(pointer: &str) -> bool {
    pointer.strip_prefix("/components/templates/").is_some_and(|name| !name.contains('/'))
}

fn unknown_field(
    field: &str,
    error: &ValidationError<'_>,
    schema: &Value,
    located: &Located,
    root: &RepoPath,
) -> Finding {
    let mut pointer = error.instance_path().as_str().to_owned();
    let within = label(&pointer);
    push_segment(&mut pointer, field);
    let location = located.key_location(&pointer).unwrap_or_else(|| Location::top_of(root.clone()));
    let message = format!("{} is not a field of {within} in DPDS 1.0.0, and nobody reads it", shown(field));
    let hint = hint::for_field(field, error.instance_path().as_str(), error, schema);
    let rule = &rules::UNKNOWN_FIELD;
    Finding::new(rule.severity, rule.id(), location, pointer, message).with_hint(hint)
}

/// Fields that stand beside the one in which they belong.
fn strayed_fields(
    home: &str,
    fields: &[&str],
    error: &ValidationError<'_>,
    schema: &Value,
    located: &Located,
    root: &RepoPath,
) -> Option<Finding> {
    let (first, others) = fields.split_first()?;
    let mut finding = unknown_field(first, error, schema, located, root);
    if !others.is_empty() {
        let names: Vec<String> = fields.iter().map(|field| shown(field)).collect();
        let within = label(error.instance_path().as_str());
        finding.message =
            format!("{} are no fields of {within} in DPDS 1.0.0, and nobody reads them", names.join(", "));
        finding.hint = Some(format!("move them into {}", shown(home)));
    }
    Some(finding)
}

/// A place in the reader's words: the last name of a pointer, with what it is an item of.
pub(super) fn label(pointer: &str) -> String {
    let all: Vec<_> = segments(pointer).collect();
    match all.as_slice() {
        [] => "the descriptor".to_owned(),
        [.., list, index] if index.bytes().all(|byte| byte.is_ascii_digit()) => match index.parse::<usize>() {
            Ok(index) => format!("item {} of {}", index + 1, shown(list)),
            Err(_) => shown(index),
        },
        [.., name] => shown(name),
    }
}

fn wanted_types(kind: &TypeKind) -> String {
    let word = |wanted: JsonType| match wanted {
        JsonType::Array => "a list",
        JsonType::Boolean => "true or false",
        JsonType::Integer => "a whole number",
        JsonType::Null => "null",
        JsonType::Number => "a number",
        JsonType::Object => "a map of fields",
        JsonType::String => "a text",
    };
    match kind {
        TypeKind::Single(wanted) => word(*wanted).to_owned(),
        TypeKind::Multiple(wanted) => wanted.iter().map(word).collect::<Vec<_>>().join(" or "),
    }
}

fn kind_of(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => format!("the truth value {value}"),
        Value::Number(number) => format!("the number {number}"),
        Value::String(_) => "a text".to_owned(),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "a map of fields".to_owned(),
    }
}
