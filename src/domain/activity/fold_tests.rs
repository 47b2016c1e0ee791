//! What may follow what: by hand, and over made-up logs.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::domain::id::Digest;
use crate::domain::plan::ActivityId;

fn token(number: u64) -> FencingToken {
    FencingToken(number)
}

fn started(task: usize, attempt: u32) -> ActivityEvent {
    ActivityEvent::TaskStarted { task, attempt, deadline: None }
}

fn succeeded(task: usize) -> ActivityEvent {
    ActivityEvent::TaskSucceeded { task, results: json!({}) }
}

fn failed(task: usize, attempt: u32, retry: bool) -> ActivityEvent {
    let kind = FailureKind::Transient;
    ActivityEvent::TaskFailed { task, attempt, kind, message: "m".to_owned(), retry, again: None }
}

fn claimed(number: u64) -> ActivityEvent {
    ActivityEvent::Claimed { token: token(number) }
}

#[test]
fn a_whole_life_with_a_retry_and_a_crash() {
    let events = [
        claimed(1),
        started(0, 1),
        failed(0, 1, true),
        started(0, 2),
        claimed(2),
        started(0, 2),
        succeeded(0),
        started(1, 1),
        succeeded(1),
        ActivityEvent::Succeeded,
    ];
    let state = fold(2, &events).unwrap();
    assert_eq!(state.status, ActivityStatus::Succeeded);
    assert_eq!(state.token, Some(token(2)));
}

#[test]
fn a_crash_keeps_the_handle_of_the_running_attempt() {
    let handle = "pid:1".to_owned();
    let events =
        [claimed(1), started(0, 1), ActivityEvent::TaskCheckpointed { task: 0, handle }, claimed(2), started(0, 1)];
    let state = fold(1, &events).unwrap();
    assert_eq!(state.tasks[0], TaskStatus::Running { attempt: 1, handle: Some("pid:1".to_owned()), deadline: None });
}

#[test]
fn what_cannot_follow_is_an_error_with_both_in_it() {
    let by = Some("act-0123456789abcdef".parse::<ActivityId>().unwrap());
    let illegal: Vec<Vec<ActivityEvent>> = vec![
        vec![started(0, 1)],
        vec![claimed(1), started(1, 1)],
        vec![claimed(1), succeeded(0)],
        vec![claimed(1), ActivityEvent::Succeeded],
        vec![claimed(1), ActivityEvent::Failed],
        vec![claimed(2), claimed(1)],
        vec![claimed(1), ActivityEvent::Superseded { by }],
        vec![claimed(1), rejected()],
        vec![rejected(), claimed(1)],
        vec![claimed(1), started(0, 1), succeeded(0), succeeded(0)],
        vec![claimed(1), started(0, 1), started(0, 2)],
        vec![claimed(1), started(0, 1), failed(0, 1, false), started(0, 2)],
        vec![claimed(1), ActivityEvent::Refused { violations: vec![] }, claimed(2)],
    ];
    for events in illegal {
        let error = fold(2, &events).unwrap_err();
        assert_eq!(*error.event, *events.last().unwrap());
        let before = fold(2, &events[..events.len() - 1]).unwrap();
        assert_eq!(*error.state, before, "the state in the error is the one before the event");
    }
}

fn rejected() -> ActivityEvent {
    ActivityEvent::Rejected { by: "ann (acme)".to_owned(), at: Timestamp::UNIX_EPOCH }
}

#[test]
fn a_rejection_says_who_and_when() {
    let state = fold(1, &[rejected()]).unwrap();
    assert_eq!(state.status, ActivityStatus::Rejected);
    assert_eq!(state.rejection.unwrap().to_string(), "rejected by ann (acme) at 1970-01-01 00:00 UTC");
}

