//! History that goes, and the present that stays.

use meshwright::domain::activity::ActivityEvent;
use meshwright::domain::plan::ActivityId;
use meshwright::domain::report::ReportState;
use meshwright::port::store::{History, Kept, Pass, Store};

use super::Room;
use super::activities::roll_out;
use crate::support::samples::{self, PassSample, at, product};

/// Everything is old.
fn nothing_is_young() -> Kept {
    Kept {
        rollouts_since: at(10_000),
        activities: 1_000,
        contents_since: at(10_000),
        audit_since: at(10_000),
        audit: 1_000,
    }
}

/// Lets go of all that goes, one by one; says how many things of each part went.
async fn prune(store: &dyn Store, kept: &Kept) -> Vec<(&'static str, u64)> {
    let mut all = Vec::new();
    for part in History::ALL {
        let would = store.prune(part, kept, 1, true).await.unwrap();
        let mut gone = 0;
        loop {
            let now = store.prune(part, kept, 1, false).await.unwrap();
            gone += now;
            if now == 0 {
                break;
            }
        }
        assert!(part == History::Plans || gone == would, "{}: {gone} went, {would} would have", part.as_str());
        all.push((part.as_str(), gone));
    }
    all
}

async fn fail(store: &dyn Store, id: &ActivityId, second: i64) {
    let token = store.claim(id, "here", at(second), at(second + 1_000)).await.unwrap();
    let started = ActivityEvent::TaskStarted { task: 0, attempt: 1, deadline: None };
    let kind = meshwright::domain::activity::FailureKind::Permanent;
    let message = "no room".to_owned();
    let failed = ActivityEvent::TaskFailed { task: 0, attempt: 1, kind, message, retry: false, again: None };
    for event in [started, failed, ActivityEvent::Failed] {
        store.append(id, token, &event, at(second)).await.unwrap();
    }
}

fn ids(pass: &Pass) -> Vec<ActivityId> {
    pass.plan.activities.iter().map(|activity| activity.id.clone()).collect()
}

/// `a` runs in its third version and waits at `prod`; `b` failed in its first.
async fn three_passes(store: &dyn Store) -> [Pass; 3] {
    let first = PassSample::new(1, 0).version("a", "1.0.0", "x").version("b", "1.0.0", "x");
    let first = first.activity("a", "dev", "1.0.0", "x").activity("b", "dev", "1.0.0", "x").build();
    store.record_pass(&first).await.unwrap();
    roll_out(store, &first.plan.activities[0].id, 10).await;
    fail(store, &first.plan.activities[1].id, 12).await;
    let second = PassSample::new(2, 1).version("a", "1.1.0", "x").activity("a", "dev", "1.1.0", "x").build();
    store.record_pass(&second).await.unwrap();
    roll_out(store, &second.plan.activities[0].id, 20).await;
    let third = PassSample::new(3, 2).version("a", "1.2.0", "x").activity("a", "dev", "1.2.0", "x");
    let third = third.activity("a", "prod", "1.2.0", "x").build();
    store.record_pass(&third).await.unwrap();
    roll_out(store, &third.plan.activities[0].id, 30).await;
    [first, second, third]
}

pub async fn what_is_old_goes_and_the_present_stays(room: &impl Room) {
    let store = room.open().await;
    let [first, second, third] = three_passes(&*store).await;
    let present = async |store: &dyn Store| {
        (
            store.unfinished().await.unwrap(),
            store.troubled(&samples::source()).await.unwrap(),
            store.containers(&[product("a", 1), product("b", 1)]).await.unwrap(),
            store.latest_versions(&[product("a", 1), product("b", 1)]).await.unwrap(),
            store.version_numbers(&product("a", 1)).await.unwrap(),
            store.source(&samples::source()).await.unwrap(),
            store.plan(&third.plan.digest).await.unwrap(),
            store.activity(&third.plan.activities[0].id).await.unwrap(),
            store.events(&third.plan.activities[0].id).await.unwrap(),
            store.needed_tasks().await.unwrap(),
        )
    };
    let before = present(&*store).await;
    assert!(before.9.len() == 4 && !before.1.is_empty(), "a at dev and at prod, with two tasks each");

    let gone = prune(&*store, &nothing_is_young()).await;
    assert_eq!(gone[0], ("activities", 2));
    assert_eq!(gone[3], ("contents", 2));
    assert!(gone[4].1 > 0, "{gone:?}");
    let store = room.open().await;
    assert_eq!(present(&*store).await, before);
    assert!(prune(&*store, &nothing_is_young()).await.iter().all(|(_, gone)| *gone == 0), "once is enough");

    for old in [&first.plan.activities[0].id, &second.plan.activities[0].id] {
        assert_eq!(store.activity(old).await.unwrap(), None);
        assert!(store.events(old).await.unwrap().is_empty() && store.log(old).await.unwrap().is_empty());
    }
    assert!(store.activity(&first.plan.activities[1].id).await.unwrap().is_some(), "the newest of its container");
    assert!(store.plan(&first.plan.digest).await.unwrap().is_some(), "one of its activities is there");
    assert_eq!(store.plan(&second.plan.digest).await.unwrap(), None);
    let trail = store.audit_rows(100).await.unwrap();
    let running = third.plan.activities[0].id.as_str();
    assert!(trail.iter().any(|row| row.kind == "activity-succeeded" && row.subject == running), "{trail:?}");

    // Content that was let go of comes back with a commit that has it.
    let digest = samples::version("a", "1.1.0", "x").digest;
    assert_eq!(store.content(&digest).await.unwrap(), None);
    store.record_pass(&PassSample::new(4, 3).version("a", "1.1.0", "x").build()).await.unwrap();
    let content = store.content(&digest).await.unwrap();
    assert_eq!(content, Some(samples::content("a", "1.1.0", "x")));
}

