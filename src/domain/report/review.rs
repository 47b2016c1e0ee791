//! What is said of a proposal, and the one-line statuses that follow from it. Pure: the same review
//! gives the same words.

use std::collections::BTreeMap;

use semver::Version;

use crate::domain::change::ChangeKind;
use crate::domain::compat::Compatibility;
use crate::domain::finding::Finding;
use crate::domain::forge::{Proposal, ReviewVerdict};
use crate::domain::id::{Revision, SourceName, StageName};

use super::{Report, ReportContext, ReportState};

/// All that is said of a proposal.
#[derive(Debug, Clone, PartialEq)]
pub struct Review {
    /// The source into whose branch it is to be merged.
    pub source: SourceName,
    /// Which.
    pub proposal: Proposal,
    /// The commit that was assessed; statuses stand on it.
    pub head: Revision,
    /// Where the branch stood.
    pub base: Revision,
    /// The branch.
    pub branch: String,
    /// The repository's page, without a slash at its end, where it has one: for links.
    pub repository: Option<String>,
    /// The stages, in promotion order.
    pub stages: Vec<StageName>,
    /// How many people have to approve before it goes on there, for stages with a gate.
    pub approvals: BTreeMap<StageName, u32>,
    /// How looking at it came out.
    pub outcome: ReviewOutcome,
    /// The products that it concerns.
    pub products: Vec<ReviewedProduct>,
    /// What was found, the worst first, each once.
    pub findings: Vec<ReviewedFinding>,
}

/// How looking at a proposal came out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReviewOutcome {
    /// It was merged with its base, and what it touches was assessed.
    Assessed,
    /// It touches no descriptor.
    Untouched,
    /// It cannot be merged.
    Conflicts {
        /// Some of the files; anybody's text.
        paths: Vec<String>,
        /// How many there are.
        count: usize,
    },
    /// It has no commit in common with its base.
    Unrelated,
    /// It is refused as a whole: why, in a sentence without a full stop.
    Refused(String),
    /// It could not be evaluated: why, in a sentence without a full stop.
    NotEvaluated(String),
}

/// A product that a proposal concerns.
#[derive(Debug, Clone, PartialEq)]
pub struct ReviewedProduct {
    /// The product's name; absent when the descriptor does not tell it.
    pub name: Option<String>,
    /// The root file.
    pub path: String,
    /// What would change; absent when it cannot be told.
    pub change: Option<ReviewedChange>,
    /// What is said of it.
    pub verdict: ProductVerdict,
    /// What each stage would do, where it would do something.
    pub stages: Vec<StageOutlook>,
}

/// What is said of a product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProductVerdict {
    /// Nothing stands against it.
    Accepted,
    /// Rules or planning refuse it.
    Errors,
    /// Policies refuse it.
    Refused,
    /// Policies could not be evaluated.
    NotEvaluated,
}

/// What would change of a product.
#[derive(Debug, Clone, PartialEq)]
pub struct ReviewedChange {
    /// What happens to it.
    pub kind: ChangeKind,
    /// The recorded version; for a new major, of the one before it.
    pub from: Option<Version>,
    /// The proposed version; absent when it leaves.
    pub to: Option<Version>,
    /// What it means to those who rely on it; absent where there is nothing to compare with.
    pub compatibility: Option<Compatibility>,
    /// The smallest version that the change allows, where it is known.
    pub required: Option<Version>,
    /// How many fields differ.
    pub fields: usize,
    /// The difference as a unified diff.
    pub unified: String,
}

/// What a stage would do about a product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StageOutlook {
    /// The stage.
    pub stage: StageName,
    /// The product that has to run there first, and does not; without one, it would be rolled out.
    pub waits_for: Option<String>,
}

/// A finding, and where it is seen in the proposal's own files.
#[derive(Debug, Clone, PartialEq)]
pub struct ReviewedFinding {
    /// The finding; its place is one of the merged files.
    pub finding: Finding,
    /// The line of the same file in the proposal's head, where it has that line.
    pub line_in_head: Option<u32>,
}

impl Review {
    /// What it comes to.
    pub fn verdict(&self) -> ReviewVerdict {
        let is = |wanted| self.products.iter().any(|product| product.verdict == wanted);
        match &self.outcome {
            ReviewOutcome::Untouched => ReviewVerdict::Untouched,
            ReviewOutcome::Conflicts { .. } | ReviewOutcome::Unrelated => ReviewVerdict::Conflicted,
            ReviewOutcome::Refused(_) => ReviewVerdict::Refused,
            ReviewOutcome::NotEvaluated(_) => ReviewVerdict::NotEvaluated,
            ReviewOutcome::Assessed if is(ProductVerdict::NotEvaluated) => ReviewVerdict::NotEvaluated,
            ReviewOutcome::Assessed
                if is(ProductVerdict::Errors) || is(ProductVerdict::Refused) || self.errors() > 0 =>
            {
                ReviewVerdict::Refused
            }
            ReviewOutcome::Assessed => ReviewVerdict::Accepted,
        }
    }

