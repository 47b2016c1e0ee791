//! A server that answers as a test wants it to, and remembers what it was asked.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::response::Response;
use serde_json::Value;

use crate::adapter::github::{GithubForge, GithubSpec, Pace};
use crate::config::{GithubAccess, SecretRef};
use crate::domain::id::{Revision, SourceName};
use crate::domain::report::{Report, ReportContext, ReportState};
use crate::domain::time::Timestamp;
use crate::port::clock::Clock;

/// What was asked.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    /// `GET /repos/acme/retail/pulls/7`.
    pub(super) what: String,
    pub(super) headers: http::HeaderMap,
    pub(super) body: Value,
}

/// What is answered.
#[derive(Debug, Clone)]
pub(super) struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    is_cut: bool,
}

pub(super) fn reply(status: u16, body: &Value) -> Reply {
    Reply { status, headers: Vec::new(), body: body.to_string().into_bytes(), is_cut: false }
}

pub(super) fn page(status: u16, body: &str) -> Reply {
    Reply { status, headers: Vec::new(), body: body.as_bytes().to_vec(), is_cut: false }
}

impl Reply {
    pub(super) fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Promises more than comes.
    pub(super) fn cut(mut self) -> Self {
        self.is_cut = true;
        self
    }
}

/// A clock that is set by hand.
#[derive(Debug)]
pub(super) struct HandClock(Mutex<Timestamp>);

impl HandClock {
    pub(super) fn forward(&self, seconds: i64) {
        let mut now = self.0.lock().unwrap();
        *now += jiff::SignedDuration::from_secs(seconds);
    }
}

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
}

/// The server, and a forge that speaks to it.
pub(super) struct Stage {
    pub(super) asked: Arc<Mutex<Vec<Asked>>>,
    pub(super) forge: GithubForge,
    pub(super) clock: Arc<HandClock>,
    pub(super) base: String,
    token: tempfile::NamedTempFile,
}

pub(super) const TOKEN: &str = "ghp_hunter2";

impl Stage {
    /// Answers by a function of what was asked and of how much was asked before.
    pub(super) async fn new(answer: impl Fn(&Asked, usize) -> Reply + Send + Sync + 'static) -> Self {
        Self::with_pace(Pace::GITHUB, answer).await
    }

    pub(super) async fn with_pace(pace: Pace, answer: impl Fn(&Asked, usize) -> Reply + Send + Sync + 'static) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let asked: Arc<Mutex<Vec<Asked>>> = Arc::default();
        let (answer, remembered) = (Arc::new(answer), Arc::clone(&asked));
        let router = Router::new().fallback(move |request: Request| {
            let (answer, remembered) = (Arc::clone(&answer), Arc::clone(&remembered));
            async move {
                let (parts, body) = request.into_parts();
                let body = to_bytes(body, usize::MAX).await.unwrap();
                let path = parts.uri.path_and_query().unwrap().as_str().to_owned();
                let path = path.strip_prefix("/api/v3").unwrap_or(&path);
                let asked = Asked {
                    what: format!("{} {path}", parts.method),
                    headers: parts.headers,
                    body: serde_json::from_slice(&body).unwrap_or_default(),
                };
                let before = {
                    let mut remembered = remembered.lock().unwrap();
                    remembered.push(asked.clone());
                    remembered.len() - 1
                };
                sent(answer(&asked, before))
            }
        });
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        let token = tempfile::NamedTempFile::new().unwrap();
        tokio::fs::write(token.path(), TOKEN).await.unwrap();
        let clock = Arc::new(HandClock(Mutex::new("2027-01-15T08:00:00Z".parse().unwrap())));
        let spec = GithubSpec {
            api: format!("{base}/api/v3").parse().unwrap(),
            access: GithubAccess::Token(SecretRef::File(token.path().to_owned())),
            repositories: [(source(), "acme/retail".to_owned())].into(),
            deployments: false,
            pace,
        };
        let forge = GithubForge::new(spec, Arc::clone(&clock) as _);
        Self { asked, forge, clock, base, token }
    }

    pub(super) fn token_file(&self) -> &std::path::Path {
        self.token.path()
    }

    /// What was asked so far, in one line each.
    pub(super) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().iter().map(|asked| asked.what.clone()).collect()
    }
}

fn sent(reply: Reply) -> Response {
    let mut response = Response::builder().status(reply.status);
    for (name, value) in &reply.headers {
        response = response.header(name, value);
    }
    if reply.is_cut {
        // The body is shorter than its length says: the connection ends.
        let whole = reply.body.len() + 100;
        return response.header("content-length", whole).body(Body::from(reply.body)).unwrap();
    }
    response.body(Body::from(reply.body)).unwrap()
}

pub(super) fn source() -> SourceName {
    "retail".parse().unwrap()
}

pub(super) fn revision() -> Revision {
    "0123456789abcdef0123456789abcdef01234567".parse().unwrap()
}

pub(super) fn status() -> Report {
    Report::new(&source(), &revision(), &ReportContext::Validate, ReportState::Success, "fine")
}
