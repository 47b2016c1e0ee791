//! The receiver of webhooks, as the configuration wants it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tracing::error;

use crate::config::{Checked, CheckedForge, SecretRef, WebhookKind};
use crate::domain::forge::delivery::RepositoryIndex;
use crate::domain::id::ForgeName;
use crate::face::http::webhooks::{ForgeHook, HookKind, Keep, Secret, WebhookSecrets, WebhookSettings};

/// What the receiver is told.
pub(super) fn settings(config: &Checked) -> WebhookSettings {
    let mut index = RepositoryIndex::default();
    for source in &config.sources {
        if let (Some(forge), Some(repository)) = (&source.forge, &source.repository) {
            index.add(forge.clone(), repository, source.name.clone(), &source.branch);
        }
    }
    let forges = config.forges.iter().filter_map(|(name, forge)| Some((name.clone(), hook(name, forge)?)));
    WebhookSettings {
        forges: forges.collect(),
        index,
        max_body: config.webhooks.max_body_bytes,
        ..WebhookSettings::default()
    }
}

/// What of the ledger is kept.
pub(super) fn keep(config: &Checked) -> Keep {
    let age = config.webhooks.keep_for.try_into().unwrap_or(Keep::default().age);
    Keep { most: config.webhooks.keep, age }
}

/// A forge without secrets delivers nothing.
fn hook(name: &ForgeName, forge: &CheckedForge) -> Option<ForgeHook> {
    let kind = match forge {
        CheckedForge::Local { .. } => return None,
        CheckedForge::Github(_) => HookKind::Github,
        CheckedForge::Webhooks { kind: WebhookKind::Gitea, .. } => HookKind::Gitea,
        CheckedForge::Webhooks { kind: WebhookKind::Gitlab, .. } => HookKind::Gitlab,
        CheckedForge::Webhooks { kind: WebhookKind::GenericHmac, .. } => HookKind::GenericHmac,
    };
    let places = forge.webhook_secrets().to_vec();
    let secrets = Arc::new(ReferencedSecrets { forge: name.clone(), places, told: AtomicBool::new(false) });
    (!secrets.places.is_empty()).then_some(ForgeHook { kind, secrets })
}

/// Secrets that are read where they are kept, each time anew.
#[derive(Debug)]
struct ReferencedSecrets {
    forge: ForgeName,
    places: Vec<SecretRef>,
    /// Whether it was said that one is missing: anybody can make us look, and nobody should fill the log.
    told: AtomicBool,
}

impl WebhookSecrets for ReferencedSecrets {
    fn current(&self) -> Vec<Secret> {
        let mut missing = None;
        let read = |place: &SecretRef| match place.resolve() {
            Ok(secret) => Secret::new(secret),
            Err(why) => {
                missing = Some(why);
                None
            }
        };
        let secrets = self.places.iter().filter_map(read).collect();
        let told = self.told.swap(missing.is_some(), Ordering::Relaxed);
        if let Some(why) = missing.filter(|_| !told) {
            error!(forge = %self.forge, %why, "a secret of the forge's webhooks cannot be had");
        }
        secrets
    }
}
