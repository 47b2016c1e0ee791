//! The queue of looks, leases, writing on terms, and bells.

use std::time::Duration;

use meshwright::domain::activity::{ActivityEvent, FencingToken};
use meshwright::domain::forge::Proposal;
use meshwright::domain::id::{SourceName, StageName};
use meshwright::domain::report::ReportState;
use meshwright::domain::source::Target;
use meshwright::domain::time::Timestamp;
use meshwright::port::store::{
    AppendError, Basis, Bell, Lane, Lease, LeaseName, Leased, LookEnd, Matter, Store, StoreError, TakeWake, TakenWake,
    Untold, Wake,
};

use super::Room;
use super::activities::planned;
use super::deliveries::push;
use super::proposals::record;
use crate::support::samples::{self, PassSample, at};

fn branch(name: &str) -> Target {
    Target::branch(name.parse().unwrap())
}

fn pull(name: &str, number: u64) -> Target {
    Target::proposal(name.parse().unwrap(), Proposal::Pull(number))
}

fn shown(target: &Target) -> String {
    let proposal = target.proposal.as_ref().map(|proposal| format!(" {proposal}")).unwrap_or_default();
    format!("{}{proposal}", target.source)
}

async fn wake(store: &dyn Store, target: Target, lane: Lane, due: Timestamp) {
    store.wake(&[Wake { target, lane, due }]).await.unwrap();
}

/// Takes the next, at a time when all that was woken is due.
async fn take(store: &dyn Store, holder: &str, now: i64) -> Option<TakenWake> {
    let order = Lane::ALL.map(|lane| (lane, None));
    store.take_wake(&TakeWake { holder, order, now: at(now), until: at(now + 30) }).await.unwrap()
}

async fn done(store: &dyn Store, taken: &TakenWake) -> bool {
    store.settle_wake(taken, &LookEnd::Done, at(99)).await.unwrap()
}

pub async fn wakes_of_a_waiting_target_are_one(room: &impl Room) {
    let store = room.open().await;
    assert_eq!(store.next_wake().await.unwrap(), None);
    wake(&*store, branch("a"), Lane::Fresh, at(5)).await;
    wake(&*store, branch("a"), Lane::Resync, at(3)).await;
    assert_eq!(store.next_wake().await.unwrap(), Some(at(3)), "the earliest due wins");
    assert_eq!(take(&*store, "one", 2).await, None, "it is not due");
    // A wake outlives the process.
    let store = room.open().await;
    let taken = take(&*store, "one", 6).await.unwrap();
    assert_eq!((shown(&taken.target), taken.lane, taken.failures), ("a".to_owned(), Lane::Fresh, 0));
    assert!(!taken.was_interrupted);
    assert_eq!(take(&*store, "other", 6).await, None);
    assert!(done(&*store, &taken).await);
    assert_eq!(take(&*store, "one", 7).await, None);
    assert!(!done(&*store, &taken).await, "it was settled");
}

pub async fn wakes_during_a_look_cause_exactly_one_more(room: &impl Room) {
    let store = room.open().await;
    wake(&*store, branch("a"), Lane::Fresh, at(1)).await;
    let taken = take(&*store, "one", 2).await.unwrap();
    for second in 3..8 {
        wake(&*store, branch("a"), Lane::Resync, at(second)).await;
    }
    wake(&*store, branch("a"), Lane::Later, at(1)).await;
    assert_eq!(take(&*store, "other", 9).await, None, "one look per target at a time");
    assert!(done(&*store, &taken).await);
    let again = take(&*store, "other", 9).await.unwrap();
    assert_eq!((again.lane, again.target.clone()), (Lane::Resync, branch("a")));
    assert!(again.lease.token > taken.lease.token && again.edition > taken.edition);
    assert!(done(&*store, &again).await);
    assert_eq!(take(&*store, "one", 9).await, None);
    // A new entry is not the old one: whoever had that cannot settle this.
    wake(&*store, branch("a"), Lane::Fresh, at(10)).await;
    assert!(!done(&*store, &taken).await && !done(&*store, &again).await);
    assert!(take(&*store, "one", 11).await.is_some());
}

