//! The products of `examples-repo/`.
