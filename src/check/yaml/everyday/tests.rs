//! What is read here comes out as the full parser reads it, value by value and place by place.

use std::path::Path;

use proptest::prelude::*;

use super::super::{Document, events};
use super::read;

/// Whether the text was of the everyday kind; if so, the full parser must say just the same.
fn is_read_alike(text: &str) -> bool {
    let Some(ours) = read(text) else { return false };
    let (theirs, problems) = events::read(text);
    assert!(problems.is_empty(), "there is something to say: {problems:?}\n{text}");
    let theirs = theirs.unwrap_or_else(|| panic!("the full parser finds no content\n{text}"));
    let written = |document: &Document| serde_json::to_string_pretty(&document.value).unwrap();
    assert_eq!(written(&ours), written(&theirs), "{text}");
    assert_eq!(ours.located.keys, theirs.located.keys, "{text}");
    for (ours, theirs) in ours.located.places.iter().zip(&theirs.located.places) {
        assert_eq!(format!("{ours:?}"), format!("{theirs:?}"), "{text}");
    }
    assert_eq!(ours.located.places.len(), theirs.located.places.len(), "{text}");
    assert_eq!(ours.has_references, theirs.has_references, "{text}");
    true
}

#[test]
fn the_everyday_kind() {
    for text in [
        "a: b\n",
        "# first\n\n---\na: b # c\n",
        "a:\n  b: 1\n  c: [x, 'y', {z: \"w\"}]\nd: {}\ne: []\n",
        "a:\n- b\n- c: d\n  e: f\n-\n  g: h\n- - i\n  - j\nk: l\n",
        "a: |\n  b\n    c\n\n  d\n\n\ne: >\n  f\n  g\n\n  h\ni: |-\n  j\n# k\n",
        "a: {b: c,\n    d: [e,\n  f]}\n",
        "'a': \"\\\"\\\\\\n\\t\\/\"\n\"b\" : 'it''s'\n",
        "a: http://x:80/y#z\nb: -1\nc: a, b [c] {d} 'e' \"f\"\nd: x: y\n".split("\nd: x").next().unwrap(),
        "é: ü # ö\nß: [ä, 'ö', 中文]\n",
        "- a\n-   b:   c   \n    d: e",
        "a: {\"b\":1, 'c':[2]}\n",
        "$ref: '#/a'\n",
        "a:\nb:   # c\nd:\n-\n  e:\nf: {g, h: , i:, 'j' , k : }\nl: {m}\nn:",
    ] {
        assert!(is_read_alike(text), "left to the full parser:\n{text}");
    }
}

#[test]
fn what_goes_beyond_is_left_to_the_full_parser() {
    for text in [
        "",
        "a",
        "a: &b c",
        "a: *b",
        "a: !b c",
        "a: b\n  c",
        "a: \"b\n  c\"",
        "a:\tb",
        "a: b\r\n",
        "a: 1 # x\rb: 2\n",
        "--- a: b\n",
        "--- {a: b}\n",
        "--- # x\na: b\n",
        "a: b\n---\tc: d\n",
        "? a",
        "a: b\n---\nc: d",
        "a: b\n...\n",
        "%YAML 1.2\n---\na: b",
        "a: b: c",
        "a: - b",
        "a: [b: c]",
        "a: [b,]",
        "a: |2\n  b\n",
        "a: |\n\n  b\n",
        "a: >\n  b\n    c\n",
        "a: |\n  b",
        "a: b\na: c\n",
        "1: a",
        "<<: a",
        "a: .nan",
        "a: \"\\x41\"",
        "a: \"\\0\"",
        "a: 'b' c",
        "a: {b: c} d",
        "- a\n-\n",
        "  a: b\n c: d\n",
        "[a]",
        "a: @b",
        "\u{FEFF}a: b",
        "a: \u{85}",
        "a: [\nb]\n",
        "a: ''#b\n",
        "a: no\n",
        "a: [0123]\n",
        "a: {b: 1_000}\n",
        "- 1:30\n",
        "on: a\n",
        "version: 1.10\n",
    ] {
        assert!(read(text).is_none(), "{text:?}");
    }
}

#[test]
fn the_project_s_own_files_are_read_alike() {
    let mut alike = 0;
    for folder in ["tests/cases", "examples-repo", "demo", "deploy", "policies"] {
        visit(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), &mut |text| {
            alike += usize::from(is_read_alike(text));
        });
    }
    assert!(alike >= 20, "only {alike} files are of the everyday kind");
}

