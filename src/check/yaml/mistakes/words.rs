//! What the parser says, in plain words.

use std::borrow::Cow;

/// A part of what the parser says, what that means, and what to do.
type Words = (&'static str, &'static str, &'static str);

const QUOTE: &str = "put the text in quotes";

/// The first one that fits counts.
const WORDS: [Words; 34] = [
    ("anchor or alias", "a text cannot begin with '*' or '&'", QUOTE),
    ("unknown anchor", "there is no anchor of this name above", "define it with '&name' above its first use"),
    ("indentation for anchor", "a name for aliases ('&') stands where none can", QUOTE),
    ("followed by a valid YAML whitespace", "a tab stands behind the ':'", "write a space instead"),
    (
        "comments must be separated",
        "a '#' stands where no text can begin",
        "put the text in quotes when the '#' is part of it; write a space before it when a comment begins",
    ),
    ("comment intercepting", "a comment stands inside of a text", "remove the comment, or put the text in quotes"),
    (
        "indentation indicator equal to 0",
        "the number behind '|' or '>' is 0",
        "leave the number out; the first line of the text tells how far it is indented",
    ),
    (
        "wrongly indented line in block scalar",
        "this line is indented otherwise than the first one of the text",
        "indent all lines of the text alike",
    ),
    ("tab", "a tab stands where only spaces may", "indent with spaces"),
    (
        "unknown escape character",
        "what stands behind the '\\' is no escape",
        "write the text in single quotes, or '\\\\' for each '\\'",
    ),
    (
        "hexadecimal number",
        "an escape in this text has too few digits",
        "write the text in single quotes, or '\\\\' for each '\\'",
    ),
    (
        "invalid Unicode character escape",
        "an escape in this text stands for no character",
        "write the text in single quotes, or '\\\\' for each '\\'",
    ),
    ("quoted scalar", NO_END, CLOSE),
    (
        "'-' indicator",
        "this line is no item of the list above",
        "begin it with '-', or indent it like the field whose list that is",
    ),
    ("expected key", "this line does not fit the fields above", "indent it like the fields beside it"),
    (
        "simple key expect",
        "a field is not complete before this",
        "write 'name: value', and put in quotes what begins with a sign, as '!' and '&'",
    ),
    ("node content", "a value is missing before this", "write one, or remove a comma"),
    ("',' or '}'", "a ',' or a '}' is missing before this", "separate fields by commas, and close what '{' opened"),
    ("',' or ']'", NO_COMMA, COMMAS),
    ("illegal placement of ':'", NO_COMMA, COMMAS),
    ("may not precede any of", "a space is missing behind the ':'", "write 'name: value'"),
    (
        "block sequence entries are not allowed",
        "a list cannot begin here",
        "write the '-' on a line of its own, below the name of the field",
    ),
    ("only valid inside a block", "no item begins with '-' inside of brackets", COMMAS),
    ("cannot start with '-'", "a text cannot begin with '-' here", QUOTE),
    ("mapping keys are not allowed", "a text cannot begin with '? '", QUOTE),
    ("misplaced bracket", "this bracket closes nothing", "remove it, or put the text in quotes when it is part of it"),
    ("document end marker", "something stands behind the '...' that ends a document", "remove what stands there"),
    (
        "<document start>",
        "something stands behind the content of the file",
        "remove it, or put all of it in quotes when it is one text",
    ),
    ("directive", "a line that begins with '%' says something to YAML's readers", "put the text in quotes"),
    ("scanning a tag", "a '!' begins a tag, and this is none", QUOTE),
    ("verbatim tag", "a '!' begins a tag, and this is none", QUOTE),
    ("parsing a tag", "a '!' begins a tag, and this is none", QUOTE),
    ("handle wasn't declared", "a '!' begins a tag, and nothing says what this one is", QUOTE),
    ("invalid indentation", "this line is indented like nothing above", "indent it like the fields or items beside it"),
];

const NO_END: &str = "a text in quotes has no end here";
const CLOSE: &str = "close it with the quote with which it begins";
const NO_COMMA: &str = "a ',' or a ']' is missing before this";
const COMMAS: &str = "separate items by commas, and close what '[' opened";
const LOOK: &str = "look at the indentation, the quotes and the colons of this line and the one above";

/// What it says, with what to do. `found` is what stands at the place.
pub(super) fn plain(info: &str, found: Option<char>) -> (Cow<'static, str>, Cow<'static, str>) {
    if let Some(character) = info.strip_prefix("unexpected character: `").and_then(|rest| rest.strip_suffix('\'')) {
        return (format!("a text cannot begin with '{character}'").into(), QUOTE.into());
    }
    if info.contains("did not find expected comment or line break")
        && let Some(mark @ ('|' | '>')) = found
    {
        let what = format!("behind '{mark}' the line has to end, since its text begins on the next one");
        let hint =
            format!("begin the text on the next line, indented; put it in quotes when the '{mark}' is part of it");
        return (what.into(), hint.into());
    }
    let known = WORDS.into_iter().find(|(part, ..)| info.contains(part));
    known.map_or_else(|| (info.to_owned().into(), LOOK.into()), |(_, what, hint)| (what.into(), hint.into()))
}