    /// The same in one line.
    pub fn headline(&self) -> String {
        let statuses = self.statuses();
        let worst = statuses.iter().filter(|report| report.state != ReportState::Success);
        let worst = worst.min_by_key(|report| report.state != ReportState::Error);
        match (&self.outcome, worst.or(statuses.get(2))) {
            (ReviewOutcome::Conflicts { .. } | ReviewOutcome::Unrelated | ReviewOutcome::Refused(_), _) => {
                self.plan().1
            }
            (_, Some(report)) => report.description.clone(),
            (_, None) => String::new(),
        }
    }

    /// The statuses of the head: `validate`, `policy`, `plan`, and one for each stage.
    pub fn statuses(&self) -> Vec<Report> {
        let report = |context: &ReportContext, (state, text): (ReportState, String)| {
            Report::new(&self.source, &self.head, context, state, &text)
        };
        let mut reports = vec![
            report(&ReportContext::Validate, self.validate()),
            report(&ReportContext::Policy, self.policy()),
            report(&ReportContext::Plan, self.plan()),
        ];
        let stages = self.stages.iter();
        reports.extend(stages.map(|stage| report(&ReportContext::Stage(stage.clone()), self.stage(stage))));
        reports
    }

    /// What stands in the place of an assessment, where there is none.
    fn not_assessed(&self) -> Option<(ReportState, String)> {
        match &self.outcome {
            ReviewOutcome::Assessed => None,
            ReviewOutcome::Untouched => Some((ReportState::Success, "touches no data product".to_owned())),
            ReviewOutcome::Conflicts { .. } | ReviewOutcome::Unrelated => {
                let text = format!("not evaluated: it cannot be merged into {}", self.branch);
                Some((ReportState::Error, text))
            }
            ReviewOutcome::Refused(why) => Some((ReportState::Error, format!("not evaluated: {why}"))),
            ReviewOutcome::NotEvaluated(why) => Some((ReportState::Error, format!("could not be evaluated: {why}"))),
        }
    }

    fn count_of(&self, wanted: ProductVerdict) -> usize {
        self.products.iter().filter(|product| product.verdict == wanted).count()
    }

    fn errors(&self) -> usize {
        self.findings.iter().filter(|found| found.finding.is_error()).count()
    }

    fn validate(&self) -> (ReportState, String) {
        if let Some(instead) = self.not_assessed() {
            return instead;
        }
        let all = count(self.products.len(), "descriptor");
        let with_errors = self.count_of(ProductVerdict::Errors);
        if with_errors > 0 {
            return (ReportState::Failure, format!("{with_errors} of {all} with errors"));
        }
        // Errors that belong to no descriptor: a path that cannot be used.
        let others = self.findings.iter().filter(|found| found.finding.is_error() && !found.finding.rule.is_policy());
        let others = others.count();
        if others > 0 {
            return (ReportState::Failure, format!("{all}; {} beside them", count(others, "error")));
        }
        let warnings = self.findings.len() - self.errors();
        let warnings = if warnings == 0 { String::new() } else { format!(", {}", count(warnings, "warning")) };
        (ReportState::Success, format!("{all} touched, no errors{warnings}"))
    }

    fn policy(&self) -> (ReportState, String) {
        if let Some(instead) = self.not_assessed() {
            return instead;
        }
        let not_evaluated = self.count_of(ProductVerdict::NotEvaluated);
        if not_evaluated > 0 {
            let text = format!("policies could not be evaluated for {}", count(not_evaluated, "product"));
            return (ReportState::Error, text);
        }
        match self.count_of(ProductVerdict::Refused) {
            0 => (ReportState::Success, "policies agree".to_owned()),
            refused => (ReportState::Failure, format!("{} refused by policies", count(refused, "product"))),
        }
    }

