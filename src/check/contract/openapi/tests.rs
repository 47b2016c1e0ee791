use serde_json::{Value, json};

use crate::check::contract::Editions;
use crate::domain::change::Impact::{Breaking, Compatible, Unknown};
use crate::domain::compat::{Reason, Side};

fn told(before: &Value, after: &Value) -> Vec<Reason> {
    super::compare(&Editions { before, after, side: Side::Read, pointer: "/d" })
}

fn rules(before: &Value, after: &Value) -> Vec<String> {
    let reasons = told(before, after);
    reasons.into_iter().map(|reason| format!("{} | {} | {:?}", reason.rule, reason.path, reason.impact)).collect()
}

fn api(operation: &Value) -> Value {
    json!({"openapi": "3.1.0", "paths": {"/orders/{id}": {"get": operation}}})
}

#[test]
fn path_parameters_may_have_other_names() {
    let of = |name: &str| {
        json!({"openapi": "3.0.3", "paths": {(format!("/orders/{{{name}}}")): {
            "parameters": [{"name": name, "in": "path", "required": true, "schema": {"type": "string"}}],
            "get": {"responses": {"200": {"description": "fine"}}},
        }}})
    };
    assert!(rules(&of("id"), &of("orderId")).is_empty());
}

#[test]
fn a_schema_is_weighed_by_where_it_stands() {
    let of = |required: Value| {
        json!({"openapi": "3.1.0",
            "paths": {"/orders": {"post": {
                "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Order"}}}},
                "responses": {"201": {"$ref": "#/components/responses/Made"}}
            }}},
            "webhooks": {"made": {"post": {
                "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Event"}}}},
                "responses": {"200": {"description": "fine"}}
            }}},
            "components": {
                "responses": {"Made": {"description": "made",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Receipt"}}}}},
                "schemas": {
                    "Order": {"type": "object", "properties": {"id": {"type": "string"}}, "required": required},
                    "Receipt": {"type": "object", "properties": {"id": {"type": "string"}}, "required": required},
                    "Event": {"type": "object", "properties": {"id": {"type": "string"}}, "required": required},
                }
            }
        })
    };
    let told = rules(&of(json!([])), &of(json!(["id"])));
    assert_eq!(told.len(), 3, "{told:?}");
    assert!(
        told[0].starts_with("json-schema/")
            && told[0].contains("POST /orders request")
            && told[0].ends_with("Breaking")
    );
    assert!(told[1].contains("POST /orders 201") && told[1].ends_with("Compatible"), "{told:?}");
    assert!(told[2].contains("POST webhook made request") && told[2].ends_with("Compatible"), "{told:?}");
}

#[test]
fn ways_to_be_let_in_are_compared_as_sets() {
    let of = |security: Value| api(&json!({"security": security, "responses": {}}));
    let (none, key, both) = (json!([]), json!([{"key": []}]), json!([{"key": []}, {"oauth": ["read"]}]));
    assert_eq!(
        rules(&of(none.clone()), &of(key.clone())),
        ["openapi/security-tightened | GET /orders/{id} | Breaking"]
    );
    assert_eq!(
        rules(&of(key.clone()), &of(both.clone())),
        ["openapi/security-loosened | GET /orders/{id} | Compatible"]
    );
    assert_eq!(rules(&of(key), &of(none)), ["openapi/security-loosened | GET /orders/{id} | Compatible"]);
    let scope = json!([{"key": []}, {"oauth": ["read", "write"]}]);
    assert_eq!(rules(&of(both), &of(scope)), ["openapi/security-tightened | GET /orders/{id} | Breaking"]);
}

#[test]
fn references_out_of_the_document_are_unknown_where_they_differ() {
    let of = |file: &str| json!({"openapi": "3.0.0", "paths": {"/orders": {"$ref": file}}});
    assert!(rules(&of("orders.yaml"), &of("orders.yaml")).is_empty());
    assert_eq!(rules(&of("orders.yaml"), &of("new.yaml")), ["openapi/reference-not-followed | /orders | Unknown"]);
}

#[test]
fn what_is_no_such_document_is_unknown() {
    let fine = api(&json!({"responses": {}}));
    for broken in [json!({"swagger": "2.0"}), json!("openapi: 3.0.0\npaths: ["), json!([])] {
        let reasons = told(&fine, &broken);
        assert_eq!((reasons.len(), reasons[0].impact), (1, Unknown));
    }
    let text = json!("openapi: 3.0.0\npaths: {}\n");
    assert_eq!(told(&fine, &text)[0].pointer, "/d");
}

#[test]
fn references_in_circles_end() {
    let round = json!({"openapi": "3.0.0",
        "paths": {"/a": {"$ref": "#/paths/~1b"}, "/b": {"$ref": "#/paths/~1a"}}});
    assert!(told(&round, &round).is_empty());
}

#[test]
fn callbacks_that_lead_to_each_other_are_compared_in_good_time() {
    let of = |summary: &str| {
        let paths: serde_json::Map<String, Value> = (0..40)
            .map(|index| {
                let operation =
                    json!({"operationId": format!("{summary}{index}"), "callbacks": {"all": {"$ref": "#/paths"}}});
                (format!("/p{index}"), json!({"post": operation}))
            })
            .collect();
        json!({"openapi": "3.1.0", "paths": paths})
    };
    let start = std::time::Instant::now();
    assert!(!told(&of("a"), &of("b")).is_empty());
    assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
}

#[test]
fn ranges_of_media_types_take_in_what_they_name() {
    let of = |types: &[&str]| {
        let content: serde_json::Map<String, Value> =
            types.iter().map(|name| ((*name).to_owned(), json!({"schema": {"type": "string"}}))).collect();
        api(&json!({"requestBody": {"content": content}, "responses": {"200": {"content": content}}}))
    };
    let told = |before: &[&str], after: &[&str]| -> Vec<String> {
        let told = rules(&of(before), &of(after)).into_iter();
        told.map(|line| line.replace("openapi/media-type-", "").replace(" | GET /orders/{id}", "")).collect()
    };
    assert_eq!(told(&["application/json"], &["*/*"]), ["widened request | Compatible", "widened 200 | Unknown"]);
    assert_eq!(
        told(&["*/*"], &["application/json", "text/csv"]),
        ["narrowed request | Breaking", "narrowed 200 | Compatible"]
    );
    assert_eq!(told(&["text/*"], &["application/json"]).len(), 4, "one is gone and one is new, on both sides");
    assert_eq!(told(&["text/csv", "*/*"], &["*/*"]), [""; 0], "what the range took in before, it takes in still");
}

#[test]
fn variables_of_servers_are_compared() {
    let of = |default: &str, values: Value| {
        let variables = json!({"stage": {"default": default, "enum": values}, "unused": {"default": default}});
        json!({"openapi": "3.1.0", "servers": [{"url": "https://{stage}.example.com", "variables": variables}]})
    };
    let told = |before: &Value, after: &Value| {
        told(before, after).into_iter().map(|it| (it.message, it.impact)).collect::<Vec<_>>()
    };
    let before = of("prod", json!(["prod", "dev"]));
    assert_eq!(
        told(&before, &of("dev", json!(["dev", "qa"]))),
        [
            ("variable 'stage' was 'prod' by default and is 'dev'".to_owned(), Breaking),
            ("variable 'stage' can no longer be 'prod'".to_owned(), Breaking),
        ]
    );
    assert_eq!(
        told(&before, &of("prod", json!(["prod", "dev", "qa"]))),
        [("variable 'stage' may have more values".to_owned(), Compatible)]
    );
}
