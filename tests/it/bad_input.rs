//! Bad input, of every kind that anybody thought of: a finding at the right place, and the others
//! go on.
//!
//! Each folder of `tests/cases/descriptor` is a small repository with an `expected.txt`: one line
//! for each finding. With `MESHWRIGHT_UPDATE_CASES=1` the lines are written instead of compared;
//! then they have to be read.

use std::path::{Path, PathBuf};

use meshwright::check::{Assessment, Settings, assess, assess_all, catalogue, discover};
use meshwright::domain::finding::Finding;
use meshwright::domain::id::RepoPath;
use meshwright::port::tree::{EntryKind, Tree};

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

fn settings() -> Settings {
    Settings { namespace: Some("com.example".parse().unwrap()), ..Settings::default() }
}

/// The descriptors of a tree, and all that was found.
fn check(tree: &MemoryTree) -> (Vec<Assessment>, Vec<Finding>) {
    let discovery = discover(&tree.list(None).unwrap(), &[ROOTS.to_owned()]);
    let assessments = assess_all(tree, &discovery.roots, &settings());
    assessments.iter().for_each(sane);
    let findings = assessments.iter().flat_map(|it| &it.findings).cloned();
    let findings = discovery.findings.into_iter().chain(findings).collect();
    (assessments, findings)
}

