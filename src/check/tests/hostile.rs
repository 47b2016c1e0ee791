//! Whatever is thrown at it, checking ends with findings, and what comes out is whole.

use proptest::prelude::*;
use serde_json::Value;

use super::samples::{JSON, YAML, pieces};
use super::{Files, assert_parallel};
use crate::check::yaml::{self, Syntax};

/// Everything that has a meaning in YAML or JSON, and some of what has none.
const TOKENS: &[&str] = &[
    "a",
    "b",
    "é",
    "1",
    "0",
    "-1",
    "1.5",
    "1e999",
    "true",
    "null",
    "~",
    ".nan",
    "$ref",
    "#/a",
    "d.yaml",
    "p.json#/b",
    "<<",
    ":",
    ": ",
    "- ",
    "? ",
    ", ",
    ",",
    "[",
    "]",
    "{",
    "}",
    "\n",
    "\n  ",
    "\n    ",
    "\n ",
    " ",
    "\t",
    "\r\n",
    "\r",
    "&a ",
    "*a",
    "&b ",
    "*b ",
    "!!str ",
    "!x ",
    "! ",
    "!!binary ",
    "'",
    "\"",
    "\\",
    "\\u00e9",
    "\\ud83d",
    "\\x41",
    "|\n",
    ">\n",
    "|2-\n",
    ">+\n",
    "#",
    " # c\n",
    "---",
    "---\n",
    "...\n",
    "%YAML 1.2\n",
    "%TAG ! x:\n",
    "@",
    "`",
    "\u{FEFF}",
    "\u{85}",
    "\u{2028}",
    "\0",
    "dataProductDescriptor: 1.0.0\n",
    "info:\n",
    "definition:",
    "components:",
    "x-",
];

fn soup() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(TOKENS), 0..60).prop_map(|tokens| tokens.concat())
}

/// A text with a few places overwritten, removed, doubled or filled with tokens.
fn mutated(text: &'static str) -> impl Strategy<Value = String> {
    let mutation = (any::<prop::sample::Index>(), 0..30usize, 0..4u8, prop::sample::select(TOKENS));
    prop::collection::vec(mutation, 0..6).prop_map(move |mutations| {
        let mut characters: Vec<char> = text.chars().collect();
        for (at, length, kind, token) in mutations {
            let from = at.index(characters.len() + 1);
            let to = (from + length).min(characters.len());
            let new: Vec<char> = match kind {
                0 => Vec::new(),
                1 => [&characters[from..to], &characters[from..to]].concat(),
                _ => token.chars().collect(),
            };
            let to = if kind == 3 { from } else { to };
            characters.splice(from..to, new);
        }
        characters.into_iter().collect()
    })
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (-1e15..1e15).prop_map(Value::from),
        "[^\u{0}-\u{1F}\u{7F}-\u{9F}\u{FEFF}\u{FFFE}\u{FFFF}]{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::hash_map("[a-zé$ :~/#-]{0,8}", inner, 0..5)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

fn check(files: &Files, path: &str) {
    let assessment = files.assess(path);
    let errors = assessment.findings.iter().any(|it| it.is_error());
    assert_eq!(assessment.descriptor.is_none(), errors);
    for finding in &assessment.findings {
        assert!(finding.location.line > 0 && finding.location.column > 0, "{finding:?}");
        assert!(assessment.files.contains(&finding.location.file), "{finding:?}");
        assessment.locate(&finding.pointer);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let files = Files::default().with("d.yaml", &bytes).with("d.json", &bytes);
        check(&files, "d.yaml");
        check(&files, "d.json");
    }

    #[test]
    fn any_text(text in "\\PC{0,80}") {
        let files = Files::default().with("d.yaml", &text).with("d.json", &text);
        check(&files, "d.yaml");
        check(&files, "d.json");
    }

    #[test]
    fn any_tokens(text in soup(), other in soup()) {
        let files = Files::default().with("d.yaml", &text).with("d.json", &text).with("p.json", &other);
        check(&files, "d.yaml");
        check(&files, "d.json");
        for syntax in [Syntax::Yaml, Syntax::Json] {
            let (document, problems) = yaml::read(text.as_bytes(), syntax);
            match document {
                Some(document) => assert_parallel(&document.value, &document.located, 0),
                None => prop_assert!(!problems.is_empty()),
            }
        }
    }

    #[test]
    fn any_change_to_a_good_descriptor(in_yaml in mutated(YAML), in_json in mutated(JSON)) {
        let files = Files::default().with("d.yaml", in_yaml).with("d.json", in_json);
        check(&files, "d.yaml");
        check(&files, "d.json");
    }

    #[test]
    fn any_change_to_pieces(root in mutated(super::samples::PIECES), port in mutated("name: trips\nversion: 1.1.0\npromises: { $ref: '#/promises' }\n")) {
        check(&pieces().with("p/d.yaml", root).with("p/parts/ports.yaml", port), "p/d.yaml");
    }

    /// What JSON's own library takes, ours takes with the same content, and the other way round.
    #[test]
    fn json_is_read_as_its_library_reads_it(text in prop_oneof![soup(), mutated(JSON)]) {
        let (ours, problems) = yaml::read(text.as_bytes(), Syntax::Json);
        match (serde_json::from_str::<Value>(&text), ours) {
            (Ok(theirs), Some(ours)) if problems.is_empty() => prop_assert_eq!(theirs, ours.value),
            (Ok(_), _) => prop_assert!(!problems.is_empty()),
            // Numbers out of range end their reading and not ours, which goes on with a finding.
            (Err(error), Some(_)) => {
                prop_assert!(problems.iter().any(|it| it.rule.id == "syntax/number") || text.starts_with('\u{FEFF}'), "{}", error);
            }
            (Err(_), None) => {}
        }
    }

    /// JSON is YAML: written out, any content is read the same by both readers.
    #[test]
    fn both_readers_agree_on_json(value in any_json(), pretty in any::<bool>()) {
        let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) }.unwrap();
        for syntax in [Syntax::Json, Syntax::Yaml] {
            let (document, problems) = yaml::read(text.as_bytes(), syntax);
            let problems: Vec<String> = problems.iter().map(|it| format!("{} {:?} {}", it.rule.id, it.mark, it.message)).collect();
            prop_assert!(problems.is_empty(), "{:?} {} {:?}", syntax, text, problems);
            prop_assert_eq!(&document.unwrap().value, &value, "{:?} {}", syntax, text);
        }
    }
}
