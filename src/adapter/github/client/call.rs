//! One request, from who may ask now to what the answer means.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::header::{ACCEPT, IF_NONE_MATCH, LOCATION};
use http::{HeaderMap, Method, StatusCode};
use http_body_util::BodyExt as _;
use octocrab::secrecy::SecretString;
use serde_json::Value;

use crate::config::{BaseUrl, GithubAccess};
use crate::domain::time::Timestamp;
use crate::port::clock::Clock;
use crate::port::forge::ForgeError;

use super::accounts::{Account, Accounts, Who};
use super::answer::Answer;
use super::cache::EtagCache;
use super::limits::{self, Limit};
use super::pacer::{Pace, Weight};
use super::{transport, trouble};

/// How long one request may take, from the connection to the last byte of the answer.
const WHOLE: Duration = Duration::from_secs(30);
/// How long a request waits for its turn at most; longer waiting is the caller's.
const PATIENCE: Duration = Duration::from_secs(10);
/// A renamed repository redirects once; more than a few is a circle.
const MOST_REDIRECTS: usize = 3;

/// What is asked.
#[derive(Debug, Clone)]
pub(crate) struct Call<'a> {
    pub(crate) method: Method,
    /// Path and query, below the API's address.
    pub(crate) path: &'a str,
    pub(crate) body: Option<&'a Value>,
    pub(crate) weight: Weight,
}

impl<'a> Call<'a> {
    /// Asks for a document.
    pub(crate) fn get(path: &'a str) -> Self {
        Self { method: Method::GET, path, body: None, weight: Weight::Read }
    }
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// GitHub's status, when it gave one that is not about limits.
    pub(crate) status: Option<u16>,
    pub(crate) error: ForgeError,
}

impl From<Refusal> for ForgeError {
    fn from(refusal: Refusal) -> Self {
        refusal.error
    }
}

impl From<ForgeError> for Refusal {
    fn from(error: ForgeError) -> Self {
        Self { status: None, error }
    }
}

/// Speaks to one GitHub.
pub(crate) struct Client {
    api: BaseUrl,
    pub(super) accounts: Accounts,
    clock: Arc<dyn Clock>,
    cache: Mutex<EtagCache>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("api", &self.api.as_str()).finish_non_exhaustive()
    }
}

/// An answer as it came.
struct Raw {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Client {
    /// Nothing is asked yet, and no secret is read.
    pub(crate) fn new(api: BaseUrl, access: Option<GithubAccess>, pace: Pace, clock: Arc<dyn Clock>) -> Self {
        Self { accounts: Accounts::new(api.clone(), access, pace), api, clock, cache: Mutex::default() }
    }

    pub(crate) fn api(&self) -> &BaseUrl {
        &self.api
    }

    pub(crate) fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.clock)
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn is_app(&self) -> bool {
        self.accounts.is_app()
    }

    /// The App's id; `None` for a person.
    pub(crate) fn app_id(&self) -> Option<u64> {
        self.accounts.app_id()
    }

    /// The App itself, or the person.
    pub(crate) fn own(&self) -> Result<Account, ForgeError> {
        self.accounts.own()
    }

    /// A token with which `git` is let in: the account's own, good for half a minute at the least.
    pub(crate) async fn token(&self, account: &Account) -> Result<SecretString, Refusal> {
        match account.who {
            Who::Installation(_) => {
                self.let_alone(account)?;
                let token = tokio::time::timeout(WHOLE, account.crab.installation_token()).await;
                match token {
                    Ok(token) => token.map_err(|error| self.note(account, Trouble::of(&error))),
                    Err(_) => Err(late().into()),
                }
            }
            Who::Nobody | Who::App | Who::Person => Ok(self.accounts.personal_token()?),
        }
    }

    /// Asks as the App itself, or as the person; credentials that are not accepted are read anew next time.
    pub(crate) async fn call_as_own(&self, call: Call<'_>) -> Result<Answer, Refusal> {
        let outcome = self.call(&self.own()?, call).await;
        if outcome.as_ref().is_err_and(|refusal| refusal.status == Some(401)) {
            self.accounts.forget_own();
        }
        outcome
    }

