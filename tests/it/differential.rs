//! Made-up descriptors, judged by us and by others: by the specification's own JSON Schemas, from which
//! we differ in named classes only (`tests/cases/differential/classes.tsv`), and, as far as our own JSON
//! Schema goes, by another validator, from which we do not differ at all.
//!
//! `MESHWRIGHT_DIFFERENTIAL_CASES` makes more than the usual few hundred, `MESHWRIGHT_DIFFERENTIAL_SEED`
//! others.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use jsonschema::error::ValidationErrorKind;
use jsonschema::{ValidationError, Validator};
use meshwright::check::{Settings, assess, dpds_schema};
use serde_json::{Value, json};

use crate::support::descriptors::{NAMESPACE, ROOT, made_up, tree_of};
use crate::support::npm;

fn number(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).map_or(otherwise, |text| text.parse().expect("a number"))
}

fn descriptors() -> Vec<Value> {
    let count = number("MESHWRIGHT_DIFFERENTIAL_CASES", 1000);
    made_up(usize::try_from(count).unwrap(), number("MESHWRIGHT_DIFFERENTIAL_SEED", 1))
}

#[expect(clippy::disallowed_methods, reason = "tests read their own cases")]
fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The specification's schemas: of the release, and of the draft.
fn oracles() -> Option<[Validator; 2]> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/reference/dpds");
    let folder = std::env::var_os("MESHWRIGHT_DPDS_SCHEMAS").map_or(here, PathBuf::from);
    if !folder.join("schema-1.0.0.json").is_file() {
        // They cannot be installed, so they are required only of whoever says that they are there.
        assert!(std::env::var_os("MESHWRIGHT_DPDS_SCHEMAS").is_none(), "{} has no schemas", folder.display());
        eprintln!("SKIPPED: the specification's schemas are not at {}", folder.display());
        return None;
    }
    Some(["schema-1.0.0.json", "schema-1.0.0-DRAFT.json"].map(|name| {
        let schema: Value = serde_json::from_str(&read(&folder.join(name))).unwrap();
        // As everybody uses them: formats are not asserted.
        jsonschema::draft202012::options().should_validate_formats(false).build(&schema).unwrap()
    }))
}

/// A kind of difference that is known.
struct Class {
    name: String,
    /// Who refuses: `we`, `they`, or `they-draft` where only the draft's schema does.
    who: String,
    /// Our rule, or all of a family (`ref/*`); or the keyword of their schema.
    what: String,
    /// A pointer in which `*` is one step and a last `**` all further ones.
    place: String,
}

impl Class {
    fn explains(&self, who: &str, what: &str, place: &str) -> bool {
        let is_what = match self.what.strip_suffix('*') {
            Some(family) => what.starts_with(family),
            None => what == self.what,
        };
        (self.who == who || (self.who == "they" && who == "they-draft")) && is_what && matches_place(&self.place, place)
    }
}

fn matches_place(pattern: &str, place: &str) -> bool {
    let (mut steps, mut given) = (pattern.split('/'), place.split('/'));
    loop {
        match (steps.next(), given.next()) {
            (Some("**"), _) | (None, None) => return true,
            (Some("*"), Some(_)) => {}
            (Some(step), Some(here)) if step == here => {}
            _ => return false,
        }
    }
}

fn classes() -> Vec<Class> {
    let table = read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/differential/classes.tsv"));
    let rows = table.lines().skip(1).filter(|line| !line.is_empty());
    rows.map(|row| {
        let columns: Vec<&str> = row.split('\t').collect();
        let [name, who, what, place, reason] = columns.as_slice() else { panic!("five columns: {row}") };
        assert!(reason.len() > 20 && ["we", "they", "they-draft"].contains(who), "{row}");
        Class { name: (*name).into(), who: (*who).into(), what: (*what).into(), place: (*place).into() }
    })
    .collect()
}

/// Whether a reference stands on the way to a place: what is behind it, a schema alone cannot see.
fn is_behind_reference(descriptor: &Value, pointer: &str) -> bool {
    let mut at = descriptor;
    for step in pointer.split('/').skip(1) {
        if at.get("$ref").is_some_and(Value::is_string) {
            return true;
        }
        let step = step.replace("~1", "/").replace("~0", "~");
        match at.get(&step).or_else(|| at.get(step.parse::<usize>().ok()?)) {
            Some(next) => at = next,
            None => return false,
        }
    }
    at.get("$ref").is_some_and(Value::is_string)
}

