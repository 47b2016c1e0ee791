//! Floor 5: start and stop; the one place that knows concrete adapters.
