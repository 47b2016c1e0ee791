//! Which credentials fit which URL. No secret is read for that.

use std::path::Path;

use super::{InvalidLocation, RepositoryUrl, Transport};
use crate::config::Credentials;

impl RepositoryUrl {
    /// Checks that the credentials fit. Paths in them are absolute.
    pub fn let_in_by(&self, credentials: Option<&Credentials>) -> Result<(), InvalidLocation> {
        match (self.transport(), credentials) {
            (Transport::Https | Transport::LoopbackHttp, Some(Credentials::Basic { username, .. })) => {
                if username.is_empty() || username.chars().any(char::is_control) {
                    return Err(InvalidLocation::new("the user name is empty or has a control character in it"));
                }
                Ok(())
            }
            (Transport::Ssh, Some(Credentials::Ssh { key, known_hosts })) => {
                check_ssh_path("key", key)?;
                check_ssh_path("known_hosts", known_hosts)
            }
            // Without them, ssh would take the keys and hosts of the user that runs the daemon.
            (Transport::Ssh, None) => Err(InvalidLocation::new("an ssh:// URL needs credentials")
                .with_hint("add `credentials: { ssh: { key: PATH, known_hosts: PATH } }`")),
            (_, None) => Ok(()),
            (_, Some(Credentials::Basic { .. })) => Err(only("https")),
            (_, Some(Credentials::Ssh { .. })) => Err(only("ssh")),
        }
    }
}

fn only(scheme: &str) -> InvalidLocation {
    InvalidLocation::new(format!("these credentials are for {scheme}:// only"))
        .with_hint("change the URL, or take them out")
}

/// ssh expands `%` and reads quotes in the values of its options, and git gives the command to a
/// shell: only paths on which neither has anything to do are let through.
fn check_ssh_path(what: &str, path: &Path) -> Result<(), InvalidLocation> {
    let refuse = |why: &str| Err(InvalidLocation::new(format!("the path of '{what}' {why}")));
    let Some(text) = path.to_str() else { return refuse("is not UTF-8") };
    if !path.is_absolute() {
        return refuse("must be absolute");
    }
    match text.chars().find(|c| c.is_control() || "%\"'\\$`".contains(*c)) {
        Some(_) => refuse("has a quote, '%', '$', '\\' or control character in it"),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::SecretRef;

    fn check(url: &str, credentials: Option<&Credentials>) -> Result<(), InvalidLocation> {
        url.parse::<RepositoryUrl>().unwrap().let_in_by(credentials)
    }

    fn ssh(key: &str) -> Credentials {
        Credentials::Ssh { key: key.into(), known_hosts: "/etc/known hosts".into() }
    }

    #[test]
    fn credentials_must_fit_the_url() {
        let basic = Credentials::Basic { username: "bob".to_owned(), password: SecretRef::Env("X".to_owned()) };
        check("https://host/a", Some(&basic)).unwrap();
        check("https://host/a", None).unwrap();
        check("ssh://git@host/a", Some(&ssh("/k"))).unwrap();
        check("ssh://git@host/a", None).unwrap_err();
        check("ssh://git@host/a", Some(&basic)).unwrap_err();
        check("/srv/a", Some(&basic)).unwrap_err();
        check("https://host/a", Some(&ssh("/k"))).unwrap_err();
        check("git://host/a", Some(&ssh("/k"))).unwrap_err();
    }

    #[test]
    fn paths_that_a_shell_or_ssh_would_read_are_refused() {
        for key in ["relative", "/a'b", "/a\"b", "/a%h", "/a$(x)", "/a`x`", "/a\nb", "/a\\b"] {
            check("ssh://git@host/a", Some(&ssh(key))).unwrap_err();
        }
    }
}
