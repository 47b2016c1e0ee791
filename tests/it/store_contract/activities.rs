//! Claims, events and logs.

use meshwright::domain::activity::{ActivityEvent, ActivityStatus, FailureKind, FencingToken, TaskStatus};
use meshwright::domain::finding::RuleId;
use meshwright::domain::plan::ActivityId;
use meshwright::domain::policy::{Enforcement, Violation};
use meshwright::port::store::{AppendError, LogLine, Store, StoreError};
use serde_json::{Value, json};

use super::Room;
use crate::support::samples::{self, PassSample, at, product};

/// Claims an activity and brings it to its good end, beginning at this second.
pub async fn roll_out(store: &dyn Store, id: &ActivityId, second: i64) {
    assert!(store.claim(id, "here", at(second), at(1_000)).await.unwrap().is_some());
    finish(store, id, second + 1).await;
}

/// Brings a claimed activity to its good end.
pub async fn finish(store: &dyn Store, id: &ActivityId, second: i64) {
    let record = store.activity(id).await.unwrap().unwrap();
    for task in 0..record.planned.tasks.len() {
        let started = ActivityEvent::TaskStarted { task, attempt: 1, deadline: None };
        store.append(id, record.state.token, &started, at(second)).await.unwrap();
        let results = json!({"url": format!("sqlite://{task}"), "rows": 3});
        let succeeded = ActivityEvent::TaskSucceeded { task, results };
        store.append(id, record.state.token, &succeeded, at(second)).await.unwrap();
    }
    store.append(id, record.state.token, &ActivityEvent::Succeeded, at(second)).await.unwrap();
}

/// Records a pass with one activity for each of these products, at `dev`.
pub async fn planned(store: &dyn Store, names: &[&str]) -> Vec<ActivityId> {
    let sample = names.iter().fold(PassSample::new(1, 0), |sample, name| {
        sample.version(name, "1.0.0", "a").activity(name, "dev", "1.0.0", "a")
    });
    let pass = sample.build();
    store.record_pass(&pass).await.unwrap();
    pass.plan.activities.into_iter().map(|activity| activity.id).collect()
}

const STARTED: ActivityEvent = ActivityEvent::TaskStarted { task: 0, attempt: 1, deadline: None };

pub async fn activities_come_oldest_plan_first_in_the_plans_order(room: &impl Room) {
    let store = room.open().await;
    let first = PassSample::new(1, 0).activity("z", "dev", "1.0.0", "a").activity("a", "dev", "1.0.0", "a").build();
    let other = PassSample::new(1, 0).of("other").activity("m", "dev", "1.0.0", "a").build();
    let second = PassSample::new(2, 1).activity("b", "dev", "1.0.0", "a").activity("y", "dev", "1.0.0", "a").build();
    for pass in [&first, &other, &second] {
        store.record_pass(pass).await.unwrap();
    }
    roll_out(&*store, &first.plan.activities[1].id, 10).await;
    store.claim(&second.plan.activities[1].id, "here", at(20), at(1_000)).await.unwrap().unwrap();
    let records = store.unfinished().await.unwrap();
    let names: Vec<_> = records.iter().map(|record| record.planned.container.product.product_name()).collect();
    assert_eq!(names, ["z", "m", "b", "y"]);
    let statuses: Vec<_> = records.iter().map(|record| record.state.status).collect();
    use ActivityStatus::{Running, Waiting};
    assert_eq!(statuses, [Waiting, Waiting, Waiting, Running]);
    let of_first = store.activities_of(&samples::source(), &samples::revision(1)).await.unwrap();
    let names: Vec<_> = of_first.iter().map(|record| record.planned.container.product.product_name()).collect();
    assert_eq!(names, ["z", "a"]);
}

pub async fn a_container_is_held_by_one_activity_of_one_holder(room: &impl Room) {
    let store = room.open().await;
    let first = planned(&*store, &["trips"]).await.remove(0);
    assert_eq!(store.claim(&first, "here", at(2), at(1_000)).await.unwrap(), Some(FencingToken(1)));
    let pass = PassSample::new(2, 1).version("trips", "1.1.0", "b").activity("trips", "dev", "1.1.0", "b");
    let pass = pass.activity("trips", "prod", "1.1.0", "b").build();
    store.record_pass(&pass).await.unwrap();
    let (second, elsewhere) = (&pass.plan.activities[0].id, &pass.plan.activities[1].id);
    assert_eq!(store.claim(second, "here", at(3), at(1_000)).await.unwrap(), None);
    assert_eq!(store.claim(&first, "there", at(3), at(1_000)).await.unwrap(), None);
    assert_eq!(store.claim(elsewhere, "there", at(3), at(1_000)).await.unwrap(), Some(FencingToken(1)));
    // The same holder, after a crash.
    assert_eq!(store.claim(&first, "here", at(4), at(1_000)).await.unwrap(), Some(FencingToken(2)));
    let state = store.activity(&first).await.unwrap().unwrap().state;
    assert_eq!((state.status, state.token), (ActivityStatus::Running, Some(FencingToken(2))));
    finish(&*store, &first, 5).await;
    assert_eq!(store.claim(second, "there", at(6), at(1_000)).await.unwrap(), Some(FencingToken(3)));
}

