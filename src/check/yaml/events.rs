//! YAML, through saphyr-parser's events. Events are pulled one by one and nothing recurses, so
//! that nesting costs a frame of ours and never the stack; the parser itself refuses more than
//! 255 flow collections inside each other.

use std::borrow::Cow;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span, Tag};
use serde_json::Value;

use super::builder::{Builder, too_deep};
use super::mistakes::{self, Mistake};
use super::older;
use super::place::{Mark, Shape};
use super::scalar::{Plain, plain};
use super::{Document, Problem, rules, shown};

/// Reads the one document of a text.
pub(super) fn read(text: &str) -> (Option<Document>, Vec<Problem>) {
    let mut builder = Builder::new(text.len());
    let end = end_of(text);
    match drive(text, end, &mut builder) {
        Ok(()) => builder.finished(),
        Err(problem) => (None, builder.abandoned(Problem { mark: within(end, problem.mark), ..problem })),
    }
}

/// The place behind the last character of a text.
fn end_of(text: &str) -> Mark {
    let text = text.replace("\r\n", "\n");
    let (line, last) = text.split(['\n', '\r']).fold((0, ""), |(count, _), line| (count + 1, line));
    Mark { line, column: number(last.chars().count()) + 1, length: 0 }
}

/// What is missing at the end of a text, the parser finds on the line behind the last one.
fn within(end: Mark, mark: Mark) -> Mark {
    if mark.line > end.line { end } else { mark }
}

fn drive(source: &str, end: Mark, builder: &mut Builder) -> Result<(), Problem> {
    let mut parser = Parser::new_from_str(source);
    let mut documents = 0;
    let mut lines = None;
    while let Some(event) = parser.next_event() {
        let (event, span) = event.map_err(|error| not_yaml(source, &error, builder))?;
        let mark = within(end, mark_of(span));
        match event {
            Event::Nothing | Event::StreamStart | Event::DocumentEnd => {}
            Event::StreamEnd => break,
            Event::DocumentStart(_) => {
                documents += 1;
                if documents > 1 {
                    let message = "a second document begins here";
                    return Err(Problem::new(&rules::SEVERAL_DOCUMENTS, mark, String::new(), message)
                        .with_hint("put each document into a file of its own"));
                }
            }
            Event::Alias(_) if builder.wants_key() => return Err(complex_key(mark, builder, "an alias")),
            Event::Alias(anchor) => builder.alias(anchor, mark)?,
            Event::Scalar(text, style, anchor, tag) => {
                if builder.wants_key() {
                    key(builder, text, style, tag.as_deref(), mark)?;
                } else if documents == 1 && builder.pointer_is_root() && is_nothing(&text, style, tag.as_deref()) {
                    // A document without content: the file counts as empty.
                    continue;
                } else if is_nothing(&text, style, tag.as_deref()) {
                    let lines = lines.get_or_insert_with(|| source.lines().collect::<Vec<_>>());
                    builder.nothing(mark, is_comment(lines, mark), anchor)?;
                } else {
                    match scalar(builder, text.into_owned(), style, tag.as_deref(), mark) {
                        (Value::String(text), false) if matches!(style, ScalarStyle::Literal | ScalarStyle::Folded) => {
                            builder.block_text(text, mark, style == ScalarStyle::Folded, anchor)?;
                        }
                        (value, broken) => builder.scalar(value, mark, broken, anchor)?,
                    }
                }
            }
            Event::SequenceStart(..) if builder.wants_key() => return Err(complex_key(mark, builder, "a list")),
            Event::MappingStart(..) if builder.wants_key() => {
                return Err(match mistakes::is_template(source, mark) {
                    true => unfilled(mark, builder),
                    false => complex_key(mark, builder, "a map"),
                });
            }
            Event::SequenceStart(anchor, tag) => {
                check_collection_tag(builder, tag.as_deref(), "seq", mark);
                builder.open(Shape::List, mark, anchor)?;
            }
            Event::MappingStart(anchor, tag) => {
                check_collection_tag(builder, tag.as_deref(), "map", mark);
                builder.open(Shape::Map, mark, anchor)?;
            }
            Event::SequenceEnd | Event::MappingEnd => builder.close()?,
        }
    }
    Ok(())
}

