//! Tokens with which `git` fetches from this GitHub over HTTPS.

use std::sync::Arc;

use async_trait::async_trait;
use octocrab::secrecy::ExposeSecret as _;

use crate::domain::id::SourceName;
use crate::port::forge::login::{Login, Logins};

use super::{Github, GithubForge};

/// What GitHub takes for a user name beside a token.
const USERNAME: &str = "x-access-token";

/// Lets fetches in by the token of the installation that serves the repository, or by the person's.
#[derive(Debug, Clone)]
pub struct GithubLogins(Arc<Github>);

impl GithubForge {
    /// What lets fetches in, with the tokens and limits of this forge.
    pub fn logins(&self) -> GithubLogins {
        GithubLogins(Arc::clone(&self.github))
    }
}

#[async_trait]
impl Logins for GithubLogins {
    async fn login(&self, source: &SourceName) -> Result<Login, String> {
        let repository = self.0.repository(source).map_err(|error| error.to_string())?;
        let account = repository.account().await.map_err(|refusal| refusal.error.to_string())?;
        match self.0.client.token(&account).await {
            Ok(token) => Ok(Login { username: USERNAME.to_owned(), password: token.expose_secret().to_owned() }),
            Err(refusal) => {
                if refusal.status.is_some() {
                    repository.forget();
                }
                Err(refusal.error.to_string())
            }
        }
    }

    fn refused(&self, source: &SourceName) {
        if let Ok(repository) = self.0.repository(source) {
            repository.forget();
        }
    }
}
