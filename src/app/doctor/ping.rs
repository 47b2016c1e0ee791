//! A signed ping to a running daemon: whether a delivery with this secret would be let in.

use std::time::Duration;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::config::{CheckedGithub, RepositoryUrl};
use crate::domain::id::ForgeName;
use crate::face::verbs::doctor::Examined;

const BODY: &str = r#"{"zen":"meshwright doctor","hook_id":0}"#;
const PATIENCE: Duration = Duration::from_secs(10);

/// Sends it with the first of the secrets, as GitHub would.
pub(super) async fn examine(daemon: &str, name: &ForgeName, github: &CheckedGithub) -> Option<Examined> {
    let subject = format!("forge {name}");
    // Whether it can be read was said before.
    let secret = github.webhook_secrets.first()?.resolve().ok()?;
    let url = format!("{}/webhooks/{name}", daemon.trim_end_matches('/'));
    let examined = match send(&url, &secret).await {
        Ok(status) if status.is_success() => Examined::fine(&subject, "ping", format!("{url} let it in ({status})")),
        Ok(reqwest::StatusCode::UNAUTHORIZED) => Examined::failed(
            &subject,
            "ping",
            format!("{url} refused the signature"),
            "the daemon reads another secret: start it again with this configuration",
        ),
        Ok(reqwest::StatusCode::NOT_FOUND) => Examined::failed(
            &subject,
            "ping",
            format!("{url} is not there"),
            "the daemon runs with another configuration, or --daemon names something else",
        ),
        Ok(status) => {
            Examined::failed(&subject, "ping", format!("{url} answered {status}"), "look at the daemon's log")
        }
        Err(error) => {
            let remedy = "is the daemon running, and is this its address (`serve --listen`)?";
            Examined::failed(&subject, "ping", format!("{url}: {error}"), remedy)
        }
    };
    Some(examined)
}

async fn send(url: &str, secret: &str) -> Result<reqwest::StatusCode, String> {
    // Plain HTTP is for this machine only, as everywhere.
    url.parse::<RepositoryUrl>().map_err(|error| error.to_string())?;
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).map_err(|error| error.to_string())?;
    mac.update(BODY.as_bytes());
    let signature: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    let client = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(PATIENCE)
        .build()
        .map_err(|error| error.to_string())?;
    let request = client
        .post(url)
        .header("content-type", "application/json")
        .header("x-github-event", "ping")
        .header("x-github-delivery", uuid::Uuid::new_v4().to_string())
        .header("x-hub-signature-256", format!("sha256={signature}"))
        .body(BODY);
    // Without its address, which stands in the message already.
    let answer = request.send().await.map_err(|error| error.without_url().to_string())?;
    Ok(answer.status())
}
