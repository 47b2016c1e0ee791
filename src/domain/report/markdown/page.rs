//! A text of limited length that is put together from parts which are in it whole or not at all.

/// Kept free for the note that something was left out.
const NOTE: usize = 600;

/// How forges count how long a text is.
pub(super) type Measure = fn(&str) -> usize;

/// Characters, as they may be counted at worst: in units of UTF-16, of which a character has one or two.
pub(super) fn characters(text: &str) -> usize {
    text.encode_utf16().count()
}

/// Bytes of UTF-8.
pub(super) fn bytes(text: &str) -> usize {
    text.len()
}

/// A text under a limit.
pub(super) struct Page {
    measure: Measure,
    text: String,
    ending: String,
    room: usize,
    is_cut: bool,
}

impl Page {
    /// An empty text that is at most `limit` long.
    pub(super) fn new(limit: usize, measure: Measure) -> Self {
        Self { measure, text: String::new(), ending: String::new(), room: limit.saturating_sub(NOTE), is_cut: false }
    }

    /// What the text ends with, however long it is. Said before the parts, so that there is room.
    pub(super) fn ending(&mut self, ending: &str) {
        self.room = self.room.saturating_sub((self.measure)(ending));
        ending.clone_into(&mut self.ending);
    }

    /// A part that is short and always in it.
    pub(super) fn always(&mut self, part: &str) {
        self.text.push_str(part);
        self.room = self.room.saturating_sub((self.measure)(part));
    }

    /// A part that is in it if it fits; whether it is.
    pub(super) fn part(&mut self, part: &str) -> bool {
        let fits = (self.measure)(part) <= self.room;
        if fits {
            self.always(part);
        } else {
            self.is_cut = true;
        }
        fits
    }

    /// As many of the items as fit into two thirds of what is left, and a line that says how many
    /// there are besides: what comes after a long list is to be seen as well.
    pub(super) fn list(&mut self, items: impl ExactSizeIterator<Item = String>, rest: impl Fn(usize) -> String) {
        let total = items.len();
        let mut share = self.room / 3 * 2;
        for (index, item) in items.enumerate() {
            let long = (self.measure)(&item);
            if long > share {
                self.is_cut = true;
                self.always(&rest(total - index));
                return;
            }
            share -= long;
            self.always(&item);
        }
    }

    /// How much still fits.
    pub(super) const fn room(&self) -> usize {
        self.room
    }

    /// The text; with `note`, when something was left out.
    pub(super) fn finish(mut self, note: &str) -> String {
        if self.is_cut {
            self.text.push_str(note);
        }
        self.text.push_str(&self.ending);
        self.text
    }
}
