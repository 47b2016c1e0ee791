//! The texts as people see them.

use semver::Version;

use crate::domain::change::ChangeKind;
use crate::domain::compat::Compatibility;
use crate::domain::finding::{Finding, Location, RuleId};
use crate::domain::report::review::tests::{error, product, review};
use crate::domain::report::{COMMENT_LIMIT, ProductVerdict, ReviewOutcome, ReviewedFinding, StageOutlook};

use super::{MOST_ANNOTATIONS, check, comment};

fn breaking() -> crate::domain::report::Review {
    let mut orders = product("orders", ProductVerdict::Errors, &[]);
    let change = orders.change.as_mut().unwrap();
    change.compatibility = Some(Compatibility::Breaking);
    change.required = Some(Version::new(2, 0, 0));
    change.fields = 1;
    change.unified =
        "--- recorded\n+++ desired\n@@ -12,3 +12,2 @@\n       columns:\n         - name: id\n-        - name: \
                      fare\n"
            .to_owned();
    let mut review =
        review(ReviewOutcome::Assessed, vec![orders, product("trips", ProductVerdict::Accepted, &["dev", "prod"])]);
    let rule = RuleId::built_in("port/major-without-product-major");
    let path = "orders/data-product-descriptor.yaml";
    review.findings = vec![
        error(rule, path, 31, "port 'orders' goes from 1.4.0 to 2.0.0, but the product stays at major 1"),
        ReviewedFinding {
            finding: Finding::warning(
                RuleId::policy("mesh.owner", "mailbox"),
                Location { line: 8, ..Location::top_of(path.parse().unwrap()) },
                "/info/owner",
                "the owner 'jo@example.com' is a person and not a team",
            ),
            line_in_head: None,
        },
    ];
    review
}

#[test]
fn a_breaking_change_is_told_with_its_line_and_what_it_needs() {
    insta::assert_snapshot!("breaking_comment", comment(&breaking()));
    let check = check(&breaking());
    insta::assert_snapshot!("breaking_check", check.summary);
    assert_eq!(check.annotations.len(), 1, "a line that the proposal does not have is not annotated");
    assert_eq!(check.annotations[0].line, 31);
}

#[test]
fn a_good_proposal_is_told_in_short() {
    let mut created = product("stock", ProductVerdict::Accepted, &["dev"]);
    created.stages.push(StageOutlook { stage: "prod".parse().unwrap(), waits_for: Some("orders".to_owned()) });
    let change = created.change.as_mut().unwrap();
    (change.kind, change.from, change.compatibility) = (ChangeKind::Created, None, None);
    change.unified.clear();
    let mut retired = product("old", ProductVerdict::Accepted, &[]);
    let change = retired.change.as_mut().unwrap();
    (change.kind, change.to, change.compatibility) = (ChangeKind::Retired, None, None);
    change.unified.clear();
    let updated = product("trips", ProductVerdict::Accepted, &["dev", "prod"]);
    insta::assert_snapshot!("good_comment", comment(&review(ReviewOutcome::Assessed, vec![created, retired, updated])));
}

#[test]
fn conflicts_and_untouched_and_not_evaluated_are_told() {
    let conflicts = ReviewOutcome::Conflicts { paths: vec!["orders/dp.yaml".to_owned(), "x|`y`".to_owned()], count: 5 };
    insta::assert_snapshot!("conflicts_comment", comment(&review(conflicts, Vec::new())));
    insta::assert_snapshot!("untouched_comment", comment(&review(ReviewOutcome::Untouched, Vec::new())));
    let why = ReviewOutcome::NotEvaluated("the repository cannot be reached: timed out".to_owned());
    insta::assert_snapshot!("not_evaluated_comment", comment(&review(why, Vec::new())));
}

#[test]
fn a_text_that_is_too_long_is_cut_between_its_parts() {
    let mut products = Vec::new();
    let mut findings = Vec::new();
    for number in 0..3_000 {
        let mut one = product(&format!("product-{number}"), ProductVerdict::Errors, &["dev"]);
        let change = one.change.as_mut().unwrap();
        change.unified = format!("--- recorded\n+++ desired\n{}", "+ a line of the diff 𝕏\n".repeat(4_000));
        products.push(one);
        let path = format!("product-{number}/dp.yaml");
        findings.push(error(RuleId::built_in("schema/required"), &path, 4, "'info.owner' is missing"));
    }
    let mut long = review(ReviewOutcome::Assessed, products);
    long.findings = findings;
    let text = comment(&long);
    let length = text.encode_utf16().count();
    assert!(length <= COMMENT_LIMIT && length > COMMENT_LIMIT * 8 / 10, "{length}");
    for part in ["further products", "further findings", "[the checks](", "Mend what is marked"] {
        assert!(text.contains(part), "{part}");
    }
    assert_eq!(text.matches("<details>").count(), text.matches("</details>").count());
    let check = check(&long);
    assert!(check.summary.len() <= super::CHECK_TEXT_LIMIT);
    assert_eq!(check.annotations.len(), MOST_ANNOTATIONS);

    // As many bytes as there are, and not as many characters: names may be in any script.
    for product in &mut long.products {
        product.name = Some("発注".repeat(20));
        product.change.as_mut().unwrap().unified = "--- a\n+++ b\n+ 発注 𝕏 ✅\n".repeat(20);
    }
    let check = super::check(&long);
    let length = check.summary.len();
    assert!(length <= super::CHECK_TEXT_LIMIT && length > super::CHECK_TEXT_LIMIT * 8 / 10, "{length}");

    // One product with a difference that is longer than a comment: its beginning is shown.
    let mut large = product("large", ProductVerdict::Accepted, &["dev"]);
    large.change.as_mut().unwrap().unified = "+ a line\n".repeat(20_000);
    let text = comment(&review(ReviewOutcome::Assessed, vec![large]));
    assert!(text.contains("The rest is left out.") && text.encode_utf16().count() <= COMMENT_LIMIT);
    assert!(text.matches("+ a line\n").count() > 2_000);
}