/// What every assessment has to keep to, whatever it is about.
fn sane(assessment: &Assessment) {
    let errors = assessment.findings.iter().any(Finding::is_error);
    assert_eq!(assessment.descriptor.is_none(), errors, "{}", assessment.path);
    assert_eq!(assessment.files.first(), Some(&assessment.path));
    for finding in &assessment.findings {
        assert!(finding.location.line > 0 && finding.location.column > 0, "{finding:?}");
        assert!(assessment.files.contains(&finding.location.file), "{finding:?}");
        // Words to follow, and not a sentence.
        let is_hint = |hint: &String| !hint.is_empty() && !hint.ends_with('.') && !hint.starts_with(char::is_uppercase);
        assert!(finding.hint.as_ref().is_some_and(is_hint), "{finding:?}");
        assert!(!finding.message.ends_with('.') && !finding.message.contains('\n'), "{finding:?}");
        let known = catalogue();
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
        let (assessments, findings) = check(&tree);
        assert!(!assessments.is_empty(), "{} has no descriptor", case.display());
        let mut lines: Vec<String> = findings.iter().map(line).collect();
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

const MINIMAL: &str = "dataProductDescriptor: 1.0.0
info: { name: trips, version: 1.2.0, domain: transport, owner: { id: team@example.com } }
interfaceComponents: { outputPorts: [] }
";

const ROOT: &str = "data-product-descriptor.yaml";

/// The rules that a descriptor breaks, in order, each once.
fn rules_of(text: impl AsRef<[u8]>) -> Vec<String> {
    rules_in(&MemoryTree::new().with(ROOT, text))
}

fn rules_in(tree: &MemoryTree) -> Vec<String> {
    let assessment = assess(tree, &ROOT.parse::<RepoPath>().unwrap(), &settings());
    sane(&assessment);
    let mut rules: Vec<String> = assessment.findings.iter().map(|it| it.rule.to_string()).collect();
    rules.dedup();
    rules
}

#[test]
fn nesting_of_every_kind_has_a_limit_and_no_end_in_a_stack_overflow() {
    let deep = 20_000;
    let sixty = |open: &str, close: &str| format!("{MINIMAL}x-a: {}{}", open.repeat(60), close.repeat(60));
    assert_eq!(rules_of(sixty("[", "]")), Vec::<String>::new());
    assert_eq!(rules_of(sixty("{a: ", "}")), Vec::<String>::new());
    for nested in [
        "[".repeat(deep),
        "[".repeat(100) + &"]".repeat(100),
        "{a: ".repeat(deep),
        "- ".repeat(deep),
        "? ".repeat(deep),
        "[{".repeat(deep),
        (0..1_000).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect(),
        (0..1_000).map(|depth| format!("{}-\n", " ".repeat(depth))).collect(),
    ] {
        for text in [nested.clone(), format!("{MINIMAL}x-a: {nested}"), format!("{MINIMAL}x-a:\n  {nested}")] {
            let rules = rules_of(&text);
            let known = ["syntax/too-deep", "syntax/yaml", "syntax/complex-key"];
            assert!(rules.len() == 1 && known.contains(&rules[0].as_str()), "{text:.40}: {rules:?}");
        }
    }
    for nested in ["[".repeat(deep), "{\"a\":".repeat(deep), "[".repeat(65) + &"]".repeat(65)] {
        let tree = MemoryTree::new().with("data-product-descriptor.json", nested);
        let (_, findings) = check(&tree);
        assert_eq!(findings.iter().map(|it| it.rule.as_str()).collect::<Vec<_>>(), ["syntax/too-deep"]);
    }
}

#[test]
fn files_that_are_too_large_are_not_read_and_the_limit_is_named() {
    let tree = MemoryTree::new().with(ROOT, vec![b' '; 50 * 1024 * 1024]);
    let (_, findings) = check(&tree);
    assert_eq!(line(&findings[0]), format!("syntax/too-large {ROOT}:1:1 - error"));
    assert!(findings[0].message.contains("52428800") && findings[0].message.contains("1048576"));
    let port = "interfaceComponents: { outputPorts: [{ $ref: port.yaml }] }";
    let root = MINIMAL.replace("interfaceComponents: { outputPorts: [] }", port);
    let tree = MemoryTree::new().with(ROOT, root).with("port.yaml", vec![b'#'; 1024 * 1024 + 1]);
    let (_, findings) = check(&tree);
    assert_eq!(line(&findings[0]), format!("syntax/too-large {ROOT}:3:46 /interfaceComponents/outputPorts/0 error"));
}

#[test]
fn aliases_that_multiply_are_refused() {
    let mut lists = String::from("x-a: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..=20 {
        let alias = format!("*a{}", level - 1);
        lists += &format!("x-a{level}: &a{level} [{}]\n", [alias.as_str(); 10].join(", "));
    }
    assert_eq!(rules_of(format!("{MINIMAL}{lists}")), ["syntax/alias-bomb"]);
    let text = "x".repeat(100_000);
    let texts = format!("{MINIMAL}x-a: &a {text}\nx-b: [{}]\n", ["*a"; 1000].join(", "));
    assert_eq!(rules_of(texts), ["syntax/alias-bomb"]);
    let mut chain = String::from("x-0: &a0 [x]\n");
    for level in 1..=100 {
        chain += &format!("x-{level}: &a{level} [*a{}]\n", level - 1);
    }
    assert_eq!(rules_of(format!("{MINIMAL}{chain}")), ["syntax/too-deep"]);
    let anchors: String = (0..2_000).map(|it| format!("&a{it} [")).collect();
    assert_eq!(rules_of(format!("{MINIMAL}x-a: {anchors}")), ["syntax/too-deep"]);
}

#[test]
fn references_that_multiply_are_refused() {
    let ports = |count: usize, what: &str| {
        let items = vec![format!("{{ $ref: {what} }}"); count].join(", ");
        MINIMAL.replace("outputPorts: []", &format!("outputPorts: [{items}]"))
    };
    // Each file references the next ten times: 10^9 values.
    let mut tree = MemoryTree::new().with(ROOT, ports(10, "f0.json"));
    for level in 0..9 {
        let inner = vec![format!("{{\"$ref\": \"f{}.json\"}}", level + 1); 10].join(", ");
        tree = tree.with(&format!("f{level}.json"), format!("{{\"x\": [{inner}]}}"));
    }
    let rules = rules_in(&tree.with("f9.json", "{}"));
    assert_eq!(rules, ["ref/too-many-values"]);
    // A large text, again and again.
    let api = "{ name: tripsApi, version: 1.0.0, specification: sql, definition: { $ref: large.sql } }";
    let port =
        format!("{{ name: trips, version: 1.0.0, promises: {{ api: {api}, slo: {api}, deprecationPolicy: {api} }} }}");
    let tree = MemoryTree::new().with(ROOT, ports(4, "port.yaml")).with("port.yaml", port);
    assert!(rules_in(&tree.with("large.sql", vec![b'x'; 1_000_000])).contains(&"ref/too-many-bytes".to_owned()));
    // A chain.
    let mut tree = MemoryTree::new().with(ROOT, ports(1, "f0.json"));
    for level in 0..40 {
        tree = tree.with(&format!("f{level}.json"), format!("{{\"$ref\": \"f{}.json\"}}", level + 1));
    }
    assert_eq!(rules_in(&tree.with("f40.json", "{}")), ["ref/too-deep"]);
    // Many files, small and large.
    let files = |count: usize, bytes: usize| {
        let items: Vec<String> = (0..count).map(|it| format!("{{ $ref: f{it}.yaml }}")).collect();
        let root = MINIMAL.replace("outputPorts: []", &format!("outputPorts: [{}]", items.join(", ")));
        (0..count).fold(MemoryTree::new().with(ROOT, root), |tree, it| {
            tree.with(&format!("f{it}.yaml"), format!("{{ name: p{it}, version: 1.0.0 }}\n{}", "#".repeat(bytes)))
        })
    };
    assert_eq!(rules_in(&files(199, 0)), Vec::<String>::new());
    assert_eq!(rules_in(&files(202, 0)), ["ref/too-many-files"]);
    assert_eq!(rules_in(&files(9, 1_000_000)), ["ref/too-many-bytes"]);
}

#[test]
fn links_and_submodules_are_not_followed() {
    let ports =
        "outputPorts: [{ $ref: link.yaml }, { $ref: folder/port.yaml }, { $ref: sub/port.yaml }, { $ref: sub }]";
    let tree = MemoryTree::new()
        .with(ROOT, MINIMAL.replace("outputPorts: []", ports))
        .with_other("link.yaml", EntryKind::Symlink)
        .with_other("folder", EntryKind::Symlink)
        .with_other("sub", EntryKind::Submodule)
        .with_other("l/data-product-descriptor.yaml", EntryKind::Symlink);
    let (assessments, findings) = check(&tree);
    let rules: Vec<&str> = findings.iter().map(|it| it.rule.as_str()).collect();
    assert_eq!(rules, ["discover/link", "ref/link", "ref/link", "ref/submodule", "ref/submodule"]);
    let files: Vec<&str> = assessments[0].files.iter().map(RepoPath::as_str).collect();
    assert_eq!(files, [ROOT, "link.yaml", "folder/port.yaml", "sub/port.yaml", "sub"]);
    for (path, rule) in [("l/data-product-descriptor.yaml", "file/link"), ("nowhere.yaml", "file/unreadable")] {
        let assessment = assess(&tree, &path.parse().unwrap(), &settings());
        sane(&assessment);
        assert_eq!(assessment.findings[0].rule.as_str(), rule);
        assert_eq!(assessment.locate("/info").to_string(), format!("{path}:1:1"));
    }
}

#[test]
fn more_findings_than_anybody_reads_are_cut() {
    let fields: String = (0..5_000).map(|it| format!("field{it}: 1\n")).collect();
    let ports = (0..2_000).map(|it| format!("- {{ name: port-{it} }}")).collect::<Vec<_>>().join("\n    ");
    let many = MINIMAL.replace("{ outputPorts: [] }", &format!("\n  outputPorts:\n    {ports}\n{fields}"));
    let tree = MemoryTree::new().with(ROOT, many);
    let (_, findings) = check(&tree);
    assert_eq!(findings.len(), 501);
    assert_eq!(findings[0].rule.as_str(), "document/too-many-findings");
    assert!(findings[1..].iter().all(Finding::is_error), "errors are kept before warnings");
}

#[test]
fn many_warnings_do_not_hide_an_error() {
    let contacts: String = (0..1_000).map(|it| format!("    - {{ name: a{it}, colour: red }}\n")).collect();
    let many = format!(
        "dataProductDescriptor: 1.0.0\ninfo:\n  contactPoints:\n{contacts}  name: trips\n  version: 1.0.0\n  domain: d\n  \
         owner: {{ id: x }}\ninterfaceComponents: {{ outputPorts: [] }}\n"
    );
    assert_eq!(rules_of(&many), ["document/too-many-findings", "schema/unknown-field"]);
    assert_eq!(
        rules_of(many.replace("domain: d", "domain: 1")),
        ["document/too-many-findings", "schema/unknown-field", "schema/type"]
    );
    let codes: String = (100..600).map(|code| format!("  {code}: ok\n")).collect();
    let rules = rules_of(format!("{MINIMAL}x-codes:\n{codes}  same: 1\n  same: 2\n"));
    assert_eq!(rules, ["syntax/key-not-text", "syntax/duplicate-key"]);
}
