//! Annotations of a check run: at most 50 in a request, and each request adds to those that are there.

use serde::{Deserialize, Serialize};

use crate::domain::finding::Severity;
use crate::domain::report::Annotation;

use super::cut;

/// At most this many annotations fit into one request.
pub(super) const BATCH: usize = 50;
/// More than these are not sent; the summary has the figures.
pub(super) const MOST: usize = 1_000;
const TITLE_LIMIT: usize = 255;
/// GitHub's limit is 64 KB; bytes count.
const MESSAGE_BYTES: usize = 64 * 1024 - 16;

/// An annotation as GitHub has it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Wire {
    path: String,
    start_line: u32,
    end_line: u32,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    start_column: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    end_column: Option<u32>,
    #[serde(default)]
    annotation_level: Option<String>,
    #[serde(default)]
    title: Option<String>,
    #[serde(default)]
    message: Option<String>,
}

impl Wire {
    fn of(annotation: &Annotation) -> Self {
        let line = annotation.line.max(1);
        let column = annotation.column.max(1);
        let level = match annotation.severity {
            Severity::Error => "failure",
            Severity::Warning => "warning",
            Severity::Note => "notice",
        };
        Self {
            path: annotation.path.to_string(),
            start_line: line,
            end_line: line,
            start_column: Some(column),
            end_column: Some(column),
            annotation_level: Some(level.to_owned()),
            title: Some(cut(&annotation.title, TITLE_LIMIT)),
            message: Some(within_bytes(&annotation.message, MESSAGE_BYTES)),
        }
    }

    /// Whether both say the same at the same line. Columns and blanks at the ends are GitHub's to change.
    fn is_like(&self, other: &Self) -> bool {
        let text = |text: &Option<String>| text.as_deref().unwrap_or_default().trim().replace("\r\n", "\n");
        self.path == other.path
            && self.start_line == other.start_line
            && self.annotation_level == other.annotation_level
            && text(&self.title) == text(&other.title)
            && text(&self.message) == text(&other.message)
    }
}

/// What is sent of these annotations.
pub(super) fn wire(annotations: &[Annotation]) -> Vec<Wire> {
    annotations.iter().take(MOST).map(Wire::of).collect()
}

/// What is still to be sent, if what is there is how the wanted ones begin; `None` when it is not, and
/// only a new check run can show them.
pub(super) fn missing<'a>(there: &[Wire], wanted: &'a [Wire]) -> Option<&'a [Wire]> {
    let is_beginning =
        there.len() <= wanted.len() && there.iter().zip(wanted).all(|(there, wanted)| there.is_like(wanted));
    is_beginning.then(|| wanted.get(there.len()..).unwrap_or_default())
}

/// The text within so many bytes.
pub(super) fn within_bytes(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    let mut end = most.saturating_sub('…'.len_utf8());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}…", text.get(..end).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn annotation(line: u32, message: &str) -> Annotation {
        Annotation {
            path: "a/dp.yaml".parse().unwrap(),
            line,
            column: 3,
            severity: Severity::Warning,
            title: "schema/required".to_owned(),
            message: message.to_owned(),
        }
    }

    #[test]
    fn what_is_there_is_not_sent_again() {
        let wanted = wire(&(1..=120).map(|line| annotation(line, "x")).collect::<Vec<_>>());
        assert_eq!(missing(&[], &wanted).unwrap().len(), 120);
        assert_eq!(missing(&wanted[..50], &wanted).unwrap().len(), 70);
        assert_eq!(missing(&wanted, &wanted).unwrap().len(), 0);
        let other = wire(&[annotation(1, "y")]);
        assert!(missing(&other, &wanted).is_none(), "an earlier edition said something else");
        assert!(missing(&wanted, &wanted[..50]).is_none(), "nothing can be taken back");
    }

    #[test]
    fn texts_keep_githubs_limits() {
        let wire = wire(&[annotation(0, &"é".repeat(40_000))]);
        let message = wire[0].message.as_ref().unwrap();
        assert!(message.len() <= 64 * 1024 && message.ends_with('…'));
        assert_eq!((wire[0].start_line, wire[0].annotation_level.as_deref()), (1, Some("warning")));
        let many: Vec<Annotation> = (0..5000).map(|line| annotation(line, "x")).collect();
        assert_eq!(super::wire(&many).len(), MOST);
    }
}
