//! Floor 4: what people use.
