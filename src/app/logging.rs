//! The log: on standard error, for people or for machines.

use tracing_subscriber::EnvFilter;

use crate::face::cli::{GlobalArgs, LogFormat};

/// Starts the log. `quiet` verbs say only what went wrong, unless more is asked for.
pub(super) fn start(global: &GlobalArgs, quiet: bool, colour: bool) {
    let ours = match (global.verbose, quiet) {
        (0, true) => "error",
        (0, false) => "info",
        (1, _) => "debug",
        (_, _) => "trace",
    };
    let filter = EnvFilter::new(format!("warn,meshwright={ours},sqlx=error"));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // A second call in one process (as in tests of the library) keeps the first log.
    let _ = match global.log_format {
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
        LogFormat::Text => builder.with_ansi(colour).with_target(false).try_init(),
    };
}
