//! The texts of a proposal's comment and check run, in GitHub's Markdown. Pure functions of a
//! [`Review`]; every word in it that others wrote goes through `escape`.
//!
//! A text that would be longer than the forge takes is cut between its parts, the least important last
//! ones first left out, and says what it leaves out and where the rest is.

mod answers;
mod escape;
mod page;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::domain::change::ChangeKind;
use crate::domain::compat::Compatibility;
use crate::domain::finding::Severity;
use crate::domain::forge::{Proposal, ReviewVerdict};
use crate::domain::id::SourceName;

use super::review::{ProductVerdict, Review, ReviewOutcome, ReviewedChange, ReviewedFinding, ReviewedProduct, count};
use super::{Annotation, CHECK_TEXT_LIMIT, COMMENT_LIMIT, Check, CheckAction, one_line};

pub use answers::{Answered, MOST_ANSWERS, answered_only, answers};
use escape::{block, cell_code, code, html_code, link, prose, visible};
use page::Page;

/// A name, a path or a version is shown with at most so many characters.
const NAME: usize = 120;
/// A message is shown with at most so many characters.
const SENTENCE: usize = 600;
/// A check run has at most so many annotations; they are taken in batches of 50.
pub const MOST_ANNOTATIONS: usize = 500;
/// A title of an annotation has at most so many characters (GitHub's limit).
const ANNOTATION_TITLE: usize = 255;
/// An annotation's message is cut at so many characters, below GitHub's 64 KB.
const ANNOTATION_MESSAGE: usize = 4_000;
/// With less room than this, no further difference is shown.
const SHORTEST_DIFF: usize = 2_000;

/// What stays as it is in an address: a path's own characters that mean nothing to Markdown.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The first line of a source's comment, by which it is found again.
pub fn marker(source: &SourceName) -> String {
    format!("<!-- meshwright:source={source} -->")
}

/// The comment of a pull request: at most [`COMMENT_LIMIT`] characters, less what its answers may take.
pub fn comment(review: &Review) -> String {
    let mut page = Page::new(COMMENT_LIMIT - answers::LONGEST, page::characters);
    page.always(&format!("{}\n", marker(&review.source)));
    page.always(&format!("### {}\n\n", title(review)));
    page.ending(&format!("\n{}\n", next_step(review)));
    write(review, &mut page);
    diffs(review, &mut page);
    page.finish(&elsewhere(review))
}

/// The check run: a summary of at most [`CHECK_TEXT_LIMIT`] bytes, what is said at lines, and a button for
/// another look.
pub fn check(review: &Review) -> Check {
    let mut page = Page::new(CHECK_TEXT_LIMIT, page::bytes);
    page.ending(&format!("\n{}\n", next_step(review)));
    for report in review.statuses() {
        let state = report.state.as_str();
        page.always(&format!("- {}: {state}, {}\n", code(&report.context, NAME), prose(&report.description, SENTENCE)));
    }
    page.always("\n");
    write(review, &mut page);
    diffs(review, &mut page);
    let again = CheckAction {
        label: "Re-run".to_owned(),
        description: "Look at the proposal anew".to_owned(),
        identifier: "plan".to_owned(),
    };
    Check { summary: page.finish(&elsewhere(review)), annotations: annotations(review), actions: vec![again] }
}

/// The check run's title: one plain line.
pub fn check_title(review: &Review) -> String {
    one_line(&visible(&review.headline(), ANNOTATION_TITLE), super::DESCRIPTION_LIMIT)
}

fn title(review: &Review) -> String {
    let word = match review.verdict() {
        ReviewVerdict::Untouched | ReviewVerdict::Accepted => "✅ Meshwright",
        ReviewVerdict::Refused | ReviewVerdict::Conflicted => "❌ Meshwright",
        ReviewVerdict::NotEvaluated => "⚠️ Meshwright",
    };
    format!("{word}: {}", prose(&review.headline(), SENTENCE))
}

