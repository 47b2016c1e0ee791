//! The command line: which verbs there are, in kubectl's and flux's manner, and what they take.
//! Each verb's `--help` ends with an example.

mod act;
mod args;
mod db;

pub use act::{AboutArgs, ApproveArgs, CancelArgs, HoldArgs, RejectArgs, ResumeArgs, RetryArgs};
pub use args::{
    CompletionsArgs, ConfigArgs, ConfigVerb, DemoArgs, DescribeArgs, DescribeKind, DiffArgs, DoctorArgs,
    DocumentFormat, ExplainArgs, FindingFormat, GetArgs, GetKind, GithubArgs, GithubSetupArgs, GithubVerb, InitArgs,
    ListFormat, PlanArgs, PolicyArgs, PolicyTestArgs, PolicyVerb, PolicyWorkerArgs, ReconcileArgs, SchemaArgs,
    SchemaKind, ServeArgs, ValidateArgs,
};

pub use db::{DbArgs, DbFileArgs, DbMigrateArgs, DbPruneArgs, DbStatusArgs, DbVerb};

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{CommandFactory, Parser, Subcommand, ValueEnum};

use super::{ExitStatus, Output};

/// A GitOps reconciler for data products.
#[derive(Debug, Clone, Parser)]
#[command(
    name = "meshwright",
    version,
    propagate_version = false,
    max_term_width = 100,
    about = "A GitOps reconciler for data products",
    long_about = "Meshwright watches Git repositories with data product descriptors (DPDS), validates and \
                  policy-checks every change, provisions, builds and deploys the products, and reports the result \
                  on the commit.",
    after_help = "Exit codes: 0 fine, 1 failed or refused by findings, 2 changes planned (`plan --exit-code`), \
                  64 wrong usage or configuration, 70 our own error.\n\nExample:\n  meshwright demo"
)]
pub struct Cli {
    /// What holds for every verb.
    #[command(flatten)]
    pub global: GlobalArgs,
    /// The verb.
    #[command(subcommand)]
    pub verb: Verb,
}

/// What holds for every verb.
#[derive(Debug, Clone, clap::Args)]
pub struct GlobalArgs {
    /// The configuration
    #[arg(long, global = true, value_name = "FILE", default_value = DEFAULT_CONFIG, help_heading = "Global options")]
    pub config: PathBuf,
    /// How the log on standard error is written: text or json
    #[arg(long, global = true, value_enum, value_name = "FORMAT", hide_possible_values = true, default_value_t = LogFormat::Text, help_heading = "Global options")]
    pub log_format: LogFormat,
    /// Say more: -v debug, -vv everything
    #[arg(short, long, global = true, action = clap::ArgAction::Count, help_heading = "Global options")]
    pub verbose: u8,
    /// When to use colours: auto (on a terminal, unless NO_COLOR is set), always or never
    #[arg(
        hide_possible_values = true,
        long, global = true, value_enum, value_name = "WHEN", default_value_t = ColourChoice::Auto, help_heading = "Global options")]
    pub color: ColourChoice,
}

/// The configuration file's name.
pub const DEFAULT_CONFIG: &str = "meshwright.yaml";

/// How the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// When colours are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ColourChoice {
    /// On a terminal.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The verbs.
#[derive(Debug, Clone, Subcommand)]
pub enum Verb {
    /// Take a small mesh through the whole trip, here and now
    Demo(DemoArgs),
    /// Write a starter configuration
    Init(InitArgs),
    /// Check descriptors in a working tree
    Validate(ValidateArgs),
    /// Show what would be done, and do nothing
    Plan(PlanArgs),
    /// Work on policies
    Policy(PolicyArgs),
    /// Make one pass over the sources, and end
    Reconcile(ReconcileArgs),
    /// Watch the sources and reconcile them, until stopped
    Serve(ServeArgs),
    /// List what is recorded
    Get(GetArgs),
    /// Show one thing in full
    Describe(DescribeArgs),
    /// Compare the desired products with the recorded ones
    Diff(DiffArgs),
    /// Let what waits at a stage begin
    Approve(ApproveArgs),
    /// Never let what waits at a stage begin
    Reject(RejectArgs),
    /// Let nothing more begin, until resumed
    #[command(visible_alias = "suspend")]
    Hold(HoldArgs),
    /// Let go on what was held
    Resume(ResumeArgs),
    /// Stop what runs, and never begin what waits
    Cancel(CancelArgs),
    /// Try again what has failed
    Retry(RetryArgs),
    /// Explain a rule, or list all of them
    Explain(ExplainArgs),
    /// Examine what the daemon needs, and say what to do about it
    Doctor(DoctorArgs),
    /// Connect to GitHub
    Github(GithubArgs),
    /// Look after the record: its schema, copies, moving it
    Db(DbArgs),
    /// Print a JSON Schema, for editors and programs
    Schema(SchemaArgs),
    /// Help with the configuration file
    Config(ConfigArgs),
    /// Print a shell's completion script
    Completions(CompletionsArgs),
    /// Answer policy questions for a daemon (not for people)
    #[command(hide = true)]
    PolicyWorker(PolicyWorkerArgs),
}

impl Cli {
    /// Reads the command line. Help and version are written to `out` and end with 0; mistakes are
    /// written to `err` and end with 64.
    pub fn read(
        arguments: impl IntoIterator<Item = impl Into<OsString> + Clone>,
        output: &mut Output<'_>,
    ) -> std::io::Result<Result<Self, ExitStatus>> {
        let error = match Self::try_parse_from(arguments) {
            Ok(cli) => return Ok(Ok(cli)),
            Err(error) => error,
        };
        let text = error.render();
        if error.use_stderr() {
            if output.err_colour {
                write!(output.err, "{}", text.ansi())?;
            } else {
                write!(output.err, "{text}")?;
            }
            return Ok(Err(ExitStatus::Usage));
        }
        if output.colour {
            write!(output.out, "{}", text.ansi())?;
        } else {
            write!(output.out, "{text}")?;
        }
        Ok(Err(ExitStatus::Success))
    }

    /// The whole command, for completions and for the documentation.
    pub fn whole() -> clap::Command {
        Self::command()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_is_put_together_rightly() {
        Cli::whole().debug_assert();
    }

    #[test]
    fn every_verb_has_an_example() {
        fn look(command: &clap::Command, path: &str, missing: &mut Vec<String>) {
            for verb in command.get_subcommands() {
                let path = format!("{path} {}", verb.get_name());
                let help = verb.get_after_help().map(ToString::to_string).unwrap_or_default();
                if !verb.is_hide_set() && !help.contains("Example") {
                    missing.push(path.clone());
                }
                look(verb, &path, missing);
            }
        }
        let mut missing = Vec::new();
        look(&Cli::whole(), "meshwright", &mut missing);
        assert_eq!(missing, Vec::<String>::new());
    }
}
