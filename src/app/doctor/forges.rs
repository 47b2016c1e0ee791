//! Whether each GitHub can be reached, lets us in, and allows what we need.

use std::collections::BTreeMap;

use jiff::SignedDuration;

use crate::adapter::github::GithubFacts;
use crate::config::{CheckedGithub, CheckedSource, GithubAccess};
use crate::domain::id::ForgeName;
use crate::face::setup::{EVENTS, PERMISSIONS, Permission};
use crate::face::verbs::doctor::Examined;
use crate::port::forge::ForgeError;

use super::certificates;

/// A clock that is further off than this makes App tokens that GitHub refuses.
const MOST_SKEW: SignedDuration = SignedDuration::from_secs(30);

/// Fewer requests than this share of the hour's are little.
const LITTLE: f64 = 0.1;

pub(super) async fn examine(
    name: &ForgeName,
    github: &CheckedGithub,
    facts: &GithubFacts,
    sources: &[&CheckedSource],
) -> Vec<Examined> {
    let subject = format!("forge {name}");
    let mut all = Vec::new();
    let reached = clock(&subject, github, facts).await;
    let is_reached = reached.outcome != crate::face::verbs::doctor::Outcome::Failed;
    all.push(reached);
    all.push(secret(&subject, github));
    if !is_reached {
        all.push(Examined::skipped(&subject, "access", "GitHub could not be reached"));
        return all;
    }
    if let GithubAccess::App { .. } = github.access {
        all.push(app(&subject, github, facts).await);
    }
    for source in sources {
        all.extend(repository(&subject, github, facts, source).await);
    }
    all
}

/// Reaching it tells by how much the clocks differ, whatever it thinks of our credentials.
async fn clock(subject: &str, github: &CheckedGithub, facts: &GithubFacts) -> Examined {
    match facts.clock_skew().await {
        Ok(Some(skew)) if skew.abs() > MOST_SKEW => Examined::failed(
            subject,
            "clock",
            format!("this machine's clock is {} s off GitHub's", skew.as_secs().abs()),
            "set the clock, by NTP if possible: GitHub refuses App tokens of another time",
        ),
        Ok(Some(skew)) => Examined::fine(
            subject,
            "reached",
            format!("{} answers; clocks are {} s apart", github.api, skew.as_secs().abs()),
        ),
        Ok(None) => Examined::fine(subject, "reached", format!("{} answers", github.api)),
        Err(error) => {
            let said = error.to_string();
            let remedy = certificates(&said).unwrap_or(
                "look at `url` and `api`, at name resolution, at the proxy, and at the way through the firewall",
            );
            Examined::failed(subject, "reached", said, remedy)
        }
    }
}

fn secret(subject: &str, github: &CheckedGithub) -> Examined {
    let missing = github.webhook_secrets.iter().find_map(|secret| secret.resolve().err());
    match (github.webhook_secrets.len(), missing) {
        (0, _) => Examined::warning(
            subject,
            "webhook",
            "there is no webhook secret, so no delivery is let in; repositories are polled",
            "set `webhook_secret` to have pull requests and pushes seen at once",
        ),
        (_, Some(error)) => Examined::failed(subject, "webhook", error.to_string(), "let the daemon read the secret"),
        (1, None) => Examined::fine(subject, "webhook", "the secret can be read"),
        (number, None) => Examined::fine(subject, "webhook", format!("all {number} secrets can be read")),
    }
}

async fn app(subject: &str, github: &CheckedGithub, facts: &GithubFacts) -> Examined {
    match facts.app().await {
        Ok(app) => match missing(&app.permissions, github.deployments) {
            lacking if lacking.is_empty() => match unheard(&app.events, github) {
                none if none.is_empty() => {
                    Examined::fine(subject, "app", format!("'{}' asks for all that is needed", app.slug))
                }
                events => Examined::warning(
                    subject,
                    "app",
                    format!("'{}' is not told of {}", app.slug, events.join(", ")),
                    "tick it on the App's page under 'Permissions & events'; until then it is seen by polling, and \
                     commands in comments and pressed buttons are not seen at all",
                ),
            },
            lacking => Examined::failed(
                subject,
                "app",
                format!("'{}' does not ask for {}", app.slug, words(&lacking)),
                "add it on the App's page under 'Permissions & events'; each organisation then has to accept it",
            ),
        },
        Err(error) => {
            let remedy =
                "compare `app_id` and `private_key` with the App's page; a lost key is replaced by a new one there";
            Examined::failed(subject, "app", error.to_string(), remedy)
        }
    }
}