/// A key of the map that is open.
pub(super) fn key(
    builder: &mut Builder,
    text: Cow<'_, str>,
    style: ScalarStyle,
    tag: Option<&Tag>,
    mark: Mark,
) -> Result<(), Problem> {
    let is_plain = style == ScalarStyle::Plain && tag.is_none();
    if is_plain && text.is_empty() {
        return Err(complex_key(mark, builder, "nothing"));
    }
    let kind = match if is_plain { plain(&text) } else { Plain::Text } {
        Plain::Text | Plain::Value(Value::String(_) | Value::Array(_) | Value::Object(_)) => None,
        Plain::Value(Value::Null) => Some("null"),
        Plain::Value(Value::Bool(_)) => Some("a truth value"),
        Plain::Value(Value::Number(_)) | Plain::NotFinite | Plain::OutOfRange => Some("a number"),
    };
    let is_merge = is_plain && text == "<<";
    let message = kind.map(|kind| format!("the key {} is {kind} in YAML, and was read as a text", shown(&text)));
    let differs = if is_plain && kind.is_none() { older::about_key(&text, mark) } else { None };
    builder.key(text.into_owned(), mark);
    if let Some(problem) = differs {
        report(builder, problem);
    }
    if is_merge {
        let problem = Problem::new(&rules::MERGE_KEY, mark, String::new(), "merge keys are not part of YAML 1.2");
        report(builder, problem.with_hint("write the fields out, or use '$ref'"));
    }
    if let Some(message) = message {
        let problem = Problem::new(&rules::KEY_NOT_TEXT, mark, String::new(), message);
        report(builder, problem.with_hint("put the key in quotes"));
    }
    if let Some(tag) = tag.filter(|tag| !is_text_tag(tag)) {
        report(builder, tag_problem(tag, mark));
    }
    Ok(())
}

/// The tags that say what a key is anyway: a text.
fn is_text_tag(tag: &Tag) -> bool {
    (tag.is_yaml_core_schema() && tag.suffix == "str") || (tag.handle.is_empty() && tag.suffix == "!")
}

/// The value of a scalar, and whether something was said about it.
fn scalar(builder: &mut Builder, text: String, style: ScalarStyle, tag: Option<&Tag>, mark: Mark) -> (Value, bool) {
    let wanted = match tag {
        None if style != ScalarStyle::Plain => return (Value::String(text), false),
        None => None,
        Some(tag) if tag.handle.is_empty() && tag.suffix == "!" => return (Value::String(text), false),
        Some(tag) if tag.is_yaml_core_schema() => match tag.suffix.as_str() {
            "str" => return (Value::String(text), false),
            known @ ("null" | "bool" | "int" | "float") => Some(known),
            _ => return unknown_tag(builder, tag, text, mark),
        },
        Some(tag) => return unknown_tag(builder, tag, text, mark),
    };
    let read = plain(&text);
    if wanted.is_none()
        && let Some(problem) = older::about_value(&text, &read, builder.open_key(), mark)
    {
        report(builder, problem);
    }
    match read {
        Plain::Text if wanted.is_none() => (Value::String(text), false),
        Plain::Value(value) if wanted.is_none_or(|wanted| fits(&value, wanted)) => (value, false),
        Plain::Value(_) | Plain::Text => {
            let message = format!("{} is not what its tag '!!{}' says", shown(&text), wanted.unwrap_or_default());
            report(builder, Problem::new(&rules::TAG, mark, String::new(), message).with_hint("remove the tag"));
            (Value::String(text), true)
        }
        Plain::NotFinite => {
            let message = format!("{} is a number that JSON does not have", shown(&text));
            let hint = "write a finite number, or put it in quotes to make it a text";
            report(builder, Problem::new(&rules::NUMBER, mark, String::new(), message).with_hint(hint));
            (Value::String(text), true)
        }
        Plain::OutOfRange => {
            report(builder, out_of_range(&text, mark));
            (Value::String(text), true)
        }
    }
}

pub(super) fn out_of_range(text: &str, mark: Mark) -> Problem {
    let message = format!("the number {} is too large to be read exactly", shown(text));
    Problem::new(&rules::NUMBER, mark, String::new(), message).with_hint("put it in quotes to make it a text")
}

