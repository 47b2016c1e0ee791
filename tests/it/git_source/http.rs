//! Over HTTP with credentials: a small server that asks for them and lets `git http-backend`
//! answer. What a secret must not do is looked for while git runs, and afterwards.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::serve::Listener;
use meshwright::adapter::git::GitSourceSpec;
use meshwright::config::{Credentials, SecretRef};
use meshwright::port::source::FetchError;
use tokio::io::AsyncWriteExt as _;
use tokio::task::JoinHandle;

use super::processes::command_lines_with;
use super::{Fixture, at, files_below, spec};
use crate::support::repository::TestRepository;

pub(super) const PASSWORD: &str = "s3cret-p4ssword";
/// `bob:` and the password, in base64.
const AUTHORIZATION: &str = "Basic Ym9iOnMzY3JldC1wNHNzd29yZA==";

/// What the server saw.
#[derive(Debug, Default)]
struct Seen {
    answered: usize,
    command_lines: Vec<String>,
    paths: Vec<String>,
}

#[derive(Debug, Clone)]
struct Served {
    folder: PathBuf,
    seen: Arc<Mutex<Seen>>,
}

pub(super) struct HttpServer {
    pub(super) place: String,
    seen: Arc<Mutex<Seen>>,
    task: JoinHandle<()>,
}

impl HttpServer {
    async fn start(folder: &Path) -> Self {
        Self::start_on(tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap(), folder)
    }

    /// Answers whoever comes there.
    pub(super) fn start_on(listener: impl Listener<Addr = SocketAddr>, folder: &Path) -> Self {
        let place = listener.local_addr().unwrap().to_string();
        let seen = Arc::new(Mutex::new(Seen::default()));
        let served = Served { folder: folder.to_owned(), seen: Arc::clone(&seen) };
        let router = Router::new().fallback(answer).with_state(served);
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { place, seen, task }
    }
}

impl Drop for HttpServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(State(served): State<Served>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path().to_owned();
    served.seen.lock().unwrap().paths.push(path.clone());
    if path.starts_with("/moved") {
        let elsewhere = format!("/.git/{}", path.trim_start_matches("/moved/"));
        let query = parts.uri.query().unwrap_or_default();
        return (StatusCode::FOUND, [(header::LOCATION, format!("{elsewhere}?{query}"))]).into_response();
    }
    if parts.headers.get(header::AUTHORIZATION).is_none_or(|value| value != AUTHORIZATION) {
        return (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, "Basic realm=\"mesh\"")]).into_response();
    }
    {
        let mut seen = served.seen.lock().unwrap();
        seen.answered += 1;
        seen.command_lines.extend(command_lines_with("git"));
    }
    let body = axum::body::to_bytes(body, 1 << 24).await.unwrap();
    backend(&served.folder, parts.method.as_str(), parts.uri.path(), parts.uri.query(), &parts.headers, &body).await
}

