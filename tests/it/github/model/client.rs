//! A plain client, so that what goes over the wire is what stands in the test.

use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::{HeaderMap, Request};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

use crate::support::github::{AppHandle, Hub};

/// What came back.
#[derive(Debug)]
pub struct Got {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
}

impl Got {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_default()
    }

    pub fn header(&self, name: &str) -> String {
        self.headers.get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
    }
}

/// Somebody who asks, with a token or without.
#[derive(Debug, Clone)]
pub struct Asker {
    base: String,
    token: Option<String>,
}

impl Asker {
    pub fn nobody(hub: &Hub) -> Self {
        Self { base: hub.api_url(), token: None }
    }

    pub fn with_token(hub: &Hub, token: &str) -> Self {
        Self { base: hub.api_url(), token: Some(token.to_owned()) }
    }

    pub fn person(hub: &Hub, login: &str) -> Self {
        Self::with_token(hub, &hub.token(login))
    }

    /// An App itself.
    pub fn app(hub: &Hub, app: AppHandle<'_>) -> Self {
        Self::with_token(hub, &jwt(hub, app, 0, 540))
    }

    /// An App as it is installed.
    pub async fn installation(hub: &Hub, app: AppHandle<'_>, installation: u64) -> Self {
        let path = format!("/app/installations/{installation}/access_tokens");
        let got = Self::app(hub, app).post(&path, &json!({})).await;
        assert_eq!(got.status, 201, "{}", got.text);
        Self::with_token(hub, got.json()["token"].as_str().unwrap())
    }

    pub async fn get(&self, path: &str) -> Got {
        self.ask("GET", path, None, &[]).await.unwrap()
    }

    pub async fn post(&self, path: &str, body: &Value) -> Got {
        self.ask("POST", path, Some(body), &[]).await.unwrap()
    }

    pub async fn patch(&self, path: &str, body: &Value) -> Got {
        self.ask("PATCH", path, Some(body), &[]).await.unwrap()
    }

    pub async fn ask(
        &self,
        method: &str,
        path: &str,
        body: Option<&Value>,
        headers: &[(&str, &str)],
    ) -> Result<Got, String> {
        let url = if path.starts_with("http") { path.to_owned() } else { format!("{}{path}", self.base) };
        let mut request = Request::builder().method(method).uri(url).header("user-agent", "meshwright-tests");
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = body.map(|body| Bytes::from(body.to_string())).unwrap_or_default();
        let client = Client::builder(TokioExecutor::new()).build_http();
        let exchange = client.request(request.body(Full::new(body)).unwrap());
        let response = exchange.await.map_err(|error| error.to_string())?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = response.into_body().collect().await.map_err(|error| error.to_string())?.to_bytes();
        Ok(Got { status, headers, text: String::from_utf8(body.to_vec()).unwrap() })
    }
}

/// An App's token, issued and ending so many seconds from now.
pub fn jwt(hub: &Hub, app: AppHandle<'_>, issued: i64, ends: i64) -> String {
    signed(hub, app, &app.id.to_string(), issued, ends)
}

/// The same, by any name.
pub fn signed(hub: &Hub, app: AppHandle<'_>, issuer: &str, issued: i64, ends: i64) -> String {
    let now = hub.now().as_second();
    let claims = json!({ "iat": now + issued, "exp": now + ends, "iss": issuer });
    let key = EncodingKey::from_rsa_pem(app.private_key().as_bytes()).unwrap();
    jsonwebtoken::encode(&Header::new(Algorithm::RS256), &claims, &key).unwrap()
}
