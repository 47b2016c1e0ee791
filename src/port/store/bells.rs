//! Hints between processes that share a record: there may be work.
//!
//! Losing a ring costs latency and nothing else, because everybody who listens also looks by itself from time
//! to time. A ring may come too often, to whoever rang too, and says nothing but which book to look into.

use async_trait::async_trait;

/// What may have something new in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Bell {
    /// The queue of looks.
    Wakes,
    /// Activities that may begin or go on.
    Rollouts,
    /// What forges should show.
    Reports,
    /// What people ask for.
    Requests,
}

impl Bell {
    /// All of them.
    pub const ALL: [Bell; 4] = [Bell::Wakes, Bell::Rollouts, Bell::Reports, Bell::Requests];

    /// The word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Bell::Wakes => "wakes",
            Bell::Rollouts => "rollouts",
            Bell::Reports => "reports",
            Bell::Requests => "requests",
        }
    }
}

/// Ringing, and hearing it.
pub trait Bells: Send + Sync {
    /// Rings for all who listen. To be called when what it tells of is durable. Returns at once and never
    /// fails; rings that come quickly one after the other may be one.
    fn ring(&self, bell: Bell);

    /// Hears what is rung from now on.
    fn listen(&self) -> Box<dyn Listener>;
}

/// Whoever listens.
#[async_trait]
pub trait Listener: Send {
    /// Waits for the next ring. After something may have been missed (a lost connection), each bell is
    /// heard once. Never ends while the record is open.
    async fn next(&mut self) -> Bell;
}
