//! Which part of a product a field belongs to, and what its change means to others. Both are told
//! from where the field stands; the table of what breaks whom is in `rules`.

use serde_json::Value;

use super::place::{INTERFACE, INTERNAL, LIFECYCLE, Step};
use super::rules::{INPUT_PORT, Meaning, READ_PORT, REQUEST};
use super::{FieldClass, FieldOp, Impact};
use crate::domain::id::EntityKind;

/// The part of the product to which a place belongs.
pub(super) fn class(steps: &[Step<'_>]) -> FieldClass {
    match steps {
        [Step::Heading(INTERFACE), _, _, within @ ..] if is_told_to_people(within) => FieldClass::Metadata,
        [Step::Heading(INTERFACE), ..] => FieldClass::Interface,
        [Step::Heading(INTERNAL), Step::Field(LIFECYCLE), ..] => FieldClass::Lifecycle,
        [Step::Heading(INTERNAL), ..] => FieldClass::Internal,
        _ => FieldClass::Metadata,
    }
}

/// What a change means to those who rely on the product. Outside of ports it means nothing to
/// them; inside, what no rule knows cannot be told.
pub(super) fn impact(steps: &[Step<'_>], op: FieldOp, before: Option<&Value>, after: Option<&Value>) -> Impact {
    if class(steps) != FieldClass::Interface {
        return Impact::Compatible;
    }
    // A list without ports, new or gone; one with ports is told port by port.
    if matches!(steps, [_, Step::Field(kind)] if is_port_list(kind)) && before.or(after).is_some_and(Value::is_array) {
        return if op == FieldOp::Replaced { Impact::Unknown } else { Impact::Compatible };
    }
    let [Step::Heading(INTERFACE), Step::Field(kind), Step::Name(_) | Step::Position(_), within @ ..] = steps else {
        return Impact::Unknown;
    };
    let tables: &[_] = if *kind == EntityKind::InputPort.field() {
        &[INPUT_PORT]
    } else if !is_port_list(kind) {
        &[]
    } else if is_sent_by_consumers(within) {
        &[REQUEST, READ_PORT]
    } else {
        &[READ_PORT]
    };
    let rule = tables.iter().copied().flatten().find(|rule| rule.ops.contains(&op) && matches(rule.at, within));
    match rule.map(|rule| rule.means) {
        Some(Meaning::Always(impact)) => impact,
        Some(Meaning::Judge(judge)) => judge(before, after),
        None => before.filter(|before| is_lost(before, after)).map_or(Impact::Unknown, |lost| of_parts(steps, lost)),
    }
}

fn is_port_list(field: &str) -> bool {
    EntityKind::PORTS.iter().any(|kind| kind.field() == field)
}

/// Whether the parts of a value went with it: it is gone, or something of another kind stands there.
fn is_lost(before: &Value, after: Option<&Value>) -> bool {
    after.is_none_or(|after| before.is_object() != after.is_object() || before.is_array() != after.is_array())
}

/// What it means that all parts of something are gone for which there is no rule.
fn of_parts(steps: &[Step<'_>], lost: &Value) -> Impact {
    let mut way = steps.to_vec();
    let mut of_part = |step, part| {
        way.push(step);
        let impact = impact(&way, FieldOp::Removed, Some(part), None);
        way.pop();
        impact
    };
    let heaviest = match lost {
        Value::Object(fields) => fields.iter().map(|(key, part)| of_part(Step::to_key(steps, key), part)).max(),
        Value::Array(items) => {
            let items = items.iter().enumerate();
            items.map(|(index, part)| of_part(Step::Position(index), part)).max()
        }
        _ => None,
    };
    heaviest.map_or(Impact::Unknown, |heaviest| heaviest.max(Impact::Unknown))
}

/// Whether a part of a port is there for people only, or for finding it.
fn is_told_to_people(within: &[Step<'_>]) -> bool {
    const TOLD: [&str; 5] = ["displayName", "description", "tags", "externalDocs", "componentGroup"];
    for step in within {
        match step {
            Step::Field(field) if TOLD.contains(field) => return true,
            step if is_opaque(step) => return false,
            _ => {}
        }
    }
    false
}

/// Whether what stands below is a value or an extension, and not ours to understand.
fn is_opaque(step: &Step<'_>) -> bool {
    match step {
        Step::Field(field) => field.starts_with("x-") || matches!(*field, "default" | "const" | "enum"),
        _ => false,
    }
}

/// Whether a part of an API is what its users send. There, what eases the life of a reader breaks
/// the sender, and the other way round.
fn is_sent_by_consumers(within: &[Step<'_>]) -> bool {
    within.iter().any(|step| matches!(step, Step::Field("requestBody" | "requestBodies" | "parameters" | "publish")))
}

/// Whether a pattern of `rules` names this place.
fn matches(pattern: &str, within: &[Step<'_>]) -> bool {
    if pattern.is_empty() {
        return within.is_empty();
    }
    let (head, rest) = pattern.split_once('.').unwrap_or((pattern, ""));
    match head {
        "**" if rest.is_empty() => true,
        "**" => {
            let open = within.iter().take_while(|step| !is_opaque(step)).count();
            (0..=open).any(|taken| within.get(taken..).is_some_and(|left| matches(rest, left)))
        }
        "*" => match within {
            [Step::Name(_) | Step::Position(_) | Step::Member, left @ ..] => matches(rest, left),
            _ => false,
        },
        field => match within {
            [Step::Field(name), left @ ..] if *name == field => matches(rest, left),
            _ => false,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::super::{FieldChange, compare};
    use super::*;
    use serde_json::json;

    #[test]
    fn patterns_tell_names_from_fields() {
        let place = [Step::Field("properties"), Step::Name("type"), Step::Field("type")];
        assert!(matches("**.type", &place));
        assert!(matches("**.properties.*.type", &place));
        assert!(matches("properties.**", &place));
        assert!(!matches("**.properties.*", &place));
        assert!(!matches("**.type", &place[..2]));
        let extension = [Step::Field("x-a"), Step::Field("type")];
        assert!(!matches("**.type", &extension) && matches("**", &extension));
        assert!(matches("", &[]) && !matches("", &place) && matches("**", &place));
    }

    fn one(before: &Value, after: &Value) -> FieldChange {
        let port = |part: &Value| json!({"interfaceComponents": {"outputPorts": [{"name": "p", "promises": part}]}});
        let mut fields = compare(&port(before), &port(after)).fields;
        assert_eq!(fields.len(), 1, "{fields:?}");
        fields.remove(0)
    }

    fn schema(columns: &Value) -> Value {
        json!({"api": {"definition": {"schema": {"tables": [{"name": "t", "columns": columns}]}}}})
    }

    #[test]
    fn columns() {
        let column = |more: &Value| {
            let mut column = json!({"name": "c"});
            column.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            schema(&json!([column]))
        };
        let cases = [
            (json!({"dataType": "INTEGER"}), json!({"dataType": "BIGINT"}), Impact::Compatible),
            (json!({"dataType": "BIGINT"}), json!({"dataType": "INTEGER"}), Impact::Breaking),
            (json!({"dataLength": 10}), json!({"dataLength": "20"}), Impact::Compatible),
            (json!({"dataLength": 20}), json!({"dataLength": 10}), Impact::Breaking),
            (json!({"dataLength": 20}), json!({"dataLength": "long"}), Impact::Unknown),
            (json!({"columnConstraint": "NOT_NULL"}), json!({}), Impact::Breaking),
            (json!({"columnConstraint": "PRIMARY_KEY"}), json!({"columnConstraint": "NOT NULL"}), Impact::Unknown),
            (json!({"columnConstraint": "NULL"}), json!({"columnConstraint": "NOT_NULL"}), Impact::Compatible),
            (json!({}), json!({"columnConstraint": "NOT_NULL"}), Impact::Compatible),
            (json!({"nullable": false}), json!({"nullable": true}), Impact::Breaking),
            (json!({"ordinalPosition": 1}), json!({"ordinalPosition": 2}), Impact::Unknown),
            (json!({"jsonSchema": "{}"}), json!({"jsonSchema": "[]"}), Impact::Unknown),
        ];
        for (before, after, impact) in cases {
            let field = one(&column(&before), &column(&after));
            assert_eq!(field.impact, impact, "{before} > {after}");
            assert_eq!(field.class, FieldClass::Interface);
        }
        let gone = one(&schema(&json!([{"name": "c"}, {"name": "d"}])), &schema(&json!([{"name": "c"}])));
        assert_eq!((gone.impact, gone.path.ends_with("tables.t.columns.d")), (Impact::Breaking, true));
        let new = one(&schema(&json!([])), &schema(&json!([{"name": "c", "columnConstraint": "NOT_NULL"}])));
        assert_eq!(new.impact, Impact::Compatible);
    }

    #[test]
    fn schemas_are_read_from_the_readers_side() {
        let payload = |payload: Value| {
            let message = json!({"subscribe": {"message": {"payload": payload}}});
            json!({"api": {"definition": {"channels": {"retail.orders": message}}}})
        };
        let cases = [
            (json!({"properties": {"a": {}}}), json!({"properties": {}}), Impact::Breaking),
            (json!({"properties": {}}), json!({"properties": {"a": {}}}), Impact::Compatible),
            (
                json!({"properties": {"a": {"type": "string"}}}),
                json!({"properties": {"a": {"type": "integer"}}}),
                Impact::Breaking,
            ),
            (json!({"type": ["string"]}), json!({"type": ["null", "string"]}), Impact::Breaking),
            (json!({"required": ["a", "b"]}), json!({"required": ["b"]}), Impact::Breaking),
            (json!({"required": ["b"]}), json!({"required": ["a", "b"]}), Impact::Compatible),
            (json!({"enum": ["a"]}), json!({"enum": ["a", "b"]}), Impact::Unknown),
            (json!({"properties": {"description": {}}}), json!({"properties": {}}), Impact::Breaking),
            (json!({"x-other": {"type": 1}}), json!({"x-other": {"type": 2}}), Impact::Unknown),
        ];
        for (before, after, impact) in cases {
            assert_eq!(one(&payload(before.clone()), &payload(after.clone())).impact, impact, "{before} > {after}");
        }
    }

    #[test]
    fn what_consumers_send_is_read_from_the_senders_side() {
        let body =
            |schema: Value| json!({"api": {"definition": {"paths": {"/orders": {"post": {"requestBody": schema}}}}}});
        let required = one(&body(json!({"required": []})), &body(json!({"required": ["a"]})));
        assert_eq!(required.impact, Impact::Breaking);
        let removed = one(&body(json!({"properties": {"a": {}}})), &body(json!({"properties": {}})));
        assert_eq!(removed.impact, Impact::Unknown);
    }

    #[test]
    fn what_is_gone_weighs_as_much_as_its_parts() {
        let tables = schema(&json!([{"name": "c"}]));
        let gone = one(&tables, &json!({"api": {"definition": {}}}));
        assert_eq!((gone.impact, gone.path.ends_with("definition.schema")), (Impact::Breaking, true));
        let other = one(&tables, &json!({"api": {"definition": {"schema": "CREATE TABLE t"}}}));
        assert_eq!((other.impact, other.op), (Impact::Breaking, FieldOp::Replaced));
        let servers = json!({"api": {"definition": {"servers": {"dev": {"url": "u"}}}}});
        assert_eq!(one(&servers, &json!({"api": {"definition": {}}})).impact, Impact::Unknown);
    }

    #[test]
    fn documentation_is_metadata_unless_it_is_a_name() {
        let described = one(&json!({"slo": {"description": "a"}}), &json!({"slo": {"description": "b"}}));
        assert_eq!((described.class, described.impact), (FieldClass::Metadata, Impact::Compatible));
        let extended = one(&json!({"x-a": {"description": "a"}}), &json!({"x-a": {"description": "b"}}));
        assert_eq!((extended.class, extended.impact), (FieldClass::Interface, Impact::Unknown));
    }
}
