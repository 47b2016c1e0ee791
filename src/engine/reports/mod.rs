//! What a forge should show of a commit: from counts to one state and one line.
//!
//! What a pass says of stages is recorded while the source stands as it did before the first reading (see
//! `standing`). What has changed since is told by `telling`.

mod followers;
mod passed_over;
mod show;
mod stage;
mod telling;
mod unreached;

pub(super) use stage::{Stage, StageLine, held_line, newest, still_tells};
pub(super) use telling::Telling;

use crate::domain::id::{Revision, SourceName, StageName};
use crate::domain::report::{Check, Detail, Report, ReportContext, ReportState};

use super::Engine;
use super::review::CHECK;

/// The reports of a commit that has no descriptors: nothing could be evaluated.
pub(super) fn of_emptied(
    source: &SourceName,
    revision: &Revision,
    stages: impl Iterator<Item = StageName>,
) -> Vec<Report> {
    let text = "no descriptors found; nothing was changed because of it";
    [ReportContext::Validate, ReportContext::Policy, ReportContext::Plan]
        .into_iter()
        .chain(stages.map(ReportContext::Stage))
        .map(|context| Report::new(source, revision, &context, ReportState::Error, text))
        .collect()
}

impl Engine {
    /// What the check of a proposal's head says when that very commit has become the branch's, as by a fast-forward:
    /// what the pass over the branch came to, and not what would have come of a merge.
    pub(super) fn instead_of_review(&self, source: &SourceName, of_pass: &[Report]) -> Option<Report> {
        let abilities = self.ports.forges.get(source)?.abilities();
        if abilities.checks { check_of_pass(of_pass) } else { None }
    }
}

/// The worst of these, with all of them in its summary; the last where all are good.
fn check_of_pass(of_pass: &[Report]) -> Option<Report> {
    let worst = of_pass.iter().filter(|report| report.state != ReportState::Success);
    let shown = worst.min_by_key(|report| report.state != ReportState::Error).or(of_pass.last())?;
    let mut summary = "This commit has become the branch's. What was said of it as a proposal does not count any \
                       more; this is what came of it:\n\n"
        .to_owned();
    for report in of_pass {
        summary.push_str(&format!("- `{}`: {}, {}\n", report.context, report.state.as_str(), report.description));
    }
    summary.push_str("\nHow it is rolled out is told by the status of each stage.\n");
    let check = Check { summary, annotations: Vec::new(), actions: Vec::new() };
    Some(Report { context: CHECK.to_owned(), detail: Some(Detail::Check(check)), ..shown.clone() })
}

/// What the descriptors of a commit came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Tally {
    /// How many descriptors the commit has.
    pub descriptors: usize,
    /// How many were looked at in this pass.
    pub looked_at: usize,
    /// How many stand with errors that rules found.
    pub with_errors: usize,
    /// How many warnings were found in this pass.
    pub warnings: usize,
    /// How many stand refused by policies.
    pub with_refusals: usize,
    /// How many could not be evaluated.
    pub not_evaluated: usize,
    /// How many products are created, updated, retired.
    pub created: usize,
    /// See `created`.
    pub updated: usize,
    /// See `created`.
    pub retired: usize,
    /// How many activities are planned.
    pub activities: usize,
    /// How many products the plan refuses, for whatever reason.
    pub refused: usize,
}

/// The three reports that a pass itself decides.
pub(super) fn of_pass(source: &SourceName, revision: &Revision, tally: &Tally) -> Vec<Report> {
    let report = |context, (state, text): (ReportState, String)| Report::new(source, revision, &context, state, &text);
    vec![
        report(ReportContext::Validate, validate(tally)),
        report(ReportContext::Policy, policy(tally)),
        report(ReportContext::Plan, plan(tally)),
    ]
}

fn validate(tally: &Tally) -> (ReportState, String) {
    let all = count(tally.descriptors, "descriptor");
    if tally.descriptors == 0 {
        return (ReportState::Error, "no descriptors found; nothing was changed because of it".to_owned());
    }
    if tally.with_errors > 0 {
        return (ReportState::Failure, format!("{} of {all} with errors", tally.with_errors));
    }
    let warnings = if tally.warnings == 0 { String::new() } else { format!(", {}", count(tally.warnings, "warning")) };
    (ReportState::Success, format!("{all}, no errors{warnings} ({} looked at)", tally.looked_at))
}

fn policy(tally: &Tally) -> (ReportState, String) {
    if tally.not_evaluated > 0 {
        let text = format!("policies could not be evaluated for {}", count(tally.not_evaluated, "product"));
        return (ReportState::Error, text);
    }
    if tally.with_refusals > 0 {
        return (ReportState::Failure, format!("{} refused by policies", count(tally.with_refusals, "product")));
    }
    (ReportState::Success, "policies agree".to_owned())
}

fn plan(tally: &Tally) -> (ReportState, String) {
    let changes = format!("{} created, {} updated, {} retired", tally.created, tally.updated, tally.retired);
    let refused = tally.refused.max(tally.with_refusals);
    if refused > 0 {
        return (ReportState::Failure, format!("{changes}; {} refused", count(refused, "product")));
    }
    if tally.with_errors > 0 {
        return (ReportState::Failure, format!("{changes}; {} with errors left out", tally.with_errors));
    }
    if tally.created + tally.updated + tally.retired + tally.activities == 0 {
        return (ReportState::Success, "nothing to do: the commit changes no data product".to_owned());
    }
    (ReportState::Success, format!("{changes}; {}", count(tally.activities, "rollout")))
}

/// `1 product`, `2 products`.
fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_of_what_became_the_branchs_says_the_worst_first() {
        let (source, revision) = ("retail".parse().unwrap(), "a".repeat(40).parse().unwrap());
        let told = |tally: Tally| check_of_pass(&of_pass(&source, &revision, &tally)).unwrap();
        let good = told(Tally { descriptors: 2, looked_at: 1, updated: 1, activities: 1, ..Tally::default() });
        assert_eq!((good.sort(), good.context.as_str(), good.state), ("check", CHECK, ReportState::Success));
        assert_eq!(good.description, "0 created, 1 updated, 0 retired; 1 rollout");
        let bad = told(Tally { descriptors: 2, with_errors: 1, not_evaluated: 1, ..Tally::default() });
        assert_eq!(bad.state, ReportState::Error, "{bad:?}");
        let Some(Detail::Check(check)) = bad.detail else { panic!("a check") };
        assert!(
            check.summary.contains("- `meshwright/validate`: failure, 1 of 2 descriptors with errors\n"),
            "{check:?}"
        );
        assert!(check.actions.is_empty());
    }

    #[test]
    fn an_empty_commit_is_not_green() {
        assert_eq!(validate(&Tally::default()).0, ReportState::Error);
        let nothing = Tally { descriptors: 3, ..Tally::default() };
        assert_eq!(plan(&nothing).0, ReportState::Success);
        assert_eq!(policy(&Tally { not_evaluated: 1, ..nothing }).0, ReportState::Error);
    }
}
