//! Meshwright, a GitOps reconciler for data products. The map, in reading order; imports run
//! from the bottom of this list to its top only, and `tests/it/floors.rs` says so.

// Floor 1: values and decisions.
pub mod domain;

// Floor 2: what the engine needs, what is checked, what is configured.
pub mod port;
pub mod check;
pub mod config;

// Floor 3: the engine, and the adapters beside it that it does not know.
pub mod engine;
pub mod adapter;

// Floor 4: where people and the world come in.
pub mod trigger;
pub mod face;

// Floor 5: the one place that knows all.
pub mod app;
