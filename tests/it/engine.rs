//! The engine's stories, in process: real repository, real record, real programs; see `support::world`.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod refusing;
mod rolling;
mod seeing;
mod superseding;
mod telling;
mod waking;
