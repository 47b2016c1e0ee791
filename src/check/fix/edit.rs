//! Changing scalars where they stand in a text. Each is looked for in what is read from the text, and
//! recognised in the text itself; then the whole is read again, and only those may differ.

use std::ops::Range;

use serde_json::Value;

use super::Fix;
use crate::check::yaml::{self, Document, Mark, Shape, Syntax};

/// A text with some scalars changed.
#[derive(Debug)]
pub(super) struct Edited {
    pub(super) after: Vec<u8>,
    pub(super) done: Vec<Fix>,
    pub(super) left: Vec<(Fix, String)>,
}

/// Changes what can be changed. Fails as a whole when more than that would differ.
pub(super) fn edit(bytes: &[u8], syntax: Syntax, fixes: &[Fix]) -> Result<Edited, String> {
    let unreadable = || "the file cannot be read".to_owned();
    let text = yaml::text_of(bytes).map_err(|_| unreadable())?;
    let (Some(before), problems) = yaml::read(bytes, syntax) else { return Err(unreadable()) };
    let values = flat(&before.value);
    if values.len() != before.located.places.len() {
        return Err("a key stands in it twice".to_owned());
    }
    let lines = line_starts(text);
    let (mut edits, mut left) = (Vec::new(), Vec::new());
    for fix in fixes {
        match change(text, &lines, &before, &values, syntax, fix) {
            Ok(edit) => edits.push((edit, fix.clone())),
            Err(why) => left.push((fix.clone(), why.to_owned())),
        }
    }
    edits.sort_by_key(|(edit, _)| edit.range.start);
    let mut after = String::with_capacity(text.len() + 64 * edits.len());
    let mut done_to = 0;
    for (edit, _) in &edits {
        after.push_str(text.get(done_to..edit.range.start).ok_or("two places lie in each other")?);
        after.push_str(&edit.written);
        done_to = edit.range.end;
    }
    after.push_str(text.get(done_to..).unwrap_or_default());
    let (again, problems_after) = yaml::read(after.as_bytes(), syntax);
    let is_as_meant = again.is_some_and(|again| differs_only(&before, &values, &again, &edits));
    if !is_as_meant || problems_after.len() != problems.len() {
        return Err("changing the text would change more than this".to_owned());
    }
    // What stands before the text is its byte order mark.
    let mut whole = bytes.get(..bytes.len() - text.len()).unwrap_or_default().to_vec();
    whole.extend_from_slice(after.as_bytes());
    Ok(Edited { after: whole, done: edits.into_iter().map(|(_, fix)| fix).collect(), left })
}

/// A stretch of the text, what is written there instead, and which value that is.
struct Edit {
    range: Range<usize>,
    written: String,
    node: usize,
}

fn change(
    text: &str,
    lines: &[usize],
    document: &Document,
    values: &[&Value],
    syntax: Syntax,
    fix: &Fix,
) -> Result<Edit, &'static str> {
    let is_there = |mark: &Mark| (mark.line, mark.column) == (fix.location.line, fix.location.column);
    let places = document.located.places.iter().enumerate();
    let mut nodes = places.filter(|(_, place)| place.shape == Shape::Scalar && is_there(&place.head));
    let node = match (nodes.next(), nodes.next()) {
        (Some((node, _)), None) => node,
        (Some(_), Some(_)) => return Err("it is used in several places, by an anchor"),
        (None, _) => return Err("it is not there any more"),
    };
    if values.get(node).and_then(|value| value.as_str()) != Some(fix.from.as_str()) {
        return Err("it is not there any more");
    }
    let line = *lines.get(fix.location.line as usize - 1).ok_or("it is not there any more")?;
    let rest = text.get(line..).unwrap_or_default();
    let offset = rest.char_indices().nth(fix.location.column as usize - 1).map(|(offset, _)| line + offset);
    let start = offset.ok_or("it is not there any more")?;
    // In front of a scalar, a tag and an anchor may stand.
    let start = start + behind_properties(text.get(start..).unwrap_or_default(), syntax);
    let rest = text.get(start..).unwrap_or_default();
    let (length, written) =
        rewritten(rest, syntax, &fix.from, &fix.to).ok_or("it is written in a form that only a person can change")?;
    Ok(Edit { range: start..start + length, written, node })
}

