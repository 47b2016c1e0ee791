//! The ledger of deliveries.

use std::sync::Arc;

use meshwright::domain::forge::delivery::{Asked, CommandRequest, Delivery, DeliveryVerdict, Hint};
use meshwright::domain::forge::{Command, Proposal};
use meshwright::domain::id::{ForgeName, Revision};
use meshwright::domain::source::Target;
use meshwright::domain::time::Timestamp;
use meshwright::port::store::{PRESSED_AGAIN, Recorded, Retention, Store};

use super::Room;
use crate::support::samples::{self, PassSample, at, revision};

fn hub() -> ForgeName {
    "hub".parse().unwrap()
}

/// A push from one commit to another that wakes the source.
pub fn push(id: &str, before: Option<u64>, after: Option<u64>) -> Delivery {
    Delivery {
        forge: hub(),
        id: id.parse().unwrap(),
        received_at: at(10),
        hint: Hint {
            event: "push".to_owned(),
            repositories: vec!["Acme/Retail".to_owned()],
            reference: Some("refs/heads/main".to_owned()),
            is_push: true,
            before: before.map(revision),
            head: after.map(revision),
            ..Hint::default()
        },
        targets: vec![Target::branch(samples::source())],
        commands: Vec::new(),
    }
}

fn command(delivery: &str, comment: u64, command: Command) -> Delivery {
    let request = CommandRequest {
        forge: hub(),
        delivery: delivery.parse().unwrap(),
        origin: format!("comment:{comment}"),
        source: samples::source(),
        pull: Some(7),
        comment: Some(comment),
        head: None,
        author: "ada".to_owned(),
        asked: Asked::Command(command),
        at: at(20),
    };
    Delivery { targets: Vec::new(), commands: vec![request], ..push(delivery, None, None) }
}

async fn record(store: &dyn Store, delivery: Delivery) -> Recorded {
    store.record_delivery(delivery).await.unwrap()
}

const WOKE: Recorded = Recorded::New(DeliveryVerdict::Woke);
const GAP: Recorded = Recorded::New(DeliveryVerdict::Gap);

pub async fn a_delivery_is_recorded_once_and_counted_again(room: &impl Room) {
    let store = room.open().await;
    let mut pull = push("a", None, None);
    pull.hint.is_push = false;
    pull.hint.event = "pull_request".to_owned();
    pull.hint.action = Some("opened".to_owned());
    pull.targets = vec![Target::branch(samples::source()), Target::proposal(samples::source(), Proposal::Pull(7))];
    assert_eq!(record(&*store, pull.clone()).await, WOKE);
    let later = Delivery { received_at: at(99), targets: Vec::new(), ..pull.clone() };
    assert_eq!(record(&*store, later.clone()).await, Recorded::Duplicate);
    assert_eq!(record(&*room.open().await, later).await, Recorded::Duplicate);
    let nothing = Delivery { id: "b".parse().unwrap(), targets: Vec::new(), ..pull };
    let store = room.open().await;
    assert_eq!(record(&*store, nothing).await, Recorded::New(DeliveryVerdict::Ignored));
    let rows = store.delivery_rows(9).await.unwrap();
    let row = &rows[1];
    assert_eq!((row.delivery.as_str(), row.times, row.verdict.as_str()), ("a", 3, "woke"));
    assert_eq!((row.event.as_str(), row.action.as_deref()), ("pull_request", Some("opened")));
    assert_eq!((row.repository.as_deref(), row.reference.as_deref()), (Some("Acme/Retail"), Some("refs/heads/main")));
    assert_eq!(row.received_at, at(10).to_string());
    assert_eq!(row.woke, [samples::source().to_string(), format!("{} pull/7", samples::source())]);
    assert_eq!((rows[0].delivery.as_str(), rows[0].verdict.as_str()), ("b", "ignored"));
    assert_eq!(store.delivery_rows(1).await.unwrap().len(), 1);
}

pub async fn ids_are_those_of_their_forge(room: &impl Room) {
    let store = room.open().await;
    assert_eq!(record(&*store, push("a", None, Some(1))).await, WOKE);
    let other = Delivery { forge: "other".parse().unwrap(), ..push("a", None, Some(1)) };
    assert_eq!(record(&*store, other).await, WOKE);
}

pub async fn a_push_that_begins_elsewhere_is_a_gap(room: &impl Room) {
    let store = room.open().await;
    assert_eq!(record(&*store, push("a", Some(1), Some(2))).await, WOKE, "nothing is known before");
    let mut renamed_case = push("b", Some(2), Some(3));
    renamed_case.hint.repositories = vec!["acme/retail".to_owned()];
    assert_eq!(record(&*store, renamed_case).await, WOKE);
    let store = room.open().await;
    assert_eq!(record(&*store, push("c", Some(4), Some(5))).await, GAP);
    assert_eq!(record(&*store, push("c", Some(4), Some(5))).await, Recorded::Duplicate);
    assert_eq!(record(&*store, push("d", Some(5), None)).await, WOKE, "the branch is deleted");
    assert_eq!(record(&*store, push("e", None, Some(6))).await, WOKE, "and made anew");
    let unwatched = Delivery { targets: Vec::new(), ..push("f", Some(1), Some(9)) };
    assert_eq!(record(&*store, unwatched).await, Recorded::New(DeliveryVerdict::Ignored));
    assert_eq!(record(&*store, push("g", Some(6), Some(7))).await, WOKE, "what nobody watches is not followed");
}

