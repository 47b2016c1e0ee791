//! How a repository lets us in. Credentials reach `git` through its environment: they stand
//! neither in an argument list nor in any file, and are bound to the host of the URL.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::config::SecretRef;

use super::location::{RepositoryUrl, Transport};

/// How to get into a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GitCredentials {
    /// User name and password (or token), for `https://`.
    Basic {
        /// The user name.
        username: String,
        /// The password; read at every fetch, so that it can be changed without a restart.
        password: SecretRef,
    },
    /// A private key and the known hosts, for `ssh://`. Both are absolute paths.
    Ssh {
        /// The private key file.
        key: PathBuf,
        /// The file of known hosts; a host that is not in it is refused.
        known_hosts: PathBuf,
    },
}

/// What one run of `git` gets to be let in.
#[derive(Default)]
pub(super) struct Access {
    /// Additional environment.
    pub(super) environment: Vec<(OsString, OsString)>,
    /// Texts that must not be shown.
    pub(super) secrets: Vec<String>,
}

/// Checks that the credentials fit the URL, without reading any secret.
pub(super) fn check_credentials(url: &RepositoryUrl, credentials: Option<&GitCredentials>) -> Result<(), String> {
    match (url.transport(), credentials) {
        (Transport::Https | Transport::LoopbackHttp, Some(GitCredentials::Basic { username, .. })) => {
            if username.is_empty() || username.chars().any(char::is_control) {
                return Err("the user name is empty or has a control character in it".to_owned());
            }
            Ok(())
        }
        (Transport::Ssh, Some(GitCredentials::Ssh { key, known_hosts })) => {
            check_ssh_path("key", key)?;
            check_ssh_path("known_hosts", known_hosts)
        }
        // Without them, ssh would take the keys and hosts of the user that runs the daemon.
        (Transport::Ssh, None) => Err("ssh:// needs 'credentials: ssh' with a key and known_hosts".to_owned()),
        (_, None) => Ok(()),
        (_, Some(GitCredentials::Basic { .. })) => Err("'credentials: basic' fit https:// URLs only".to_owned()),
        (_, Some(GitCredentials::Ssh { .. })) => Err("'credentials: ssh' fit ssh:// URLs only".to_owned()),
    }
}

/// Reads the secret, if there is one, and makes the environment.
pub(super) fn open(url: &RepositoryUrl, credentials: Option<&GitCredentials>) -> Result<Access, String> {
    match credentials {
        None => Ok(Access::default()),
        Some(GitCredentials::Basic { username, password }) => {
            let password = password.resolve().map_err(|error| format!("the password cannot be had: {error}"))?;
            if password.is_empty() || password.chars().any(char::is_control) {
                return Err("the password is empty or has a control character in it".to_owned());
            }
            Ok(Access { environment: basic(url, username, &password), secrets: vec![password] })
        }
        Some(GitCredentials::Ssh { key, known_hosts }) => {
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

/// ssh expands `%` and reads quotes in the values of its options, and git gives the command to a
/// shell: only paths on which neither has anything to do are let through.
fn check_ssh_path(what: &str, path: &Path) -> Result<(), String> {
    let text = path.to_str().ok_or_else(|| format!("the path of '{what}' is not UTF-8"))?;
    if !path.is_absolute() {
        return Err(format!("the path of '{what}' must be absolute"));
    }
    match text.chars().find(|c| c.is_control() || "%\"'\\$`".contains(*c)) {
        Some(_) => Err(format!("the path of '{what}' has a quote, '%', '$', '\\' or control character in it")),
        None => Ok(()),
    }
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

    fn url(text: &str) -> RepositoryUrl {
        text.parse().unwrap()
    }

    fn ssh(key: &str) -> GitCredentials {
        GitCredentials::Ssh { key: key.into(), known_hosts: "/etc/known hosts".into() }
    }

    #[test]
    fn credentials_must_fit_the_url() {
        let basic = GitCredentials::Basic { username: "bob".to_owned(), password: SecretRef::Env("X".to_owned()) };
        check_credentials(&url("https://host/a"), Some(&basic)).unwrap();
        check_credentials(&url("https://host/a"), None).unwrap();
        check_credentials(&url("ssh://git@host/a"), Some(&ssh("/k"))).unwrap();
        check_credentials(&url("ssh://git@host/a"), None).unwrap_err();
        check_credentials(&url("ssh://git@host/a"), Some(&basic)).unwrap_err();
        check_credentials(&url("/srv/a"), Some(&basic)).unwrap_err();
        check_credentials(&url("https://host/a"), Some(&ssh("/k"))).unwrap_err();
        check_credentials(&url("git://host/a"), Some(&ssh("/k"))).unwrap_err();
    }

    #[test]
    fn paths_that_a_shell_or_ssh_would_read_are_refused() {
        for key in ["relative", "/a'b", "/a\"b", "/a%h", "/a$(x)", "/a`x`", "/a\nb", "/a\\b"] {
            check_credentials(&url("ssh://git@host/a"), Some(&ssh(key))).unwrap_err();
        }
        let command = ssh_command(Path::new("/run/my keys/k"), Path::new("/etc/known hosts"));
        assert!(command.ends_with(r#" -o 'UserKnownHostsFile="/etc/known hosts"' -o 'IdentityFile="/run/my keys/k"'"#));
        assert!(command.contains("-o StrictHostKeyChecking=yes") && command.contains("-F /dev/null"));
    }

    #[test]
    fn a_missing_secret_is_named_and_a_broken_one_is_not_shown() {
        let credentials =
            GitCredentials::Basic { username: "bob".to_owned(), password: SecretRef::Env("MESHWRIGHT_NOT_SET".into()) };
        let Err(message) = open(&url("https://host/a"), Some(&credentials)) else {
            panic!("there is no such variable")
        };
        assert!(message.contains("MESHWRIGHT_NOT_SET"), "{message}");
    }
}
