//! The server: one request after another is looked at, met by a fault if one waits for it, answered,
//! and written down.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body as HttpBody, Bytes, Frame, Incoming};
use hyper::http::request::Parts;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode, header};
use hyper_util::rt::TokioIo;
use percent_encoding::percent_decode_str;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::Notify;

use super::answer::Answer;
use super::auth::{Caller, Need};
use super::description;
use super::faults::Trouble;
use super::routes::{self, Call};
use super::smart_http;
use super::world::{Found, Seen, World};

/// How long a request that nobody answers is kept open.
const FOR_EVER: Duration = Duration::from_secs(3600);

/// What the server and its owner share.
#[derive(Debug)]
pub struct Shared {
    world: Mutex<World>,
    /// Rung when there is something in the outbox.
    pub outbox: Notify,
}

impl Shared {
    pub fn new(world: World) -> Self {
        Self { world: Mutex::new(world), outbox: Notify::new() }
    }

    pub fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The connection is closed without an answer.
#[derive(Debug, thiserror::Error)]
#[error("no answer, as demanded")]
struct NoAnswer;

type Reply = Response<UnsyncBoxBody<Bytes, NoAnswer>>;

/// Serves until the runtime ends.
pub async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            let service = service_fn(move |request| reply(Arc::clone(&shared), request));
            // A connection ends as its other side likes.
            let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn reply(shared: Arc<Shared>, request: Request<Incoming>) -> Result<Reply, NoAnswer> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| NoAnswer)?.to_bytes();
    let path = parts.uri.path().to_owned();
    if let Some((repository, _)) = path.split_once(".git/") {
        return Ok(whole(git(&shared, repository.trim_start_matches('/'), &parts, &body).await));
    }
    // As GitHub Enterprise has it, the API may be below a folder.
    let path = path.strip_prefix("/api/v3").unwrap_or(&path).to_owned();
    let method = parts.method.as_str().to_owned();
    let trouble = shared.world().trouble(&method, &path);
    let answer = match trouble {
        Some(Trouble::Hang) => {
            shared.world().note(&parts, &path, &body, "", 0);
            tokio::time::sleep(FOR_EVER).await;
            return Err(NoAnswer);
        }
        Some(Trouble::Refused) => {
            shared.world().note(&parts, &path, &body, "", 0);
            return Err(NoAnswer);
        }
        Some(trouble) if trouble.answer().is_some() => {
            let answer = trouble.answer().ok_or(NoAnswer)?;
            shared.world().note(&parts, &path, &body, "", answer.status);
            answer
        }
        Some(_) | None => {
            let answer = shared.world().answer(&parts, &path, &body);
            shared.outbox.notify_one();
            answer
        }
    };
    match trouble {
        Some(Trouble::Lost) => Err(NoAnswer),
        Some(Trouble::CutOff) => Ok(half(&answer)),
        _ => Ok(whole(response(&answer))),
    }
}

fn response(answer: &Answer) -> Response<Bytes> {
    let (kind, bytes) = answer.bytes();
    let mut response = Response::builder().status(StatusCode::from_u16(answer.status).unwrap());
    if !kind.is_empty() {
        response = response.header(header::CONTENT_TYPE, kind);
    }
    for (name, value) in &answer.headers {
        response = response.header(*name, value);
    }
    response.body(Bytes::from(bytes)).unwrap()
}

fn whole(response: Response<Bytes>) -> Reply {
    response.map(|bytes| Full::new(bytes).map_err(|never: Infallible| match never {}).boxed_unsync())
}

fn half(answer: &Answer) -> Reply {
    response(answer).map(|bytes| Half(Some(bytes.slice(..bytes.len() / 2))).boxed_unsync())
}

/// A body that breaks off.
struct Half(Option<Bytes>);

impl HttpBody for Half {
    type Data = Bytes;
    type Error = NoAnswer;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, NoAnswer>>> {
        Poll::Ready(Some(self.0.take().map(Frame::data).ok_or(NoAnswer)))
    }
}

impl World {
    /// The account whose limits count for this caller.
    pub fn account(&self, caller: &Caller) -> String {
        match caller {
            Caller::Installation { installation, .. } => format!("installation/{installation}"),
            other => self.acts_as(other),
        }
    }

    fn trouble(&mut self, method: &str, path: &str) -> Option<Trouble> {
        let fault = self.faults.iter_mut().find(|fault| fault.is_for(method, path))?;
        fault.left -= 1;
        Some(fault.trouble)
    }

    fn note(&mut self, parts: &Parts, path: &str, body: &Bytes, by: &str, status: u16) {
        self.requests.push(Seen {
            method: parts.method.to_string(),
            path: path.to_owned(),
            query: parts.uri.query().unwrap_or_default().to_owned(),
            body: serde_json::from_slice(body).unwrap_or_default(),
            by: by.to_owned(),
            status,
        });
    }

