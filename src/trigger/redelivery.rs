//! Asking a forge to deliver again what did not reach us.
//!
//! GitHub makes a delivery once. What is lost while we were away is found by polling all the same, and
//! only comes later; but a command in a comment stands in its delivery alone. So every few minutes the
//! forge is asked for its failed attempts, and to make them again: after five minutes, after fifteen,
//! and so on three times as long, until three days are over, beyond which GitHub has forgotten them.
//! What comes in by that comes in by the front door, like any other delivery.
//!
//! Nothing is kept over a restart: the first look goes back as far as the forge does.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use crate::domain::time::Timestamp;
use crate::port::clock::Clock;
use crate::port::forge::ForgeError;
use crate::port::forge::redelivery::{Attempt, Redelivery};

/// The first look waits until we are surely listening.
const FIRST_LOOK: Duration = Duration::from_secs(15);
const EVERY: Duration = Duration::from_secs(5 * 60);
/// How long the forge keeps attempts.
const KEPT: Duration = Duration::from_secs(3 * 24 * 3600);
/// Looks overlap, because an attempt is listed only after it has ended.
const OVERLAP: Duration = Duration::from_secs(15 * 60);
/// The pause before the second time that a delivery is asked for; each further one is three times as long.
const FIRST_PAUSE: Duration = Duration::from_secs(5 * 60);
/// More failed deliveries than this are not kept in mind.
const MOST_PENDING: usize = 2_000;
/// At most so many are asked for after one look.
const MOST_ASKED: usize = 50;

/// Has the forge make again the deliveries that did not arrive, until it is cancelled. Once for each record is
/// enough.
pub async fn ask_again(
    forge: String,
    redelivery: Arc<dyn Redelivery>,
    clock: Arc<dyn Clock>,
    cancel: CancellationToken,
) {
    let mut missing = Missing::default();
    let mut since = earlier(clock.now(), KEPT);
    let mut pause = FIRST_LOOK;
    loop {
        tokio::select! {
            () = cancel.cancelled() => return,
            () = tokio::time::sleep(pause.mul_f64(0.9 + 0.2 * fastrand::f64())) => {}
        }
        pause = EVERY;
        let now = clock.now();
        let outcome = look(&*redelivery, &mut missing, since, now).await;
        match outcome {
            Ok(asked) => {
                since = earlier(now, OVERLAP);
                if asked > 0 {
                    info!(forge, asked, "asked for deliveries that did not arrive");
                }
            }
            Err(ForgeError::Limited { until, message }) => {
                debug!(forge, %until, message, "deliveries are looked at later");
                let wait = until.duration_since(clock.now());
                pause = pause.max(Duration::try_from(wait).unwrap_or_default());
            }
            Err(error) => warn!(forge, %error, "deliveries that did not arrive could not be looked for"),
        }
    }
}

/// Looks once, and asks for what is due; how many were asked for comes back.
async fn look(
    redelivery: &dyn Redelivery,
    missing: &mut Missing,
    since: Timestamp,
    now: Timestamp,
) -> Result<usize, ForgeError> {
    let found = redelivery.attempts(since).await?;
    if found.is_cut {
        warn!("there were too many deliveries to look at all of them; the oldest are left to polling");
    }
    missing.saw(&found.attempts, now);
    let mut asked = 0;
    for attempt in missing.due(now) {
        match redelivery.redeliver(attempt).await {
            Ok(()) => asked += 1,
            // This one will not come any more, and the others may.
            Err(ForgeError::Permanent(message) | ForgeError::Denied(message)) => {
                debug!(attempt, message, "a delivery is not made again");
            }
            Err(error) => return Err(error),
        }
    }
    Ok(asked)
}

/// Deliveries that have not arrived.
#[derive(Debug, Default)]
struct Missing(BTreeMap<String, Pending>);

#[derive(Debug)]
struct Pending {
    attempt: u64,
    first: Timestamp,
    asked: u32,
    due: Timestamp,
}

impl Missing {
    fn saw(&mut self, attempts: &[Attempt], now: Timestamp) {
        let arrived: Vec<&str> =
            attempts.iter().filter(|attempt| attempt.arrived).map(|attempt| attempt.delivery.as_str()).collect();
        for attempt in attempts.iter().filter(|attempt| !attempt.arrived) {
            if self.0.len() >= MOST_PENDING && !self.0.contains_key(&attempt.delivery) {
                continue;
            }
            let fresh = Pending { attempt: attempt.id, first: attempt.at, asked: 0, due: now };
            let pending = self.0.entry(attempt.delivery.clone()).or_insert(fresh);
            pending.first = pending.first.min(attempt.at);
            pending.attempt = pending.attempt.max(attempt.id);
        }
        for delivery in arrived {
            self.0.remove(delivery);
        }
        self.0.retain(|_, pending| pending.first > earlier(now, KEPT));
    }