pub async fn tokens_grow_over_restarts(room: &impl Room) {
    let id = planned(&*room.open().await, &["trips"]).await.remove(0);
    let mut last = FencingToken(0);
    for second in 1..4 {
        let token = room.open().await.claim(&id, "here", at(second), at(1_000)).await.unwrap().unwrap();
        assert!(token > last);
        last = token;
    }
}

pub async fn what_ended_cannot_be_claimed(room: &impl Room) {
    let store = room.open().await;
    let ids = planned(&*store, &["trips", "fares"]).await;
    roll_out(&*store, &ids[0], 2).await;
    assert_eq!(store.claim(&ids[0], "here", at(9), at(1_000)).await.unwrap(), None);
    let skipped = ActivityEvent::Skipped { because: ids[0].clone() };
    store.append(&ids[1], None, &skipped, at(9)).await.unwrap();
    assert_eq!(store.claim(&ids[1], "here", at(9), at(1_000)).await.unwrap(), None);
    assert_eq!(store.unfinished().await.unwrap(), []);
}

pub async fn an_older_token_is_fenced_and_writes_nothing(room: &impl Room) {
    let store = room.open().await;
    let id = planned(&*store, &["trips"]).await.remove(0);
    let old = store.claim(&id, "here", at(2), at(1_000)).await.unwrap();
    let new = store.claim(&id, "here", at(3), at(1_000)).await.unwrap();
    let before = store.events(&id).await.unwrap();
    for token in [old, Some(FencingToken(99))] {
        let error = store.append(&id, token, &STARTED, at(4)).await.unwrap_err();
        assert!(matches!(error, AppendError::Fenced), "{error}");
    }
    assert_eq!(store.events(&id).await.unwrap(), before);
    let state = store.append(&id, new, &STARTED, at(5)).await.unwrap();
    assert_eq!(state.tasks[0], TaskStatus::Running { attempt: 1, handle: None, deadline: None });
}

pub async fn an_event_that_cannot_follow_writes_nothing(room: &impl Room) {
    let store = room.open().await;
    let id = planned(&*store, &["trips"]).await.remove(0);
    let token = store.claim(&id, "here", at(2), at(1_000)).await.unwrap();
    let claimed = ActivityEvent::Claimed { token: FencingToken(7) };
    for (event, token) in [(&ActivityEvent::Succeeded, token), (&claimed, token), (&STARTED, None)] {
        let error = store.append(&id, token, event, at(3)).await.unwrap_err();
        assert!(matches!(error, AppendError::Illegal(_)), "{event:?}: {error}");
    }
    assert_eq!(store.events(&id).await.unwrap().len(), 1);
    assert_eq!(store.containers(&[product("trips", 1)]).await.unwrap(), []);
    finish(&*store, &id, 4).await;
    let error = store.append(&id, token, &ActivityEvent::Succeeded, at(5)).await.unwrap_err();
    assert!(matches!(error, AppendError::Illegal(_)), "{error}");
}

pub async fn success_records_what_runs_and_releases_the_version(room: &impl Room) {
    let store = room.open().await;
    let id = planned(&*store, &["trips"]).await.remove(0);
    assert!(!store.version_numbers(&product("trips", 1)).await.unwrap()[0].1);
    roll_out(&*store, &id, 10).await;
    let store = room.open().await;
    let containers = store.containers(&[product("trips", 1)]).await.unwrap();
    assert_eq!(containers.len(), 1);
    let runs = &containers[0];
    assert_eq!(runs.container, samples::container("trips", "dev"));
    assert_eq!(runs.version, samples::version("trips", "1.0.0", "a"));
    assert_eq!((&runs.revision, &runs.activity, runs.since), (&samples::revision(1), &id, at(11)));
    let expected = json!({"provision": {"url": "sqlite://0", "rows": 3}, "build": {"url": "sqlite://1", "rows": 3}});
    assert_eq!(Value::Object(runs.results.clone()), expected);
    assert!(store.version_numbers(&product("trips", 1)).await.unwrap()[0].1);
    assert!(store.latest_versions(&[product("trips", 1)]).await.unwrap()[0].released);
    assert_eq!(store.unfinished().await.unwrap(), []);
    assert_eq!(store.audit_rows(1).await.unwrap()[0].kind, "activity-succeeded");
}

