//! Who we are at GitHub: the login under which our comments stand.

use std::sync::{Mutex, PoisonError};

use serde::Deserialize;

use crate::adapter::github::client::{Call, Client};
use crate::port::forge::ForgeError;

/// Our login, once it is known. It stays the same while the process runs, but for a renamed App, whose
/// earlier comments are not found then, and not touched.
#[derive(Debug, Default)]
pub(super) struct Identity(Mutex<Option<String>>);

#[derive(Deserialize)]
struct App {
    slug: String,
}

#[derive(Deserialize)]
struct User {
    login: String,
}

impl Identity {
    /// The login. Nobody else's can be an App's: GitHub lets no person have brackets in theirs.
    pub(super) async fn login(&self, client: &Client) -> Result<String, ForgeError> {
        if let Some(login) = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone() {
            return Ok(login);
        }
        let login = if client.is_app() {
            let app: App = client.call_as_own(Call::get("/app")).await?.json()?;
            format!("{}[bot]", app.slug)
        } else {
            let user: User = client.call_as_own(Call::get("/user")).await?.json()?;
            user.login
        };
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(login.clone());
        Ok(login)
    }
}
