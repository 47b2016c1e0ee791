//! The record.
//!
//! `sql` plays all roles of `port::store` by statements that SQLite and PostgreSQL take alike; `sqlite`
//! and `postgres` hold what is particular to each: opening, locks, migrations. What stands beside
//! them: how values are written as text, what an event means for what is listed, and what a
//! database's error means for the caller.
//!
//! Absent here: decisions. What may follow which event is decided by `domain::activity`; what is
//! to be recorded is decided by the engine.

mod encode;
mod failure;
mod outcome;
mod sql;

pub mod postgres;
pub mod sqlite;

pub use sql::{SqlStore, upkeep};
