//! The program itself, as people and pipelines meet it: standard output, standard error and the
//! exit code of the real binary, kept as snapshots. Every run has an empty environment and a folder
//! of its own.

#![expect(
    clippy::disallowed_methods,
    reason = "helpers of tests may fail as tests do, read files, and start the program"
)]

mod fixing;
mod hostile;
mod mistakes;
mod story;
mod versions;

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;

/// A folder that a test may write to, filled from a case.
struct Folder(TempDir);

impl Folder {
    fn empty() -> Self {
        Self(TempDir::new().unwrap())
    }

    /// A copy, so that no repository is above it.
    fn of_case(case: &Path) -> Self {
        let folder = Self::empty();
        copy(case, folder.path());
        folder
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        self.run_in("", arguments)
    }

    fn run_in(&self, inner: &str, arguments: &[&str]) -> Ran {
        let mut command = assert_cmd::cargo_bin_cmd!("meshwright");
        command.env_clear().current_dir(self.path().join(inner)).args(arguments);
        let output = command.output().unwrap();
        Ran {
            line: format!("meshwright {}", arguments.join(" ")),
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
            folder: self.path().canonicalize().unwrap(),
        }
    }
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            fs::create_dir(&target).unwrap();
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

fn cases(feature: &str) -> Vec<(String, PathBuf)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases").join(feature);
    let mut cases: Vec<(String, PathBuf)> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().into_string().unwrap(), entry.path()))
        .collect();
    cases.sort();
    assert!(!cases.is_empty());
    cases
}

/// What a run said.
struct Ran {
    line: String,
    code: i32,
    out: String,
    err: String,
    folder: PathBuf,
}

impl Ran {
    fn page(&self) -> String {
        let text = format!("$ {}\nexit {}\n-- stdout\n{}-- stderr\n{}", self.line, self.code, self.out, self.err);
        text.replace(&self.folder.display().to_string(), "[FOLDER]").replace(env!("CARGO_PKG_VERSION"), "[VERSION]")
    }

    #[track_caller]
    fn is(&self, name: &str) {
        insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!(format!("cli__{name}"), self.page());
        });
    }
}

const VERBS: [&str; 27] = [
    "",
    "demo",
    "init",
    "validate",
    "plan",
    "policy",
    "policy test",
    "reconcile",
    "serve",
    "get",
    "describe",
    "diff",
    "approve",
    "reject",
    "hold",
    "resume",
    "cancel",
    "retry",
    "explain",
    "config",
    "config schema",
    "config check",
    "schema",
    "doctor",
    "github setup",
    "completions",
    "help",
];

#[test]
fn every_verb_has_help_with_an_example() {
    let folder = Folder::empty();
    for verb in VERBS.iter().filter(|verb| **verb != "help") {
        let mut arguments: Vec<&str> = verb.split_whitespace().collect();
        arguments.push("--help");
        let ran = folder.run(&arguments);
        assert!(ran.code == 0 && ran.err.is_empty() && ran.out.contains("Example"), "{verb}");
        ran.is(&format!("help_{}", verb.replace(' ', "_")));
    }
}

#[test]
fn wrong_usage_ends_with_64_and_says_what_would_be_right() {
    let folder = Folder::empty();
    let runs: [(&str, &[&str]); 8] = [
        ("nothing", &[]),
        ("unknown_verb", &["validat"]),
        ("unknown_option", &["validate", "--ouput", "json"]),
        ("unknown_value", &["get", "produts"]),
        ("unknown_format", &["validate", "-o", "xml"]),
        ("bad_name", &["reconcile", "--source", "Not A Name"]),
        ("bad_revision", &["plan", "--source", "a", "--revision", "main"]),
        ("bad_address", &["serve", "--listen", "everywhere"]),
    ];
    for (name, arguments) in runs {
        let ran = folder.run(arguments);
        assert!(ran.code == 64 && ran.out.is_empty(), "{}", ran.page());
        ran.is(&format!("usage_{name}"));
    }
}

#[test]
fn the_version_is_said() {
    let ran = Folder::empty().run(&["--version"]);
    assert_eq!((ran.code, ran.out), (0, format!("meshwright {}\n", env!("CARGO_PKG_VERSION"))));
}

