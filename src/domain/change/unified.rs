//! The readable diff.
