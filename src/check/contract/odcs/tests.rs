use serde_json::{Value, json};

use crate::check::contract::Editions;
use crate::domain::change::Impact::Unknown;
use crate::domain::compat::{Reason, Side};

fn told(before: &Value, after: &Value, side: Side) -> Vec<Reason> {
    super::compare(&Editions { before, after, side, pointer: "/d" })
}

fn contract(key: &str, value: &Value) -> Value {
    json!({"apiVersion": "v3.0.2", "kind": "DataContract", (key): value})
}

fn rules(key: &str, before: &Value, after: &Value) -> Vec<String> {
    let reasons = told(&contract(key, before), &contract(key, after), Side::Read);
    reasons.into_iter().map(|reason| format!("{} {:?}", reason.rule, reason.impact)).collect()
}

#[test]
fn service_levels_are_weighed_by_what_is_better() {
    let level =
        |property: &str, value: Value, unit: &str| json!([{"property": property, "value": value, "unit": unit}]);
    for (property, before, after, expected) in [
        ("latency", (json!(4), "h"), (json!(1), "d"), "odcs/sla-lowered Breaking"),
        ("latency", (json!(1), "d"), (json!(24), "h"), "odcs/sla-raised Compatible"),
        ("availability", (json!("99.9%"), ""), (json!("99%"), ""), "odcs/sla-lowered Breaking"),
        ("retention", (json!(3), "y"), (json!(36), "months"), "odcs/sla-changed Unknown"),
        ("endOfSupport", (json!("2030-01-01"), ""), (json!("2028-01-01"), ""), "odcs/sla-lowered Breaking"),
        ("kindness", (json!(1), ""), (json!(2), ""), "odcs/sla-changed Unknown"),
    ] {
        let (before, after) = (level(property, before.0, before.1), level(property, after.0, after.1));
        assert_eq!(rules("slaProperties", &before, &after), [expected], "{property}");
    }
}

#[test]
fn quality_rules_are_ranges() {
    let of = |rule: Value| {
        let mut whole = json!({"metric": "nullValues"});
        whole.as_object_mut().unwrap().extend(rule.as_object().unwrap().clone());
        json!([{"name": "trips", "quality": [whole]}])
    };
    for (before, after, expected) in [
        (json!({"mustBeLessThan": 5}), json!({"mustBeLessThan": 10}), "odcs/quality-loosened Breaking"),
        (json!({"mustBeLessOrEqualTo": 5}), json!({"mustBeLessThan": 5}), "odcs/quality-tightened Compatible"),
        (json!({"mustBe": 0}), json!({"mustBeBetween": [0, 3]}), "odcs/quality-loosened Breaking"),
        (json!({"mustBe": 0}), json!({"mustNotBe": 1}), "odcs/quality-changed Unknown"),
        (json!({"mustBe": 0}), json!({"mustBe": 0, "unit": "percent"}), "odcs/quality-changed Unknown"),
    ] {
        assert_eq!(rules("schema", &of(before.clone()), &of(after)), [expected], "{before}");
    }
}

#[test]
fn what_becomes_more_sensitive_breaks() {
    let of = |word: Value| json!([{"name": "t", "properties": [{"name": "mail", "classification": word}]}]);
    assert_eq!(rules("schema", &of(json!("public")), &of(json!("PII"))), ["odcs/classification-raised Breaking"]);
    assert_eq!(
        rules("schema", &of(json!("restricted")), &of(json!("internal"))),
        ["odcs/classification-lowered Compatible"]
    );
    assert_eq!(rules("schema", &of(json!("green")), &of(json!("red"))), ["odcs/classification-changed Unknown"]);
}

#[test]
fn what_is_not_known_is_unknown() {
    assert_eq!(rules("somethingNew", &json!(1), &json!(2)), ["odcs/not-understood Unknown"]);
    let fine = contract("name", &json!("a"));
    for broken in [json!({"apiVersion": "v2.2.2"}), json!("apiVersion: v3.0.0\nschema: ["), json!(3)] {
        let reasons = told(&fine, &broken, Side::Read);
        assert_eq!((reasons.len(), reasons[0].impact), (1, Unknown));
    }
}

#[test]
fn a_property_that_leads_to_its_own_object_is_compared_once() {
    let of = |kind: &str| {
        json!(format!(
            "apiVersion: v3.0.2\nkind: DataContract\nschema: [{{name: a, logicalType: {kind}, \
             properties: [{{$ref: '#/schema/0'}}]}}]"
        ))
    };
    let reasons = told(&of("object"), &of("array"), Side::Read);
    assert_eq!(reasons.iter().map(|one| one.rule.as_str()).collect::<Vec<_>>(), ["odcs/type-changed"]);
}

#[test]
fn objects_deeper_than_anyone_writes_are_not_compared() {
    let of = |kind: &str| {
        // Each object leads to the next, so the references are what is deep.
        let object = |index: usize| {
            let next = format!("#/schema/{}", index + 1);
            json!({"name": "a", "properties": [{"$ref": next}], "logicalType": "object"})
        };
        let mut objects: Vec<Value> = (0..5_000).map(object).collect();
        objects.push(json!({"name": "a", "logicalType": kind}));
        contract("schema", &Value::Array(objects))
    };
    let reasons = told(&of("string"), &of("number"), Side::Read);
    assert!(reasons.iter().any(|one| one.rule == "odcs/too-large" && one.impact == Unknown));
}

#[test]
fn fields_of_the_wrong_kind_are_never_passed_over() {
    let odd = [(json!(5), json!(6)), (json!([[1]]), json!([[2]])), (json!([1, "a"]), json!([2, "a"]))];
    let property = |key: &str, value: &Value| {
        let mut property = json!({"name": "id", "logicalType": "array"});
        property[key] = value.clone();
        json!([{"name": "trips", "properties": [property]}])
    };
    for (before, after) in &odd {
        for key in
            ["physicalName", "logicalType", "physicalType", "logicalTypeOptions", "required", "unique", "primaryKey"]
                .into_iter()
                .chain(["classification", "items", "properties", "quality", "relationships", "somethingElse"])
        {
            let told = rules("schema", &property(key, before), &property(key, after));
            assert_eq!(told, ["odcs/not-understood Unknown"], "{key}: {before}");
        }
        for key in ["status", "schema", "servers", "slaProperties", "roles", "somethingElse"] {
            assert_eq!(rules(key, before, after), ["odcs/not-understood Unknown"], "{key}: {before}");
        }
        assert_eq!(rules("price", before, after), ["odcs/price-changed Unknown"], "{before}");
        for (key, field) in [("description", "usage"), ("price", "priceCurrency")] {
            let of = |value: &Value| json!({"priceAmount": 5, field: value});
            assert_eq!(rules(key, &of(before), &of(after)), ["odcs/not-understood Unknown"], "{field}: {before}");
        }
        for field in ["unit", "element"] {
            let of = |value: &Value| json!([{"property": "latency", "value": 4, field: value}]);
            assert_eq!(rules("slaProperties", &of(before), &of(after)), ["odcs/not-understood Unknown"], "{field}");
        }
    }
    let required = |value: Value| json!([{"name": "trips", "properties": [{"name": "id", "required": value}]}]);
    assert_eq!(rules("schema", &required(json!(true)), &required(json!("true"))), ["odcs/not-understood Unknown"]);
}
