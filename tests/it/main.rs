//! The one integration binary. Each module is one story or one contract.

#[path = "../support/mod.rs"]
mod support;

mod floors;

mod bad_input;
mod cli;
mod corpus;
mod crash;
mod daemon;
mod demo;
mod deploy;
mod diff;
mod docs;
mod examples;
mod executors;
mod generator;
mod git_source;
mod policies;
mod store_contract;
mod triggers;
