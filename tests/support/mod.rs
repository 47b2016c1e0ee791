//! What several integration modules need.

pub mod samples;