#[test]
fn validating_shows_findings_in_every_format() {
    for (case, path) in cases("validate") {
        let folder = Folder::of_case(&path);
        for format in ["text", "json", "sarif", "github", "junit"] {
            let ran = folder.run(&["validate", "-o", format]);
            assert_eq!(ran.code, i32::from(case != "good"), "{}", ran.page());
            let dangerous = |c: char| (c.is_control() && c != '\n') || matches!(c, '\u{202a}'..='\u{202e}');
            if matches!(format, "text" | "github") {
                assert!(!ran.out.contains(dangerous), "{case} {format}");
            }
            if format == "junit" {
                is_junit(&ran.out);
            }
            if format == "json" {
                is_as_published(&folder, &ran.out);
            }
            if format == "sarif" {
                let document: Value = serde_json::from_str(&ran.out).unwrap();
                is_sarif(&document);
                // All rules are in every document; one listing of them is enough.
                let mut short = document;
                short["runs"][0]["tool"]["driver"]["rules"] = Value::from("[RULES]");
                // Where a rule stands among them changes with every new rule.
                for result in short["runs"][0]["results"].as_array_mut().unwrap() {
                    result["ruleIndex"] = Value::from("[INDEX]");
                }
                let page = Ran { out: format!("{short:#}\n"), ..ran };
                page.is(&format!("validate_{case}_sarif"));
            } else {
                ran.is(&format!("validate_{case}_{format}"));
            }
        }
    }
}

/// What build servers count: every case stands in a suite, and the sums agree.
fn is_junit(text: &str) {
    let document = roxmltree::Document::parse(text).unwrap();
    let all = |name: &'static str| document.descendants().filter(move |node| node.has_tag_name(name)).count();
    let sum = |name: &str| document.root_element().attribute(name).unwrap().parse::<usize>().unwrap();
    assert_eq!((sum("tests"), sum("failures"), sum("errors")), (all("testcase"), all("failure"), all("error")));
    assert!(sum("tests") > 0);
    for suite in document.descendants().filter(|node| node.has_tag_name("testsuite")) {
        let cases = suite.children().filter(|node| node.has_tag_name("testcase")).count();
        assert_eq!(suite.attribute("tests").unwrap(), cases.to_string());
    }
}

/// Against the schema that `schema findings` prints.
fn is_as_published(folder: &Folder, text: &str) {
    let schema: Value = serde_json::from_str(&folder.run(&["schema", "findings"]).out).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let document: Value = serde_json::from_str(text).unwrap();
    let errors: Vec<String> = validator.iter_errors(&document).map(|error| error.to_string()).collect();
    assert_eq!(errors, Vec::<String>::new());
}

#[test]
fn the_schema_for_editors_takes_descriptors_as_they_are_written() {
    let folder = Folder::empty();
    let schema: Value = serde_json::from_str(&folder.run(&["schema", "dpds"]).out).unwrap();
    let validator = jsonschema::draft202012::options().build(&schema).unwrap();
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples-repo");
    let mut seen = 0;
    let mut folders = vec![top];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                folders.push(path);
            } else if name.starts_with("data-product-descriptor.") {
                let descriptor: Value = serde_yaml::from_slice(&fs::read(&path).unwrap()).unwrap();
                let errors: Vec<String> = validator.iter_errors(&descriptor).map(|error| error.to_string()).collect();
                assert_eq!(errors, Vec::<String>::new(), "{}", path.display());
                let mut typo = descriptor;
                typo["info"]["vesion"] = Value::from("1.0.0");
                assert!(!validator.is_valid(&typo));
                seen += 1;
            }
        }
    }
    assert!(seen >= 6, "{seen}");
}

