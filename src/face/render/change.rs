//! What changed of a product: a list of fields with their class and impact, and a unified diff.

use std::io::{self, Write};

use serde_json::Value;

use crate::domain::change::{Change, ChangeKind, FieldChange, FieldClass, FieldOp, Impact};

use super::{counted, harmless, harmless_line, style};

/// So many fields of one product are listed; the unified diff has the rest.
const MOST_FIELDS: usize = 100;

/// Writes all changes but those that are none, and says so when there are none at all.
pub fn changes(out: &mut dyn Write, changes: &[Change], colour: bool) -> io::Result<()> {
    let mut wrote = false;
    for one in changes.iter().filter(|change| change.kind != ChangeKind::Unchanged) {
        heading(out, one, colour)?;
        change(out, one, colour)?;
        unified(out, &one.difference.unified, colour)?;
        writeln!(out)?;
        wrote = true;
    }
    if !wrote {
        writeln!(out, "No difference: what is recorded is what is desired.")?;
    }
    Ok(())
}

/// `~ tripExecution 1.2.0 -> 1.3.0 (updated, breaking)`, and the name in full.
pub(super) fn heading(out: &mut dyn Write, change: &Change, colour: bool) -> io::Result<()> {
    let mark = match change.kind {
        ChangeKind::Created => style::good("+", colour),
        ChangeKind::Updated => style::changed("~", colour),
        ChangeKind::Retired => style::error("-", colour),
        ChangeKind::Unchanged => "=".to_owned(),
    };
    let from = change.from.as_ref().map(|version| version.version.to_string());
    let to = change.to.as_ref().map(|version| version.version.to_string());
    let versions = match (from, to) {
        (Some(from), Some(to)) => format!("{from} -> {to}"),
        (None, Some(to)) => to,
        (Some(from), None) => from,
        (None, None) => String::new(),
    };
    let mut about = vec![kind_word(change.kind).to_owned()];
    if let Some(before) = &change.succeeds {
        about.push(format!("succeeds major {}", before.major().unwrap_or_default()));
    }
    if !change.difference.fields.is_empty() {
        about.push(impact_word(change.difference.impact(), colour));
    }
    let name = style::strong(&harmless(change.product.product_name()), colour);
    writeln!(out, "{mark} {name} {} ({})", harmless(&versions), about.join(", "))?;
    writeln!(
        out,
        "    {}  {}",
        style::faint(change.product.as_str(), colour),
        style::faint(&harmless(change.path.as_str()), colour)
    )
}

/// The fields that differ, one a line, indented.
pub fn change(out: &mut dyn Write, change: &Change, colour: bool) -> io::Result<()> {
    let fields = &change.difference.fields;
    for field in fields.iter().take(MOST_FIELDS) {
        writeln!(out, "    {}", field_line(field, colour))?;
    }
    if fields.len() > MOST_FIELDS {
        writeln!(out, "    … and {}", counted(fields.len() - MOST_FIELDS, "more field"))?;
    }
    Ok(())
}

fn field_line(field: &FieldChange, colour: bool) -> String {
    let path = harmless(&field.path);
    let about = format!("[{}, {}]", class_word(field.class), impact_word(field.impact, colour));
    let values = match (field.op, &field.before, &field.after) {
        (FieldOp::Added, _, Some(after)) => format!(": {}", short(after)),
        (FieldOp::Removed, Some(before), _) => format!(": {}", short(before)),
        (FieldOp::Replaced, Some(before), Some(after)) => format!(": {} -> {}", short(before), short(after)),
        _ => String::new(),
    };
    let mark = match field.op {
        FieldOp::Added => style::good("+", colour),
        FieldOp::Removed => style::error("-", colour),
        FieldOp::Replaced => style::changed("~", colour),
    };
    format!("{mark} {path}{values} {about}")
}

/// A value on one line, cut.
fn short(value: &Value) -> String {
    const LONGEST: usize = 60;
    let text = value.to_string();
    let shown = harmless(&text);
    if shown.chars().count() <= LONGEST {
        return shown.into_owned();
    }
    shown.chars().take(LONGEST - 1).chain(['…']).collect()
}