/// Runs `git http-backend` as a web server would.
async fn backend(
    folder: &Path,
    method: &str,
    path: &str,
    query: Option<&str>,
    headers: &HeaderMap,
    body: &Bytes,
) -> Response {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let mut child = tokio::process::Command::new("git")
        .arg("http-backend")
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("HOME", folder)
        .env("GIT_PROJECT_ROOT", folder)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("REQUEST_METHOD", method)
        .env("PATH_INFO", path)
        .env("QUERY_STRING", query.unwrap_or_default())
        .env("CONTENT_TYPE", text("content-type"))
        .env("HTTP_CONTENT_ENCODING", text("content-encoding"))
        .env("HTTP_GIT_PROTOCOL", text("git-protocol"))
        .env("CONTENT_LENGTH", body.len().to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let body = body.clone();
    let writer = tokio::spawn(async move {
        let _ = input.write_all(&body).await;
    });
    let output = child.wait_with_output().await.unwrap().stdout;
    writer.await.unwrap();
    let end = output.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    let mut response = Response::new(axum::body::Body::from(output[end + 4..].to_vec()));
    for line in String::from_utf8(output[..end].to_vec()).unwrap().lines() {
        let (name, value) = line.split_once(": ").unwrap();
        if name == "Status" {
            *response.status_mut() = value[..3].parse().unwrap();
        } else {
            response.headers_mut().insert(header::HeaderName::try_from(name).unwrap(), value.parse().unwrap());
        }
    }
    response
}

pub(super) fn with_password(url: &str, secret: PathBuf) -> Vec<GitSourceSpec> {
    let credentials = Credentials::Basic { username: "bob".to_owned(), password: SecretRef::File(secret) };
    vec![GitSourceSpec { credentials: Some(credentials), ..spec("mesh", url) }]
}

pub(super) fn secret_file(content: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("password");
    std::fs::write(&file, format!("{content}\n")).unwrap();
    (folder, file)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_password_lets_us_in_and_is_seen_nowhere() {
    let repository = TestRepository::new();
    let revision = repository.commit(&[("a", "1")], "first");
    let server = HttpServer::start(repository.path()).await;
    let url = format!("http://{}/.git", server.place);
    let (_folder, secret) = secret_file(PASSWORD);
    let fixture = Fixture::new(with_password(&url, secret));
    assert_eq!(fixture.fetch().await, at(&revision));
    assert_eq!(fixture.read(&revision, "a").await.unwrap(), "1");

    let seen = server.seen.lock().unwrap();
    assert!(seen.answered >= 3, "{seen:?}");
    // The look at the processes was a look at the right ones, and none of them showed the secret.
    assert!(seen.command_lines.iter().any(|line| line.contains("fetch") && line.contains(&url)), "{seen:?}");
    assert!(seen.command_lines.iter().any(|line| line.contains("remote-http")), "{seen:?}");
    for text in [PASSWORD, AUTHORIZATION.trim_start_matches("Basic ")] {
        assert!(!seen.command_lines.iter().any(|line| line.contains(text)), "{seen:?}");
        for file in files_below(fixture.mirrors.path()) {
            let bytes = std::fs::read(&file).unwrap();
            assert!(!bytes.windows(text.len()).any(|part| part == text.as_bytes()), "{}", file.display());
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_or_missing_password_is_told_without_it() {
    let repository = TestRepository::new();
    repository.commit(&[("a", "1")], "first");
    let server = HttpServer::start(repository.path()).await;
    let url = format!("http://{}/.git", server.place);
    let (_folder, secret) = secret_file("wr0ng-p4ssword");
    let Err(FetchError::Unreachable(message)) = Fixture::new(with_password(&url, secret)).fetch().await else {
        panic!("a wrong password must not let us in")
    };
    assert!(message.contains("Authentication failed"), "{message}");
    assert!(!message.contains("wr0ng"), "{message}");

    let nobody = Fixture::of(&url).fetch().await;
    assert!(matches!(nobody, Err(FetchError::Unreachable(_))), "{nobody:?}");
    let nowhere = Fixture::new(with_password(&url, "/nowhere/password".into())).fetch().await;
    assert!(
        matches!(&nowhere, Err(FetchError::Local(message)) if message.contains("/nowhere/password")),
        "{nowhere:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redirects_are_not_followed() {
    let repository = TestRepository::new();
    repository.commit(&[("a", "1")], "first");
    let server = HttpServer::start(repository.path()).await;
    let (_folder, secret) = secret_file(PASSWORD);
    let url = format!("http://{}/moved", server.place);
    let outcome = Fixture::new(with_password(&url, secret)).fetch().await;
    assert!(matches!(&outcome, Err(FetchError::Refused(message)) if message.contains("redirect")), "{outcome:?}");
    let seen = server.seen.lock().unwrap();
    assert_eq!((seen.answered, seen.paths.iter().filter(|path| path.starts_with("/.git")).count()), (0, 0), "{seen:?}");
}
