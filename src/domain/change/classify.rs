//! Which part of a product a field belongs to, and what its change means to others.