fn fits(value: &Value, tag: &str) -> bool {
    match tag {
        "null" => value.is_null(),
        "bool" => value.is_boolean(),
        "int" => value.is_i64() || value.is_u64(),
        _ => value.is_number(),
    }
}

fn unknown_tag(builder: &mut Builder, tag: &Tag, text: String, mark: Mark) -> (Value, bool) {
    report(builder, tag_problem(tag, mark));
    (Value::String(text), true)
}

fn check_collection_tag(builder: &mut Builder, tag: Option<&Tag>, allowed: &str, mark: Mark) {
    if let Some(tag) = tag
        && !(tag.is_yaml_core_schema() && tag.suffix == allowed)
        && !(tag.handle.is_empty() && tag.suffix == "!")
    {
        report(builder, tag_problem(tag, mark));
    }
}

fn tag_problem(tag: &Tag, mark: Mark) -> Problem {
    let name =
        if tag.is_yaml_core_schema() { format!("!!{}", tag.suffix) } else { format!("{}{}", tag.handle, tag.suffix) };
    let message = format!("the tag {} has no meaning in a descriptor", shown(&name));
    Problem::new(&rules::TAG, mark, String::new(), message).with_hint("remove the tag; only JSON's types are allowed")
}

fn report(builder: &mut Builder, mut problem: Problem) {
    problem.pointer = builder.pointer();
    builder.report(problem);
}

fn complex_key(mark: Mark, builder: &Builder, what: &str) -> Problem {
    Problem::new(&rules::COMPLEX_KEY, mark, builder.pointer(), format!("the key is {what}, and keys are texts"))
        .with_hint("give the field a name")
}

/// `{{ name }}`, where maps begin.
fn unfilled(mark: Mark, builder: &Builder) -> Problem {
    let message = "'{{' begins a map inside of a map, and not a text";
    Problem::new(&rules::COMPLEX_KEY, mark, builder.pointer(), message)
        .with_hint("fill the template in before; where '{{ … }}' is meant to stay, put the text in quotes")
}

/// Whether the value that is not there has a comment in its place that may be meant as it: `address: #sales`.
fn is_comment(lines: &[&str], mark: Mark) -> bool {
    /// Looking for the column costs as much as the line is long, for each of its values.
    const LONGEST: usize = 512;
    let line = lines.get((mark.line as usize).saturating_sub(1)).filter(|line| line.len() <= LONGEST);
    let behind = line.and_then(|line| line.char_indices().nth(mark.column as usize).and_then(|(at, _)| line.get(at..)));
    let comment = behind.and_then(|behind| behind.trim_start().strip_prefix('#'));
    comment.is_some_and(|comment| is_word(comment.as_bytes().first()))
}

/// Whether what stands behind a '#' lets it be the begin of a word, and not of a remark.
pub(super) fn is_word(next: Option<&u8>) -> bool {
    !matches!(next, None | Some(b' ' | b'\t' | b'\r' | b'\n' | b'#'))
}

fn is_nothing(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> bool {
    text.is_empty() && style == ScalarStyle::Plain && tag.is_none()
}

fn not_yaml(text: &str, error: &ScanError, builder: &Builder) -> Problem {
    let at = *error.marker();
    let mark = Mark { line: number(at.line()).max(1), column: number(at.col()) + 1, length: 0 };
    let info = error.info();
    // The parser's own guard against flow collections inside each other.
    if info == "recursion limit exceeded" {
        return too_deep(mark, String::new());
    }
    let Mistake { mark, what, hint } = mistakes::told(text, info, mark);
    Problem::new(&rules::YAML, mark, builder.pointer(), format!("this is not YAML: {what}")).with_hint(hint)
}

fn mark_of(span: Span) -> Mark {
    let one_line = span.start.line() == span.end.line();
    let length = if one_line { span.end.col().saturating_sub(span.start.col()) } else { 0 };
    Mark { line: number(span.start.line()).max(1), column: number(span.start.col()) + 1, length: number(length) }
}

/// Files have at most 2^20 bytes, so nothing is ever cut.
fn number(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX - 1)
}