/// What both texts have in common: what was merged, the products, the findings.
fn write(review: &Review, page: &mut Page) {
    let about = match &review.outcome {
        ReviewOutcome::Assessed => format!(
            "{} merged into {} at {}, compared with what is recorded of {}.",
            commit(review, review.head.as_str()),
            code(&review.branch, NAME),
            commit(review, review.base.as_str()),
            code(review.source.as_str(), NAME)
        ),
        _ => format!(
            "{}, to be merged into {} of {}.",
            commit(review, review.head.as_str()),
            code(&review.branch, NAME),
            code(review.source.as_str(), NAME)
        ),
    };
    page.always(&format!("{about}\n\n"));
    if let ReviewOutcome::Conflicts { paths, count: files } = &review.outcome {
        page.always("Both sides have changed the same lines of:\n\n");
        let rows = paths.iter().map(|path| format!("- {}\n", code(path, NAME)));
        page.list(rows, |left| format!("- and {}\n", count(left + files - paths.len(), "further file")));
        if *files > paths.len() {
            page.part(&format!("- and {}\n", count(files - paths.len(), "further file")));
        }
    }
    if !review.products.is_empty() {
        page.always("| Product | Change | Version | Verdict | Stages |\n|---|---|---|---|---|\n");
        let rows = review.products.iter().map(|product| row(review, product));
        page.list(rows, |left| format!("| and {} | | | | |\n", count(left, "further product")));
    }
    if !review.findings.is_empty() {
        page.part("\n**Findings**\n\n");
        let items = review.findings.iter().map(|found| item(review, found));
        page.list(items, |left| format!("- and {}\n", count(left, "further finding")));
    }
}

fn row(review: &Review, product: &ReviewedProduct) -> String {
    let name = product.name.as_ref().unwrap_or(&product.path);
    let verdict = match product.verdict {
        ProductVerdict::Accepted => "✅ accepted",
        ProductVerdict::Errors => "❌ errors",
        ProductVerdict::Refused => "❌ refused by policies",
        ProductVerdict::NotEvaluated => "⚠️ not evaluated",
    };
    let (change, version) = match &product.change {
        None => ("—".to_owned(), "—".to_owned()),
        Some(change) => (happens(change), versions(change)),
    };
    let stages: Vec<String> = product
        .stages
        .iter()
        .map(|outlook| match &outlook.waits_for {
            None => match review.approvals.get(&outlook.stage) {
                Some(approvals) => {
                    let approvals = count(*approvals as usize, "approval");
                    format!("{} after {approvals}", cell_code(outlook.stage.as_str(), NAME))
                }
                None => cell_code(outlook.stage.as_str(), NAME),
            },
            Some(other) => format!("{} waits for {}", cell_code(outlook.stage.as_str(), NAME), cell_code(other, NAME)),
        })
        .collect();
    let stages = if stages.is_empty() { "—".to_owned() } else { stages.join(", ") };
    format!("| {} | {change} | {version} | {verdict} | {stages} |\n", cell_code(name, NAME))
}

fn happens(change: &ReviewedChange) -> String {
    let word = match change.kind {
        ChangeKind::Created => "created",
        ChangeKind::Updated => "updated",
        ChangeKind::Retired => "retired; what runs stays",
        ChangeKind::Unchanged => "unchanged",
    };
    match change.compatibility {
        Some(Compatibility::Breaking) => format!("{word}, **breaking**"),
        Some(Compatibility::Unknown) => format!("{word}, compatibility unknown"),
        Some(Compatibility::Compatible) => format!("{word}, compatible"),
        Some(Compatibility::Identical) | None => word.to_owned(),
    }
}

fn versions(change: &ReviewedChange) -> String {
    let shown = |version: &semver::Version| cell_code(&version.to_string(), NAME);
    let mut text = match (&change.from, &change.to) {
        (Some(from), Some(to)) if from == to => shown(to),
        (Some(from), Some(to)) => format!("{} → {}", shown(from), shown(to)),
        (None, Some(to)) => shown(to),
        (Some(from), None) => shown(from),
        (None, None) => "—".to_owned(),
    };
    if let (Some(required), Some(to)) = (&change.required, &change.to)
        && to < required
    {
        text.push_str(&format!(", needs {}", shown(required)));
    }
    text
}

fn item(review: &Review, found: &ReviewedFinding) -> String {
    let finding = &found.finding;
    let sign = match finding.severity {
        Severity::Error => "❌",
        Severity::Warning => "⚠️",
        Severity::Note => "ℹ️",
    };
    let hint = finding.hint.as_ref().map(|hint| format!("<br>{}", prose(hint, SENTENCE))).unwrap_or_default();
    format!(
        "- {sign} {}: {} ({}){hint}\n",
        place(review, found),
        prose(&finding.message, SENTENCE),
        code(finding.rule.as_str(), NAME)
    )
}

/// File and line, linked where the proposal has that line.
fn place(review: &Review, found: &ReviewedFinding) -> String {
    let file = found.finding.location.file.as_str();
    match (found.line_in_head, &review.repository) {
        (Some(line), Some(repository)) => {
            let path = utf8_percent_encode(file, ENCODED);
            let address = format!("{repository}/blob/{}/{path}#L{line}", review.head);
            link(&code(&format!("{}:{line}", visible(file, NAME)), NAME + 12), &address)
        }
        (Some(line), None) => code(&format!("{}:{line}", visible(file, NAME)), NAME + 12),
        // Its line is one of the merged file's, which nobody can look up.
        (None, _) => code(file, NAME),
    }
}

