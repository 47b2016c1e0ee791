//! GitHub: github.com and GitHub Enterprise. octocrab is used in this room and nowhere else.
//!
//! In reading order: `client` (one request: who asks, how fast, what the answer means), `forge` (what is
//! shown: statuses, check runs, comments, deployments), `reviews` (pull requests and people),
//! `redelivery` (deliveries that did not reach us), `logins` (tokens for fetching), `facts` (what setting
//! up and `doctor` want to know).
//!
//! # What is relied on
//!
//! * What GitHub answers counts. A payload is never read here.
//! * Only what is ours is changed: check runs of our own App, comments of our own login.
//! * Writing is idempotent: what an earlier attempt has made is found again, by our own id when it is
//!   known, and otherwise by what GitHub keeps with it (a check run's `external_id`, a comment's marker
//!   and author, a deployment's payload).
//! * Nothing waits long: a request that would have to wait for its turn for more than some seconds is
//!   answered with [`ForgeError::Limited`], and whoever asked comes back.
//!
//! # Races, and what was decided
//!
//! * *An answer is lost after the write.* The next attempt finds what was made, and edits it.
//! * *Two daemons write the same comment.* Each finds the other's by marker and author; at worst there are
//!   two, and the older one is edited from then on.
//! * *A token ends while a request is under way.* GitHub answers 401, and the request is repeated once with
//!   a new one.
//! * *A repository is renamed between two requests.* GitHub redirects to the repository's id, and the
//!   request is repeated there, if that is at the same API.
//!
//! [`ForgeError::Limited`]: crate::port::forge::ForgeError::Limited

mod client;
mod facts;
mod forge;
mod logins;
mod redelivery;
mod reviews;

#[cfg(test)]
mod tests;

pub use client::Pace;
pub use facts::{AppFacts, Converted, GithubFacts, InstallationFacts, RateLimit};
pub use forge::GithubForge;
pub use logins::GithubLogins;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::config::{BaseUrl, GithubAccess};
use crate::domain::id::SourceName;
use crate::port::clock::Clock;
use crate::port::forge::ForgeError;

use client::{Client, Repository};

/// One GitHub, as the configuration has it.
#[derive(Debug, Clone)]
pub struct GithubSpec {
    /// Where its API is.
    pub api: BaseUrl,
    /// How it lets us in.
    pub access: GithubAccess,
    /// What it calls the repository of each source: `owner/name`.
    pub repositories: BTreeMap<SourceName, String>,
    /// Whether deployments are written.
    pub deployments: bool,
    /// How fast we go.
    pub pace: Pace,
}

/// What all parts of one GitHub share: connections, tokens, limits.
pub(crate) struct Github {
    client: Client,
    repositories: BTreeMap<SourceName, Known>,
    deployments: bool,
}

/// A source's repository.
struct Known {
    name: String,
    /// Several sources may read one repository, and then one commit has reports of each.
    is_shared: bool,
}

impl Known {
    /// Whose it is.
    fn owner(&self) -> &str {
        self.name.split('/').next().unwrap_or_default()
    }
}

impl fmt::Debug for Github {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Github").field("client", &self.client).finish_non_exhaustive()
    }
}

impl Github {
    fn new(spec: GithubSpec, clock: Arc<dyn Clock>) -> Self {
        let mut times: BTreeMap<String, usize> = BTreeMap::new();
        for name in spec.repositories.values() {
            *times.entry(name.to_ascii_lowercase()).or_default() += 1;
        }
        let known = |name: String| {
            let is_shared = times.get(&name.to_ascii_lowercase()).is_some_and(|times| *times > 1);
            Known { name, is_shared }
        };
        Self {
            client: Client::new(spec.api, Some(spec.access), spec.pace, clock),
            repositories: spec.repositories.into_iter().map(|(source, name)| (source, known(name))).collect(),
            deployments: spec.deployments,
        }
    }

    fn known(&self, source: &SourceName) -> Result<&Known, ForgeError> {
        self.repositories
            .get(source)
            .ok_or_else(|| ForgeError::Permanent(format!("the source '{source}' has no repository at this forge")))
    }

    fn repository(&self, source: &SourceName) -> Result<Repository<'_>, ForgeError> {
        Ok(Repository { client: &self.client, name: &self.known(source)?.name })
    }

    /// What tells the reports of sources apart that read one repository: nothing where there is one source.
    fn suffix(&self, source: &SourceName) -> Result<Option<String>, ForgeError> {
        Ok(self.known(source)?.is_shared.then(|| source.to_string()))
    }
}
