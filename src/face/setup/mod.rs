//! Making a GitHub App, by GitHub's manifest flow: a page on this machine sends the manifest to GitHub,
//! a person confirms it there, GitHub sends the browser back with a code, and the code is exchanged for
//! the App's id, its private key and its webhook secret.
//!
//! That page listens on the loopback address only, and for one App. What comes back counts only with the
//! `state` that this run drew: somebody else's code is not exchanged. The daemon, which others reach, has a
//! page under the same path that only explains ([`guide`]).

mod manifest;
mod page;

pub use manifest::{EVENTS, Event, Manifest, PERMISSIONS, Permission};

use std::sync::Arc;

use async_trait::async_trait;
use axum::Router;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use serde::Deserialize;
use subtle::ConstantTimeEq;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// An App that GitHub has just made. It has secrets in it, so it is never printed.
#[derive(Clone)]
pub struct NewApp {
    /// Its id: `app_id` of the configuration.
    pub id: u64,
    /// The last part of its page's address.
    pub slug: String,
    /// Its page; `/installations/new` below it installs it.
    pub html_url: String,
    /// The private key, PEM.
    pub private_key: String,
    /// The secret by which deliveries are signed, where it has a webhook.
    pub webhook_secret: Option<String>,
}

impl std::fmt::Debug for NewApp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewApp").field("id", &self.id).field("slug", &self.slug).finish_non_exhaustive()
    }
}

/// Exchanges the code that comes back from GitHub.
#[async_trait]
pub trait AppRegistrar: Send + Sync {
    /// The App that was made; a sentence for people when there is none. A code can be exchanged once.
    async fn exchange(&self, code: &str) -> Result<NewApp, String>;
}

/// What the page needs.
pub struct Setup {
    /// What is asked of GitHub.
    pub manifest: Manifest,
    /// Where the form goes: `https://github.com/settings/apps/new`, or an organisation's.
    pub action: String,
    /// Drawn for this run; comes back from GitHub.
    pub state: String,
    /// Exchanges the code.
    pub registrar: Arc<dyn AppRegistrar>,
}

impl std::fmt::Debug for Setup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Setup").field("manifest", &self.manifest).finish_non_exhaustive()
    }
}

/// The path of the page.
pub const PAGE: &str = "/setup/github";
/// The path to which GitHub sends the browser back.
pub const DONE: &str = "/setup/github/done";

struct Shared {
    setup: Setup,
    made: mpsc::Sender<NewApp>,
}

/// Serves the page until an App was made or `stop` is told; `None` when it was stopped before.
pub async fn lead_through(
    listener: TcpListener,
    setup: Setup,
    stop: &CancellationToken,
) -> std::io::Result<Option<NewApp>> {
    let (made, mut receives) = mpsc::channel(1);
    let over = stop.child_token();
    let served = tokio::spawn({
        let router = router(Arc::new(Shared { setup, made }));
        let over = over.clone();
        async move { axum::serve(listener, router).with_graceful_shutdown(over.cancelled_owned()).await }
    });
    let app = tokio::select! {
        app = receives.recv() => app,
        () = stop.cancelled() => None,
    };
    // The answer to the request that brought the App is let end.
    over.cancel();
    match served.await {
        Ok(ended) => ended.map(|()| app),
        Err(panic) => Err(std::io::Error::other(panic)),
    }
}

/// The same path on the daemon. Whoever reaches the daemon could otherwise begin a set-up, and get hold of the
/// key that GitHub hands out at its end; so there is only a page that says what is needed and how it is made.
pub fn guide() -> Router {
    Router::new().route(PAGE, get(|| async { shown(StatusCode::OK, page::guide()) }))
}

fn router(shared: Arc<Shared>) -> Router {
    Router::new().route(PAGE, get(begin)).route(DONE, get(done)).with_state(shared)
}

async fn begin(State(shared): State<Arc<Shared>>) -> Response {
    let Setup { manifest, action, state, .. } = &shared.setup;
    shown(StatusCode::OK, page::begin(manifest, action, state))
}

#[derive(Deserialize)]
struct Back {
    code: Option<String>,
    state: Option<String>,
}

async fn done(State(shared): State<Arc<Shared>>, Query(back): Query<Back>) -> Response {
    let state = back.state.unwrap_or_default();
    if !bool::from(state.as_bytes().ct_eq(shared.setup.state.as_bytes())) {
        let text =
            "This answer does not belong to the set-up that runs here. Begin again from the address in the terminal.";
        return shown(StatusCode::BAD_REQUEST, page::refused(text));
    }
    let Some(code) = back.code.filter(|code| is_code(code)) else {
        return shown(StatusCode::BAD_REQUEST, page::refused("GitHub sent no code. Begin again."));
    };
    match shared.setup.registrar.exchange(&code).await {
        Ok(app) => {
            let page = page::done(&app);
            // When nobody waits any more, the set-up was stopped, and the App is to be seen on GitHub only.
            if shared.made.send(app).await.is_err() {
                return shown(StatusCode::GONE, page::refused("The set-up was stopped meanwhile. Begin again."));
            }
            shown(StatusCode::OK, page)
        }
        Err(message) => shown(StatusCode::BAD_GATEWAY, page::refused(&message)),
    }
}