/// Against the schema that OASIS publishes, and against what code scanning wants beyond it.
fn is_sarif(document: &Value) {
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/sarif/sarif-2.1.0.schema.json");
    let mut schema: Value = serde_json::from_slice(&fs::read(schema).unwrap()).unwrap();
    // The published pattern of a language has a bracket too many, and is no regular expression.
    for place in ["run", "toolComponent"] {
        let language = schema.pointer_mut(&format!("/definitions/{place}/properties/language")).unwrap();
        language.as_object_mut().unwrap().remove("pattern").unwrap();
    }
    let errors: Vec<String> = jsonschema::validator_for(&schema)
        .unwrap()
        .iter_errors(document)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert_eq!(errors, Vec::<String>::new());
    let run = &document["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    assert!(rules.iter().all(|rule| rule["help"]["text"].as_str().is_some_and(|text| !text.is_empty())));
    for result in run["results"].as_array().unwrap() {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(rules[index]["id"], result["ruleId"]);
        let place = &result["locations"][0]["physicalLocation"];
        let uri = place["artifactLocation"]["uri"].as_str().unwrap();
        assert!(!uri.starts_with('/') && !uri.contains([' ', ':', '#', '?']), "{uri}");
        assert!(place["region"]["startLine"].as_u64().unwrap() >= 1);
    }
}

#[test]
fn validating_what_is_not_there_fails() {
    let folder = Folder::of_case(&cases("validate")[0].1);
    fs::create_dir(folder.path().join("nothing")).unwrap();
    folder.run(&["validate", "nothing"]).is("validate_no_descriptor");
    folder.run(&["validate", "gone/dp.yaml"]).is("validate_no_file");
    let ran = folder.run(&["validate", "-o", "json", "nothing"]);
    let document: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!((ran.code, document["problems"].as_array().unwrap().len()), (1, 1));
}

#[test]
fn a_folder_of_a_repository_is_validated_with_all_its_files_at_hand() {
    let folder = Folder::of_case(&cases("validate").iter().find(|(name, _)| name == "mixed").unwrap().1);
    fs::create_dir(folder.path().join(".git")).unwrap();
    fs::write(folder.path().join("shared/nothing here.yaml"), "name: trips\nversion: 1.0.0\n").unwrap();
    let text = folder.run_in("a", &["validate"]).out;
    assert!(!text.contains("ref/not-found"), "the reference leads out of the folder, into the repository: {text}");
    assert!(text.contains("--> data-product-descriptor.yaml:3:9"), "paths begin where the user stands: {text}");
}

#[test]
fn configurations_are_checked() {
    for (case, path) in cases("config") {
        let ran = Folder::of_case(&path).run(&["config", "check"]);
        assert_eq!(ran.code, if case == "fine" { 0 } else { 64 }, "{}", ran.page());
        assert!(!ran.page().contains("hunter2"), "{}", ran.page());
        ran.is(&format!("config_check_{}", case.replace('-', "_")));
    }
    Folder::empty().run(&["config", "check"]).is("config_check_missing");
    Folder::empty().run(&["config", "check", "--config", "."]).is("config_check_folder");
}

#[test]
fn the_schema_describes_the_configuration_and_says_what_each_key_means() {
    let folder = Folder::empty();
    let ran = folder.run(&["config", "schema"]);
    let schema: Value = serde_json::from_str(&ran.out).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    for (case, path) in cases("config") {
        let text = fs::read_to_string(path.join("meshwright.yaml")).unwrap();
        let Ok(value) = serde_yaml::from_str::<Value>(&text) else { continue };
        let structural = ["fine"].contains(&case.as_str());
        if structural {
            assert!(validator.is_valid(&value), "{case}");
        }
        if case == "unknown-keys" || case == "empty" {
            assert!(!validator.is_valid(&value), "{case}");
        }
    }
    fn described(value: &Value, path: &str, missing: &mut Vec<String>) {
        match value {
            Value::Object(fields) => {
                for (key, property) in fields.get("properties").and_then(Value::as_object).into_iter().flatten() {
                    let whole = property.get("description").or_else(|| property.get("const"));
                    if whole.is_none()
                        && property.get("properties").is_none()
                        && !["env", "file"].contains(&key.as_str())
                    {
                        missing.push(format!("{path}/{key}"));
                    }
                }
                fields.iter().for_each(|(key, value)| described(value, &format!("{path}/{key}"), missing));
            }
            Value::Array(items) => items.iter().for_each(|value| described(value, path, missing)),
            _ => {}
        }
    }
    let mut missing = Vec::new();
    described(&schema, "", &mut missing);
    assert_eq!(missing, Vec::<String>::new());
}

#[test]
fn a_starter_is_written_checked_and_never_overwritten_unasked() {
    let folder = Folder::empty();
    folder.run(&["init", "--namespace", "com.acme"]).is("init");
    let text = fs::read_to_string(folder.path().join("meshwright.yaml")).unwrap();
    insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!("cli__init_file", text);
    });
    assert_eq!(folder.run(&["config", "check"]).code, 0);
    folder.run(&["init"]).is("init_again");
    assert_eq!(fs::read_to_string(folder.path().join("meshwright.yaml")).unwrap(), text);
    assert_eq!(folder.run(&["init", "--force", "--config", "meshwright.yaml"]).code, 0);
    folder.run(&["init", "--config", "gone/x.yaml"]).is("init_nowhere");
    let ran = folder.run(&["init", "--config", "b.yaml", "--source", "https://me:hunter2@example.com/x.git"]);
    assert!(ran.code == 64 && !ran.err.contains("hunter2"), "{}", ran.page());
    assert!(!folder.path().join("b.yaml").exists());
}