fn diffs(review: &Review, page: &mut Page) {
    let differing = |product: &&ReviewedProduct| {
        let change = product.change.as_ref();
        change.is_some_and(|change| !change.unified.is_empty())
    };
    let mut left_out = 0;
    for product in review.products.iter().filter(differing) {
        let Some(change) = &product.change else { continue };
        if page.room() < SHORTEST_DIFF {
            left_out += 1;
            continue;
        }
        let name = product.name.as_ref().unwrap_or(&product.path);
        let fields = count(change.fields, "field");
        let head = format!("\n<details><summary>What differs: {}, {fields}</summary>\n\n", html_code(name, NAME));
        let whole = format!("{head}{}\n</details>\n", block("diff", &change.unified));
        if page.part(&whole) {
            continue;
        }
        // The largest part of it that still fits, cut between lines.
        let cut = |bytes: usize| {
            let end = change.unified.floor_char_boundary(bytes);
            let kept = change.unified.get(..end).and_then(|kept| kept.rsplit_once('\n')).map_or("", |(kept, _)| kept);
            format!("{head}{}\nThe rest is left out.\n\n</details>\n", block("diff", kept))
        };
        let part = cut(page.room() / 2);
        left_out += usize::from(!page.part(&part));
    }
    if left_out > 0 {
        page.part(&format!("\n{} left out for want of room.\n", count(left_out, "difference")));
    }
}

fn next_step(review: &Review) -> String {
    let again = match &review.proposal {
        Proposal::Pull(_) => " A comment `/meshwright plan` has it looked at at once.",
        Proposal::MergeGroup(_) => "",
    };
    match review.verdict() {
        ReviewVerdict::Untouched => "Nothing is to be done.".to_owned(),
        ReviewVerdict::Accepted => "Merging it rolls out what is shown above; before that nothing is done.".to_owned(),
        ReviewVerdict::Refused => format!("Mend what is marked, and push.{again}"),
        ReviewVerdict::Conflicted => {
            format!("Bring {} into the proposal, resolve what differs, and push.", code(&review.branch, NAME))
        }
        ReviewVerdict::NotEvaluated => format!("It is looked at again by itself.{again}"),
    }
}

/// What a text that was cut says about where the rest is.
fn elsewhere(review: &Review) -> String {
    let place = match (&review.repository, &review.proposal) {
        (Some(repository), Proposal::Pull(number)) => {
            format!(": see {}", link("the checks", &format!("{repository}/pull/{number}/checks")))
        }
        _ => String::new(),
    };
    format!("\nThis text was cut, because it was longer than the forge shows{place}.\n")
}

/// A commit in short, linked.
fn commit(review: &Review, id: &str) -> String {
    let short = code(id.get(..8).unwrap_or(id), NAME);
    match &review.repository {
        Some(repository) => link(&short, &format!("{repository}/commit/{id}")),
        None => short,
    }
}

/// Findings at lines that the proposal's files have, in the order of files and lines. When there are
/// too many, errors go first.
fn annotations(review: &Review) -> Vec<Annotation> {
    let mut found: Vec<(&ReviewedFinding, u32)> =
        review.findings.iter().filter_map(|found| Some((found, found.line_in_head?))).collect();
    found.sort_by_key(|(found, _)| std::cmp::Reverse(found.finding.severity));
    found.truncate(MOST_ANNOTATIONS);
    found.sort_by(|(a, line), (b, other)| {
        let place = |found: &ReviewedFinding, line: u32| (found.finding.location.file.clone(), line);
        place(a, *line).cmp(&place(b, *other))
    });
    let annotation = |(found, line): (&ReviewedFinding, u32)| {
        let finding = &found.finding;
        let message = match &finding.hint {
            Some(hint) => format!("{}\n\n{}", visible(&finding.message, SENTENCE * 3), visible(hint, SENTENCE * 3)),
            None => visible(&finding.message, SENTENCE * 3),
        };
        Annotation {
            path: finding.location.file.clone(),
            line,
            column: finding.location.column,
            severity: finding.severity,
            title: visible(finding.rule.as_str(), ANNOTATION_TITLE),
            message: message.chars().take(ANNOTATION_MESSAGE).collect(),
        }
    };
    found.into_iter().map(annotation).collect()
}
