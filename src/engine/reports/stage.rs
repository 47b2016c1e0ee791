//! What a forge should show of a stage of a commit.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::activity::ActivityStatus;
use crate::domain::id::{Digest, Revision, SourceName, StageName};
use crate::domain::plan::{ActivityId, Held};
use crate::domain::report::{
    Check, CheckAction, DESCRIPTION_LIMIT, DeploymentStatus, Detail, Report, ReportContext, ReportState,
};
use crate::port::forge::Abilities;

use super::super::gates::Waits;
use super::count;

/// At most so many products are named in a check's summary.
const MOST_NAMES: usize = 100;

/// An activity of the commit, as far as its stage's status depends on it.
#[derive(Debug, Clone)]
pub(in crate::engine) struct StageLine {
    /// Where it stands.
    pub status: ActivityStatus,
    /// The product's name.
    pub product: String,
    /// Why it failed or was refused.
    pub reason: Option<String>,
    /// The plan it belongs to; absent where none will do it.
    pub plan: Option<Digest>,
    /// The earlier commit for which it was planned; absent for what is the commit's own.
    pub left_by: Option<Revision>,
    /// What people have to do before it begins.
    pub before: Option<Waits>,
}

impl StageLine {
    /// Whether it has not begun, and will.
    pub(in crate::engine) fn waits(&self) -> bool {
        self.status == ActivityStatus::Waiting
    }
}

/// The line of a container that waits for something to read from.
pub(in crate::engine) fn held_line(held: &Held) -> StageLine {
    let product = held.container.product.product_name().to_owned();
    let reason = if held.waits_for == held.container.product {
        "failed before, and nothing of it has changed since".to_owned()
    } else {
        format!("waits for {}, which does not run there", held.waits_for.product_name())
    };
    StageLine {
        status: ActivityStatus::Skipped,
        product,
        reason: Some(reason),
        plan: None,
        left_by: None,
        before: None,
    }
}

/// What has ended, and its product does not run because of it.
const TROUBLED: [ActivityStatus; 5] = [
    ActivityStatus::Failed,
    ActivityStatus::Refused,
    ActivityStatus::Rejected,
    ActivityStatus::Cancelled,
    ActivityStatus::Skipped,
];

/// Whether an activity of the latest commit still tells how the commit stands, beside what is `troubled`: what ended
/// badly does not where its container has come to what Git says by another one.
pub(in crate::engine) fn still_tells(
    id: &ActivityId,
    status: ActivityStatus,
    troubled: &BTreeSet<&ActivityId>,
) -> bool {
    !TROUBLED.contains(&status) || troubled.contains(id)
}

/// Of one commit's activities, in their order, the newest of each container: where something was tried
/// again, what became of it before does not count.
pub(in crate::engine) fn newest<T, K: Ord + Clone>(activities: Vec<T>, container: impl Fn(&T) -> &K) -> Vec<T> {
    let mut last: BTreeMap<K, usize> = BTreeMap::new();
    for (place, activity) in activities.iter().enumerate() {
        last.insert(container(activity).clone(), place);
    }
    let is_last = |(place, activity): &(usize, T)| last.get(container(activity)) == Some(place);
    activities.into_iter().enumerate().filter(is_last).map(|(_, activity)| activity).collect()
}

/// A stage of a commit, and what its forge can show of it.
#[derive(Debug, Clone)]
pub(in crate::engine) struct Stage<'a> {
    /// The source.
    pub source: &'a SourceName,
    /// The commit.
    pub revision: &'a Revision,
    /// The stage.
    pub stage: &'a StageName,
    /// Whether it has a gate.
    pub gated: bool,
    /// The stage before it at which the commit has not come to its end.
    pub waits_for: Option<&'a StageName>,
    /// What the forge shows beside statuses.
    pub abilities: Abilities,
}

