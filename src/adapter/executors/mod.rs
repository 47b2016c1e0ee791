//! Executors: services that run tasks.
