//! JSON and YAML documents for programs. Their shapes are described in `docs/cli.md`, and only grow.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::{Value, json};

use crate::face::Validation;
use crate::face::cli::DocumentFormat;

use super::Counts;

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
    json!({
        "descriptors": descriptors,
        "findings": validation.findings,
        "problems": validation.problems,
        "summary": {
            "descriptors": validation.descriptors.len(),
            "errors": counts.errors,
            "warnings": counts.warnings,
            "notes": counts.notes,
        },
    })
}
