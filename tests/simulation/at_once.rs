//! Calls of the real record, each at once: nothing else runs while one is under way, and no time passes.
//!
//! SQLite works on threads of its own. Were its answers awaited as they come, other tasks would run in
//! between, in an order that no seed decides, and the paused clock would move on.

use std::cell::Cell;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;

use tokio::runtime::{Builder, Runtime};
use tokio::task::coop::unconstrained;

thread_local! {
    /// Where the record's own tasks and timers run: on a real thread, in real time. Each thread that runs
    /// seeds has its own, for as long as there is the process.
    static OUTSIDE: &'static Runtime =
        Box::leak(Box::new(Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()));
    /// How many calls are under way, one within the other.
    static UNDER_WAY: Cell<u32> = const { Cell::new(0) };
}

/// Keeps this thread, and all that it begins, to one processor. The record's threads and this one only ever
/// wait for each other, which costs least where they need not be woken elsewhere. Where it cannot be done, it
/// is only slower.
pub fn keep_to(processor: usize) {
    #[cfg(target_os = "linux")]
    {
        use rustix::thread::{CpuSet, sched_setaffinity};
        if processor < CpuSet::MAX_CPU {
            let mut only = CpuSet::new();
            only.set(processor);
            let _ = sched_setaffinity(None, &only);
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _ = processor;
}

/// Whether a call is under way: then clocks tell the time outside, and none passes in the run.
pub fn is_under_way() -> bool {
    UNDER_WAY.with(|calls| calls.get() > 0)
}

struct UnderWay;

impl UnderWay {
    fn begin() -> Self {
        UNDER_WAY.with(|calls| calls.set(calls.get() + 1));
        Self
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        UNDER_WAY.with(|calls| calls.set(calls.get() - 1));
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Waits for the answer, and keeps this thread to itself until it is there.
pub fn at_once<F: Future>(future: F) -> F::Output {
    let _under_way = UnderWay::begin();
    let _entered = OUTSIDE.with(|outside| outside.enter());
    let mut future = pin!(unconstrained(future));
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut context = Context::from_waker(&waker);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(output) => return output,
            Poll::Pending => std::thread::park(),
        }
    }
}
