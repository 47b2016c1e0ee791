//! What became of looking at proposals.

use meshwright::domain::forge::{Proposal, PullState, ReviewVerdict};
use meshwright::domain::id::Digest;
use meshwright::domain::report::{Check, Detail, Report, ReportState};
use meshwright::port::store::{CLOSED_KEPT, ProposalRecord, ReviewInputs};

use super::Room;
use crate::support::samples::{PassSample, at, report, revision, source};

pub fn record(number: u64) -> ProposalRecord {
    ProposalRecord {
        source: source(),
        proposal: Proposal::Pull(number),
        state: PullState::Open,
        inputs: ReviewInputs {
            head: revision(number),
            base: revision(1_000),
            recorded: Some(revision(999)),
            policies: Digest::of(b"policies"),
            platform: Digest::of(b"platform"),
        },
        result: Some(revision(2_000 + number)),
        is_fork: true,
        author: "mona".to_owned(),
        title: "A \u{202e}title\n| with | \"all\" 'sorts'".to_owned(),
        verdict: ReviewVerdict::NotEvaluated,
        summary: "policies could not be evaluated".to_owned(),
        commented: true,
        again: 0,
        assessed_at: at(i64::try_from(number).unwrap()),
    }
}

pub async fn a_proposal_is_read_back_as_it_was_recorded(room: &impl Room) {
    let store = room.open().await;
    let pull = Proposal::Pull(7);
    assert_eq!(store.proposal(&source(), &pull).await.unwrap(), None);
    let first = record(7);
    store.record_proposal(&first, &[report(7, ReportState::Failure, "refused")]).await.unwrap();
    let group = ProposalRecord {
        proposal: Proposal::MergeGroup(revision(8)),
        inputs: ReviewInputs { recorded: None, ..record(8).inputs },
        result: None,
        ..record(8)
    };
    store.record_proposal(&group, &[]).await.unwrap();

    let store = room.open().await;
    assert_eq!(store.proposal(&source(), &pull).await.unwrap(), Some(first.clone()));
    assert_eq!(store.proposal(&source(), &group.proposal).await.unwrap(), Some(group.clone()));
    assert_eq!(store.proposal(&"other".parse().unwrap(), &pull).await.unwrap(), None);
    assert_eq!(store.unpublished(&[source()], at(9), 9).await.unwrap()[0].report.description, "refused");

    let second = ProposalRecord { verdict: ReviewVerdict::Accepted, ..record(7) };
    store.record_proposal(&second, &[]).await.unwrap();
    assert_eq!(store.open_proposals(&source()).await.unwrap(), [second, group]);
    let rows = store.proposal_rows(None, 9).await.unwrap();
    let shown: Vec<_> = rows.iter().map(|row| (row.proposal.clone(), row.verdict.as_str())).collect();
    assert_eq!(shown, [(format!("merge-group/{}", revision(8)), "not-evaluated"), ("pull/7".to_owned(), "accepted")]);
    assert_eq!(store.proposal_rows(Some(&"other".parse().unwrap()), 9).await.unwrap(), []);
    assert_eq!(store.proposal_rows(None, 1).await.unwrap().len(), 1);
}

pub async fn a_closed_proposal_is_open_no_more_and_the_newest_are_kept(room: &impl Room) {
    let store = room.open().await;
    let last = u64::try_from(CLOSED_KEPT).unwrap() + 2;
    for number in 1..=last {
        store.record_proposal(&record(number), &[]).await.unwrap();
    }
    let mut other = record(1);
    other.source = "other".parse().unwrap();
    store.record_proposal(&other, &[]).await.unwrap();
    assert!(store.close_proposal(&source(), &Proposal::Pull(2), PullState::Merged).await.unwrap());
    assert!(!store.close_proposal(&source(), &Proposal::Pull(2), PullState::Closed).await.unwrap(), "it was closed");
    assert!(!store.close_proposal(&source(), &Proposal::Pull(9_999), PullState::Closed).await.unwrap());
    let closed = store.proposal(&source(), &Proposal::Pull(2)).await.unwrap().unwrap();
    assert_eq!(closed.state, PullState::Merged);
    for number in 3..=last {
        store.close_proposal(&source(), &Proposal::Pull(number), PullState::Closed).await.unwrap();
    }
    let open = store.open_proposals(&source()).await.unwrap();
    assert_eq!(open.iter().map(|record| &record.proposal).collect::<Vec<_>>(), [&Proposal::Pull(1)]);
    // The oldest of the closed ones is forgotten; what is open is not.
    assert_eq!(store.proposal(&source(), &Proposal::Pull(2)).await.unwrap(), None);
    assert!(store.proposal(&source(), &Proposal::Pull(3)).await.unwrap().is_some());
    assert_eq!(store.open_proposals(&other.source).await.unwrap(), [other]);
}

