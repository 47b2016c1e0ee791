//! `${stage.results.task.path}`: how results of earlier tasks reach later ones.
//!
//! Filling works on JSON values and never on text, so nothing needs to be escaped: a text that is
//! nothing but one placeholder becomes the value itself, with its type; inside a longer text a
//! scalar is written out. `$${` is a literal `${`. What does not have the form
//! `${<stage>.results.<task>.<path>}` (a shell's `${HOME}`, say) is left as it is written.

use serde_json::Value;

use super::pointer::escaped;

/// One placeholder.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Placeholder {
    /// The stage whose results are meant.
    pub stage: String,
    /// The task.
    pub task: String,
    /// The path into the task's results; at least one segment.
    pub path: Vec<String>,
    /// A JSON pointer to the text in which it stands.
    pub pointer: String,
}

impl std::fmt::Display for Placeholder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "${{{}.results.{}.{}}}", self.stage, self.task, self.path.join("."))
    }
}

impl Placeholder {
    /// Follows the path into a task's results. A segment is a field name or a position in a list.
    pub fn select<'a>(&self, results: &'a Value) -> Option<&'a Value> {
        self.path.iter().try_fold(results, |value, segment| match value {
            Value::Array(items) => items.get(segment.parse::<usize>().ok()?),
            other => other.get(segment),
        })
    }
}

/// Why a placeholder cannot be filled in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FillError {
    /// There is no such result.
    #[error("{0} has no value: the task did not return it")]
    NoValue(Placeholder),
    /// It stands inside a longer text, and its value is no scalar.
    #[error("{0} is a list or an object, which cannot stand inside a text: let it be the whole text")]
    NotAScalar(Placeholder),
}

/// All placeholders in `value`, in the order in which they stand.
pub fn placeholders(value: &Value) -> Vec<Placeholder> {
    let mut found = Vec::new();
    each_text(value, &mut String::new(), &mut |text, pointer| {
        found.extend(pieces(text, pointer).into_iter().filter_map(|piece| match piece {
            Piece::Placeholder(placeholder) => Some(placeholder),
            Piece::Text(_) => None,
        }));
    });
    found
}

/// A text in braces that looks like a placeholder and is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lookalike {
    /// As it is written, with `${` and `}`.
    pub text: String,
    /// A JSON pointer to the text in which it stands.
    pub pointer: String,
}

/// What begins like a placeholder, with a word that `is_meant` knows and a dot, and has not its form.
pub fn lookalikes(value: &Value, is_meant: &dyn Fn(&str) -> bool) -> Vec<Lookalike> {
    let mut found = Vec::new();
    each_text(value, &mut String::new(), &mut |text, pointer| {
        for inner in unread(text) {
            if inner.split_once('.').is_some_and(|(first, _)| is_meant(first)) {
                found.push(Lookalike { text: format!("${{{inner}}}"), pointer: pointer.to_owned() });
            }
        }
    });
    found
}

/// What stands in braces behind a dollar sign and is neither a placeholder nor escaped.
fn unread(text: &str) -> impl Iterator<Item = &str> {
    let starts = text.match_indices("${").filter(|(start, _)| !text[..*start].ends_with('$'));
    let inner = starts.filter_map(|(start, _)| text[start + 2..].split_once('}').map(|(inner, _)| inner));
    inner.filter(|inner| !inner.contains("${") && parse(inner, "").is_none())
}

/// Fills in every placeholder by `lookup`.
pub fn fill(value: &Value, lookup: &dyn Fn(&Placeholder) -> Option<Value>) -> Result<Value, FillError> {
    fill_at(value, &mut String::new(), lookup)
}

/// A piece of a text.
enum Piece<'a> {
    Text(&'a str),
    Placeholder(Placeholder),
}

fn each_text(value: &Value, pointer: &mut String, visit: &mut dyn FnMut(&str, &str)) {
    match value {
        Value::String(text) => visit(text, pointer),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                below(pointer, &index.to_string(), |pointer| each_text(item, pointer, visit));
            }
        }
        Value::Object(fields) => {
            for (key, item) in fields {
                below(pointer, key, |pointer| each_text(item, pointer, visit));
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn fill_at(
    value: &Value,
    pointer: &mut String,
    lookup: &dyn Fn(&Placeholder) -> Option<Value>,
) -> Result<Value, FillError> {
    match value {
        Value::String(text) => fill_text(text, pointer, lookup),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .map(|(index, item)| below(pointer, &index.to_string(), |pointer| fill_at(item, pointer, lookup)))
            .collect::<Result<Vec<_>, _>>()
            .map(Value::Array),
        Value::Object(fields) => fields
            .iter()
            .map(|(key, item)| Ok((key.clone(), below(pointer, key, |pointer| fill_at(item, pointer, lookup))?)))
            .collect::<Result<serde_json::Map<_, _>, _>>()
            .map(Value::Object),
        Value::Null | Value::Bool(_) | Value::Number(_) => Ok(value.clone()),
    }
}

fn fill_text(text: &str, pointer: &str, lookup: &dyn Fn(&Placeholder) -> Option<Value>) -> Result<Value, FillError> {
    let mut pieces = pieces(text, pointer);
    if let [Piece::Placeholder(_)] = pieces.as_slice()
        && let Some(Piece::Placeholder(placeholder)) = pieces.pop()
    {
        return lookup(&placeholder).ok_or(FillError::NoValue(placeholder));
    }
    let mut filled = String::with_capacity(text.len());
    for piece in pieces {
        match piece {
            Piece::Text(text) => filled.push_str(text),
            Piece::Placeholder(placeholder) => match lookup(&placeholder) {
                None => return Err(FillError::NoValue(placeholder)),
                Some(Value::String(text)) => filled.push_str(&text),
                Some(value @ (Value::Bool(_) | Value::Number(_))) => filled.push_str(&value.to_string()),
                Some(Value::Null | Value::Array(_) | Value::Object(_)) => {
                    return Err(FillError::NotAScalar(placeholder));
                }
            },
        }
    }
    Ok(Value::String(filled))
}

fn pieces<'a>(text: &'a str, pointer: &str) -> Vec<Piece<'a>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        let (before, from) = rest.split_at(start);
        if let Some(escaped) = before.strip_suffix('$') {
            pieces.push(Piece::Text(escaped));
            pieces.push(Piece::Text("${"));
            rest = &from[2..];
            continue;
        }
        let end = from.find('}');
        let inner = end.map(|end| &from[2..end]);
        match (inner.and_then(|inner| parse(inner, pointer)), end) {
            (Some(placeholder), Some(end)) => {
                if !before.is_empty() {
                    pieces.push(Piece::Text(before));
                }
                pieces.push(Piece::Placeholder(placeholder));
                rest = &from[end + 1..];
            }
            _ => {
                pieces.push(Piece::Text(&rest[..start + 2]));
                rest = &from[2..];
            }
        }
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest));
    }
    pieces
}

