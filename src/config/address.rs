//! Paths, and what must not stand in a database's URL.

use std::path::{Component, Path, PathBuf};

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

    #[test]
    fn passwords_are_seen() {
        assert!(database_url_has_password("postgres://u:p@h/db"));
        assert!(database_url_has_password("postgres://h/db?sslmode=x&password=p"));
        assert!(!database_url_has_password("postgres://u@h:5432/db"));
    }
}
