//! Verbs that only look: at the record, or at what a pass would come to.

use std::io;
use std::sync::Arc;

use crate::adapter::store::SqlStore;
use crate::config::Checked;
use crate::domain::finding::Finding;
use crate::domain::id::{RepoPath, Revision, SourceName};
use crate::domain::source::Target;
use crate::engine::{Draft, Engine};
use crate::face::cli::{DescribeArgs, DiffArgs, GetArgs, PlanArgs};
use crate::face::render::TextOf;
use crate::face::verbs::plan::{PlanOutcome, PlannedSource};
use crate::face::verbs::{self, describe, get};
use crate::face::{ExitStatus, Output};

use crate::port::tree::Tree;

use super::record::Place;
use super::wire::{RecordUse, assemble};

/// Files larger than this have no excerpts.
const EXCERPT_LIMIT: u64 = 1 << 20;

pub(super) async fn get(config: &Checked, args: &GetArgs, output: &mut Output<'_>) -> io::Result<ExitStatus> {
    match open_record(config, output).await? {
        Ok(store) => get::get(&store, args, output).await,
        Err(status) => Ok(status),
    }
}

pub(super) async fn describe(config: &Checked, args: &DescribeArgs, output: &mut Output<'_>) -> io::Result<ExitStatus> {
    match open_record(config, output).await? {
        Ok(store) => describe::describe(&store, args, output).await,
        Err(status) => Ok(status),
    }
}

pub(super) async fn plan(config: &Checked, args: &PlanArgs, output: &mut Output<'_>) -> io::Result<ExitStatus> {
    match drafts(config, args.source.as_ref(), args.revision.as_ref(), output).await? {
        Ok(outcomes) => verbs::plan::plan(&outcomes, args.output, args.exit_code, output),
        Err(status) => Ok(status),
    }
}

pub(super) async fn diff(config: &Checked, args: &DiffArgs, output: &mut Output<'_>) -> io::Result<ExitStatus> {
    match drafts(config, args.source.as_ref(), None, output).await? {
        Ok(outcomes) => verbs::plan::diff(&outcomes, args.output, output),
        Err(status) => Ok(status),
    }
}

/// The sources that are meant: one by its name, or all. An unknown name is a wrong use.
pub(super) fn chosen(
    config: &Checked,
    wanted: Option<&SourceName>,
    output: &mut Output<'_>,
) -> io::Result<Result<Vec<SourceName>, ExitStatus>> {
    let all: Vec<SourceName> = config.sources.iter().map(|source| source.name.clone()).collect();
    let Some(wanted) = wanted else {
        if all.is_empty() {
            output.error("the configuration has no sources", Some("add a repository under 'sources'"))?;
            return Ok(Err(ExitStatus::Usage));
        }
        return Ok(Ok(all));
    };
    if all.contains(wanted) {
        return Ok(Ok(vec![wanted.clone()]));
    }
    let names: Vec<&str> = all.iter().map(SourceName::as_str).collect();
    let hint = format!("the configuration has: {}", names.join(", "));
    output.error(&format!("there is no source '{wanted}'"), Some(&hint))?;
    Ok(Err(ExitStatus::Usage))
}

async fn open_record(config: &Checked, output: &mut Output<'_>) -> io::Result<Result<SqlStore, ExitStatus>> {
    let opened = async {
        let place = Place::of(&config.state)?;
        if place.is_there().await? { Ok(Ok(place.open_read_only().await?)) } else { Ok(Err(place)) }
    };
    match opened.await {
        Ok(Ok(store)) => Ok(Ok(store)),
        Ok(Err(place)) => verbs::no_record(&place.to_string(), output).map(Err),
        Err(error) => verbs::store_failed(&error, output).map(Err),
    }
}

async fn drafts(
    config: &Checked,
    wanted: Option<&SourceName>,
    revision: Option<&Revision>,
    output: &mut Output<'_>,
) -> io::Result<Result<Vec<PlanOutcome<'static>>, ExitStatus>> {
    let sources = match chosen(config, wanted, output)? {
        Ok(sources) => sources,
        Err(status) => return Ok(Err(status)),
    };
    let assembled = match assemble(config, RecordUse::Look).await {
        Ok(assembled) => assembled,
        Err(error) => {
            output.error(&error.to_string(), None)?;
            return Ok(Err(ExitStatus::Failed));
        }
    };
    let mut outcomes = Vec::new();
    for source in sources {
        outcomes.push(draft(&assembled.engine, source, revision).await);
    }
    Ok(Ok(outcomes))
}

async fn draft(engine: &Engine, source: SourceName, revision: Option<&Revision>) -> PlanOutcome<'static> {
    let target = Target::branch(source.clone());
    match engine.draft(&target, revision).await {
        Ok(Ok(draft)) => PlanOutcome::Planned(Box::new(planned(draft))),
        Ok(Err(condition)) => PlanOutcome::Failed { source, message: condition.message },
        Err(error) => PlanOutcome::Failed { source, message: error.to_string() },
    }
}

fn planned(draft: Draft) -> PlannedSource<'static> {
    let descriptors = draft.pass.descriptors.into_iter().flat_map(|descriptor| descriptor.findings);
    let findings: Vec<Finding> = draft.pass.findings.into_iter().chain(descriptors).collect();
    PlannedSource { plan: draft.pass.plan, findings, text_of: excerpts(draft.tree.0) }
}

/// The texts of a tree's files, from which excerpts are cut.
pub(super) fn excerpts(tree: Arc<dyn Tree>) -> Box<TextOf<'static>> {
    Box::new(move |path: &RepoPath| {
        let bytes = tree.read(path, EXCERPT_LIMIT).ok()?;
        String::from_utf8(bytes).ok()
    })
}
