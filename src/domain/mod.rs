//! Floor 1: values and decisions. No IO, no clock, no randomness, no async: what depends on them
//! comes in as an argument. Read in this order.

pub mod id;
pub mod time;
pub mod pointer;
pub mod finding;
pub mod rule;
pub mod suggest;
pub mod canonical;
pub mod descriptor;
pub mod change;
pub mod compat;
pub mod policy;
pub mod stage;
pub mod plan;
pub mod placeholder;
pub mod activity;
pub mod forge;
pub mod report;
pub mod source;