#[test]
fn an_activity_without_tasks_may_succeed() {
    assert_eq!(fold(0, &[claimed(1), ActivityEvent::Succeeded]).unwrap().status, ActivityStatus::Succeeded);
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn started_until(task: usize, attempt: u32, second: i64) -> ActivityEvent {
    ActivityEvent::TaskStarted { task, attempt, deadline: Some(at(second)) }
}

fn newer() -> ActivityId {
    "act-0123456789abcdef".parse().unwrap()
}

fn cancel_requested() -> ActivityEvent {
    ActivityEvent::CancelRequested { why: CancelCause::Person("ann".to_owned()), at: at(5) }
}

fn cancelled() -> ActivityEvent {
    ActivityEvent::Cancelled { by: "ann".to_owned(), at: at(5) }
}

fn undoing(task: usize, attempt: u32) -> ActivityEvent {
    ActivityEvent::CompensationStarted { task, attempt, deadline: at(100) }
}

fn undone(task: usize) -> ActivityEvent {
    ActivityEvent::CompensationSucceeded { task }
}

#[test]
fn a_crash_does_not_move_a_deadline() {
    let state = fold(1, &[claimed(1), started_until(0, 1, 60), claimed(2), started_until(0, 1, 60)]).unwrap();
    assert!(matches!(state.tasks[0], TaskStatus::Running { deadline: Some(until), .. } if until == at(60)));
    assert!(fold(1, &[claimed(1), started_until(0, 1, 60), claimed(2), started_until(0, 1, 90)]).is_err());
    // A log of old is given one when it goes on, and an older binary that goes on takes none away.
    let state = fold(1, &[claimed(1), started(0, 1), claimed(2), started_until(0, 1, 60), started(0, 1)]).unwrap();
    assert!(matches!(state.tasks[0], TaskStatus::Running { deadline: Some(until), .. } if until == at(60)));
}

#[test]
fn logs_from_before_deadlines_are_read() {
    let text = r#"[{"event":"claimed","token":1},{"event":"task-started","task":0,"attempt":1},
        {"event":"task-failed","task":0,"attempt":1,"kind":"transient","message":"m","retry":true},
        {"event":"task-started","task":0,"attempt":2},{"event":"task-succeeded","task":0,"results":{}},
        {"event":"succeeded"}]"#;
    let events: Vec<ActivityEvent> = serde_json::from_str(text).unwrap();
    assert_eq!(fold(1, &events).unwrap().status, ActivityStatus::Succeeded);
    assert_eq!(serde_json::to_value(&events).unwrap(), serde_json::from_str::<serde_json::Value>(text).unwrap());
}

#[test]
fn what_is_cancelled_ends_when_nothing_of_it_runs() {
    let begun = [claimed(1), started(0, 1), succeeded(0), started(1, 1), cancel_requested()];
    let with = |more: &[ActivityEvent]| fold(2, begun.iter().chain(more)).map(|state| state.status);
    assert!(with(&[cancelled()]).is_err(), "an attempt is under way");
    assert!(with(&[succeeded(1), ActivityEvent::Succeeded]).is_err(), "the decision counts");
    assert!(with(&[failed(1, 1, false), ActivityEvent::Failed]).is_err(), "it did not end by itself");
    assert!(with(&[failed(1, 1, true), started(1, 2)]).is_err(), "nothing begins any more");
    assert!(with(&[cancel_requested()]).is_err(), "once is enough");
    assert_eq!(with(&[succeeded(1), cancelled()]), Ok(ActivityStatus::Cancelled));
    let undone = [failed(1, 1, false), undoing(1, 1), undone(1), undoing(0, 1), undone(0), cancelled()];
    assert_eq!(with(&undone), Ok(ActivityStatus::Cancelled));
    assert!(with(&[failed(1, 1, false), ActivityEvent::Superseded { by: Some(newer()) }]).is_err());
    assert_eq!(fold(1, &[cancelled()]).unwrap().status, ActivityStatus::Cancelled, "it had not begun");
    assert!(fold(1, &[cancel_requested()]).is_err(), "what waits is cancelled at once");
}

#[test]
fn what_is_stopped_for_a_newer_one_ends_as_superseded_by_it() {
    let why = CancelCause::Newer(newer());
    let begun = [claimed(1), ActivityEvent::CancelRequested { why, at: at(5) }];
    let with = |event: ActivityEvent| fold(1, begun.iter().chain([&event])).map(|state| state.status);
    assert_eq!(with(ActivityEvent::Superseded { by: Some(newer()) }), Ok(ActivityStatus::Superseded));
    assert!(with(ActivityEvent::Superseded { by: None }).is_err());
    assert!(with(cancelled()).is_err());
}

#[test]
fn tasks_are_undone_in_reverse_order_and_only_for_a_reason() {
    let begun = [claimed(1), started(0, 1), succeeded(0), started(1, 1), failed(1, 1, false)];
    let with = |more: &[ActivityEvent]| fold(3, begun.iter().chain(more)).map(|state| state.status);
    assert!(with(&[undoing(2, 1)]).is_err(), "it has not begun");
    assert!(with(&[undoing(0, 1), undone(0), undoing(1, 1)]).is_err(), "the later one first");
    assert!(with(&[undoing(1, 1), undoing(0, 1)]).is_err(), "one after the other");
    assert!(with(&[undoing(1, 1), ActivityEvent::Failed]).is_err(), "it is under way");
    assert!(with(&[undoing(1, 1), undone(1), undoing(1, 1)]).is_err(), "once");
    let given_up = ActivityEvent::CompensationFailed { task: 1, attempt: 1, message: "m".to_owned(), again: None };
    assert_eq!(
        with(&[undoing(1, 1), given_up, undoing(0, 1), undone(0), ActivityEvent::Failed]),
        Ok(ActivityStatus::Failed)
    );
    assert!(fold(1, &[claimed(1), started(0, 1), succeeded(0), undoing(0, 1)]).is_err(), "nothing is wrong with it");
}

