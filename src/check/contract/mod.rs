//! Contracts: what a port's `api.definition` promises, in the language in which it is written, and what
//! a change of it means to those on the other side. One room for each language; all speak in
//! [`Reason`]s.
//!
//! What is not understood is [`Impact::Unknown`](crate::domain::change::Impact::Unknown) with the reason
//! for it, never compatible.

use serde_json::Value;

use crate::domain::compat::{Reason, Side};

/// Two editions of one definition, in a language that the caller has told by `specification`.
#[derive(Debug, Clone, Copy)]
pub struct Editions<'a> {
    /// What is recorded.
    pub before: &'a Value,
    /// What is desired: an object, or the text of the definition.
    pub after: &'a Value,
    /// Who is on the other side.
    pub side: Side,
    /// The JSON pointer of the definition in the desired content; reasons' pointers begin with it.
    pub pointer: &'a str,
}

/// Tells what differs between two editions, and what it means.
pub type Compare = fn(&Editions<'_>) -> Vec<Reason>;
