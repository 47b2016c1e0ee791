//! `config schema` and `config check`.

use std::io;
use std::path::Path;

use crate::config::{self, Checked, ConfigError};
use crate::face::cli::DocumentFormat;
use crate::face::render::{config_errors, counted, document, harmless, style};
use crate::face::{ExitStatus, Output};

/// Writes the JSON Schema of the configuration.
pub fn schema(output: &mut Output<'_>) -> io::Result<ExitStatus> {
    document(output.out, &config::json_schema(), DocumentFormat::Json)?;
    Ok(ExitStatus::Success)
}

/// Says whether the file makes sense, and what in it looks like a mistake on this machine.
pub fn check(path: &Path, output: &mut Output<'_>) -> io::Result<ExitStatus> {
    let checked = match config::read(path) {
        Ok(checked) => checked,
        Err(errors) => return refused(&errors, output),
    };
    for warning in doubts(&checked) {
        writeln!(output.err, "{}: {}", style::warning("warning", output.err_colour), harmless(&warning))?;
    }
    let parts = [
        counted(checked.sources.len(), "source"),
        counted(checked.platform.stages.len(), "stage"),
        counted(checked.executors.len(), "executor"),
        counted(checked.forges.len(), "forge"),
    ];
    let name = path.display().to_string();
    writeln!(output.out, "{} is fine: mesh {}, {}", harmless(&name), checked.namespace, parts.join(", "))?;
    Ok(ExitStatus::Success)
}

/// Writes what is wrong with the configuration; every verb that needs one ends like this.
pub fn refused(errors: &[ConfigError], output: &mut Output<'_>) -> io::Result<ExitStatus> {
    config_errors(output.err, errors, output.err_colour, output.width)?;
    Ok(ExitStatus::Usage)
}

/// What is right in itself, and will not work here and now.
fn doubts(checked: &Checked) -> Vec<String> {
    let mut doubts = Vec::new();
    for source in &checked.sources {
        if let Some(folder) = source.location.local_path()
            && !folder.is_dir()
        {
            doubts.push(format!("the source '{}' is a folder that is not there: {}", source.name, folder.display()));
        }
    }
    for folder in checked.policies.iter().filter(|folder| !folder.is_dir()) {
        doubts.push(format!(
            "the policy folder is not there, and without its policies everything is refused: {}",
            folder.display()
        ));
    }
    if checked.sources.is_empty() {
        doubts.push("there is no source, so there is nothing to watch".to_owned());
    }
    doubts
}
