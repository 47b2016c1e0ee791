//! Where a service is: `https://` and a host, perhaps with a port and a path.

use std::fmt;
use std::str::FromStr;

use super::{InvalidLocation, RepositoryUrl, Transport};

/// A service's address, without a slash at its end: HTTPS, or plain HTTP to this machine. There are no
/// credentials in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseUrl {
    text: String,
    origin: String,
}

/// What is put behind an address, so that it can be read as a repository's, by the same rules.
const TAIL: &str = "/-";

impl BaseUrl {
    /// The address, without a slash at its end.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// `scheme://host[:port]`, to which credentials are bound.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The host, without its port.
    pub fn host(&self) -> &str {
        let authority = self.origin.split_once("://").map_or(self.origin.as_str(), |(_, authority)| authority);
        match authority.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
            _ => authority,
        }
    }

    /// Where the API of a GitHub is that people find here: github.com and `*.ghe.com` have a host for
    /// it, GitHub Enterprise Server has a path.
    #[must_use]
    pub fn github_api(&self) -> Self {
        let host = self.host();
        if host == "github.com" || host.ends_with(".ghe.com") {
            let origin = self.origin.replacen("://", "://api.", 1);
            return Self { text: origin.clone(), origin };
        }
        Self { text: format!("{}/api/v3", self.text), origin: self.origin.clone() }
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for BaseUrl {
    type Err = InvalidLocation;

    fn from_str(text: &str) -> Result<Self, InvalidLocation> {
        let wanted = |message: &str| InvalidLocation::new(message).with_hint("write https:// and the host");
        let has_scheme = text.get(..8).is_some_and(|start| {
            start.eq_ignore_ascii_case("https://") || start.to_ascii_lowercase().starts_with("http://")
        });
        if !has_scheme {
            // Somebody may have pasted a token here.
            return Err(wanted("this is not the address of a service").with_secret());
        }
        let parsed = format!("{}{TAIL}", text.trim_end_matches('/')).parse::<RepositoryUrl>();
        let url = parsed.map_err(|invalid| match invalid.secret {
            true => wanted("a password or token stands in the URL").with_secret(),
            false => invalid,
        })?;
        match (url.transport(), url.as_str().strip_suffix(TAIL)) {
            (Transport::Https | Transport::LoopbackHttp, Some(base)) => {
                Ok(Self { text: base.to_owned(), origin: url.origin().to_owned() })
            }
            _ => Err(wanted("this is not the address of a service")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base(text: &str) -> BaseUrl {
        text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn addresses_have_one_form() {
        assert_eq!(base("https://GitHub.com/").as_str(), "https://github.com");
        assert_eq!(base("https://git.acme.test:8443/forge//").as_str(), "https://git.acme.test:8443/forge");
        assert_eq!(base("https://git.acme.test:8443/forge").host(), "git.acme.test");
        assert_eq!(base("http://[::1]:3000").host(), "[::1]");
        assert_eq!(base("http://[::1]").host(), "[::1]");
        assert_eq!(base("http://127.0.0.1:3000/").origin(), "http://127.0.0.1:3000");
    }

    #[test]
    fn the_api_of_a_github_follows_from_its_address() {
        let api = |text: &str| base(text).github_api().to_string();
        assert_eq!(api("https://github.com"), "https://api.github.com");
        assert_eq!(api("https://acme.ghe.com"), "https://api.acme.ghe.com");
        assert_eq!(api("https://github.acme.test"), "https://github.acme.test/api/v3");
        assert_eq!(api("https://github.com.acme.test"), "https://github.com.acme.test/api/v3");
        assert_eq!(api("http://127.0.0.1:3000"), "http://127.0.0.1:3000/api/v3");
    }

    #[test]
    fn what_is_no_address_is_refused_and_a_token_is_not_repeated() {
        for text in [
            "",
            "github.com",
            "ghp_s3cret",
            "ssh://git@github.com",
            "http://github.com",
            "https://",
            "https://a b",
            "https://h/?x=y",
            "file:///srv",
        ] {
            assert!(text.parse::<BaseUrl>().is_err(), "{text:?}");
        }
        let error = "https://ghp_s3cret@github.com".parse::<BaseUrl>().unwrap_err();
        assert!(error.secret && !error.to_string().contains("s3cret"), "{error}");
    }
}
