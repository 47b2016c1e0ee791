//! Passwords that are made when they are needed.

use std::fmt;

use async_trait::async_trait;

use crate::domain::id::SourceName;

/// A user name and a password for one fetch.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    /// The user name.
    pub username: String,
    /// The password or token. It is never shown.
    pub password: String,
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login").field("username", &self.username).finish_non_exhaustive()
    }
}

/// Lets a source's fetches in, for as long as one fetch takes.
#[async_trait]
pub trait Logins: Send + Sync {
    /// What to show to the source's server now. The error is a sentence for people, without secrets.
    async fn login(&self, source: &SourceName) -> Result<Login, String>;

    /// The server may not have taken the last one: the next is made anew.
    fn refused(&self, source: &SourceName);
}
