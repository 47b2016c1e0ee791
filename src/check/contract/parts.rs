//! Where the parts of a text stand: tables and columns, messages and fields, by their paths.

use std::collections::HashMap;

use crate::domain::compat::Reason;
use crate::domain::finding::Stretch;

/// The parts of one edition.
#[derive(Debug, Default)]
pub(super) struct Parts {
    places: HashMap<String, Stretch>,
}

impl Parts {
    /// A part, unless one of this path is known.
    pub(super) fn add(&mut self, path: String, stretch: Option<Stretch>) {
        if let Some(stretch) = stretch {
            self.places.entry(path).or_insert(stretch);
        }
    }

    /// A part whose former path was another one.
    pub(super) fn moved(&mut self, from: &str, to: &str) {
        if from != to {
            self.add(from.to_owned(), self.find(to));
        }
    }

    /// The part, or the nearest one around it that is there.
    pub(super) fn find(&self, mut path: &str) -> Option<Stretch> {
        loop {
            if let Some(stretch) = self.places.get(path) {
                return Some(*stretch);
            }
            path = path.rfind('.').and_then(|end| path.get(..end))?;
        }
    }

    /// Tells reasons where they stand that do not know it.
    pub(super) fn place(&self, reasons: &mut [Reason]) {
        for reason in reasons.iter_mut().filter(|reason| reason.within.is_none()) {
            reason.within = self.find(&reason.path);
        }
    }
}
