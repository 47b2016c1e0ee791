//! The verbs, as far as ports and plain values carry: each takes what it shows, writes to an
//! [`Output`](super::Output), and says how the program ends. What needs an engine or an adapter is
//! put together in `app`, which calls these to show the outcome.

pub mod completions;
pub mod config;
pub mod db;
pub mod describe;
pub mod doctor;
pub mod explain;
pub mod get;
pub mod github;
pub mod init;
pub mod plan;
pub mod policy_test;
pub mod schema;
pub mod validate;
#[cfg(test)]
mod fake_record;

use std::io;

use crate::domain::id::Fqn;
use crate::port::store::StoreError;

use super::{ExitStatus, Output};

/// Says that the record cannot be read.
pub fn store_failed(error: &StoreError, output: &mut Output<'_>) -> io::Result<ExitStatus> {
    output.error(&error.to_string(), None)?;
    Ok(ExitStatus::Failed)
}

/// Says that there is no record yet, at the place where the configuration wants it.
pub fn no_record(place: &str, output: &mut Output<'_>) -> io::Result<ExitStatus> {
    let message = format!("there is no record at {place} yet");
    output.error(&message, Some("make a first pass with `meshwright reconcile`, or start `meshwright serve`"))?;
    Ok(ExitStatus::Failed)
}

/// Whether a product is the one that is meant by a name, `name:major`, or a fully qualified name.
pub fn is_meant(product: &Fqn, name: &str) -> bool {
    product.as_str() == name
        || product.product_name() == name
        || name.rsplit_once(':').is_some_and(|(name, major)| {
            product.product_name() == name && product.major().is_some_and(|own| own.to_string() == major)
        })
}