pub async fn what_is_beyond_the_number_goes(room: &impl Room) {
    let store = room.open().await;
    let [first, second, _] = three_passes(&*store).await;
    let old = at(-1_000);
    let all_young =
        Kept { rollouts_since: old, activities: 1_000, contents_since: old, audit_since: old, audit: 1_000 };
    assert!(prune(&*store, &all_young).await.iter().all(|(_, gone)| *gone == 0), "nothing is old, nor too much");
    let few = Kept { activities: 3, audit: 2, ..all_young };
    let gone = prune(&*store, &few).await;
    assert_eq!(gone[0], ("activities", 1), "of the two oldest, one is the newest of its container");
    assert_eq!(store.activity(&first.plan.activities[0].id).await.unwrap(), None);
    assert!(store.activity(&second.plan.activities[0].id).await.unwrap().is_some());
    assert!(gone[4].1 > 0, "{gone:?}");
}

pub async fn what_something_unfinished_may_wait_for_stays(room: &impl Room) {
    let store = room.open().await;
    // `late` waits for `a`, of which one later version took the place of the other.
    let first = PassSample::new(1, 0).version("a", "1.0.0", "x").version("late", "1.0.0", "x");
    let first = first.activity("a", "dev", "1.0.0", "x").activity("late", "dev", "1.0.0", "x").build();
    store.record_pass(&first).await.unwrap();
    let mut planned = ids(&first);
    for (number, version) in [(2, "1.1.0"), (3, "1.2.0")] {
        let pass = PassSample::new(number, number - 1).version("a", version, "x").activity("a", "dev", version, "x");
        let pass = pass.build();
        store.record_pass(&pass).await.unwrap();
        roll_out(&*store, &pass.plan.activities[0].id, 10).await;
        planned.extend(ids(&pass));
    }
    prune(&*store, &nothing_is_young()).await;
    for id in &planned {
        assert!(store.activity(id).await.unwrap().is_some(), "{id} is on the way to what it waits for");
    }
    roll_out(&*store, &first.plan.activities[1].id, 40).await;
    assert_eq!(prune(&*store, &nothing_is_young()).await[0], ("activities", 2));
}

pub async fn a_look_is_known_as_long_as_something_is_shown_on_its_commit(room: &impl Room) {
    let store = room.open().await;
    let seen = PassSample::new(1, 0).version("a", "1.0.0", "x");
    let shown = samples::report(1, ReportState::Pending, "0 of 1 rollout done");
    store.record_pass(&seen.with(|pass| pass.reports.push(shown)).build()).await.unwrap();
    for number in [2, 3] {
        store.record_pass(&PassSample::new(number, number - 1).build()).await.unwrap();
    }
    let looks = async || {
        let rows = store.pass_rows(Some(&samples::source()), 10).await.unwrap();
        rows.into_iter().map(|row| row.revision).collect::<Vec<_>>()
    };
    prune(&*store, &nothing_is_young()).await;
    assert_eq!(looks().await, [samples::revision(3), samples::revision(1)], "who waits is told what came of it");

    store.want(&[samples::report(1, ReportState::Success, "1 running")], at(20)).await.unwrap();
    prune(&*store, &nothing_is_young()).await;
    assert_eq!(looks().await.len(), 2, "it is to be written yet");

    let due = store.unpublished(&[samples::source()], at(20), 9).await.unwrap().remove(0);
    store.published(&due, None, at(21)).await.unwrap();
    prune(&*store, &nothing_is_young()).await;
    assert_eq!(looks().await, [samples::revision(3)], "one run of upkeep lets go of both");
}
