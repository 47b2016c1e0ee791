//! A few lines of JSON from anything that can sign them:
//! `{"repository": "owner/name", "ref": "refs/heads/main", "before": "…", "after": "…"}`. Only the first
//! two are needed; a `ref` without `refs/` is a branch.

use serde::Deserialize;

use crate::domain::forge::delivery::{Hint, Subject};

use super::payload::{branch, commit, kept_reference, names};

/// The header with `sha256=` and the HMAC-SHA256 of the body in hexadecimal.
pub const SIGNATURE: &str = "x-meshwright-signature-256";
/// The header with the delivery's id; it may be left out.
pub const DELIVERY: &str = "x-meshwright-delivery";
/// The only event there is.
pub const EVENT: &str = "push";

#[derive(Debug, Deserialize)]
struct Moved {
    repository: String,
    #[serde(rename = "ref")]
    reference: String,
    before: Option<String>,
    after: Option<String>,
}

/// What a payload lets one suspect.
pub fn read(payload: &[u8]) -> Result<Hint, serde_json::Error> {
    let moved: Moved = serde_json::from_slice(payload)?;
    let is_full = moved.reference.starts_with("refs/");
    let branch = if is_full { branch(&moved.reference) } else { Some(moved.reference.clone()) };
    Ok(Hint {
        event: EVENT.to_owned(),
        subjects: branch.map(Subject::Branch).into_iter().collect(),
        reference: kept_reference(&moved.reference),
        // Whoever leaves both out says nothing of where the branch stood.
        is_push: moved.before.is_some() || moved.after.is_some(),
        before: commit(moved.before.as_deref()),
        head: commit(moved.after.as_deref()),
        repositories: names([moved.repository]),
        ..Hint::default()
    })
}
