//! How a repository lets us in. Credentials reach `git` through its environment: they stand
//! neither in an argument list nor in any file, and are bound to the host of the URL.

use std::ffi::OsString;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use crate::config::{Credentials, RepositoryUrl};
use crate::domain::id::SourceName;
use crate::port::forge::login::Logins;
use crate::port::source::FetchError;

/// How a source gets in.
#[derive(Clone)]
pub(super) enum Entry {
    /// As the configuration says.
    Configured(Credentials),
    /// By a password that is made for each look.
    Made { source: SourceName, logins: Arc<dyn Logins> },
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Entry::Configured(credentials) => credentials.fmt(f),
            Entry::Made { source, .. } => f.debug_tuple("Made").field(source).finish(),
        }
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Entry::Configured(ours), Entry::Configured(theirs)) => ours == theirs,
            (Entry::Made { source: ours, .. }, Entry::Made { source: theirs, .. }) => ours == theirs,
            _ => false,
        }
    }
}

/// What one run of `git` gets to be let in.
#[derive(Default)]
pub(super) struct Access {
    /// Additional environment.
    pub(super) environment: Vec<(OsString, OsString)>,
    /// Texts that must not be shown.
    pub(super) secrets: Vec<String>,
}

impl Entry {
    /// A look by it failed, perhaps because the password was not taken.
    pub(super) fn failed(&self) {
        if let Entry::Made { source, logins } = self {
            logins.refused(source);
        }
    }
}

/// Reads the secret, if there is one, or has it made, and makes the environment.
pub(super) async fn open(url: &RepositoryUrl, entry: Option<&Entry>) -> Result<Access, FetchError> {
    match entry {
        None => Ok(Access::default()),
        Some(Entry::Configured(Credentials::Basic { username, password })) => {
            let not = |error| FetchError::Local(format!("the password cannot be had: {error}"));
            by_password(url, username, password.resolve().map_err(not)?)
        }
        Some(Entry::Configured(Credentials::Ssh { key, known_hosts })) => {
            // Without its file of known hosts `ssh` would only say that it does not know the host.
            is_readable("the key", key).await?;
            is_readable("the file of known hosts", known_hosts).await?;
            let command = ssh_command(key, known_hosts);
            let environment = [("GIT_SSH_COMMAND", command), ("GIT_SSH_VARIANT", "ssh".to_owned())];
            Ok(Access {
                environment: environment.map(|(name, value)| (name.into(), value.into())).into(),
                secrets: Vec::new(),
            })
        }
        Some(Entry::Made { source, logins }) => {
            // Whoever makes it may be out of reach for now.
            let login = logins.login(source).await.map_err(FetchError::Unreachable)?;
            by_password(url, &login.username, login.password)
        }
    }
}

/// It may only be late, as a secret that is about to be mounted.
async fn is_readable(what: &str, file: &Path) -> Result<(), FetchError> {
    let not = |why: &str| FetchError::Local(format!("{what} {} cannot be read: {why}", file.display()));
    let is_file = tokio::fs::metadata(file).await.map_err(|error| not(&error.to_string()))?.is_file();
    if !is_file {
        return Err(not("it is no file"));
    }
    tokio::fs::File::open(file).await.map(drop).map_err(|error| not(&error.to_string()))
}

fn by_password(url: &RepositoryUrl, username: &str, password: String) -> Result<Access, FetchError> {
    if password.is_empty() || password.chars().any(char::is_control) {
        let message = "the password is empty or has a control character in it";
        return Err(FetchError::Local(message.to_owned()));
    }
    Ok(Access { environment: basic(url, username, &password), secrets: vec![password] })
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
        // Greetings of the server would stand among the causes of a failure.
        "LogLevel=ERROR",
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
    use std::sync::atomic::{AtomicU32, Ordering};

    use async_trait::async_trait;

    use super::*;
    use crate::config::SecretRef;
    use crate::port::forge::login::Login;

    fn url(text: &str) -> RepositoryUrl {
        text.parse().unwrap()
    }

    #[test]
    fn paths_with_spaces_are_quoted_for_ssh_and_for_the_shell() {
        let command = ssh_command(Path::new("/run/my keys/k"), Path::new("/etc/known hosts"));
        assert!(command.ends_with(r#" -o 'UserKnownHostsFile="/etc/known hosts"' -o 'IdentityFile="/run/my keys/k"'"#));
        assert!(command.contains("-o StrictHostKeyChecking=yes") && command.contains("-F /dev/null"));
    }

    #[tokio::test]
    async fn a_missing_secret_is_named_and_a_broken_one_is_not_shown() {
        let credentials =
            Credentials::Basic { username: "bob".to_owned(), password: SecretRef::Env("MESHWRIGHT_NOT_SET".into()) };
        let Err(FetchError::Local(message)) = open(&url("https://host/a"), Some(&Entry::Configured(credentials))).await
        else {
            panic!("there is no such variable")
        };
        assert!(message.contains("MESHWRIGHT_NOT_SET"), "{message}");
    }

    /// Makes another password each time.
    #[derive(Default)]
    struct Counting(AtomicU32);

    #[async_trait]
    impl Logins for Counting {
        async fn login(&self, source: &SourceName) -> Result<Login, String> {
            match self.0.fetch_add(1, Ordering::Relaxed) {
                2 => Err("the forge is away".to_owned()),
                number => Ok(Login { username: source.to_string(), password: format!("pass-{number}") }),
            }
        }

        fn refused(&self, _: &SourceName) {}
    }

    #[tokio::test]
    async fn a_made_password_is_asked_for_anew_and_bound_to_the_origin() {
        let entry = Entry::Made { source: "retail".parse().unwrap(), logins: Arc::new(Counting::default()) };
        let there = url("https://host:8443/a");
        for number in 0..2 {
            let access = open(&there, Some(&entry)).await.unwrap();
            assert_eq!(access.secrets, [format!("pass-{number}")]);
            let value =
                |name: &str| access.environment.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
            assert_eq!(value("GIT_CONFIG_KEY_0").unwrap(), "credential.https://host:8443.helper");
            assert_eq!(value("MESHWRIGHT_GIT_USERNAME").unwrap(), "retail");
        }
        let away = open(&there, Some(&entry)).await;
        assert!(matches!(away, Err(FetchError::Unreachable(message)) if message == "the forge is away"));
        assert!(!format!("{entry:?}").contains("pass"), "{entry:?}");
    }
}
