//! What became of the last commands under a pull request: a few lines at the end of its one comment. Who
//! asked, and most of what is answered, is others' text.

use std::collections::BTreeMap;

use crate::domain::id::SourceName;

use super::escape::{code, prose};
use super::{NAME, marker};

/// So many commands are told.
pub const MOST_ANSWERS: usize = 5;
/// Of one person so many, so that nobody can push out what others were answered.
const MOST_OF_ONE: usize = 2;
/// An answer is shown with at most so many characters.
const ANSWER: usize = 240;
/// The longest text of answers, in units of UTF-16. Escaping may make one line as long as half of it, and
/// then there are fewer.
pub(super) const LONGEST: usize = 6_000;
/// What stands before the lines.
const HEADING: &str = "\n**Last commands**\n\n";

/// A command, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// Who asked.
    pub author: String,
    /// What for; `None` when it was not understood.
    pub command: Option<String>,
    /// Whether it was asked for by a button.
    pub is_pressed: bool,
    /// What came of it, in a sentence without a full stop.
    pub outcome: String,
}

/// The lines, of the newest first; nothing when nobody has asked for anything.
pub fn answers(newest_first: &[Answered]) -> String {
    let mut of_author: BTreeMap<&str, usize> = BTreeMap::new();
    let told = newest_first.iter().filter(|answered| {
        let count = of_author.entry(&answered.author).or_default();
        *count += 1;
        *count <= MOST_OF_ONE
    });
    let mut room = LONGEST - HEADING.len();
    let mut text = String::new();
    for line in told.take(MOST_ANSWERS).map(line) {
        let Some(left) = room.checked_sub(line.encode_utf16().count()) else { break };
        room = left;
        if text.is_empty() {
            text.push_str(HEADING);
        }
        text.push_str(&line);
    }
    text
}

/// The beginning of a comment that has nothing but answers.
pub fn answered_only(source: &SourceName) -> String {
    format!("{}\n### Meshwright\n", marker(source))
}

fn line(answered: &Answered) -> String {
    let asked = match &answered.command {
        Some(command) if answered.is_pressed => format!("the button {}, pressed", code(command, NAME)),
        Some(command) => code(&format!("/meshwright {command}"), NAME),
        None => "a command that was not understood".to_owned(),
    };
    format!("- {asked} by {}: {}\n", code(&answered.author, NAME), prose(&answered.outcome, ANSWER))
}

#[cfg(test)]
mod tests {
    use pulldown_cmark::{Event, Parser, Tag};

    use super::*;

    fn answered(author: &str, outcome: &str) -> Answered {
        let command = Some("approve prod".to_owned());
        Answered { author: author.to_owned(), command, is_pressed: false, outcome: outcome.to_owned() }
    }

    #[test]
    fn the_newest_are_told_and_nobody_takes_all_the_room() {
        assert_eq!(answers(&[]), "");
        let mut all: Vec<Answered> = (0..50).map(|n| answered("mallory", &format!("refused: {n}"))).collect();
        all.extend((0..9).map(|n| answered(&format!("ann{n}"), "approved")));
        let text = answers(&all);
        let lines: Vec<&str> = text.lines().filter(|line| line.starts_with("- ")).collect();
        assert_eq!(lines.len(), MOST_ANSWERS);
        assert_eq!(lines[0], "- `/meshwright approve prod` by `mallory`: refused: 0");
        assert_eq!(lines[2], "- `/meshwright approve prod` by `ann0`: approved");
    }

    #[test]
    fn what_people_wrote_means_nothing_and_stays_short() {
        let evil = "@acme/all <!-- meshwright:source=x --> ](https://evil) `".repeat(200);
        let all: Vec<Answered> = (0..9).map(|n| answered(&format!("{n}{evil}"), &evil)).collect();
        let text = answers(&all);
        assert!(text.encode_utf16().count() <= LONGEST, "{}", text.len());
        assert!(!text.contains("<!--"), "{text}");
        for event in Parser::new(&text) {
            let means = matches!(event, Event::Html(_) | Event::InlineHtml(_) | Event::Start(Tag::Link { .. }));
            assert!(!means, "{event:?} in {text}");
        }
        assert!(text.lines().count() > 4, "{text}");
        let unclear = Answered { command: None, ..answered("ann", "there is no such command") };
        assert!(answers(&[unclear]).contains("- a command that was not understood by `ann`: there is no such"));
        let pressed = Answered { is_pressed: true, ..answered("ann", "looked at anew") };
        assert!(answers(&[pressed]).contains("- the button `approve prod`, pressed by `ann`: looked at anew\n"));
    }
}