pub async fn what_somebody_waits_for_comes_first_and_a_better_wake_moves_it(room: &impl Room) {
    let store = room.open().await;
    wake(&*store, pull("a", 1), Lane::Later, at(1)).await;
    wake(&*store, pull("a", 2), Lane::Later, at(1)).await;
    wake(&*store, branch("a"), Lane::Resync, at(1)).await;
    wake(&*store, pull("b", 3), Lane::Fresh, at(2)).await;
    wake(&*store, pull("a", 2), Lane::Fresh, at(2)).await;
    wake(&*store, pull("b", 3), Lane::Later, at(2)).await;
    let mut order = Vec::new();
    while let Some(taken) = take(&*store, "one", 3).await {
        order.push(shown(&taken.target));
        assert!(done(&*store, &taken).await);
    }
    assert_eq!(order, ["a pull/2", "b pull/3", "a", "a pull/1"]);
}

pub async fn sources_take_turns_however_many_proposals_one_has(room: &impl Room) {
    let store = room.open().await;
    let flood: Vec<Wake> =
        (1..=300).map(|number| Wake { target: pull("many", number), lane: Lane::Fresh, due: at(1) }).collect();
    store.wake(&flood).await.unwrap();
    for target in [pull("zoo", 1), branch("many"), pull("few", 1), pull("few", 2)] {
        wake(&*store, target, Lane::Fresh, at(2)).await;
    }
    let mut served: Option<SourceName> = None;
    let mut order = Vec::new();
    for _ in 0..6 {
        let lanes = [(Lane::Fresh, served.clone()), (Lane::Resync, None), (Lane::Later, None)];
        let ask = TakeWake { holder: "one", order: lanes, now: at(3), until: at(33) };
        let taken = store.take_wake(&ask).await.unwrap().unwrap();
        served = Some(taken.target.source.clone());
        order.push(taken.target.source.to_string());
        assert!(done(&*store, &taken).await);
    }
    assert_eq!(order, ["few", "many", "zoo", "few", "many", "many"]);
    assert_eq!(store.wake_rows(1_000).await.unwrap().len(), 298);
}

pub async fn of_one_source_one_proposal_is_looked_at_at_a_time(room: &impl Room) {
    let store = room.open().await;
    for number in 1..=3 {
        wake(&*store, pull("a", number), Lane::Fresh, at(1)).await;
    }
    wake(&*store, branch("a"), Lane::Resync, at(1)).await;
    let first = take(&*store, "one", 2).await.unwrap();
    assert_eq!(shown(&first.target), "a pull/1");
    assert_eq!(shown(&take(&*store, "other", 2).await.unwrap().target), "a", "the branch goes on beside it");
    assert_eq!(take(&*store, "one", 2).await, None);
    assert!(done(&*store, &first).await);
    assert_eq!(shown(&take(&*store, "one", 2).await.unwrap().target), "a pull/2");
}

pub async fn a_look_whose_lease_is_over_is_taken_over_and_the_first_changes_nothing(room: &impl Room) {
    let store = room.open().await;
    wake(&*store, branch("a"), Lane::Fresh, at(1)).await;
    let paused = take(&*store, "paused", 2).await.unwrap();
    assert!(store.renew(&paused.lease, at(40)).await.unwrap());
    wake(&*store, branch("a"), Lane::Fresh, at(3)).await;
    assert_eq!(take(&*store, "other", 39).await, None, "the heartbeat keeps it");
    let other = take(&*store, "other", 40).await.unwrap();
    assert_eq!((other.was_interrupted, other.interruptions, other.failures), (true, 1, 0));
    assert!(!store.renew(&paused.lease, at(100)).await.unwrap());
    assert!(!done(&*store, &paused).await);
    store.hand_back(&paused.lease).await.unwrap();
    let fenced = store.under(&paused.lease);
    let url = "https://example.com/a.git";
    let source: SourceName = "a".parse().unwrap();
    assert_eq!(fenced.note_condition(&source, url, "main", None, at(41)).await, Err(StoreError::Fenced));
    assert_eq!(store.source(&source).await.unwrap(), None);
    store.under(&other.lease).note_condition(&source, url, "main", None, at(41)).await.unwrap();
    // The later look saw what the wake in between saw.
    assert!(done(&*store, &other).await);
    assert_eq!(take(&*store, "one", 50).await, None);
    // A process that begins again finds what it left at once.
    wake(&*store, branch("a"), Lane::Fresh, at(51)).await;
    take(&*store, "single", 52).await.unwrap();
    assert_eq!(store.recover("single", at(53)).await.unwrap(), 1);
    assert!(take(&*store, "single", 53).await.unwrap().was_interrupted);
}