    fn plan(&self) -> (ReportState, String) {
        match &self.outcome {
            ReviewOutcome::Conflicts { count: files, .. } => {
                let text = format!("conflicts with {} in {}", self.branch, count(*files, "file"));
                return (ReportState::Failure, text);
            }
            ReviewOutcome::Unrelated => {
                return (ReportState::Failure, format!("has no commit in common with {}", self.branch));
            }
            ReviewOutcome::Refused(why) => return (ReportState::Failure, why.clone()),
            ReviewOutcome::Assessed | ReviewOutcome::Untouched | ReviewOutcome::NotEvaluated(_) => {}
        }
        if let Some(instead) = self.not_assessed() {
            return instead;
        }
        let number = |kind| {
            let changes = self.products.iter().filter_map(|product| product.change.as_ref());
            changes.filter(|change| change.kind == kind).count()
        };
        let counts = [
            (number(ChangeKind::Created), "created"),
            (number(ChangeKind::Updated), "updated"),
            (number(ChangeKind::Retired), "retired"),
        ];
        let told: Vec<String> = counts.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
        let changes = if told.is_empty() { "no change".to_owned() } else { told.join(", ") };
        let not_evaluated = self.count_of(ProductVerdict::NotEvaluated);
        if not_evaluated > 0 {
            let text = format!("{changes}; {} could not be evaluated", count(not_evaluated, "product"));
            return (ReportState::Error, text);
        }
        let left_out = self.left_out();
        if left_out > 0 || self.errors() > 0 {
            return (ReportState::Failure, format!("{changes}; {} refused", count(left_out.max(1), "product")));
        }
        let rollouts: usize = self.products.iter().map(|product| going(product).count()).sum();
        (ReportState::Success, format!("{changes}; {}", count(rollouts, "rollout")))
    }

    fn stage(&self, stage: &StageName) -> (ReportState, String) {
        if let Some((state, text)) = self.not_assessed() {
            let text = if state == ReportState::Success { "would roll out nothing".to_owned() } else { text };
            return (state, text);
        }
        let here = |product: &&ReviewedProduct| going(product).any(|outlook| outlook.stage == *stage);
        let going = self.products.iter().filter(here).count();
        let waiting = self.products.iter().flat_map(|product| &product.stages);
        let waiting = waiting.filter(|outlook| outlook.stage == *stage && outlook.waits_for.is_some()).count();
        let mut text = match going {
            0 => "would roll out nothing".to_owned(),
            some => format!("would roll out {}", count(some, "product")),
        };
        if let Some(approvals) = self.approvals.get(stage).filter(|_| going > 0) {
            text.push_str(&format!(", after {}", count(*approvals as usize, "approval")));
        }
        if waiting > 0 {
            text.push_str(&format!("; {waiting} would wait for others"));
        }
        let not_evaluated = self.count_of(ProductVerdict::NotEvaluated);
        if not_evaluated > 0 {
            return (ReportState::Error, format!("{text}; {not_evaluated} could not be evaluated"));
        }
        match self.left_out() {
            0 if self.errors() == 0 => (ReportState::Success, text),
            left_out => (ReportState::Failure, format!("{text}; {} refused", count(left_out.max(1), "product"))),
        }
    }

    fn left_out(&self) -> usize {
        self.products.iter().filter(|product| product.verdict != ProductVerdict::Accepted).count()
    }
}

/// The stages at which a product would be rolled out.
fn going(product: &ReviewedProduct) -> impl Iterator<Item = &StageOutlook> {
    product.stages.iter().filter(|outlook| outlook.waits_for.is_none())
}