    /// The attempts to be asked for now, the oldest deliveries first; they are taken as asked for.
    fn due(&mut self, now: Timestamp) -> Vec<u64> {
        let mut due: Vec<&mut Pending> = self.0.values_mut().filter(|pending| pending.due <= now).collect();
        due.sort_by_key(|pending| pending.first);
        due.truncate(MOST_ASKED);
        for pending in &mut due {
            let pause = FIRST_PAUSE.saturating_mul(3_u32.saturating_pow(pending.asked));
            pending.asked += 1;
            pending.due = now.checked_add(pause).unwrap_or(Timestamp::MAX);
        }
        due.into_iter().map(|pending| pending.attempt).collect()
    }
}

fn earlier(at: Timestamp, by: Duration) -> Timestamp {
    at.checked_sub(by).unwrap_or(Timestamp::MIN)
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use async_trait::async_trait;

    use super::*;
    use crate::port::forge::redelivery::Attempts;
    use crate::trigger::counting_door::TokioClock;

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + 60 * minutes).unwrap()
    }

    fn attempt(id: u64, delivery: &str, minutes: i64, arrived: bool) -> Attempt {
        Attempt { id, delivery: delivery.to_owned(), at: at(minutes), arrived }
    }

    #[test]
    fn what_arrived_in_any_attempt_is_not_asked_for() {
        let mut missing = Missing::default();
        missing.saw(&[attempt(3, "a", 2, true), attempt(2, "b", 1, false), attempt(1, "a", 0, false)], at(3));
        assert_eq!(missing.due(at(3)), [2]);
        missing.saw(&[attempt(4, "b", 4, true)], at(5));
        assert!(missing.due(at(1000)).is_empty());
    }

    #[test]
    fn what_fails_again_is_asked_for_less_and_less_often_until_three_days_are_over() {
        let mut missing = Missing::default();
        missing.saw(&[attempt(1, "a", 0, false)], at(0));
        let mut asked = Vec::new();
        for minute in 0..4 * 24 * 60 {
            missing.saw(&[], at(minute));
            asked.extend(missing.due(at(minute)).iter().map(|_| minute));
        }
        assert_eq!(asked, [0, 5, 20, 65, 200, 605, 1820], "minutes after it failed");
        assert!(missing.0.is_empty(), "and it is forgotten after that");
    }

    #[test]
    fn a_flood_of_failures_is_bounded() {
        let mut missing = Missing::default();
        let flood: Vec<Attempt> = (0..100_000).map(|id| attempt(id, &format!("d{id}"), 0, false)).collect();
        missing.saw(&flood, at(0));
        assert_eq!(missing.0.len(), MOST_PENDING);
        assert_eq!(missing.due(at(0)).len(), MOST_ASKED);
    }

    /// A forge that has lost one delivery, and delivers it when asked.
    #[derive(Default)]
    struct Forgetful {
        asked: Mutex<Vec<u64>>,
        since: Mutex<Vec<Timestamp>>,
    }

    #[async_trait]
    impl Redelivery for Forgetful {
        async fn attempts(&self, since: Timestamp) -> Result<Attempts, ForgeError> {
            self.since.lock().unwrap().push(since);
            let mut attempts = vec![attempt(7, "a", -60, false)];
            if !self.asked.lock().unwrap().is_empty() {
                attempts.push(attempt(8, "a", 1, true));
            }
            Ok(Attempts { attempts, is_cut: false })
        }

        async fn redeliver(&self, attempt: u64) -> Result<(), ForgeError> {
            self.asked.lock().unwrap().push(attempt);
            Ok(())
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_lost_delivery_is_asked_for_once_and_the_first_look_goes_back_three_days() {
        let forge = Arc::new(Forgetful::default());
        let clock = Arc::new(TokioClock::starting_at("2027-01-15T08:00:00Z"));
        let began = clock.now();
        let cancel = CancellationToken::new();
        let asking = tokio::spawn(ask_again("acme".to_owned(), Arc::clone(&forge) as _, clock, cancel.clone()));
        tokio::time::sleep(Duration::from_secs(3600)).await;
        cancel.cancel();
        asking.await.unwrap();
        assert_eq!(*forge.asked.lock().unwrap(), [7]);
        let since = forge.since.lock().unwrap().clone();
        assert_eq!(since[0], earlier(began, KEPT));
        assert!(since.len() >= 10 && since[1] > earlier(began, OVERLAP), "{since:?}");
    }
}
