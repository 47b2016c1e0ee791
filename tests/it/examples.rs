//! The products of `examples-repo/`: their build scripts make what their ports describe, and the
//! changes of `demo/` are what the demo says they are. The rows that are expected stand in
//! `tests/cases/examples/`.
#![expect(
    clippy::disallowed_methods,
    reason = "the test reads the example's files and runs its scripts, as the executors do"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use meshwright::check::contract;
use meshwright::config::Config;
use meshwright::domain::change::{Impact, compare};
use meshwright::domain::compat::Compatibility;
use meshwright::domain::descriptor::Descriptor;
use serde_json::Value;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A product of a copy of the example.
struct Product {
    folder: PathBuf,
    descriptor: Descriptor,
}

/// Reads a YAML or JSON file and puts what its references name into their places.
fn resolved(file: &Path) -> Value {
    let text = fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let content: Value = serde_yaml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    resolve(&content, &content, file)
}

fn resolve(value: &Value, document: &Value, file: &Path) -> Value {
    match value {
        Value::Array(items) => items.iter().map(|item| resolve(item, document, file)).collect(),
        Value::Object(fields) => {
            let Some(reference) = fields.get("$ref").and_then(Value::as_str) else {
                return fields.iter().map(|(key, item)| (key.clone(), resolve(item, document, file))).collect();
            };
            let mut target = match reference.strip_prefix('#') {
                Some(pointer) => resolve(document.pointer(pointer).expect(reference), document, file),
                None => resolved(&file.with_file_name("").join(reference)),
            };
            if let Some(description) = fields.get("description") {
                target["description"] = description.clone();
            }
            target
        }
        other => other.clone(),
    }
}

/// The products below a folder, each after those that it reads from.
fn products(folder: &Path) -> Vec<Product> {
    let namespace = "com.example".parse().unwrap();
    let mut left = Vec::new();
    for domain in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()) {
        for product in fs::read_dir(domain).unwrap().map(|entry| entry.unwrap().path()) {
            let names = ["data-product-descriptor.yaml", "data-product-descriptor.json"];
            let Some(file) = names.map(|name| product.join(name)).into_iter().find(|file| file.is_file()) else {
                continue;
            };
            let descriptor = Descriptor::from_resolved(&namespace, &resolved(&file)).unwrap();
            assert_eq!(product.file_name().unwrap().to_str(), Some(descriptor.name.as_str()));
            left.push(Product { folder: product, descriptor });
        }
    }
    left.sort_by(|a, b| a.folder.cmp(&b.folder));
    let mut sorted: Vec<Product> = Vec::new();
    while !left.is_empty() {
        let next = left.iter().position(|product| {
            let reads = product.descriptor.upstream();
            reads.iter().all(|fqn| sorted.iter().any(|done| Some(&done.descriptor.fqn) == fqn.owner().as_ref()))
        });
        sorted.push(left.remove(next.expect("the lineage has no cycle and no end that is missing")));
    }
    sorted
}

fn upper_snake(name: &str) -> String {
    let mut out = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() {
            out.push('_');
        }
        out.push(letter.to_ascii_uppercase());
    }
    out
}

/// Runs a product's build script as the `command` executor does, with upstream artifacts and its own below `built`.
fn build(product: &Product, built: &Path) -> Output {
    let output = built.join(&product.descriptor.name);
    fs::create_dir_all(&output).unwrap();
    let mut command = Command::new("sh");
    command.arg("bin/build").current_dir(&product.folder).env_clear();
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("LC_ALL", "C.UTF-8");
    command.env("MESHWRIGHT_OUTPUT", &output).env("MESHWRIGHT_STAGE", "dev");
    command.env("MESHWRIGHT_RESULT", built.join(format!("{}.result.json", product.descriptor.name)));
    for (port, fqn) in product.descriptor.upstream_by_port() {
        command.env(format!("MESHWRIGHT_INPUT_{}", upper_snake(&port)), built.join(fqn.product_name()));
    }
    command.output().unwrap()
}

fn build_all(products: &[Product], built: &Path) {
    for product in products {
        let output = build(product, built);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success() && told.is_empty(), "{}: {told}", product.descriptor.name);
    }
}