/// What GitHub's codes look like; anything else never becomes part of an address.
fn is_code(code: &str) -> bool {
    (1..=100).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// A page that loads nothing from anywhere and is kept by nobody.
fn shown(status: StatusCode, page: String) -> Response {
    let mut headers = HeaderMap::new();
    let policy =
        "default-src 'none'; style-src 'unsafe-inline'; form-action https: http://127.0.0.1:*; frame-ancestors 'none'";
    headers.insert(header::CONTENT_SECURITY_POLICY, header::HeaderValue::from_static(policy));
    headers.insert(header::CACHE_CONTROL, header::HeaderValue::from_static("no-store"));
    headers.insert(header::REFERRER_POLICY, header::HeaderValue::from_static("no-referrer"));
    (status, headers, Html(page)).into_response()
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;

    use super::*;

    /// Takes one code, once, as GitHub does.
    #[derive(Default)]
    struct Github {
        exchanged: std::sync::Mutex<Vec<String>>,
    }

    #[async_trait]
    impl AppRegistrar for Github {
        async fn exchange(&self, code: &str) -> Result<NewApp, String> {
            let mut exchanged = self.exchanged.lock().unwrap();
            exchanged.push(code.to_owned());
            if code != "right" {
                return Err("GitHub does not know this code: begin again".to_owned());
            }
            Ok(NewApp {
                id: 7,
                slug: "meshwright-acme".to_owned(),
                html_url: "https://github.com/apps/meshwright-acme".to_owned(),
                private_key: "key".to_owned(),
                webhook_secret: Some("secret".to_owned()),
            })
        }
    }

    async fn get(address: std::net::SocketAddr, path: &str) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    fn asked(github: &Arc<Github>) -> Setup {
        Setup {
            manifest: Manifest {
                name: "meshwright-acme".to_owned(),
                url: "https://mesh.example.com".to_owned(),
                webhook: None,
                redirect: "http://127.0.0.1/setup/github/done".to_owned(),
                deployments: false,
            },
            action: "https://github.com/organizations/acme/settings/apps/new".to_owned(),
            state: "drawn".to_owned(),
            registrar: Arc::clone(github) as Arc<dyn AppRegistrar>,
        }
    }

    #[tokio::test]
    async fn only_the_answer_to_our_own_question_is_exchanged_and_then_it_is_over() {
        let github = Arc::new(Github::default());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let led = tokio::spawn({
            let (setup, stop) = (asked(&github), stop.clone());
            async move { lead_through(listener, setup, &stop).await }
        });

        let page = get(address, PAGE).await;
        assert!(page.contains("https://github.com/organizations/acme/settings/apps/new?state=drawn"), "{page}");
        assert!(page.contains("&quot;pull_requests&quot;:&quot;write&quot;"), "{page}");
        assert!(page.contains("default-src 'none'"), "{page}");

        for wrong in ["?code=right", "?code=right&state=other", "?state=drawn", "?code=../../user&state=drawn"] {
            let answer = get(address, &format!("{DONE}{wrong}")).await;
            assert!(answer.starts_with("HTTP/1.1 400"), "{wrong}: {answer}");
        }
        assert_eq!(*github.exchanged.lock().unwrap(), Vec::<String>::new(), "nothing of that reaches GitHub");

        let refused = get(address, &format!("{DONE}?code=wrong&state=drawn")).await;
        assert!(refused.starts_with("HTTP/1.1 502") && refused.contains("does not know this code"), "{refused}");

        let done = get(address, &format!("{DONE}?code=right&state=drawn")).await;
        assert!(done.starts_with("HTTP/1.1 200") && done.contains("/installations/new"), "{done}");
        let app = led.await.unwrap().unwrap().unwrap();
        assert_eq!((app.id, app.private_key.as_str()), (7, "key"));
        assert!(TcpStream::connect(address).await.is_err(), "nobody listens any more");
    }

    #[tokio::test]
    async fn giving_up_ends_it() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stop = CancellationToken::new();
        stop.cancel();
        let led = lead_through(listener, asked(&Arc::new(Github::default())), &stop).await.unwrap();
        assert!(led.is_none());
    }
}
