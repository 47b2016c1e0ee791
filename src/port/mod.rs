//! Floor 2: what the engine needs of the world, in the engine's words. Each trait is narrow; its
//! errors are named for what the caller does next.

pub mod artifacts;
pub mod clock;
pub mod door;
pub mod executor;
pub mod forge;
pub mod judge;
pub mod requests;
pub mod source;
pub mod store;
pub mod tree;
pub mod workspace;
