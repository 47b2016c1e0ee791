//! The record.
//!
//! `sqlite` plays all roles of `port::store` on one file. What any database needs alike stands
//! beside it: how values are written as text, what an event means for what is listed, and what a
//! database's error means for the caller. Another database gets a folder beside `sqlite`.
//!
//! Absent here: decisions. What may follow which event is decided by `domain::activity`; what is
//! to be recorded is decided by the engine.

mod encode;
mod failure;
mod outcome;

pub mod sqlite;
