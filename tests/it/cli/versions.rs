//! Which version a change requires, from a commit to the finding on the `version:` line: one product
//! whose contract changes from commit to commit.

use std::path::Path;

use serde_json::{Value, json};

use super::Ran;
use super::story::{json, run};
use crate::support::repository::TestRepository;

const ROOT: &str = "trips/data-product-descriptor.yaml";
const CONTRACT: &str = "trips/api.json";
const CONFIGURATION: &str = "\
mesh: { namespace: com.example }
state: sqlite://.meshwright/state.db
sources: [{ name: fleet, url: ., branch: main }]
stages: [{ name: dev }]
policies: [{ path: policies }]
";
const POLICY: &str = include_str!("../../../policies/compatibility.rego");

fn descriptor(version: &str, more: &str) -> String {
    format!(
        "dataProductDescriptor: 1.0.0
info:
  name: trips
  version: {version}
  domain: fleet
  owner: {{ id: fleet@example.com }}
interfaceComponents:
  outputPorts:
    - name: trips
      version: 1.0.0
      promises:
        api: {{ name: trips, version: 1.0.0, specification: DataStoreApi, definition: {{ $ref: api.json }} }}
{more}internalComponents:
  lifecycleInfo: {{ dev: [{{}}] }}
"
    )
}

fn contract(columns: &[(&str, &str)]) -> String {
    let columns: Vec<Value> = columns.iter().map(|(name, of)| json!({"name": name, "dataType": of})).collect();
    let definition = json!({"datastoreapi": "1.0.0", "schema": {"tables": [{"name": "trip", "columns": columns}]}});
    format!("{definition:#}\n")
}

const ALL: [(&str, &str); 3] = [("id", "INTEGER"), ("fare", "DECIMAL(10,2)"), ("driver", "TEXT")];

struct Mesh(TestRepository);

impl Mesh {
    /// One product, recorded and running under this version.
    fn running(version: &str) -> Self {
        let mesh = Self(TestRepository::new());
        let files = [
            ("meshwright.yaml", CONFIGURATION),
            ("policies/compatibility.rego", POLICY),
            (".gitignore", ".meshwright/\n"),
        ];
        mesh.0.commit(&files, "A mesh");
        mesh.commit(&descriptor(version, ""), &contract(&ALL));
        let ran = run(mesh.folder(), &["reconcile"]);
        assert_eq!(ran.code, 0, "{}", ran.page());
        mesh
    }

    fn folder(&self) -> &Path {
        self.0.path()
    }

    fn commit(&self, descriptor: &str, contract: &str) {
        self.0.commit(&[(ROOT, descriptor), (CONTRACT, contract)], "A change");
    }

    /// What is found and what became of the ports, when this is the next commit.
    fn told(&self, descriptor: &str, contract: &str) -> (Vec<String>, Value) {
        self.commit(descriptor, contract);
        let planned = &json(self.folder(), &["plan", "-o", "json"])["plans"][0];
        let findings = planned["findings"].as_array().unwrap().iter();
        let is_wanted = |rule: &str| rule.starts_with("version/") && rule != "version/port-major";
        let findings = findings.filter(|finding| is_wanted(finding["rule"].as_str().unwrap()));
        let line = |finding: &Value| {
            let (place, text) = (&finding["location"], |field: &str| finding[field].as_str().unwrap().to_owned());
            let at = format!("{}:{}:{}", place["file"].as_str().unwrap(), place["line"], place["column"]);
            format!("{} {} {at} | {} | {}", text("severity"), text("rule"), text("message"), text("hint"))
        };
        let changes = planned["plan"]["changes"].as_array().unwrap();
        let told = changes.iter().find_map(|change| change.get("compatibility")).unwrap();
        (findings.map(line).collect(), told.clone())
    }
}