/// Why an error is one: the keyword and the place behind a `oneOf`, which has an arm for a reference and
/// one for the part itself. `both` are errors because both arms agree.
fn leaves(error: &ValidationError<'_>) -> Vec<(String, String)> {
    let here = |what: &str| vec![(what.to_owned(), error.instance_path().to_string())];
    match error.kind() {
        ValidationErrorKind::OneOfMultipleValid { .. } => here("both"),
        ValidationErrorKind::OneOfNotValid { context } => {
            let arm = if error.instance().get("$ref").is_some() { context.first() } else { context.last() };
            arm.into_iter().flatten().flat_map(leaves).collect()
        }
        kind => here(kind.keyword()),
    }
}

/// One right descriptor, and one change in each that shows a class which is seldom met by chance.
fn examples() -> Vec<Value> {
    let right = json!({
        "dataProductDescriptor": "1.0.0",
        "info": {
            "fullyQualifiedName": "urn:dpds:com.example:dataproducts:orders:1",
            "name": "orders", "version": "1.0.0", "domain": "sales", "owner": {"id": "a"},
        },
        "interfaceComponents": {"outputPorts": [{"name": "orders", "version": "1.0.0"}]},
        "internalComponents": {
            "lifecycleInfo": {"dev": [{"order": 1, "service": {"$href": "x"}, "configurations": {}}]},
            "applicationComponents": [{"name": "loader", "version": "1.0.0", "dependsOn": [], "deployInfo": {}}],
        },
    });
    let task = "/internalComponents/lifecycleInfo/dev/0";
    let loader = "/internalComponents/applicationComponents/0";
    let port = "/interfaceComponents/outputPorts/0";
    [
        ("/dataProductDescriptor".to_owned(), json!("2.0.0")),
        ("/dataProductDescriptor".to_owned(), json!("1.0.0-DRAFT")),
        ("/info/owner/id".to_owned(), json!("")),
        (port.to_owned(), json!({"$ref": "nowhere.json"})),
        (port.to_owned(), json!({"$ref": "port.json", "mediaType": 5})),
        (port.to_owned(), json!({"$ref": "port.json", "name": "beside", "version": "1.0.0"})),
        (format!("{task}/order"), json!(1.5)),
        (format!("{task}/order"), json!(1.0)),
        (format!("{task}/order"), json!(-3)),
        (format!("{task}/service/$href"), json!("a b")),
        (format!("{task}/configurations"), json!({"$ref": "port.json"})),
        (format!("{loader}/dependsOn"), json!(["urn:dpds:com.example:dataproducts:orders:1:applications:gone"])),
        (format!("{loader}/deployInfo"), json!({"template": 3})),
    ]
    .into_iter()
    .map(|(pointer, value)| {
        let mut changed = right.clone();
        *changed.pointer_mut(&pointer).unwrap() = value;
        changed
    })
    .collect()
}

#[test]
fn every_difference_to_the_specifications_schemas_is_of_a_known_class() {
    let Some([released, draft]) = oracles() else { return };
    let classes = classes();
    let settings = Settings { namespace: Some(NAMESPACE.parse().unwrap()), ..Settings::default() };
    let mut seen = BTreeSet::new();
    // Each once, with how often it is met and one that shows it.
    let mut unknown: BTreeMap<String, (usize, String)> = BTreeMap::new();
    let (mut both_take, mut both_refuse, mut differ) = (0, 0, 0);
    for descriptor in descriptors().into_iter().chain(examples()) {
        let is_draft = descriptor["dataProductDescriptor"] == "1.0.0-DRAFT";
        let oracle = if is_draft { &draft } else { &released };
        let assessment = assess(&tree_of(&descriptor), &ROOT.parse().unwrap(), &settings);
        let ours: Vec<_> = assessment.findings.iter().filter(|finding| finding.is_error()).collect();
        let theirs: Vec<_> = oracle.iter_errors(&descriptor).collect();
        let they = if is_draft { "they-draft" } else { "they" };
        let reasons: Vec<(&str, String, String)> = match (ours.is_empty(), theirs.is_empty()) {
            (true, true) => {
                both_take += 1;
                continue;
            }
            (false, false) => {
                both_refuse += 1;
                continue;
            }
            (false, true) => ours
                .iter()
                .map(|finding| {
                    let behind = if is_behind_reference(&descriptor, &finding.pointer) { "$ref" } else { "" };
                    ("we", finding.rule.to_string(), format!("{behind}{}", finding.pointer))
                })
                .collect(),
            (true, false) => theirs.iter().flat_map(leaves).map(|(what, place)| (they, what, place)).collect(),
        };
        differ += 1;
        for (who, what, place) in reasons {
            let class = classes.iter().find(|class| class.explains(who, &what, &place));
            match class {
                Some(class) => {
                    seen.insert(class.name.clone());
                }
                None => {
                    let steps = place.split('/').map(|step| if step.parse::<usize>().is_ok() { "*" } else { step });
                    let kind = format!("{who}\t{what}\t{}", steps.collect::<Vec<_>>().join("/"));
                    unknown.entry(kind).or_insert_with(|| (0, descriptor.to_string())).0 += 1;
                }
            }
        }
    }
    eprintln!("{both_take} are taken by both, {both_refuse} refused by both, {differ} differ");
    let unknown: Vec<String> =
        unknown.into_iter().map(|(kind, (count, example))| format!("{count} times\t{kind}\n    {example}")).collect();
    assert!(unknown.is_empty(), "not explained:\n{}", unknown.join("\n"));
    assert!(both_take > 50 && both_refuse > 50 && differ > 50, "all three happen");
    let never: Vec<_> = classes.iter().filter(|class| !seen.contains(&class.name)).map(|class| &class.name).collect();
    assert!(never.is_empty(), "explained, and never seen: {never:?}");
}

