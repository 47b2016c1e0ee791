//! Who speaks: the App by a JWT of its own, an installation of it by a token of an hour, or a person by
//! a token that does not end.
//!
//! octocrab makes JWTs (valid for nine minutes, begun a minute ago for clocks that differ) and tokens,
//! keeps a token until half a minute before its end, and makes a new one when GitHub answers 401. What
//! is kept here is which installation serves which repository; a refusal forgets it, so that keys
//! that were replaced, permissions that were granted and Apps that were installed anew are seen at
//! the next attempt.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use octocrab::auth::AppAuth;
use octocrab::models::{AppId, InstallationId};
use octocrab::secrecy::SecretString;
use octocrab::{AuthState, Octocrab};

use crate::config::{BaseUrl, GithubAccess, SecretRef};
use crate::port::forge::ForgeError;

use super::pacer::{Pace, Pacer};
use super::transport;

/// More installations than this are not kept in mind.
const MOST_KNOWN: usize = 10_000;

/// Whose limits a request counts against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Who {
    /// Nobody in particular.
    Nobody,
    /// The App itself.
    App,
    /// One of its installations.
    Installation(u64),
    /// The person whose token it is.
    Person,
}

/// What all requests of one account share. It outlives the account's tokens.
pub(crate) struct Gate {
    pub(super) pacer: Mutex<Pacer>,
    /// Writes come one after the other, as GitHub wants them to.
    pub(super) turn: tokio::sync::Mutex<()>,
}

/// Who speaks.
#[derive(Clone)]
pub(crate) struct Account {
    pub(crate) who: Who,
    /// Shared, because a clone of octocrab has a cache of tokens of its own.
    pub(super) crab: Arc<Octocrab>,
    pub(super) gate: Arc<Gate>,
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account").field("who", &self.who).finish_non_exhaustive()
    }
}

#[derive(Default)]
struct Known {
    own: Option<Account>,
    installations: BTreeMap<u64, Account>,
    /// By repository, in lower case.
    serves: BTreeMap<String, u64>,
}

pub(super) struct Accounts {
    api: BaseUrl,
    access: Option<GithubAccess>,
    pace: Pace,
    http: OnceLock<Result<reqwest::Client, String>>,
    gates: Mutex<BTreeMap<Who, Arc<Gate>>>,
    known: Mutex<Known>,
}

impl Accounts {
    pub(super) fn new(api: BaseUrl, access: Option<GithubAccess>, pace: Pace) -> Self {
        Self { api, access, pace, http: OnceLock::new(), gates: Mutex::default(), known: Mutex::default() }
    }

    pub(super) fn is_app(&self) -> bool {
        matches!(self.access, Some(GithubAccess::App { .. }))
    }

    pub(super) fn app_id(&self) -> Option<u64> {
        match self.access {
            Some(GithubAccess::App { id, .. }) => Some(id),
            _ => None,
        }
    }

    /// The App itself, or the person, or nobody where there are no credentials.
    pub(super) fn own(&self) -> Result<Account, ForgeError> {
        if let Some(own) = &self.known().own {
            return Ok(own.clone());
        }
        let (who, auth) = match &self.access {
            None => (Who::Nobody, AuthState::None),
            Some(GithubAccess::App { id, private_key }) => (Who::App, AuthState::App(app(*id, private_key)?)),
            Some(GithubAccess::Token(token)) => (Who::Person, AuthState::AccessToken { token: personal(token)? }),
        };
        let own = Account { who, crab: self.crab(auth)?, gate: self.gate(who) };
        self.known().own = Some(own.clone());
        Ok(own)
    }

    /// The installation with this id.
    pub(super) fn installation(&self, id: u64) -> Result<Account, ForgeError> {
        if let Some(account) = self.known().installations.get(&id) {
            return Ok(account.clone());
        }
        let app = self.own()?;
        let crab = app
            .crab
            .installation(InstallationId(id))
            .map_err(|_| ForgeError::Denied("without a GitHub App there are no installations".to_owned()))?;
        let who = Who::Installation(id);
        let account = Account { who, crab: Arc::new(crab), gate: self.gate(who) };
        let mut known = self.known();
        if known.installations.len() >= MOST_KNOWN {
            known.installations.clear();
        }
        known.installations.insert(id, account.clone());
        Ok(account)
    }

    /// The person's own token.
    pub(super) fn personal_token(&self) -> Result<SecretString, ForgeError> {
        match &self.access {
            Some(GithubAccess::Token(token)) => personal(token),
            _ => Err(ForgeError::Denied("there is no personal token".to_owned())),
        }
    }

    /// Which installation serves a repository, if that is known.
    pub(super) fn serving(&self, repository: &str) -> Option<u64> {
        self.known().serves.get(&repository.to_ascii_lowercase()).copied()
    }

    pub(super) fn serves(&self, repository: &str, installation: u64) {
        let mut known = self.known();
        if known.serves.len() >= MOST_KNOWN {
            known.serves.clear();
        }
        known.serves.insert(repository.to_ascii_lowercase(), installation);
    }

    /// Forgets which installation serves a repository, its token, and our own credentials: all are
    /// read anew.
    pub(super) fn forget(&self, repository: &str) {
        let mut known = self.known();
        known.own = None;
        if let Some(id) = known.serves.remove(&repository.to_ascii_lowercase()) {
            known.installations.remove(&id);
        }
    }

    /// Forgets our own credentials.
    pub(super) fn forget_own(&self) {
        self.known().own = None;
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn gate(&self, who: Who) -> Arc<Gate> {
        let mut gates = self.gates.lock().unwrap_or_else(PoisonError::into_inner);
        if gates.len() >= MOST_KNOWN {
            gates.retain(|_, gate| Arc::strong_count(gate) > 1);
        }
        let made = || Arc::new(Gate { pacer: Mutex::new(Pacer::new(self.pace)), turn: tokio::sync::Mutex::default() });
        Arc::clone(gates.entry(who).or_insert_with(made))
    }

    fn crab(&self, auth: AuthState) -> Result<Arc<Octocrab>, ForgeError> {
        let http = self.http.get_or_init(|| transport::http_client(&self.api));
        let http = http.as_ref().map_err(|why| ForgeError::Denied(why.clone()))?;
        transport::crab(http, &self.api, auth).map(Arc::new).map_err(ForgeError::Denied)
    }
}

fn app(id: u64, key: &SecretRef) -> Result<AppAuth, ForgeError> {
    let pem = read(key, "private key of the GitHub App")?;
    // What the library says of a broken key may show parts of it.
    let key = octocrab::EncodingKey::from_rsa_pem(pem.as_bytes()).map_err(|_| {
        ForgeError::Denied(
            "the private key of the GitHub App is not an RSA key as PEM; download a new one from the App's page"
                .to_owned(),
        )
    })?;
    Ok(AppAuth { app_id: AppId(id), key })
}

fn personal(token: &SecretRef) -> Result<SecretString, ForgeError> {
    let text = read(token, "token")?;
    let text = text.trim();
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(ForgeError::Denied("the token is empty or has odd characters in it".to_owned()));
    }
    Ok(text.to_owned().into())
}

fn read(secret: &SecretRef, what: &str) -> Result<String, ForgeError> {
    secret.resolve().map_err(|error| ForgeError::Denied(format!("the {what} cannot be had: {error}")))
}
