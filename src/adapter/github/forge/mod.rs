//! What GitHub shows: commit statuses, check runs, the comment of a pull request, deployments.

mod annotations;
mod check;
mod comment;
mod deployment;
mod identity;
mod status;

use std::sync::Arc;

use async_trait::async_trait;

use crate::domain::id::SourceName;
use crate::domain::report::{Detail, Report};
use crate::port::clock::Clock;
use crate::port::forge::{Abilities, Forge, ForgeError};

use super::{Github, GithubSpec};
use identity::Identity;

/// Shows reports at one GitHub.
#[derive(Debug)]
pub struct GithubForge {
    pub(super) github: Arc<Github>,
    identity: Identity,
}

impl GithubForge {
    /// Nothing is asked yet, and no secret is read.
    pub fn new(spec: GithubSpec, clock: Arc<dyn Clock>) -> Self {
        Self { github: Arc::new(Github::new(spec, clock)), identity: Identity::default() }
    }
}

#[async_trait]
impl Forge for GithubForge {
    fn abilities(&self) -> Abilities {
        let is_app = self.github.client.is_app();
        Abilities { checks: is_app, comments: true, deployments: is_app && self.github.deployments }
    }

    /// An App has an installation for each owner of repositories; a person has one account for all.
    fn account(&self, source: &SourceName) -> String {
        match self.github.known(source) {
            Ok(known) if self.github.client.is_app() => known.owner().to_ascii_lowercase(),
            _ => String::new(),
        }
    }

    async fn publish(&self, report: &Report, external: Option<&str>) -> Result<Option<String>, ForgeError> {
        let repository = self.github.repository(&report.source)?;
        let suffix = self.github.suffix(&report.source)?;
        let suffix = suffix.as_deref();
        match &report.detail {
            None => status::publish(repository, report, suffix).await.map(|()| None),
            Some(Detail::Check(wanted)) => check::publish(repository, report, wanted, suffix, external).await.map(Some),
            Some(Detail::Comment(wanted)) => {
                let login = self.identity.login(&self.github.client).await?;
                comment::publish(repository, wanted, &login, external).await.map(Some)
            }
            Some(Detail::Deployment { stage, status }) => {
                deployment::publish(repository, report, stage, *status, suffix, external).await.map(Some)
            }
        }
    }

    async fn shows(&self, report: &Report, external: Option<&str>) -> Result<bool, ForgeError> {
        let repository = self.github.repository(&report.source)?;
        let suffix = self.github.suffix(&report.source)?;
        let suffix = suffix.as_deref();
        match &report.detail {
            None => status::shows(repository, report, suffix).await,
            Some(Detail::Check(wanted)) => check::shows(repository, report, wanted, suffix, external).await,
            Some(Detail::Comment(wanted)) => {
                let login = self.identity.login(&self.github.client).await?;
                comment::shows(repository, wanted, &login, external).await
            }
            Some(Detail::Deployment { stage, status }) => {
                deployment::shows(repository, report, stage, *status, suffix, external).await
            }
        }
    }
}

/// An id as GitHub gave it, if it is one.
fn id(external: Option<&str>) -> Option<u64> {
    external.and_then(|text| text.parse().ok())
}

/// `text` within `most` characters; what was cut is shown by an ellipsis.
fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most.saturating_sub(1)).chain(['…']).collect()
}
