//! The names by which everything else is known. Each is parsed once, at the border, and is
//! valid from then on: private field, one constructor, its own error.

mod fqn;

pub use fqn::{EntityKind, Fqn};

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize, Serializer};
use sha2::{Digest as _, Sha256};

/// Why a text is not a name of the wanted kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{text}' is not a {kind}: {rule}")]
pub struct InvalidId {
    /// What it should have been, in the reader's words ("stage name").
    pub kind: &'static str,
    /// The text, cut to 80 characters.
    pub text: String,
    /// The rule it breaks.
    pub rule: &'static str,
}

impl InvalidId {
    fn new(kind: &'static str, text: &str, rule: &'static str) -> Self {
        Self { kind, text: text.chars().take(80).collect(), rule }
    }
}

/// Declares a newtype over a checked string, with the traits that every name needs. A clone shares the
/// text: names stand in many places of a pass.
macro_rules! checked_name {
    ($(#[$doc:meta])* $name:ident, $kind:literal, $rule:literal, $check:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
        #[serde(try_from = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                let check: fn(&str) -> bool = $check;
                if check(text) {
                    Ok(Self(text.into()))
                } else {
                    Err(InvalidId::new($kind, text, $rule))
                }
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;

            fn try_from(text: String) -> Result<Self, InvalidId> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> String {
                name.as_str().to_owned()
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

checked_name!(
    /// The mesh's namespace, as it stands in every fully qualified name: `com.example`.
    Namespace,
    "mesh namespace",
    "it has letters, digits, '.' and '-', begins with a letter, and is at most 128 characters long",
    |text| {
        text.len() <= 128
            && text.starts_with(|c: char| c.is_ascii_alphabetic())
            && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '.' || c == '-')
    }
);

checked_name!(
    /// The name of a source in the configuration.
    SourceName,
    "source name",
    "it has lower-case letters, digits and '-', begins with a letter or digit, and is at most 63 characters long",
    is_slug
);

checked_name!(
    /// A stage: a key of `lifecycleInfo`, and an entry of the configuration's `stages`.
    StageName,
    "stage name",
    "it has letters, digits, '-' and '_', begins with a letter or digit, and is at most 63 characters long",
    |text| {
        (1..=63).contains(&text.len())
            && text.starts_with(|c: char| c.is_ascii_alphanumeric())
            && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
    }
);

checked_name!(
    /// The name under which the configuration knows an executor.
    ExecutorName,
    "executor name",
    "it has letters, digits, '-', '_' and '.', begins with a letter or digit, and is at most 63 characters long",
    is_label
);

checked_name!(
    /// The name under which the configuration knows a forge.
    ForgeName,
    "forge name",
    "it has lower-case letters, digits and '-', begins with a letter or digit, and is at most 63 characters long",
    is_slug
);

checked_name!(
    /// One commit, by its full object id (SHA-1 or SHA-256), in lower-case hex. Never a branch.
    Revision,
    "revision",
    "it has 40 or 64 lower-case hexadecimal digits",
    |text| {
        (text.len() == 40 || text.len() == 64)
            && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    }
);

checked_name!(
    /// A path inside a repository: relative, '/'-separated, without '.', '..', empty segments,
    /// backslashes or control characters. It cannot climb out of anything.
    RepoPath,
    "path inside a repository",
    "it is relative, has no '.', '..' or empty segment, no backslash, no control character, and at most 4096 bytes",
    |text| {
        (1..=4096).contains(&text.len())
            && !text.chars().any(|c| c.is_control() || c == '\\')
            && text.split('/').all(|part| !part.is_empty() && part != "." && part != "..")
    }
);

fn is_label(text: &str) -> bool {
    (1..=63).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}

fn is_slug(text: &str) -> bool {
    (1..=63).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
        && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}

impl Revision {
    /// The first eight digits, for people.
    pub fn short(&self) -> &str {
        self.0.get(..8).unwrap_or(&self.0)
    }
}

impl RepoPath {
    /// The folder in which the path stands; `None` at the top.
    pub fn parent(&self) -> Option<RepoPath> {
        self.0.rsplit_once('/').map(|(folder, _)| RepoPath(folder.into()))
    }

    /// The last segment.
    pub fn file_name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }

    /// Resolves `relative` against the folder of this file, as a URI reference would be.
    /// `None` when it is absolute or climbs out of the repository.
    pub fn sibling(&self, relative: &str) -> Option<RepoPath> {
        let mut parts: Vec<&str> = self.0.split('/').collect();
        parts.pop();
        for part in relative.split('/') {
            match part {
                "" => return None,
                "." => {}
                ".." => {
                    parts.pop()?;
                }
                name => parts.push(name),
            }
        }
        parts.join("/").parse().ok()
    }
}

/// A SHA-256 digest, written `sha256:<hex>`. A clone shares the text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct Digest(Arc<str>);

impl Digest {
    /// The digest of some bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self::of_pieces([bytes])
    }

    /// The digest of bytes that come in pieces, as if they stood one after the other.
    pub fn of_pieces<P: AsRef<[u8]>>(pieces: impl IntoIterator<Item = P>) -> Self {
        let mut text = String::with_capacity(71);
        text.push_str("sha256:");
        let mut hash = Sha256::new();
        pieces.into_iter().for_each(|piece| hash.update(piece));
        for byte in hash.finalize() {
            use fmt::Write as _;
            let _ = write!(text, "{byte:02x}");
        }
        Self(text.into())
    }

    /// The digest of several fields; no two different lists have the same one.
    pub fn of_fields<'a>(fields: impl IntoIterator<Item = &'a str>) -> Self {
        let mut bytes = Vec::new();
        for field in fields {
            bytes.extend_from_slice(&(field.len() as u64).to_be_bytes());
            bytes.extend_from_slice(field.as_bytes());
        }
        Self::of(&bytes)
    }

    /// The whole text, with its `sha256:`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first twelve digits, for people.
    pub fn short(&self) -> &str {
        self.0.get(7..19).unwrap_or(&self.0)
    }
}