/// File name to content.
fn files(folder: &Path) -> BTreeMap<String, String> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let read =
        |path: PathBuf| (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read_to_string(&path).unwrap());
    entries.map(|entry| read(entry.unwrap().path())).collect()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

fn example() -> Vec<Product> {
    products(&root().join("examples-repo"))
}

/// The example after one of the demo's changes.
fn changed(change: &str, into: &Path) -> Vec<Product> {
    copy(&root().join("examples-repo"), into);
    copy(&root().join("demo").join(change), into);
    products(into)
}

fn output_ports(product: &Product) -> Vec<Value> {
    product.descriptor.content.value()["interfaceComponents"]["outputPorts"].as_array().unwrap().clone()
}

fn texts<'a>(list: &'a Value, field: &str) -> Vec<&'a str> {
    list.as_array().unwrap().iter().map(|item| item[field].as_str().unwrap()).collect()
}

#[test]
fn six_products_in_three_domains() {
    let products = example();
    let names: Vec<&str> = products.iter().map(|product| product.descriptor.name.as_str()).collect();
    assert_eq!(names, ["customers", "shipments", "orders", "orderFulfilment", "deliveryPerformance", "dailySales"]);
    let domains: BTreeSet<&str> = products.iter().map(|product| product.descriptor.domain.as_str()).collect();
    assert_eq!(domains.len(), 3);
    let ports: BTreeSet<&str> =
        products.iter().flat_map(|product| product.descriptor.ports.iter().map(|port| port.fqn.as_str())).collect();
    for port in products.iter().flat_map(|product| &product.descriptor.ports) {
        let upstream = port.upstream.as_ref().map(|fqn| fqn.as_str());
        assert!(upstream.is_none_or(|fqn| ports.contains(fqn)), "{} reads {upstream:?}", port.fqn);
    }
}

#[test]
fn scripts_make_the_expected_rows() {
    let built = tempfile::tempdir().unwrap();
    let products = example();
    build_all(&products, built.path());
    for Product { descriptor, .. } in &products {
        let expected = files(&root().join("tests/cases/examples").join(&descriptor.name));
        assert_eq!(files(&built.path().join(&descriptor.name)), expected, "{}", descriptor.name);
        let result: Value = serde_json::from_str(
            &fs::read_to_string(built.path().join(format!("{}.result.json", descriptor.name))).unwrap(),
        )
        .unwrap();
        assert!(result["rows"].as_u64().is_some_and(|rows| rows > 0), "{}: {result}", descriptor.name);
    }
}

#[test]
fn what_is_built_is_what_the_ports_describe() {
    let built = tempfile::tempdir().unwrap();
    let products = example();
    build_all(&products, built.path());
    let mut streams = 0;
    for product in &products {
        let built = files(&built.path().join(&product.descriptor.name));
        for port in output_ports(product) {
            let api = &port["promises"]["api"];
            if api["specification"] == "datastoreapi" {
                for table in api["definition"]["schema"]["tables"].as_array().unwrap() {
                    let csv = &built[&format!("{}.csv", table["name"].as_str().unwrap())];
                    assert_eq!(csv.lines().next().unwrap(), texts(&table["columns"], "name").join(","));
                }
            } else {
                streams += 1;
                let (_, channel) = api["definition"]["channels"].as_object().unwrap().iter().next().unwrap();
                let schema = jsonschema::validator_for(&channel["subscribe"]["message"]["payload"]).unwrap();
                let events: Vec<&String> =
                    built.iter().filter(|(name, _)| name.ends_with(".jsonl")).map(|(_, text)| text).collect();
                assert!(!events.is_empty());
                for event in events.iter().flat_map(|text| text.lines()) {
                    assert!(schema.is_valid(&serde_json::from_str(event).unwrap()), "{event}");
                }
            }
        }
    }
    assert_eq!(streams, 2);
}