#[test]
fn a_refusal_that_is_being_undone_ends_as_it_began() {
    let violations = |why: &str| crate::domain::policy::Verdict::not_evaluated(Digest::of(b"p"), why).violations;
    let refusing = ActivityEvent::Refusing { violations: violations("a") };
    let refused = |why: &str| ActivityEvent::Refused { violations: violations(why) };
    let begun = [claimed(1), started(0, 1), refusing, undoing(0, 1), undone(0)];
    let with = |event: &ActivityEvent| fold(1, begun.iter().chain([event])).map(|state| state.status);
    assert_eq!(with(&refused("a")), Ok(ActivityStatus::Refused));
    assert!(with(&refused("b")).is_err());
    assert!(with(&succeeded(0)).is_err(), "its result was refused");
}

fn events() -> impl Strategy<Value = ActivityEvent> {
    let task = 0..4_usize;
    let attempt = 0..4_u32;
    let time = (0..3_i64).prop_map(at);
    let maybe = proptest::option::of((0..2_i64).prop_map(at));
    prop_oneof![
        4 => (0..4_u64).prop_map(claimed),
        8 => (task.clone(), attempt.clone(), maybe.clone())
            .prop_map(|(task, attempt, deadline)| ActivityEvent::TaskStarted { task, attempt, deadline }),
        1 => task.clone().prop_map(|task| ActivityEvent::TaskCheckpointed { task, handle: "h".to_owned() }),
        6 => task.clone().prop_map(succeeded),
        4 => (task.clone(), attempt.clone(), any::<bool>()).prop_map(|(task, attempt, retry)| failed(task, attempt, retry)),
        1 => Just(cancel_requested()),
        1 => Just(ActivityEvent::CancelRequested { why: CancelCause::Newer(newer()), at: at(5) }),
        1 => Just(ActivityEvent::Refusing { violations: vec![] }),
        4 => (task.clone(), attempt.clone(), time)
            .prop_map(|(task, attempt, deadline)| ActivityEvent::CompensationStarted { task, attempt, deadline }),
        1 => task.clone().prop_map(|task| ActivityEvent::CompensationCheckpointed { task, handle: "h".to_owned() }),
        3 => task.clone().prop_map(undone),
        3 => (task, attempt, maybe).prop_map(|(task, attempt, again)| {
            ActivityEvent::CompensationFailed { task, attempt, message: "m".to_owned(), again }
        }),
        1 => Just(ActivityEvent::Refused { violations: vec![] }),
        2 => Just(ActivityEvent::Succeeded),
        2 => Just(ActivityEvent::Failed),
        1 => Just(ActivityEvent::Skipped { because: newer() }),
        1 => Just(rejected()),
        1 => Just(cancelled()),
        1 => Just(ActivityEvent::Superseded { by: Some(newer()) }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Whatever comes, in whatever order: what cannot follow changes nothing, what has ended stays as it is,
    /// and what is known once does not come undone.
    #[test]
    fn no_log_leads_astray(tasks in 0..4_usize, log in proptest::collection::vec(events(), 0..120)) {
        let mut state = ActivityState::new(tasks);
        let mut taken = Vec::new();
        for event in log {
            let before = state.clone();
            match state.after(&event) {
                Ok(after) => {
                    prop_assert!(!before.status.is_final(), "{event:?} after {before:?}");
                    prop_assert!(after.token >= before.token);
                    for (task, was) in after.tasks.iter().zip(&before.tasks) {
                        let is_done = matches!(was, TaskStatus::Succeeded { .. } | TaskStatus::Failed { .. });
                        prop_assert!(!is_done || task == was, "{event:?} changed {was:?} to {task:?}");
                    }
                    if before.is_ending() {
                        prop_assert!(after.is_ending() && after.status != ActivityStatus::Succeeded);
                    }
                    if after.status.is_final() && before.status == ActivityStatus::Running {
                        prop_assert!(after.compensations.values().all(CompensationStatus::is_final));
                    }
                    taken.push(event);
                    state = after;
                }
                Err(refused) => {
                    prop_assert_eq!(&*refused.state, &before);
                    prop_assert_eq!(&*refused.event, &event);
                    state = before;
                }
            }
        }
        prop_assert_eq!(fold(tasks, &taken).unwrap(), state);
    }
}
