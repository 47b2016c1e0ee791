//! `validate --fix`: mends what is safe to mend, or only shows it.

use std::io;
use std::path::Path;

use crate::check::fix::{Mending, Wish, mend};
use crate::domain::id::RepoPath;
use crate::face::render::{self, counted};
use crate::face::validation::{FixOutcome, Fixed};
use crate::face::{Output, Validation};
use crate::port::tree::Tree;
use crate::port::workspace::Workspace;

use super::Scope;

/// What becomes of what can be mended.
#[derive(Clone, Copy)]
pub enum FixMode<'a> {
    /// Files are replaced, in the folder that this opens.
    Write(&'a dyn Fn(&Path) -> Box<dyn Workspace>),
    /// Nothing is written.
    DryRun,
}

impl std::fmt::Debug for FixMode<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            FixMode::Write(_) => "Write",
            FixMode::DryRun => "DryRun",
        })
    }
}

/// What fixing came to.
pub(super) struct Fixing {
    pub(super) fixed: Vec<Fixed>,
    /// Why files could not be written. Each is a failure.
    pub(super) problems: Vec<String>,
    pub(super) has_written: bool,
}

/// Mends the files that the user named, or those in the folders that they named, and no others.
/// The difference goes to `to`: that of each file as soon as it is written.
pub(super) fn fix(
    mode: FixMode<'_>,
    tree: &dyn Tree,
    scope: &Scope,
    wishes: &[Wish],
    to: &mut dyn io::Write,
    colour: bool,
) -> io::Result<Fixing> {
    let Mending { files, left } = mend(tree, wishes, &|path: &RepoPath| scope.holds(path));
    let workspace = match mode {
        FixMode::Write(open) => Some(open(&scope.top)),
        FixMode::DryRun => None,
    };
    let left = left.into_iter().map(|(fix, why)| Fixed { fix, outcome: FixOutcome::Left(why) });
    let mut fixing = Fixing { fixed: left.collect(), problems: Vec::new(), has_written: false };
    for file in files {
        let replaced = workspace.as_ref().map(|workspace| workspace.replace(&file.path, &file.before, &file.after));
        let outcome = match replaced {
            None => FixOutcome::Proposed,
            Some(Ok(())) => FixOutcome::Mended,
            Some(Err(error)) => {
                fixing.problems.push(error.to_string());
                FixOutcome::Left(error.to_string())
            }
        };
        if !matches!(outcome, FixOutcome::Left(_)) {
            render::text_difference(to, &scope.shown(&file.path), &file.before, &file.after, colour)?;
            writeln!(to)?;
        }
        fixing.has_written |= outcome == FixOutcome::Mended;
        fixing.fixed.extend(file.fixes.into_iter().map(|fix| Fixed { fix, outcome: outcome.clone() }));
    }
    fixing.fixed.sort_by(|a, b| a.fix.location.cmp(&b.fix.location));
    Ok(fixing)
}

/// What was mended, and what was not and why, for whoever sits at the terminal.
pub(super) fn tell(validation: &Validation, scope: &Scope, output: &mut Output<'_>) -> io::Result<()> {
    let Some(fixes) = &validation.fixes else { return Ok(()) };
    for fixed in fixes {
        let FixOutcome::Left(why) = &fixed.outcome else { continue };
        let location = &fixed.fix.location;
        let place = format!("{}:{}:{}", scope.shown(&location.file), location.line, location.column);
        let line = format!("{place}: not mended [{}]: {why}", fixed.fix.rule);
        writeln!(output.err, "{}", render::harmless(&line))?;
    }
    for (outcome, words) in
        [(FixOutcome::Mended, "mended"), (FixOutcome::Proposed, "to be mended; nothing was written")]
    {
        let places: Vec<_> = fixes.iter().filter(|fixed| fixed.outcome == outcome).collect();
        let mut files: Vec<_> = places.iter().map(|fixed| &fixed.fix.location.file).collect();
        files.sort();
        files.dedup();
        if !places.is_empty() {
            writeln!(output.err, "{} in {} {words}", counted(places.len(), "place"), counted(files.len(), "file"))?;
        }
    }
    let is_nothing = fixes.iter().all(|fixed| matches!(fixed.outcome, FixOutcome::Left(_)));
    if is_nothing { writeln!(output.err, "nothing was mended") } else { Ok(()) }
}
