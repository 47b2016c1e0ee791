//! Which repositories and branches are let in, and which credentials fit them. Texts are parsed once,
//! into values that cannot be read as an option, as another transport, or as more than one line.
//! What `config check` lets through is what the Git adapter takes: there is no second parser.

mod url;
mod base;
mod branch;
mod credentials;

pub use base::BaseUrl;
pub use branch::BranchName;
pub use url::{RepositoryUrl, Transport};

/// Why a text is not a repository's URL, not a branch, or not credentials that fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidLocation {
    /// What is wrong, in one sentence without a full stop.
    pub message: String,
    /// What to write instead.
    pub hint: Option<String>,
    /// Whether a password or token may stand in the text, which then must not be shown.
    pub secret: bool,
}

impl InvalidLocation {
    fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None, secret: false }
    }

    fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    fn with_secret(mut self) -> Self {
        self.secret = true;
        self
    }
}

impl std::fmt::Display for InvalidLocation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)?;
        match &self.hint {
            Some(hint) => write!(f, "; {hint}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for InvalidLocation {}