pub async fn only_who_waits_for_it_ends_the_pause_after_a_failure(room: &impl Room) {
    let store = room.open().await;
    wake(&*store, branch("a"), Lane::Fresh, at(1)).await;
    let taken = take(&*store, "one", 2).await.unwrap();
    let failed = |second| LookEnd::Failed { message: "the disk is full".to_owned(), again: at(second) };
    assert!(store.settle_wake(&taken, &failed(60), at(3)).await.unwrap());
    let row = store.wake_rows(9).await.unwrap().remove(0);
    assert_eq!(
        (row.state.as_str(), row.failures, row.message.as_deref()),
        ("backing-off", 1, Some("the disk is full"))
    );
    wake(&*store, branch("a"), Lane::Resync, at(4)).await;
    assert_eq!(take(&*store, "one", 59).await, None, "what is looked at to be sure waits");
    let again = take(&*store, "one", 60).await.unwrap();
    assert_eq!((again.failures, again.was_interrupted), (1, false));
    assert!(store.settle_wake(&again, &failed(200), at(61)).await.unwrap());
    wake(&*store, branch("a"), Lane::Fresh, at(62)).await;
    let asked_for = take(&*store, "one", 62).await.unwrap();
    assert_eq!((asked_for.lane, asked_for.failures), (Lane::Fresh, 2));
    // A commit comes during a look that fails.
    wake(&*store, branch("a"), Lane::Fresh, at(63)).await;
    assert!(store.settle_wake(&asked_for, &failed(400), at(64)).await.unwrap());
    let at_once = take(&*store, "one", 64).await.unwrap();
    assert!(done(&*store, &at_once).await);
    wake(&*store, branch("a"), Lane::Fresh, at(65)).await;
    assert_eq!(take(&*store, "one", 65).await.unwrap().failures, 0, "a good look ends it");
}

pub async fn interruptions_are_counted_apart_from_failures(room: &impl Room) {
    let store = room.open().await;
    wake(&*store, branch("a"), Lane::Fresh, at(1)).await;
    let first = take(&*store, "one", 2).await.unwrap();
    let failed = LookEnd::Failed { message: "the disk is full".to_owned(), again: at(10) };
    assert!(store.settle_wake(&first, &failed, at(3)).await.unwrap());
    // Each of them dies over it.
    for (seconds, interruptions) in [(10, 0), (40, 1), (70, 2), (100, 3)] {
        let taken = take(&*store, "doomed", seconds).await.unwrap();
        let counts = (taken.failures, taken.interruptions, taken.was_interrupted);
        assert_eq!(counts, (1, interruptions, interruptions > 0), "{seconds}");
    }
    let taken = take(&*store, "other", 130).await.unwrap();
    let left = LookEnd::LeftAlone { message: "broken off 4 times".to_owned(), again: at(140) };
    assert!(store.settle_wake(&taken, &left, at(131)).await.unwrap());
    let row = store.wake_rows(9).await.unwrap().remove(0);
    assert_eq!((row.state.as_str(), row.failures, row.interruptions), ("backing-off", 1, 4));
    assert_eq!(row.message.as_deref(), Some("broken off 4 times"));
    wake(&*store, branch("a"), Lane::Resync, at(132)).await;
    assert_eq!(take(&*store, "one", 139).await, None, "what is looked at to be sure waits");
    let again = take(&*store, "one", 140).await.unwrap();
    assert_eq!((again.failures, again.interruptions, again.was_interrupted), (1, 4, false));
    let failed = LookEnd::Failed { message: "the disk is full".to_owned(), again: at(200) };
    assert!(store.settle_wake(&again, &failed, at(141)).await.unwrap());
    let again = take(&*store, "one", 200).await.unwrap();
    assert_eq!((again.failures, again.interruptions), (2, 0), "it came to an end, if not to a good one");
    assert!(done(&*store, &again).await);
    wake(&*store, branch("a"), Lane::Fresh, at(201)).await;
    let good = take(&*store, "one", 201).await.unwrap();
    assert_eq!((good.failures, good.interruptions), (0, 0));
}

