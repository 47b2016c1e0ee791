//! References to secrets. The value is read when it is used, and goes nowhere else.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where a secret is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum SecretRef {
    /// In an environment variable of the daemon.
    Env(String),
    /// In a file; a line end at its end is not part of the secret.
    File(PathBuf),
}

/// Why a secret cannot be had. It names the place, never the value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// The variable is not set.
    #[error("the environment variable {0} is not set")]
    NoVariable(String),
    /// The file cannot be read.
    #[error("the secret file {path} cannot be read: {message}")]
    NoFile {
        /// The file.
        path: PathBuf,
        /// Why.
        message: String,
    },
}

impl SecretRef {
    /// Reads the value now.
    #[expect(clippy::disallowed_methods, reason = "a secret file is read when it is used")]
    pub fn resolve(&self) -> Result<String, SecretError> {
        match self {
            SecretRef::Env(name) => std::env::var(name).map_err(|_| SecretError::NoVariable(name.clone())),
            SecretRef::File(path) => match std::fs::read_to_string(path) {
                Ok(text) => Ok(text.trim_end_matches(['\r', '\n']).to_owned()),
                Err(error) => Err(SecretError::NoFile { path: path.clone(), message: error.to_string() }),
            },
        }
    }
}
