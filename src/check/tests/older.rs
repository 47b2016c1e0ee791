//! Forms of older descriptors: an error, a warning or nothing, as the switches say; and read as what was
//! meant in any case, so that one mistake is one finding.

use serde_json::json;

use super::super::{Assessment, Settings, assess};
use super::Files;
use crate::domain::descriptor::{Compatibility, Leniency};

const OLDER: &str = "\
dataProductDescriptor: 1.0.0
info:
  id: aa719166-4607-300c-a2e0-e80bb674eb78
  fullyQualifiedName: urn:com.example:dataproducts:trips
  name: trips
  version: 1.2.0
  domain: transport
  description:
  owner: { id: team@example.com }
interfaceComponents:
  outputPorts:
    - name: trips
      version: 1.0.0
      fullyQualifiedName: urn:com.example:dataproducts:trips:1.2.0:outputports:trips:1.0.0
      promises: { api: { $ref: '#components/apis/trips' } }
internalComponents:
  lifecycleInfo:
    dev:
      - service: { $href: '{azure-devops}' }
        template: { specification: azure-pipeline, definition: { pipelineId: 3 } }
components:
  apis:
    trips: { name: trips, version: 1.0.0, specification: datastoreapi, definition: {} }
";

fn with(switches: Compatibility, text: &str) -> Assessment {
    let settings = Settings { namespace: Some("com.example".parse().unwrap()), compatibility: switches };
    assess(&Files::default().with("dp.yaml", text), &"dp.yaml".parse().unwrap(), &settings)
}

fn all(leniency: Leniency) -> Compatibility {
    Compatibility {
        slashless_references: leniency,
        explicit_nulls: leniency,
        unnamed_templates: leniency,
        executors_in_braces: leniency,
        odm_identity: leniency,
    }
}

fn said(assessment: &Assessment) -> Vec<String> {
    assessment.findings.iter().map(|it| format!("{}:{} {}", it.severity.as_str(), it.location.line, it.rule)).collect()
}

#[test]
fn each_older_form_is_one_finding_that_its_switch_weighs() {
    let expected = [
        (3, "identity/odm-form"),
        (4, "identity/odm-form"),
        (8, "schema/null"),
        (14, "identity/odm-form"),
        (15, "ref/no-slash"),
        (19, "lifecycle/executor-in-braces"),
        (20, "schema/unnamed-template"),
        (20, "schema/unnamed-template"),
    ];
    for (leniency, word) in [(Leniency::Off, "error"), (Leniency::Warn, "warning")] {
        let assessment = with(all(leniency), OLDER);
        let lines: Vec<String> = expected.iter().map(|(line, rule)| format!("{word}:{line} {rule}")).collect();
        assert_eq!(said(&assessment), lines);
        assert_eq!(assessment.descriptor.is_some(), leniency == Leniency::Warn);
    }

    let accepted = with(all(Leniency::Accept), OLDER);
    assert_eq!(said(&accepted), Vec::<String>::new());
    let descriptor = accepted.descriptor.unwrap();
    assert_eq!(descriptor.tasks_of("dev").unwrap()[0].service.as_deref(), Some("azure-devops"));
    let content = descriptor.content.value();
    assert_eq!(content["interfaceComponents"]["outputPorts"][0]["promises"]["api"]["name"], "trips");
    assert_eq!(content["info"]["description"], json!(null), "nothing is changed in what was read");
}

#[test]
fn a_switch_allows_its_own_form_and_no_other() {
    let only = Compatibility { explicit_nulls: Leniency::Accept, ..Compatibility::default() };
    let rules = said(&with(only, OLDER));
    assert!(!rules.iter().any(|line| line.contains("schema/null")));
    assert!(rules.iter().any(|line| line == "error:15 ref/no-slash"), "{rules:?}");
}

#[test]
fn a_required_field_without_a_value_is_never_allowed() {
    for (field, nothing) in
        [("  name: trips\n  version: 1.2.0\n", "  name:\n  version: 1.2.0\n"), ("    - name: trips\n", "    - name:\n")]
    {
        let assessment = with(all(Leniency::Accept), &OLDER.replacen(field, nothing, 1));
        assert!(said(&assessment).iter().any(|line| line.ends_with("schema/required")), "{:?}", said(&assessment));
        assert!(assessment.descriptor.is_none());
    }
}

#[test]
fn names_of_another_organisation_are_not_the_older_form_of_ours() {
    let other = OLDER.replacen("urn:com.example:dataproducts:trips\n", "urn:com.other:dataproducts:trips\n", 1);
    let assessment = with(all(Leniency::Accept), &other);
    assert!(said(&assessment).contains(&"error:4 identity/fully-qualified-name".to_owned()), "{:?}", said(&assessment));
}
