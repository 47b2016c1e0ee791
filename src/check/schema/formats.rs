//! The forms of texts (DPDS 1.0.0, Data Types). JSON Schema alone does not assert them, and
//! `version: banana` would pass.

use semver::Version;

use crate::domain::id::Fqn;

/// `^[a-zA-Z][a-zA-Z0-9]+$`
pub(in crate::check) fn is_name(text: &str) -> bool {
    text.len() >= 2
        && text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// Semantic Versioning 2.0.0.
pub(in crate::check) fn is_version(text: &str) -> bool {
    Version::parse(text).is_ok()
}

/// A fully qualified name; the specification's own examples have '-' in the namespace, which its
/// pattern does not allow.
pub(in crate::check) fn is_fqn(text: &str) -> bool {
    text.parse::<Fqn>().is_ok()
}

/// How a text of a format looks, for messages.
pub(super) fn described(format: &str) -> (&'static str, &'static str) {
    match format {
        "name" => ("a name", "letters and digits only, at least two, beginning with a letter"),
        "version" => ("a semantic version", "three numbers without leading zeros, as in 1.4.0 or 2.0.0-rc.1"),
        "fqn" => (
            "a fully qualified name",
            "the whole name, as in urn:dpds:com.example:dataproducts:orders:1:outputports:orders",
        ),
        "uuid" => ("a UUID", "one as in 2b172838-73b1-5d6c-be45-cc75aee180a0"),
        "uri" => ("a URI", "an absolute URI, as in https://example.com/docs"),
        _ => ("of the right form", "it as the specification says"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_versions_and_fully_qualified_names() {
        for (text, fine) in
            [("tripExecution", true), ("a1", true), ("a", false), ("1a", false), ("a-b", false), ("aé", false)]
        {
            assert_eq!(is_name(text), fine, "{text}");
        }
        for (text, fine) in
            [("1.2.3", true), ("2.0.0-rc.1+b", true), ("1.2", false), ("01.2.3", false), ("banana", false)]
        {
            assert_eq!(is_version(text), fine, "{text}");
        }
        assert!(is_fqn("urn:dpds:com.company-xyz:dataproducts:tripExecution:1"));
        assert!(!is_fqn("trips"));
    }
}
