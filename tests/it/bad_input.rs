//! Bad input, of every kind that anybody thought of: a finding at the right place, and the others
//! go on.
//!
//! Each folder of `tests/cases/descriptor` is a small repository with an `expected.txt`: one line
//! for each finding. With `MESHWRIGHT_UPDATE_CASES=1` the lines are written instead of compared;
//! then they have to be read.

use std::path::{Path, PathBuf};

use meshwright::check::{Assessment, Settings, assess, assess_all, discover};
use meshwright::domain::finding::Finding;
use meshwright::domain::id::RepoPath;
use meshwright::port::tree::Tree;

use crate::support::memory_tree::MemoryTree;

const ROOTS: &str = "**/data-product-descriptor.{yaml,yml,json}";

fn cases() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/descriptor")
}

/// One line for a finding, as `expected.txt` has them.
fn line(finding: &Finding) -> String {
    let pointer = if finding.pointer.is_empty() { "-" } else { &finding.pointer };
    format!("{} {} {pointer} {}", finding.rule, finding.location, finding.severity.as_str())
}

fn check(tree: &MemoryTree) -> Vec<Assessment> {
    let listing = tree.list(None).unwrap();
    let discovery = discover(&listing, &[ROOTS.to_owned()]);
    let settings = Settings { namespace: Some("com.example".parse().unwrap()) };
    assess_all(tree, &discovery.roots, &settings)
}

/// What every assessment has to keep to, whatever it is about.
fn sane(assessment: &Assessment) {
    let errors = assessment.findings.iter().any(Finding::is_error);
    assert_eq!(assessment.descriptor.is_none(), errors, "{}", assessment.path);
    assert_eq!(assessment.files.first(), Some(&assessment.path));
    for finding in &assessment.findings {
        assert!(finding.location.line > 0 && finding.location.column > 0, "{finding:?}");
        assert!(assessment.files.contains(&finding.location.file), "{finding:?}");
        assert!(finding.hint.as_ref().is_some_and(|hint| !hint.is_empty()), "{finding:?}");
        assert!(!finding.message.ends_with('.') && !finding.message.contains('\n'), "{finding:?}");
        let known = meshwright::check::catalogue();
        let rule = known.iter().find(|rule| rule.id == finding.rule.as_str()).expect("the rule is in the catalogue");
        assert_eq!(rule.severity, finding.severity, "{finding:?}");
    }
}

#[test]
#[expect(clippy::disallowed_methods, reason = "tests read their own cases, and write them when asked to")]
fn each_case_has_the_findings_it_expects() {
    let update = std::env::var_os("MESHWRIGHT_UPDATE_CASES").is_some();
    let mut wrong = Vec::new();
    let mut count = 0;
    for case in std::fs::read_dir(cases()).unwrap() {
        let case = case.unwrap().path();
        count += 1;
        let tree = MemoryTree::of_folder(&case);
        let assessments = check(&tree);
        assert!(!assessments.is_empty(), "{} has no descriptor", case.display());
        assessments.iter().for_each(sane);
        let mut lines: Vec<String> = assessments.iter().flat_map(|it| &it.findings).map(line).collect();
        lines.push(String::new());
        let lines = lines.join("\n");
        let expected = case.join("expected.txt");
        if update {
            std::fs::write(&expected, &lines).unwrap();
        }
        let expected = std::fs::read_to_string(&expected).unwrap_or_default();
        if lines != expected {
            wrong.push(format!("--- {}\nexpected:\n{expected}\nfound:\n{lines}", case.display()));
        }
    }
    assert!(count > 30, "the cases are there");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
