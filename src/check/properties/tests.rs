//! What fuzzing left behind, run again: `tests/fuzz/README.md` says how it came there.
#![expect(clippy::disallowed_methods, reason = "the inputs are files of the project")]

use std::path::Path;

/// Runs a property over each input of its corpus, and over each that it did not hold of once.
fn over_all(target: &str, property: fn(&[u8]), at_least: usize) {
    let mut inputs = 0;
    for folder in ["corpus", "regressions"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz").join(folder).join(target);
        for entry in std::fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            // Shown where it fails.
            eprintln!("{}", path.display());
            property(&std::fs::read(&path).unwrap());
            inputs += 1;
        }
    }
    assert!(inputs >= at_least, "{target}: there are {inputs} inputs");
}

#[test]
fn of_the_loader() {
    over_all("loader", super::loader, 100);
}

#[test]
fn of_the_resolver() {
    over_all("resolver", super::resolver, 50);
}

#[test]
fn of_the_canonical_form() {
    over_all("canonical", super::canonical, 50);
}

#[test]
fn of_the_differ() {
    over_all("differ", super::differ, 100);
}