pub async fn a_proposal_can_be_marked_to_be_assessed_again(room: &impl Room) {
    let store = room.open().await;
    store.record_proposal(&record(1), &[]).await.unwrap();
    store.record_proposal(&record(2), &[]).await.unwrap();
    store.assess_again(&source(), &Proposal::Pull(1)).await.unwrap();
    store.assess_again(&source(), &Proposal::Pull(3)).await.unwrap();
    let again: Vec<u64> = store.open_proposals(&source()).await.unwrap().iter().map(|it| it.again).collect();
    assert_eq!(again, [1, 0]);
    // Somebody asks once more while the first question is being answered.
    store.assess_again(&source(), &Proposal::Pull(1)).await.unwrap();
    store.record_proposal(&ProposalRecord { again: 1, ..record(1) }, &[]).await.unwrap();
    let left = async || store.proposal(&source(), &Proposal::Pull(1)).await.unwrap().unwrap().again;
    assert_eq!(left().await, 1, "the second question is still open");
    store.record_proposal(&ProposalRecord { again: 1, ..record(1) }, &[]).await.unwrap();
    assert_eq!(left().await, 0);
    store.record_proposal(&ProposalRecord { again: 5, ..record(1) }, &[]).await.unwrap();
    assert_eq!(left().await, 0);
}

pub async fn who_asked_again_sees_the_checks_written_again(room: &impl Room) {
    let store = room.open().await;
    let check = Detail::Check(Check { summary: "as before".to_owned(), ..Check::default() });
    let status = report(1, ReportState::Success, "fine");
    let reports = [status.clone(), Report { detail: Some(check), ..status }];
    let due = async || {
        let due = store.unpublished(&[source()], at(99), 9).await.unwrap();
        due.into_iter().map(|it| (it.report.sort(), it.edition)).collect::<Vec<_>>()
    };
    store.record_proposal(&record(1), &reports).await.unwrap();
    for wanted in store.unpublished(&[source()], at(99), 9).await.unwrap() {
        store.published(&wanted, Some("x"), at(2)).await.unwrap();
    }
    store.record_proposal(&record(1), &reports).await.unwrap();
    assert_eq!(due().await, [], "nobody asked");
    store.record_proposal(&ProposalRecord { again: 1, ..record(1) }, &reports).await.unwrap();
    assert_eq!(due().await, [("check", 2)]);
    // What waits already is written once.
    store.write_anew(&source(), &revision(1), at(4)).await.unwrap();
    assert_eq!(due().await, [("check", 2)]);
}