pub async fn a_look_that_is_handed_back_waits_as_before(room: &impl Room) {
    let store = room.open().await;
    wake(&*store, branch("a"), Lane::Resync, at(1)).await;
    let taken = take(&*store, "one", 2).await.unwrap();
    assert!(store.settle_wake(&taken, &LookEnd::HandedBack, at(3)).await.unwrap());
    let again = take(&*store, "other", 3).await.unwrap();
    assert_eq!((again.lane, again.failures, again.was_interrupted), (Lane::Resync, 0, false));
}

pub async fn a_delivery_brings_its_wakes_once(room: &impl Room) {
    let store = room.open().await;
    store.record_delivery(push("d1", None, Some(1))).await.unwrap();
    let store = room.open().await;
    let rows = store.wake_rows(9).await.unwrap();
    let woken: Vec<String> = push("d1", None, Some(1)).targets.iter().map(shown).collect();
    assert!(!woken.is_empty());
    assert_eq!(rows.iter().map(|row| row.source.to_string()).collect::<Vec<_>>(), woken);
    let taken = take(&*store, "one", 100).await.unwrap();
    assert_eq!(taken.lane, Lane::Fresh);
    store.record_delivery(push("d1", None, Some(1))).await.unwrap();
    assert!(done(&*store, &taken).await);
    assert_eq!(store.wake_rows(9).await.unwrap(), [], "one that came before wakes nothing");
}

pub async fn a_name_is_leased_to_one_until_its_time_is_over(room: &impl Room) {
    let store = room.open().await;
    let name = LeaseName::publisher("acme");
    let lease = |token| Some(Lease { what: Leased::Named(name.clone()), token: FencingToken(token) });
    let first = store.take_lease(&name, "one", at(1), at(10)).await.unwrap();
    assert_eq!(first, lease(1));
    assert_eq!(store.take_lease(&name, "other", at(9), at(20)).await.unwrap(), None);
    assert_eq!(store.take_lease(&LeaseName::commands(), "other", at(9), at(20)).await.unwrap().unwrap().token.0, 1);
    let first = first.unwrap();
    assert!(store.renew(&first, at(15)).await.unwrap());
    assert_eq!(store.take_lease(&name, "other", at(14), at(20)).await.unwrap(), None);
    let second = store.take_lease(&name, "other", at(15), at(30)).await.unwrap();
    assert_eq!(second, lease(2));
    assert!(!store.renew(&first, at(40)).await.unwrap());
    store.hand_back(&first).await.unwrap();
    assert_eq!(store.take_lease(&name, "one", at(16), at(30)).await.unwrap(), None, "it was not the first's any more");
    let rows = store.lease_rows().await.unwrap();
    let held: Vec<(&str, &str, &str)> =
        rows.iter().map(|row| (row.kind.as_str(), row.subject.as_str(), row.holder.as_str())).collect();
    assert_eq!(held, [("commands", "", "other"), ("publisher", "acme", "other")]);
    store.hand_back(&second.unwrap()).await.unwrap();
    let store = room.open().await;
    assert_eq!(store.take_lease(&name, "one", at(16), at(30)).await.unwrap(), lease(3));
    assert_eq!(store.take_lease(&name, "one", at(17), at(30)).await.unwrap(), lease(4), "an earlier run of itself");
}

