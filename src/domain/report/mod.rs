//! What a forge should show on a commit. It is state: it is written until it is shown.

use serde::{Deserialize, Serialize};
use unicode_segmentation::UnicodeSegmentation as _;

use super::forge::Proposal;
use super::id::{Revision, SourceName, StageName};
use super::time::{Timestamp, from_millis, to_millis};

mod detail;
pub mod markdown;
mod review;

pub use detail::{Annotation, CHECK_TEXT_LIMIT, COMMENT_LIMIT, Check, CheckAction, Comment, DeploymentStatus, Detail};
pub use review::{
    ProductVerdict, Review, ReviewOutcome, ReviewedChange, ReviewedFinding, ReviewedProduct, StageOutlook,
};

/// The state of a commit status, in GitHub's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ReportState {
    /// Not decided yet.
    Pending,
    /// Good.
    Success,
    /// Refused, or a task failed.
    Failure,
    /// Could not be evaluated.
    Error,
}

impl ReportState {
    /// The word, in lower case.
    pub const fn as_str(self) -> &'static str {
        match self {
            ReportState::Pending => "pending",
            ReportState::Success => "success",
            ReportState::Failure => "failure",
            ReportState::Error => "error",
        }
    }
}

/// Which of the statuses of a commit it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ReportContext {
    /// `meshwright/validate`: syntax, structure, rules.
    Validate,
    /// `meshwright/policy`: what policies say of the change.
    Policy,
    /// `meshwright/plan`: what will be done.
    Plan,
    /// `meshwright/<stage>`: how it goes there.
    Stage(StageName),
}

impl std::fmt::Display for ReportContext {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            ReportContext::Validate => f.write_str("meshwright/validate"),
            ReportContext::Policy => f.write_str("meshwright/policy"),
            ReportContext::Plan => f.write_str("meshwright/plan"),
            ReportContext::Stage(stage) => write!(f, "meshwright/{stage}"),
        }
    }
}

/// At most this many characters fit into a status' description (GitHub's limit).
pub const DESCRIPTION_LIMIT: usize = 140;

/// What a forge should show for one context of one commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The source.
    pub source: SourceName,
    /// The commit.
    pub revision: Revision,
    /// The status' context, as text (see [`ReportContext`]).
    pub context: String,
    /// Its state.
    pub state: ReportState,
    /// One line of at most [`DESCRIPTION_LIMIT`] characters.
    pub description: String,
    /// Where more is to be read.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub target_url: Option<String>,
    /// What is more than a commit status; absent for those.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub detail: Option<Detail>,
}

impl Report {
    /// A report; the description is made one line and cut to the limit.
    pub fn new(
        source: &SourceName,
        revision: &Revision,
        context: &ReportContext,
        state: ReportState,
        description: &str,
    ) -> Self {
        Self {
            source: source.clone(),
            revision: revision.clone(),
            context: context.to_string(),
            state,
            description: one_line(description, DESCRIPTION_LIMIT),
            target_url: None,
            detail: None,
        }
    }
}

impl Report {
    /// Of which sort it is; together with [`subject`](Self::subject) and context it is the key under
    /// which only the newest state counts.
    pub const fn sort(&self) -> &'static str {
        match &self.detail {
            None => "status",
            Some(Detail::Check(_)) => "check",
            Some(Detail::Comment(_)) => "comment",
            Some(Detail::Deployment { .. }) => "deployment",
        }
    }

    /// What it is about: a commit, or for a comment the pull request, whatever its head.
    pub fn subject(&self) -> String {
        match &self.detail {
            Some(Detail::Comment(comment)) => Proposal::Pull(comment.pull).to_string(),
            _ => self.revision.to_string(),
        }
    }
}

/// How long after it was written a report is read back first, in milliseconds.
const FIRST_LOOK: i64 = 60 * 1_000;
/// How long after it was written a report is read back last, in milliseconds.
const LAST_LOOK: i64 = 7 * 24 * 3_600 * 1_000;

/// When to look whether a forge still shows what it was told at `published_at`, having been seen to at
/// `seen_at`: a minute after it was written, then after as long again as it has stood, for a week. What is
/// lost is mostly lost early, and a report costs a dozen requests in all.
pub fn next_look(published_at: Timestamp, seen_at: Timestamp) -> Option<Timestamp> {
    let stood = to_millis(seen_at).saturating_sub(to_millis(published_at)).max(0);
    let next = stood.saturating_mul(2).max(FIRST_LOOK);
    (next <= LAST_LOOK).then(|| from_millis(to_millis(published_at).saturating_add(next)))
}

/// Makes one line of `text`, without control characters, of at most `limit` characters (code points, as forges
/// count them).
pub fn one_line(text: &str, limit: usize) -> String {
    let clean: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    shortened(clean, limit)
}

/// The text, cut to at most `limit` characters; never in the middle of what people see as one.
fn shortened(text: String, limit: usize) -> String {
    if text.chars().nth(limit).is_none() {
        return text;
    }
    let mut length = 0;
    let fits = |seen: &&str| {
        length += seen.chars().count();
        length < limit
    };
    let mut cut: String = text.graphemes(true).take_while(fits).collect();
    cut.push('…');
    cut
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptions_are_one_line_within_the_limit() {
        assert_eq!(one_line("a\nb\u{1b}[31m", 140), "a b [31m");
        let long = one_line(&"é".repeat(200), DESCRIPTION_LIMIT);
        assert_eq!(long.chars().count(), 140);
        assert!(long.ends_with('…'));
        assert_eq!(one_line("abcd", 4), "abcd");
        assert_eq!(one_line("abcde", 4), "abc…");
    }

    #[test]
    fn what_is_seen_as_one_character_is_not_cut_in_half() {
        // A family is four people with joiners between them, a flag two letters, and an accent may stand alone.
        for seen in ["👨\u{200d}👩\u{200d}👧\u{200d}👦", "🇳🇴", "e\u{301}\u{323}", "👍🏽"] {
            for before in 120..140 {
                let text = format!("{}{seen}{}", "a".repeat(before), "b".repeat(40));
                let cut = one_line(&text, DESCRIPTION_LIMIT);
                assert!(cut.chars().count() <= DESCRIPTION_LIMIT, "{cut}");
                let kept = cut.strip_suffix('…').unwrap().trim_start_matches('a');
                assert!(kept.is_empty() || kept.starts_with(seen), "{seen} after {before}: {cut}");
            }
        }
        assert_eq!(one_line(&format!("a{}", "\u{301}".repeat(500)), DESCRIPTION_LIMIT), "…");
    }

    #[test]
    fn what_stands_is_looked_at_ever_more_rarely() {
        let begun = from_millis(1_000_000);
        let mut looks = Vec::new();
        let mut seen = begun;
        while let Some(next) = next_look(begun, seen) {
            looks.push((to_millis(next) - 1_000_000) / 60_000);
            seen = next;
        }
        assert_eq!(looks, [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024, 2_048, 4_096, 8_192]);
        assert_eq!(next_look(begun, from_millis(0)), Some(from_millis(1_060_000)), "a clock that went back");
    }

    #[test]
    fn contexts_read_as_forges_show_them() {
        assert_eq!(ReportContext::Stage("dev".parse().unwrap()).to_string(), "meshwright/dev");
        assert_eq!(ReportContext::Validate.to_string(), "meshwright/validate");
    }
}
