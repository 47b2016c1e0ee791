//! Errors of the configuration, in the same form as findings. Their lines come with secrets
//! already blacked out.

use std::io::{self, Write};

use annotate_snippets::Level;

use crate::config::ConfigError;

use super::counted;
use super::findings::{Diagnostic, renderer};

/// Writes all of them, and a line that counts them.
pub fn config_errors(out: &mut dyn Write, errors: &[ConfigError], colour: bool, width: usize) -> io::Result<()> {
    let renderer = renderer(colour, width);
    for error in errors {
        let place = error.place;
        let message = match error.key.as_str() {
            "" => error.message.clone(),
            key => format!("{key}: {}", error.message),
        };
        let diagnostic = Diagnostic {
            level: Level::ERROR,
            id: None,
            message: &message,
            path: &error.file,
            line: place.map_or(0, |place| place.line),
            column: place.map_or(0, |place| place.column),
            length: place.map_or(0, |place| place.length),
            excerpt: error.excerpt.as_deref(),
            pointer: "",
            hint: error.hint.as_deref(),
        };
        diagnostic.write(out, &renderer)?;
    }
    let file = errors.first().map(|error| error.file.as_str()).unwrap_or_default();
    writeln!(out, "{} in {}", counted(errors.len(), "error"), super::harmless(file))
}
