//! Whether each source can be fetched.

use crate::config::CheckedSource;
use crate::domain::source::Head;
use crate::engine::Ports;
use crate::face::verbs::doctor::Examined;
use crate::port::source::FetchError;

pub(super) async fn examine(ports: &Ports, source: &CheckedSource) -> Vec<Examined> {
    let subject = format!("source {}", source.name);
    let examined = match ports.source.fetch(&source.name).await {
        Ok(Head::At { revision }) => Examined::fine(
            &subject,
            "fetch",
            format!("{} of {} stands at {}", source.branch, source.url, revision.short()),
        ),
        Ok(Head::EmptyRepository) => {
            Examined::warning(&subject, "fetch", format!("{} has no commit yet", source.url), "push one to begin")
        }
        Ok(Head::NoSuchBranch) => Examined::failed(
            &subject,
            "fetch",
            format!("{} has no branch '{}'", source.url, source.branch),
            "name the branch under `branch:`, or push it",
        ),
        Err(error) => Examined::failed(&subject, "fetch", error.to_string(), remedy(&error)),
    };
    vec![examined]
}

fn remedy(error: &FetchError) -> &'static str {
    match error {
        FetchError::Unknown(_) | FetchError::Refused(_) => {
            "mend the source's url, branch or credentials in the configuration"
        }
        FetchError::Unreachable(_) => "look at the address, the network, and the source's `credentials`",
        FetchError::TimedOut { .. } => "look at the network, or raise `fetch_timeout`",
        FetchError::CorruptMirror(_) => {
            "look at the disk; the mirror below the state's folder may be removed, and is cloned again"
        }
        FetchError::Local(_) => "look at the disk and at the git program",
    }
}
