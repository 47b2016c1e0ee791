//! One mesh from its first commit on, as whoever runs it sees it: the examples in a real repository,
//! looked at, rolled out, broken and mended.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use super::{Ran, copy};
use crate::support::repository::TestRepository;

/// The examples as a repository with one commit.
fn mesh() -> TestRepository {
    let repository = TestRepository::new();
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("examples-repo"), repository.path());
    repository.commit(&[], "A small retail mesh");
    repository
}

fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("meshwright"));
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.current_dir(folder).args(arguments);
    command
}

/// Runs the program. What differs from run to run (ids, digests, revisions, times) is made equal,
/// without changing its length, so that columns stay where they are.
pub(super) fn run(folder: &Path, arguments: &[&str]) -> Ran {
    let output = command(folder, arguments).output().unwrap();
    Ran {
        line: format!("meshwright {}", arguments.join(" ")),
        code: output.status.code().unwrap(),
        out: steady(&String::from_utf8(output.stdout).unwrap()),
        err: steady(&String::from_utf8(output.stderr).unwrap()),
        folder: folder.canonicalize().unwrap(),
    }
}

fn steady(text: &str) -> String {
    let mut steady = String::new();
    for word in text.split_inclusive(|c: char| !c.is_ascii_alphanumeric()) {
        let (body, end) = match word.char_indices().last() {
            Some((at, last)) if !last.is_ascii_alphanumeric() => word.split_at(at),
            _ => (word, ""),
        };
        let is_hex = body.len() >= 8 && body.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f'));
        steady.push_str(&if is_hex { "x".repeat(body.len()) } else { body.to_owned() });
        steady.push_str(end);
    }
    let mut bytes = steady.into_bytes();
    // 2026-11-20T12:00:00Z
    for at in 0..bytes.len().saturating_sub(19) {
        let shape: Vec<u8> = bytes[at..at + 20].iter().map(|b| if b.is_ascii_digit() { b'0' } else { *b }).collect();
        if shape == b"0000-00-00T00:00:00Z" {
            bytes[at..at + 20].copy_from_slice(&shape);
        }
    }
    String::from_utf8(bytes).unwrap()
}

pub(super) fn json(folder: &Path, arguments: &[&str]) -> Value {
    let output = command(folder, arguments).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let value =
        if arguments.contains(&"yaml") { serde_yaml::from_str(&text).ok() } else { serde_json::from_str(&text).ok() };
    value.unwrap_or_else(|| panic!("{arguments:?}: {text}{}", String::from_utf8_lossy(&output.stderr)))
}

const KINDS: [&str; 8] =
    ["sources", "products", "versions", "containers", "activities", "reports", "events", "findings"];

#[test]
fn a_mesh_is_planned_rolled_out_looked_at_broken_and_mended() {
    let mesh = mesh();
    let folder = mesh.path();
    let revision = mesh.head().to_string();

    // Before anything is recorded.
    run(folder, &["validate"]).is("story_validate");
    run(folder, &["validate", "--policies", "shipped"]).is("story_validate_policies");
    run(folder, &["plan"]).is("story_plan");
    assert_eq!(run(folder, &["plan", "--exit-code"]).code, 2);
    assert_eq!(run(folder, &["plan", "--source", "retail", "--revision", &revision, "--exit-code"]).code, 2);
    let first = json(folder, &["plan", "-o", "json"]);
    assert_eq!(first, json(folder, &["plan", "-o", "yaml"]), "the same, and the same again");
    assert_eq!(first["plans"][0]["plan"]["activities"].as_array().unwrap().len(), 12);
    run(folder, &["get", "products"]).is("story_get_too_early");
    run(folder, &["plan", "--source", "retial"]).is("story_unknown_source");
    assert_eq!(run(folder, &["reconcile", "--source", "retial"]).code, 64);

    // Rolled out. The log on standard error has its own order.
    let reconciled = run(folder, &["reconcile"]);
    Ran { err: String::new(), ..reconciled }.is("story_reconcile");
    let again = run(folder, &["reconcile"]);
    assert!(again.code == 0 && !again.err.contains("rolling out"), "{}", again.page());
    assert_eq!(run(folder, &["plan", "--exit-code"]).code, 0);
    run(folder, &["plan"]).is("story_plan_nothing");
    run(folder, &["diff"]).is("story_diff_nothing");

    // Looked at.
    for kind in KINDS {
        let ran = run(folder, &["get", kind]);
        assert_eq!(ran.code, 0, "{}", ran.page());
        // Which of two rollouts ends first is not said.
        if !["activities", "events"].contains(&kind) {
            ran.is(&format!("story_get_{kind}"));
        }
        let rows = json(folder, &["get", kind, "-o", "json"]);
        assert_eq!(rows, json(folder, &["get", kind, "-o", "yaml"]), "{kind}");
        assert_eq!(rows.as_array().unwrap().is_empty(), kind == "findings", "{kind}");
    }
    let activities = json(folder, &["get", "activities", "--product", "dailySales", "-o", "json"]);
    assert_eq!(activities.as_array().unwrap().len(), 2);
    let activity = activities.as_array().unwrap().iter().find(|row| row["stage"] == "dev").unwrap();
    run(folder, &["describe", "product", "dailySales"]).is("story_describe_product");
    run(folder, &["describe", "version", "dailySales@1.0.0"]).is("story_describe_version");
    run(folder, &["describe", "source", "retail"]).is("story_describe_source");
    let described = run(folder, &["describe", "activity", activity["activity"].as_str().unwrap()]);
    assert!(described.code == 0 && described.out.contains("publish"), "{}", described.page());
    run(folder, &["describe", "product", "dailySale"]).is("story_describe_near");
    for (kind, name) in [("product", "orders"), ("version", "orders@1.0.0"), ("source", "retail")] {
        let document = json(folder, &["describe", kind, name, "-o", "json"]);
        assert_eq!(document, json(folder, &["describe", kind, name, "-o", "yaml"]), "{kind}");
    }

    // A compatible change.
    let path = "sales/dailySales/data-product-descriptor.yaml";
    let text = fs::read_to_string(mesh.file(path)).unwrap();
    let changed = text.replace("\n  version: 1.0.0\n", "\n  version: 1.0.1\n").replace("for the stores", "for stores");
    mesh.commit(&[(path, &changed)], "Words");
    run(folder, &["diff"]).is("story_diff");
    assert_eq!(run(folder, &["reconcile"]).code, 0);

    // Broken: refused at the line, and what runs goes on.
    let broken =
        changed.replace("  displayName: Daily sales\n", "  displayNmae: Daily sales\n").replace("owner:", "ownr:");
    mesh.commit(&[(path, &broken)], "A slip");
    let refused = run(folder, &["reconcile"]);
    assert_eq!(refused.code, 1);
    Ran { err: String::new(), ..refused }.is("story_reconcile_broken");
    run(folder, &["plan"]).is("story_plan_broken");
    run(folder, &["get", "findings"]).is("story_get_findings_broken");
    let containers = json(folder, &["get", "containers", "--product", "dailySales", "-o", "json"]);
    assert!(containers.as_array().unwrap().iter().all(|row| row["version"] == "1.0.1"), "{containers}");

    // Mended.
    mesh.commit(&[(path, &changed)], "Mended");
    assert_eq!(run(folder, &["reconcile"]).code, 0);
}

