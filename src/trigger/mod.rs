//! Floor 4: what wakes the engine.
