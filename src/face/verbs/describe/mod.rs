//! `describe KIND NAME`: one thing in full, with what belongs to it.

mod activity;
mod events;
mod product;
mod source;

use std::io;

use crate::domain::suggest::{did_you_mean, nearest};
use crate::face::cli::{DescribeArgs, DescribeKind};
use crate::face::render::{harmless, style};
use crate::face::{ExitStatus, Output};
use crate::port::store::{Store, StoreError};

use super::store_failed;

/// Why a thing is not described.
enum NotDescribed {
    /// Nothing has this name.
    Unknown { message: String, hint: String },
    /// The record failed.
    Store(StoreError),
    /// Writing failed.
    Io(io::Error),
}

impl From<StoreError> for NotDescribed {
    fn from(error: StoreError) -> Self {
        NotDescribed::Store(error)
    }
}

impl From<io::Error> for NotDescribed {
    fn from(error: io::Error) -> Self {
        NotDescribed::Io(error)
    }
}

/// Nothing has this name; here is what there is.
fn unknown<'a>(kind: &str, name: &str, known: impl IntoIterator<Item = &'a str>) -> NotDescribed {
    // A product is written by its name, unless its majors have to be told apart.
    let as_written = |known: &'a str| if name.contains(':') { known } else { known.split(':').next().unwrap_or(known) };
    let mut known: Vec<&str> = known.into_iter().map(as_written).collect();
    known.dedup();
    let hint = if known.len() <= 12 {
        did_you_mean(name, known)
    } else {
        match nearest(name, known) {
            Some(near) => format!("did you mean '{near}'?"),
            None => "`meshwright get` lists what there is".to_owned(),
        }
    };
    NotDescribed::Unknown { message: format!("there is no {kind} '{name}'"), hint }
}

/// Shows one thing. It ends with 1 when there is none of this name.
pub async fn describe(store: &dyn Store, args: &DescribeArgs, output: &mut Output<'_>) -> io::Result<ExitStatus> {
    let described = match args.kind {
        DescribeKind::Product => product::product(store, args, output).await,
        DescribeKind::Version => product::version(store, args, output).await,
        DescribeKind::Activity => activity::activity(store, args, output).await,
        DescribeKind::Source => source::source(store, args, output).await,
    };
    match described {
        Ok(()) => Ok(ExitStatus::Success),
        Err(NotDescribed::Unknown { message, hint }) => {
            output.error(&message, Some(&hint))?;
            Ok(ExitStatus::Failed)
        }
        Err(NotDescribed::Store(error)) => store_failed(&error, output),
        Err(NotDescribed::Io(error)) => Err(error),
    }
}

/// `Name:        value`, where there is a value.
fn field(output: &mut Output<'_>, name: &str, value: &str) -> io::Result<()> {
    if value.is_empty() {
        return Ok(());
    }
    let label = format!("{:<14}", format!("{name}:"));
    writeln!(output.out, "{}{}", style::strong(&label, output.colour), harmless(value))
}

fn section(output: &mut Output<'_>, name: &str) -> io::Result<()> {
    writeln!(output.out, "\n{}", style::strong(name, output.colour))
}

#[cfg(test)]
mod tests;
