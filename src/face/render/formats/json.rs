//! JSON and YAML documents for programs. Their shapes are described in `docs/cli.md`, and only grow.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::{Value, json};

use crate::face::Validation;
use crate::face::cli::DocumentFormat;
use crate::face::validation::{FixOutcome, Fixed};

use crate::face::render::Counts;

/// Writes a value as indented JSON or as YAML, with a line end. `Text` is written as JSON: whoever
/// asks for text does not come here.
pub fn document(out: &mut dyn Write, value: &impl Serialize, format: DocumentFormat) -> io::Result<()> {
    match format {
        DocumentFormat::Yaml => {
            // By way of JSON, so that both have the same shape: the YAML library would write tags.
            let value = serde_json::to_value(value)?;
            let text = serde_yaml::to_string(&value).map_err(io::Error::other)?;
            out.write_all(text.as_bytes())
        }
        DocumentFormat::Json | DocumentFormat::Text => {
            serde_json::to_writer_pretty(&mut *out, value)?;
            writeln!(out)
        }
    }
}

/// The document of `validate -o json`.
pub fn validation_json(validation: &Validation) -> Value {
    let counts = Counts::of(&validation.findings);
    let descriptors: Vec<Value> = validation
        .descriptors
        .iter()
        .map(|descriptor| {
            json!({
                "path": descriptor.path,
                "product": descriptor.product,
                "version": descriptor.version,
                "digest": descriptor.digest,
                "valid": descriptor.counts.errors == 0,
            })
        })
        .collect();
    let mut document = json!({
        "descriptors": descriptors,
        "findings": validation.findings,
        "problems": validation.problems,
        "summary": {
            "descriptors": validation.descriptors.len(),
            "errors": counts.errors,
            "warnings": counts.warnings,
            "notes": counts.notes,
        },
    });
    if let Some(fixes) = &validation.fixes {
        document["fixes"] = fixes.iter().map(fixed).collect();
    }
    document
}

fn fixed(fixed: &Fixed) -> Value {
    let fix = &fixed.fix;
    let (outcome, reason) = match &fixed.outcome {
        FixOutcome::Mended => ("mended", None),
        FixOutcome::Proposed => ("proposed", None),
        FixOutcome::Left(why) => ("left", Some(why)),
    };
    let mut document =
        json!({"rule": fix.rule, "location": fix.location, "from": fix.from, "to": fix.to, "outcome": outcome});
    if let Some(reason) = reason {
        document["reason"] = json!(reason);
    }
    document
}

/// The JSON Schema of what [`validation_json`] makes.
pub fn validation_schema() -> Value {
    let texts = |names: &[&str]| -> Value {
        names
            .iter()
            .map(|name| ((*name).to_owned(), json!({"type": ["string", "null"]})))
            .collect::<serde_json::Map<_, _>>()
            .into()
    };
    let count = json!({"type": "integer", "minimum": 0});
    let location = json!({
        "type": "object",
        "required": ["file", "line", "column", "length"],
        "properties": {
            "file": {"type": "string", "description": "Relative to the repository's top"},
            "line": {"type": "integer", "minimum": 1},
            "column": {"type": "integer", "minimum": 1, "description": "In characters"},
            "length": {"type": "integer", "minimum": 0, "description": "In characters; 0 where it is not known"},
        },
    });
    let fix = json!({
        "type": "object",
        "required": ["rule", "location", "from", "to", "outcome"],
        "properties": {
            "rule": {"type": "string"},
            "location": location,
            "from": {"type": "string", "description": "The text that was there"},
            "to": {"type": "string", "description": "The text that belongs there"},
            "outcome": {"enum": ["mended", "proposed", "left"], "description": "Written; to be written; left as it is"},
            "reason": {"type": "string", "description": "Why it was left as it is"},
        },
    });
    let mut descriptor = texts(&["product", "version", "digest"]);
    descriptor["path"] = json!({"type": "string"});
    descriptor["valid"] = json!({"type": "boolean", "description": "Whether none of its findings is an error"});
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "What `meshwright validate -o json` writes",
        "description": "Fields may be added; none is taken away or changes its meaning.",
        "type": "object",
        "required": ["descriptors", "findings", "problems", "summary"],
        "properties": {
            "descriptors": {"type": "array", "items": {
                "type": "object",
                "required": ["path", "product", "version", "digest", "valid"],
                "properties": descriptor,
            }},
            "findings": {"type": "array", "items": {"$ref": "#/$defs/finding"}},
            "problems": {
                "description": "Why something that was asked for could not be checked",
                "type": "array",
                "items": {"type": "string"},
            },
            "fixes": {"description": "With --fix: the places that rules know how to mend", "type": "array", "items": fix},
            "summary": {
                "type": "object",
                "required": ["descriptors", "errors", "warnings", "notes"],
                "properties": {"descriptors": count, "errors": count, "warnings": count, "notes": count},
            },
        },
        "$defs": {"finding": {
            "type": "object",
            "required": ["rule", "severity", "location", "pointer", "message"],
            "properties": {
                "rule": {"type": "string", "description": "See `meshwright explain`"},
                "severity": {"enum": ["error", "warning", "note"]},
                "location": location,
                "pointer": {"type": "string", "description": "A JSON pointer into the resolved descriptor; empty for the whole"},
                "message": {"type": "string"},
                "hint": {"type": "string"},
            },
        }},
    })
}
