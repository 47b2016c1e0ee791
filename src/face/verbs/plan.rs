//! `plan` and `diff`: both show a plan that was made and not recorded.

use std::fmt;
use std::io;

use serde_json::{Value, json};

use crate::domain::change::{Change, ChangeKind};
use crate::domain::finding::Finding;
use crate::domain::id::{RepoPath, SourceName};
use crate::domain::plan::Plan;
use crate::face::cli::DocumentFormat;
use crate::face::render::{self, Counts, TextOf, document, style};
use crate::face::{ExitStatus, Output};

/// What planning for one source came to.
pub enum PlanOutcome<'a> {
    /// There is a plan; it may be empty.
    Planned(Box<PlannedSource<'a>>),
    /// There is none: the source cannot be seen, or could not be evaluated.
    Failed {
        /// The source.
        source: SourceName,
        /// Why, in a sentence.
        message: String,
    },
}

/// A plan with what was found on the way.
pub struct PlannedSource<'a> {
    /// The plan.
    pub plan: Plan,
    /// What rules, policies and planning found in descriptors.
    pub findings: Vec<Finding>,
    /// The files of the revision, for excerpts.
    pub text_of: Box<TextOf<'a>>,
}

impl fmt::Debug for PlanOutcome<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PlanOutcome::Planned(planned) => planned.fmt(f),
            PlanOutcome::Failed { source, message } => write!(f, "Failed({source}: {message})"),
        }
    }
}

impl fmt::Debug for PlannedSource<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PlannedSource").field("plan", &self.plan).finish_non_exhaustive()
    }
}

impl PlannedSource<'_> {
    fn has_errors(&self) -> bool {
        Counts::of(&self.findings).errors > 0 || !self.plan.refused.is_empty()
    }
}

/// Shows plans. It ends with 1 when a source failed or a finding refuses; otherwise with 2 when
/// `exit_code` is wanted and something would be done; otherwise with 0.
pub fn plan(
    outcomes: &[PlanOutcome<'_>],
    format: DocumentFormat,
    exit_code: bool,
    output: &mut Output<'_>,
) -> io::Result<ExitStatus> {
    if format == DocumentFormat::Text {
        for outcome in outcomes {
            match outcome {
                PlanOutcome::Planned(planned) => show(planned, output)?,
                PlanOutcome::Failed { source, message } => failed(source, message, output)?,
            }
        }
    } else {
        let plans = planned(outcomes).map(|planned| json!({ "plan": planned.plan, "findings": planned.findings }));
        let plans: Vec<Value> = plans.collect();
        document(output.out, &json!({ "plans": plans, "problems": problems(outcomes) }), format)?;
        report_failures(outcomes, output)?;
    }
    let refused = outcomes.iter().any(|outcome| match outcome {
        PlanOutcome::Planned(planned) => planned.has_errors(),
        PlanOutcome::Failed { .. } => true,
    });
    let changes = planned(outcomes).any(|planned| !planned.plan.is_empty());
    Ok(match (refused, exit_code && changes) {
        (true, _) => ExitStatus::Failed,
        (false, true) => ExitStatus::Changes,
        (false, false) => ExitStatus::Success,
    })
}

/// Shows the changes of plans. A difference is an answer, not a failure: it ends with 0 unless a
/// source failed.
pub fn diff(outcomes: &[PlanOutcome<'_>], format: DocumentFormat, output: &mut Output<'_>) -> io::Result<ExitStatus> {
    fn changed(plan: &Plan) -> Vec<&Change> {
        plan.changes.iter().filter(|change| change.kind != ChangeKind::Unchanged).collect()
    }
    if format == DocumentFormat::Text {
        let several = outcomes.len() > 1;
        for outcome in outcomes {
            match outcome {
                PlanOutcome::Planned(planned) => {
                    if several {
                        let name = planned.plan.source.as_str();
                        writeln!(output.out, "{}", style::strong(&format!("Source {name}"), output.colour))?;
                    }
                    render::changes(output.out, &planned.plan.changes, output.colour)?;
                }
                PlanOutcome::Failed { source, message } => failed(source, message, output)?,
            }
        }
    } else {
        let sources = planned(outcomes).map(|planned| {
            let plan = &planned.plan;
            json!({ "source": plan.source, "revision": plan.revision, "changes": changed(plan) })
        });
        let sources: Vec<Value> = sources.collect();
        document(output.out, &json!({ "sources": sources, "problems": problems(outcomes) }), format)?;
        report_failures(outcomes, output)?;
    }
    let any_failed = outcomes.iter().any(|outcome| matches!(outcome, PlanOutcome::Failed { .. }));
    Ok(if any_failed { ExitStatus::Failed } else { ExitStatus::Success })
}

fn planned<'o, 'a>(outcomes: &'o [PlanOutcome<'a>]) -> impl Iterator<Item = &'o PlannedSource<'a>> {
    outcomes.iter().filter_map(|outcome| match outcome {
        PlanOutcome::Planned(planned) => Some(planned.as_ref()),
        PlanOutcome::Failed { .. } => None,
    })
}

fn problems(outcomes: &[PlanOutcome<'_>]) -> Vec<Value> {
    let failed = outcomes.iter().filter_map(|outcome| match outcome {
        PlanOutcome::Failed { source, message } => Some(json!({ "source": source, "message": message })),
        PlanOutcome::Planned(_) => None,
    });
    failed.collect()
}

fn report_failures(outcomes: &[PlanOutcome<'_>], output: &mut Output<'_>) -> io::Result<()> {
    for outcome in outcomes {
        if let PlanOutcome::Failed { source, message } = outcome {
            failed(source, message, output)?;
        }
    }
    Ok(())
}

fn failed(source: &SourceName, message: &str, output: &mut Output<'_>) -> io::Result<()> {
    output.error(&format!("source {source}: {message}"), None)
}

fn show(planned: &PlannedSource<'_>, output: &mut Output<'_>) -> io::Result<()> {
    let mut all = planned.findings.clone();
    crate::domain::finding::arrange(&mut all);
    let shown = |path: &RepoPath| path.to_string();
    render::findings(output.out, &all, &shown, planned.text_of.as_ref(), output.colour, output.width)?;
    render::plan(output.out, &planned.plan, &planned.findings, output.colour)?;
    let errors = Counts::of(&planned.findings).errors;
    if errors > 0 {
        let are = if errors == 1 { "error is" } else { "errors are" };
        writeln!(output.err, "What has errors is left out; {errors} {are} shown above the plan.")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
