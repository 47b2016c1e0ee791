//! What is said about a place is said about the right one, and content is what it stands for.

use serde_json::json;

use super::samples::{JSON, YAML, pieces};
use super::{Files, assert_parallel};
use crate::check::{catalogue, refs};
use crate::domain::finding::Finding;

fn messages(findings: &[Finding]) -> Vec<String> {
    findings.iter().map(|it| format!("{} {} {}: {}", it.location, it.rule, it.pointer, it.message)).collect()
}

#[test]
fn neither_syntax_nor_order_nor_references_change_the_digest() {
    let files = Files::default().with("d.yaml", YAML).with("d.json", JSON);
    let in_yaml = files.assess("d.yaml");
    let in_json = files.assess("d.json");
    let in_pieces = pieces().assess("p/d.yaml");
    for assessment in [&in_yaml, &in_json, &in_pieces] {
        assert_eq!(messages(&assessment.findings), Vec::<String>::new());
    }
    let [in_yaml, in_json, in_pieces] = [in_yaml, in_json, in_pieces].map(|it| it.descriptor.unwrap());
    assert_eq!(in_yaml.digest, in_json.digest);
    assert_eq!(in_yaml.digest, in_pieces.digest);
    assert_eq!(in_yaml.display_name, "Trips é🚚");
    assert_eq!(in_yaml.content.value().pointer("/x-owner/name"), Some(&json!("John Doe")));
    let changed = Files::default().with("d.yaml", YAML.replace("size: 1.50", "size: 1.51")).assess("d.yaml");
    assert_ne!(changed.descriptor.unwrap().digest, in_yaml.digest);
}

#[test]
fn a_pointer_leads_through_references_into_the_file_where_it_stands() {
    let assessment = pieces().assess("p/d.yaml");
    for (pointer, place) in [
        ("", "p/d.yaml:2:1"),
        ("/info/name", "p/parts/info.json:1:10"),
        ("/info/owner/name", "p/parts/owner.yaml:2:7"),
        ("/interfaceComponents/inputPorts", "p/d.yaml:5:3"),
        ("/interfaceComponents/inputPorts/0/name", "p/d.yaml:24:20"),
        ("/interfaceComponents/inputPorts/0/description", "p/d.yaml:7:20"),
        ("/interfaceComponents/outputPorts/0/version", "p/parts/ports.yaml:4:14"),
        (
            "/interfaceComponents/outputPorts/0/promises/api/definition/schema/tables/0/columns/0/size",
            "apis/tables/trips.json:1:54",
        ),
        (
            "/interfaceComponents/outputPorts/0/promises/api/definition/schema/tables/0/columns/7/size",
            "apis/tables/trips.json:1:19",
        ),
        ("/internalComponents/lifecycleInfo/dev/0/template/definition", "p/parts/make.sql:1:1"),
        ("/internalComponents/lifecycleInfo/dev/0/configurations/schema", "p/parts/conf.yaml:1:9"),
        ("/components/inputPorts/tms~1cdc/version", "p/d.yaml:24:41"),
        ("/nowhere/at/all", "p/d.yaml:2:1"),
        ("no pointer", "p/d.yaml:2:1"),
    ] {
        assert_eq!(assessment.locate(pointer).to_string(), place, "{pointer}");
    }
    let files: Vec<&str> = assessment.files.iter().map(|file| file.as_str()).collect();
    assert_eq!(files[0], "p/d.yaml");
    assert_eq!(files.len(), 10, "{files:?}");
}

#[test]
fn places_have_columns_and_lengths_in_characters() {
    let text = YAML.replace("domain: transport", "domain: {ü: 1}").replace("name: trips\n", "name: \"é\\u00e9-\"\n");
    let assessment = Files::default().with("d.yaml", text).assess("d.yaml");
    let found: Vec<(String, u32)> =
        assessment.findings.iter().map(|it| (it.location.to_string(), it.location.length)).collect();
    assert_eq!(found, [("d.yaml:7:3".into(), 6), ("d.yaml:17:13".into(), 10)]);
    let json = "{\"dataProductDescriptor\": \"1.0.0\", \"x-é\": \"日本\", \"wröng\": 1, \"info\": {\"name\": 5}}";
    let assessment = Files::default().with("d.json", json).assess("d.json");
    let found: Vec<String> =
        assessment.findings.iter().map(|it| format!("{}+{}", it.location, it.location.length)).collect();
    let places = ["d.json:1:1+1", "d.json:1:49+7", "d.json:1:61+6", "d.json:1:61+6", "d.json:1:61+6", "d.json:1:78+1"];
    assert_eq!(found, places);
}