#[expect(clippy::disallowed_methods, reason = "the project's own files are the test's input")]
fn visit(folder: &Path, look: &mut dyn FnMut(&str)) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            visit(&path, look);
        } else if path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml")
            && let Ok(text) = std::fs::read_to_string(&path)
        {
            look(&text);
        }
    }
}

/// Pieces of lines, in the middle of YAML and at its edges.
const PIECES: &[&str] = &[
    "a: b",
    "b:",
    "c: 1",
    "- c",
    "- d: e",
    "-",
    "- - f",
    "-   g",
    "- h:",
    "f: {a: 1, b: [x, y]}",
    "g: [1, 2,",
    "3]",
    "]",
    "h: {i: j,",
    "k: l}",
    "}",
    "h: |",
    "h: |-",
    "h: >",
    "i: >-",
    "- |",
    "- >",
    "text # none",
    "text",
    "# comment",
    " # c",
    "",
    " ",
    "j: 'it''s'",
    "k: \"q\\n\\\"\"",
    "l: a # c",
    "m: a#b",
    "n: http://x:80/y",
    "\"o\": 1",
    "'p' : 2",
    "p : 2",
    "q: - r",
    "s: -1",
    "- -1",
    "w: [a, {b: c}]",
    "x: é ü # ö",
    "é: [ü, 'ö', ä]",
    "? z",
    "z: &a b",
    "*a",
    "!t u",
    "---",
    "...",
    "%x",
    "{a: b}: c",
    "[a]: b",
    "a:b",
    "null: 1",
    "<<: x",
    "$ref: '#/a'",
    "c: {\"d\":1}",
    "e: [a: b]",
    "f: {a, b}",
    "g: [a, ]",
    "f: {a:, b: , 'c', d : }",
    "f: {a:[b]}",
    "f: {a: , }",
    "f: {a,",
    "f: {\"a\" # b",
    "x: | # c",
    "x: a: b",
    "y: a\tb",
    "y: ''",
    "y: \"\"",
    "- ''",
    "- {}",
    "- []",
    "- {a: b, c: {d: [e]}}",
    "r: 'a: b # c'",
    "r: a 'b' \"c\"",
    "r: a, b",
    "t: ~",
    "t: null",
    "t: 1.0",
    "t: 0x1F",
    "t: no",
    "t: 'no'",
    "- 0123",
    "t: [1_000, \"1_000\", 1:30, 2024-06-01]",
    "on: {off: 1e3}",
    "version: 1.10",
    "'version': 1.0",
    "version: '1.10'",
    "u: \"x\" # c",
    "u: \"x\"# c",
    "u: {a: b} # c",
    "u: [a]# c",
    "v: a:",
    "v: {a: b:c}",
    "v: [a:b]",
    "v: [-1, - 1]",
    "v: [?a, :b]",
    "v: a  # c",
    "- - - a",
    "- a: |",
    "- a: - b",
    "\"a b\": c",
    "a b: c",
    "a  b:  c  ",
    "-a: b",
    "--- a",
    "--- ",
    "x: ---",
    "x: [a b , c ]",
    "x: { a : b }",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 4096, failure_persistence: None, ..ProptestConfig::default() })]

    /// Nearly all of these are broken in some way; what is wrong must not be taken for everyday.
    #[test]
    fn made_up_lines_are_read_alike(
        lines in prop::collection::vec((0_usize..7, 0..PIECES.len()), 1..9),
        ends in any::<bool>(),
    ) {
        let mut text = lines.iter().map(|(indent, piece)| format!("{:indent$}{}", "", PIECES[*piece])).collect::<Vec<_>>().join("\n");
        if ends {
            text.push('\n');
        }
        is_read_alike(&text);
    }

    /// Lines that fit below each other more often than by chance.
    #[test]
    fn made_up_blocks_are_read_alike(lines in prop::collection::vec((-2_isize..2, 0..PIECES.len()), 1..14)) {
        let (mut indent, mut text) = (0_usize, String::new());
        for (step, piece) in lines {
            indent = indent.saturating_add_signed(step.max(-1) * 2).min(8);
            if step == -2 {
                indent = 0;
            }
            text.push_str(&format!("{:indent$}{}\n", "", PIECES[piece]));
        }
        is_read_alike(&text);
    }

    /// Any characters at all, from those that mean something.
    #[test]
    fn made_up_characters_are_read_alike(text in "[a-c0 :\\-#\\[\\]{},'\"|>\r\n\\\\.&*!?%é]{0,40}") {
        is_read_alike(&text);
    }
}
