//! What changed of a product: a list of fields with their class and impact, and a unified diff.

use std::io::{self, Write};

use serde_json::Value;

use crate::domain::change::{Change, ChangeKind, FieldChange, FieldClass, FieldOp};
use crate::domain::compat::{Compatibility, Reason};

use super::{counted, harmless, harmless_line, style};

/// So many fields of one product are listed; the unified diff has the rest.
const MOST_FIELDS: usize = 100;
/// So many reasons of one port are listed, the heaviest; `-o json` has more.
const MOST_REASONS: usize = 25;

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
    if let Some(told) = &change.compatibility {
        about.push(match told.compatibility {
            Compatibility::Identical => "ports identical".to_owned(),
            other => compatibility_word(other, colour),
        });
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
    verdicts(out, change, colour)
}

/// What became of each port and why, and which version that requires.
pub(super) fn verdicts(out: &mut dyn Write, change: &Change, colour: bool) -> io::Result<()> {
    let Some(told) = &change.compatibility else { return Ok(()) };
    let differing = || told.ports.iter().filter(|port| port.compatibility != Compatibility::Identical);
    for port in differing() {
        let name = style::strong(&harmless(&format!("{}.{}", port.kind.field(), port.name)), colour);
        let required = port.required.as_ref().map(|required| format!(", at least version {required}"));
        let word = compatibility_word(port.compatibility, colour);
        writeln!(out, "    {name}: {word}{}", required.unwrap_or_default())?;
        for reason in port.reasons.iter().take(MOST_REASONS) {
            writeln!(out, "      {}", reason_line(reason, colour))?;
        }
        let left_out = port.reasons.len().saturating_sub(MOST_REASONS) + port.left_out;
        if left_out > 0 {
            writeln!(out, "      … and {}", counted(left_out, "more reason"))?;
        }
    }
    let (differ, all) = (differing().count(), told.ports.len());
    if differ > 0 && differ < all {
        let word = compatibility_word(Compatibility::Identical, colour);
        writeln!(out, "    {}: {word}", counted(all - differ, "other port"))?;
    }
    writeln!(out, "    the smallest version that may follow: {}", told.required)
}

/// `breaking  tables.trips.columns.fare: the column 'fare' is gone  trips.json:26:9 [datastore/column-removed]`
fn reason_line(reason: &Reason, colour: bool) -> String {
    let word = compatibility_word(reason.impact.into(), colour);
    let path = if reason.path.is_empty() { String::new() } else { format!("{}: ", harmless(&reason.path)) };
    let place = reason.location.as_ref().map(|location| format!("  {}", harmless(&location.to_string())));
    let place = style::faint(&place.unwrap_or_default(), colour);
    format!("{word}  {path}{}{place} [{}]", harmless(&reason.message), harmless(&reason.rule))
}

fn field_line(field: &FieldChange, colour: bool) -> String {
    let path = harmless(&field.path);
    let about = format!("[{}]", class_word(field.class));
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

fn compatibility_word(compatibility: Compatibility, colour: bool) -> String {
    match compatibility {
        Compatibility::Identical => style::faint("identical", colour),
        Compatibility::Compatible => style::good("compatible", colour),
        Compatibility::Unknown => style::changed("impact unknown", colour),
        Compatibility::Breaking => style::error("breaking", colour),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::change::{Difference, Impact};
    use crate::domain::compat::{PortCompatibility, ProductCompatibility};
    use crate::domain::descriptor::VersionRef;
    use crate::domain::finding::Location;
    use crate::domain::id::{Digest, EntityKind};
    use serde_json::json;

    fn version(text: &str) -> VersionRef {
        VersionRef { version: text.parse().unwrap(), digest: Digest::of(text.as_bytes()) }
    }

    fn told() -> ProductCompatibility {
        let reason = Reason {
            rule: "datastore/column-removed".to_owned(),
            impact: Impact::Breaking,
            pointer: String::new(),
            path: "schema.tables.trips.columns.id".to_owned(),
            message: "the column 'i\u{1b}d' is gone".to_owned(),
            within: None,
            location: Some(Location { file: "trips/api.json".parse().unwrap(), line: 26, column: 9, length: 0 }),
        };
        let port = |name: &str, reasons| PortCompatibility::new(EntityKind::OutputPort, name, reasons);
        ProductCompatibility {
            compatibility: Compatibility::Breaking,
            required: "2.0.0".parse().unwrap(),
            ports: vec![port("trips", vec![reason]), port("stops", vec![])],
        }
    }

    pub(in crate::face::render) fn updated() -> Change {
        let field = |path: &str, op, class, before, after| FieldChange {
            path: path.to_owned(),
            pointer: String::new(),
            op,
            class,
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
                        Some(json!("a\u{1b}[2J")),
                        Some(json!("b")),
                    ),
                    field(
                        "outputPorts.trips.promises.api.definition.columns.id",
                        FieldOp::Removed,
                        FieldClass::Interface,
                        Some(json!({"type": "x".repeat(100)})),
                        None,
                    ),
                ],
                unified: "--- 1.2.0\n+++ 1.3.0\n@@ -1 +1 @@\n-a\u{1b}[2J\n+b\n".to_owned(),
            },
            compatibility: Some(told()),
        }
    }

    #[test]
    fn a_change_lists_fields_and_what_became_of_ports() {
        let mut out = Vec::new();
        changes(&mut out, &[updated()], false).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.starts_with("~ trips 1.2.0 -> 1.3.0 (updated, breaking)\n"), "{text}");
        assert!(text.contains("~ info.description: \"a\\u001b[2J\" -> \"b\" [metadata]"), "{text}");
        assert!(text.contains("- outputPorts.trips.promises.api.definition.columns.id: {\"type\":\"xxx"), "{text}");
        let line =
            "      breaking  schema.tables.trips.columns.id: the column 'i␛d' is gone  trips/api.json:26:9 [datastore/";
        assert!(text.contains("    outputPorts.trips: breaking\n") && text.contains(line), "{text}");
        assert!(
            text.contains("    1 other port: identical\n    the smallest version that may follow: 2.0.0\n"),
            "{text}"
        );
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