/// How long the scalar is with which `rest` begins, and how the new text is written in its style;
/// `None` when it does not say `from`, or goes over several lines.
fn rewritten(rest: &str, syntax: Syntax, from: &str, to: &str) -> Option<(usize, String)> {
    match (syntax, rest.as_bytes().first()?) {
        (_, b'"') => {
            let length = double_quoted(rest)?;
            // Escapes that JSON does not have make it a text that is left alone.
            let said: String = serde_json::from_str(rest.get(..length)?).ok()?;
            (said == from).then(|| Some((length, serde_json::to_string(to).ok()?)))?
        }
        (Syntax::Json, _) => None,
        (Syntax::Yaml, b'\'') => {
            let length = single_quoted(rest)?;
            let said = rest.get(1..length - 1)?.replace("''", "'");
            (said == from && !said.contains(['\n', '\r'])).then(|| (length, format!("'{}'", to.replace('\'', "''"))))
        }
        (Syntax::Yaml, _) => {
            let behind = rest.strip_prefix(from)?;
            let ends = behind.is_empty() || behind.starts_with([' ', '\t', '\n', '\r', ',', ']', '}']);
            let written = if yaml::is_plain_text(to) { to.to_owned() } else { format!("'{}'", to.replace('\'', "''")) };
            ends.then_some((from.len(), written))
        }
    }
}

/// How many bytes the tag and the anchor take with which a scalar begins.
fn behind_properties(text: &str, syntax: Syntax) -> usize {
    let mut rest = text;
    while syntax == Syntax::Yaml && rest.starts_with(['!', '&']) {
        let Some(end) = rest.find([' ', '\n', '\r']) else { break };
        rest = rest.get(end..).unwrap_or_default().trim_start_matches(' ');
    }
    text.len() - rest.len()
}

/// The length of a text in double quotes, with them.
fn double_quoted(rest: &str) -> Option<usize> {
    let mut is_escaped = false;
    for (at, byte) in rest.bytes().enumerate().skip(1) {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'"' => return Some(at + 1),
            _ => {}
        }
    }
    None
}

/// The length of a text in single quotes, with them.
fn single_quoted(rest: &str) -> Option<usize> {
    let mut bytes = rest.bytes().enumerate().skip(1).peekable();
    while let Some((at, byte)) = bytes.next() {
        if byte != b'\'' {
            continue;
        }
        // Two of them stand for one.
        if bytes.next_if(|(_, next)| *next == b'\'').is_none() {
            return Some(at + 1);
        }
    }
    None
}

/// Where each line begins. A carriage return ends a line, unless a line feed follows that does.
fn line_starts(text: &str) -> Vec<usize> {
    let bytes = text.as_bytes();
    let ends = bytes.iter().enumerate().filter(|(at, byte)| match byte {
        b'\n' => true,
        b'\r' => bytes.get(at + 1) != Some(&b'\n'),
        _ => false,
    });
    std::iter::once(0).chain(ends.map(|(at, _)| at + 1)).collect()
}

/// All values, each before what is in it: in the order of their places.
fn flat(value: &Value) -> Vec<&Value> {
    let mut all = Vec::new();
    let mut open = vec![value];
    while let Some(next) = open.pop() {
        all.push(next);
        match next {
            Value::Array(items) => open.extend(items.iter().rev()),
            Value::Object(fields) => open.extend(fields.values().rev()),
            _ => {}
        }
    }
    all
}

/// Whether the one text says what the other does, but for what was edited.
fn differs_only(before: &Document, values: &[&Value], after: &Document, edits: &[(Edit, Fix)]) -> bool {
    let now = flat(&after.value);
    let is_same = |node: usize, was: &Value, is: &Value| match edits.iter().find(|(edit, _)| edit.node == node) {
        Some((_, fix)) => is.as_str() == Some(fix.to.as_str()),
        None => match (was, is) {
            (Value::Array(was), Value::Array(is)) => was.len() == is.len(),
            (Value::Object(was), Value::Object(is)) => was.keys().eq(is.keys()),
            _ => was == is,
        },
    };
    before.located.keys == after.located.keys
        && values.len() == now.len()
        && values.iter().zip(&now).enumerate().all(|(node, (was, is))| is_same(node, was, is))
}
