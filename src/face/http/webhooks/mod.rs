//! What forges deliver: `POST /webhooks/{forge}`, where the forge is one of the configuration.
//!
//! # Needs
//!
//! Whoever answers late is taken for dead by the forge, which then never tries again; whoever answers
//! before the delivery is durable loses it in a crash; and anybody on earth can send anything here.
//!
//! # Shape
//!
//! 1. What the head alone can say is said first: no such forge, nothing that could prove the sender, a
//!    content type that nobody sends.
//! 2. The body is read within limits of length, time and number (`body`).
//! 3. The sender is proved over the bytes as they came (`proof`). Until then nothing of the request is
//!    kept or logged but a counter.
//! 4. The kind's module turns the payload into a hint (`forges`); what it is about is looked up among the
//!    sources. What nobody watches is forgotten.
//! 5. The hint is recorded, together with the wakes that follow from it and with what is asked for. Then it is
//!    answered. A crash after that loses nothing.
//!
//! 200 says that the delivery is recorded, now or before; 202 that it was understood, and that nothing
//! follows from it.
//!
//! Absent: any belief in a payload. It says where to look.

mod body;
mod counters;
mod forges;
mod proof;
mod settings;
mod understand;
mod upkeep;

pub use counters::{Counters, Counts, Outcome};
pub use settings::{ForgeHook, HookKind, LARGEST_BODY, Secret, WebhookSecrets, WebhookSettings};
pub use upkeep::{Keep, keep_up, tell_counts};

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use tracing::{debug, error, warn};

use crate::domain::forge::delivery::{Delivery, DeliveryVerdict};
use crate::domain::id::{ForgeName, Revision, SourceName};
use crate::port::clock::Clock;
use crate::port::door::Door;
use crate::port::store::{DeliveryBook, Recorded};

use body::{NotRead, Turns};
use understand::{Understood, content_form, understand};

/// Bodies above this length are judged beside the threads that serve others, in bytes.
const LONG_TO_JUDGE: usize = 256 * 1024;

/// Takes in deliveries.
pub struct Receiver {
    settings: WebhookSettings,
    book: Arc<dyn DeliveryBook>,
    door: Arc<dyn Door>,
    clock: Arc<dyn Clock>,
    counters: Arc<Counters>,
    turns: Turns,
}

impl std::fmt::Debug for Receiver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Receiver").field("settings", &self.settings).finish_non_exhaustive()
    }
}

/// What is answered: a status and a line.
type Answer = (StatusCode, String);

/// The end of a request that was not taken: how it counts, and what is answered.
struct End(Outcome, StatusCode, String);

impl End {
    fn new(outcome: Outcome, status: StatusCode, line: impl Into<String>) -> Self {
        Self(outcome, status, line.into())
    }

    /// We ourselves are at fault.
    fn broken() -> Self {
        Self::new(Outcome::Failed, StatusCode::INTERNAL_SERVER_ERROR, "it could not be judged")
    }
}

impl From<NotRead> for End {
    fn from(why: NotRead) -> Self {
        let (status, line) = match why {
            NotRead::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "the body is too large"),
            NotRead::TooSlow => (StatusCode::REQUEST_TIMEOUT, "the body took too long"),
            NotRead::TooMany => (StatusCode::SERVICE_UNAVAILABLE, "too many deliveries come at once"),
            NotRead::Broken => (StatusCode::BAD_REQUEST, "the body broke off"),
        };
        End::new(Outcome::Dropped, status, line)
    }
}

impl Receiver {
    /// A receiver. All that it records goes to `book`, all that it wakes through `door`.
    pub fn new(
        settings: WebhookSettings,
        book: Arc<dyn DeliveryBook>,
        door: Arc<dyn Door>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let counters = Arc::new(Counters::of(settings.forges.keys()));
        Self { settings, book, door, clock, counters, turns: Turns::default() }
    }

    /// What came so far.
    pub fn counters(&self) -> Arc<Counters> {
        Arc::clone(&self.counters)
    }

    /// The route.
    pub fn router(self: Arc<Self>) -> Router {
        Router::new().route("/webhooks/{forge}", post(receive)).with_state(self)
    }

