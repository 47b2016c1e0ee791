//! One repository, and the account that serves it.

use http::Method;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::port::forge::ForgeError;

use super::accounts::Account;
use super::answer::Answer;
use super::call::{Call, Client, Refusal};
use super::pacer::Weight;

/// A repository of this GitHub.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Repository<'a> {
    pub(crate) client: &'a Client,
    /// `owner/name`.
    pub(crate) name: &'a str,
}

#[derive(Deserialize)]
struct Installation {
    id: u64,
    #[serde(default)]
    suspended_at: Option<String>,
}

impl Repository<'_> {
    /// The account that serves it: the person, or the installation of the App, which is looked up once.
    pub(crate) async fn account(&self) -> Result<Account, Refusal> {
        let accounts = &self.client.accounts;
        if !accounts.is_app() {
            return Ok(accounts.own()?);
        }
        if let Some(id) = accounts.serving(self.name) {
            return Ok(accounts.installation(id)?);
        }
        let path = format!("/repos/{}/installation", self.name);
        let found = self.client.call_as_own(Call::get(&path)).await.map_err(|refusal| match refusal.status {
            // That says it all: nobody has to ask whether the repository is there.
            Some(404) => Refusal {
                status: None,
                error: ForgeError::Denied(format!(
                    "the GitHub App is not installed on {}, or there is no such repository; install it on the App's page",
                    self.name
                )),
            },
            _ => refusal,
        })?;
        let installation: Installation = found.json()?;
        if installation.suspended_at.is_some() {
            return Err(
                ForgeError::Denied(format!("the GitHub App's installation on {} is suspended", self.name)).into()
            );
        }
        accounts.serves(self.name, installation.id);
        Ok(accounts.installation(installation.id)?)
    }

    /// Forgets which account serves it.
    pub(crate) fn forget(&self) {
        self.client.accounts.forget(self.name);
    }

    /// Asks for a document below the repository.
    pub(crate) async fn get(&self, path: &str) -> Result<Answer, Refusal> {
        let path = format!("/repos/{}{path}", self.name);
        self.call(Call::get(&path)).await
    }

    /// The same; `None` when there is no such thing, though there is the repository.
    pub(crate) async fn find(&self, path: &str) -> Result<Option<Answer>, ForgeError> {
        match self.get(path).await {
            Ok(answer) => Ok(Some(answer)),
            Err(refusal) if matches!(refusal.status, Some(404 | 410)) => self.stands().await.map(|()| None),
            Err(refusal) => Err(refusal.error),
        }
    }

    /// Writes.
    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        body: &Value,
        weight: Weight,
    ) -> Result<Answer, Refusal> {
        let path = format!("/repos/{}{path}", self.name);
        self.call(Call { method, path: &path, body: Some(body), weight }).await
    }

    /// Creates something below what may be gone. GitHub answers 404 both when it is and when we may not
    /// see it; which it is, the repository itself tells.
    pub(crate) async fn create(&self, path: &str, body: &Value, weight: Weight) -> Result<Answer, ForgeError> {
        match self.send(Method::POST, path, body, weight).await {
            Ok(answer) => Ok(answer),
            Err(Refusal { status: Some(404), error: ForgeError::Denied(message) }) => {
                self.stands().await?;
                Err(ForgeError::Denied(format!("{message}; or a permission is missing")))
            }
            Err(refusal) => Err(refusal.error),
        }
    }

    /// All items of a listing over at most `most` pages, and whether there are more.
    pub(crate) async fn pages<T, P>(
        &self,
        path: &str,
        most: usize,
        items: impl Fn(P) -> Vec<T>,
    ) -> Result<(Vec<T>, bool), Refusal>
    where
        P: DeserializeOwned,
    {
        let mut path = format!("/repos/{}{path}", self.name);
        let mut all = Vec::new();
        for _ in 0..most {
            let answer = self.call(Call::get(&path)).await?;
            all.extend(items(answer.json()?));
            match answer.next_page().map(|next| self.client.here(next)) {
                None => return Ok((all, false)),
                Some(Some(next)) => path = next.to_owned(),
                Some(None) => {
                    let message = "GitHub's next page is not at its API".to_owned();
                    return Err(ForgeError::Transient(message).into());
                }
            }
        }
        Ok((all, true))
    }

    /// Fails when the repository itself is not to be had.
    async fn stands(&self) -> Result<(), ForgeError> {
        self.get("").await.map(drop).map_err(|refusal| match refusal.status {
            Some(404) => {
                // It may have moved to another organisation, or the App may have been installed anew.
                self.client.accounts.forget(self.name);
                let name = self.name;
                ForgeError::Denied(format!("there is no repository {name}, or the App or token may not see it"))
            }
            _ => refusal.error,
        })
    }

    async fn call(&self, call: Call<'_>) -> Result<Answer, Refusal> {
        let account = self.account().await?;
        let outcome = self.client.call(&account, call).await;
        if outcome.as_ref().is_err_and(|refusal| matches!(refusal.status, Some(401 | 403))) {
            self.client.accounts.forget(self.name);
        }
        outcome
    }
}