/// `1 product`, `2 products`.
pub(super) fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::domain::finding::{Location, RuleId};

    /// A review of pull request 7 that is put together in place.
    pub(crate) fn review(outcome: ReviewOutcome, products: Vec<ReviewedProduct>) -> Review {
        Review {
            source: "retail".parse().unwrap(),
            proposal: Proposal::Pull(7),
            head: "a1b2c3d4e5f60718293a4b5c6d7e8f9001122334".parse().unwrap(),
            base: "0f1e2d3c4b5a69788796a5b4c3d2e1f000112233".parse().unwrap(),
            branch: "main".to_owned(),
            repository: Some("https://github.com/acme/retail".to_owned()),
            stages: vec!["dev".parse().unwrap(), "prod".parse().unwrap()],
            approvals: BTreeMap::new(),
            outcome,
            products,
            findings: Vec::new(),
        }
    }

    pub(crate) fn product(name: &str, verdict: ProductVerdict, stages: &[&str]) -> ReviewedProduct {
        ReviewedProduct {
            name: Some(name.to_owned()),
            path: format!("{name}/data-product-descriptor.yaml"),
            change: Some(ReviewedChange {
                kind: ChangeKind::Updated,
                from: Some(Version::new(1, 2, 0)),
                to: Some(Version::new(1, 3, 0)),
                compatibility: Some(Compatibility::Compatible),
                required: Some(Version::new(1, 3, 0)),
                fields: 2,
                unified: "--- recorded\n+++ desired\n@@ -1 +1 @@\n-version: 1.2.0\n+version: 1.3.0\n".to_owned(),
            }),
            verdict,
            stages: stages
                .iter()
                .map(|stage| StageOutlook { stage: stage.parse().unwrap(), waits_for: None })
                .collect(),
        }
    }

    pub(crate) fn error(rule: RuleId, path: &str, line: u32, message: &str) -> ReviewedFinding {
        let location = Location { line, ..Location::top_of(path.parse().unwrap()) };
        let finding = Finding::error(rule, location, "/info", message).with_hint("write it down");
        ReviewedFinding { finding, line_in_head: Some(line) }
    }

    fn told(review: &Review) -> Vec<String> {
        let line = |report: &Report| {
            let context = report.context.trim_start_matches("meshwright/");
            format!("{context} {}: {}", report.state.as_str(), report.description)
        };
        review.statuses().iter().map(line).collect()
    }

    #[test]
    fn a_good_proposal_says_what_it_would_do() {
        let products = vec![
            product("orders", ProductVerdict::Accepted, &["dev", "prod"]),
            product("trips", ProductVerdict::Accepted, &["dev"]),
        ];
        let review = review(ReviewOutcome::Assessed, products);
        assert_eq!(
            told(&review),
            [
                "validate success: 2 descriptors touched, no errors",
                "policy success: policies agree",
                "plan success: 2 updated; 3 rollouts",
                "dev success: would roll out 2 products",
                "prod success: would roll out 1 product",
            ]
        );
        assert_eq!(review.verdict(), ReviewVerdict::Accepted);
        assert_eq!(review.headline(), "2 updated; 3 rollouts");
    }

    #[test]
    fn a_stage_with_a_gate_says_how_many_have_to_approve() {
        let products = vec![product("orders", ProductVerdict::Accepted, &["prod"])];
        let mut review = review(ReviewOutcome::Assessed, products);
        review.approvals = [("dev", 1), ("prod", 2)].map(|(stage, n)| (stage.parse().unwrap(), n)).into();
        let expected =
            ["dev success: would roll out nothing", "prod success: would roll out 1 product, after 2 approvals"];
        assert_eq!(told(&review)[3..], expected);
    }

    #[test]
    fn what_could_not_be_evaluated_is_never_green() {
        let evaluated = vec![product("orders", ProductVerdict::NotEvaluated, &[])];
        for (outcome, products) in [
            (ReviewOutcome::Assessed, evaluated),
            (ReviewOutcome::NotEvaluated("the repository cannot be reached".to_owned()), Vec::new()),
        ] {
            let review = review(outcome, products);
            assert_eq!(review.verdict(), ReviewVerdict::NotEvaluated);
            let states: Vec<ReportState> = review.statuses().iter().skip(1).map(|report| report.state).collect();
            assert!(states.iter().all(|state| *state == ReportState::Error), "{:?}", told(&review));
            assert!(review.headline().contains("could not be evaluated"), "{}", review.headline());
        }
    }

    #[test]
    fn conflicts_fail_the_plan_and_say_so() {
        let conflicts = ReviewOutcome::Conflicts { paths: vec!["a".to_owned()], count: 1 };
        let review = review(conflicts, Vec::new());
        let told = told(&review);
        assert_eq!(told[0], "validate error: not evaluated: it cannot be merged into main");
        assert_eq!(told[2], "plan failure: conflicts with main in 1 file");
        assert_eq!(review.headline(), "conflicts with main in 1 file");
        assert_eq!(review.verdict(), ReviewVerdict::Conflicted);
    }

    #[test]
    fn an_error_anywhere_is_red_everywhere_that_counts() {
        let products =
            vec![product("orders", ProductVerdict::Errors, &[]), product("trips", ProductVerdict::Accepted, &["dev"])];
        let mut review = review(ReviewOutcome::Assessed, products);
        assert_eq!(
            told(&review),
            [
                "validate failure: 1 of 2 descriptors with errors",
                "policy success: policies agree",
                "plan failure: 2 updated; 1 product refused",
                "dev failure: would roll out 1 product; 1 product refused",
                "prod failure: would roll out nothing; 1 product refused",
            ]
        );
        review.products.clear();
        review.findings = vec![error(RuleId::built_in("discover/unusable-path"), "x", 1, "no path")];
        assert_eq!(review.verdict(), ReviewVerdict::Refused);
        assert!(told(&review)[0].starts_with("validate failure"), "{:?}", told(&review));
    }

    #[test]
    fn a_proposal_that_touches_nothing_says_so() {
        let review = review(ReviewOutcome::Untouched, Vec::new());
        assert_eq!(told(&review)[2], "plan success: touches no data product");
        assert_eq!(told(&review)[3], "dev success: would roll out nothing");
        assert_eq!(review.headline(), "touches no data product");
    }
}