#[test]
fn both_stages_load_every_table_from_their_own_results() {
    let configuration: Config =
        serde_yaml::from_str(&fs::read_to_string(root().join("examples-repo/meshwright.yaml")).unwrap()).unwrap();
    let configured: Vec<&str> = configuration.stages.iter().map(|stage| stage.name.as_str()).collect();
    for product in example() {
        let stages: Vec<&str> = product.descriptor.lifecycle.iter().map(|(stage, _)| stage.as_str()).collect();
        assert_eq!(stages, configured);
        let mut tables: BTreeSet<&str> = BTreeSet::new();
        let ports = output_ports(&product);
        for port in ports.iter().filter(|port| port["promises"]["api"]["specification"] == "datastoreapi") {
            tables.extend(texts(&port["promises"]["api"]["definition"]["schema"]["tables"], "name"));
        }
        for stage in stages {
            let tasks = product.descriptor.tasks_of(stage).unwrap();
            let services: Vec<&str> = tasks.iter().map(|task| task.service.as_deref().unwrap()).collect();
            assert_eq!(services, ["warehouse", "build", "publish"]);
            assert!(services.iter().all(|service| configuration.executors.contains_key(*service)));
            let load = tasks[2].configurations.as_ref().unwrap().value()["load"].clone();
            assert_eq!(texts(&load, "table").into_iter().collect::<BTreeSet<_>>(), tables);
            for item in load.as_array().unwrap() {
                let from = format!("${{{stage}.results.build.files.{}}}", item["table"].as_str().unwrap());
                assert_eq!(item["from"], from.as_str());
            }
        }
    }
}

#[test]
fn the_compatible_change_adds_a_column_and_is_filled() {
    let (folder, built) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (before, after) = (example(), changed("compatible", folder.path()));
    build_all(&after, built.path());
    let expected = files(&root().join("tests/cases/examples/dailySales-compatible"));
    assert_eq!(files(&built.path().join("dailySales")), expected);
    for (before, after) in before.iter().zip(&after) {
        let difference = compare(&before.descriptor.content.value(), &after.descriptor.content.value());
        assert_eq!(difference.fields.is_empty(), after.descriptor.name != "dailySales");
        let told = contract::compare(
            &before.descriptor.content.value(),
            &after.descriptor.content.value(),
            &before.descriptor.version,
        );
        assert!(told.compatibility <= Compatibility::Compatible, "{told:?}");
        assert_eq!(before.descriptor.fqn, after.descriptor.fqn);
    }
}

#[test]
fn the_breaking_change_takes_a_column_that_a_consumer_reads() {
    let (folder, built) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (before, after) = (example(), changed("breaking", folder.path()));
    let mut breaking = Vec::new();
    for (before, after) in before.iter().zip(&after) {
        let difference = compare(&before.descriptor.content.value(), &after.descriptor.content.value());
        assert_eq!(difference.fields.is_empty(), after.descriptor.name != "orderFulfilment");
        let told = contract::compare(
            &before.descriptor.content.value(),
            &after.descriptor.content.value(),
            &before.descriptor.version,
        );
        breaking.extend(told.ports.into_iter().flat_map(|port| port.reasons));
        assert_eq!(before.descriptor.version.major, after.descriptor.version.major);
    }
    assert_eq!(breaking.len(), 1, "{breaking:?}");
    assert_eq!((breaking[0].impact, breaking[0].rule.as_str()), (Impact::Breaking, "datastore/column-removed"));
    let path = "tables.order_fulfilment.columns.days_late";
    assert_eq!(breaking[0].path, path);

    let consumer = after.iter().position(|product| product.descriptor.name == "deliveryPerformance").unwrap();
    build_all(&after[..consumer], built.path());
    let output = build(&after[consumer], built.path());
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("has no column days_late"));
}

/// As the README says it: without a configuration, and without a namespace.
#[test]
fn the_examples_are_valid_as_they_lie_there() {
    let tree = crate::support::memory_tree::MemoryTree::of_folder(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("examples-repo"),
    );
    let listing = meshwright::port::tree::Tree::list(&tree, None).unwrap();
    let discovery = meshwright::check::discover(&listing, &meshwright::config::default_descriptors());
    assert_eq!(discovery.roots.len(), 6);
    for assessment in meshwright::check::assess_all(&tree, &discovery.roots, &meshwright::check::Settings::default()) {
        assert_eq!(assessment.findings, [], "{}", assessment.path);
        assert!(assessment.descriptor.is_some());
    }
}
