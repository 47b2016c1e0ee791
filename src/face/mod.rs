//! Floor 4: what people use.
pub mod http;