pub async fn what_was_never_written_of_an_old_head_is_given_up(room: &impl Room) {
    let store = room.open().await;
    let due = async || {
        let due = store.unpublished(&[source()], at(99), 99).await.unwrap();
        due.into_iter().map(|it| (it.report.revision, it.report.description)).collect::<Vec<_>>()
    };
    let of_head = |number: u64, text: &str| report(number, ReportState::Success, text);
    store.record_proposal(&record(1), &[of_head(1, "shown")]).await.unwrap();
    let shown = store.unpublished(&[source()], at(99), 9).await.unwrap().remove(0);
    store.published(&shown, None, at(2)).await.unwrap();
    // The forge shows something of it: what it shows is made right.
    store.record_proposal(&record(1), &[of_head(1, "shown and changed")]).await.unwrap();
    let moved = |head: u64| ProposalRecord { inputs: record(head).inputs, ..record(1) };
    store.record_proposal(&moved(2), &[of_head(2, "never written")]).await.unwrap();
    assert_eq!(due().await.len(), 2);
    store.record_proposal(&moved(3), &[of_head(3, "new")]).await.unwrap();
    let left = [(revision(1), "shown and changed".to_owned()), (revision(3), "new".to_owned())];
    assert_eq!(due().await, left);
    // Another open proposal has the same head.
    let twin = ProposalRecord { proposal: Proposal::Pull(9), ..moved(3) };
    store.record_proposal(&twin, &[]).await.unwrap();
    assert!(store.close_proposal(&source(), &Proposal::Pull(1), PullState::Closed).await.unwrap());
    assert_eq!(due().await, left);
    assert!(store.close_proposal(&source(), &Proposal::Pull(9), PullState::Closed).await.unwrap());
    assert_eq!(due().await, left[..1]);
    // Once it is wanted anew it is written.
    store.record_proposal(&moved(3), &[of_head(3, "new")]).await.unwrap();
    assert_eq!(due().await.len(), 2);
    // A head that was merged is the branch's business.
    assert!(store.close_proposal(&source(), &Proposal::Pull(1), PullState::Merged).await.unwrap());
    assert_eq!(due().await.len(), 2);
}

pub async fn a_late_assessment_takes_back_nothing_that_the_branch_says(room: &impl Room) {
    let store = room.open().await;
    let mut pass = PassSample::new(1, 0).build();
    pass.reports = vec![report(1, ReportState::Pending, "0 of 1 rollout done")];
    store.record_pass(&pass).await.unwrap();
    let wanted = async || {
        let rows = store.report_rows(9).await.unwrap();
        rows.into_iter().map(|row| row.description).collect::<Vec<_>>()
    };
    // It began before the branch was at its head.
    store.record_proposal(&record(1), &[report(1, ReportState::Success, "would roll out")]).await.unwrap();
    assert_eq!(wanted().await, ["0 of 1 rollout done"]);
    // It knew that the branch was recorded there, and had seen it elsewhere.
    let seen = |number: u64| {
        let inputs = ReviewInputs { recorded: Some(revision(number)), ..record(1).inputs };
        ProposalRecord { inputs, ..record(1) }
    };
    store.record_proposal(&seen(1), &[report(1, ReportState::Success, "would roll out")]).await.unwrap();
    assert_eq!(wanted().await, ["0 of 1 rollout done"]);
    // The branch was forced elsewhere: it is a proposal like any other.
    store.record_pass(&PassSample::new(2, 1).build()).await.unwrap();
    store.record_proposal(&seen(2), &[report(1, ReportState::Success, "would roll out")]).await.unwrap();
    assert_eq!(wanted().await, ["would roll out"]);
}

pub async fn the_check_of_a_head_that_became_the_branchs_is_the_branchs(room: &impl Room) {
    let store = room.open().await;
    let check = |number: u64, text: &str| {
        let check = Detail::Check(Check { summary: text.to_owned(), ..Check::default() });
        Report { detail: Some(check), ..report(number, ReportState::Success, text) }
    };
    let pass = |number: u64| {
        PassSample::new(number, number - 1).with(|pass| pass.instead = vec![check(number, "it is rolled out")]).build()
    };
    let wanted = async || {
        let rows = store.report_rows(9).await.unwrap();
        rows.into_iter().map(|row| (row.revision, row.description)).collect::<Vec<_>>()
    };
    store.record_pass(&pass(1)).await.unwrap();
    assert_eq!(wanted().await, [], "it was no proposal's");
    store.record_proposal(&record(2), &[check(2, "would roll out")]).await.unwrap();
    store.record_pass(&pass(2)).await.unwrap();
    assert_eq!(wanted().await, [(revision(2), "it is rolled out".to_owned())]);
    let late = check(2, "would roll out after all");
    store.record_proposal(&record(2), &[late]).await.unwrap();
    assert_eq!(wanted().await, [(revision(2), "it is rolled out".to_owned())], "a late assessment");
}
