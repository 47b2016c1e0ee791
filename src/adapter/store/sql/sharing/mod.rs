//! What replicas share: who may do what, what is to be looked at, and bells. The races stand with the ports.

pub mod bells;
pub mod leases;
pub mod terms;
pub mod wakes;
