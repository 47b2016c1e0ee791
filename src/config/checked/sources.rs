//! Sources: their names, addresses, branches, globs and schedules.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use crate::config::address::resolve;
use crate::config::error::{Problems, below};
use crate::config::{
    BranchName, Config, Credentials, CronError, CronSchedule, ForgeConfig, RepositoryUrl, SourceConfig, Transport,
};
use crate::domain::id::{ForgeName, SourceName};
use crate::domain::suggest::did_you_mean;

use super::{CheckedForge, CheckedSource, Schedule, WebhookKind, name, secret, time};

/// How often a source is looked at that says nothing about it.
const DEFAULT_POLL: Duration = Duration::from_secs(60);

const HOUR: Duration = Duration::from_secs(3600);

pub(super) fn check(
    config: &Config,
    forges: &BTreeMap<ForgeName, CheckedForge>,
    base: &Path,
    problems: &mut Problems,
) -> Vec<CheckedSource> {
    let mut checked = Vec::new();
    for (index, source) in config.sources.iter().enumerate() {
        let at = format!("/sources/{index}");
        let twin = config.sources.iter().take(index).any(|earlier| earlier.name == source.name);
        if twin {
            problems
                .at(&below(&at, "name"), format!("there is another source '{}'", source.name))
                .hint("names tell sources apart in the record; give each its own");
        }
        checked.extend(one(config, forges, source, &at, base, problems));
    }
    checked
}

fn one(
    config: &Config,
    forges: &BTreeMap<ForgeName, CheckedForge>,
    source: &SourceConfig,
    at: &str,
    base: &Path,
    problems: &mut Problems,
) -> Option<CheckedSource> {
    let name = name::<SourceName>(&source.name, &below(at, "name"), problems);
    let location = match RepositoryUrl::against(base, &source.url) {
        Ok(location) => Some(location),
        Err(invalid) => {
            problems.refused(&below(at, "url"), invalid);
            None
        }
    };
    let branch = branch(&source.branch, &below(at, "branch"), problems);
    globs(&source.descriptors, &below(at, "descriptors"), problems);
    let schedule = schedule(source, at, problems);
    let fetch_timeout =
        time(&source.fetch_timeout, Duration::from_secs(1), HOUR, &below(at, "fetch_timeout"), problems);
    let forge = forge(config, source, location.as_ref(), at, problems);
    let repository =
        repository(source, location.as_ref(), forge.as_ref().and_then(|name| forges.get(name)), at, problems);
    let credentials = source.credentials.as_ref().map(|found| {
        let at = below(at, "credentials");
        credentials(found, location.as_ref(), &at, base, problems)
    });
    if let (None, Some(Err(invalid))) = (&credentials, location.as_ref().map(|location| location.let_in_by(None))) {
        problems.refused(&below(at, "url"), invalid);
    }
    Some(CheckedSource {
        name: name?,
        url: source.url.clone(),
        location: location?,
        branch: branch?.as_str().to_owned(),
        descriptors: source.descriptors.clone(),
        schedule,
        fetch_timeout,
        forge,
        repository,
        credentials,
    })
}

fn branch(text: &str, at: &str, problems: &mut Problems) -> Option<BranchName> {
    match text.strip_prefix("refs/heads/").unwrap_or(text).parse() {
        Ok(branch) => Some(branch),
        Err(invalid) => {
            problems.refused(at, invalid);
            None
        }
    }
}

fn globs(globs: &[String], at: &str, problems: &mut Problems) {
    if globs.is_empty() {
        problems.at(at, "without a glob no descriptor would be found").hint("leave the key out for the usual names");
    }
    for (index, glob) in globs.iter().enumerate() {
        let place = below(at, index);
        if glob.starts_with('/') || glob.starts_with("./") || glob.split('/').any(|part| part == "..") {
            problems
                .at(&place, format!("the glob '{glob}' can match nothing"))
                .hint("globs are relative to the repository's top: '**/data-product-descriptor.yaml'");
        } else if let Err(error) = globset::Glob::new(glob) {
            problems.at(&place, format!("the glob '{glob}' cannot be read: {}", error.kind()));
        }
    }
}

fn schedule(source: &SourceConfig, at: &str, problems: &mut Problems) -> Schedule {
    if let (Some(timezone), None) = (&source.timezone, &source.cron) {
        problems
            .at_key(&below(at, "timezone"), format!("the time zone '{timezone}' is for nothing without `cron`"))
            .hint("add `cron`, or take `timezone` out");
    }
    match (&source.poll, &source.cron) {
        (Some(_), Some(_)) => {
            problems
                .at_key(&below(at, "cron"), "`poll` and `cron` exclude each other")
                .hint("keep the one that says when to look");
            Schedule::Every(DEFAULT_POLL)
        }
        (Some(poll), None) => {
            let day = 24 * HOUR;
            Schedule::Every(time(poll, Duration::from_millis(100), day, &below(at, "poll"), problems))
        }
        (None, Some(cron)) => {
            match CronSchedule::parse(cron.trim(), source.timezone.as_deref()) {
                Ok(schedule) => return Schedule::Cron(Box::new(schedule)),
                Err(error @ CronError::TimeZone(_)) => {
                    problems
                        .at(&below(at, "timezone"), error.to_string())
                        .hint("write an IANA name, such as 'Europe/Rome'");
                }
                Err(error) => {
                    problems
                        .at(&below(at, "cron"), error.to_string())
                        .hint("every five minutes is '*/5 * * * *'; '@hourly' is known as well");
                }
            }
            Schedule::Every(DEFAULT_POLL)
        }
        (None, None) => Schedule::Every(DEFAULT_POLL),
    }
}

