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

pub(super) use stage::{Stage, StageLine, held_line, newest};
pub(super) use telling::Telling;

use crate::domain::id::{Revision, SourceName, StageName};
use crate::domain::report::{Report, ReportContext, ReportState};

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
    fn an_empty_commit_is_not_green() {
        assert_eq!(validate(&Tally::default()).0, ReportState::Error);
        let nothing = Tally { descriptors: 3, ..Tally::default() };
        assert_eq!(plan(&nothing).0, ReportState::Success);
        assert_eq!(policy(&Tally { not_evaluated: 1, ..nothing }).0, ReportState::Error);
    }
}
