//! `schema`: JSON Schemas, for editors and programs.

use std::io;

use serde_json::Value;

use crate::face::cli::{DocumentFormat, SchemaKind};
use crate::face::render::{document, validation_schema};
use crate::face::{ExitStatus, Output};

/// Writes the schema. `dpds` is that of a descriptor.
pub fn schema(kind: SchemaKind, dpds: &Value, output: &mut Output<'_>) -> io::Result<ExitStatus> {
    match kind {
        SchemaKind::Dpds => document(output.out, dpds, DocumentFormat::Json)?,
        SchemaKind::Findings => document(output.out, &validation_schema(), DocumentFormat::Json)?,
    }
    Ok(ExitStatus::Success)
}
