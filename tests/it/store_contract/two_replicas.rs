//! Two processes with one record: whatever both do at once, one of them is first.

use std::sync::Arc;
use std::time::Duration;

use meshwright::adapter::store::SqlStore;
use meshwright::domain::activity::{ActivityEvent, ActivityStatus};
use meshwright::domain::forge::Person;
use meshwright::domain::forge::delivery::DeliveryVerdict;
use meshwright::domain::source::Target;
use meshwright::port::store::{
    ActivityBook, ApprovalBook, Bell, Bells, Decision, DeliveryBook, Lane, Look, PassBook, Recorded, Ruling,
    StoreError, TakeWake, Wake, WakeBook,
};
use tokio::task::JoinSet;

use super::Room;
use super::activities::planned;
use super::deliveries::push;
use super::postgres::PostgresRoom;
use crate::support::samples::{self, PassSample, at, product};

/// How often each race is run; what is first differs from time to time.
const TIMES: u64 = 25;

async fn two(room: &PostgresRoom) -> [Arc<SqlStore>; 2] {
    let one = Arc::new(SqlStore::connect(&room.options).await.unwrap());
    let other = Arc::new(SqlStore::connect(&room.options).await.unwrap());
    [one, other]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_of_two_claims_a_container_that_was_never_claimed() {
    let Some(room) = PostgresRoom::new().await else { return };
    let replicas = two(&room).await;
    let names: Vec<String> = (0..TIMES).map(|number| format!("p{number}")).collect();
    let ids = planned(&*replicas[0], &names.iter().map(String::as_str).collect::<Vec<_>>()).await;
    for id in &ids {
        let claims = tokio::join!(
            replicas[0].claim(id, "one", at(2), at(1_000)),
            replicas[1].claim(id, "other", at(2), at(1_000))
        );
        let tokens = [claims.0.unwrap(), claims.1.unwrap()];
        assert_eq!(tokens.iter().flatten().count(), 1, "{tokens:?}");
        assert_eq!(replicas[0].events(id).await.unwrap().len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_claim_and_a_pass_that_supersedes_agree() {
    let Some(room) = PostgresRoom::new().await else { return };
    let [one, other] = two(&room).await;
    let mut sequence = 0;
    for number in 1..=TIMES {
        let name = format!("p{number}");
        let version = |minor: u64| format!("1.{minor}.0");
        let pass = |commit: u64, sequence: u64, minor: u64| {
            let version = version(minor);
            PassSample::new(commit, sequence)
                .version(&name, &version, "x")
                .activity(&name, "dev", &version, "x")
                .build()
        };
        let first = pass(2 * number, sequence, 1);
        one.record_pass(&first).await.unwrap();
        let second = pass(2 * number + 1, sequence + 1, 2);
        sequence += 2;
        let id = first.plan.activities[0].id.clone();
        let (claimed, recorded) = tokio::join!(one.claim(&id, "one", at(2), at(1_000)), other.record_pass(&second));
        recorded.unwrap();
        let status = one.activity(&id).await.unwrap().unwrap().state.status;
        match claimed.unwrap() {
            Some(_) => assert_eq!(status, ActivityStatus::Running),
            None => assert_eq!(status, ActivityStatus::Superseded),
        }
        // Whoever was first: the log folds, which reading it has shown, and has one event.
        assert_eq!(one.events(&id).await.unwrap().len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_passes_of_one_source_are_recorded_one_after_the_other() {
    let Some(room) = PostgresRoom::new().await else { return };
    let [one, other] = two(&room).await;
    for number in 0..TIMES {
        let pass = |commit: u64, mark: &str| {
            let version = format!("1.{commit}.0");
            PassSample::new(commit, number)
                .version("trips", &version, mark)
                .activity("trips", "dev", &version, mark)
                .build()
        };
        let (left, right) = (pass(100 + 2 * number, "l"), pass(101 + 2 * number, "r"));
        let recorded = tokio::join!(one.record_pass(&left), other.record_pass(&right));
        let (won, lost) = match recorded {
            (Ok(()), Err(lost)) => (left, lost),
            (Err(lost), Ok(())) => (right, lost),
            both => panic!("{both:?}"),
        };
        assert!(matches!(lost, StoreError::Unavailable(_)), "{lost:?}");
        let source = one.source(&samples::source()).await.unwrap().unwrap();
        assert_eq!((source.sequence, source.revision), (number + 1, Some(won.plan.revision)));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_goes_to_one_of_two_sources_that_find_it_at_once() {
    let Some(room) = PostgresRoom::new().await else { return };
    let [one, other] = two(&room).await;
    for number in 0..TIMES {
        let pass = |source: &str| {
            let name = format!("p{number}");
            let sample = PassSample::new(number + 1, 0).version(&name, "1.0.0", source);
            sample.of(&format!("{source}-{number}")).build()
        };
        let (left, right) = (pass("left"), pass("right"));
        let recorded = tokio::join!(one.record_pass(&left), other.record_pass(&right));
        let winner = match recorded {
            (Ok(()), Err(StoreError::Unavailable(why))) if why.contains("planned anew") => left.plan.source,
            (Err(StoreError::Unavailable(why)), Ok(())) if why.contains("planned anew") => right.plan.source,
            both => panic!("{both:?}"),
        };
        let name = product(&format!("p{number}"), 1);
        let row = one.products().await.unwrap().into_iter().find(|row| row.product == name).unwrap();
        assert_eq!(row.source, winner);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rejection_and_a_claim_agree() {
    let Some(room) = PostgresRoom::new().await else { return };
    let [one, other] = two(&room).await;
    let names: Vec<String> = (0..TIMES).map(|number| format!("p{number}")).collect();
    let ids = planned(&*one, &names.iter().map(String::as_str).collect::<Vec<_>>()).await;
    for id in &ids {
        let decision = Decision {
            request: format!("reject {id}"),
            source: samples::source(),
            by: Person { name: "ada".to_owned(), via: "test".to_owned() },
            at: at(3),
            ruling: Ruling::Reject(vec![id.clone()]),
            outcome: "rejected".to_owned(),
        };
        let (claimed, decided) = tokio::join!(one.claim(id, "one", at(2), at(1_000)), other.decide(&decision));
        decided.unwrap();
        let status = one.activity(id).await.unwrap().unwrap().state.status;
        match claimed.unwrap() {
            Some(_) => assert_eq!(status, ActivityStatus::Running),
            None => assert_eq!(status, ActivityStatus::Rejected),
        }
        // The same request, by the replica that did not decide it.
        one.decide(&decision).await.unwrap();
        assert_eq!(one.events(id).await.unwrap().len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deliveries_that_both_get_are_recorded_once() {
    let Some(room) = PostgresRoom::new().await else { return };
    let replicas = two(&room).await;
    let mut calls = JoinSet::new();
    for number in 0..200 {
        for replica in &replicas {
            let replica = Arc::clone(replica);
            calls.spawn(async move {
                replica.record_delivery(push(&format!("id-{number}"), Some(1), Some(2))).await.unwrap()
            });
        }
    }
    let recorded = calls.join_all().await;
    let new = recorded.iter().filter(|each| matches!(each, Recorded::New(_))).count();
    assert_eq!((new, recorded.len()), (200, 400));
    assert!(recorded.iter().any(|each| matches!(each, Recorded::New(DeliveryVerdict::Woke | DeliveryVerdict::Gap))));
    let rows = replicas[0].delivery_rows(1_000).await.unwrap();
    assert_eq!((rows.len(), rows.iter().map(|row| row.times).sum::<u64>()), (200, 400));
}

/// A holder that was thought dead: the container has gone to another replica's activity.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_holder_with_an_older_token_is_fenced_by_the_other_replica() {
    let Some(room) = PostgresRoom::new().await else { return };
    let [one, other] = two(&room).await;
    let id = planned(&*one, &["trips"]).await.remove(0);
    let old = one.claim(&id, "same", at(2), at(1_000)).await.unwrap().unwrap();
    let new = other.claim(&id, "same", at(3), at(1_000)).await.unwrap().unwrap();
    assert!(new > old);
    let started = ActivityEvent::TaskStarted { task: 0, attempt: 1, deadline: None };
    let (late, current) =
        tokio::join!(one.append(&id, Some(old), &started, at(4)), other.append(&id, Some(new), &started, at(4)));
    assert!(matches!(late, Err(meshwright::port::store::AppendError::Fenced)), "{late:?}");
    current.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_wake_is_taken_by_one_of_two() {
    let Some(room) = PostgresRoom::new().await else { return };
    let replicas = two(&room).await;
    let wakes: Vec<Wake> = (0..4 * TIMES)
        .map(|number| Wake {
            target: Target::branch(format!("s{number}").parse().unwrap()),
            lane: Lane::Fresh,
            due: at(1),
        })
        .collect();
    replicas[0].wake(&wakes).await.unwrap();
    let mut takers = JoinSet::new();
    for (replica, holder) in replicas.iter().zip(["one", "other"]).cycle().take(6) {
        let replica = Arc::clone(replica);
        takers.spawn(async move {
            let mut taken = Vec::new();
            let order = Lane::ALL.map(|lane| (lane, None));
            let ask = TakeWake { holder, order, now: at(2), until: at(99) };
            // What others are taking right now is passed over: nothing may be left for a moment.
            for _ in 0..2 * TIMES {
                taken.extend(replica.take_wake(&ask).await.unwrap().map(|wake| wake.target));
            }
            taken
        });
    }
    let mut taken: Vec<Target> = takers.join_all().await.into_iter().flatten().collect();
    taken.sort();
    let mut all: Vec<Target> = wakes.into_iter().map(|wake| wake.target).collect();
    all.sort();
    assert_eq!(taken, all);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ring_at_one_replica_is_heard_at_the_other() {
    let Some(room) = PostgresRoom::new().await else { return };
    let [one, other] = two(&room).await;
    let mut heard = other.listen();
    // All bells are heard once when the listening begins.
    for _ in Bell::ALL {
        tokio::time::timeout(Duration::from_secs(30), heard.next()).await.expect("listening has begun");
    }
    one.ring(Bell::Requests);
    let bell = tokio::time::timeout(Duration::from_secs(30), heard.next()).await.expect("it is heard");
    assert_eq!(bell, Bell::Requests);
}