    async fn take(self: &Arc<Self>, name: &ForgeName, hook: &ForgeHook, request: Request) -> Result<Answer, End> {
        let headers = request.headers().clone();
        let unproved = || End::new(Outcome::Refused, StatusCode::UNAUTHORIZED, "the signature is missing or wrong");
        let proof = hook.kind.proof(&headers).ok_or_else(unproved)?;
        let form = content_form(&headers).ok_or_else(|| {
            let line = "the content type is neither application/json nor application/x-www-form-urlencoded";
            End::new(Outcome::Malformed, StatusCode::UNSUPPORTED_MEDIA_TYPE, line)
        })?;
        let most = self.settings.max_body.min(LARGEST_BODY);
        let body = self.turns.read(request, most, self.settings.body_patience).await?;
        let secrets = hook.secrets.current();
        if secrets.is_empty() {
            return Err(End::new(Outcome::Failed, StatusCode::SERVICE_UNAVAILABLE, "deliveries cannot be judged now"));
        }
        let (kind, bytes) = (hook.kind, body.bytes.clone());
        let judge = move || proof.holds(&secrets, &bytes).then(|| understand(kind, &headers, form, &bytes));
        let judged = if body.bytes.len() > LONG_TO_JUDGE {
            tokio::task::spawn_blocking(judge).await.map_err(|_| End::broken())?
        } else {
            judge()
        };
        let understood = judged.ok_or_else(unproved)?;
        // Whatever was needed of the body has been read.
        drop(body);
        match understood {
            // A task of its own: when the sender hangs up meanwhile, what is recorded is woken all the same.
            Ok(Some(understood)) => {
                let recording = tokio::spawn(Arc::clone(self).record(name.clone(), understood));
                match tokio::time::timeout(self.settings.answer_patience, recording).await {
                    Ok(Ok(answer)) => answer,
                    Ok(Err(_)) => Err(End::broken()),
                    // The forge is about to give up, and would not know why.
                    Err(_) => {
                        let line = "recording it takes too long";
                        Err(End::new(Outcome::Failed, StatusCode::SERVICE_UNAVAILABLE, line))
                    }
                }
            }
            Ok(None) => Err(End::new(Outcome::Ignored, StatusCode::ACCEPTED, "nothing follows from this event")),
            Err(why) => Err(End::new(Outcome::Malformed, StatusCode::BAD_REQUEST, why)),
        }
    }

    /// Records a delivery with wakes of what it is about, and rings.
    async fn record(self: Arc<Self>, name: ForgeName, understood: Understood) -> Result<Answer, End> {
        let name = &name;
        let index = &self.settings.index;
        if !understood.hint.is_known(name, index) {
            return Err(End::new(Outcome::Unknown, StatusCode::ACCEPTED, "the repository is not watched"));
        }
        let delivery = understood.delivery(name, index, self.clock.now());
        let (targets, id, event) = (delivery.targets.clone(), delivery.id.clone(), delivery.hint.event.clone());
        let has_commands = !delivery.commands.is_empty();
        let is_rerun = delivery.hint.action.as_deref() == Some("rerequested");
        let rerun: Vec<(SourceName, Revision)> = match delivery.hint.head.clone().filter(|_| is_rerun) {
            Some(head) => {
                let sources = delivery.hint.watched(name, index).map(|watched| watched.source.clone());
                sources.collect::<BTreeSet<_>>().into_iter().map(|source| (source, head.clone())).collect()
            }
            None => Vec::new(),
        };
        warn_of_change(name, &delivery);
        let recorded = self.book.record_delivery(delivery).await.map_err(|error| {
            error!(forge = %name, delivery = %id, %error, "a delivery could not be recorded");
            End::new(Outcome::Failed, StatusCode::SERVICE_UNAVAILABLE, "the delivery could not be recorded")
        })?;
        debug!(forge = %name, delivery = %id, event, ?recorded, "delivered");
        let (outcome, line) = match recorded {
            Recorded::Duplicate => (Outcome::Duplicate, "recorded before"),
            Recorded::New(DeliveryVerdict::Ignored) => {
                (Outcome::Ignored, "recorded; nothing that is watched depends on it")
            }
            Recorded::New(_) => (Outcome::Accepted, "recorded"),
        };
        if recorded != Recorded::Duplicate {
            if has_commands {
                self.door.asked();
            }
            self.door.recorded(&targets);
            for (source, head) in rerun {
                self.door.run_again(source, head);
            }
            if is_rerun {
                for target in targets {
                    self.door.look_anew(target);
                }
            }
        }
        self.counters.count(name, outcome);
        Ok((StatusCode::OK, line.to_owned()))
    }
}

/// A watched repository got another name or was put aside: somebody has to change the configuration.
fn warn_of_change(forge: &ForgeName, delivery: &Delivery) {
    let action = delivery.hint.action.as_deref().unwrap_or_default();
    if delivery.hint.event == "repository" && ["renamed", "transferred", "archived", "deleted"].contains(&action) {
        let repositories = &delivery.hint.repositories;
        warn!(%forge, action, ?repositories, "a watched repository has changed at its forge: see to the configuration");
    }
}

async fn receive(State(receiver): State<Arc<Receiver>>, Path(forge): Path<String>, request: Request) -> Response {
    let known: Option<(ForgeName, &ForgeHook)> = forge.parse().ok().and_then(|name: ForgeName| {
        let hook = receiver.settings.forges.get(&name)?;
        Some((name, hook))
    });
    let Some((name, hook)) = known else {
        return (StatusCode::NOT_FOUND, "there is no such forge\n").into_response();
    };
    let (status, line) = match receiver.take(&name, hook, request).await {
        Ok(answer) => answer,
        Err(End(outcome, status, line)) => {
            receiver.counters.count(&name, outcome);
            debug!(forge = %name, ?outcome, status = status.as_u16(), line, "not taken");
            (status, line)
        }
    };
    let mut headers = HeaderMap::new();
    if status == StatusCode::SERVICE_UNAVAILABLE {
        headers.insert(RETRY_AFTER, axum::http::HeaderValue::from_static("5"));
    }
    (status, headers, format!("{line}\n")).into_response()
}