#[test]
fn rules_are_explained() {
    let folder = Folder::empty();
    folder.run(&["explain", "schema/required"]).is("explain_one");
    folder.run(&["explain", "required"]).is("explain_short");
    folder.run(&["explain", "schema/requierd"]).is("explain_near");
    folder.run(&["explain", "policy/mesh.owner"]).is("explain_policy");
    let ran = folder.run(&["explain", "-o", "json"]);
    let rules: Vec<Value> = serde_json::from_str(&ran.out).unwrap();
    assert!(ran.code == 0 && rules.len() >= 30);
    let table = folder.run(&["explain"]);
    for rule in &rules {
        let id = rule["id"].as_str().unwrap();
        assert!(table.out.contains(id), "{id}");
        for key in ["meaning", "remedy", "source"] {
            assert!(!rule[key].as_str().unwrap().trim().is_empty(), "{id} has no {key}");
        }
    }
}

#[test]
fn looking_without_a_record_says_how_to_get_one() {
    let folder = Folder::of_case(&cases("config").iter().find(|(name, _)| name == "fine").unwrap().1);
    folder.run(&["get", "products"]).is("get_no_record");
    folder.run(&["describe", "product", "x"]).is("describe_no_record");
    Folder::empty().run(&["get", "products"]).is("get_no_config");
}

#[test]
fn every_shell_gets_a_script() {
    let folder = Folder::empty();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let ran = folder.run(&["completions", shell]);
        assert!(ran.code == 0 && ran.err.is_empty() && ran.out.contains("validate"), "{shell}");
        assert!(!ran.out.contains("\u{1b}"), "{shell}");
    }
}

#[test]
fn colours_come_when_they_are_wanted() {
    let folder = Folder::of_case(&cases("validate").iter().find(|(name, _)| name == "broken").unwrap().1);
    assert!(!folder.run(&["validate"]).out.contains('\u{1b}'), "standard output is no terminal here");
    assert!(folder.run(&["validate", "--color", "always"]).out.contains('\u{1b}'));
    assert!(folder.run(&["--color=always", "validat"]).err.contains('\u{1b}'));
    assert!(!folder.run(&["validate", "--color", "always", "-o", "json"]).out.contains('\u{1b}'));
}

#[test]
fn a_reader_that_leaves_early_is_no_mistake() {
    let folder = Folder::of_case(&cases("validate").iter().find(|(name, _)| name == "good").unwrap().1);
    // The reading end is closed before anything is written.
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let status = run_into(folder.path(), writer);
    assert_eq!(status, Some(0));
}

fn run_into(folder: &Path, writer: std::io::PipeWriter) -> Option<i32> {
    let program = assert_cmd::cargo::cargo_bin!("meshwright");
    let mut command = std::process::Command::new(program);
    command.env_clear().current_dir(folder).args(["config", "schema"]).stdout(writer);
    command.status().unwrap().code()
}

#[test]
fn the_documentation_knows_every_key_and_every_verb() {
    let read = |name: &str| fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(name)).unwrap();
    let configuration = read("configuration.md");
    let schema: Value = serde_json::from_str(&Folder::empty().run(&["config", "schema"]).out).unwrap();
    fn keys(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(fields) => {
                let properties = fields.get("properties").and_then(Value::as_object);
                found.extend(properties.into_iter().flat_map(|properties| properties.keys().cloned()));
                fields.values().for_each(|value| keys(value, found));
            }
            Value::Array(items) => items.iter().for_each(|value| keys(value, found)),
            _ => {}
        }
    }
    let mut wanted = Vec::new();
    keys(&schema, &mut wanted);
    wanted.retain(|key| !configuration.contains(key.as_str()));
    assert_eq!(wanted, Vec::<String>::new(), "keys that docs/configuration.md does not name");
    let example = configuration.rsplit_once("```yaml\n").unwrap().1.split("```").next().unwrap();
    let folder = Folder::empty();
    fs::write(folder.path().join("meshwright.yaml"), example).unwrap();
    let ran = folder.run(&["config", "check"]);
    assert_eq!(ran.code, 0, "{}", ran.page());
    let cli = read("cli.md");
    let missing: Vec<&str> = VERBS.into_iter().filter(|verb| *verb != "help" && !cli.contains(verb)).collect();
    assert_eq!(missing, Vec::<&str>::new(), "verbs that docs/cli.md does not name");
}
