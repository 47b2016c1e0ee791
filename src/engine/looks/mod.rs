//! Looks at targets: who wakes them, whose turn it is, and what comes of a look.
//!
//! A wake comes through the `door` into the record; the `queue` says whose turn it is; `work` looks, and
//! settles; `rests` keeps what is woken over and over for nothing from being looked at without a pause.

mod door;
mod queue;
mod rests;
mod work;

pub use door::EngineDoor;

pub(super) use queue::Turns;
pub(super) use rests::Rests;
