//! Deliveries: what happened is sent to Apps and to repositories' webhooks, signed, and what became
//! of it is recorded. GitHub never tries again by itself.

use std::fmt::Write as _;
use std::time::Duration;

use aws_lc_rs::hmac;
use http_body_util::{BodyExt as _, Full};
use hyper::Request;
use hyper::body::Bytes;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::description;
use super::json::merge;
use super::server::Shared;
use super::world::{App, Kind, World};

/// Where deliveries go.
#[derive(Debug, Clone)]
pub struct Hook {
    pub id: u64,
    pub url: String,
    pub secret: String,
}

/// One delivery: what was sent, and what became of it.
#[derive(Debug, Clone)]
pub struct Delivery {
    pub id: u64,
    /// What stays the same when it is delivered again.
    pub guid: String,
    pub hook: Hook,
    /// The App to which it goes; without one it goes to a repository's webhook.
    pub app: Option<u64>,
    pub installation: Option<u64>,
    pub repository: Option<u64>,
    pub event: String,
    pub action: Option<String>,
    pub payload: Value,
    pub at: Timestamp,
    pub is_redelivery: bool,
    /// What the receiver answered; `None` until it was sent, and 0 when there was no answer.
    pub status: Option<u16>,
    pub answer: String,
}

impl Delivery {
    /// The raw body.
    pub fn body(&self) -> Vec<u8> {
        self.payload.to_string().into_bytes()
    }

    /// The headers, as GitHub sends them.
    pub fn headers(&self) -> Vec<(&'static str, String)> {
        let body = self.body();
        let (kind, target) = match self.app {
            Some(app) => ("integration", app),
            None => ("repository", self.repository.unwrap_or_default()),
        };
        vec![
            ("User-Agent", "GitHub-Hookshot/4f1c2d7".to_owned()),
            ("Accept", "*/*".to_owned()),
            ("Content-Type", "application/json".to_owned()),
            ("X-GitHub-Delivery", self.guid.clone()),
            ("X-GitHub-Event", self.event.clone()),
            ("X-GitHub-Hook-ID", self.hook.id.to_string()),
            ("X-GitHub-Hook-Installation-Target-ID", target.to_string()),
            ("X-GitHub-Hook-Installation-Target-Type", kind.to_owned()),
            ("X-Hub-Signature", format!("sha1={}", mac(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &self.hook.secret, &body))),
            ("X-Hub-Signature-256", format!("sha256={}", mac(hmac::HMAC_SHA256, &self.hook.secret, &body))),
        ]
    }
}

/// The keyed digest of a body, in hex.
fn mac(algorithm: hmac::Algorithm, secret: &str, body: &[u8]) -> String {
    let tag = hmac::sign(&hmac::Key::new(algorithm, secret.as_bytes()), body);
    tag.as_ref().iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Something that has happened, before it is known who is to be told.
#[derive(Debug)]
pub struct Happening<'a> {
    pub event: &'a str,
    pub action: Option<&'a str>,
    pub repository: u64,
    /// Who did it.
    pub by: &'a str,
    /// Only this App is told.
    pub only: Option<u64>,
    /// What is particular about it.
    pub payload: Value,
}

impl World {
    /// Whether anybody wants to know of such an event.
    pub fn is_heard(&self, event: &str, repository: u64) -> bool {
        let has_event = |app: &&App| app.hook.is_some() && app.events.iter().any(|known| known == event);
        let is_installed = |app: &App| self.installation_for(app.id, repository).is_some();
        !self.repository(repository).hooks.is_empty() || self.apps.iter().filter(has_event).any(is_installed)
    }

