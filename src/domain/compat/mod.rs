//! Compatibility: what a change means to those who rely on a product, and which version it requires.
//!
//! The words and the arithmetic of versions stand here. What a change of a contract means is told by
//! `check::contract`, language by language.

mod version;

pub use version::{is_enough, required};

use semver::Version;
use serde::{Deserialize, Serialize};

use super::change::Impact;
use super::finding::{Location, Stretch};
use super::id::EntityKind;

/// How the desired state of a port, or of a whole product, relates to the recorded one. The order is
/// that of weight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Compatibility {
    /// Nothing that others rely on differs.
    Identical,
    /// Whoever relied on it goes on as before.
    Compatible,
    /// It cannot be told. Never shown as compatible.
    Unknown,
    /// Whoever relied on it breaks.
    Breaking,
}

impl Compatibility {
    /// The word, in lower case.
    pub const fn as_str(self) -> &'static str {
        match self {
            Compatibility::Identical => "identical",
            Compatibility::Compatible => "compatible",
            Compatibility::Unknown => "unknown",
            Compatibility::Breaking => "breaking",
        }
    }
}

impl From<Impact> for Compatibility {
    fn from(impact: Impact) -> Self {
        match impact {
            Impact::Compatible => Compatibility::Compatible,
            Impact::Unknown => Compatibility::Unknown,
            Impact::Breaking => Compatibility::Breaking,
        }
    }
}

/// Who is served by a contract: it decides what breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// Others read what the contract describes (an output port's tables, a response): a value that
    /// they never met before breaks them.
    Read,
    /// Others send what the contract describes (a request, an input port): a value that is refused
    /// from now on breaks them.
    Written,
}

/// One thing that differs, and what it means.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Reason {
    /// The rule that told it: `json-schema/required-added`, `promises/slo-lowered`. See `docs/compatibility.md`.
    pub rule: String,
    /// What it means.
    pub impact: Impact,
    /// A JSON pointer into the desired content; for what is gone, of the nearest parent that is left.
    pub pointer: String,
    /// Where, in the contract's own terms: `tables.trips.columns.fare`.
    pub path: String,
    /// What changed, in a sentence for people, without a full stop.
    pub message: String,
    /// Where in the text to which `pointer` leads, where that is a text and the place in it is known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub within: Option<Stretch>,
    /// The line that is meant, where files are at hand.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub location: Option<Location>,
}

/// What became of one port.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PortCompatibility {
    /// The kind of port.
    pub kind: EntityKind,
    /// Its name.
    pub name: String,
    /// The heaviest of its reasons.
    pub compatibility: Compatibility,
    /// The smallest version that may follow the port's recorded one. `None` where it need not be another: nothing
    /// differs that others rely on, or the port is new or gone; and where it has no semantic version.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub required: Option<Version>,
    /// What differs, the heaviest first, at most [`MOST_REASONS`].
    pub reasons: Vec<Reason>,
    /// How many reasons more there are.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub left_out: usize,
}

/// More reasons than this are not kept of one port: nobody reads them.
pub const MOST_REASONS: usize = 100;

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands in a reference")]
const fn is_zero(number: &usize) -> bool {
    *number == 0
}

impl PortCompatibility {
    /// What became of a port, by all that differs.
    pub fn new(kind: EntityKind, name: impl Into<String>, mut reasons: Vec<Reason>) -> Self {
        // What several rules of a language say of one thing in the same words is said once.
        reasons.sort_by_key(|reason| std::cmp::Reverse(reason.impact));
        let mut said = std::collections::HashSet::new();
        reasons.retain(|reason| said.insert((reason.rule.clone(), reason.path.clone(), reason.message.clone())));
        let compatibility = reasons.first().map_or(Compatibility::Identical, |reason| reason.impact.into());
        let left_out = reasons.len().saturating_sub(MOST_REASONS);
        reasons.truncate(MOST_REASONS);
        Self { kind, name: name.into(), compatibility, required: None, reasons, left_out }
    }

    /// The same for a port that was recorded under a version of its own and is still there.
    #[must_use]
    pub fn after(mut self, recorded: &Version) -> Self {
        self.required = match self.compatibility {
            Compatibility::Identical => None,
            other => Some(required(recorded, other, false)),
        };
        self
    }
}

/// What became of a product, and what its next version has to be because of that.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProductCompatibility {
    /// The heaviest of its ports'.
    pub compatibility: Compatibility,
    /// The smallest version that may follow the recorded one.
    pub required: Version,
    /// All ports that are recorded or desired: the desired ones first, in their order.
    pub ports: Vec<PortCompatibility>,
}

impl ProductCompatibility {
    /// Fills in the lines.
    pub fn locate(&mut self, locate: impl Fn(&str, Option<Stretch>) -> Location) {
        for reason in self.ports.iter_mut().flat_map(|port| &mut port.reasons) {
            reason.location = Some(locate(&reason.pointer, reason.within));
        }
    }

    /// What differs and weighs as much as this, port by port.
    pub fn reasons(&self, compatibility: Compatibility) -> impl Iterator<Item = (&PortCompatibility, &Reason)> {
        let of_port = |port| {
            let port: &PortCompatibility = port;
            port.reasons.iter().map(move |reason| (port, reason))
        };
        let wanted = move |(_, reason): &(_, &Reason)| Compatibility::from(reason.impact) == compatibility;
        self.ports.iter().flat_map(of_port).filter(wanted)
    }
}

/// A rule by which a contract's or a promise's change is weighed, explained: a row of a table in
/// `docs/compatibility.md`.
#[derive(Debug, Clone, Copy)]
pub struct ContractRule {
    /// The stable id, `language/what`.
    pub id: &'static str,
    /// What changed.
    pub meaning: &'static str,
    /// What it means where others read.
    pub read: Impact,
    /// What it means where others send.
    pub written: Impact,
    /// Why, or the text it comes from.
    pub source: &'static str,
}

impl ContractRule {
    /// What it means to those on this side.
    pub const fn impact(&self, side: Side) -> Impact {
        match side {
            Side::Read => self.read,
            Side::Written => self.written,
        }
    }

    /// A reason that this rule tells.
    pub fn reason(
        &self,
        side: Side,
        pointer: impl Into<String>,
        path: impl Into<String>,
        message: impl Into<String>,
    ) -> Reason {
        Reason {
            rule: self.id.to_owned(),
            impact: self.impact(side),
            pointer: pointer.into(),
            path: path.into(),
            message: message.into(),
            within: None,
            location: None,
        }
    }
}
