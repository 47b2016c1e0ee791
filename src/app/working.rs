//! One pass and out: `reconcile`.

use std::io;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use crate::config::Checked;
use crate::domain::finding::{Finding, arrange};
use crate::domain::id::{RepoPath, Revision};
use crate::domain::source::Target;
use crate::engine::{Engine, PassOutcome};
use crate::face::cli::ReconcileArgs;
use crate::face::render::{self, TextOf, harmless, style};
use crate::face::{ExitStatus, Output};
use crate::port::store::{ReportRow, StoreError};

use super::looking::{chosen, excerpts};
use super::wire::{RecordUse, assemble};

/// How many reports are shown at most.
const MOST_REPORTS: usize = 1_000;

pub(super) async fn reconcile(
    config: &Checked,
    args: &ReconcileArgs,
    output: &mut Output<'_>,
) -> io::Result<ExitStatus> {
    let sources = match chosen(config, args.source.as_ref(), output)? {
        Ok(sources) => sources,
        Err(status) => return Ok(status),
    };
    let assembled = match assemble(config, RecordUse::Write).await {
        Ok(assembled) => assembled,
        Err(error) => {
            output.error(&error.to_string(), None)?;
            return Ok(ExitStatus::Failed);
        }
    };
    for command in &assembled.commands {
        command.sweep();
    }
    let stop = CancellationToken::new();
    let _signals = stop_on_signal(stop.clone())?;
    let mut fine = true;
    for source in sources {
        let target = Target::branch(source);
        fine &= one(&assembled.engine, &target, &stop, output).await?;
    }
    assembled.store.close().await;
    Ok(if fine { ExitStatus::Success } else { ExitStatus::Failed })
}

/// One source: pass, rollouts, reports; whether all of it went well.
async fn one(
    engine: &Arc<Engine>,
    target: &Target,
    stop: &CancellationToken,
    output: &mut Output<'_>,
) -> io::Result<bool> {
    let revision = match engine.pass(target).await {
        Ok(PassOutcome::Recorded { plan }) => plan.revision.clone(),
        Ok(PassOutcome::Unchanged { revision }) => revision,
        Ok(PassOutcome::NotSeen { condition }) => {
            output.error(&format!("source {}: {}", target.source, condition.message), None)?;
            return Ok(false);
        }
        Err(error) => {
            output.error(&format!("source {}: {error}", target.source), None)?;
            return Ok(false);
        }
    };
    let finished = finish(engine, stop).await;
    if let Err(error) = finished {
        output.error(&error.to_string(), None)?;
        return Ok(false);
    }
    let store = &engine.ports().store;
    let (reports, open) = match (store.report_rows(MOST_REPORTS).await, engine.unfinished_of(&target.source).await) {
        (Ok(reports), Ok(open)) => (reports, open),
        (Err(error), _) | (_, Err(error)) => {
            output.error(&error.to_string(), None)?;
            return Ok(false);
        }
    };
    let reports: Vec<ReportRow> =
        reports.into_iter().filter(|row| row.source == target.source && row.revision == revision).collect();
    show_findings(engine, target, &revision, output).await?;
    writeln!(output.out, "{} {}", style::strong(target.source.as_str(), output.colour), revision.short())?;
    let in_order = engine.settings().platform.stages.iter().map(|stage| format!("meshwright/{}", stage.name));
    let order: Vec<String> = ["meshwright/validate", "meshwright/policy", "meshwright/plan"]
        .map(str::to_owned)
        .into_iter()
        .chain(in_order)
        .collect();
    for context in &order {
        let Some(report) = reports.iter().find(|report| report.context == *context) else { continue };
        let state = style::status(&report.state, output.colour);
        writeln!(output.out, "  {context:<22} {state}  {}", harmless(&report.description))?;
    }
    if open.going_on > 0 {
        let going_on = open.going_on;
        output.error(&format!("{going_on} rollouts are not finished; run `meshwright reconcile` again"), None)?;
    }
    // What waits for people is no failure.
    let is_fine =
        |report: &ReportRow| report.state == "success" || (report.state == "pending" && open.waiting_for_people > 0);
    Ok(open.going_on == 0 && reports.iter().all(is_fine))
}

/// What stands against the commit, with the lines at fault: whoever reads 'failure' wants to know why.
async fn show_findings(
    engine: &Arc<Engine>,
    target: &Target,
    revision: &Revision,
    output: &mut Output<'_>,
) -> io::Result<()> {
    let ports = engine.ports();
    let rows = match ports.store.finding_rows(Some(&target.source)).await {
        Ok(rows) => rows,
        Err(error) => return output.error(&error.to_string(), None),
    };
    let mut findings: Vec<Finding> = rows.into_iter().map(|row| row.finding).collect();
    arrange(&mut findings);
    // Without the tree, the findings are shown without their lines.
    let text_of: Box<TextOf<'_>> = match ports.source.tree(&target.source, revision).await {
        Ok(tree) => excerpts(tree),
        Err(_) => Box::new(|_| None),
    };
    let shown = |path: &RepoPath| path.to_string();
    render::findings(output.out, &findings, &shown, text_of.as_ref(), output.colour, output.width)
}

async fn finish(engine: &Arc<Engine>, stop: &CancellationToken) -> Result<(), StoreError> {
    engine.answer_requests().await?;
    engine.roll_out_all(stop).await?;
    engine.publish_due().await?;
    Ok(())
}

/// The first SIGINT or SIGTERM from now on stops gracefully, the second at once.
pub(super) fn stop_on_signal(stop: CancellationToken) -> io::Result<AbortOnDropHandle<()>> {
    use tokio::signal::unix::{SignalKind, signal};
    // Here and not in the task: a signal that comes before the task first runs is not to end the process.
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(AbortOnDropHandle::new(tokio::spawn(async move {
        for time in 1_u8.. {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            if time > 1 {
                tracing::warn!("stopping at once");
                std::process::exit(i32::from(ExitStatus::Failed.code()));
            }
            tracing::info!("stopping; a second signal stops at once");
            stop.cancel();
        }
    })))
}