#[test]
fn policies_are_tested_and_what_fails_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies");
    let fine = run(folder.path(), &["policy", "test", shipped.to_str().unwrap()]);
    assert!(fine.code == 0 && fine.out.contains("passed"), "{}", fine.page());
    let results = json(folder.path(), &["policy", "test", "-o", "json"]);
    assert!(results.to_string().contains("passed"), "without a folder, the shipped ones: {results}");

    fs::create_dir(folder.path().join("policies")).unwrap();
    let policy =
        "package mesh.names\n\ndeny contains \"no name\" if not input.afterState.dataProductVersion.info.name\n";
    fs::write(folder.path().join("policies/names.rego"), policy).unwrap();
    run(folder.path(), &["policy", "test", "policies"]).is("story_policy_no_tests");
    let test = "package mesh.names_test\n\nimport data.mesh.names\n\n\
                test_a_name_is_wanted if count(names.deny) == 1 with input as {}\n\n\
                test_wrong if count(names.deny) == 7 with input as {}\n";
    fs::write(folder.path().join("policies/names_test.rego"), test).unwrap();
    run(folder.path(), &["policy", "test", "policies"]).is("story_policy_failing");
    run(folder.path(), &["policy", "test", "gone"]).is("story_policy_no_folder");
}

#[test]
fn looking_goes_on_while_a_daemon_serves_and_a_second_writer_is_refused() {
    let mesh = mesh();
    let folder = mesh.path();
    let log = fs::File::create(folder.join("log")).unwrap();
    let mut daemon = command(folder, &["serve", "--listen", "127.0.0.1:0", "--log-format", "json"]);
    let mut daemon = daemon.stdout(Stdio::null()).stderr(log).spawn().unwrap();
    let begun = std::time::Instant::now();
    let running = loop {
        let output = command(folder, &["get", "containers", "-o", "json"]).output().unwrap();
        let rows: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        let running = rows.as_array().map_or(0, Vec::len);
        if running == 12 || begun.elapsed() > std::time::Duration::from_secs(90) {
            break running;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    };
    let second = run(folder, &["reconcile"]);
    daemon.kill().unwrap();
    daemon.wait().unwrap();
    assert_eq!(running, 12);
    assert!(second.code == 1 && second.err.contains("error:"), "{}", second.page());
    let err = second.err.replace(&format!("(process {})", daemon.id()), "(process [PID])");
    Ran { out: String::new(), err, ..second }.is("story_second_writer");

    // Every line of the log is one object, and says what it is about.
    let log = fs::read_to_string(folder.join("log")).unwrap();
    let mut rollouts = 0;
    for line in log.lines() {
        let line: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert!(line["timestamp"].is_string() && line["level"].is_string() && line["message"].is_string(), "{line}");
        match line["message"].as_str().unwrap() {
            "plan recorded" => assert!(line["source"] == "retail" && line["revision"].is_string(), "{line}"),
            "rolling out" => {
                assert!(line["activity"].as_str().unwrap().starts_with("act-"), "{line}");
                assert!(line["source"] == "retail" && line["revision"].is_string(), "{line}");
                rollouts += 1;
            }
            _ => {}
        }
    }
    assert_eq!(rollouts, 12);
}
