//! The engine, with the real record, in a world in which everything goes wrong that can; all of it decided
//! by one number, the seed. See `docs/reliability.md`.
//!
//! - `MESHWRIGHT_SIMULATION_SEED=17` runs one seed, and prints its trace.
//! - `MESHWRIGHT_SIMULATION_SEEDS=2000` runs so many seeds instead of the usual number.
//! - `MESHWRIGHT_SIMULATION_FIRST=100000` begins with this one.

/// As the daemon has it.
#[cfg(test)]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[cfg(test)]
#[path = "../support/wrapped_store.rs"]
mod wrapped_store;

#[cfg(test)]
mod at_once;
#[cfg(test)]
mod chance;
#[cfg(test)]
mod executor;
#[cfg(test)]
mod fleet;
#[cfg(test)]
mod forge;
#[cfg(test)]
mod git;
#[cfg(test)]
mod hooks;
#[cfg(test)]
mod invariants;
#[cfg(test)]
mod mesh;
#[cfg(test)]
mod model;
#[cfg(test)]
mod people;
#[cfg(test)]
mod record;
#[cfg(test)]
mod reviews;
#[cfg(test)]
mod run;
#[cfg(test)]
mod seeds;
#[cfg(test)]
mod store;
#[cfg(test)]
mod trace;
#[cfg(test)]
mod watch;
#[cfg(test)]
mod world;