#[test]
fn a_breaking_change_needs_a_new_major_version() {
    let mesh = Mesh::running("1.2.0");
    let (findings, told) = mesh.told(&descriptor("1.3.0", ""), &contract(&ALL[..1]));
    let hint = "raise it at least to 2.0.0: outputPorts.trips: tables.trip.columns.fare: the column 'fare' is gone \
                [datastore/column-removed]; outputPorts.trips: tables.trip.columns.driver: the column 'driver' is gone \
                [datastore/column-removed]";
    let message = "version 1.3.0 is too low after 1.2.0: what changed breaks those who rely on it";
    assert_eq!(findings, [format!("warning version/too-low {ROOT}:4:12 | {message} | {hint}")]);
    assert_eq!((told["compatibility"].as_str(), told["required"].as_str()), (Some("breaking"), Some("2.0.0")));
    let reason = &told["ports"][0]["reasons"][0];
    assert_eq!(reason["location"]["file"], CONTRACT);
    assert_eq!(reason["pointer"], "/interfaceComponents/outputPorts/0/promises/api/definition/schema/tables/0/columns");
    run(mesh.folder(), &["plan"]).is("versions_plan");
    run(mesh.folder(), &["diff"]).is("versions_diff");
    // With the version that it requires, it is another major, and nothing is said.
    let (findings, told) = mesh.told(&descriptor("2.0.0", ""), &contract(&ALL[..1]));
    assert_eq!((findings.len(), told["required"].as_str()), (0, Some("2.0.0")), "{findings:?}");
}

/// What is said of DDL and of a `.proto` file stands at the column and the field that are meant, in a file of their own
/// and inside of the descriptor.
#[test]
fn what_breaks_in_a_text_is_told_at_its_line() {
    const DDL: &str =
        "-- trips of vans\nCREATE TABLE trip (\n  id INTEGER NOT NULL,\n  fare DECIMAL(10, 2) NOT NULL\n);\n";
    const PROTO: &str = "syntax = \"proto3\";\n\nmessage Trip {\n  string id = 1;\n  int32 fare = 2;\n}\n";
    let page = |version: &str, proto: &str| {
        let inner: String = proto.lines().map(|line| format!("            {line}\n")).collect();
        let events = "    - name: events
      version: 1.0.0
      promises:
        api:
          name: events
          version: 1.0.0
          specification: protobuf
          definition: |
";
        let descriptor = descriptor(version, &format!("{events}{inner}"));
        descriptor.replace("DataStoreApi, definition: { $ref: api.json }", "sql, definition: { $ref: trips.sql }")
    };
    let mesh = TestRepository::new();
    let settings = [("meshwright.yaml", CONFIGURATION), ("policies/compatibility.rego", POLICY)];
    mesh.commit(&settings, "A mesh");
    mesh.commit(&[(ROOT, &page("1.2.0", PROTO)), ("trips/trips.sql", DDL)], "Contracts in texts");
    assert_eq!(run(mesh.path(), &["reconcile"]).code, 0);
    let (ddl, proto) = (DDL.replace("(10, 2) NOT NULL", "(10, 2)"), PROTO.replace("int32", "string"));
    let after = page("1.3.0", &proto);
    mesh.commit(&[(ROOT, &after), ("trips/trips.sql", &ddl)], "Columns and fields change");

    let planned = &json(mesh.path(), &["plan", "-o", "json"])["plans"][0];
    let changed = planned["plan"]["changes"].as_array().unwrap();
    let told = changed.iter().find_map(|change| change.get("compatibility")).unwrap();
    let line = 1 + after.lines().position(|line| line.contains("string fare")).unwrap();
    let place = |of: &Value| format!("{}:{}:{}", of["file"].as_str().unwrap(), of["line"], of["column"]);
    let expected = ["trips/trips.sql:4:3".to_owned(), format!("{ROOT}:{line}:22")];
    let ports = told["ports"].as_array().unwrap();
    let reasons: Vec<_> = ports.iter().map(|port| place(&port["reasons"][0]["location"])).collect();
    assert_eq!(reasons, expected, "{told:#}");
    let findings = planned["findings"].as_array().unwrap().iter();
    let refused = findings.filter(|finding| finding["rule"] == "policy/mesh.compatibility.breaking");
    let mut refused: Vec<_> = refused.map(|finding| place(&finding["location"])).collect();
    refused.sort_by_key(|place| !place.contains("sql"));
    assert_eq!(refused, expected, "{planned:#}");
}

