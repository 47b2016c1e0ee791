//! From headers and a believed body to what is recorded. Pure, and total: whatever stands there ends in
//! a hint, in nothing, or in a sentence.

use std::borrow::Cow;

use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use jiff::SignedDuration;

use crate::domain::forge::delivery::{
    Asked, Asking, CommandRequest, Delivery, DeliveryId, Hint, RepositoryIndex, WatchedBranch,
};
use crate::domain::id::{Digest, ForgeName};
use crate::domain::time::{Timestamp, to_millis};

use super::settings::HookKind;

/// A command that was written longer ago than this is not taken any more: GitHub delivers nothing again
/// after three days, so it is a replay, and nobody waits for it.
const OLDEST_COMMAND: SignedDuration = SignedDuration::from_hours(3 * 24);

/// How the payload stands in the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// As it is.
    Json,
    /// As the field `payload` of a form.
    Form,
}

/// How the payload stands in the body, by the content type; `None` for any other.
pub fn content_form(headers: &HeaderMap) -> Option<Form> {
    let media = headers.get(CONTENT_TYPE)?.to_str().ok()?.split(';').next()?.trim();
    if media.eq_ignore_ascii_case("application/json") {
        Some(Form::Json)
    } else if media.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        Some(Form::Form)
    } else {
        None
    }
}

/// A delivery that was understood.
#[derive(Debug)]
pub struct Understood {
    /// Its id, if the forge gave it one.
    pub id: Option<DeliveryId>,
    /// What it says.
    pub hint: Hint,
    /// The digest of the body: what was signed.
    pub digest: Digest,
}

/// Reads a believed body. `Ok(None)` is an event of which nothing follows; `Err` is a sentence for whoever
/// sent it, without anything of the payload.
pub fn understand(kind: HookKind, headers: &HeaderMap, form: Form, body: &[u8]) -> Result<Option<Understood>, String> {
    let id = kind.delivery(headers).map_err(|error| error.to_string())?;
    let event = kind.event(headers).ok_or("the header with the event is missing")?;
    let payload = match form {
        Form::Json => Cow::Borrowed(body),
        Form::Form => form_urlencoded::parse(body)
            .find(|(name, _)| name == "payload")
            .map(|(_, payload)| Cow::Owned(payload.into_owned().into_bytes()))
            .ok_or("the form has no field 'payload'")?,
    };
    let hint = kind.read(event, &payload).map_err(|error| error.to_string())?;
    Ok(hint.map(|hint| Understood { id, hint, digest: Digest::of(body) }))
}

impl Understood {
    /// What is recorded of it.
    pub fn delivery(mut self, forge: &ForgeName, index: &RepositoryIndex, now: Timestamp) -> Delivery {
        let id = self.id.take().unwrap_or_else(|| made_id(&self.digest, now));
        let asking = self.hint.asking.take().filter(|asking| !is_stale(asking, now));
        let commands = asking.map(|asking| self.commands(&asking, forge, &id, index, now)).unwrap_or_default();
        let targets = self.hint.targets(forge, index);
        Delivery { forge: forge.clone(), id, received_at: now, hint: self.hint, targets, commands }
    }

    /// One request for each source of the repository.
    fn commands(
        &self,
        asking: &Asking,
        forge: &ForgeName,
        delivery: &DeliveryId,
        index: &RepositoryIndex,
        now: Timestamp,
    ) -> Vec<CommandRequest> {
        // The headers are not signed: with another id, the same delivery could be sent again.
        let origin = match asking.comment {
            Some(comment) => format!("comment:{comment}"),
            None => format!("signed:{}", self.digest),
        };
        let asked = match &asking.command {
            Ok(command) => Asked::Command(command.clone()),
            Err(why) => Asked::Unclear(why.to_string()),
        };
        let request = |watched: &WatchedBranch| CommandRequest {
            forge: forge.clone(),
            delivery: delivery.clone(),
            origin: origin.clone(),
            source: watched.source.clone(),
            pull: asking.pull,
            comment: asking.comment,
            head: asking.head.clone(),
            author: asking.author.clone(),
            asked: asked.clone(),
            at: now,
        };
        let is_meant = |watched: &&WatchedBranch| asking.source.as_ref().is_none_or(|source| *source == watched.source);
        self.hint.watched(forge, index).filter(is_meant).map(request).collect()
    }
}

fn is_stale(asking: &Asking, now: Timestamp) -> bool {
    asking.written_at.is_some_and(|written| now.duration_since(written) > OLDEST_COMMAND)
}

/// An id for a delivery that came without one. It has the time in it, so that two alike are two: what is
/// dropped as a duplicate must have been the same delivery, and nobody says so here.
fn made_id(digest: &Digest, now: Timestamp) -> DeliveryId {
    let text = format!("{}-{}", to_millis(now), digest.short());
    DeliveryId::made(&text)
}
