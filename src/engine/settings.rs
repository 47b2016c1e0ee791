//! What the engine is told once, at its start.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::domain::descriptor::Compatibility;
use crate::domain::forge::CommentMode;
use crate::domain::id::{Digest, Namespace, SourceName};
use crate::domain::stage::Platform;

/// A source, as the engine sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watched {
    /// Its URL, without credentials; for people.
    pub url: String,
    /// Its branch.
    pub branch: String,
    /// Globs of the root files.
    pub globs: Vec<String>,
    /// The digest of all that planning for it depends on beside descriptors and policies.
    pub platform: Digest,
    /// When pull requests get a comment.
    pub comment: CommentMode,
}

/// What the engine is told once.
#[derive(Debug, Clone, PartialEq)]
pub struct EngineSettings {
    /// The mesh's namespace.
    pub namespace: Namespace,
    /// Which forms of older descriptors are let in.
    pub compatibility: Compatibility,
    /// Stages and executors.
    pub platform: Platform,
    /// The sources.
    pub sources: BTreeMap<SourceName, Watched>,
    /// Who holds what is leased. Where one daemon at a time uses a record, the same after every restart, so
    /// that it takes over at once what it held itself; otherwise no other replica's, ever.
    pub holder: String,
    /// How long what is leased stays so without a heartbeat; there are three in this time.
    pub lease: Duration,
    /// How long work under way is let go on when told to stop.
    pub grace: Duration,
    /// How many targets are looked at at once, by this replica.
    pub parallel_looks: usize,
    /// How many activities run at once, by this replica.
    pub parallel_activities: usize,
    /// The pause before a second attempt of a task; it doubles with each further one.
    pub retry_pause: Duration,
    /// The longest pause between two attempts, of a task or of a report.
    pub longest_pause: Duration,
}
