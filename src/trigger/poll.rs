//! Looking at a source at intervals.
//!
//! Each interval is drawn anew from a tenth around its length, so that sources that were started
//! together, or daemons that were, do not ask the same server in the same second for ever.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::domain::source::Target;
use crate::port::door::{Door, WakeReason};

/// Wakes the target at intervals until it is cancelled. The first look is not its business.
pub(super) async fn poll(door: Arc<dyn Door>, target: Target, interval: Duration, cancel: CancellationToken) {
    loop {
        tokio::select! {
            () = cancel.cancelled() => return,
            () = tokio::time::sleep(jittered(interval, fastrand::f64())) => {}
        }
        door.wake(target.clone(), WakeReason::Poll);
    }
}

/// The interval, give or take a tenth; `chance` is from 0 to 1.
fn jittered(interval: Duration, chance: f64) -> Duration {
    interval.mul_f64(0.9 + 0.2 * chance.clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trigger::counting_door::{CountingDoor, target};

    #[test]
    fn an_interval_varies_by_a_tenth_and_no_more() {
        let minute = Duration::from_secs(60);
        assert_eq!(jittered(minute, 0.0), Duration::from_secs(54));
        assert_eq!(jittered(minute, 0.5), Duration::from_secs(60));
        assert_eq!(jittered(minute, 1.0), Duration::from_secs(66));
    }

    #[tokio::test(start_paused = true)]
    async fn a_source_is_looked_at_between_nine_and_eleven_tenths_of_the_interval() {
        let door = Arc::new(CountingDoor::default());
        let cancel = CancellationToken::new();
        let polling = tokio::spawn(poll(Arc::clone(&door) as _, target("a"), Duration::from_secs(60), cancel.clone()));
        tokio::time::sleep(Duration::from_millis(53_999)).await;
        assert_eq!(door.total(), 0);
        tokio::time::sleep(Duration::from_millis(12_003)).await;
        assert_eq!(door.count(&target("a"), WakeReason::Poll), 1);
        cancel.cancel();
        polling.await.unwrap();
    }
}