fn parse(inner: &str, pointer: &str) -> Option<Placeholder> {
    let mut segments = inner.split('.');
    let stage = segments.next()?;
    let results = segments.next()?;
    let task = segments.next()?;
    let path: Vec<String> = segments.map(str::to_owned).collect();
    let named = |text: &str| !text.is_empty() && !text.contains(char::is_whitespace);
    let fine = results == "results" && named(stage) && named(task) && !path.is_empty() && path.iter().all(|s| named(s));
    fine.then(|| Placeholder { stage: stage.to_owned(), task: task.to_owned(), path, pointer: pointer.to_owned() })
}

fn below<R>(pointer: &mut String, segment: &str, then: impl FnOnce(&mut String) -> R) -> R {
    let length = pointer.len();
    pointer.push('/');
    pointer.push_str(&escaped(segment));
    let result = then(pointer);
    pointer.truncate(length);
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn filled(value: &Value) -> Result<Value, FillError> {
        let results = json!({"rows": 3, "name": "a\"b\\", "list": [{"x": true}], "nothing": null});
        fill(value, &|placeholder| {
            (placeholder.stage == "dev" && placeholder.task == "build")
                .then(|| placeholder.select(&results).cloned())
                .flatten()
        })
    }

    #[test]
    fn a_whole_text_becomes_the_value_with_its_type() {
        assert_eq!(filled(&json!("${dev.results.build.rows}")), Ok(json!(3)));
        assert_eq!(filled(&json!({"a": ["${dev.results.build.list.0.x}"]})), Ok(json!({"a": [true]})));
        assert_eq!(filled(&json!("${dev.results.build.list}")), Ok(json!([{"x": true}])));
    }

    #[test]
    fn inside_a_text_a_scalar_is_written_out_and_cannot_break_out() {
        assert_eq!(
            filled(&json!("n=${dev.results.build.rows}, ${dev.results.build.name}!")),
            Ok(json!("n=3, a\"b\\!"))
        );
        let error = filled(&json!({"q": "x ${dev.results.build.list}"})).unwrap_err();
        assert!(matches!(error, FillError::NotAScalar(placeholder) if placeholder.pointer == "/q"));
    }

    #[test]
    fn what_is_filled_in_is_not_read_again() {
        let value = fill(&json!("${dev.results.build.x}"), &|_| Some(json!("${dev.results.build.x}")));
        assert_eq!(value, Ok(json!("${dev.results.build.x}")));
    }

    #[test]
    fn other_dollars_stay_and_escapes_are_undone() {
        assert_eq!(filled(&json!("${HOME} $x ${a.b} ${")), Ok(json!("${HOME} $x ${a.b} ${")));
        assert_eq!(filled(&json!("$${dev.results.build.rows}")), Ok(json!("${dev.results.build.rows}")));
    }

    #[test]
    fn what_looks_like_a_placeholder_is_found() {
        let meant = |word: &str| ["dev", "build"].contains(&word);
        let texts = json!({"a": [
            "${dev.result.build.rows}", "x ${build.rows} ${dev.results.build.rows} ${dev.results.build}",
            "${HOME} ${dev} ${other.thing} $${dev.result.x} ${dev.", "${ ${dev.x} }",
        ]});
        let found: Vec<String> =
            lookalikes(&texts, &meant).into_iter().map(|found| format!("{} {}", found.pointer, found.text)).collect();
        assert_eq!(
            found,
            ["/a/0 ${dev.result.build.rows}", "/a/1 ${build.rows}", "/a/1 ${dev.results.build}", "/a/3 ${dev.x}",]
        );
    }

    #[test]
    fn a_missing_value_is_named() {
        let error = filled(&json!(["${dev.results.build.gone.x}"])).unwrap_err();
        assert_eq!(error.to_string(), "${dev.results.build.gone.x} has no value: the task did not return it");
        assert_eq!(placeholders(&json!(["${dev.results.build.gone.x}"]))[0].pointer, "/0");
    }
}
