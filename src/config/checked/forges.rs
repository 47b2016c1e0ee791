//! Forges: where they are, how they are spoken to, and by which secrets their webhooks are known.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::config::address::resolve;
use crate::config::error::{Problems, below};
use crate::config::{BaseUrl, Config, ForgeConfig, SecretRef};
use crate::domain::forge::CommentMode;
use crate::domain::id::ForgeName;

use super::{key_name, secret};

/// Two are in use while one is replaced by another; more are a mistake.
const MOST_WEBHOOK_SECRETS: usize = 8;

/// A forge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CheckedForge {
    /// Git notes.
    Local {
        /// The repository, absolute; the source's own when left out.
        repository: Option<PathBuf>,
    },
    /// GitHub.
    Github(CheckedGithub),
    /// A forge whose webhooks wake, and where nothing is shown.
    Webhooks {
        /// Which rules its deliveries follow.
        kind: WebhookKind,
        /// The secrets, at least one; file paths are absolute.
        webhook_secrets: Vec<SecretRef>,
    },
}

/// github.com, or a GitHub Enterprise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedGithub {
    /// Where people find it.
    pub url: BaseUrl,
    /// Where its API is.
    pub api: BaseUrl,
    /// How it lets us in.
    pub access: GithubAccess,
    /// The secrets of its webhooks; with none, no delivery is let in. File paths are absolute.
    pub webhook_secrets: Vec<SecretRef>,
    /// When a pull request gets a comment.
    pub comment: CommentMode,
    /// Whether deployments are written.
    pub deployments: bool,
}

/// How GitHub lets us in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GithubAccess {
    /// As a GitHub App.
    App {
        /// The App's id.
        id: u64,
        /// Its private key, as PEM; a file's path is absolute.
        private_key: SecretRef,
    },
    /// As a person, by a token; a file's path is absolute.
    Token(SecretRef),
}

/// Whose rules a webhook follows, beside GitHub's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WebhookKind {
    /// Gitea and Forgejo.
    Gitea,
    /// GitLab.
    Gitlab,
    /// An HMAC over the body, and nothing else that is known.
    GenericHmac,
}

impl CheckedForge {
    /// The secrets by which its webhooks are known.
    pub fn webhook_secrets(&self) -> &[SecretRef] {
        match self {
            CheckedForge::Local { .. } => &[],
            CheckedForge::Github(github) => &github.webhook_secrets,
            CheckedForge::Webhooks { webhook_secrets, .. } => webhook_secrets,
        }
    }

    /// The word for it in the file.
    pub const fn kind(&self) -> &'static str {
        match self {
            CheckedForge::Local { .. } => "local",
            CheckedForge::Github(_) => "github",
            CheckedForge::Webhooks { kind: WebhookKind::Gitea, .. } => "gitea",
            CheckedForge::Webhooks { kind: WebhookKind::Gitlab, .. } => "gitlab",
            CheckedForge::Webhooks { kind: WebhookKind::GenericHmac, .. } => "generic-hmac",
        }
    }
}

pub(super) fn check(config: &Config, base: &Path, problems: &mut Problems) -> BTreeMap<ForgeName, CheckedForge> {
    let mut forges = BTreeMap::new();
    for (text, forge) in &config.forges {
        let at = below("/forges", text);
        let name = key_name::<ForgeName>(text, &at, problems);
        let webhooks = |kind, single: &Option<SecretRef>, several: &[SecretRef], problems: &mut Problems| {
            let webhook_secrets = webhook_secrets(single.as_ref(), several, &at, base, problems);
            if webhook_secrets.is_empty() {
                problems
                    .at_key(&at, "without a secret no delivery could be let in")
                    .hint("add `webhook_secret: { env: VARIABLE }` or `{ file: PATH }`");
            }
            CheckedForge::Webhooks { kind, webhook_secrets }
        };
        let forge = match forge {
            ForgeConfig::Local { repository } => {
                Some(CheckedForge::Local { repository: repository.as_ref().map(|path| resolve(base, path)) })
            }
            ForgeConfig::Github { .. } => github(forge, &at, base, problems).map(CheckedForge::Github),
            ForgeConfig::Gitea { webhook_secret, webhook_secrets } => {
                Some(webhooks(WebhookKind::Gitea, webhook_secret, webhook_secrets, problems))
            }
            ForgeConfig::Gitlab { webhook_secret, webhook_secrets } => {
                Some(webhooks(WebhookKind::Gitlab, webhook_secret, webhook_secrets, problems))
            }
            ForgeConfig::GenericHmac { webhook_secret, webhook_secrets } => {
                Some(webhooks(WebhookKind::GenericHmac, webhook_secret, webhook_secrets, problems))
            }
        };
        forges.extend(name.zip(forge));
    }
    forges
}