#[test]
fn findings_read_well() {
    let text = YAML
        .replace("version: 1.2.3", "version: 1.2")
        .replace("servicesType", "serviceType")
        .replace("infrastructure:store", "infrastructure:stroe")
        .replace("      version: 1.1.0\n", "")
        .replace("order: 1\n", "order: -1\n");
    let files = Files::default().with("d.yaml", text.replace("version: 1.2\n", "version: 1.2.3\n"));
    let said = |files: &Files| -> Vec<String> {
        let assessment = files.assess("d.yaml");
        assessment.findings.iter().map(|it| format!("{} | {}", it.message, it.hint.as_deref().unwrap_or(""))).collect()
    };
    assert_eq!(
        said(&files),
        [
            "'version' is missing in item 1 of 'outputPorts' | add 'version'",
            "'serviceType' is not a field of 'promises' in DPDS 1.0.0, and nobody reads it | did you mean 'servicesType'?",
            "'order' is -1, and the smallest is 0 | write 0 or more",
            "'dependsOn' names 'infrastructure:stroe', which this product does not have | did you mean 'urn:dpds:com.example:dataproducts:tripExecution:1:infrastructure:store'?",
        ]
    );
    assert_eq!(
        said(&Files::default().with("d.yaml", text))[0],
        "'version' is the number 1.2, and should be a text | write three numbers without leading zeros, as in 1.4.0 or 2.0.0-rc.1"
    );
}

#[test]
fn the_product_is_told_although_something_else_is_wrong() {
    let product =
        |text: String| Files::default().with("d.yaml", text).assess("d.yaml").product.map(|it| it.to_string());
    let fqn = Some("urn:dpds:com.example:dataproducts:tripExecution:1".to_owned());
    assert_eq!(product(YAML.replace("domain: transport", "domain: 1")), fqn);
    assert_eq!(product(YAML.replace("dataProductDescriptor: 1.0.0", "dataProductDescriptor: 1.0.0-DRAFT")), fqn);
    assert_eq!(product(YAML.replace("version: 1.2.3", "version: banana")), None);
    assert_eq!(product(YAML.replace("name: tripExecution", "name: 'trip:execution'")), None);
    assert_eq!(product("{".into()), None);
}

#[test]
fn without_settings_the_namespace_is_the_one_the_descriptor_gives_itself() {
    let product = |info: &str| {
        let text = YAML
            .replace("com.example", "com.acme-xyz")
            .replace("  name: tripExecution", &format!("  name: tripExecution\n{info}"));
        let files = Files::default().with("d.yaml", text);
        let assessment = super::assess(&files, &"d.yaml".parse().unwrap(), &super::Settings::default());
        (assessment.product.unwrap().to_string(), assessment.findings.len())
    };
    let fqn = "  fullyQualifiedName: urn:dpds:com.acme-xyz:dataproducts:tripExecution:1";
    assert_eq!(product(fqn), ("urn:dpds:com.acme-xyz:dataproducts:tripExecution:1".into(), 0));
    assert_eq!(product(""), ("urn:dpds:com.acme-xyz:dataproducts:tripExecution:1".into(), 0), "its dependencies tell");
}

#[test]
fn both_printed_identifiers_of_the_specification_are_accepted_and_others_are_not() {
    let text = YAML
        .replace("com.example", "it.quantyca")
        .replace("  name: tripExecution", "  name: tripExecution\n  id: 2b172838-73b1-5d6c-be45-cc75aee180a0")
        .replace("    - name: tmsTripCDC", "    - name: tmsTripCDC\n      id: 3235744b-8d2e-57b5-afba-f66862cc6a21");
    let settings = super::Settings { namespace: Some("it.quantyca".parse().unwrap()), ..super::Settings::default() };
    let assess =
        |text: &str| super::assess(&Files::default().with("d.yaml", text), &"d.yaml".parse().unwrap(), &settings);
    assert_eq!(messages(&assess(&text).findings), Vec::<String>::new());
    // What the first generation of the platform computes is another mode.
    let other = text.replace("2b172838-73b1-5d6c-be45-cc75aee180a0", "1f541d38-37fc-3753-beb8-e69f480c6916");
    assert_eq!(assess(&other).findings[0].rule.as_str(), "identity/odm-form");
}

