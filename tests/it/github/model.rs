//! The model itself: that it does what GitHub does, that a wrong request is found, and that nothing
//! is left over in silence.

#![expect(clippy::disallowed_methods, reason = "the real git is run, as its users do")]

mod apps;
pub mod client;
mod described;
mod git;
mod hooks;
mod leftovers;
mod limits;
mod reviews;
mod shown;
