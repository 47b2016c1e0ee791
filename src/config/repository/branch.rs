//! Which branches are let in, as `git check-ref-format` would have them.

use std::fmt;
use std::str::FromStr;

use super::InvalidLocation;

/// A branch, by its name without `refs/heads/`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct BranchName(String);

impl BranchName {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// `refs/heads/<name>`: never readable as an option.
    pub fn full(&self) -> String {
        format!("refs/heads/{}", self.0)
    }
}

impl fmt::Display for BranchName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for BranchName {
    type Err = InvalidLocation;

    fn from_str(text: &str) -> Result<Self, InvalidLocation> {
        let refuse = |rule: &str| {
            let shown: String = text.chars().filter(|c| !c.is_control()).take(80).collect();
            Err(InvalidLocation::new(format!("'{shown}' is not a branch: {rule}")))
        };
        if text.is_empty() || text.len() > 255 {
            return refuse("a branch has 1 to 255 bytes");
        }
        if text.starts_with('-') {
            return refuse("it could be read as an option");
        }
        if text == "HEAD" || text == "@" || text.starts_with("refs/") {
            return refuse("write the branch's own name, without refs/heads/");
        }
        if text.chars().any(|c| c.is_control() || c.is_whitespace() || "~^:?*[\\".contains(c)) {
            return refuse("it has a character that Git does not allow in a branch");
        }
        if text.contains("..") || text.contains("@{") || text.ends_with('.') {
            return refuse("Git does not allow '..', '@{' or a '.' at its end");
        }
        if text.split('/').any(|part| part.is_empty() || part.starts_with('.') || part.ends_with(".lock")) {
            return refuse("no part of it may be empty, begin with '.' or end with '.lock'");
        }
        Ok(Self(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn branches_are_checked_as_git_does() {
        for text in ["main", "release/1.x", "füße", "a-b_c", "v1.0", "feature/#12", "a@b"] {
            assert_eq!(text.parse::<BranchName>().unwrap().as_str(), text);
        }
        for text in [
            "",
            "-x",
            "--upload-pack=x",
            "a..b",
            "a b",
            "a~1",
            "a^",
            "a:b",
            "a?",
            "a*",
            "a[b",
            "a\\b",
            "a@{1}",
            "@",
            "HEAD",
            "/a",
            "a/",
            "a//b",
            ".a",
            "a/.b",
            "a.lock",
            "a.lock/b",
            "a.",
            "a\nb",
            "a\u{7f}",
            "refs/heads/main",
        ] {
            assert!(text.parse::<BranchName>().is_err(), "{text:?}");
        }
    }
}
