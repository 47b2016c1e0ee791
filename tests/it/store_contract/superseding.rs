//! What a pass does to activities that an earlier one planned.

use meshwright::domain::activity::{ActivityEvent, ActivityStatus};
use meshwright::domain::plan::ActivityId;
use meshwright::port::store::Store;

use super::Room;
use crate::support::samples::{self, PassSample};

async fn status(store: &dyn Store, id: &ActivityId) -> ActivityStatus {
    store.activity(id).await.unwrap().unwrap().state.status
}

pub async fn waiting_activities_of_the_same_container_are_superseded(room: &impl Room) {
    let store = room.open().await;
    let first = PassSample::new(1, 0)
        .version("trips", "1.0.0", "a")
        .version("fares", "1.0.0", "a")
        .activity("trips", "dev", "1.0.0", "a")
        .activity("trips", "prod", "1.0.0", "a")
        .activity("fares", "dev", "1.0.0", "a")
        .build();
    store.record_pass(&first).await.unwrap();
    let second = PassSample::new(2, 1).version("trips", "1.1.0", "b").activity("trips", "dev", "1.1.0", "b").build();
    store.record_pass(&second).await.unwrap();

    let old = &first.plan.activities;
    assert_eq!(status(&*store, &old[0].id).await, ActivityStatus::Superseded);
    assert_eq!(status(&*store, &old[1].id).await, ActivityStatus::Waiting);
    assert_eq!(status(&*store, &old[2].id).await, ActivityStatus::Waiting);
    let by = &second.plan.activities[0].id;
    assert_eq!(
        store.events(&old[0].id).await.unwrap(),
        [(second.at, ActivityEvent::Superseded { by: Some(by.clone()) })]
    );
    let unfinished: Vec<_> = store.unfinished().await.unwrap().into_iter().map(|record| record.planned.id).collect();
    assert_eq!(unfinished, [old[1].id.clone(), old[2].id.clone(), second.plan.activities[0].id.clone()]);
    let row = store.activity_rows(9).await.unwrap().into_iter().find(|row| row.activity == old[0].id.as_str()).unwrap();
    assert_eq!(row.status, "superseded");
    assert!(row.message.unwrap().contains(by.as_str()));
    assert_eq!(store.claim(&old[0].id, "here", samples::at(9), samples::at(1_000)).await.unwrap(), None);
}

pub async fn running_activities_are_not_superseded(room: &impl Room) {
    let store = room.open().await;
    let first = PassSample::new(1, 0).version("trips", "1.0.0", "a").activity("trips", "dev", "1.0.0", "a").build();
    store.record_pass(&first).await.unwrap();
    let running = &first.plan.activities[0].id;
    store.claim(running, "here", samples::at(2), samples::at(1_000)).await.unwrap().unwrap();
    let second = PassSample::new(2, 1).version("trips", "1.1.0", "b").activity("trips", "dev", "1.1.0", "b").build();
    store.record_pass(&second).await.unwrap();
    assert_eq!(status(&*store, running).await, ActivityStatus::Running);
    let next = &second.plan.activities[0].id;
    assert_eq!(store.claim(next, "here", samples::at(3), samples::at(1_000)).await.unwrap(), None);
    super::activities::finish(&*store, running, 4).await;
    assert!(store.claim(next, "here", samples::at(9), samples::at(1_000)).await.unwrap().is_some());
}

pub async fn content_that_is_replaced_while_it_is_rolled_out_is_not_released(room: &impl Room) {
    let store = room.open().await;
    let first = PassSample::new(1, 0).version("trips", "1.0.0", "a").activity("trips", "dev", "1.0.0", "a").build();
    store.record_pass(&first).await.unwrap();
    let running = &first.plan.activities[0].id;
    store.claim(running, "here", samples::at(2), samples::at(1_000)).await.unwrap().unwrap();
    store.record_pass(&PassSample::new(2, 1).version("trips", "1.0.0", "b").build()).await.unwrap();
    super::activities::finish(&*store, running, 4).await;
    let trips = samples::product("trips", 1);
    let (a, b) = (samples::version("trips", "1.0.0", "a"), samples::version("trips", "1.0.0", "b"));
    assert_eq!(store.version_numbers(&trips).await.unwrap(), [(b, false)]);
    assert_eq!(store.containers(&[trips]).await.unwrap()[0].version, a);
    assert_eq!(store.audit_rows(1).await.unwrap()[0].detail["replacedMeanwhile"], true);
}

pub async fn activities_of_a_retired_product_are_superseded_by_nothing(room: &impl Room) {
    let store = room.open().await;
    let first = PassSample::new(1, 0)
        .version("trips", "1.0.0", "a")
        .version("fares", "1.0.0", "a")
        .activity("trips", "dev", "1.0.0", "a")
        .activity("fares", "dev", "1.0.0", "a")
        .build();
    store.record_pass(&first).await.unwrap();
    store.record_pass(&PassSample::new(2, 1).retire("trips").build()).await.unwrap();
    let events = store.events(&first.plan.activities[0].id).await.unwrap();
    assert_eq!(events, [(samples::at(2), ActivityEvent::Superseded { by: None })]);
    assert_eq!(status(&*store, &first.plan.activities[1].id).await, ActivityStatus::Waiting);
}
