//! Order, doubling, loss and forgery change how soon something is seen, and nothing else.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use meshwright::adapter::store::SqlStore;
use meshwright::domain::forge::delivery::{Hint, Subject};
use meshwright::domain::time::Timestamp;
use meshwright::engine::EngineDoor;
use meshwright::port::door::{Door, WakeReason};
use meshwright::port::store::{Lane, LookEnd, TakeWake, WakeBook};
use proptest::prelude::*;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::{Office, Request, push, shown};
use crate::support::world::World;

/// What a day at a forge looks like: pushes, pull requests, checks.
fn day() -> Vec<(&'static str, Value)> {
    let mut events: Vec<(&'static str, Value)> = Vec::new();
    for number in 1..=10 {
        events.push(("push", push("main", number, number + 1)));
        events.push(("push", push(if number % 2 == 0 { "next" } else { "topic" }, number, number + 1)));
        let pull = json!({
            "action": if number % 3 == 0 { "synchronize" } else { "opened" },
            "number": number % 4 + 1,
            "pull_request": {
                "head": { "ref": "topic", "sha": format!("{:040x}", 100 + number) },
                "base": { "ref": "main", "sha": format!("{number:040x}") },
            },
            "repository": { "full_name": "acme/retail" },
        });
        events.push(("pull_request", pull));
    }
    events
}

async fn woken_by(stream: &[Request]) -> (BTreeSet<String>, Vec<u16>) {
    let office = Office::open().await;
    let mut line = office.connect().await;
    let mut statuses = Vec::new();
    for request in stream {
        statuses.push(line.send(request).await.status);
    }
    let woken = office.door.0.lock().unwrap().iter().map(shown).collect();
    (woken, statuses)
}

/// What may happen to one delivery on its way.
#[derive(Debug, Clone, Copy)]
enum Fate {
    Arrives,
    ArrivesTwice,
    IsForged,
    HasOtherCommits,
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_on_the_way_the_same_is_looked_at(
        order in Just((0..30_usize).collect::<Vec<_>>()).prop_shuffle(),
        fates in prop::collection::vec(
            prop_oneof![
                Just(Fate::Arrives), Just(Fate::ArrivesTwice), Just(Fate::IsForged), Just(Fate::HasOtherCommits)
            ],
            30,
        ),
        lost in prop::collection::btree_set(0..30_usize, 0..10),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let all: Vec<Request> = day()
                .iter()
                .enumerate()
                .map(|(number, (event, payload))| Request::github(event, &format!("d{number}"), payload))
                .collect();
            let mut stream = Vec::new();
            for number in order.iter().filter(|number| !lost.contains(*number)) {
                let request = all[*number].clone();
                match fates[*number] {
                    Fate::Arrives => stream.push(request),
                    Fate::ArrivesTwice => stream.extend([request.clone(), request]),
                    // Somebody without the secret sends the like before it.
                    Fate::IsForged => {
                        let forged = Request { body: push("forged", 1, 2).to_string().into_bytes(), ..request.clone() };
                        stream.extend([forged, request]);
                    }
                    // A believed sender that lies about commits.
                    Fate::HasOtherCommits => {
                        let (event, payload) = &day()[*number];
                        let lied = payload.to_string().replace("00000000", "abad1dea");
                        stream.push(Request::github_bytes(event, &format!("d{number}"), lied));
                    }
                }
            }
            let (woken, statuses) = woken_by(&stream).await;
            let honest: Vec<Request> =
                (0..30).filter(|number| !lost.contains(number)).map(|number| all[number].clone()).collect();
            let (expected, _) = woken_by(&honest).await;
            assert_eq!(woken, expected, "what is looked at depends on what came, and on nothing else");
            let forged = statuses.iter().filter(|status| **status == 401).count();
            let refused = order.iter().filter(|n| !lost.contains(*n) && matches!(fates[**n], Fate::IsForged)).count();
            assert_eq!(forged, refused);
        });
    }
}

/// Counts passes over what stands in a record's queue; each takes as long as one over a small change does.
fn count_passes(store: &SqlStore) -> (Arc<AtomicUsize>, tokio::task::JoinHandle<()>) {
    let (store, passes) = (store.clone(), Arc::new(AtomicUsize::new(0)));
    let counted = Arc::clone(&passes);
    let worker = tokio::spawn(async move {
        let (now, until) = (Timestamp::from_second(2_000_000_000).unwrap(), Timestamp::MAX);
        let order = Lane::ALL.map(|lane| (lane, None));
        loop {
            let ask = TakeWake { holder: "test", order: order.clone(), now, until };
            let Some(taken) = store.take_wake(&ask).await.unwrap() else {
                tokio::time::sleep(Duration::from_millis(10)).await;
                continue;
            };
            counted.fetch_add(1, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(200)).await;
            assert!(store.settle_wake(&taken, &LookEnd::Done, now).await.unwrap());
        }
    });
    (passes, worker)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_burst_of_deliveries_costs_a_handful_of_passes() {
    let office = Office::open().await;
    let (passes, worker) = count_passes(&office.store);
    let began = Instant::now();
    let mut senders = tokio::task::JoinSet::new();
    for sender in 0..20_u64 {
        let mut line = office.connect().await;
        senders.spawn(async move {
            for number in 0..100_u64 {
                let request = Request::github("push", &format!("{sender}-{number}"), &push("main", number, number + 1));
                assert_eq!(line.send(&request).await.status, 200);
            }
        });
    }
    senders.join_all().await;
    let at_once = began.elapsed().as_millis() as usize / 200 + 2;
    tokio::time::sleep(Duration::from_millis(500)).await;
    let passes = passes.load(Ordering::SeqCst);
    assert!((1..=at_once).contains(&passes), "{passes} passes over {:?}", began.elapsed());
    assert_eq!(office.ledger().await.len(), 2_000, "each of them is in the ledger");
    worker.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_thousand_wakes_of_one_repository_cost_a_handful_of_passes() {
    let world = World::new();
    let started = world.start().await;
    let (passes, worker) = count_passes(&started.store);
    let (door, stop) = (Arc::new(EngineDoor::new(Arc::clone(&started.engine))), CancellationToken::new());
    let carrying = {
        let (door, stop) = (Arc::clone(&door), stop.clone());
        tokio::spawn(async move { door.carry_until(&stop).await })
    };
    let (index, hub) = (super::index(), "hub".parse().unwrap());
    for number in 0..100_000_u64 {
        let hint = Hint {
            repositories: vec!["acme/retail".to_owned()],
            subjects: vec![Subject::Branch("main".to_owned())],
            ..Hint::default()
        };
        hint.targets(&hub, &index).into_iter().for_each(|target| door.wake(target, WakeReason::Webhook));
        // They come within a second, and not in one instant.
        if number % 1_000 == 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
    stop.cancel();
    carrying.await.unwrap();
    tokio::time::sleep(Duration::from_millis(700)).await;
    let passes = passes.load(Ordering::SeqCst);
    assert!((2..=100).contains(&passes), "{passes}");
    worker.abort();
    started.close().await;
}
