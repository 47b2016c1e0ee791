//! The record.

pub mod sqlite;
