//! What a forge should show of a commit: from counts to one state and one line.
//!
//! A named race: two activities of one commit end at the same moment. Were each to work out the
//! stage's status from what it read before the other's event was recorded, the commit would stay
//! pending for ever. So whoever appends an event that a status depends on holds `report_gate` from
//! reading the commit's activities to recording event and status; see `rollout::record`.

use crate::domain::activity::ActivityStatus;
use crate::domain::id::{Revision, SourceName, StageName};
use crate::domain::plan::Held;
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

/// An activity of the commit, as far as its stage's status depends on it.
#[derive(Debug, Clone)]
pub(super) struct StageLine {
    /// Where it stands.
    pub status: ActivityStatus,
    /// The product's name.
    pub product: String,
    /// Why it failed or was refused.
    pub reason: Option<String>,
}

/// The line of a container that waits for something to read from.
pub(super) fn held_line(held: &Held) -> StageLine {
    let product = held.container.product.product_name().to_owned();
    let reason = if held.waits_for == held.container.product {
        "failed before, and nothing of it has changed since".to_owned()
    } else {
        format!("waits for {}, which does not run there", held.waits_for.product_name())
    };
    StageLine { status: ActivityStatus::Skipped, product, reason: Some(reason) }
}

/// The status of one stage of a commit. `left_out` is how many products the plan refused.
pub(super) fn of_stage(
    source: &SourceName,
    revision: &Revision,
    stage: &StageName,
    lines: &[StageLine],
    left_out: usize,
) -> Report {
    let (state, text) = stage_state(lines, left_out);
    Report::new(source, revision, &ReportContext::Stage(stage.clone()), state, &text)
}

fn stage_state(lines: &[StageLine], left_out: usize) -> (ReportState, String) {
    use ActivityStatus as S;
    let number = |wanted: &[S]| lines.iter().filter(|line| wanted.contains(&line.status)).count();
    let refused = if left_out == 0 { String::new() } else { format!("; {} refused", count(left_out, "product")) };
    if lines.is_empty() {
        return if left_out == 0 {
            (ReportState::Success, "nothing to roll out".to_owned())
        } else {
            (ReportState::Failure, format!("nothing rolled out: {} refused", count(left_out, "product")))
        };
    }
    let troubled = |line: &&StageLine| matches!(line.status, S::Failed | S::Refused | S::Skipped);
    let total = lines.len();
    let running = number(&[S::Running, S::Waiting]);
    // A failure is told as soon as it is known, even while others still run.
    if let Some(first) = lines.iter().filter(troubled).min_by_key(|line| line.status == S::Skipped) {
        let reason = first.reason.as_deref().unwrap_or(first.status.as_str());
        let text = format!(
            "{} of {total} not running: {}: {reason}",
            number(&[S::Failed, S::Refused, S::Skipped]),
            first.product
        );
        return (ReportState::Failure, text);
    }
    if running > 0 {
        let text = format!("{} of {} done{refused}", total - running, count(total, "rollout"));
        return (ReportState::Pending, text);
    }
    let superseded = number(&[S::Superseded]);
    let mut text = format!("{} running", count(total - superseded, "product"));
    if superseded > 0 {
        text.push_str(&format!(", {superseded} superseded by a later commit"));
    }
    text.push_str(&refused);
    (if left_out == 0 { ReportState::Success } else { ReportState::Failure }, text)
}

/// `1 product`, `2 products`.
fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(status: ActivityStatus) -> StageLine {
        StageLine { status, product: "orders".to_owned(), reason: Some("build: exit status 1".to_owned()) }
    }

    #[test]
    fn a_stage_is_pending_until_all_have_ended() {
        let lines = [line(ActivityStatus::Succeeded), line(ActivityStatus::Running)];
        assert_eq!(stage_state(&lines, 0), (ReportState::Pending, "1 of 2 rollouts done".to_owned()));
        let lines = [line(ActivityStatus::Succeeded), line(ActivityStatus::Superseded)];
        let text = "1 product running, 1 superseded by a later commit".to_owned();
        assert_eq!(stage_state(&lines, 0), (ReportState::Success, text));
    }

    #[test]
    fn a_failure_is_told_at_once_with_its_reason_and_its_cause_first() {
        let lines = [line(ActivityStatus::Skipped), line(ActivityStatus::Failed), line(ActivityStatus::Running)];
        let text = "2 of 3 not running: orders: build: exit status 1".to_owned();
        assert_eq!(stage_state(&lines, 0), (ReportState::Failure, text));
    }

    #[test]
    fn nothing_to_do_is_no_success_when_something_was_refused() {
        assert_eq!(stage_state(&[], 0).0, ReportState::Success);
        assert_eq!(stage_state(&[], 1).0, ReportState::Failure);
        assert_eq!(stage_state(&[line(ActivityStatus::Succeeded)], 1).0, ReportState::Failure);
    }

    #[test]
    fn an_empty_commit_is_not_green() {
        assert_eq!(validate(&Tally::default()).0, ReportState::Error);
        let nothing = Tally { descriptors: 3, ..Tally::default() };
        assert_eq!(plan(&nothing).0, ReportState::Success);
        assert_eq!(policy(&Tally { not_evaluated: 1, ..nothing }).0, ReportState::Error);
    }
}