pub async fn failure_and_refusal_free_the_container(room: &impl Room) {
    let store = room.open().await;
    let ids = planned(&*store, &["trips", "fares"]).await;
    let token = store.claim(&ids[0], "here", at(2), at(1_000)).await.unwrap();
    let failed = |retry, attempt| ActivityEvent::TaskFailed {
        task: 0,
        attempt,
        kind: FailureKind::Transient,
        message: "no route to host".to_owned(),
        retry,
        again: None,
    };
    for event in [
        STARTED,
        failed(true, 1),
        ActivityEvent::TaskStarted { task: 0, attempt: 2, deadline: None },
        ActivityEvent::TaskCheckpointed { task: 0, handle: "job 7".to_owned() },
        failed(false, 2),
    ] {
        store.append(&ids[0], token, &event, at(3)).await.unwrap();
    }
    let state = store.append(&ids[0], token, &ActivityEvent::Failed, at(4)).await.unwrap();
    assert_eq!(state.status, ActivityStatus::Failed);

    let token = store.claim(&ids[1], "here", at(5), at(1_000)).await.unwrap();
    let violation = Violation {
        rule: RuleId::policy("mesh.pii", "terms"),
        enforcement: Enforcement::Block,
        message: "PII needs terms".to_owned(),
        pointer: None,
        within: None,
        hint: None,
    };
    let refused = ActivityEvent::Refused { violations: vec![violation.clone(), violation] };
    let state = store.append(&ids[1], token, &refused, at(6)).await.unwrap();
    assert_eq!(state.status, ActivityStatus::Refused);
    assert_eq!(store.containers(&[product("trips", 1), product("fares", 1)]).await.unwrap(), []);
    assert!(store.version_numbers(&product("trips", 1)).await.unwrap().iter().all(|(_, released)| !released));

    let next =
        PassSample::new(2, 1).activity("trips", "dev", "1.0.0", "a").activity("fares", "dev", "1.0.0", "a").build();
    store.record_pass(&next).await.unwrap();
    for activity in &next.plan.activities {
        assert_eq!(store.claim(&activity.id, "there", at(7), at(1_000)).await.unwrap(), Some(FencingToken(2)));
    }
}

pub async fn what_ended_badly_troubles_where_something_else_runs(room: &impl Room) {
    let store = room.open().await;
    let id = planned(&*store, &["trips"]).await.remove(0);
    roll_out(&*store, &id, 2).await;
    let troubled = async || -> Vec<ActivityId> {
        let all = store.troubled(&samples::source()).await.unwrap();
        all.into_iter().map(|record| record.planned.id).collect()
    };
    let again = async |number| {
        let pass = PassSample::new(number, number - 1).activity("trips", "dev", "1.0.0", "a").build();
        store.record_pass(&pass).await.unwrap();
        pass.plan.activities[0].id.clone()
    };
    // To what runs there already.
    let skipped = again(2).await;
    assert_eq!(troubled().await, std::slice::from_ref(&skipped), "it waits");
    store.append(&skipped, None, &ActivityEvent::Skipped { because: id }, at(20)).await.unwrap();
    assert_eq!(troubled().await, []);
    // What began, and failed, has left it half-way.
    let failed = again(3).await;
    let token = store.claim(&failed, "here", at(30), at(1_000)).await.unwrap();
    let (kind, message) = (FailureKind::Permanent, "no room".to_owned());
    let failure = ActivityEvent::TaskFailed { task: 0, attempt: 1, kind, message, retry: false, again: None };
    for event in [STARTED, failure, ActivityEvent::Failed] {
        store.append(&failed, token, &event, at(31)).await.unwrap();
    }
    assert_eq!(troubled().await, [failed]);
    // Mended, until something moves it elsewhere: it will not stay what it is.
    roll_out(&*store, &again(4).await, 40).await;
    assert_eq!(troubled().await, []);
    let pass = PassSample::new(5, 4).activity("trips", "dev", "1.1.0", "b").build();
    store.record_pass(&pass).await.unwrap();
    let moving = pass.plan.activities[0].id.clone();
    let token = store.claim(&moving, "here", at(50), at(1_000)).await.unwrap();
    store.append(&moving, token, &STARTED, at(50)).await.unwrap();
    let back = again(6).await;
    store.append(&back, None, &ActivityEvent::Skipped { because: moving }, at(51)).await.unwrap();
    assert_eq!(troubled().await, [back]);
}