pub async fn before_the_first_push_the_record_says_where_a_branch_stands(room: &impl Room) {
    let store = room.open().await;
    store.record_pass(&PassSample::new(1, 0).version("trips", "1.0.0", "a").build()).await.unwrap();
    let standing: Revision = store.sources().await.unwrap().remove(0).revision.unwrap();
    let from = |before: Option<Revision>, id: &str| {
        let mut delivery = push(id, None, Some(9));
        delivery.hint.before = before;
        delivery
    };
    assert_eq!(record(&*store, from(Some(standing), "a")).await, WOKE);
    assert_eq!(record(&*store, from(Some(revision(5)), "b")).await, GAP);
}

pub async fn a_command_is_asked_once_whatever_brings_it(room: &impl Room) {
    let store = room.open().await;
    let asked = command("a", 1, Command::Plan);
    assert_eq!(record(&*store, asked.clone()).await, Recorded::New(DeliveryVerdict::Command));
    assert_eq!(record(&*store, asked.clone()).await, Recorded::Duplicate);
    // The id stands in a header that nobody signs.
    assert_eq!(record(&*store, command("b", 1, Command::Plan)).await, Recorded::New(DeliveryVerdict::Command));
    let open = store.open_commands(9, &[]).await.unwrap();
    assert_eq!(open, asked.commands);
    store.command_done(&open[0], "planned", at(30)).await.unwrap();
    record(&*store, command("c", 1, Command::Plan)).await;
    assert_eq!(store.open_commands(9, &[]).await.unwrap(), []);
}

pub async fn a_command_is_open_until_it_is_done_once(room: &impl Room) {
    let store = room.open().await;
    let approve = Command::Approve("prod".parse().unwrap());
    record(&*store, command("a", 1, approve.clone())).await;
    let mut unclear = command("b", 2, Command::Help);
    unclear.commands[0].asked = Asked::Unclear("there is no such command".to_owned());
    unclear.commands[0].pull = None;
    unclear.commands[0].head = Some(revision(3));
    record(&*store, unclear.clone()).await;
    let store = room.open().await;
    assert_eq!(store.open_commands(1, &[]).await.unwrap()[0].asked, Asked::Command(approve));
    let open = store.open_commands(9, &[]).await.unwrap();
    assert_eq!(open[1], unclear.commands[0]);
    store.command_done(&open[0], "approved", at(30)).await.unwrap();
    store.command_done(&open[0], "refused", at(31)).await.unwrap();
    assert_eq!(store.open_commands(9, &[]).await.unwrap(), &open[1..]);
}

pub async fn a_button_counts_again_once_it_was_answered_and_not_for_ever(room: &impl Room) {
    let store = room.open().await;
    let press = |delivery: &str, second: i64| {
        let mut delivery = command(delivery, 1, Command::Retry);
        let request = &mut delivery.commands[0];
        (request.comment, request.pull, request.head) = (None, None, Some(revision(3)));
        (request.origin, request.at) = ("signed:the same words".to_owned(), at(second));
        delivery
    };
    let open = async || {
        let open = store.open_commands(9, &[]).await.unwrap();
        open.into_iter().map(|command| command.delivery.as_str().to_owned()).collect::<Vec<_>>()
    };
    record(&*store, press("a", 20)).await;
    record(&*store, press("b", 21)).await;
    assert_eq!(open().await, ["a"], "it is not answered yet");
    let first = store.open_commands(9, &[]).await.unwrap().remove(0);
    // Whose commit it stands at is found out by whoever answers it.
    store.command_done(&CommandRequest { pull: Some(7), ..first }, "refused: nothing waits", at(30)).await.unwrap();
    record(&*store, command("between", 8, Command::Plan)).await;
    let between = store.open_commands(9, &[]).await.unwrap().remove(0);
    store.command_done(&between, "looked at anew", at(31)).await.unwrap();
    record(&*store, press("a", 31)).await;
    assert_eq!(open().await, [""; 0], "the same delivery again");
    record(&*store, press("c", 32)).await;
    assert_eq!(open().await, ["c"]);
    let second = store.open_commands(9, &[]).await.unwrap().remove(0);
    assert_eq!(second.pull, Some(7));
    store.command_done(&second, "tried again", at(33)).await.unwrap();
    let told = store.answered_commands(&samples::source(), 7, 9).await.unwrap();
    let told: Vec<_> = told.iter().map(|it| (it.is_pressed, it.outcome.as_str())).collect();
    assert_eq!(told, [(true, "tried again"), (false, "looked at anew")], "what was answered last comes first");
    let after = 20 + PRESSED_AGAIN.as_secs();
    record(&*store, press("d", after + 1)).await;
    assert_eq!(open().await, [""; 0], "what was signed once does not count for ever");
    record(&*store, press("e", after)).await;
    assert_eq!(open().await, ["e"]);
}

