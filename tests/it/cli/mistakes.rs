//! Mistakes that people make in descriptors, and what they read about them. Each folder of
//! `tests/cases/mistakes` is one, with what `validate` says in `expected.txt`. With
//! `MESHWRIGHT_UPDATE_CASES=1` it is written instead of compared; then it has to be read, as by somebody
//! who wants to know what to do.

use std::fs;

use super::{Folder, cases};

#[test]
fn each_mistake_is_told_once_with_what_to_do() {
    let update = std::env::var_os("MESHWRIGHT_UPDATE_CASES").is_some();
    let mut wrong = Vec::new();
    let cases = cases("mistakes");
    for (name, path) in &cases {
        let ran = Folder::of_case(path).run(&["validate", "--namespace", "com.acme"]);
        assert!(ran.code == 0 || ran.code == 1, "{name}: {}", ran.page());
        // On standard error stands only what is the same for all.
        let said = format!("{}exit {}\n", ran.out, ran.code);
        let expected = path.join("expected.txt");
        if update {
            fs::write(&expected, &said).unwrap();
        } else if fs::read_to_string(&expected).unwrap_or_default() != said {
            wrong.push(format!("--- {name}\n{said}"));
        }
    }
    assert!(cases.len() >= 40, "{}", cases.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_hint_ends_with_a_full_stop() {
    for (name, path) in cases("mistakes") {
        let text = fs::read_to_string(path.join("expected.txt")).unwrap();
        let bad = text.lines().filter(|line| line.contains("= hint:") && line.ends_with('.'));
        assert_eq!(bad.collect::<Vec<_>>(), Vec::<&str>::new(), "{name}");
        // Whatever refuses says what to do.
        assert_eq!(
            text.matches("error[").count() + text.matches("warning[").count(),
            text.matches("= hint:").count(),
            "{name}"
        );
    }
}
