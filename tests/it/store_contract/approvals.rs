//! What people decided.

use meshwright::domain::activity::{ActivityEvent, ActivityStatus};
use meshwright::domain::forge::{Approval, Hold, Person};
use meshwright::domain::id::Digest;
use meshwright::port::store::{Decision, Ruling, Store};

use super::Room;
use crate::support::samples::{self, PassSample, at, product};

fn person(name: &str) -> Person {
    Person { name: name.to_owned(), via: "acme".to_owned() }
}

fn decision(request: &str, ruling: Ruling, second: i64) -> Decision {
    Decision {
        request: request.to_owned(),
        source: samples::source(),
        ruling,
        by: person("ann"),
        at: at(second),
        outcome: format!("outcome of {request}"),
    }
}

fn approval(plan: &Digest, name: &str, second: i64) -> Approval {
    Approval {
        source: samples::source(),
        plan: plan.clone(),
        stage: "prod".parse().unwrap(),
        policies: Digest::of(b"policies"),
        by: person(name),
        at: at(second),
    }
}

fn hold(plan: Option<&Digest>, second: i64) -> Hold {
    Hold { source: samples::source(), plan: plan.cloned(), by: person("ann"), at: at(second) }
}

/// A record with a plan of two waiting activities.
async fn planned(store: &dyn Store) -> meshwright::domain::plan::Plan {
    let pass = PassSample::new(1, 0)
        .version("trips", "1.0.0", "a")
        .version("fares", "1.0.0", "b")
        .activity("trips", "prod", "1.0.0", "a")
        .activity("fares", "prod", "1.0.0", "b")
        .build();
    store.record_pass(&pass).await.unwrap();
    pass.plan
}

async fn kinds(store: &dyn Store) -> Vec<String> {
    let rows = store.audit_rows(99).await.unwrap();
    rows.into_iter()
        .rev()
        .map(|row| row.kind)
        .filter(|kind| kind.starts_with("rollout") || kind.contains("rejected") || kind.contains("cancelled"))
        .collect()
}

pub async fn an_approval_is_read_back_and_counts_from_the_first_time(room: &impl Room) {
    let store = room.open().await;
    let plan = planned(&*store).await.digest;
    let prod = "prod".parse().unwrap();
    assert_eq!(store.approvals(&plan, &prod).await.unwrap(), []);
    let first = decision("1", Ruling::Approve(vec![approval(&plan, "ann", 1)]), 1);
    store.decide(&first).await.unwrap();
    store.decide(&decision("2", Ruling::Approve(vec![approval(&plan, "Ann", 2)]), 2)).await.unwrap();
    store.decide(&decision("3", Ruling::Approve(vec![approval(&plan, "bob", 3)]), 3)).await.unwrap();
    let store = room.open().await;
    let all = store.approvals(&plan, &prod).await.unwrap();
    assert_eq!(all, [approval(&plan, "ann", 1), approval(&plan, "bob", 3)]);
    assert_eq!(store.approvals(&plan, &"dev".parse().unwrap()).await.unwrap(), []);
    assert_eq!(store.approvals(&Digest::of(b"other"), &prod).await.unwrap(), []);
    // Nobody approves a plan that is not recorded.
    let unknown = decision("4", Ruling::Approve(vec![approval(&Digest::of(b"other"), "ann", 4)]), 4);
    assert!(store.decide(&unknown).await.is_err());
    assert_eq!(store.decided("4").await.unwrap(), None, "nothing of it is recorded");
}

pub async fn a_request_is_decided_once(room: &impl Room) {
    let store = room.open().await;
    let plan = planned(&*store).await.digest;
    assert_eq!(store.decided("1").await.unwrap(), None);
    store.decide(&decision("1", Ruling::Hold(vec![hold(Some(&plan), 1)]), 1)).await.unwrap();
    let store = room.open().await;
    assert_eq!(store.decided("1").await.unwrap().as_deref(), Some("outcome of 1"));
    let other = Decision { outcome: "another".to_owned(), ..decision("1", Ruling::Resume { plan: None }, 2) };
    store.decide(&other).await.unwrap();
    assert_eq!(store.holds().await.unwrap(), [hold(Some(&plan), 1)]);
    assert_eq!(store.decided("1").await.unwrap().as_deref(), Some("outcome of 1"));
    assert_eq!(kinds(&*store).await, ["rollout-held"]);
    // It is known for a season.
    store.decide(&decision("2", Ruling::Resume { plan: None }, 91 * 24 * 3_600)).await.unwrap();
    assert_eq!(store.decided("1").await.unwrap(), None);
}

