//! The model itself: that it does what GitHub does, that a wrong request is found, and that nothing
//! is left over in silence.

mod apps;
pub mod client;
mod described;
mod git;
mod hooks;
mod leftovers;
mod limits;
mod reviews;
mod shown;
