//! Whether each source can be fetched.

use crate::config::CheckedSource;
use crate::domain::source::Head;
use crate::engine::Ports;
use crate::face::verbs::doctor::Examined;
use crate::port::source::FetchError;

use super::certificates;

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
        FetchError::Unreachable(said) => certificates(said)
            .or_else(|| host_keys(said))
            .unwrap_or("look at the address, the network, and the source's `credentials`"),
        FetchError::TimedOut { .. } => "look at the network, or raise `fetch_timeout`",
        FetchError::CorruptMirror(_) => {
            "look at the disk; the mirror below the state's folder may be removed, and is cloned again"
        }
        FetchError::Local(_) => "look at the disk, at the git program, and at what `credentials` names",
    }
}

fn host_keys(said: &str) -> Option<&'static str> {
    said.contains("Host key verification failed").then_some(
        "compare the host's key with what its owner publishes, and write that into the file of `known_hosts`; \
         `ssh-keyscan` prints it",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_said_more_closely_is() {
        let remedy = |said: &str| remedy(&FetchError::Unreachable(said.to_owned()));
        let host = "No ED25519 host key is known for [127.0.0.1]:22 and you have requested strict checking.; Host key \
                    verification failed.";
        assert!(remedy(host).contains("known_hosts"));
        assert!(remedy("server certificate verification failed. CAfile: none").contains("SSL_CERT_FILE"));
        assert!(remedy("git@host: Permission denied (publickey).").contains("`credentials`"));
    }
}