/// What is right by construction is taken, so the generator is no generator of broken ones only.
#[test]
fn the_same_seed_makes_the_same_descriptors() {
    assert_eq!(made_up(20, 3), made_up(20, 3));
    assert_ne!(made_up(20, 3), made_up(20, 4));
}

/// Asks ajv. `None` when it is not there.
fn ajv(draft: &str, schema: &Value, documents: &[Value]) -> Option<(Vec<bool>, Vec<Option<String>>)> {
    npm::package("ajv")?;
    npm::package("ajv-formats")?;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/npm");
    let question = json!({"draft": draft, "schema": schema, "documents": documents}).to_string();
    #[expect(clippy::disallowed_methods, reason = "the test asks another program")]
    let child = Command::new("node")
        .arg("validate.mjs")
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let mut child = child.expect("node is there where its packages are");
    child.stdin.take().unwrap().write_all(question.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "ajv cannot use the schema");
    let mut answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    let verdicts = serde_json::from_value(answer["verdicts"].take()).unwrap();
    Some((verdicts, serde_json::from_value(answer["errors"].take()).unwrap()))
}

/// The schema that editors use is another author's validator's as well.
#[test]
fn ajv_judges_by_our_schema_as_we_do() {
    let schema = dpds_schema();
    let own = jsonschema::draft202012::options().should_validate_formats(true).build(&schema).unwrap();
    let documents = descriptors();
    let Some((verdicts, errors)) = ajv("2020-12", &schema, &documents) else { return };
    let (mut wrong, mut taken) = (Vec::new(), 0);
    for ((document, theirs), error) in documents.iter().zip(&verdicts).zip(errors) {
        taken += usize::from(*theirs);
        if own.is_valid(document) != *theirs {
            wrong.push(format!("ajv: {}\n{document}", error.unwrap_or_else(|| "takes it".to_owned())));
        }
    }
    assert_eq!(verdicts.len(), documents.len());
    assert!(taken > 50 && verdicts.len() - taken > 50, "{taken} of {} are taken", verdicts.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The schema that OASIS publishes, by another author's validator.
#[test]
#[expect(clippy::disallowed_methods, reason = "tests read their own cases")]
fn ajv_takes_our_sarif() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let schema = std::fs::read(top.join("tests/data/sarif/sarif-2.1.0.schema.json")).unwrap();
    let mut schema: Value = serde_json::from_slice(&schema).unwrap();
    // The published pattern of a language has a bracket too many, and is no regular expression.
    for place in ["run", "toolComponent"] {
        let language = schema.pointer_mut(&format!("/definitions/{place}/properties/language")).unwrap();
        language.as_object_mut().unwrap().remove("pattern").unwrap();
    }
    let documents: Vec<Value> = ["broken", "good", "mixed", "hostile"]
        .into_iter()
        .map(|case| {
            let output = assert_cmd::cargo_bin_cmd!("meshwright")
                .env_clear()
                .current_dir(top.join("tests/cases/validate").join(case))
                .args(["validate", "-o", "sarif"])
                .output()
                .unwrap();
            serde_json::from_slice(&output.stdout).unwrap()
        })
        .chain([json!({"version": "2.1.0", "runs": [{"results": []}]})])
        .collect();
    let Some((verdicts, errors)) = ajv("07", &schema, &documents) else { return };
    assert_eq!(verdicts, [true, true, true, true, false], "{errors:?}");
}
