//! Where a repository is: a folder, or a URL without credentials.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::{Component, Path, PathBuf};
use std::str::FromStr;

use super::InvalidLocation;
use crate::config::address::resolve;

/// How a repository is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// A folder of this machine.
    File,
    /// HTTPS.
    Https,
    /// Plain HTTP, to this machine only: for tests and for a proxy beside the daemon.
    LoopbackHttp,
    /// SSH.
    Ssh,
    /// Git's own protocol, neither encrypted nor authenticated.
    Git,
}

impl Transport {
    /// The word for `GIT_ALLOW_PROTOCOL`.
    pub const fn protocol(self) -> &'static str {
        match self {
            Transport::File => "file",
            Transport::Https => "https",
            Transport::LoopbackHttp => "http",
            Transport::Ssh => "ssh",
            Transport::Git => "git",
        }
    }
}

/// Where a repository is: a folder, or a URL without credentials, in one form per repository.
///
/// An scp-like `git@host:path` becomes `ssh://git@host/path`. Forges treat both alike; on a plain
/// SSH server the first is relative to the user's home, and the second is wanted there in full.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepositoryUrl {
    transport: Transport,
    /// What `git` is given: an absolute path, or a URL.
    text: String,
    /// `scheme://host[:port]`; empty for folders.
    origin: String,
}

impl RepositoryUrl {
    /// Reads what stands in a configuration: a URL, or a path against the folder `base` of that file.
    pub fn against(base: &Path, text: &str) -> Result<Self, InvalidLocation> {
        let before_slash = text.split('/').next().unwrap_or_default();
        let is_path = !text.trim().is_empty() && !text.chars().any(char::is_control) && !text.starts_with('~');
        if is_path && !before_slash.contains(':') {
            return folder(&resolve(base, Path::new(text)));
        }
        text.parse()
    }

    /// The folder, when the repository is one of this machine.
    pub fn local_path(&self) -> Option<&Path> {
        (self.transport == Transport::File).then(|| Path::new(&self.text))
    }

    /// The text that `git` is given.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// How it is reached.
    pub const fn transport(&self) -> Transport {
        self.transport
    }

    /// `scheme://host[:port]`, to which credentials are bound.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// What a forge calls the repository: the path of its URL, without slashes at its ends and without
    /// `.git`; `None` for folders.
    pub fn name_at_forge(&self) -> Option<&str> {
        let (_, rest) = self.text.split_once("://")?;
        let (_, path) = rest.split_once('/')?;
        let path = path.trim_matches('/');
        Some(path.strip_suffix(".git").unwrap_or(path))
    }
}

impl fmt::Display for RepositoryUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Longer ones are refused.
const LONGEST_URL: usize = 2048;

const ALLOWED: &str = "a source is a path, or a file://, https://, ssh:// or git:// URL";

impl FromStr for RepositoryUrl {
    type Err = InvalidLocation;

    fn from_str(text: &str) -> Result<Self, InvalidLocation> {
        if text.is_empty() || text.len() > LONGEST_URL {
            return Err(InvalidLocation::new(format!("the URL must have 1 to {LONGEST_URL} bytes")));
        }
        if text.chars().any(char::is_control) {
            return Err(InvalidLocation::new("the URL has a line break or another control character"));
        }
        if text.starts_with('-') {
            return Err(InvalidLocation::new(format!(
                "'{text}' could be read as an option; a URL never begins with '-'"
            )));
        }
        if text.starts_with('/') {
            return folder(Path::new(text));
        }
        if let Some((scheme, rest)) = text.split_once("://") {
            return match scheme.to_ascii_lowercase().as_str() {
                "file" => file_url(rest),
                "https" => network(Transport::Https, rest),
                "http" => network(Transport::LoopbackHttp, rest),
                "ssh" | "git+ssh" | "ssh+git" => network(Transport::Ssh, rest),
                "git" => network(Transport::Git, rest),
                other => Err(InvalidLocation::new(format!(
                    "the transport '{}' is not allowed",
                    other.chars().take(40).collect::<String>()
                ))
                .with_hint(ALLOWED)),
            };
        }
        if text.contains("::") {
            return Err(InvalidLocation::new("transport helpers ('name::address') are not allowed").with_hint(ALLOWED));
        }
        if is_scp_like(text) {
            let (host, path) = text.split_once(':').unwrap_or((text, ""));
            return network(Transport::Ssh, &format!("{host}/{}", path.trim_start_matches('/')));
        }
        Err(InvalidLocation::new(format!("'{text}' is neither an absolute path nor a URL")).with_hint(ALLOWED))
    }
}

/// `user@host:path`, in which no `/` stands before the colon.
fn is_scp_like(text: &str) -> bool {
    text.split_once(':').is_some_and(|(host, _)| host.contains('@') && !host.contains('/'))
}

fn folder(path: &Path) -> Result<RepositoryUrl, InvalidLocation> {
    // Components drop '.', doubled and trailing slashes. '..' stays: behind a link it is not what it seems.
    let clean: PathBuf = path.components().filter(|part| *part != Component::CurDir).collect();
    let text = clean.to_str().ok_or_else(|| InvalidLocation::new("the path is not UTF-8"))?.to_owned();
    Ok(RepositoryUrl { transport: Transport::File, text, origin: String::new() })
}