pub async fn what_became_of_commands_is_told_by_pull_request_and_by_comment(room: &impl Room) {
    let store = room.open().await;
    let elsewhere = |delivery: &str, comment: u64| {
        let mut delivery = command(delivery, comment, Command::Plan);
        delivery.commands[0].source = "other".parse().unwrap();
        delivery
    };
    for number in 1..=3 {
        record(&*store, command(&format!("a{number}"), number, Command::Plan)).await;
    }
    record(&*store, elsewhere("b", 1)).await;
    let open = store.open_commands(9, &[]).await.unwrap();
    assert_eq!(store.open_commands(9, &[samples::source()]).await.unwrap(), &open[3..], "the others wait elsewhere");
    assert_eq!(store.answered_commands(&samples::source(), 7, 9).await.unwrap(), []);
    assert_eq!(store.asked_elsewhere(&open[0]).await.unwrap(), [None]);
    assert_eq!(store.asked_elsewhere(&open[1]).await.unwrap(), []);
    for (command, outcome) in open.iter().zip(["one", "two", "three", "refused: four"]) {
        store.command_done(command, outcome, at(30)).await.unwrap();
    }
    let told = store.answered_commands(&samples::source(), 7, 2).await.unwrap();
    let told: Vec<_> = told.iter().map(|it| (it.author.as_str(), it.outcome.as_str())).collect();
    assert_eq!(told, [("ada", "three"), ("ada", "two")], "the newest first");
    assert_eq!(store.answered_commands(&samples::source(), 8, 2).await.unwrap(), []);
    assert_eq!(store.asked_elsewhere(&open[0]).await.unwrap(), [Some("refused: four".to_owned())]);
    assert_eq!(store.asked_elsewhere(&open[3]).await.unwrap(), [Some("one".to_owned())]);
}

fn keep(most: u64, since: Timestamp) -> Retention {
    Retention { most, since, commands_since: since }
}

pub async fn the_oldest_are_forgotten_and_open_commands_are_not(room: &impl Room) {
    let store = room.open().await;
    let everything = keep(u64::MAX, at(0));
    assert_eq!(store.forget_deliveries(&keep(1, at(99))).await.unwrap(), 0, "there are none");
    for number in 0..5_i64 {
        let delivery = Delivery { received_at: at(10 + number), ..push(&format!("p{number}"), None, Some(1)) };
        record(&*store, delivery).await;
    }
    record(&*store, Delivery { received_at: at(20), ..command("c1", 1, Command::Plan) }).await;
    record(&*store, Delivery { received_at: at(20), ..command("c2", 2, Command::Plan) }).await;
    let open = store.open_commands(9, &[]).await.unwrap();
    store.command_done(&open[0], "planned", at(30)).await.unwrap();
    assert_eq!(store.forget_deliveries(&everything).await.unwrap(), 0);
    assert_eq!(store.forget_deliveries(&keep(u64::MAX, at(12))).await.unwrap(), 2, "by age");
    assert_eq!(store.forget_deliveries(&keep(3, at(0))).await.unwrap(), 2, "by number");
    let left: Vec<String> = store.delivery_rows(9).await.unwrap().into_iter().map(|row| row.delivery).collect();
    assert_eq!(left, ["c2", "c1", "p4"]);
    assert_eq!(store.forget_deliveries(&keep(0, at(99))).await.unwrap(), 3);
    assert_eq!(store.open_commands(9, &[]).await.unwrap(), &open[1..], "nobody has done it yet");
    // What was forgotten is new again, and its command, which is forgotten as well, can be asked again.
    assert!(matches!(record(&*store, push("p1", None, Some(1))).await, Recorded::New(_)));
    record(&*store, command("c3", 1, Command::Plan)).await;
    assert_eq!(store.open_commands(9, &[]).await.unwrap().len(), 2);
}

pub async fn many_at_once_are_all_recorded_and_outlive_a_restart(room: &impl Room) {
    let store = room.open().await;
    let mut callers = tokio::task::JoinSet::new();
    for number in 0..2_000_u32 {
        // Every tenth comes twice.
        for _ in 0..if number % 10 == 0 { 2 } else { 1 } {
            let store: Arc<dyn Store> = Arc::clone(&store);
            callers.spawn(async move { record(&*store, push(&format!("n{number}"), None, Some(1))).await });
        }
    }
    let recorded = callers.join_all().await;
    assert_eq!(recorded.iter().filter(|recorded| **recorded == Recorded::Duplicate).count(), 200);
    drop(store);
    let rows = room.open().await.delivery_rows(9_999).await.unwrap();
    assert_eq!(rows.len(), 2_000);
    assert_eq!(rows.iter().map(|row| row.times).sum::<u64>(), 2_200);
}