impl Stage<'_> {
    /// All that should be shown. `left_out` is how many products the plan refused. Where nothing happens nothing
    /// is deployed and nobody is asked; but what `was_pending` comes to its end all the same.
    pub(in crate::engine) fn reports(&self, lines: &[StageLine], left_out: usize, was_pending: bool) -> Vec<Report> {
        let is_shown = was_pending || !lines.is_empty();
        let (state, text) = state_of(self.stage, lines, left_out, self.waits_for);
        let status = Report::new(self.source, self.revision, &ReportContext::Stage(self.stage.clone()), state, &text);
        let mut reports = Vec::with_capacity(1);
        if is_shown && self.gated && self.abilities.checks {
            let detail = Some(Detail::Check(self.check(lines)));
            reports.push(Report { context: format!("Meshwright {}", self.stage), detail, ..status.clone() });
        }
        if is_shown && self.abilities.deployments {
            let detail = Detail::Deployment { stage: self.stage.clone(), status: deployment(lines, state) };
            reports.push(Report {
                context: format!("deployment/{}", self.stage),
                detail: Some(detail),
                ..status.clone()
            });
        }
        reports.insert(0, status);
        reports
    }

    /// The check run of a gate, with its button while it waits for people. What a task or a person said stands
    /// in its title, which is plain text, and not in its summary, which is Markdown.
    fn check(&self, lines: &[StageLine]) -> Check {
        let waiting: Vec<&StageLine> =
            lines.iter().filter(|line| matches!(line.before, Some(Waits::Approval { .. }))).collect();
        let mut summary = String::new();
        if waiting.is_empty() {
            summary.push_str(&format!("Nothing waits for an approval at `{}`.\n", self.stage));
        } else {
            summary.push_str(&format!("These data products begin at `{}` when it is approved:\n\n", self.stage));
            for line in waiting.iter().take(MOST_NAMES) {
                let whose = line.left_by.as_ref().map(|commit| format!(", which {} left", commit.short()));
                summary.push_str(&format!("- `{}`{}\n", line.product, whose.unwrap_or_default()));
            }
            if waiting.len() > MOST_NAMES {
                summary.push_str(&format!("- and {} more\n", waiting.len() - MOST_NAMES));
            }
        }
        let approve = CheckAction {
            label: "Approve".to_owned(),
            description: "Let the rollouts begin that wait here".to_owned(),
            identifier: "approve".to_owned(),
        };
        let actions = if waiting.is_empty() { Vec::new() } else { vec![approve] };
        Check { summary, annotations: Vec::new(), actions }
    }
}

fn deployment(lines: &[StageLine], state: ReportState) -> DeploymentStatus {
    use ActivityStatus as S;
    match state {
        ReportState::Failure | ReportState::Error => DeploymentStatus::Failure,
        ReportState::Success if lines.iter().all(|line| line.status == S::Superseded) => DeploymentStatus::Inactive,
        ReportState::Success => DeploymentStatus::Success,
        ReportState::Pending if lines.iter().all(|line| matches!(line.status, S::Waiting | S::Superseded)) => {
            DeploymentStatus::Queued
        }
        ReportState::Pending => DeploymentStatus::InProgress,
    }
}