impl TryFrom<String> for Digest {
    type Error = InvalidId;

    fn try_from(text: String) -> Result<Self, InvalidId> {
        let hex = text.strip_prefix("sha256:").unwrap_or("");
        if hex.len() == 64 && hex.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)) {
            Ok(Self(text.into()))
        } else {
            Err(InvalidId::new("digest", &text, "it is 'sha256:' and 64 lower-case hexadecimal digits"))
        }
    }
}

impl FromStr for Digest {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        Self::try_from(text.to_owned())
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> String {
        digest.as_str().to_owned()
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where at most one instance runs: one major version of a product, at one stage.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ContainerId {
    /// The product's major version.
    pub product: Fqn,
    /// The stage.
    pub stage: StageName,
}

impl fmt::Display for ContainerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.product, self.stage)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_do_not_climb() {
        let path: RepoPath = "a/b/c.yaml".parse().unwrap();
        assert_eq!(path.sibling("../x.json").unwrap().as_str(), "a/x.json");
        assert_eq!(path.sibling("./d/x.json").unwrap().as_str(), "a/b/d/x.json");
        assert_eq!(path.sibling("../../../x.json"), None);
        assert_eq!(path.sibling("/etc/passwd"), None);
        for bad in ["", "/a", "a//b", "a/../b", "./a", "a\\b", "a\nb"] {
            assert!(bad.parse::<RepoPath>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn digests_of_fields_do_not_run_together() {
        assert_ne!(Digest::of_fields(["ab", "c"]), Digest::of_fields(["a", "bc"]));
        let digest = Digest::of(b"abc");
        assert_eq!(digest.as_str(), "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert!("sha256:xyz".parse::<Digest>().is_err());
    }

    #[test]
    fn names_refuse_what_could_be_read_as_something_else() {
        assert!("--upload-pack=x".parse::<SourceName>().is_err());
        assert!("dev; rm".parse::<StageName>().is_err());
        assert!("main".parse::<Revision>().is_err());
        assert!("urn:dpds:x y".parse::<Fqn>().is_err());
    }
}
