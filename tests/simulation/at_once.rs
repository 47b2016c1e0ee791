//! Calls of the real record, each at once: nothing else runs while one is under way, and no time passes.
//!
//! SQLite works on threads of its own. Were its answers awaited as they come, other tasks would run in
//! between, in an order that no seed decides, and the paused clock would move on.

use std::pin::pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;

use tokio::runtime::{Builder, Runtime};
use tokio::task::coop::unconstrained;

/// Where the record's own tasks and timers run: on real threads, in real time.
fn outside() -> &'static Runtime {
    static OUTSIDE: OnceLock<Runtime> = OnceLock::new();
    OUTSIDE.get_or_init(|| Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap())
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Waits for the answer, and keeps this thread to itself until it is there.
pub fn at_once<F: Future>(future: F) -> F::Output {
    let _entered = outside().enter();
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
