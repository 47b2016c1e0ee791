//! Looking at a source at the times of a cron expression.
//!
//! Cron means the clock on the wall, and that one is set, drifts, and stands still while a
//! machine sleeps; the timer with which we wait does none of it. Therefore we wait in pieces, and
//! look at the clock after each.
//!
//! * **The clock is set forwards, or the machine slept, over one or many times:** one wake, at the
//!   end of the piece. Several missed times are not made up for, as one look finds everything.
//! * **The clock is set back while we wait:** the next time is reckoned again after each piece, and
//!   the earlier one counts.
//! * **The clock is set back over a time that has fired:** if by less than [`SLEWED`], as time
//!   servers do, that time does not fire again. If by more, somebody meant it, and it does; a wake
//!   too many is harmless.
//! * **The piece ends a moment early:** nothing is due yet, and the rest is waited for.

use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use tokio_util::sync::CancellationToken;

use crate::config::CronSchedule;
use crate::domain::source::Target;
use crate::domain::time::Timestamp;
use crate::port::clock::Clock;
use crate::port::door::{Door, WakeReason};

/// The longest time without a look at the clock.
const PIECE: Duration = Duration::from_secs(30);

/// What a clock may be set back without anybody having meant something by it.
const SLEWED: SignedDuration = SignedDuration::from_secs(60);

/// Wakes the target at the schedule's times until it is cancelled, or until no time is left.
pub(super) async fn follow(
    door: Arc<dyn Door>,
    clock: Arc<dyn Clock>,
    target: Target,
    schedule: CronSchedule,
    cancel: CancellationToken,
) {
    let mut fired = None;
    let mut due = schedule.next_after(clock.now());
    while let Some(at) = due {
        let now = clock.now();
        if now >= at {
            door.wake(target.clone(), WakeReason::Schedule);
            fired = Some(now);
            due = schedule.next_after(now);
            continue;
        }
        tokio::select! {
            () = cancel.cancelled() => return,
            () = tokio::time::sleep(piece(at, now)) => {}
        }
        due = Some(reckon_again(&schedule, at, fired, clock.now()));
    }
    tracing::warn!(source = %target.source, "the source's cron expression has no time left");
}

/// How long to wait before the clock is looked at again.
fn piece(due: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(due.duration_since(now)).map_or(Duration::ZERO, |rest| rest.min(PIECE))
}

/// The time that is waited for, after a piece of waiting.
fn reckon_again(schedule: &CronSchedule, due: Timestamp, fired: Option<Timestamp>, now: Timestamp) -> Timestamp {
    let from = match fired {
        Some(fired) if fired > now && fired.duration_since(now) < SLEWED => fired,
        _ => now,
    };
    schedule.next_after(from).map_or(due, |next| next.min(due))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trigger::counting_door::{CountingDoor, TokioClock, target};

    struct Story {
        door: Arc<CountingDoor>,
        clock: Arc<TokioClock>,
        following: tokio::task::JoinHandle<()>,
        cancel: CancellationToken,
    }

    impl Story {
        fn begin(expression: &str, at: &str) -> Self {
            let door = Arc::new(CountingDoor::default());
            let clock = Arc::new(TokioClock::starting_at(at));
            let cancel = CancellationToken::new();
            let following = tokio::spawn(follow(
                Arc::clone(&door) as _,
                Arc::clone(&clock) as _,
                target("a"),
                CronSchedule::parse(expression, Some("Europe/Berlin")).unwrap(),
                cancel.clone(),
            ));
            Self { door, clock, following, cancel }
        }

        async fn pass(&self, seconds: u64) {
            tokio::time::sleep(Duration::from_secs(seconds)).await;
        }

        fn wakes(&self) -> usize {
            self.door.count(&target("a"), WakeReason::Schedule)
        }

        async fn end(self) {
            self.cancel.cancel();
            self.following.await.unwrap();
        }
    }

    #[tokio::test(start_paused = true)]
    async fn it_wakes_when_the_time_has_come_and_not_before() {
        let story = Story::begin("0 * * * *", "2026-11-20T06:30:00Z");
        story.pass(30 * 60 - 1).await;
        assert_eq!(story.wakes(), 0);
        story.pass(2).await;
        assert_eq!(story.wakes(), 1);
        story.pass(2 * 60 * 60).await;
        assert_eq!(story.wakes(), 3);
        story.end().await;
    }

    #[tokio::test(start_paused = true)]
    async fn on_both_days_of_changing_clocks_it_wakes_once() {
        // 02:30 is skipped on the first, and comes twice on the second.
        for day in ["2027-03-27T23:00:00Z", "2027-10-30T22:00:00Z"] {
            let story = Story::begin("30 2 * * *", day);
            story.pass(22 * 60 * 60).await;
            assert_eq!(story.wakes(), 1, "{day}");
            story.end().await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_clock_that_is_set_forwards_over_many_times_wakes_once_and_soon() {
        let story = Story::begin("*/10 * * * *", "2026-11-20T06:01:00Z");
        story.pass(1).await;
        story.clock.set_by(5 * 60 * 60 + 60);
        story.pass(PIECE.as_secs() + 1).await;
        assert_eq!(story.wakes(), 1);
        story.end().await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_clock_that_is_set_back_a_little_does_not_wake_twice() {
        let story = Story::begin("0 * * * *", "2026-11-20T06:59:50Z");
        story.pass(11).await;
        assert_eq!(story.wakes(), 1);
        story.clock.set_by(-20);
        story.pass(10 * 60).await;
        assert_eq!(story.wakes(), 1);
        story.end().await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_clock_that_is_set_back_a_day_is_believed() {
        let story = Story::begin("0 * * * *", "2026-11-20T06:30:00Z");
        story.pass(1).await;
        story.clock.set_by(-24 * 60 * 60);
        story.pass(31 * 60).await;
        assert_eq!(story.wakes(), 1, "the next full hour of the day that is repeated");
        story.end().await;
    }
}