fn state_of(
    stage: &StageName,
    lines: &[StageLine],
    left_out: usize,
    waits_for: Option<&StageName>,
) -> (ReportState, String) {
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
    let total = lines.len();
    let unfinished = number(&[S::Running, S::Waiting]);
    // A failure is told as soon as it is known, even while others still run.
    let troubled = lines.iter().filter(|line| TROUBLED.contains(&line.status));
    if let Some(first) = troubled.min_by_key(|line| line.status == S::Skipped) {
        let reason = first.reason.as_deref().unwrap_or(first.status.as_str());
        let text = format!("{} of {total} not running: {}: {reason}", number(&TROUBLED), first.product);
        return (ReportState::Failure, text);
    }
    if unfinished > 0 {
        let progress = format!("{} of {} done{refused}", total - unfinished, count(total, "rollout"));
        let text = match waiting_for(stage, lines) {
            Some((what, how)) if number(&[S::Running]) == 0 => with_what_fits(what, &how),
            Some((what, _)) => format!("{progress}; {what}"),
            None => match waits_for.filter(|_| number(&[S::Waiting]) == unfinished) {
                Some(earlier) => format!("waits for {earlier}: {progress}"),
                None => progress,
            },
        };
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

/// With the first of these that leaves a command whole which people are to type.
fn with_what_fits(what: String, how: &[String]) -> String {
    let whole = how.iter().map(|how| format!("{what}: {how}"));
    whole.into_iter().find(|text| text.chars().nth(DESCRIPTION_LIMIT).is_none()).unwrap_or(what)
}

/// What people have to do before the stage goes on: what it is, and how it is done, the shorter the later.
fn waiting_for(stage: &StageName, lines: &[StageLine]) -> Option<(String, Vec<String>)> {
    let mut holds = lines.iter().filter_map(|line| match &line.before {
        Some(Waits::Hold(by)) => Some(by),
        _ => None,
    });
    if let Some(by) = holds.next() {
        return Some((format!("held by {by}"), vec!["approve it, or run 'meshwright resume'".to_owned()]));
    }
    // A commit's own comes first: under its pull request nothing else can be approved.
    let least = lines.iter().filter_map(|line| match line.before {
        Some(Waits::Approval { have, need }) => Some((line.left_by.as_ref(), have, need)),
        _ => None,
    });
    let (left_by, have, need) = least.min()?;
    let whose = left_by.map(|commit| format!(" of the commit {}", commit.short())).unwrap_or_default();
    let comment = format!("comment '/meshwright approve {stage}'");
    let how = vec![
        format!("{comment} on its pull request, or run 'meshwright approve {stage}'"),
        format!("{comment} on its pull request"),
        comment,
    ];
    Some((format!("waits for approval{whose} ({have} of {need})"), how))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::forge::Person;

    fn state(lines: &[StageLine], left_out: usize) -> (ReportState, String) {
        state_of(&"prod".parse().unwrap(), lines, left_out, None)
    }

    fn kept(status: ActivityStatus, before: Waits) -> StageLine {
        StageLine { before: Some(before), ..line(status) }
    }

    fn line(status: ActivityStatus) -> StageLine {
        StageLine {
            status,
            product: "orders".to_owned(),
            reason: Some("build: exit status 1".to_owned()),
            plan: None,
            left_by: None,
            before: None,
        }
    }

    #[test]
    fn a_stage_is_pending_until_all_have_ended() {
        let lines = [line(ActivityStatus::Succeeded), line(ActivityStatus::Running)];
        assert_eq!(state(&lines, 0), (ReportState::Pending, "1 of 2 rollouts done".to_owned()));
        let lines = [line(ActivityStatus::Succeeded), line(ActivityStatus::Superseded)];
        let text = "1 product running, 1 superseded by a later commit".to_owned();
        assert_eq!(state(&lines, 0), (ReportState::Success, text));
    }

    #[test]
    fn a_failure_is_told_at_once_with_its_reason_and_its_cause_first() {
        let lines = [line(ActivityStatus::Skipped), line(ActivityStatus::Failed), line(ActivityStatus::Running)];
        let text = "2 of 3 not running: orders: build: exit status 1".to_owned();
        assert_eq!(state(&lines, 0), (ReportState::Failure, text));
    }

    #[test]
    fn nothing_to_do_is_no_success_when_something_was_refused() {
        assert_eq!(state(&[], 0).0, ReportState::Success);
        assert_eq!(state(&[], 1).0, ReportState::Failure);
        assert_eq!(state(&[line(ActivityStatus::Succeeded)], 1).0, ReportState::Failure);
    }

    #[test]
    fn what_waits_for_people_says_what_they_have_to_do() {
        let waits = kept(ActivityStatus::Waiting, Waits::Approval { have: 0, need: 1 });
        let text = "waits for approval (0 of 1): comment '/meshwright approve prod' on its pull request, \
                    or run 'meshwright approve prod'";
        assert_eq!(state(std::slice::from_ref(&waits), 0), (ReportState::Pending, text.to_owned()));
        assert!(text.chars().count() <= DESCRIPTION_LIMIT);
        let earlier = StageLine { left_by: Some("a".repeat(40).parse().unwrap()), ..waits.clone() };
        let whose = text.replacen("approval", "approval of the commit aaaaaaaa", 1);
        assert_eq!(state(std::slice::from_ref(&earlier), 0).1, whose);
        assert!(state(&[earlier, waits.clone()], 0).1.starts_with("waits for approval (0 of 1)"));
        for (length, end) in [(30, "' on its pull request"), (61, "' on its pull request"), (62, "'"), (63, "'")] {
            let stage: StageName = "p".repeat(length).parse().unwrap();
            let text = state_of(&stage, std::slice::from_ref(&waits), 0, None).1;
            assert!(text.ends_with(&format!("approve {stage}{end}")), "no command is cut: {text}");
            assert!(text.chars().count() <= DESCRIPTION_LIMIT, "{text}");
        }
        let text = "0 of 2 rollouts done; waits for approval (0 of 1)".to_owned();
        assert_eq!(state(&[line(ActivityStatus::Running), waits], 0), (ReportState::Pending, text));
        let ann = Person { name: "ann".to_owned(), via: "acme".to_owned() };
        let held = kept(ActivityStatus::Waiting, Waits::Hold(ann));
        let text = "held by ann (acme): approve it, or run 'meshwright resume'".to_owned();
        assert_eq!(state(&[held], 0), (ReportState::Pending, text));
    }

    #[test]
    fn what_has_not_begun_says_for_which_stage_it_waits() {
        let dev = "dev".parse().unwrap();
        let told = |lines: &[StageLine]| state_of(&"prod".parse().unwrap(), lines, 0, Some(&dev)).1;
        assert_eq!(told(&[line(ActivityStatus::Waiting)]), "waits for dev: 0 of 1 rollout done");
        assert_eq!(told(&[line(ActivityStatus::Waiting), line(ActivityStatus::Running)]), "0 of 2 rollouts done");
    }

    #[test]
    fn the_button_is_there_as_long_as_it_waits() {
        let (source, revision) = ("retail".parse().unwrap(), "a".repeat(40).parse().unwrap());
        let abilities = Abilities { checks: true, comments: true, deployments: true };
        let prod = "prod".parse().unwrap();
        let stage =
            Stage { source: &source, revision: &revision, stage: &prod, gated: true, waits_for: None, abilities };
        let waits = kept(ActivityStatus::Waiting, Waits::Approval { have: 0, need: 1 });
        let told = |lines: &[StageLine]| {
            let mut reports = stage.reports(lines, 0, false).into_iter().skip(1);
            let actions = match reports.next().and_then(|report| report.detail) {
                Some(Detail::Check(check)) => check.actions.len(),
                other => panic!("{other:?}"),
            };
            let status = match reports.next().and_then(|report| report.detail) {
                Some(Detail::Deployment { status, .. }) => status.as_str(),
                other => panic!("{other:?}"),
            };
            (actions, status)
        };
        assert_eq!(told(&[waits]), (1, "queued"));
        assert_eq!(told(&[line(ActivityStatus::Running)]), (0, "in_progress"));
        assert_eq!(told(&[line(ActivityStatus::Succeeded)]), (0, "success"));
        assert_eq!(told(&[line(ActivityStatus::Rejected)]), (0, "failure"));
        assert_eq!(told(&[line(ActivityStatus::Cancelled)]), (0, "failure"));
        assert_eq!(told(&[line(ActivityStatus::Superseded)]), (0, "inactive"));
        assert_eq!(stage.reports(&[], 0, false).len(), 1, "where nothing happens nothing is deployed");
        let ended = stage.reports(&[], 0, true);
        let states: Vec<(&str, ReportState)> = ended.iter().map(|report| (report.sort(), report.state)).collect();
        let success = |sort| (sort, ReportState::Success);
        assert_eq!(states, [success("status"), success("check"), success("deployment")], "nothing stays pending");
        let bare = Stage { abilities: Abilities::default(), ..stage.clone() };
        assert_eq!(bare.reports(&[line(ActivityStatus::Running)], 0, true).len(), 1);
    }

    #[test]
    fn what_others_said_is_never_markdown() {
        let (source, revision) = ("retail".parse().unwrap(), "a".repeat(40).parse().unwrap());
        let prod = "prod".parse().unwrap();
        let abilities = Abilities { checks: true, ..Abilities::default() };
        let stage =
            Stage { source: &source, revision: &revision, stage: &prod, gated: true, waits_for: None, abilities };
        let mut failed = line(ActivityStatus::Failed);
        failed.reason = Some("build: @acme/everybody <img src=x> ](https://evil)".to_owned());
        let reports = stage.reports(&[failed, line(ActivityStatus::Waiting)], 0, false);
        let Some(Detail::Check(check)) = &reports[1].detail else { panic!("a check") };
        assert_eq!(check.summary, "Nothing waits for an approval at `prod`.\n");
        assert!(reports[1].description.contains("@acme/everybody"), "its title is plain text");
    }

    #[test]
    fn what_was_tried_again_counts_as_it_stands_now() {
        let all = vec![("a dev", 1), ("b dev", 2), ("a dev", 3)];
        assert_eq!(newest(all, |(container, _)| container), [("b dev", 2), ("a dev", 3)]);
    }
}
