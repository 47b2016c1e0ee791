//! `completions SHELL`.

use std::io;

use crate::face::cli::{Cli, CompletionsArgs};
use crate::face::{ExitStatus, Output};

/// Writes the script for a shell.
pub fn completions(args: &CompletionsArgs, output: &mut Output<'_>) -> io::Result<ExitStatus> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::whole(), "meshwright", &mut script);
    output.out.write_all(&script)?;
    Ok(ExitStatus::Success)
}
