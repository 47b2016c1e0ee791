//! What setting up and `doctor` want to know of a GitHub. Nothing of it is needed for daily work.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use http::Method;
use jiff::SignedDuration;
use jiff::fmt::rfc2822;
use serde::Deserialize;

use crate::config::BaseUrl;
use crate::domain::id::SourceName;
use crate::domain::time::Timestamp;
use crate::port::clock::Clock;
use crate::port::forge::ForgeError;

use super::client::{Answer, Call, Client, Pace, Refusal, Weight};
use super::{Github, GithubForge};

/// The GitHub App, as GitHub knows it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct AppFacts {
    /// Its id.
    pub id: u64,
    /// Its name in addresses.
    pub slug: String,
    /// Its name.
    #[serde(default)]
    pub name: String,
    /// Its page.
    #[serde(default)]
    pub html_url: String,
    /// What it asks for: `checks` to `write`, and so on.
    #[serde(default)]
    pub permissions: BTreeMap<String, String>,
    /// The events it is told of.
    #[serde(default)]
    pub events: Vec<String>,
}

/// What an installation was granted; it may be less than the App asks for.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct InstallationFacts {
    /// Its id.
    pub id: u64,
    /// What was granted.
    #[serde(default)]
    pub permissions: BTreeMap<String, String>,
    /// The events it is told of.
    #[serde(default)]
    pub events: Vec<String>,
    /// The page where it is configured.
    #[serde(default)]
    pub html_url: String,
}

/// What is left of the hour's requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimit {
    /// How many there are in an hour.
    pub limit: u64,
    /// How many are left.
    pub remaining: u64,
    /// When there will be all of them again.
    pub reset: Timestamp,
}

/// A GitHub App that was just made from a manifest. Its secrets are shown to nobody by this type.
#[derive(Clone, PartialEq, Eq, Deserialize)]
pub struct Converted {
    /// The App's id.
    pub id: u64,
    /// Its name in addresses.
    pub slug: String,
    /// Its name.
    #[serde(default)]
    pub name: String,
    /// Its page.
    #[serde(default)]
    pub html_url: String,
    /// Its private key, as PEM.
    pub pem: String,
    /// The secret of its webhook; absent when it has none.
    #[serde(default)]
    pub webhook_secret: Option<String>,
}

impl fmt::Debug for Converted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Converted").field("id", &self.id).field("slug", &self.slug).finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
struct Limits {
    resources: Resources,
}

#[derive(Deserialize)]
struct Resources {
    core: Core,
}

#[derive(Deserialize)]
struct Core {
    limit: u64,
    remaining: u64,
    reset: i64,
}

/// Asks one GitHub about itself.
#[derive(Debug, Clone)]
pub struct GithubFacts(Arc<Github>);

impl GithubForge {
    /// What can be asked of this GitHub, with the tokens and limits of this forge.
    pub fn facts(&self) -> GithubFacts {
        GithubFacts(Arc::clone(&self.github))
    }
}

impl GithubFacts {
    /// The App that we are.
    pub async fn app(&self) -> Result<AppFacts, ForgeError> {
        self.0.client.call_as_own(Call::get("/app")).await?.json()
    }

    /// The installation that serves a source's repository.
    pub async fn installation(&self, source: &SourceName) -> Result<InstallationFacts, ForgeError> {
        let path = format!("/repos/{}/installation", self.0.known(source)?.name);
        self.0.client.call_as_own(Call::get(&path)).await?.json()
    }

    /// By how much GitHub's clock is ahead of ours, to a second; `None` when GitHub does not say.
    pub async fn clock_skew(&self) -> Result<Option<SignedDuration>, ForgeError> {
        // Even a refusal of our credentials has a date, and a clock that is wrong is one of its causes.
        let nobody = Client::new(self.0.client.api().clone(), None, Pace::GITHUB, self.0.client.clock());
        let answer = nobody.call_as_own(Call::get("/rate_limit")).await?;
        Ok(date(&answer).map(|date| date.duration_since(self.0.client.now())))
    }

    /// What is left of the requests of the account that serves a source's repository. Asking costs none.
    pub async fn rate_limit(&self, source: &SourceName) -> Result<RateLimit, ForgeError> {
        let account = self.0.repository(source)?.account().await?;
        let limits: Limits = self.0.client.call(&account, Call::get("/rate_limit")).await?.json()?;
        let core = limits.resources.core;
        let reset = Timestamp::from_second(core.reset).unwrap_or_else(|_| self.0.client.now());
        Ok(RateLimit { limit: core.limit, remaining: core.remaining, reset })
    }

    /// Exchanges the code that GitHub gave after an App was made from a manifest. A code can be
    /// exchanged once, within an hour. Nothing but the address is needed for it.
    pub async fn convert_manifest(api: &BaseUrl, code: &str, clock: Arc<dyn Clock>) -> Result<Converted, ForgeError> {
        if code.is_empty() || code.len() > 200 || !code.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(ForgeError::Permanent("this is not a code of GitHub's".to_owned()));
        }
        let client = Client::new(api.clone(), None, Pace::GITHUB, clock);
        let path = format!("/app-manifests/{code}/conversions");
        let call = Call { method: Method::POST, path: &path, body: None, weight: Weight::Write };
        let answer = client.call_as_own(call).await.map_err(|refusal: Refusal| match refusal.status {
            Some(404) => ForgeError::Permanent("the code was used before, or is older than an hour".to_owned()),
            _ => refusal.error,
        })?;
        answer.json()
    }
}

fn date(answer: &Answer) -> Option<Timestamp> {
    let text = answer.headers.get("date")?.to_str().ok()?;
    rfc2822::parse(text).ok().map(|zoned| zoned.timestamp())
}
