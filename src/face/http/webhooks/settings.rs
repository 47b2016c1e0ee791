//! What the receiver is told once.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::domain::forge::delivery::RepositoryIndex;
use crate::domain::id::ForgeName;

/// The largest body that is ever taken, in bytes: GitHub sends none that is larger.
pub const LARGEST_BODY: usize = 25 * 1024 * 1024;

/// What the receiver is told once.
#[derive(Debug, Clone)]
pub struct WebhookSettings {
    /// The forges from which it takes deliveries.
    pub forges: BTreeMap<ForgeName, ForgeHook>,
    /// Which sources their repositories mean.
    pub index: RepositoryIndex,
    /// The largest body that is taken, in bytes; at most [`LARGEST_BODY`].
    pub max_body: usize,
    /// How long a sender may take to send one. GitHub itself gives up after 10 seconds.
    pub body_patience: Duration,
    /// How long recording one may take until its sender is told to come back later. What is recorded after
    /// that counts all the same, and is a duplicate when it comes again.
    pub answer_patience: Duration,
}

impl Default for WebhookSettings {
    fn default() -> Self {
        Self {
            forges: BTreeMap::new(),
            index: RepositoryIndex::default(),
            max_body: LARGEST_BODY,
            body_patience: Duration::from_secs(5),
            answer_patience: Duration::from_secs(4),
        }
    }
}

/// A forge that delivers.
#[derive(Debug, Clone)]
pub struct ForgeHook {
    /// How it speaks.
    pub kind: HookKind,
    /// By what it is known.
    pub secrets: Arc<dyn WebhookSecrets>,
}

/// How a forge signs what it delivers, and how it words it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HookKind {
    /// GitHub, also Enterprise.
    Github,
    /// Gitea and Forgejo.
    Gitea,
    /// GitLab.
    Gitlab,
    /// Anything that can sign a few lines of JSON.
    GenericHmac,
}

/// The secrets of a forge's webhooks.
pub trait WebhookSecrets: fmt::Debug + Send + Sync {
    /// Those that count now; a delivery is let in by any of them, so that one can be replaced by
    /// another. Called for each delivery, so that a changed file counts at once.
    fn current(&self) -> Vec<Secret>;
}

/// A secret. It shows itself to nobody.
#[derive(Clone)]
pub struct Secret(Vec<u8>);

impl Secret {
    /// A secret; an empty one is none, because anybody could sign with it.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Option<Self> {
        let bytes = bytes.into();
        (!bytes.is_empty()).then_some(Self(bytes))
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}
