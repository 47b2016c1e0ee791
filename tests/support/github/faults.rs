//! Faults on demand: the next requests of a kind are answered badly, or not at all.

use super::answer::Answer;

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// This code, with an error in JSON.
    Status(u16),
    /// This code, with a page in HTML.
    Html(u16),
    /// Code 200, with a page in HTML.
    HtmlInstead,
    /// There is no answer, and the connection stays open.
    Hang,
    /// The request is carried out, and the answer breaks off in the middle.
    CutOff,
    /// The request is carried out, and the connection closed without an answer.
    Lost,
    /// The connection is closed before the request is looked at.
    Refused,
    /// The secondary limit, with `retry-after` in seconds.
    Secondary(u64),
    /// The secondary limit as code 429, without `retry-after`.
    SecondaryBare,
}

/// A trouble that waits for its requests.
#[derive(Debug, Clone)]
pub struct Fault {
    /// A method and a path (below the API's root); `*` stands for any text.
    pub pattern: String,
    pub trouble: Trouble,
    pub left: usize,
}

impl Fault {
    pub fn is_for(&self, method: &str, path: &str) -> bool {
        self.left > 0 && matches(&self.pattern, &format!("{method} {path}"))
    }
}

impl Trouble {
    /// The answer that is given in place of the right one, if it is one.
    pub fn answer(self) -> Option<Answer> {
        match self {
            Trouble::Status(404) => Some(Answer::not_found()),
            Trouble::Status(403) => Some(Answer::forbidden("Resource not accessible by integration")),
            Trouble::Status(422) => Some(Answer::invalid("Fault", "fault", "is on demand")),
            Trouble::Status(status) => Some(Answer::error(status, "Server Error")),
            Trouble::Html(status) => Some(Answer::html(status)),
            Trouble::HtmlInstead => Some(Answer::html(200)),
            Trouble::Secondary(seconds) => Some(Answer::forbidden(SECONDARY).with_header("retry-after", &seconds)),
            Trouble::SecondaryBare => Some(Answer::error(429, SECONDARY)),
            Trouble::Hang | Trouble::CutOff | Trouble::Lost | Trouble::Refused => None,
        }
    }
}

/// What GitHub says when there was too much at once.
pub const SECONDARY: &str = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.";

/// Whether a text is as the pattern says; `*` stands for any text.
fn matches(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((head, rest)) => {
            let Some(tail) = text.strip_prefix(head) else { return false };
            (0..=tail.len()).filter(|at| tail.is_char_boundary(*at)).any(|at| matches(rest, &tail[at..]))
        }
    }
}
