//! Helpers that several modules share.

pub mod memory_tree;