fn unified(out: &mut dyn Write, text: &str, colour: bool) -> io::Result<()> {
    if !text.is_empty() {
        writeln!(out)?;
    }
    for line in text.lines() {
        let shown: String = harmless_line(line).chars().take(400).collect();
        let painted = match shown.as_bytes().first() {
            Some(b'+') => style::good(&shown, colour),
            Some(b'-') => style::error(&shown, colour),
            Some(b'@') => style::hint(&shown, colour),
            _ => shown,
        };
        writeln!(out, "    {painted}")?;
    }
    Ok(())
}

const fn kind_word(kind: ChangeKind) -> &'static str {
    match kind {
        ChangeKind::Created => "created",
        ChangeKind::Updated => "updated",
        ChangeKind::Retired => "retired",
        ChangeKind::Unchanged => "unchanged",
    }
}

const fn class_word(class: FieldClass) -> &'static str {
    match class {
        FieldClass::Interface => "interface",
        FieldClass::Internal => "internal",
        FieldClass::Lifecycle => "lifecycle",
        FieldClass::Metadata => "metadata",
    }
}

fn impact_word(impact: Impact, colour: bool) -> String {
    match impact {
        Impact::Compatible => style::good("compatible", colour),
        Impact::Unknown => style::changed("impact unknown", colour),
        Impact::Breaking => style::error("breaking", colour),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::change::Difference;
    use crate::domain::descriptor::VersionRef;
    use crate::domain::id::Digest;
    use serde_json::json;

    fn version(text: &str) -> VersionRef {
        VersionRef { version: text.parse().unwrap(), digest: Digest::of(text.as_bytes()) }
    }

    pub(in crate::face::render) fn updated() -> Change {
        let field = |path: &str, op, class, impact, before, after| FieldChange {
            path: path.to_owned(),
            pointer: String::new(),
            op,
            class,
            impact,
            before,
            after,
        };
        Change {
            product: "urn:dpds:com.example:dataproducts:trips:1".parse().unwrap(),
            kind: ChangeKind::Updated,
            path: "trips/dp.yaml".parse().unwrap(),
            from: Some(version("1.2.0")),
            to: Some(version("1.3.0")),
            succeeds: None,
            difference: Difference {
                fields: vec![
                    field(
                        "info.description",
                        FieldOp::Replaced,
                        FieldClass::Metadata,
                        Impact::Compatible,
                        Some(json!("a\u{1b}[2J")),
                        Some(json!("b")),
                    ),
                    field(
                        "outputPorts.trips.promises.api.definition.columns.id",
                        FieldOp::Removed,
                        FieldClass::Interface,
                        Impact::Breaking,
                        Some(json!({"type": "x".repeat(100)})),
                        None,
                    ),
                ],
                unified: "--- 1.2.0\n+++ 1.3.0\n@@ -1 +1 @@\n-a\u{1b}[2J\n+b\n".to_owned(),
            },
        }
    }

    #[test]
    fn a_change_lists_fields_with_class_and_impact() {
        let mut out = Vec::new();
        changes(&mut out, &[updated()], false).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.starts_with("~ trips 1.2.0 -> 1.3.0 (updated, breaking)\n"), "{text}");
        assert!(text.contains("~ info.description: \"a\\u001b[2J\" -> \"b\" [metadata, compatible]"), "{text}");
        assert!(text.contains("- outputPorts.trips.promises.api.definition.columns.id: {\"type\":\"xxx"), "{text}");
        assert!(text.contains("    -a␛[2J\n    +b\n"), "{text}");
        assert!(!text.contains('\u{1b}'));
    }

    #[test]
    fn no_difference_is_said() {
        let mut out = Vec::new();
        changes(&mut out, &[Change { kind: ChangeKind::Unchanged, ..updated() }], false).unwrap();
        assert!(String::from_utf8(out).unwrap().starts_with("No difference"));
    }
}