    /// Asks, when the account may. Documents that did not change are taken from what was answered before.
    pub(crate) async fn call(&self, account: &Account, call: Call<'_>) -> Result<Answer, Refusal> {
        self.admit(account, call.weight).await?;
        let _turn = match call.weight {
            Weight::Read => None,
            Weight::Write | Weight::Content => Some(self.turn(account).await?),
        };
        // Whoever had the turn before may have been told to stop.
        self.let_alone(account)?;
        let key = (call.method == Method::GET).then(|| format!("{:?} {}", account.who, call.path));
        let tag = key.as_ref().and_then(|key| self.cache().tag(key));
        let raw = self.follow(account, &call, tag.as_deref()).await.map_err(|refusal| self.note(account, refusal))?;
        let headroom = limits::headroom(&raw.headers, self.now());
        if raw.status == StatusCode::NOT_MODIFIED
            && let (Some(key), Some(tag)) = (&key, &tag)
        {
            return match self.cache().still(key, tag) {
                Some(answer) => Ok(answer),
                None => {
                    Err(ForgeError::Transient("what GitHub says is unchanged was forgotten meanwhile".to_owned())
                        .into())
                }
            };
        }
        if !raw.status.is_success() {
            return Err(self.refused(account, raw.status, &raw.headers, &trouble::told(raw.status, &raw.body)));
        }
        self.went_well(account, headroom);
        let answer = Answer { headers: raw.headers, body: raw.body };
        if let Some(key) = key {
            match answer.headers.get("etag").and_then(|tag| tag.to_str().ok()) {
                Some(tag) => self.cache().keep(&key, tag, &answer),
                None => self.cache().forget(&key),
            }
        }
        Ok(answer)
    }

