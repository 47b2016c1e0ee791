//! Floor 3: passes, rollouts, reports.
