//! Real descriptors, judged by us and by the specification's own JSON Schema. Each difference is
//! named and explained in `tests/cases/corpus/differences.tsv`; an explanation for what does not
//! differ (any more) fails as well.
//!
//! The corpus lies beside the repository (`../shared/corpus`) or where `MESHWRIGHT_CORPUS` says.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use meshwright::check::{Settings, assess};
use meshwright::domain::descriptor::{Compatibility, Leniency};
use meshwright::domain::finding::Finding;
use meshwright::domain::id::RepoPath;

use crate::support::memory_tree::MemoryTree;

fn corpus() -> Option<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus");
    let folder = std::env::var_os("MESHWRIGHT_CORPUS").map_or(here, PathBuf::from);
    if folder.join("verdicts.tsv").is_file() {
        return Some(folder);
    }
    // It cannot be installed, so it is required only of whoever says that it is there.
    assert!(std::env::var_os("MESHWRIGHT_CORPUS").is_none(), "{} has no verdicts.tsv", folder.display());
    eprintln!("SKIPPED: the corpus is not at {}", folder.display());
    None
}

#[expect(clippy::disallowed_methods, reason = "tests read their own cases")]
fn rows(file: &Path) -> Vec<Vec<String>> {
    let text = std::fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let lines = text.lines().skip(1).filter(|line| !line.is_empty());
    lines.map(|line| line.split('\t').map(str::to_owned).collect()).collect()
}

/// Our verdict: the rules of the errors, or `valid`.
fn verdict(findings: &[Finding]) -> String {
    let mut rules: Vec<&str> = findings.iter().filter(|it| it.is_error()).map(|it| it.rule.as_str()).collect();
    rules.sort_unstable();
    rules.dedup();
    if rules.is_empty() { "valid".to_owned() } else { rules.join(" ") }
}

#[test]
fn each_difference_to_the_specifications_schema_is_explained() {
    let Some(corpus) = corpus() else { return };
    let table = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/corpus/differences.tsv");
    let mut explained: BTreeMap<String, (String, String)> = BTreeMap::new();
    for row in rows(&table) {
        let [descriptor, verdict, reason] = row.as_slice() else { panic!("three columns: {row:?}") };
        assert!(reason.len() > 20, "{descriptor}: say why");
        explained.insert(descriptor.clone(), (verdict.clone(), reason.clone()));
    }
    let tree = MemoryTree::of_folder(&corpus);
    let mut wrong = Vec::new();
    let mut count = 0;
    for row in rows(&corpus.join("verdicts.tsv")) {
        let (descriptor, theirs_is_valid) = (&row[0], row[1] == "0");
        let path: RepoPath = descriptor.parse().unwrap();
        let assessment = assess(&tree, &path, &Settings::default());
        let ours = verdict(&assessment.findings);
        count += 1;
        if std::env::var_os("MESHWRIGHT_PRINT").is_some() {
            for it in &assessment.findings {
                eprintln!(
                    "{} {} {} {} | {} | {:?}",
                    it.rule,
                    it.severity.as_str(),
                    it.location,
                    it.pointer,
                    it.message,
                    it.hint
                );
            }
        }
        let differs = (ours == "valid") != theirs_is_valid;
        match explained.remove(descriptor) {
            None if differs => wrong.push(format!("{descriptor}: not explained\t{ours}")),
            None => {}
            Some(_) if !differs => wrong.push(format!("{descriptor}: explained, and does not differ")),
            Some((verdict, _)) if verdict != ours => {
                wrong.push(format!("{descriptor}: explained for '{verdict}', and is\t{ours}"));
            }
            Some(_) => {}
        }
    }
    wrong.extend(explained.keys().map(|descriptor| format!("{descriptor}: explained, and not in the corpus")));
    assert!(count > 10, "the corpus has descriptors");
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// With every switch on, what is left is wrong in any form.
#[test]
fn older_forms_are_let_in_and_only_what_is_wrong_in_any_form_is_left() {
    let Some(corpus) = corpus() else { return };
    let accept = Leniency::Accept;
    let compatibility = Compatibility {
        slashless_references: accept,
        explicit_nulls: accept,
        unnamed_templates: accept,
        executors_in_braces: accept,
        odm_identity: accept,
    };
    let settings = Settings { compatibility, ..Settings::default() };
    let tree = MemoryTree::of_folder(&corpus);
    let mut left: Vec<String> = Vec::new();
    for row in rows(&corpus.join("verdicts.tsv")) {
        let assessment = assess(&tree, &row[0].parse().unwrap(), &settings);
        let verdict = verdict(&assessment.findings);
        if verdict != "valid" {
            left.push(format!("{}\t{verdict}", row[0]));
        }
    }
    let table = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/corpus/wrong_in_any_form.tsv");
    let expected: Vec<String> = rows(&table).iter().map(|row| format!("{}\t{}", row[0], row[1])).collect();
    assert_eq!(left, expected, "\n{}", left.join("\n"));
}