fn file_url(rest: &str) -> Result<RepositoryUrl, InvalidLocation> {
    let path = rest.strip_prefix("localhost").unwrap_or(rest);
    if !path.starts_with('/') {
        return Err(InvalidLocation::new("a file:// URL names this machine only")
            .with_hint("write file:///absolute/path, or just the path"));
    }
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        bytes.push(*first);
        if *first == b'%' {
            let digits = tail.get(..2).and_then(|two| std::str::from_utf8(two).ok());
            let byte = digits.and_then(|two| u8::from_str_radix(two, 16).ok());
            let (Some(byte), Some(tail)) = (byte, tail.get(2..)) else {
                return Err(InvalidLocation::new("the file URL has a '%' without two hexadecimal digits behind it"));
            };
            bytes.pop();
            bytes.push(byte);
            rest = tail;
        }
    }
    let decoded = String::from_utf8(bytes).map_err(|_| InvalidLocation::new("the file URL is not UTF-8"))?;
    if decoded.chars().any(char::is_control) {
        return Err(InvalidLocation::new("the file URL has a line break or another control character"));
    }
    folder(Path::new(&decoded))
}

fn network(transport: Transport, rest: &str) -> Result<RepositoryUrl, InvalidLocation> {
    let (authority, path) = match rest.split_once('/') {
        Some((authority, path)) if !path.trim_matches('/').is_empty() => (authority, path),
        _ => return Err(InvalidLocation::new("the URL names no repository: it has no path behind the host")),
    };
    let (user, place) = match authority.rsplit_once('@') {
        Some((user, place)) => (Some(user), place),
        None => (None, authority),
    };
    let user = match (user, transport) {
        (None, _) => String::new(),
        (Some(user), Transport::Ssh) if is_user(user) => format!("{user}@"),
        (Some(user), Transport::Ssh) if !user.contains(':') => {
            return Err(InvalidLocation::new("the user name in the URL has characters that are not allowed"));
        }
        // The user name alone may be a token: it is refused, and not repeated.
        (Some(_), _) => {
            return Err(InvalidLocation::new("a password or token stands in the URL")
                .with_hint("take it out, and name it under 'credentials', as { env: VARIABLE } or { file: PATH }")
                .with_secret());
        }
    };
    let (host, port) = host_and_port(place)?;
    if transport == Transport::LoopbackHttp && !is_loopback(&host) {
        return Err(InvalidLocation::new("plain http:// is allowed to this machine only").with_hint("use https://"));
    }
    check_path(path)?;
    let default_port = match transport {
        Transport::Https => Some(443),
        Transport::LoopbackHttp => Some(80),
        Transport::Ssh => Some(22),
        Transport::Git => Some(9418),
        Transport::File => None,
    };
    let port = port.filter(|port| Some(*port) != default_port).map_or(String::new(), |port| format!(":{port}"));
    let scheme = transport.protocol();
    Ok(RepositoryUrl {
        transport,
        text: format!("{scheme}://{user}{host}{port}/{}", path.trim_matches('/')),
        origin: format!("{scheme}://{host}{port}"),
    })
}

fn is_user(user: &str) -> bool {
    !user.is_empty()
        && !user.starts_with('-')
        && user.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'))
}

fn host_and_port(place: &str) -> Result<(String, Option<u16>), InvalidLocation> {
    let wrong = || InvalidLocation::new("the URL has no usable host name");
    let (host, port) = if let Some(inner) = place.strip_prefix('[') {
        let (address, after) = inner.split_once(']').ok_or_else(wrong)?;
        let address: Ipv6Addr = address.parse().map_err(|_| wrong())?;
        (format!("[{address}]"), after.strip_prefix(':').or(if after.is_empty() { None } else { Some("x") }))
    } else {
        let (host, port) = match place.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (place, None),
        };
        let fine = (1..=253).contains(&host.len())
            && host.starts_with(|c: char| c.is_ascii_alphanumeric())
            && host.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'));
        if !fine {
            return Err(wrong());
        }
        (host.to_ascii_lowercase(), port)
    };
    let port = match port {
        None => None,
        Some(text) if text.starts_with(|c: char| c.is_ascii_digit()) => match text.parse() {
            Ok(port) if port != 0 => Some(port),
            _ => return Err(InvalidLocation::new("the URL's port is not a number from 1 to 65535")),
        },
        Some(_) => return Err(InvalidLocation::new("the URL's port is not a number from 1 to 65535")),
    };
    Ok((host, port))
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host == "[::1]" || host.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
}

