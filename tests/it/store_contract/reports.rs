//! What forges should show.

use meshwright::domain::report::{Annotation, Check, Comment, Detail, Report, ReportState};
use meshwright::port::store::{Pause, Store, WantedReport};

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

fn check(number: u64, summary: &str) -> Report {
    let annotation = Annotation {
        path: samples::path("a/b.yaml"),
        line: 3,
        column: 1,
        severity: meshwright::domain::finding::Severity::Error,
        title: "schema/required".to_owned(),
        message: "it's \u{202e} missing".to_owned(),
    };
    let check = Check { summary: summary.to_owned(), annotations: vec![annotation], actions: Vec::new() };
    Report { detail: Some(Detail::Check(check)), ..report(number, ReportState::Failure, "c") }
}

fn comment(number: u64, pull: u64, body: &str) -> Report {
    let comment = Comment { pull, body: body.to_owned(), answers: String::new() };
    Report { detail: Some(Detail::Comment(comment)), ..report(number, ReportState::Success, "d") }
}

async fn due(store: &dyn Store, second: i64) -> Vec<WantedReport> {
    store.unpublished(&[samples::source()], at(second), 99).await.unwrap()
}

pub async fn what_is_more_than_a_status_is_kept_whole_under_its_own_key(room: &impl Room) {
    let store = room.open().await;
    // The same commit and the same context, three times.
    let all = [report(1, ReportState::Pending, "a"), check(1, "one"), comment(1, 4, "hello")];
    store.want(&all, at(1)).await.unwrap();
    let wanted: Vec<Report> = due(&*room.open().await, 1).await.into_iter().map(|wanted| wanted.report).collect();
    assert_eq!(wanted, all);
    // A part of the detail counts; what is the same does not.
    let store = room.open().await;
    store.want(&[check(1, "one"), comment(1, 4, "bye")], at(2)).await.unwrap();
    let editions: Vec<(&'static str, u64)> =
        due(&*store, 2).await.iter().map(|wanted| (wanted.report.sort(), wanted.edition)).collect();
    assert_eq!(editions, [("status", 1), ("check", 1), ("comment", 2)]);
    // A comment belongs to its pull request, whatever the head is: it is told anew, not twice.
    store.want(&[comment(2, 4, "bye"), comment(2, 5, "bye")], at(3)).await.unwrap();
    let comments: Vec<WantedReport> =
        due(&*store, 3).await.into_iter().filter(|wanted| wanted.report.sort() == "comment").collect();
    assert_eq!(comments.len(), 2);
    assert_eq!((comments[0].edition, &comments[0].report.revision), (2, &samples::revision(2)));
}

pub async fn statuses_come_before_checks_and_comments(room: &impl Room) {
    let store = room.open().await;
    store.want(&[comment(1, 1, "oldest")], at(1)).await.unwrap();
    store.want(&[check(2, "older")], at(2)).await.unwrap();
    store.want(&[report(3, ReportState::Success, "newest")], at(3)).await.unwrap();
    let sorts: Vec<&str> = due(&*store, 9).await.iter().map(|wanted| wanted.report.sort()).collect();
    assert_eq!(sorts, ["status", "check", "comment"]);
    let one = store.unpublished(&[samples::source()], at(9), 1).await.unwrap();
    assert_eq!(one[0].report.sort(), "status", "the order holds for what is left out, too");
    assert_eq!(store.unpublished(&["other".parse().unwrap()], at(9), 9).await.unwrap(), []);
    assert_eq!(store.sources_with_unpublished().await.unwrap(), [samples::source()]);
}

pub async fn the_forges_own_id_outlives_editions(room: &impl Room) {
    let store = room.open().await;
    store.want(&[comment(1, 4, "a")], at(1)).await.unwrap();
    let first = due(&*store, 1).await.remove(0);
    assert_eq!(first.external, None);
    // Another text is wanted while the first is being written: the comment is there, and must be known.
    store.want(&[comment(1, 4, "b")], at(2)).await.unwrap();
    store.published(&first, Some("4711"), at(3)).await.unwrap();
    let second = due(&*room.open().await, 3).await.remove(0);
    assert_eq!((second.edition, second.external.as_deref()), (2, Some("4711")));
}

pub async fn a_limit_holds_up_its_account_alone_and_is_nobodys_failure(room: &impl Room) {
    let store = room.open().await;
    let other = Report { source: "other".parse().unwrap(), ..report(1, ReportState::Pending, "o") };
    store.want(&[report(1, ReportState::Pending, "a"), check(1, "c"), other], at(1)).await.unwrap();
    let limited = Pause::Limited { message: "secondary rate limit".to_owned() };
    store.pause(&[samples::source()], &limited, at(60), at(2)).await.unwrap();
    let store = room.open().await;
    assert_eq!(due(&*store, 59).await, [], "it outlives a restart");
    assert_eq!(store.unpublished(&["other".parse().unwrap()], at(59), 9).await.unwrap().len(), 1);
    // What is wanted meanwhile waits as well, and says why.
    store.want(&[report(2, ReportState::Pending, "b")], at(3)).await.unwrap();
    assert_eq!(due(&*store, 59).await, []);
    assert_eq!(delivery(&*store).await, ("waiting".to_owned(), Some("secondary rate limit".to_owned())));
    assert_eq!(store.sources().await.unwrap(), [], "a limit is no condition");
    let again = due(&*store, 60).await;
    assert_eq!(again.iter().map(|wanted| wanted.failures).collect::<Vec<_>>(), [0, 0, 0]);
    // Having written something, we are not at the limit.
    store.pause(&[samples::source()], &limited, at(99), at(60)).await.unwrap();
    store.published(&again[0], None, at(61)).await.unwrap();
    assert_eq!(due(&*store, 61).await.len(), 2);
}

pub async fn too_many_of_a_sort_hold_up_no_other_sort(room: &impl Room) {
    let store = room.open().await;
    store.note_condition(&samples::source(), "u", "main", None, at(1)).await.unwrap();
    store.want(&[report(1, ReportState::Pending, "a"), check(1, "c"), comment(1, 4, "b")], at(1)).await.unwrap();
    let crowded = Pause::Crowded { sort: "check", message: "500 in an hour".to_owned() };
    store.pause(&[samples::source()], &crowded, at(60), at(2)).await.unwrap();
    let store = room.open().await;
    let sorts = async |second| due(&*store, second).await.iter().map(|wanted| wanted.report.sort()).collect::<Vec<_>>();
    assert_eq!(sorts(59).await, ["status", "comment"]);
    let rows = store.report_rows(9).await.unwrap();
    let told = rows.iter().find(|row| row.sort == "check").unwrap();
    assert_eq!((told.delivery.as_str(), told.message.as_deref()), ("waiting", Some("500 in an hour")));
    assert_eq!(store.sources().await.unwrap()[0].condition, None, "nobody has to do anything");
    // What is denied beside it is still told.
    let denied = Pause::Denied { sort: "comment", message: "locked".to_owned() };
    store.pause(&[samples::source()], &denied, at(60), at(3)).await.unwrap();
    let told = store.sources().await.unwrap().remove(0).message;
    assert_eq!(told.as_deref(), Some("comments cannot be written: locked"));
    assert_eq!(sorts(60).await, ["status", "check", "comment"]);
    assert!(due(&*store, 60).await.iter().all(|wanted| wanted.failures == 0));
}

pub async fn what_we_may_not_write_is_a_condition_until_it_was_written(room: &impl Room) {
    let store = room.open().await;
    store.note_condition(&samples::source(), "u", "main", None, at(1)).await.unwrap();
    store.want(&[report(1, ReportState::Pending, "a"), check(1, "c")], at(1)).await.unwrap();
    let denied = Pause::Denied { sort: "check", message: "permission 'checks' is missing".to_owned() };
    for second in [2, 3] {
        store.pause(&[samples::source()], &denied, at(60), at(second)).await.unwrap();
    }
    let statuses = due(&*store, 9).await;
    assert_eq!(statuses.iter().map(|wanted| wanted.report.sort()).collect::<Vec<_>>(), ["status"]);
    store.published(&statuses[0], None, at(9)).await.unwrap();
    // Looking at the source does not end it, nor does its time.
    store.note_condition(&samples::source(), "u", "main", None, at(10)).await.unwrap();
    let source = store.sources().await.unwrap().remove(0);
    assert_eq!(source.condition.as_deref(), Some("forge-denied"));
    assert_eq!(source.message.as_deref(), Some("checks cannot be written: permission 'checks' is missing"));
    let check = due(&*store, 60).await.remove(0);
    assert_eq!(check.failures, 0);
    store.published(&check, Some("1"), at(61)).await.unwrap();
    assert_eq!(store.sources().await.unwrap().remove(0).condition, None);
    let trail: Vec<String> = store.audit_rows(9).await.unwrap().into_iter().map(|row| row.kind).collect();
    assert_eq!(trail, ["forge-allowed", "forge-denied"], "it is traced once");
}

pub async fn what_is_shown_is_looked_at_ever_more_rarely(room: &impl Room) {
    let store = room.open().await;
    let to_verify = async |second: i64| store.to_verify(&[samples::source()], at(second), 9).await.unwrap();
    store.want(&[report(1, ReportState::Pending, "a")], at(1)).await.unwrap();
    assert_eq!(to_verify(9_999).await, [], "nothing is shown yet");
    let wanted = due(&*store, 1).await.remove(0);
    store.published(&wanted, Some("x"), at(10)).await.unwrap();
    assert_eq!(to_verify(69).await, []);
    let shown = to_verify(70).await.remove(0);
    assert_eq!((shown.edition, shown.external.as_deref(), &shown.report), (1, Some("x"), &wanted.report));
    store.verified(&shown, at(70)).await.unwrap();
    assert_eq!(to_verify(129).await, []);
    assert_eq!(to_verify(130).await.len(), 1);
    store.verified(&shown, at(10 + 7 * 24 * 3_600)).await.unwrap();
    assert_eq!(to_verify(99_999_999).await, [], "after a week it is left alone");
}

pub async fn what_was_lost_is_wanted_again(room: &impl Room) {
    let store = room.open().await;
    store.want(&[report(1, ReportState::Pending, "a")], at(1)).await.unwrap();
    let wanted = due(&*store, 1).await.remove(0);
    store.published(&wanted, Some("x"), at(10)).await.unwrap();
    store.lost(&wanted, at(80)).await.unwrap();
    let again = due(&*store, 80).await.remove(0);
    assert_eq!((again.edition, again.failures, again.external.as_deref()), (2, 0, Some("x")));
    assert_eq!(again.report, wanted.report);
    // Twice is once, and what is wanted by now is not touched.
    store.lost(&wanted, at(81)).await.unwrap();
    assert_eq!(due(&*store, 81).await.remove(0).edition, 2);
    store.published(&again, Some("x"), at(82)).await.unwrap();
    assert_eq!(store.to_verify(&[samples::source()], at(142), 9).await.unwrap().len(), 1);
}

pub async fn reports_of_passes_are_wanted_with_them(room: &impl Room) {
    let store = room.open().await;
    planned(&*store, &["trips"]).await;
    let pass = PassSample::new(2, 1).with(|pass| pass.reports.push(report(2, ReportState::Success, "planned")));
    store.record_pass(&pass.build()).await.unwrap();
    assert_eq!(waiting(&*store, 2).await, ["planned #1"]);
}