async fn repository(
    subject: &str,
    github: &CheckedGithub,
    facts: &GithubFacts,
    source: &CheckedSource,
) -> Vec<Examined> {
    let name = source.repository.as_deref().unwrap_or(source.name.as_str());
    let mut all = Vec::new();
    if let GithubAccess::App { .. } = github.access {
        all.push(match facts.installation(&source.name).await {
            Ok(installation) => match missing(&installation.permissions, github.deployments) {
                lacking if lacking.is_empty() => {
                    Examined::fine(subject, "installation", format!("{name}: all is granted"))
                }
                lacking => Examined::failed(
                    subject,
                    "installation",
                    format!("{name}: {} is not granted", words(&lacking)),
                    format!("an owner accepts it at {}", installation.html_url),
                ),
            },
            Err(error) => Examined::failed(
                subject,
                "installation",
                format!("{name}: {error}"),
                "install the App on this repository; `repository` says which one it is, where the URL does not",
            ),
        });
    }
    all.push(match facts.rate_limit(&source.name).await {
        Ok(rate) if (rate.remaining as f64) < LITTLE * rate.limit as f64 => Examined::warning(
            subject,
            "rate limit",
            format!("{name}: {} of {} requests are left until {}", rate.remaining, rate.limit, rate.reset),
            "statuses come late until then; see what else uses the same account",
        ),
        Ok(rate) => Examined::fine(
            subject,
            "rate limit",
            format!("{name}: {} of {} requests are left this hour", rate.remaining, rate.limit),
        ),
        Err(error @ ForgeError::Denied(_)) => Examined::failed(
            subject,
            "access",
            format!("{name}: {error}"),
            "look at the token or the App: has it expired, was it revoked, may it see this repository?",
        ),
        Err(error) => Examined::failed(subject, "access", format!("{name}: {error}"), "try again in a minute"),
    });
    all
}

/// What is needed and not there.
fn missing(granted: &BTreeMap<String, String>, deployments: bool) -> Vec<&'static Permission> {
    let is_enough = |permission: &Permission| match granted.get(permission.name).map(String::as_str) {
        Some("write" | "admin") => true,
        Some(access) => access == permission.access,
        None => false,
    };
    let needed = PERMISSIONS.iter().filter(|permission| deployments || !permission.for_deployments);
    needed.filter(|permission| !is_enough(permission)).collect()
}

/// Of which events the App is not told, where it is to be told of any.
fn unheard(told: &[String], github: &CheckedGithub) -> Vec<&'static str> {
    let names = EVENTS.iter().map(|event| event.name).filter(|_| !github.webhook_secrets.is_empty());
    names.filter(|name| !told.iter().any(|told| told == name)).collect()
}

fn words(permissions: &[&Permission]) -> String {
    let words: Vec<String> =
        permissions.iter().map(|it| format!("'{}: {}' ({})", it.name, it.access, it.reason)).collect();
    words.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_needed_is_enough_and_less_is_named() {
        let mut granted: BTreeMap<String, String> =
            PERMISSIONS.iter().map(|it| (it.name.to_owned(), it.access.to_owned())).collect();
        assert_eq!(missing(&granted, true), Vec::<&Permission>::new());
        granted.insert("contents".to_owned(), "write".to_owned());
        granted.remove("deployments");
        assert_eq!(missing(&granted, false), Vec::<&Permission>::new());
        granted.insert("checks".to_owned(), "read".to_owned());
        let names: Vec<&str> = missing(&granted, true).iter().map(|it| it.name).collect();
        assert_eq!(names, ["checks", "deployments"]);
        assert!(words(&missing(&granted, false)).contains("'checks: write' (to show findings at their lines)"));
    }
}