pub async fn replicas_know_who_is_there(room: &impl Room) {
    let store = room.open().await;
    assert_eq!(store.present(at(1)).await.unwrap(), Vec::<String>::new());
    let mut leases = Vec::new();
    for (holder, until) in [("two", 40), ("one", 30), ("three", 50)] {
        let lease = store.take_lease(&LeaseName::replica(holder), holder, at(1), at(until)).await.unwrap();
        leases.push(lease.unwrap());
    }
    store.take_lease(&LeaseName::upkeep(), "one", at(1), at(99)).await.unwrap().unwrap();
    assert_eq!(store.present(at(29)).await.unwrap(), ["one", "three", "two"]);
    assert_eq!(store.present(at(30)).await.unwrap(), ["three", "two"], "its time is over");
    store.hand_back(&leases[0]).await.unwrap();
    assert_eq!(store.present(at(30)).await.unwrap(), ["three"]);
}

pub async fn a_container_whose_lease_is_over_is_taken_over(room: &impl Room) {
    let store = room.open().await;
    let id = planned(&*store, &["trips"]).await.remove(0);
    let container = store.activity(&id).await.unwrap().unwrap().planned.container;
    let paused = store.claim(&id, "paused", at(2), at(10)).await.unwrap().unwrap();
    let lease = Lease { what: Leased::Container(container.clone()), token: paused };
    assert!(store.renew(&lease, at(20)).await.unwrap());
    assert_eq!(store.claim(&id, "other", at(19), at(50)).await.unwrap(), None);
    assert!(store.held_by_others("other", at(19)).await.unwrap().contains(&id));
    assert!(store.held_by_others("paused", at(19)).await.unwrap().is_empty());
    assert!(store.held_by_others("other", at(20)).await.unwrap().is_empty());
    let other = store.claim(&id, "other", at(20), at(50)).await.unwrap().unwrap();
    assert!(other > paused);
    assert!(!store.renew(&lease, at(60)).await.unwrap());
    store.hand_back(&lease).await.unwrap();
    let started = ActivityEvent::TaskStarted { task: 0, attempt: 1, deadline: None };
    let late = store.append(&id, Some(paused), &started, at(21)).await;
    assert!(matches!(late, Err(AppendError::Fenced)), "{late:?}");
    store.append(&id, Some(other), &started, at(21)).await.unwrap();
    assert_eq!(store.claim(&id, "paused", at(22), at(60)).await.unwrap(), None);
}

pub async fn a_container_that_is_handed_back_is_taken_over_at_once(room: &impl Room) {
    let store = room.open().await;
    let ids = planned(&*store, &["trips", "stops"]).await;
    let container = store.activity(&ids[0]).await.unwrap().unwrap().planned.container;
    let token = store.claim(&ids[0], "one", at(2), at(1_000)).await.unwrap().unwrap();
    store.hand_back(&Lease { what: Leased::Container(container), token }).await.unwrap();
    assert!(store.claim(&ids[0], "other", at(3), at(1_000)).await.unwrap().unwrap() > token);
}