    /// Puts a delivery into the outbox for everybody who wants to know.
    pub fn tell(&mut self, happening: &Happening<'_>) {
        let repository = self.repository(happening.repository);
        let mut payload = json!({});
        if let Some(action) = happening.action {
            merge(&mut payload, json!({ "action": action }));
        }
        merge(&mut payload, happening.payload.clone());
        let mut told_repository = self.repository_json(repository);
        if happening.event == "push" {
            // Of all events it is this one that tells two times as numbers.
            let branch = repository.default_branch.clone();
            merge(
                &mut told_repository,
                json!({ "created_at": 0, "pushed_at": 0, "stargazers": 0, "master_branch": branch }),
            );
        }
        let sender = self.user_json(happening.by);
        merge(&mut payload, json!({ "repository": told_repository, "sender": sender }));
        let owner = repository.owner.clone();
        let hooks = repository.hooks.clone();
        if let Some(user) = self.user(&owner).filter(|user| user.kind == Kind::Organization) {
            let (base, login) = (&self.base, &user.login);
            let url = format!("{base}/orgs/{login}");
            let organization = json!({
                "login": login, "id": user.id, "node_id": format!("O_{}", user.id), "url": url,
                "repos_url": format!("{url}/repos"), "events_url": format!("{url}/events"),
                "hooks_url": format!("{url}/hooks"), "issues_url": format!("{url}/issues"),
                "members_url": format!("{url}/members{{/member}}"),
                "public_members_url": format!("{url}/public_members{{/member}}"),
                "avatar_url": format!("{base}/avatars/{login}"), "description": null,
            });
            merge(&mut payload, json!({ "organization": organization }));
        }
        let apps: Vec<(u64, Hook, u64)> = self
            .apps
            .iter()
            .filter(|app| happening.only.is_none_or(|only| only == app.id))
            .filter(|app| app.events.iter().any(|event| event == happening.event))
            .filter_map(|app| {
                let installation = self.installation_for(app.id, happening.repository)?;
                Some((app.id, app.hook.clone()?, installation.id))
            })
            .collect();
        for (app, hook, installation) in apps {
            let mut payload = payload.clone();
            let installed = json!({ "id": installation, "node_id": format!("I_{installation}") });
            merge(&mut payload, json!({ "installation": installed }));
            self.post(hook, Some(app), Some(installation), Some(happening.repository), happening, payload);
        }
        for hook in hooks.into_iter().filter(|_| happening.only.is_none()) {
            self.post(hook, None, None, Some(happening.repository), happening, payload.clone());
        }
    }

    /// Puts a delivery for one receiver into the outbox.
    pub fn post(
        &mut self,
        hook: Hook,
        app: Option<u64>,
        installation: Option<u64>,
        repository: Option<u64>,
        happening: &Happening<'_>,
        payload: Value,
    ) {
        self.complaints.extend(description::wrong_with_delivery(happening.event, happening.action, &payload));
        let id = self.new_id();
        let delivery = Delivery {
            id,
            // As random as it need be, and the same in each run.
            guid: uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_URL, format!("{}/{id}", self.base).as_bytes()).to_string(),
            hook,
            app,
            installation,
            repository,
            event: happening.event.to_owned(),
            action: happening.action.map(str::to_owned),
            payload,
            at: self.now(),
            is_redelivery: false,
            status: None,
            answer: String::new(),
        };
        self.enqueue(delivery);
    }

    /// The same delivery once more, with the same GUID.
    pub fn redeliver(&mut self, id: u64) -> bool {
        let Some(delivery) = self.deliveries.iter().find(|delivery| delivery.id == id) else { return false };
        let delivery = delivery.clone();
        let again = Delivery {
            id: self.new_id(),
            at: self.now(),
            is_redelivery: true,
            status: None,
            answer: String::new(),
            ..delivery
        };
        self.enqueue(again);
        true
    }

    fn enqueue(&mut self, mut delivery: Delivery) {
        if self.hooks_are_lost {
            delivery.status = Some(0);
            "failed to connect to host".clone_into(&mut delivery.answer);
        } else {
            self.outbox.push(self.deliveries.len());
        }
        self.deliveries.push(delivery);
    }
}

/// Sends what is in the outbox, one after another, for ever.
pub async fn send_all(shared: &Shared) {
    let client = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
    loop {
        let next = {
            let world = shared.world();
            world.outbox.first().map(|place| (*place, world.deliveries[*place].clone()))
        };
        let Some((place, delivery)) = next else {
            shared.outbox.notified().await;
            continue;
        };
        let mut request = Request::post(&delivery.hook.url);
        for (name, value) in delivery.headers() {
            request = request.header(name, value);
        }
        let request = request.body(Full::new(Bytes::from(delivery.body()))).unwrap();
        let exchange = async {
            let response = client.request(request).await.map_err(|error| error.to_string())?;
            let status = response.status().as_u16();
            let body = response.into_body().collect().await.map_err(|error| error.to_string())?;
            Ok((status, String::from_utf8_lossy(&body.to_bytes()).into_owned()))
        };
        let outcome = tokio::time::timeout(Duration::from_secs(10), exchange).await;
        let (status, answer) = match outcome {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => (0, error),
            Err(_) => (0, "timed out".to_owned()),
        };
        let mut world = shared.world();
        world.deliveries[place].status = Some(status);
        world.deliveries[place].answer = answer;
        world.outbox.retain(|waiting| *waiting != place);
    }
}
