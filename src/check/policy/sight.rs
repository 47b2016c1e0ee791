//! Whether a policy can see at which event it is asked.
//!
//! A new product is asked about at two events with the same states. A package that cannot see the
//! event answers both alike, because policies are functions of their input, so one answer serves
//! for both. What cannot be ruled out counts as seen: the words of the file are looked at, comments
//! and texts among them, and not its meaning.

/// The fields of a question beside the event.
const OTHER_FIELDS: [&str; 5] = ["afterState", "currentState", "change", "stage", "source"];

/// What a file can see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sight {
    /// It names the input other than by one of its fields beside the event.
    pub(super) event: bool,
    /// It names `data`, and so perhaps what another package says.
    pub(super) others: bool,
}

impl Sight {
    /// Of a file's text.
    pub(super) fn of(text: &str) -> Self {
        let mut sight = Self { event: false, others: false };
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let mut rest = text;
        while let Some(start) = rest.find(is_word) {
            let from_word = rest.get(start..).unwrap_or_default();
            let end = from_word.find(|c| !is_word(c)).unwrap_or(from_word.len());
            let (word, after) = from_word.split_at(end);
            match word {
                "input" => sight.event |= !is_followed_by_other_field(after, is_word),
                "data" => sight.others = true,
                _ => {}
            }
            rest = after;
        }
        sight
    }
}

fn is_followed_by_other_field(after: &str, is_word: impl Fn(char) -> bool) -> bool {
    let Some(field) = after.strip_prefix('.') else { return false };
    let end = field.find(|c| !is_word(c)).unwrap_or(field.len());
    field.get(..end).is_some_and(|field| OTHER_FIELDS.contains(&field))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_may_be_the_event_counts_as_seen() {
        let sees = |text: &str| Sight::of(text).event;
        assert!(!sees("package a\nx := input.afterState.dataProductVersion\ny := my_input[0]"));
        assert!(!sees("z := input.stage"));
        for text in
            ["input.event", "x := input", "input[\"event\"]", "input [x]", "f(input)", "input.eventual", "input"]
        {
            assert!(sees(text), "{text}");
        }
    }

    #[test]
    fn other_packages_are_named_by_data() {
        assert!(Sight::of("import data.mesh.lib").others);
        assert!(!Sight::of("metadata := {}").others);
    }
}
