//! Where repositories and databases are: URLs and paths, taken apart as far as it takes to refuse
//! what must not stand in a configuration.

use std::path::{Component, Path, PathBuf};

/// Where a repository is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourceLocation {
    /// On this machine; an absolute path.
    Folder(PathBuf),
    /// Elsewhere: an `https://`, `ssh://` or `git://` URL without a password; `http://` to this machine only.
    Remote(String),
}

impl SourceLocation {
    /// As the `git` program takes it.
    pub fn as_git_argument(&self) -> String {
        match self {
            SourceLocation::Folder(path) => path.display().to_string(),
            SourceLocation::Remote(url) => url.clone(),
        }
    }

    /// The folder, where it is one.
    pub fn folder(&self) -> Option<&Path> {
        match self {
            SourceLocation::Folder(path) => Some(path),
            SourceLocation::Remote(_) => None,
        }
    }

    /// `https`, `ssh`, `git`, `http`; `file` for a folder.
    pub fn scheme(&self) -> &str {
        match self {
            SourceLocation::Folder(_) => "file",
            SourceLocation::Remote(url) => url.split("://").next().unwrap_or_default(),
        }
    }
}

/// Why an address is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct BadAddress {
    pub(super) message: String,
    pub(super) hint: Option<String>,
    /// Whether a password or token stands in it.
    pub(super) secret: bool,
}

fn bad(message: impl Into<String>, hint: impl Into<String>) -> BadAddress {
    BadAddress { message: message.into(), hint: Some(hint.into()), secret: false }
}

/// Reads the address of a source.
pub(super) fn source(text: &str, base: &Path) -> Result<SourceLocation, BadAddress> {
    const ALLOWED: &str = "a source is a path, or a file://, https://, ssh:// or git:// URL";
    if text.trim().is_empty() || text.chars().any(char::is_control) {
        return Err(bad("the address is empty or has control characters in it", ALLOWED));
    }
    let Some((scheme, rest)) = text.split_once("://") else {
        let before_slash = text.split('/').next().unwrap_or_default();
        if let Some((host, path)) = before_slash.split_once(':') {
            if path.starts_with(':') || host.is_empty() {
                return Err(bad("remote helpers are not allowed", ALLOWED));
            }
            // `git@host:path` is how forges print it; both forms mean the same there.
            let whole = text.split_once(':').map(|(_, path)| path.trim_start_matches('/')).unwrap_or_default();
            return source(&format!("ssh://{host}/{whole}"), base);
        }
        return Ok(SourceLocation::Folder(resolve(base, Path::new(text))));
    };
    let authority = rest.split('/').next().unwrap_or_default();
    match scheme {
        "file" => {
            if !(authority.is_empty() || authority == "localhost") {
                return Err(bad(
                    "a file:// URL names this machine only",
                    "write file:///absolute/path, or just the path",
                ));
            }
            let path = rest.strip_prefix("localhost").unwrap_or(rest);
            let decoded = percent_encoding::percent_decode_str(path).decode_utf8().map(std::borrow::Cow::into_owned);
            let decoded = decoded.map_err(|_| bad("the path is not UTF-8", "write the path itself"))?;
            Ok(SourceLocation::Folder(resolve(base, Path::new(&decoded))))
        }
        "https" | "ssh" | "git" => {
            if has_secret(scheme, authority) {
                return Err(BadAddress {
                    message: "a password or token stands in the URL".to_owned(),
                    hint: Some(
                        "take it out, and name it under `credentials`, as { env: VARIABLE } or { file: PATH }"
                            .to_owned(),
                    ),
                    secret: true,
                });
            }
            let host = authority.rsplit('@').next().unwrap_or_default();
            if host.is_empty()
                || host.starts_with('-')
                || authority.starts_with('-')
                || text.contains(char::is_whitespace)
            {
                return Err(bad("the URL has no usable host", ALLOWED));
            }
            Ok(SourceLocation::Remote(text.to_owned()))
        }
        "http" if is_this_machine(authority) => Ok(SourceLocation::Remote(text.to_owned())),
        "http" => Err(bad("http:// is neither secret nor sure of whom it talks to", "use https://")),
        other => {
            Err(bad(format!("the transport '{}' is not allowed", other.chars().take(20).collect::<String>()), ALLOWED))
        }
    }
}

/// Whether plain HTTP does not leave the machine (a proxy beside the daemon).
fn is_this_machine(authority: &str) -> bool {
    let host =
        if authority.starts_with('[') { authority.split_inclusive(']').next() } else { authority.split(':').next() };
    matches!(host, Some("localhost" | "127.0.0.1" | "[::1]"))
}

/// Whether there is something behind the user name, or a token in its place. SSH has user names only.
fn has_secret(scheme: &str, authority: &str) -> bool {
    match authority.rsplit_once('@') {
        Some((user, _)) => scheme != "ssh" || user.contains(':'),
        None => false,
    }
}

/// Whether a database URL has a password in it, in either of the two places where one can stand.
pub(super) fn database_url_has_password(url: &str) -> bool {
    let rest = url.split_once("://").map(|(_, rest)| rest).unwrap_or_default();
    let (address, options) = rest.split_once('?').unwrap_or((rest, ""));
    let user = address.rsplit_once('@').map(|(user, _)| user).unwrap_or_default();
    user.contains(':') || options.split('&').any(|option| option.to_lowercase().starts_with("password="))
}

/// `path` against `base`, without `.` segments and with `..` taken back where it can be.
pub(super) fn resolve(base: &Path, path: &Path) -> PathBuf {
    let mut resolved = PathBuf::new();
    for part in base.join(path).components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if matches!(resolved.components().next_back(), Some(Component::Normal(_))) => {
                resolved.pop();
            }
            other => resolved.push(other),
        }
    }
    resolved
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<SourceLocation, BadAddress> {
        source(text, Path::new("/mesh"))
    }

    #[test]
    fn paths_and_urls_are_told_apart() {
        assert_eq!(read("../repo"), Ok(SourceLocation::Folder("/repo".into())));
        assert_eq!(read("./repo/."), Ok(SourceLocation::Folder("/mesh/repo".into())));
        assert_eq!(read("file:///srv/a%20b"), Ok(SourceLocation::Folder("/srv/a b".into())));
        assert_eq!(read("-x"), Ok(SourceLocation::Folder("/mesh/-x".into())), "never readable as an option");
        assert_eq!(read("git@h:a/b.git"), Ok(SourceLocation::Remote("ssh://git@h/a/b.git".to_owned())));
        for url in
            ["http://127.0.0.1:3000/a.git", "http://[::1]:1/a", "https://h/a.git", "ssh://git@h:22/a.git", "git://h/a"]
        {
            assert_eq!(read(url), Ok(SourceLocation::Remote(url.to_owned())));
        }
    }

    #[test]
    fn what_is_not_allowed_is_refused_with_advice() {
        for text in [
            "",
            "http://h/a",
            "http://localhost.evil/a",
            "http://u@localhost/a",
            "ext::sh -c x",
            "ext://x",
            "https://-oProxyCommand=x/a",
            "ssh://-x/a",
            "file://other/a",
        ] {
            assert!(read(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn passwords_are_seen() {
        for url in ["https://u:p@h/a", "https://token@h/a", "ssh://u:p@h/a"] {
            assert!(read(url).unwrap_err().secret, "{url}");
        }
        assert!(database_url_has_password("postgres://u:p@h/db"));
        assert!(database_url_has_password("postgres://h/db?sslmode=x&password=p"));
        assert!(!database_url_has_password("postgres://u@h:5432/db"));
    }
}
