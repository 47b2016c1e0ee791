//! `github setup`: the parts that lead a person through making a GitHub App.

use std::io;
use std::sync::Arc;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use crate::adapter::clock::SystemClock;
use crate::adapter::github::GithubFacts;
use crate::config::{self, BaseUrl};
use crate::face::cli::{GithubSetupArgs, GlobalArgs};
use crate::face::setup::{AppRegistrar, NewApp};
use crate::face::verbs::github::{SetupRequest, setup};
use crate::face::{ExitStatus, Output};
use crate::port::forge::ForgeError;

use super::working::stop_on_signal;

pub(super) async fn github_setup(
    global: &GlobalArgs,
    args: &GithubSetupArgs,
    output: &mut Output<'_>,
) -> io::Result<ExitStatus> {
    let stop = CancellationToken::new();
    let _signals = stop_on_signal(stop.clone())?;
    let request = SetupRequest {
        args,
        folder: &config::folder_of(&global.config),
        state: uuid::Uuid::new_v4().to_string(),
        registrar: Arc::new(Registrar { api: args.api.clone().unwrap_or_else(|| args.url.github_api()) }),
        stop: &stop,
    };
    setup(request, output).await
}

/// Exchanges codes at a GitHub.
struct Registrar {
    api: BaseUrl,
}

#[async_trait]
impl AppRegistrar for Registrar {
    async fn exchange(&self, code: &str) -> Result<NewApp, String> {
        let made = GithubFacts::convert_manifest(&self.api, code, Arc::new(SystemClock)).await;
        let made = made.map_err(|error| match error {
            ForgeError::Permanent(_) => {
                "GitHub does not know this code: it is good for one hour, once. Begin again.".to_owned()
            }
            other => other.to_string(),
        })?;
        Ok(NewApp {
            id: made.id,
            slug: made.slug,
            html_url: made.html_url,
            private_key: made.pem,
            webhook_secret: made.webhook_secret,
        })
    }
}