pub async fn what_is_written_under_an_old_lease_is_fenced(room: &impl Room) {
    let store = room.open().await;
    let name = LeaseName::publisher("acme");
    let old = store.take_lease(&name, "one", at(1), at(10)).await.unwrap().unwrap();
    let under_old = store.under(&old);
    let report = samples::report(1, ReportState::Pending, "begun");
    under_old.want(std::slice::from_ref(&report), at(2)).await.unwrap();
    let wanted = store.unpublished(std::slice::from_ref(&report.source), at(3), 9).await.unwrap().remove(0);
    let new = store.take_lease(&name, "other", at(10), at(20)).await.unwrap().unwrap();
    assert_eq!(under_old.published(&wanted, None, at(11)).await, Err(StoreError::Fenced));
    assert_eq!(store.unpublished(std::slice::from_ref(&report.source), at(12), 9).await.unwrap().len(), 1);
    // Reading goes on, and so does what is on nobody's terms.
    assert_eq!(under_old.report_rows(9).await.unwrap().len(), 1);
    under_old.record_delivery(push("d1", None, Some(1))).await.unwrap();
    store.under(&new).published(&wanted, None, at(12)).await.unwrap();
    store.hand_back(&new).await.unwrap();
    assert_eq!(store.under(&new).lost(&wanted, at(13)).await, Err(StoreError::Fenced), "it was handed back");
}

pub async fn what_was_worked_out_before_a_change_is_not_recorded(room: &impl Room) {
    let store = room.open().await;
    let source: SourceName = samples::report(1, ReportState::Pending, "").source;
    let before = store.basis(&source, Matter::Rollouts).await.unwrap();
    assert_eq!(before.edition, 0);
    let first = PassSample::new(1, 0).version("trips", "1.0.0", "a").activity("trips", "dev", "1.0.0", "a").build();
    let id = first.plan.activities[0].id.clone();
    store.upon(&before).record_pass(&first).await.unwrap();
    let report = samples::report(1, ReportState::Pending, "0 of 1");
    let late = store.upon(&before).want(std::slice::from_ref(&report), at(2)).await;
    assert_eq!(late, Err(StoreError::Moved));
    assert!(!store.report_rows(99).await.unwrap().iter().any(|row| row.description == "0 of 1"));
    let planned = store.basis(&source, Matter::Rollouts).await.unwrap();
    let token = store.upon(&planned).claim(&id, "one", at(2), at(99)).await.unwrap().unwrap();
    let claimed = store.basis(&source, Matter::Rollouts).await.unwrap();
    assert!(claimed.edition > planned.edition);
    // What does not change a status leaves the standing.
    let started = ActivityEvent::TaskStarted { task: 0, attempt: 1, deadline: None };
    store.append(&id, Some(token), &started, at(3)).await.unwrap();
    assert_eq!(store.basis(&source, Matter::Rollouts).await.unwrap(), claimed);
    let ended = ActivityEvent::Refused { violations: Vec::new() };
    let late = store.upon(&planned).append(&id, Some(token), &ended, at(4)).await;
    assert!(matches!(late, Err(AppendError::Store(StoreError::Moved))), "{late:?}");
    store.upon(&claimed).append(&id, Some(token), &ended, at(4)).await.unwrap();
    assert!(store.basis(&source, Matter::Rollouts).await.unwrap().edition > claimed.edition);
}

