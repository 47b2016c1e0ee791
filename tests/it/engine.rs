//! The engine's stories, in process: real repository, real record, real programs; see `support::world`.

#![expect(clippy::disallowed_methods, reason = "stories write and break files of their own worlds")]

mod answering;
mod commanding;
mod gates;
mod lasting;
mod mending;
mod publishing;
mod refusing;
mod replicas;
mod reviewing;
mod reviewing_hostile;
mod resting;
mod rolling;
mod saying;
mod seeing;
mod stopping;
mod superseding;
mod telling;
mod waking;
mod waiting;