#[test]
fn places_and_content_are_parallel_also_behind_references() {
    let resolution = refs::resolve(&pieces(), &refs::Names::none(), &"p/d.yaml".parse().unwrap());
    assert_parallel(&resolution.content.unwrap(), &resolution.located, 0);
    let files = Files::default().with("d.yaml", YAML);
    let resolution = refs::resolve(&files, &refs::Names::none(), &"d.yaml".parse().unwrap());
    assert_parallel(&resolution.content.unwrap(), &resolution.located, 0);
}

#[test]
fn the_catalogue_is_complete_and_each_rule_explains_itself() {
    let all = catalogue();
    let mut ids: Vec<&str> = all.iter().map(|rule| rule.id).collect();
    ids.dedup();
    assert_eq!(ids.len(), all.len(), "ids are unique");
    for rule in all {
        let (family, name) = rule.id.split_once('/').unwrap();
        assert!(
            [family, name].iter().all(|part| part.chars().all(|c| c.is_ascii_lowercase() || c == '-')),
            "{}",
            rule.id
        );
        assert!(rule.meaning.ends_with('.') && !rule.remedy.is_empty() && !rule.source.is_empty(), "{}", rule.id);
    }
}

/// Where nobody says which namespace it is, parts of the product that are named tell.
#[test]
fn dependencies_on_its_own_parts_tell_the_namespace() {
    let rules = |text: &str| {
        let assessment = Files::default().with("d.yaml", text).assess_without_namespace("d.yaml");
        assessment.findings.iter().map(|it| it.rule.to_string()).collect::<Vec<_>>()
    };
    let descriptor = |name: &str| {
        format!(
            "dataProductDescriptor: 1.0.0\ninfo: {{ name: trips, version: 1.2.0, domain: d, owner: {{ id: x }} }}\n\
             interfaceComponents: {{ outputPorts: [] }}\ninternalComponents:\n  applicationComponents:\n    \
             - {{ name: loader, version: 1.0.0, dependsOn: ['urn:dpds:com.acme:dataproducts:{name}'] }}\n"
        )
    };
    assert_eq!(rules(&descriptor("trips:1:applications:loader")), ["lineage/cycle"]);
    assert_eq!(rules(&descriptor("trips:1:applications:laoder")), ["lineage/unknown-component"]);
    assert_eq!(rules(&descriptor("trips:2:applications:loader")), ["lineage/other-major"]);
    assert_eq!(rules(&descriptor("trips:2:outputports:trips")), Vec::<String>::new());
    assert_eq!(rules(&descriptor("riders:1:applications:loader")), Vec::<String>::new());
}

#[test]
fn the_definition_may_be_a_list_in_a_language_that_has_some() {
    let told = |specification: &str, definition: &str| {
        let text = format!(
            "dataProductDescriptor: 1.0.0\ninfo: {{ name: trips, version: 1.0.0, domain: d, owner: {{ id: o }} }}\n\
             interfaceComponents:\n  outputPorts:\n  - name: trips\n    version: 1.0.0\n    promises:\n      api: {{ name: tripsApi, \
             version: 1.0.0, specification: {specification}, definition: {definition} }}\n"
        );
        let schema = r#"["null", {"type": "record", "name": "A", "fields": [{"name": "a", "type": "string"}]}]"#;
        messages(&Files::default().with("d.yaml", text).with("a.avsc", schema).assess("d.yaml").findings)
    };
    for (specification, definition) in
        [("avro", "{ $ref: a.avsc }"), ("avro", "['null', string]"), ("custom", "{ $ref: a.avsc }")]
    {
        assert_eq!(told(specification, definition), Vec::<String>::new(), "{specification} {definition}");
    }
    for (specification, definition) in [("openapi", "{ $ref: a.avsc }"), ("custom", "['null', string]")] {
        let told = told(specification, definition);
        assert!(told.len() == 1 && told[0].contains("'definition' is a list"), "{told:?}");
    }
    assert!(told("avro", "['null', strng]")[0].contains("'strng'"));
}