    /// Path and query of a page or of a redirect, when it is at this API's own origin. It is asked below
    /// the API's address whatever it says, so our credentials go nowhere else.
    pub(crate) fn here<'t>(&self, target: &'t str) -> Option<&'t str> {
        let path = target.strip_prefix(self.api.origin()).unwrap_or(target);
        let is_path = path.starts_with('/') && !path.starts_with("//");
        let has_no_tricks = path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\') && !path.contains("/..");
        (is_path && has_no_tricks).then_some(path)
    }

    /// Waits for the account's turn, if that is not long.
    async fn admit(&self, account: &Account, weight: Weight) -> Result<(), ForgeError> {
        self.let_alone(account)?;
        let now = self.now();
        let booked = account.gate.pacer.lock().unwrap_or_else(PoisonError::into_inner).book(now, weight, PATIENCE);
        match booked {
            Ok(at) => {
                let wait = at.duration_since(now);
                if wait.is_positive() {
                    tokio::time::sleep(wait.unsigned_abs()).await;
                }
                Ok(())
            }
            // Statuses do not wait until a comment may be made.
            Err(until) if weight == Weight::Content => {
                let message = "we would make more check runs, comments and deployments than GitHub allows".to_owned();
                Err(ForgeError::Crowded { until, message })
            }
            Err(until) => {
                let message = "we would ask more of GitHub than it allows".to_owned();
                Err(ForgeError::Limited { until, message })
            }
        }
    }

    /// Waits until no other write is under way, if that is not long.
    async fn turn<'g>(&self, account: &'g Account) -> Result<tokio::sync::MutexGuard<'g, ()>, ForgeError> {
        tokio::time::timeout(PATIENCE, account.gate.turn.lock()).await.map_err(|_| {
            let until = self.now().checked_add(PATIENCE).unwrap_or(Timestamp::MAX);
            ForgeError::Limited { until, message: "an earlier request is still under way".to_owned() }
        })
    }

    fn let_alone(&self, account: &Account) -> Result<(), ForgeError> {
        let pacer = account.gate.pacer.lock().unwrap_or_else(PoisonError::into_inner);
        match pacer.paused(self.now()) {
            Some((until, message)) => Err(ForgeError::Limited { until, message }),
            None => Ok(()),
        }
    }

    /// Sends, and follows redirects within this API: a repository that was renamed or transferred is
    /// found again by its id. The request is repeated as it is, as GitHub wants it.
    async fn follow(&self, account: &Account, call: &Call<'_>, tag: Option<&str>) -> Result<Raw, Trouble> {
        let mut path = call.path.to_owned();
        for _ in 0..=MOST_REDIRECTS {
            let raw = self.send(account, call, &path, tag).await?;
            if !matches!(raw.status.as_u16(), 301 | 302 | 307 | 308) {
                return Ok(raw);
            }
            let location = raw.headers.get(LOCATION).and_then(|location| location.to_str().ok());
            match location.and_then(|location| self.here(location)) {
                Some(target) => path = target.to_owned(),
                None => {
                    let message = "GitHub redirects to a place that is not its API, and nothing is sent there";
                    return Err(Trouble::Error(ForgeError::Denied(message.to_owned())));
                }
            }
        }
        Err(Trouble::Error(ForgeError::Transient("GitHub redirects in a circle".to_owned())))
    }

    async fn send(&self, account: &Account, call: &Call<'_>, path: &str, tag: Option<&str>) -> Result<Raw, Trouble> {
        let mut request = http::Request::builder()
            .method(call.method.clone())
            .uri(path)
            .header(ACCEPT, "application/vnd.github+json");
        if let Some(tag) = tag {
            request = request.header(IF_NONE_MATCH, tag);
        }
        let crab = &account.crab;
        let request = crab.build_request(request, call.body).map_err(|error| Trouble::of(&error))?;
        let whole = async {
            let (parts, body) = crab.execute(request).await.map_err(|error| Trouble::of(&error))?.into_parts();
            let body = body.collect().await.map_err(|error| Trouble::of(&error))?.to_bytes().to_vec();
            Ok(Raw { status: parts.status, headers: parts.headers, body })
        };
        match tokio::time::timeout(WHOLE, whole).await {
            Ok(outcome) => outcome,
            Err(_) => Err(Trouble::Error(late())),
        }
    }

    fn note(&self, account: &Account, trouble: Trouble) -> Refusal {
        match trouble {
            Trouble::Error(error) => error.into(),
            Trouble::Status(status, headers, message) => self.refused(account, status, &headers, &message),
        }
    }

    /// What a status that is an error means, and what the account has to remember of it.
    fn refused(&self, account: &Account, status: StatusCode, headers: &HeaderMap, message: &str) -> Refusal {
        let now = self.now();
        let Some(limit) = limits::limit(status, headers, message, now) else {
            return Refusal { status: Some(status.as_u16()), error: trouble::error(status, message) };
        };
        let mut pacer = account.gate.pacer.lock().unwrap_or_else(PoisonError::into_inner);
        let until = match limit {
            Limit::Until(until) => {
                pacer.pause_until(until, message);
                until
            }
            Limit::ForAWhile => pacer.pause_for_a_while(now, message),
        };
        tracing::warn!(who = ?account.who, %until, message, "GitHub wants no more requests for now");
        Refusal { status: None, error: ForgeError::Limited { until, message: message.to_owned() } }
    }

    fn went_well(&self, account: &Account, headroom: Option<limits::Headroom>) {
        let mut pacer = account.gate.pacer.lock().unwrap_or_else(PoisonError::into_inner);
        pacer.went_well();
        if let Some(limits::Headroom { remaining: 0, reset }) = headroom {
            pacer.pause_until(reset, "the hour's requests are used up");
        }
    }

    fn cache(&self) -> std::sync::MutexGuard<'_, EtagCache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn late() -> ForgeError {
    ForgeError::Transient(format!("GitHub did not answer within {} s", WHOLE.as_secs()))
}

/// Why nothing came back, or what came back on the way to a token.
enum Trouble {
    Error(ForgeError),
    Status(StatusCode, HeaderMap, String),
}

impl Trouble {
    fn of(error: &octocrab::Error) -> Self {
        match error {
            octocrab::Error::GitHub { source, .. } => {
                let body = serde_json::json!({ "message": source.message, "errors": source.errors.as_deref().unwrap_or_default() });
                let headers = source.headers.clone().unwrap_or_default();
                let is_page = source.message.trim_start().starts_with('<');
                let body = if is_page { b"<".to_vec() } else { body.to_string().into_bytes() };
                Trouble::Status(source.status_code, headers, trouble::told(source.status_code, &body))
            }
            octocrab::Error::JWT { .. } => {
                let message = "the private key of the GitHub App cannot sign; download a new one from the App's page";
                Trouble::Error(ForgeError::Denied(message.to_owned()))
            }
            octocrab::Error::Json { .. } | octocrab::Error::Serde { .. } => {
                Trouble::Error(ForgeError::Transient("GitHub answered with a document that makes no sense".to_owned()))
            }
            other => Trouble::Error(ForgeError::Transient(format!(
                "GitHub could not be reached: {}",
                transport::root(other)
            ))),
        }
    }
}
