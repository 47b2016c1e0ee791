//! What forges should show.

use meshwright::domain::activity::ActivityEvent;
use meshwright::domain::report::{Report, ReportState};
use meshwright::port::store::Store;

use super::Room;
use super::activities::planned;
use crate::support::samples::{self, PassSample, at, report};

async fn waiting(store: &dyn Store, second: i64) -> Vec<String> {
    let wanted = store.unpublished(&[samples::source()], at(second), 99).await.unwrap();
    wanted.into_iter().map(|wanted| format!("{} #{}", wanted.report.description, wanted.edition)).collect()
}

async fn delivery(store: &dyn Store) -> (String, Option<String>) {
    let row = store.report_rows(1).await.unwrap().remove(0);
    (row.delivery, row.message)
}

pub async fn the_oldest_due_report_comes_first(room: &impl Room) {
    let store = room.open().await;
    store.want(&[report(3, ReportState::Pending, "c")], at(30)).await.unwrap();
    store.want(&[report(1, ReportState::Pending, "a"), report(2, ReportState::Pending, "b")], at(10)).await.unwrap();
    assert_eq!(waiting(&*store, 9).await, Vec::<String>::new());
    assert_eq!(waiting(&*store, 10).await, ["a #1", "b #1"]);
    assert_eq!(waiting(&*store, 30).await, ["a #1", "b #1", "c #1"]);
    assert_eq!(store.unpublished(&[samples::source()], at(30), 2).await.unwrap().len(), 2);
}

pub async fn wanting_the_same_changes_nothing(room: &impl Room) {
    let store = room.open().await;
    let wanted = Report { target_url: Some("https://x".to_owned()), ..report(1, ReportState::Pending, "a") };
    store.want(std::slice::from_ref(&wanted), at(1)).await.unwrap();
    store.want(std::slice::from_ref(&wanted), at(2)).await.unwrap();
    assert_eq!(waiting(&*store, 1).await, ["a #1"]);
    let pending = store.unpublished(&[samples::source()], at(9), 9).await.unwrap().remove(0);
    assert_eq!(pending.report, wanted);
    store.published(&pending, None, at(3)).await.unwrap();
    store.want(std::slice::from_ref(&wanted), at(4)).await.unwrap();
    assert!(waiting(&*store, 9).await.is_empty());
    assert_eq!(delivery(&*store).await, ("published".to_owned(), None));
    // Each part of it counts.
    store.want(&[Report { target_url: None, ..wanted.clone() }], at(5)).await.unwrap();
    assert_eq!(waiting(&*store, 9).await, ["a #2"]);
    store.want(&[Report { state: ReportState::Success, target_url: None, ..wanted }], at(6)).await.unwrap();
    assert_eq!(waiting(&*room.open().await, 9).await, ["a #3"]);
}

pub async fn acknowledging_an_older_edition_leaves_the_newer(room: &impl Room) {
    let store = room.open().await;
    store.want(&[report(1, ReportState::Pending, "a")], at(1)).await.unwrap();
    let older = store.unpublished(&[samples::source()], at(1), 9).await.unwrap().remove(0);
    store.want(&[report(1, ReportState::Success, "b")], at(2)).await.unwrap();
    store.published(&older, None, at(3)).await.unwrap();
    assert_eq!(waiting(&*store, 9).await, ["b #2"]);
    store.failed(&older, "gone", None, at(4)).await.unwrap();
    assert_eq!(waiting(&*store, 9).await, ["b #2"]);
    let newer = store.unpublished(&[samples::source()], at(9), 9).await.unwrap().remove(0);
    assert_eq!(newer.failures, 0);
    store.published(&newer, None, at(5)).await.unwrap();
    store.failed(&newer, "gone", None, at(6)).await.unwrap();
    assert_eq!(delivery(&*store).await, ("published".to_owned(), None));
}

pub async fn a_failure_waits_until_it_is_due(room: &impl Room) {
    let store = room.open().await;
    store.want(&[report(1, ReportState::Pending, "a")], at(1)).await.unwrap();
    let wanted = store.unpublished(&[samples::source()], at(1), 9).await.unwrap().remove(0);
    store.failed(&wanted, "HTTP 502", Some(at(60)), at(2)).await.unwrap();
    assert!(waiting(&*store, 59).await.is_empty());
    assert_eq!(delivery(&*store).await, ("waiting".to_owned(), Some("HTTP 502".to_owned())));
    let store = room.open().await;
    let again = store.unpublished(&[samples::source()], at(60), 9).await.unwrap().remove(0);
    assert_eq!((again.failures, again.edition), (1, 1));
    store.failed(&again, "HTTP 502", Some(at(70)), at(60)).await.unwrap();
    let again = store.unpublished(&[samples::source()], at(70), 9).await.unwrap().remove(0);
    assert_eq!(again.failures, 2);
    // Something new is worth a try at once.
    store.want(&[report(1, ReportState::Success, "b")], at(61)).await.unwrap();
    let newer = store.unpublished(&[samples::source()], at(61), 9).await.unwrap().remove(0);
    assert_eq!((newer.failures, newer.edition), (0, 2));
}

pub async fn what_was_given_up_is_tried_when_it_is_wanted_anew(room: &impl Room) {
    let store = room.open().await;
    let a = report(1, ReportState::Pending, "a");
    store.want(std::slice::from_ref(&a), at(1)).await.unwrap();
    let wanted = store.unpublished(&[samples::source()], at(1), 9).await.unwrap().remove(0);
    store.failed(&wanted, "the repository is gone", None, at(2)).await.unwrap();
    assert!(waiting(&*store, 99_999).await.is_empty());
    assert_eq!(delivery(&*store).await, ("given-up".to_owned(), Some("the repository is gone".to_owned())));
    store.want(std::slice::from_ref(&a), at(3)).await.unwrap();
    assert_eq!(waiting(&*store, 3).await, ["a #1"]);
    assert_eq!(delivery(&*store).await, ("waiting".to_owned(), None));
}

pub async fn a_state_that_keeps_changing_keeps_its_turn(room: &impl Room) {
    let store = room.open().await;
    store.want(&[report(1, ReportState::Pending, "a")], at(1)).await.unwrap();
    store.want(&[report(2, ReportState::Pending, "b")], at(2)).await.unwrap();
    store.want(&[report(1, ReportState::Pending, "a again")], at(3)).await.unwrap();
    assert_eq!(waiting(&*store, 9).await, ["a again #2", "b #1"]);
    let first = store.unpublished(&[samples::source()], at(9), 9).await.unwrap().remove(0);
    store.published(&first, None, at(4)).await.unwrap();
    store.want(&[report(1, ReportState::Success, "done")], at(5)).await.unwrap();
    assert_eq!(waiting(&*store, 9).await, ["b #1", "done #3"]);
}

pub async fn reports_of_passes_and_events_are_wanted_with_them(room: &impl Room) {
    let store = room.open().await;
    let id = planned(&*store, &["trips"]).await.remove(0);
    let pass = PassSample::new(2, 1).with(|pass| pass.reports.push(report(2, ReportState::Success, "planned")));
    store.record_pass(&pass.build()).await.unwrap();
    assert_eq!(waiting(&*store, 2).await, ["planned #1"]);
    let token = store.claim(&id, "here", samples::at(3)).await.unwrap();
    let started = ActivityEvent::TaskStarted { task: 0, attempt: 1 };
    store.append(&id, token, &started, &[report(1, ReportState::Pending, "provision")], at(4)).await.unwrap();
    assert_eq!(waiting(&*store, 4).await, ["planned #1", "provision #1"]);
}