pub async fn what_changes_at_a_stage_is_told_however_often_it_changes(room: &impl Room) {
    let store = room.open().await;
    let ids = planned(&*store, &["trips", "fares"]).await;
    let (source, stage) = (samples::source(), "dev".parse().unwrap());
    let basis = async || store.basis(&source, Matter::Rollouts).await.unwrap();
    let described = async || {
        let rows = store.report_rows(99).await.unwrap();
        rows.into_iter().find(|row| row.revision == samples::revision(1)).map(|row| row.description)
    };
    let report = |text: &str| [samples::report(1, ReportState::Pending, text)];
    assert_eq!(store.untold().await.unwrap(), []);

    // The first of a commit leaves its stage untold; the second does not before its end.
    let token = store.claim(&ids[0], "one", at(2), at(999)).await.unwrap();
    let untold = store.untold().await.unwrap();
    let plan = store.activity(&ids[0]).await.unwrap().unwrap().plan;
    let expected =
        Untold { source: source.clone(), stage: StageName::clone(&stage), revision: samples::revision(1), plan };
    assert_eq!(untold, std::slice::from_ref(&expected));
    store.tell(&stage, &basis().await, &report("begun"), at(3)).await.unwrap();
    assert_eq!((store.untold().await.unwrap(), described().await.as_deref()), (Vec::new(), Some("begun")));
    let other = store.claim(&ids[1], "one", at(3), at(999)).await.unwrap();
    assert_eq!(store.untold().await.unwrap(), []);

    // What happens while it is worked out leaves it untold, and what was worked out is told all the same.
    let before = basis().await;
    let refused = ActivityEvent::Refused { violations: Vec::new() };
    store.append(&ids[0], token, &refused, at(4)).await.unwrap();
    let between = basis().await;
    store.append(&ids[1], other, &refused, at(5)).await.unwrap();
    store.tell(&stage, &between, &report("one of two"), at(6)).await.unwrap();
    assert_eq!(described().await.as_deref(), Some("one of two"));
    assert_eq!(store.untold().await.unwrap(), std::slice::from_ref(&expected));
    // What is older takes nothing back.
    assert_eq!(store.tell(&stage, &before, &report("none of two"), at(7)).await, Err(StoreError::Moved));
    assert_eq!(described().await.as_deref(), Some("one of two"));
    let store = room.open().await;
    assert_eq!(store.untold().await.unwrap(), [expected], "it outlives the process");
    let now = store.basis(&source, Matter::Rollouts).await.unwrap();
    store.tell(&stage, &now, &report("both"), at(8)).await.unwrap();
    assert_eq!(store.untold().await.unwrap(), []);

    // What a pass says is worked out from how the source stands, too.
    store.record_pass(&PassSample::new(2, 1).build()).await.unwrap();
    assert_eq!(store.tell(&stage, &now, &report("late"), at(9)).await, Err(StoreError::Moved));
}

pub async fn each_matter_of_a_source_has_its_own_standing(room: &impl Room) {
    let store = room.open().await;
    let source = samples::source();
    let all = async || {
        let mut editions = Vec::new();
        for of in [Matter::Rollouts, Matter::Decisions, Matter::Proposals] {
            editions.push(store.basis(&source, of).await.unwrap());
        }
        editions
    };
    let of = |bases: &[Basis], others: &[Basis]| -> Vec<Matter> {
        bases.iter().zip(others).filter(|(one, other)| one != other).map(|(one, _)| one.of).collect()
    };
    let empty = all().await;
    let id = planned(&*store, &["trips"]).await.remove(0);
    let planned = all().await;
    assert_eq!(of(&empty, &planned), [Matter::Rollouts, Matter::Decisions]);
    // A claim does not keep others from claiming.
    let late = store.upon(&empty[1]).claim(&id, "one", at(2), at(99)).await;
    assert_eq!(late, Err(StoreError::Moved));
    store.upon(&planned[1]).claim(&id, "one", at(2), at(99)).await.unwrap().unwrap();
    let claimed = all().await;
    assert_eq!(of(&planned, &claimed), [Matter::Rollouts]);
    store.record_proposal(&record(7), &[]).await.unwrap();
    assert_eq!(of(&claimed, &all().await), [Matter::Proposals]);
    let late = store.upon(&claimed[2]).record_proposal(&record(8), &[]).await;
    assert_eq!(late, Err(StoreError::Moved));
    let answer = samples::report(7, ReportState::Success, "an answer");
    assert_eq!(store.upon(&claimed[2]).want(&[answer], at(3)).await, Err(StoreError::Moved));
}

pub async fn bells_are_heard_by_all_who_listen(room: &impl Room) {
    let store = room.open().await;
    let (mut one, mut other) = (store.listen(), store.listen());
    let ringing = async {
        loop {
            store.ring(Bell::Rollouts);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    // Bells that may have been missed are heard as well.
    let heard = async {
        while one.next().await != Bell::Rollouts {}
        while other.next().await != Bell::Rollouts {}
    };
    tokio::select! {
        () = heard => {}
        () = ringing => {}
        () = tokio::time::sleep(Duration::from_secs(30)) => panic!("nothing was heard"),
    }
}
