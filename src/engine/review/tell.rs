//! From what is said of a proposal to what its forge should show.

use crate::domain::forge::{Proposal, ReviewVerdict};
use crate::domain::report::{Comment, Detail, Report, ReportState, Review, markdown};

use super::super::Engine;
use super::Subject;
use crate::domain::forge::CommentMode;

/// The name of the check run of a proposal's head.
pub(in crate::engine) const CHECK: &str = "Meshwright";
/// The context of the comment.
pub(in crate::engine) const COMMENT: &str = "comment";

impl Engine {
    /// What the forge should show, and whether there is a comment among it (or was before).
    /// `answers` is what became of the last commands.
    pub(super) fn reports_of(&self, subject: &Subject<'_>, review: &Review, answers: String) -> (Vec<Report>, bool) {
        let mut reports = review.statuses();
        let was_commented = subject.before.as_ref().is_some_and(|before| before.commented);
        let Some(forge) = self.ports.forges.get(&review.source) else { return (reports, was_commented) };
        let abilities = forge.abilities();
        let report = |context: &str, detail| Report {
            source: review.source.clone(),
            revision: review.head.clone(),
            context: context.to_owned(),
            state: state(review.verdict()),
            description: markdown::check_title(review),
            target_url: None,
            detail: Some(detail),
        };
        if abilities.checks {
            reports.push(report(CHECK, Detail::Check(markdown::check(review))));
        }
        let Proposal::Pull(pull) = review.proposal else { return (reports, was_commented) };
        let wanted = match subject.watched.comment {
            CommentMode::Never => false,
            CommentMode::Always => true,
            // Where nobody knows whether a descriptor is touched, nobody is bothered.
            CommentMode::OnChange => was_commented || !review.products.is_empty() || !review.findings.is_empty(),
        };
        let is_commented = abilities.comments && wanted;
        if is_commented {
            let comment = Comment { pull, body: markdown::comment(review), answers };
            reports.push(report(COMMENT, Detail::Comment(comment)));
        }
        (reports, was_commented || is_commented)
    }
}

/// What could not be evaluated is never good.
const fn state(verdict: ReviewVerdict) -> ReportState {
    match verdict {
        ReviewVerdict::Untouched | ReviewVerdict::Accepted => ReportState::Success,
        ReviewVerdict::Refused | ReviewVerdict::Conflicted => ReportState::Failure,
        ReviewVerdict::NotEvaluated => ReportState::Error,
    }
}

/// The repository's page, by its URL, where it has one. An address with anything unusual in it is not
/// linked to: it would have to be escaped in the middle of Markdown.
pub(super) fn page_of(url: &str) -> Option<String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._~/:".contains(c);
    let page = url.trim_end_matches('/').trim_end_matches(".git");
    let is_web = page.starts_with("https://") || page.starts_with("http://");
    (is_web && page.chars().all(is_plain)).then(|| page.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_those_of_web_repositories() {
        let page = |url| page_of(url).unwrap_or_default();
        assert_eq!(page("https://github.com/acme/retail.git"), "https://github.com/acme/retail");
        assert_eq!(page("https://git.acme.example:8443/a/b/"), "https://git.acme.example:8443/a/b");
        for none in ["/srv/retail.git", "ssh://git@github.com/acme/retail", "https://h/a)b", "https://h/a b"] {
            assert_eq!(page_of(none), None, "{none}");
        }
    }
}
