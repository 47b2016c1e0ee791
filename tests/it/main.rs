//! The one integration binary. Each module is one story or one contract.
//!
//! Every module is marked as a test, which is how clippy knows that it may `expect` and `panic`.

#[cfg(test)]
#[path = "../support/mod.rs"]
mod support;

#[cfg(test)]
mod bad_input;
#[cfg(test)]
mod cli;
#[cfg(test)]
mod compat;
#[cfg(test)]
mod corpus;
#[cfg(test)]
mod crash;
#[cfg(test)]
mod daemon;
#[cfg(test)]
mod demo;
#[cfg(test)]
mod deploy;
#[cfg(test)]
mod diff;
#[cfg(test)]
mod docs;
#[cfg(test)]
mod engine;
#[cfg(test)]
mod examples;
#[cfg(test)]
mod executors;
#[cfg(test)]
mod floors;
#[cfg(test)]
mod generator;
#[cfg(test)]
mod git_source;
#[cfg(test)]
mod github;
#[cfg(test)]
mod oracles;
#[cfg(test)]
mod policies;
#[cfg(test)]
mod record_verbs;
#[cfg(test)]
mod store_contract;
#[cfg(test)]
mod triggers;
#[cfg(test)]
mod webhooks;
