//! Helpers that several modules share.

pub mod crashing_store;
pub mod forge;
pub mod memory_tree;
pub mod repository;
pub mod samples;
pub mod world;