pub async fn only_activities_that_never_begin_need_no_token(room: &impl Room) {
    let store = room.open().await;
    let ids = planned(&*store, &["trips", "fares"]).await;
    let skipped = ActivityEvent::Skipped { because: ids[1].clone() };
    let error = store.append(&ids[0], Some(FencingToken(1)), &skipped, at(2)).await.unwrap_err();
    assert!(matches!(error, AppendError::Fenced), "{error}");
    let state = store.append(&ids[0], None, &skipped, at(2)).await.unwrap();
    assert_eq!(state.status, ActivityStatus::Skipped);
    store.claim(&ids[1], "here", at(3), at(1_000)).await.unwrap().unwrap();
    let error = store.append(&ids[1], None, &ActivityEvent::Superseded { by: None }, at(4)).await.unwrap_err();
    assert!(matches!(error, AppendError::Illegal(_)), "{error}");
}

pub async fn state_and_events_outlive_a_restart(room: &impl Room) {
    let store = room.open().await;
    let id = planned(&*store, &["trips"]).await.remove(0);
    let token = store.claim(&id, "here", at(2), at(1_000)).await.unwrap();
    let checkpointed = ActivityEvent::TaskCheckpointed { task: 0, handle: "pid 7".to_owned() };
    store.append(&id, token, &STARTED, at(3)).await.unwrap();
    let state = store.append(&id, token, &checkpointed, at(4)).await.unwrap();
    let store = room.open().await;
    assert_eq!(store.activity(&id).await.unwrap().unwrap().state, state);
    let expected = [(at(2), ActivityEvent::Claimed { token: token.unwrap() }), (at(3), STARTED), (at(4), checkpointed)];
    assert_eq!(store.events(&id).await.unwrap(), expected);
    assert_eq!(store.unfinished().await.unwrap()[0].state, state);
}

pub async fn an_unknown_activity_is_told_apart(room: &impl Room) {
    let store = room.open().await;
    let nobody: ActivityId = "act-0123456789abcdef".parse().unwrap();
    assert_eq!(store.activity(&nobody).await.unwrap(), None);
    assert_eq!(store.events(&nobody).await.unwrap(), []);
    assert!(matches!(store.claim(&nobody, "here", at(1), at(1_000)).await, Err(StoreError::Unusable(_))));
    let error = store.append(&nobody, None, &ActivityEvent::Succeeded, at(1)).await.unwrap_err();
    assert!(matches!(error, AppendError::Store(StoreError::Unusable(_))), "{error}");
}

pub async fn logs_are_cut_in_length_and_in_width(room: &impl Room) {
    let store = room.open().await;
    let id = planned(&*store, &["trips"]).await.remove(0);
    let line = |task, text: &str| LogLine { task, attempt: 1, at: at(1), line: text.to_owned() };
    let token = store.claim(&id, "here", at(1), at(1_000)).await.unwrap().unwrap();
    store.append_log(&id, token, &[line(0, "first"), line(1, "\0other"), line(0, &"é".repeat(9000))]).await.unwrap();
    store.append_log(&id, token, &[]).await.unwrap();
    for batch in 0..6 {
        let lines: Vec<_> = (0..2000).map(|number| line(0, &format!("{batch} {number}"))).collect();
        store.append_log(&id, token, &lines).await.unwrap();
    }
    store.append_log(&id, token, &[line(1, "last"), line(0, "lost")]).await.unwrap();
    store.claim(&id, "here", at(2), at(1_000)).await.unwrap().unwrap();
    let late = store.append_log(&id, token, &[line(1, "of an earlier run")]).await;
    assert_eq!(late, Err(StoreError::Fenced));
    let log = room.open().await.log(&id).await.unwrap();
    assert_eq!(log[0], line(0, "first"));
    assert_eq!(log[1], line(1, "\0other"));
    assert!(log[2].line.len() <= 8 * 1024 && log[2].line.starts_with("éé"));
    assert_eq!(log.last().unwrap(), &line(1, "last"));
    let of_first: Vec<_> = log.iter().filter(|line| line.task == 0).collect();
    assert_eq!(of_first.len(), 10_000);
    assert_eq!(of_first[9998].line, "4 1996");
    assert!(of_first[9999].line.contains("not kept"), "{:?}", of_first[9999]);
}