    fn answer(&mut self, parts: &Parts, path: &str, body: &Bytes) -> Answer {
        let header = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok());
        let method = parts.method.as_str();
        let query = pairs(parts.uri.query().unwrap_or_default());
        let read = if body.is_empty() { Ok(Value::Null) } else { serde_json::from_slice(body) };
        let is_no_json = read.is_err();
        let json = read.unwrap_or_default();
        let caller = self.caller(header("authorization"));
        let by = caller.as_ref().map_or_else(|_| "?".to_owned(), |caller| self.acts_as(caller));
        let mut answer = if header("user-agent").is_none() {
            self.complaints.push(format!("{method} {path}: no user agent, which GitHub refuses"));
            Answer::forbidden(
                "Request forbidden by administrative rules. Please make sure your request has a User-Agent header.",
            )
        } else if is_no_json {
            self.complaints.push(format!("{method} {path}: the body is no JSON"));
            Answer::error(400, "Problems parsing JSON")
        } else {
            self.complaints.extend(description::wrong_with_request(method, path, &query, &json));
            match caller {
                Err(answer) => answer,
                Ok(caller) => self.answer_to(parts, path, query, json, caller),
            }
        };
        self.complaints.extend(description::wrong_with_answer(method, path, &answer));
        let media = "github.v3; format=json";
        answer.headers.extend([("x-github-media-type", media.to_owned()), ("server", "github.com".to_owned())]);
        answer.headers.push(("x-github-request-id", format!("{:04X}:MODEL", self.requests.len())));
        self.note(parts, path, body, &by, answer.status);
        answer
    }

    fn answer_to(
        &mut self,
        parts: &Parts,
        path: &str,
        query: Vec<(String, String)>,
        body: Value,
        caller: Caller,
    ) -> Answer {
        let method = parts.method.to_string();
        let (account, now) = (self.account(&caller), self.now());
        let is_free = path == "/rate_limit";
        let counted = if is_free { Ok(()) } else { self.limits.count(&account, &method, path, now) };
        let mut answer = match counted {
            Err(refusal) => refusal,
            Ok(()) => {
                let parts = path.split('/').filter(|part| !part.is_empty());
                let path_parts = parts.map(|part| percent_decode_str(part).decode_utf8_lossy().into_owned()).collect();
                let call = Call { method: method.clone(), path: path_parts, query, body, caller };
                let outcome = routes::answer(self, &call).unwrap_or_else(|| {
                    self.complaints.push(format!("{method} {path}: the model knows no such request"));
                    Err(Answer::not_found())
                });
                let url = format!("{}{path}", self.base);
                outcome.unwrap_or_else(|refusal| refusal).paged(&url, &call.query)
            }
        };
        if method == "GET" && answer.status == 200 {
            let tag = Answer::tag(&answer.bytes().1);
            let asked = parts.headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
            if asked.is_some_and(|asked| asked.split(", ").any(|asked| asked == tag)) {
                answer.status = 304;
                answer.body = super::answer::Body::Empty;
                self.limits.give_back(&account);
            }
            answer.headers.push(("etag", tag));
            answer.headers.push(("cache-control", "private, max-age=60, s-maxage=60".to_owned()));
        }
        let (limit, used, reset) = self.limits.standing(&account, now);
        let figures = [("limit", limit), ("used", used), ("remaining", limit - used)];
        let named = |name: &str| match name {
            "limit" => "x-ratelimit-limit",
            "used" => "x-ratelimit-used",
            _ => "x-ratelimit-remaining",
        };
        answer.headers.extend(figures.map(|(name, figure)| (named(name), figure.to_string())));
        answer.headers.push(("x-ratelimit-reset", reset.to_string()));
        answer.headers.push(("x-ratelimit-resource", "core".to_owned()));
        answer.headers.push(("date", http_date(now)));
        answer
    }
}

/// A time as headers have it.
fn http_date(at: jiff::Timestamp) -> String {
    at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

fn pairs(query: &str) -> Vec<(String, String)> {
    let decode = |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
    let pair = |part: &str| {
        let (key, value) = part.split_once('=').unwrap_or((part, ""));
        (decode(key), decode(value))
    };
    query.split('&').filter(|part| !part.is_empty()).map(pair).collect()
}

/// Git over HTTP: who may read, who may push, and what a push means.
async fn git(shared: &Shared, name: &str, parts: &Parts, body: &Bytes) -> Response<Bytes> {
    let path = parts.uri.path();
    let is_push = path.ends_with("/git-receive-pack") || parts.uri.query() == Some("service=git-receive-pack");
    let (folder, id, by) = {
        let mut world = shared.world();
        if let Some(trouble) = world.trouble(&format!("GIT {}", parts.method), path)
            && let Some(answer) = trouble.answer()
        {
            return response(&answer);
        }
        let (owner, short) = name.split_once('/').unwrap_or((name, ""));
        let (Found::Here(id) | Found::Moved(id)) = world.find(owner, short) else { return smart_http::who_are_you() };
        if world.find(owner, short) == Found::Moved(id) {
            let to = world.repository(id).full_name();
            let (_, below) = path.split_once(".git/").unwrap_or_default();
            let query = parts.uri.query().map(|query| format!("?{query}")).unwrap_or_default();
            let place = format!("{}/{to}.git/{below}{query}", world.base);
            return response(&Answer {
                status: 301,
                headers: vec![("location", place)],
                body: super::answer::Body::Empty,
            });
        }
        let header = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let Ok(caller) = world.caller(header) else { return smart_http::who_are_you() };
        let need = if is_push { Need::Write(&["contents"]) } else { Need::Read(&["contents"]) };
        if let Err(refusal) = world.may(&caller, id, need) {
            let is_unknown = caller == Caller::Nobody;
            return if is_unknown { smart_http::who_are_you() } else { response(&refusal) };
        }
        (world.repository(id).folder.clone(), id, world.acts_as(&caller))
    };
    let below = path.split_once(".git").map_or("", |(_, below)| below);
    if !path.ends_with("/git-receive-pack") {
        return smart_http::answer(&folder, below, parts, body).await;
    }
    let before = shared.world().repository(id).references();
    let response = smart_http::answer(&folder, below, parts, body).await;
    let mut world = shared.world();
    let after = world.repository(id).references();
    let names: std::collections::BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    for reference in names {
        let (from, to) = (before.get(reference), after.get(reference));
        if from != to {
            world.pushed(id, reference, from.map(String::as_str), to.map(String::as_str), &by);
        }
    }
    drop(world);
    shared.outbox.notify_one();
    response
}
