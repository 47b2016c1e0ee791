//! `db`: the record as a whole.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::DocumentFormat;

/// `db`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "Example:\n  meshwright db status")]
pub struct DbArgs {
    /// What to do.
    #[command(subcommand)]
    pub verb: DbVerb,
}

/// What to do with the record.
#[derive(Debug, Clone, Subcommand)]
pub enum DbVerb {
    /// Say where the record is and how it stands
    Status(DbStatusArgs),
    /// Bring the record's schema up to date
    Migrate(DbMigrateArgs),
    /// Copy an SQLite record to a file, while the daemon runs
    #[command(after_help = "Example:\n  meshwright db backup /backups/meshwright-2026-11-21.db\n\n\
                            The copy is one moment of the record, checked, and readable by its owner alone. A record \
                            in PostgreSQL is backed up with pg_dump, or with `meshwright db export`.")]
    Backup(DbFileArgs),
    /// Put a copy in the place of an SQLite record
    #[command(after_help = "Example:\n  meshwright db restore /backups/meshwright-2026-11-21.db\n\n\
                            The daemon has to be stopped. The copy is checked first, and what was there is kept beside it.")]
    Restore(DbFileArgs),
    /// Write the record to a file that any database can take in
    #[command(after_help = "Example:\n  meshwright db export record.jsonl\n\n\
                            Lines of JSON, of one moment of the record, with a digest at the end.")]
    Export(DbFileArgs),
    /// Take an exported record into one with nothing in it
    #[command(after_help = "Example:\n  meshwright db import record.jsonl --config meshwright-postgres.yaml\n\n\
                            All of it or nothing: the digest and the number of rows have to be right.")]
    Import(DbFileArgs),
    /// Let go of history that is older than the configuration keeps it, or more
    Prune(DbPruneArgs),
}

/// `db status`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "Examples:\n  meshwright db status\n  meshwright db status -o json")]
pub struct DbStatusArgs {
    /// How it is written
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value_t = DocumentFormat::Text)]
    pub output: DocumentFormat,
}

/// `db migrate`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "Examples:\n  meshwright db migrate --dry-run\n  meshwright db migrate\n\n\
                        Starting the daemon does the same.")]
pub struct DbMigrateArgs {
    /// Say what would be done, and do nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// `db prune`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "Examples:\n  meshwright db prune --dry-run\n  meshwright db prune\n\n\
                        The daemon does the same every hour. What explains the present is never let go of. In an \
                        SQLite record only --dry-run goes while the daemon runs.")]
pub struct DbPruneArgs {
    /// Count what would go now, and do nothing
    #[arg(long)]
    pub dry_run: bool,
    /// How it is written
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value_t = DocumentFormat::Text)]
    pub output: DocumentFormat,
}

/// A file.
#[derive(Debug, Clone, Args)]
pub struct DbFileArgs {
    /// The file
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
}
