use serde_json::{Value, json};

use crate::check::contract::Editions;
use crate::domain::change::Impact::Unknown;
use crate::domain::compat::{Reason, Side};

fn told(before: &Value, after: &Value) -> Vec<Reason> {
    super::compare(&Editions { before, after, side: Side::Read, pointer: "/d" })
}

#[test]
fn a_definition_that_holds_itself_is_unknown() {
    let of = |version: &str| {
        let table = json!({
            "name": "t", "definition": {"$ref": "#"}, "specification": "datastoreapi", "specificationVersion": version,
        });
        json!({"datastoreapi": "1.0.0", "x-edition": version, "schema": {"tables": [table]}})
    };
    let reasons = told(&of("1.0.0"), &of("2.0.0"));
    assert!(reasons.iter().any(|one| one.impact == Unknown), "{reasons:?}");
    // As texts, as they come from files.
    let reasons = told(&json!(of("1.0.0").to_string()), &json!(of("2.0.0").to_string()));
    assert!(reasons.iter().any(|one| one.impact == Unknown), "{reasons:?}");
}

fn table(column: &Value) -> Value {
    json!({"datastoreapi": "1.0.0", "schema": {"tables": [{"name": "t", "columns": [column]}]}})
}

#[test]
fn what_differs_is_never_the_same() {
    for (before, after) in [
        (json!({"name": "c"}), json!({"name": "c", "columnConstraint": ["NOT_NULL"]})),
        (json!({"name": "c"}), json!({"name": "c", "nullable": "false"})),
        (json!({"name": "c", "nullable": "false"}), json!({"name": "c", "nullable": "true"})),
    ] {
        let reasons = told(&table(&before), &table(&after));
        assert!(reasons.iter().any(|one| one.impact == Unknown), "{after}: {reasons:?}");
    }
    // What is the usual, written or not, is the same.
    assert!(told(&table(&json!({"name": "c"})), &table(&json!({"name": "c", "nullable": true}))).is_empty());
}
