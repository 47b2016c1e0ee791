use serde_json::{Value, json};

use crate::check::contract::Editions;
use crate::domain::change::Impact::Unknown;
use crate::domain::compat::{Reason, Side};

fn told(before: &Value, after: &Value, side: Side) -> Vec<Reason> {
    super::compare(&Editions { before, after, side, pointer: "/d" })
}

fn rules(before: &Value, after: &Value) -> Vec<String> {
    let reasons = told(before, after, Side::Read);
    reasons.into_iter().map(|reason| format!("{} | {} | {:?}", reason.rule, reason.path, reason.impact)).collect()
}

fn payload(required: &Value) -> Value {
    json!({"type": "object", "properties": {"id": {"type": "string"}}, "required": required})
}

fn version_2(word: &str, required: &Value) -> Value {
    json!({"asyncapi": "2.6.0", "channels": {"trips": {word: {"message": {"payload": payload(required)}}}}})
}

fn version_3(action: &str, required: &Value) -> Value {
    json!({"asyncapi": "3.0.0",
        "channels": {"trips": {"address": "trips", "messages": {"trip": {"payload": payload(required)}}}},
        "operations": {"go": {"action": action, "channel": {"$ref": "#/channels/trips"}}}})
}

#[test]
fn words_are_taken_from_the_right_side() {
    let (none, id) = (json!([]), json!(["id"]));
    for (before, after, impact) in [
        (version_2("subscribe", &none), version_2("subscribe", &id), "Compatible"),
        (version_2("publish", &none), version_2("publish", &id), "Breaking"),
        (version_3("send", &none), version_3("send", &id), "Compatible"),
        (version_3("receive", &none), version_3("receive", &id), "Breaking"),
        // A document may move to the next version of the language.
        (version_2("publish", &none), version_3("receive", &id), "Breaking"),
    ] {
        let told = rules(&before, &after);
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].starts_with("json-schema/") && told[0].ends_with(impact), "{told:?}");
    }
    assert!(rules(&version_2("subscribe", &id), &version_3("send", &id)).is_empty());
}

#[test]
fn who_reads_must_know_all_messages() {
    let of = |names: &[&str]| {
        let list: Vec<Value> = names.iter().map(|name| json!({"name": name, "payload": {"type": "object"}})).collect();
        json!({"asyncapi": "2.0.0", "channels": {"trips": {"subscribe": {"message": {"oneOf": list}}}}})
    };
    assert_eq!(rules(&of(&["a", "b"]), &of(&["a", "b", "c"])), ["asyncapi/message-added | read trips | Breaking"]);
    assert_eq!(rules(&of(&["a", "b"]), &of(&["b"])), ["asyncapi/message-removed | read trips | Compatible"]);
}

#[test]
fn payloads_are_compared_in_their_language() {
    let of = |kind: &str| {
        json!({"asyncapi": "3.0.0", "channels": {"trips": {"messages": {"trip": {"payload": {
            "schemaFormat": "application/vnd.apache.avro;version=1.9.0",
            "schema": {"type": "record", "name": "Trip", "fields": [{"name": "fare", "type": kind}]}
        }}}}}})
    };
    let told = told(&of("int"), &of("string"), Side::Read);
    assert_eq!((told.len(), told[0].rule.as_str()), (1, "avro/type-changed"));
    assert_eq!(told[0].path, "read trips payload Trip.fare");
    assert_eq!(told[0].pointer, "/d/channels/trips/messages/trip/payload/schema/fields/0/type");
}

#[test]
fn what_is_no_such_document_is_unknown() {
    let fine = version_2("publish", &json!([]));
    for broken in [json!({"openapi": "3.0.0"}), json!("asyncapi: '2.0.0'\n\tx: 1"), json!(1)] {
        let reasons = told(&fine, &broken, Side::Read);
        assert_eq!((reasons.len(), reasons[0].impact), (1, Unknown));
    }
}

#[test]
fn what_traits_lead_to_is_compared() {
    let of = |kind: &str| {
        json!({
            "asyncapi": "2.6.0",
            "channels": {"orders": {"subscribe": {"traits": [{"$ref": "#/components/operationTraits/t"}]}}},
            "components": {"operationTraits": {"t": {"bindings": {"kafka": {"groupId": kind}}}}},
        })
    };
    let (before, after) = (of("a"), of("b"));
    let reasons = super::compare(&Editions { before: &before, after: &after, side: Side::Read, pointer: "/d" });
    let told: Vec<&str> = reasons.iter().map(|reason| reason.rule.as_str()).collect();
    assert_eq!(told, ["asyncapi/details-changed"]);
}

#[test]
fn messages_without_names_are_told_apart() {
    let of = |kind: &str| {
        let message = |kind: &str| json!({"payload": {"type": kind}});
        let messages = json!({"oneOf": [message("string"), message(kind)]});
        json!({"asyncapi": "2.6.0", "channels": {"orders": {"subscribe": {"message": messages}}}})
    };
    let (before, after) = (of("object"), of("array"));
    let reasons = super::compare(&Editions { before: &before, after: &after, side: Side::Read, pointer: "/d" });
    assert!(!reasons.is_empty());
}

#[test]
fn messages_whose_references_end_alike_are_told_apart() {
    let of = |other: &str| {
        json!({
            "asyncapi": "3.0.0",
            "channels": {"orders": {"address": "orders"}},
            "operations": {"say": {"action": "send", "channel": {"$ref": "#/channels/orders"}, "messages": [
                {"$ref": "#/components/messages/placed"}, {"$ref": "#/components/x-old/placed"},
                {"$ref": "#/components/messages/placed"},
            ]}},
            "components": {
                "messages": {"placed": {"payload": {"type": "string"}}},
                "x-old": {"placed": {"payload": {"type": other}}},
            },
        })
    };
    let reasons = told(&of("object"), &of("array"), Side::Read);
    let paths: Vec<&str> = reasons.iter().map(|reason| reason.path.as_str()).collect();
    assert_eq!(paths, ["read orders placed (2) payload"], "{reasons:#?}");
}

#[test]
fn security_and_variables_of_servers_are_told() {
    let of = |kind: &str, port: &str| {
        json!({
            "asyncapi": "2.6.0",
            "servers": {"s": {"url": "broker:{port}", "protocol": "kafka", "security": [{"login": []}],
                "variables": {"port": {"default": port}}}},
            "channels": {},
            "components": {"securitySchemes": {"login": {"type": kind, "description": kind}}},
        })
    };
    let (before, after) = (of("scramSha256", "9092"), of("X509", "9093"));
    let told: Vec<_> = told(&before, &after, Side::Read).into_iter().map(|it| (it.rule, it.message)).collect();
    let expected = ["'variables' differs", "'type' differs"];
    assert_eq!(told, expected.map(|message| ("asyncapi/details-changed".to_owned(), message.to_owned())));
}
