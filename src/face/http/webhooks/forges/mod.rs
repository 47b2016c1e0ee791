//! How each kind of forge signs, names and words what it delivers. A module per kind turns headers and
//! payload into a [`Hint`]; what it does not know is passed over.

mod generic;
mod gitea;
mod github;
mod gitlab;
mod payload;

use axum::http::HeaderMap;
use serde_json::error::Category;

use crate::domain::forge::delivery::{DeliveryId, Hint, InvalidDeliveryId};

use super::proof::Proof;
use super::settings::HookKind;

/// The names of the headers of a kind.
struct Names {
    event: Option<&'static str>,
    delivery: &'static [&'static str],
}

/// A payload that is not what its event promises: where, and in which way. Nothing of the payload
/// itself is in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {what}")]
pub struct Unreadable {
    line: usize,
    column: usize,
    what: String,
}

impl From<serde_json::Error> for Unreadable {
    fn from(error: serde_json::Error) -> Self {
        let said = error.to_string();
        let what = match error.classify() {
            Category::Eof => "the payload ends too early".to_owned(),
            // The only words of the library that have nothing of the payload in them.
            Category::Data if said.starts_with("missing field") => {
                said.split(" at line").next().unwrap_or("a field is missing").to_owned()
            }
            Category::Data => "a value is of another type than this event has there".to_owned(),
            Category::Syntax | Category::Io => "the payload is no JSON".to_owned(),
        };
        Self { line: error.line(), column: error.column(), what }
    }
}

impl HookKind {
    /// What a delivery brings to be believed; `None` when it brings nothing that can be.
    pub(super) fn proof(self, headers: &HeaderMap) -> Option<Proof> {
        match self {
            // `X-Hub-Signature`, which has SHA-1, is not looked at.
            HookKind::Github => Proof::signature(headers, "x-hub-signature-256", "sha256="),
            HookKind::Gitea => ["x-forgejo-signature", "x-gitea-signature"]
                .into_iter()
                .find_map(|name| Proof::signature(headers, name, ""))
                .or_else(|| Proof::signature(headers, "x-hub-signature-256", "sha256=")),
            HookKind::Gitlab => Proof::token(headers, "x-gitlab-token"),
            HookKind::GenericHmac => Proof::signature(headers, generic::SIGNATURE, "sha256="),
        }
    }

    const fn names(self) -> Names {
        match self {
            HookKind::Github => Names { event: Some("x-github-event"), delivery: &["x-github-delivery"] },
            HookKind::Gitea => {
                Names { event: Some("x-gitea-event"), delivery: &["x-forgejo-delivery", "x-gitea-delivery"] }
            }
            // The key stays the same when a delivery is tried again. Older servers have only the UUID,
            // which deliveries that cause one another share, so that it cannot tell them apart.
            HookKind::Gitlab => Names { event: Some("x-gitlab-event"), delivery: &["idempotency-key"] },
            HookKind::GenericHmac => Names { event: None, delivery: &[generic::DELIVERY] },
        }
    }

    /// The delivery's id; `None` when it has none.
    pub(super) fn delivery(self, headers: &HeaderMap) -> Result<Option<DeliveryId>, InvalidDeliveryId> {
        let value = self.names().delivery.iter().find_map(|name| headers.get(*name));
        value.map(|value| value.to_str().map_err(|_| InvalidDeliveryId)?.parse()).transpose()
    }

    /// The name of the event; `None` when it is not said.
    pub(super) fn event(self, headers: &HeaderMap) -> Option<&str> {
        match self.names().event {
            Some(name) => headers.get(name)?.to_str().ok(),
            None => Some(generic::EVENT),
        }
    }

    /// What the payload lets one suspect; `None` for events of which nothing follows.
    pub(super) fn read(self, event: &str, payload: &[u8]) -> Result<Option<Hint>, Unreadable> {
        let hint = match self {
            HookKind::Github => github::read(event, payload),
            HookKind::Gitea => gitea::read(event, payload),
            HookKind::Gitlab => gitlab::read(event, payload),
            HookKind::GenericHmac => generic::read(payload).map(Some),
        };
        Ok(hint?)
    }
}
