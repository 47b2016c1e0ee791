//! Floor 3: the concrete parts behind the ports.

pub mod clock;
pub mod executors;
pub mod git;
pub mod github;
pub mod inbox;
pub mod local_forge;
pub mod policy_worker;
pub mod store;
pub mod worktree;
