//! Which part of a product a field belongs to, told from where it stands.

use super::FieldClass;
use super::place::{INTERFACE, INTERNAL, LIFECYCLE, Step};

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

#[cfg(test)]
mod tests {
    use super::super::{FieldChange, compare};
    use super::*;
    use serde_json::{Value, json};

    fn one(before: &Value, after: &Value) -> FieldChange {
        let port = |part: &Value| json!({"interfaceComponents": {"outputPorts": [{"name": "p", "promises": part}]}});
        let mut fields = compare(&port(before), &port(after)).fields;
        assert_eq!(fields.len(), 1, "{fields:?}");
        fields.remove(0)
    }

    #[test]
    fn documentation_is_metadata_unless_it_is_a_name() {
        let class = |before: Value, after: Value| one(&before, &after).class;
        let described = |text: &str| json!({"slo": {"description": text}});
        assert_eq!(class(described("a"), described("b")), FieldClass::Metadata);
        let extended = |text: &str| json!({"x-a": {"description": text}});
        assert_eq!(class(extended("a"), extended("b")), FieldClass::Interface);
        let property = |named: Value| json!({"api": {"definition": {"properties": named}}});
        assert_eq!(class(property(json!({"description": {}})), property(json!({}))), FieldClass::Interface);
    }
}
