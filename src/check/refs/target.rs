//! The text of a `$ref`, read (RFC 3986 for its parts, RFC 6901 for its fragment).

use percent_encoding::percent_decode_str;

use crate::domain::id::RepoPath;

/// Where a reference points.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Target {
    /// The same document: a JSON pointer.
    Here(String),
    /// A file of the same commit, and a JSON pointer into it; empty for the whole.
    File(RepoPath, String),
}

/// Why a reference points nowhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum NoTarget {
    /// It has a scheme or a host.
    Remote,
    /// It leads out of the repository.
    Outside,
    /// The fragment has no '/' behind its '#'; the right form, and where that points.
    NoSlash(String, Box<Target>),
    /// Its folders are separated by '\\'; the right form.
    Backslashes(String),
    /// It cannot be read; why.
    Malformed(&'static str),
}

/// Whether a reference points to its own document.
pub(super) fn is_local(text: &str) -> bool {
    text.starts_with('#')
}

/// Reads a reference that stands in the file `base`.
pub(super) fn read(text: &str, base: &RepoPath) -> Result<Target, NoTarget> {
    let (path, fragment) = text.split_once('#').unwrap_or((text, ""));
    if path.is_empty() && !is_local(text) {
        return Err(NoTarget::Malformed("it is empty"));
    }
    match scheme(path) {
        // The drive of a machine, as Windows has them.
        Some(drive) if drive.len() == 1 => return Err(NoTarget::Outside),
        Some(_) => return Err(NoTarget::Remote),
        None if path.starts_with("//") => return Err(NoTarget::Remote),
        None => {}
    }
    let fragment = decode(fragment)?;
    if !fragment.is_empty() && !fragment.starts_with('/') {
        let right = format!("{path}#/{fragment}");
        let target = Box::new(read(&right, base)?);
        return Err(NoTarget::NoSlash(right, target));
    }
    if path.is_empty() {
        return Ok(Target::Here(fragment));
    }
    if path.contains('?') {
        return Err(NoTarget::Malformed("a file has no query"));
    }
    let path = decode(path)?;
    if path.contains('\\') {
        return Err(NoTarget::Backslashes(text.replace('\\', "/")));
    }
    if path.starts_with('/') || climbs_out(&path, base) {
        return Err(NoTarget::Outside);
    }
    match base.sibling(&path) {
        Some(file) => Ok(Target::File(file, fragment)),
        None => Err(NoTarget::Malformed("it is not the path of a file")),
    }
}

fn decode(text: &str) -> Result<String, NoTarget> {
    match percent_decode_str(text).decode_utf8() {
        Ok(decoded) if decoded.contains('\0') => Err(NoTarget::Malformed("it has the character U+0000 in it")),
        Ok(decoded) => Ok(decoded.into_owned()),
        Err(_) => Err(NoTarget::Malformed("its percent-encoding is not UTF-8")),
    }
}

/// `ALPHA *( ALPHA / DIGIT / "+" / "-" / "." ) ":"`
fn scheme(path: &str) -> Option<&str> {
    let (scheme, _) = path.split_once(':')?;
    let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'));
    is_scheme.then_some(scheme)
}

fn climbs_out(path: &str, base: &RepoPath) -> bool {
    let mut depth = base.as_str().split('/').count() - 1;
    for part in path.split('/') {
        match part {
            ".." => match depth.checked_sub(1) {
                Some(above) => depth = above,
                None => return true,
            },
            "." | "" => {}
            _ => depth += 1,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(text: &str) -> Result<Target, NoTarget> {
        read(text, &"products/trips/data-product-descriptor.yaml".parse().unwrap())
    }

    fn file(path: &str, fragment: &str) -> Result<Target, NoTarget> {
        Ok(Target::File(path.parse().unwrap(), fragment.to_owned()))
    }

    #[test]
    fn the_forms_of_the_specification() {
        assert_eq!(target("#/components/apis/a~1b"), Ok(Target::Here("/components/apis/a~1b".into())));
        assert_eq!(target("#/a%20b"), Ok(Target::Here("/a b".into())));
        assert_eq!(target("#"), Ok(Target::Here(String::new())));
        assert_eq!(target("port.json"), file("products/trips/port.json", ""));
        assert_eq!(target("./ports/../defs.json#/Pet"), file("products/trips/defs.json", "/Pet"));
        assert_eq!(target("../../shared/my%20port.json"), file("shared/my port.json", ""));
    }

    #[test]
    fn what_points_elsewhere() {
        for remote in ["http://x/y", "https://x", "file:///etc/passwd", "urn:x:y", "//host/x", "git+ssh://x"] {
            assert_eq!(target(remote), Err(NoTarget::Remote), "{remote}");
        }
        for outside in [
            "C:/x.json",
            "c:\\x.json",
            "/etc/passwd",
            "../../../x",
            "../../..",
            "%2e%2e/%2E%2E/../x",
            "a/../../../../x",
            "%2Fetc",
        ] {
            assert_eq!(target(outside), Err(NoTarget::Outside), "{outside}");
        }
        let slashless = |right: &str| Err(NoTarget::NoSlash(right.into(), Box::new(target(right).unwrap())));
        assert_eq!(target("#components/x"), slashless("#/components/x"));
        assert_eq!(target("a.json#Pet"), slashless("a.json#/Pet"));
        assert_eq!(target("a\\b.yaml#/c"), Err(NoTarget::Backslashes("a/b.yaml#/c".into())));
        for malformed in ["", "a?b", "a%00b", "%ff", "a//b", "ports/", "a%0Ab"] {
            assert!(matches!(target(malformed), Err(NoTarget::Malformed(_))), "{malformed}");
        }
    }
}
