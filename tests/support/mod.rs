//! Helpers that several modules share.

pub mod allowing;
pub mod crashing_store;
pub mod cut;
pub mod daemon;
pub mod descriptors;
pub mod forge;
pub mod github;
pub mod memory_tree;
pub mod npm;
pub mod postgres;
pub mod repository;
pub mod reviews;
pub mod samples;
pub mod world;
pub mod wrapped_source;
pub mod wrapped_store;
