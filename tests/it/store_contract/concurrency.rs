//! Many at once.

use std::sync::Arc;

use meshwright::domain::activity::{ActivityEvent, ActivityStatus};
use meshwright::domain::report::ReportState;
use meshwright::port::store::LogLine;
use tokio::task::JoinSet;

use super::Room;
use super::activities::{finish, planned};
use crate::support::samples::{self, PassSample, at};

pub async fn one_of_eight_gets_the_container(room: &impl Room) {
    let store = room.open().await;
    let id = planned(&*store, &["trips"]).await.remove(0);
    let mut claims = JoinSet::new();
    for holder in 0..8 {
        let (store, id) = (Arc::clone(&store), id.clone());
        claims.spawn(async move { store.claim(&id, &format!("replica-{holder}"), at(2), at(1_000)).await.unwrap() });
    }
    let claims = claims.join_all().await;
    assert_eq!(claims.iter().flatten().count(), 1, "{claims:?}");
    assert_eq!(store.events(&id).await.unwrap().len(), 1);
}

pub async fn eight_roll_out_at_once_while_others_look(room: &impl Room) {
    let store = room.open().await;
    let names: Vec<String> = (0..8).map(|number| format!("p{number}")).collect();
    let ids = planned(&*store, &names.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let mut tasks = JoinSet::new();
    for (number, id) in ids.iter().cloned().enumerate() {
        let store = Arc::clone(&store);
        tasks.spawn(async move {
            let token = store.claim(&id, "here", at(2), at(1_000)).await.unwrap().unwrap();
            let report = samples::report(number as u64, ReportState::Pending, "begun");
            let started = ActivityEvent::TaskStarted { task: 0, attempt: 1, deadline: None };
            store.append(&id, Some(token), &started, at(3)).await.unwrap();
            store.want(&[report], at(3)).await.unwrap();
            for attempt in 0..10 {
                let line = LogLine { task: 0, attempt: 1, at: at(3), line: format!("line {attempt}") };
                store.append_log(&id, token, &[line]).await.unwrap();
            }
            finish(&*store, &id, 4).await;
        });
    }
    let looking = Arc::clone(&store);
    tasks.spawn(async move {
        // Each look is one moment: what is unfinished has not ended in it.
        loop {
            let unfinished = looking.unfinished().await.unwrap();
            assert!(unfinished.iter().all(|seen| !seen.state.status.is_final()));
            if unfinished.is_empty() {
                break;
            }
        }
    });
    let passing = Arc::clone(&store);
    tasks.spawn(async move {
        for number in 2..12 {
            let pass = PassSample::new(number, number - 1).version("other", &format!("1.{number}.0"), "x");
            passing.record_pass(&pass.build()).await.unwrap();
        }
    });
    tasks.join_all().await;

    let store = room.open().await;
    for id in &ids {
        let record = store.activity(id).await.unwrap().unwrap();
        assert_eq!(record.state.status, ActivityStatus::Succeeded);
        assert_eq!(store.log(id).await.unwrap().len(), 10);
    }
    assert_eq!(store.container_rows().await.unwrap().len(), 8);
    assert_eq!(store.unpublished(&[samples::source()], at(99), 99).await.unwrap().len(), 8);
    assert_eq!(store.source(&samples::source()).await.unwrap().unwrap().sequence, 11);
}