/// The file goes back to a major before, under a number that never was. Two majors side by side, each in
/// its own file, are none of this.
#[test]
fn a_version_goes_back_over_majors_too() {
    let mesh = Mesh::running("2.1.0");
    mesh.commit(&descriptor("1.3.0", ""), &contract(&ALL));
    let planned = &json(mesh.folder(), &["plan", "-o", "json"])["plans"][0];
    let findings = planned["findings"].as_array().unwrap();
    let back: Vec<_> = findings.iter().filter(|finding| finding["rule"] == "version/went-back").collect();
    assert_eq!(back.len(), 1, "{findings:?}");
    assert_eq!(back[0]["message"], "version 1.3.0 is lower than 2.1.0, which is recorded");
    assert_eq!((&back[0]["location"]["file"], &back[0]["location"]["line"]), (&json!(ROOT), &json!(4)));

    let beside = Mesh::running("2.1.0");
    beside
        .0
        .commit(&[("v1/data-product-descriptor.yaml", &descriptor("1.3.0", "").replace("$ref", "x-ref"))], "Beside it");
    let planned = &json(beside.folder(), &["plan", "-o", "json"])["plans"][0];
    assert!(!planned["findings"].to_string().contains("version/went-back"), "{planned}");
}

#[test]
fn steps_that_are_too_small_and_those_that_are_not() {
    let more = [&ALL[..], &[("currency", "TEXT")]].concat();
    let narrower = [("id", "SMALLINT"), ALL[1], ALL[2]];
    let extended = "      x-replicas: 2\n";
    let described = "      description: All trips\n";
    let cases = [
        ("1.2.0", "1.2.1", "", contract(&more), "version/too-low", "compatible", "1.3.0"),
        ("1.2.0", "1.3.0", "", contract(&narrower), "", "compatible", "1.3.0"),
        ("1.2.0", "1.2.1", described, contract(&ALL), "", "identical", "1.2.1"),
        ("1.2.0", "1.2.1", extended, contract(&ALL), "version/too-low", "unknown", "1.3.0"),
        ("1.2.0", "1.3.0", extended, contract(&ALL), "version/perhaps-too-low", "unknown", "1.3.0"),
        ("1.2.0", "1.2.0", extended, contract(&ALL), "version/not-bumped", "unknown", "1.3.0"),
        ("1.2.0", "1.1.0", described, contract(&ALL), "version/went-back", "identical", "1.2.1"),
        ("0.2.0", "0.2.1", "", contract(&ALL[..2]), "version/too-low", "breaking", "0.3.0"),
        ("0.2.0", "0.3.0", "", contract(&ALL[..2]), "", "breaking", "0.3.0"),
        ("0.2.0", "0.2.1", "", contract(&more), "", "compatible", "0.2.1"),
        ("0.2.0", "0.2.1", extended, contract(&ALL), "version/too-low", "unknown", "0.3.0"),
        ("0.2.0", "0.3.0", extended, contract(&ALL), "", "unknown", "0.3.0"),
    ];
    let mut recorded: Vec<(&str, Mesh)> = Vec::new();
    for (from, to, more, contract, rule, compatibility, required) in cases {
        if !recorded.iter().any(|(version, _)| *version == from) {
            recorded.push((from, Mesh::running(from)));
        }
        let (_, mesh) = recorded.iter().find(|(version, _)| *version == from).unwrap();
        let (findings, told) = mesh.told(&descriptor(to, more), &contract);
        let rules: Vec<&str> = findings.iter().map(|line| line.split(' ').nth(1).unwrap()).collect();
        assert_eq!(rules, if rule.is_empty() { vec![] } else { vec![rule] }, "{from} {to} {findings:?}");
        assert!(findings.iter().all(|line| line.contains(&format!(" {ROOT}:4:12 "))), "{findings:?}");
        assert_eq!(told["compatibility"], compatibility, "{from} {to} {told}");
        assert_eq!(told["required"], required, "{from} {to} {told}");
    }
    let Ran { out, .. } = run(recorded[0].1.folder(), &["diff"]);
    assert!(out.contains("(updated, ports identical)"), "{out}");
}