fn github(forge: &ForgeConfig, at: &str, base: &Path, problems: &mut Problems) -> Option<CheckedGithub> {
    let ForgeConfig::Github {
        url,
        api,
        app_id,
        private_key,
        token,
        webhook_secret,
        webhook_secrets: several,
        comment,
        deployments,
    } = forge
    else {
        return None;
    };
    let url = base_url(url, &below(at, "url"), problems);
    let api = match api {
        Some(api) => base_url(api, &below(at, "api"), problems),
        None => url.as_ref().map(BaseUrl::github_api),
    };
    let access = access(*app_id, private_key.as_ref(), token.as_ref(), at, base, problems);
    if *deployments && matches!(access, Some(GithubAccess::Token(_))) {
        problems
            .at_key(&below(at, "deployments"), "with a token, statuses and comments are all there is")
            .hint("take it out, or use a GitHub App: `app_id` and `private_key` instead of `token`");
    }
    let webhook_secrets = webhook_secrets(webhook_secret.as_ref(), several, at, base, problems);
    Some(CheckedGithub {
        url: url?,
        api: api?,
        access: access?,
        webhook_secrets,
        comment: *comment,
        deployments: *deployments,
    })
}

fn base_url(text: &str, at: &str, problems: &mut Problems) -> Option<BaseUrl> {
    match text.parse() {
        Ok(url) => Some(url),
        Err(invalid) => {
            problems.refused(at, invalid);
            None
        }
    }
}

fn access(
    app_id: Option<u64>,
    private_key: Option<&SecretRef>,
    token: Option<&SecretRef>,
    at: &str,
    base: &Path,
    problems: &mut Problems,
) -> Option<GithubAccess> {
    const APP: &str = "an App has both: `app_id: 12345` and `private_key: { file: PATH }`";
    match (app_id, private_key, token) {
        (None, None, None) => {
            problems
                .at_key(at, "it is not said how GitHub lets us in")
                .hint("add `app_id` and `private_key` of a GitHub App, or `token: { env: VARIABLE }`");
            None
        }
        (_, _, Some(_)) if app_id.is_some() || private_key.is_some() => {
            problems
                .at_key(&below(at, "token"), "a GitHub App and a token exclude each other")
                .hint("keep `app_id` and `private_key`, or `token`");
            None
        }
        (_, _, Some(token)) => Some(GithubAccess::Token(secret(token, &below(at, "token"), base, problems))),
        (Some(id), Some(key), None) => {
            if id == 0 {
                problems.at(&below(at, "app_id"), "no App has the id 0").hint("it stands on the App's own page");
            }
            Some(GithubAccess::App { id, private_key: secret(key, &below(at, "private_key"), base, problems) })
        }
        (Some(_), None, None) => {
            problems.at_key(&below(at, "app_id"), "the App's private key is missing").hint(APP);
            None
        }
        (None, Some(_), None) => {
            problems.at_key(&below(at, "private_key"), "the App's id is missing").hint(APP);
            None
        }
    }
}

fn webhook_secrets(
    single: Option<&SecretRef>,
    several: &[SecretRef],
    at: &str,
    base: &Path,
    problems: &mut Problems,
) -> Vec<SecretRef> {
    let list = below(at, "webhook_secrets");
    if single.is_some() && !several.is_empty() {
        problems
            .at_key(&list, "`webhook_secret` and `webhook_secrets` exclude each other")
            .hint("write all of them under `webhook_secrets`");
    }
    if several.len() > MOST_WEBHOOK_SECRETS {
        problems
            .at_key(&list, format!("{} secrets are more than anybody replaces at once", several.len()))
            .hint(format!("there are at most {MOST_WEBHOOK_SECRETS}"));
    }
    let single = single.map(|single| secret(single, &below(at, "webhook_secret"), base, problems));
    let mut secrets: Vec<SecretRef> = single.into_iter().collect();
    for (index, one) in several.iter().enumerate() {
        secrets.push(secret(one, &below(&list, index), base, problems));
    }
    secrets
}
