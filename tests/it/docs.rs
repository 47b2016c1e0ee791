//! The documentation says what the program does: pages that are made from code are up to date, every
//! rule that findings carry is explained, and links in Markdown lead somewhere.

#![expect(clippy::disallowed_methods, reason = "helpers of tests may fail as tests do, and read files")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use meshwright::check;
use meshwright::face::reference;

fn top() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Compares a page with what the code makes, or writes it when `MESHWRIGHT_BLESS=1`.
fn is_made(page: &str, made: &str) {
    let path = top().join("docs").join(page);
    if std::env::var_os("MESHWRIGHT_BLESS").is_some() {
        fs::write(&path, made).unwrap();
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    let first = written.lines().zip(made.lines()).position(|(a, b)| a != b).unwrap_or(0) + 1;
    let hint = "run `MESHWRIGHT_BLESS=1 cargo test --test it docs::` and commit it";
    assert!(written == made, "docs/{page} is out of date, from line {first} on; {hint}");
}

#[test]
fn the_page_of_findings_is_the_programs_own_list() {
    is_made("findings.md", &reference::findings_page(&check::catalogue()));
}

#[test]
fn the_page_of_compatibility_is_the_programs_own_tables() {
    is_made("compatibility.md", &reference::compatibility_page(&check::contract::chapters()));
}

#[test]
fn rules_of_contracts_have_ids_of_their_own() {
    let mut seen = BTreeSet::new();
    for rule in check::contract::chapters().iter().flat_map(|chapter| chapter.rules) {
        assert!(seen.insert(rule.id), "{} stands in two tables", rule.id);
        assert!(rule.id.split_once('/').is_some() && rule.meaning.ends_with('.'), "{rule:?}");
    }
    assert!(seen.len() > 80, "the tables are found: {}", seen.len());
}

/// All files below `folder` with this ending, but for what Git does not keep.
fn files(folder: &Path, ending: &str, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if path.is_dir() {
            if !name.starts_with('.') && !["target", "cases", "node_modules"].contains(&name.as_str()) {
                files(&path, ending, found);
            }
        } else if name.ends_with(ending) {
            found.push(path);
        }
    }
}

#[test]
fn every_rule_id_in_the_code_is_explained() {
    let known: BTreeSet<&str> = check::catalogue().iter().map(|rule| rule.id).collect();
    let mut sources = Vec::new();
    files(&top().join("src"), ".rs", &mut sources);
    let mut used = BTreeSet::new();
    for path in sources {
        let text = fs::read_to_string(path).unwrap();
        // Tests make ids up.
        let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
        // Beside the constants of rules, ids stand only where they are made by hand.
        for mark in ["    id: \"", "RuleId::built_in(\""] {
            for (at, _) in text.match_indices(mark) {
                let rest = &text[at + mark.len()..];
                let id = &rest[..rest.find('"').unwrap()];
                used.insert(id.to_owned());
            }
        }
    }
    assert!(used.len() > 40, "the ids are found: {used:?}");
    let missing: Vec<&String> = used.iter().filter(|id| id.contains('/') && !known.contains(id.as_str())).collect();
    assert!(missing.is_empty(), "not in check::catalogue(), and so neither explained nor documented: {missing:?}");
    let dead: Vec<&&str> = known.iter().filter(|id| !used.contains(**id)).collect();
    assert!(dead.is_empty(), "explained, but not found in the code by this test: {dead:?}");
}

/// The targets of `[text](target)` outside code.
fn links(text: &str) -> Vec<String> {
    let mut targets = Vec::new();
    let mut in_code = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        }
        if in_code {
            continue;
        }
        let outside: String = line.split('`').step_by(2).collect::<Vec<_>>().join("x");
        for (at, _) in outside.match_indices("](") {
            let rest = &outside[at + 2..];
            if let Some(end) = rest.find(')') {
                targets.push(rest[..end].to_owned());
            }
        }
    }
    targets
}

/// The anchors that renderers give to headings.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings = text.lines().filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim());
    let anchor = |heading: &str| {
        let kept = heading.to_lowercase().replace(' ', "-");
        kept.chars().filter(|c| c.is_alphanumeric() || matches!(c, '-' | '_')).collect::<String>()
    };
    headings.map(anchor).collect()
}

#[test]
fn links_in_markdown_lead_somewhere() {
    let mut pages = Vec::new();
    files(top(), ".md", &mut pages);
    let mut dead = Vec::new();
    let mut seen = 0;
    for page in &pages {
        let text = fs::read_to_string(page).unwrap();
        for target in links(&text).into_iter().filter(|target| !target.contains("://")) {
            seen += 1;
            let (file, anchor) = target.split_once('#').unwrap_or((&target, ""));
            let path = if file.is_empty() { page.clone() } else { page.parent().unwrap().join(file) };
            let fine =
                path.exists() && (anchor.is_empty() || anchors(&fs::read_to_string(&path).unwrap()).contains(anchor));
            if !fine {
                dead.push(format!("{}: {target}", page.strip_prefix(top()).unwrap().display()));
            }
        }
    }
    assert!(seen > 20, "links are found: {seen}");
    assert_eq!(dead, Vec::<String>::new());
}

/// Every `sh` block of the tutorial, as one script. `# ends with 1` behind a line is what it must end with.
fn tutorial() -> String {
    let page = fs::read_to_string(top().join("docs/tutorial.md")).unwrap();
    let mut script = "set -e\n".to_owned();
    for block in page.split("```sh\n").skip(1) {
        for line in block.split("```").next().unwrap().lines() {
            match line.split_once("# ends with ") {
                Some((command, code)) => script.push_str(&format!(
                    "code=0; {command} || code=$?; test $code = {code} || {{ echo \"{command}: $code\" >&2; exit 99; }}\n"
                )),
                None => script.push_str(&format!("{line}\n")),
            }
        }
    }
    script
}

#[test]
fn the_tutorial_works_as_it_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let program = assert_cmd::cargo::cargo_bin!("meshwright");
    let path = std::env::var("PATH").unwrap();
    let mut command = Command::new("sh");
    command.current_dir(folder.path()).args(["-c", &tutorial()]).env_clear();
    command.env("PATH", format!("{}:{path}", program.parent().unwrap().display())).env("HOME", folder.path());
    for role in ["AUTHOR", "COMMITTER"] {
        command.env(format!("GIT_{role}_NAME"), "Reader").env(format!("GIT_{role}_EMAIL"), "reader@example.com");
    }
    let output = command.output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}");
    for promised in ["version/not-bumped", "policy/mesh.compatibility.breaking", "1 product running", "1.1.0"] {
        assert!(said.contains(promised), "{promised}: {said}");
    }
    assert!(folder.path().join("library-mesh/.meshwright/warehouse/dev_loans_v1.db").exists());
}
