//! Git over smart HTTP: `git http-backend` answers, as behind any web server.

use std::path::Path;
use std::process::Stdio;

use hyper::body::Bytes;
use hyper::http::request::Parts;
use hyper::{Response, StatusCode, header};
use tokio::io::AsyncWriteExt as _;

/// What the program answers to a request for a repository in this folder.
#[expect(clippy::disallowed_methods, reason = "the real git serves the repositories of tests")]
pub async fn answer(folder: &Path, below: &str, parts: &Parts, body: &Bytes) -> Response<Bytes> {
    let text =
        |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let mut child = tokio::process::Command::new("git")
        .arg("http-backend")
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", folder)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_PROJECT_ROOT", folder)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("REQUEST_METHOD", parts.method.as_str())
        .env("PATH_INFO", below)
        .env("QUERY_STRING", parts.uri.query().unwrap_or_default())
        .env("CONTENT_TYPE", text("content-type"))
        .env("HTTP_CONTENT_ENCODING", text("content-encoding"))
        .env("HTTP_GIT_PROTOCOL", text("git-protocol"))
        .env("CONTENT_LENGTH", body.len().to_string())
        .env("REMOTE_USER", "somebody")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let body = body.clone();
    let writer = tokio::spawn(async move {
        // The program may have read enough before the end.
        let _ = input.write_all(&body).await;
    });
    let output = child.wait_with_output().await.unwrap().stdout;
    writer.await.unwrap();
    response(&output)
}

/// From the form of CGI to a response.
fn response(output: &[u8]) -> Response<Bytes> {
    let split = output.windows(4).position(|window| window == b"\r\n\r\n").map_or(output.len(), |at| at + 4);
    let (head, body) = output.split_at(split);
    let mut response = Response::builder();
    for line in String::from_utf8_lossy(head).lines() {
        match line.split_once(": ") {
            Some(("Status", value)) => {
                let code = value.split(' ').next().and_then(|code| code.parse().ok());
                response = response.status(code.and_then(|code| StatusCode::from_u16(code).ok()).unwrap());
            }
            Some((name, value)) => response = response.header(name, value),
            None => {}
        }
    }
    response.body(Bytes::copy_from_slice(body)).unwrap()
}

/// Asks for credentials.
pub fn who_are_you() -> Response<Bytes> {
    let response = Response::builder().status(401).header(header::WWW_AUTHENTICATE, "Basic realm=\"GitHub\"");
    response.body(Bytes::from_static(b"Repository not found.\n")).unwrap()
}
