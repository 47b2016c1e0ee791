//! How a repository lets us in. Credentials reach `git` through its environment: they stand
//! neither in an argument list nor in any file, and are bound to the host of the URL.

use std::ffi::OsString;
use std::path::Path;

use crate::config::{Credentials, RepositoryUrl};

/// What one run of `git` gets to be let in.
#[derive(Default)]
pub(super) struct Access {
    /// Additional environment.
    pub(super) environment: Vec<(OsString, OsString)>,
    /// Texts that must not be shown.
    pub(super) secrets: Vec<String>,
}

/// Reads the secret, if there is one, and makes the environment.
pub(super) fn open(url: &RepositoryUrl, credentials: Option<&Credentials>) -> Result<Access, String> {
    match credentials {
        None => Ok(Access::default()),
        Some(Credentials::Basic { username, password }) => {
            let password = password.resolve().map_err(|error| format!("the password cannot be had: {error}"))?;
            if password.is_empty() || password.chars().any(char::is_control) {
                return Err("the password is empty or has a control character in it".to_owned());
            }
            Ok(Access { environment: basic(url, username, &password), secrets: vec![password] })
        }
        Some(Credentials::Ssh { key, known_hosts }) => {
            let command = ssh_command(key, known_hosts);
            let environment = [("GIT_SSH_COMMAND", command), ("GIT_SSH_VARIANT", "ssh".to_owned())];
            Ok(Access {
                environment: environment.map(|(name, value)| (name.into(), value.into())).into(),
                secrets: Vec::new(),
            })
        }
    }
}

/// Git asks this helper only for the URL's own scheme, host and port, and only after the server
/// demanded credentials. The shell reads both from the environment, with its built-in `printf`.
const HELPER: &str = r#"!f() { test "$1" = get && printf 'username=%s\npassword=%s\n' "$MESHWRIGHT_GIT_USERNAME" "$MESHWRIGHT_GIT_PASSWORD"; }; f"#;

fn basic(url: &RepositoryUrl, username: &str, password: &str) -> Vec<(OsString, OsString)> {
    [
        ("GIT_CONFIG_COUNT", "1".to_owned()),
        ("GIT_CONFIG_KEY_0", format!("credential.{}.helper", url.origin())),
        ("GIT_CONFIG_VALUE_0", HELPER.to_owned()),
        ("MESHWRIGHT_GIT_USERNAME", username.to_owned()),
        ("MESHWRIGHT_GIT_PASSWORD", password.to_owned()),
    ]
    .map(|(name, value)| (name.into(), value.into()))
    .into()
}

fn ssh_command(key: &Path, known_hosts: &Path) -> String {
    let options = [
        "BatchMode=yes",
        "StrictHostKeyChecking=yes",
        "GlobalKnownHostsFile=/dev/null",
        "UpdateHostKeys=no",
        "IdentitiesOnly=yes",
        "IdentityAgent=none",
        "PreferredAuthentications=publickey",
        "ClearAllForwardings=yes",
        "ForwardAgent=no",
        "PermitLocalCommand=no",
        "ControlMaster=no",
        "ControlPath=none",
        "ConnectTimeout=20",
        "ServerAliveInterval=15",
        "ServerAliveCountMax=2",
    ];
    let mut command = "ssh -F /dev/null".to_owned();
    for option in options {
        command.push_str(" -o ");
        command.push_str(option);
    }
    // Double quotes are for ssh, which splits these values at spaces; single quotes for the shell.
    command.push_str(&format!(
        " -o 'UserKnownHostsFile=\"{}\"' -o 'IdentityFile=\"{}\"'",
        known_hosts.display(),
        key.display()
    ));
    command
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::SecretRef;

    fn url(text: &str) -> RepositoryUrl {
        text.parse().unwrap()
    }

    #[test]
    fn paths_with_spaces_are_quoted_for_ssh_and_for_the_shell() {
        let command = ssh_command(Path::new("/run/my keys/k"), Path::new("/etc/known hosts"));
        assert!(command.ends_with(r#" -o 'UserKnownHostsFile="/etc/known hosts"' -o 'IdentityFile="/run/my keys/k"'"#));
        assert!(command.contains("-o StrictHostKeyChecking=yes") && command.contains("-F /dev/null"));
    }

    #[test]
    fn a_missing_secret_is_named_and_a_broken_one_is_not_shown() {
        let credentials =
            Credentials::Basic { username: "bob".to_owned(), password: SecretRef::Env("MESHWRIGHT_NOT_SET".into()) };
        let Err(message) = open(&url("https://host/a"), Some(&credentials)) else {
            panic!("there is no such variable")
        };
        assert!(message.contains("MESHWRIGHT_NOT_SET"), "{message}");
    }
}