fn forge(
    config: &Config,
    source: &SourceConfig,
    location: Option<&RepositoryUrl>,
    at: &str,
    problems: &mut Problems,
) -> Option<ForgeName> {
    let text = source.forge.as_ref()?;
    let at = below(at, "forge");
    match config.forges.get(text) {
        None => {
            let known = did_you_mean(text, config.forges.keys().map(String::as_str));
            problems.at(&at, format!("there is no forge '{text}'")).hint(known);
        }
        Some(ForgeConfig::Local { repository: None })
            if location.is_some_and(|location| location.local_path().is_none()) =>
        {
            problems
                .at(
                    &at,
                    format!("the forge '{text}' writes into the source's own repository, which is not on this machine"),
                )
                .hint("give the forge a `repository`");
        }
        Some(_) => {}
    }
    // A name that is no name was said to be one where the forge stands.
    text.parse().ok()
}

/// What the forge calls the repository. Nothing is known of a forge that is not right itself, and
/// nothing is said then.
fn repository(
    source: &SourceConfig,
    location: Option<&RepositoryUrl>,
    forge: Option<&CheckedForge>,
    at: &str,
    problems: &mut Problems,
) -> Option<String> {
    const FORM: &str = "write `repository: owner/name`, as it stands on the forge's page";
    let place = below(at, "repository");
    let forge = match forge {
        Some(CheckedForge::Local { .. }) | None => {
            if source.repository.is_some() && (forge.is_some() || source.forge.is_none()) {
                problems
                    .at_key(&place, "a repository's name is for nothing without a forge that knows it")
                    .hint("add `forge`, the name of one of kind github, gitea, gitlab or generic-hmac; or take it out");
            }
            return None;
        }
        Some(forge) => forge,
    };
    if let Some(text) = &source.repository {
        if !is_repository(text, forge) {
            problems.at(&place, format!("'{text}' cannot be a repository's name there")).hint(FORM);
        }
        return Some(text.clone());
    }
    let location = location?;
    let elsewhere = match forge {
        CheckedForge::Github(github) => !is_at(location, github.url.host()),
        _ => false,
    };
    match location.name_at_forge().filter(|name| !elsewhere && is_repository(name, forge)) {
        Some(name) => Some(name.to_owned()),
        None => {
            let message = "the URL does not say what the forge calls the repository";
            problems.at(&below(at, "url"), message).hint(FORM);
            None
        }
    }
}

/// Whether a URL leads to this host. GitHub takes SSH at a host of its own as well.
fn is_at(location: &RepositoryUrl, host: &str) -> bool {
    let authority = location.origin().split_once("://").map_or("", |(_, authority)| authority);
    let found = authority.strip_prefix("ssh.").filter(|_| location.transport() == Transport::Ssh).unwrap_or(authority);
    found.strip_prefix(host).is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
}

fn is_repository(text: &str, forge: &CheckedForge) -> bool {
    let parts: Vec<&str> = text.split('/').collect();
    let depth = match forge {
        // Groups of GitLab can stand in groups.
        CheckedForge::Webhooks { kind: WebhookKind::Gitlab, .. } => 2..=20,
        CheckedForge::Webhooks { kind: WebhookKind::GenericHmac, .. } => 1..=20,
        _ => 2..=2,
    };
    let is_part = |part: &&str| {
        (1..=100).contains(&part.len())
            && !matches!(*part, "." | "..")
            && part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'))
    };
    depth.contains(&parts.len()) && parts.iter().all(is_part)
}

fn credentials(
    credentials: &Credentials,
    location: Option<&RepositoryUrl>,
    at: &str,
    base: &Path,
    problems: &mut Problems,
) -> Credentials {
    let checked = match credentials {
        Credentials::Basic { username, password } => {
            let password = secret(password, &below(&below(at, "basic"), "password"), base, problems);
            Credentials::Basic { username: username.clone(), password }
        }
        Credentials::Ssh { key, known_hosts } => {
            Credentials::Ssh { key: resolve(base, key), known_hosts: resolve(base, known_hosts) }
        }
    };
    if let Some(Err(invalid)) = location.map(|location| location.let_in_by(Some(&checked))) {
        problems.refused(at, invalid).on_key = true;
    }
    checked
}