pub async fn holds_end_by_plan_or_all_at_once(room: &impl Room) {
    let store = room.open().await;
    let plan = planned(&*store).await.digest;
    let other = Digest::of(b"other");
    let all = vec![hold(None, 1), hold(Some(&plan), 2), hold(Some(&other), 3)];
    store.decide(&decision("1", Ruling::Hold(all.clone()), 1)).await.unwrap();
    assert_eq!(store.holds().await.unwrap(), all);
    // Who holds it again does not take it over.
    store.decide(&decision("2", Ruling::Hold(vec![hold(None, 9)]), 9)).await.unwrap();
    assert_eq!(store.holds().await.unwrap(), all);
    store.decide(&decision("3", Ruling::Approve(vec![approval(&plan, "bob", 4)]), 4)).await.unwrap();
    assert_eq!(store.holds().await.unwrap(), [hold(None, 1), hold(Some(&other), 3)]);
    store.decide(&decision("4", Ruling::Resume { plan: Some(other) }, 5)).await.unwrap();
    assert_eq!(store.holds().await.unwrap(), [hold(None, 1)]);
    store.decide(&decision("5", Ruling::Resume { plan: None }, 6)).await.unwrap();
    assert_eq!(room.open().await.holds().await.unwrap(), []);
}

pub async fn what_is_rejected_never_begins_and_what_has_begun_goes_on(room: &impl Room) {
    let store = room.open().await;
    let plan = planned(&*store).await;
    let ids: Vec<_> = plan.activities.iter().map(|activity| activity.id.clone()).collect();
    store.claim(&ids[0], "here", at(1), at(1_000)).await.unwrap().unwrap();
    store.decide(&decision("1", Ruling::Reject(ids.clone()), 2)).await.unwrap();
    let states: Vec<ActivityStatus> = store
        .activities_of(&samples::source(), &samples::revision(1))
        .await
        .unwrap()
        .into_iter()
        .map(|record| record.state.status)
        .collect();
    assert_eq!(states, [ActivityStatus::Running, ActivityStatus::Rejected]);
    assert_eq!(store.claim(&ids[1], "here", at(3), at(1_000)).await.unwrap(), None);
    let rows = store.activity_rows(9).await.unwrap();
    let rejected = rows.iter().find(|row| row.status == "rejected").unwrap();
    assert!(rejected.message.as_ref().unwrap().starts_with("rejected by ann (acme) at "), "{rejected:?}");
    assert_eq!(kinds(&*store).await, ["activity-rejected", "rollout-rejected"]);
}

pub async fn what_is_to_be_tried_again_is_looked_at_until_it_was(room: &impl Room) {
    let store = room.open().await;
    planned(&*store).await;
    let retry = Ruling::Retry { products: vec![product("trips", 1), product("unknown", 1)], resumed: Vec::new() };
    store.decide(&decision("1", retry, 1)).await.unwrap();
    let path = samples::path("trips/data-product-descriptor.yaml");
    let store = room.open().await;
    assert_eq!(store.to_retry(&samples::source()).await.unwrap(), std::slice::from_ref(&path));
    assert_eq!(store.held_back(&samples::source()).await.unwrap(), [path], "the source is not settled");
    store.record_pass(&PassSample::new(2, 1).version("trips", "1.0.0", "a").build()).await.unwrap();
    assert_eq!(store.to_retry(&samples::source()).await.unwrap(), []);
    assert_eq!(store.held_back(&samples::source()).await.unwrap(), []);
}

pub async fn what_is_cancelled_never_begins_or_is_to_be_stopped(room: &impl Room) {
    let store = room.open().await;
    let plan = planned(&*store).await;
    let ids: Vec<_> = plan.activities.iter().map(|activity| activity.id.clone()).collect();
    let token = store.claim(&ids[0], "here", at(1), at(1_000)).await.unwrap();
    store.decide(&decision("1", Ruling::Cancel(ids.clone()), 2)).await.unwrap();
    // Once more changes nothing, and is no mistake.
    store.decide(&decision("2", Ruling::Cancel(ids.clone()), 3)).await.unwrap();
    let store = room.open().await;
    let running = store.activity(&ids[0]).await.unwrap().unwrap().state;
    assert_eq!(running.status, ActivityStatus::Running);
    let cancellation = running.cancellation.unwrap();
    assert!(cancellation.to_string().starts_with("cancelled by ann (acme) at "), "{cancellation}");
    let waiting = store.activity(&ids[1]).await.unwrap().unwrap().state;
    assert_eq!(waiting.status, ActivityStatus::Cancelled);
    // It still has its container, until whoever holds it has ended it.
    let by = ActivityEvent::Cancelled { by: "ann (acme)".to_owned(), at: cancellation.at };
    assert!(store.append(&ids[0], None, &by, at(4)).await.is_err());
    let state = store.append(&ids[0], token, &by, at(4)).await.unwrap();
    assert_eq!(state.status, ActivityStatus::Cancelled);
    let kinds = kinds(&*store).await;
    for (kind, times) in [("activity-cancelled", 2), ("rollout-cancelled", 2)] {
        assert_eq!(kinds.iter().filter(|other| **other == kind).count(), times, "{kinds:?}");
    }
    assert!(store.unfinished().await.unwrap().is_empty());
}