/// The characters that no program on the way (git, ssh, a shell, curl, a server) reads as something else.
fn check_path(path: &str) -> Result<(), InvalidLocation> {
    let odd = path.chars().find(|c| !c.is_ascii_alphanumeric() && !"/._~-+@:,=%".contains(*c));
    if let Some(odd) = odd {
        return Err(InvalidLocation::new(format!("the URL's path has a '{odd}', which is not allowed"))
            .with_hint("write it as %XX if the repository has it in its name"));
    }
    if path.split('/').any(|part| part == "..") {
        return Err(InvalidLocation::new("the URL's path climbs with '..'"));
    }
    for escape in path.split('%').skip(1) {
        let byte = escape.get(..2).and_then(|two| u8::from_str_radix(two, 16).ok());
        match byte {
            Some(byte) if byte >= 0x20 && byte != 0x7f && byte != b'.' && byte != b'/' && byte != b'\\' => {}
            _ => return Err(InvalidLocation::new("the URL's path has a %XX that is not allowed")),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> String {
        text.parse::<RepositoryUrl>().unwrap_or_else(|error| panic!("{text}: {error}")).to_string()
    }

    fn refusal(text: &str) -> String {
        match text.parse::<RepositoryUrl>() {
            Ok(url) => panic!("{text:?} was let in as {url}"),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn one_repository_has_one_form() {
        assert_eq!(url("/srv//git/./mesh.git/"), "/srv/git/mesh.git");
        assert_eq!(url("file:///srv/git/my%20mesh"), "/srv/git/my mesh");
        assert_eq!(url("file://localhost/srv/git"), "/srv/git");
        assert_eq!(url("HTTPS://GitHub.com:443/acme/Mesh.git/"), "https://github.com/acme/Mesh.git");
        assert_eq!(url("https://git.acme.test:8443/a/b"), "https://git.acme.test:8443/a/b");
        assert_eq!(url("git@github.com:acme/mesh.git"), "ssh://git@github.com/acme/mesh.git");
        assert_eq!(url("ssh://git@github.com:22/acme/mesh.git"), "ssh://git@github.com/acme/mesh.git");
        assert_eq!(url("git://[::1]:9000/mesh"), "git://[::1]:9000/mesh");
        assert_eq!(url("http://127.0.0.1:8080/mesh"), "http://127.0.0.1:8080/mesh");
        assert_eq!(url("http://[::1]/mesh"), "http://[::1]/mesh");
    }

    #[test]
    fn what_could_be_read_as_something_else_is_refused() {
        for text in [
            "",
            "--upload-pack=touch /tmp/x",
            "-oProxyCommand=x",
            "ext::sh -c touch% /tmp/x",
            "fd::17",
            "ext::https://a/b",
            "ftp://host/repo",
            "https://host",
            "https://host/",
            "https:///path",
            "https://-oProxyCommand=x/repo",
            "ssh://-oProxyCommand=x/repo",
            "ssh://git@-host/repo",
            "ssh://-l@host/repo",
            "-git@host:repo",
            "git@-oProxyCommand=x:repo",
            "https://host:port/repo",
            "https://host:0/repo",
            "https://host:99999/repo",
            "https://[::1/repo",
            "https://[::1]x/repo",
            "https://host/a/../../b",
            "https://host/a%2e%2e/b",
            "https://host/a%0ab",
            "https://host/a%zz",
            "https://host/a?b=c",
            "https://host/a b",
            "https://host/a;b",
            "ssh://host/a'b",
            "ssh://host/$(touch x)",
            "https://host/a\nb",
            "https://host/a\0b",
            "git://host/a\rhost=other",
            "file://other/srv/git",
            "file:///srv/%0a",
            "file:///srv/%",
            "relative/path",
            "../up",
            "host:path",
            "~/mesh",
        ] {
            refusal(text);
        }
    }

    #[test]
    fn credentials_in_a_url_are_refused_and_not_repeated() {
        for text in [
            "https://ghp_s3cret@github.com/acme/mesh",
            "https://bob:s3cret@github.com/acme/mesh",
            "ssh://git:s3cret@github.com/acme/mesh",
            "git://s3cret@host/mesh",
        ] {
            let message = refusal(text);
            assert!(message.contains("'credentials'"), "{message}");
            assert!(!message.contains("s3cret"), "{message}");
        }
    }

    #[test]
    fn plain_http_stays_on_this_machine() {
        assert!(refusal("http://github.com/acme/mesh").contains("https://"));
        refusal("http://127.0.0.1.evil.test/mesh");
        refusal("http://169.254.169.254/latest");
    }

    #[test]
    fn paths_of_a_configuration_are_against_its_folder() {
        let read = |text: &str| RepositoryUrl::against(Path::new("/etc/mesh"), text).map(|url| url.to_string());
        assert_eq!(read("examples").unwrap(), "/etc/mesh/examples");
        assert_eq!(read("./a/b/.").unwrap(), "/etc/mesh/a/b");
        assert_eq!(read("../a").unwrap(), "/etc/a");
        assert_eq!(read("/abs").unwrap(), "/abs");
        assert_eq!(read("-x").unwrap(), "/etc/mesh/-x", "never readable as an option");
        assert_eq!(read("git@host:a").unwrap(), "ssh://git@host/a");
        for text in ["", " ", "a\nb", "ext::sh -c x", "host:path", "~/mesh", "http://u@localhost/a", "file://x/a"] {
            assert!(read(text).is_err(), "{text:?}");
        }
    }
}
