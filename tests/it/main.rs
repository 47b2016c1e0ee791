//! The one integration binary. Each module is one story or one contract.

#[cfg(test)]
mod floors;

mod bad_input;
mod cli;
mod corpus;
mod crash;
mod daemon;
mod demo;
#[cfg(test)]
mod deploy;
mod executors;
#[cfg(test)]
mod generator;
mod git_source;
mod policies;
mod store_contract;
#[cfg(test)]
mod triggers;
