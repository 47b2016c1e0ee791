//! The story of a change, as a data product team and a platform engineer live it.

use crate::support::github::{Hub, Merge, Trouble};

use super::installed::Installed;
use super::team::{self, STAGES};

/// A product that another one reads from, and where its table is described.
const TABLE: &str = "logistics/orderFulfilment/apis/order-fulfilment.json";

#[test]
fn a_breaking_change_is_seen_mended_merged_and_approved() {
    let hub = Hub::start();
    let retail = team::retail(&hub);

    // Alice's team has a mesh of six products.
    let (alice, first) = team::alice(retail);

    // Paula, who runs the platform, installs the App. Everything comes to dev, and waits before prod.
    let mut meshwright = Installed::watching(&hub, retail, STAGES);
    meshwright.app.install_on("acme");
    let shows = |commit: &str, context: &str, state: &str| retail.state(commit, context).as_deref() == Some(state);
    meshwright.until("the mesh runs at dev", || shows(&first, "meshwright/dev", "success"));
    meshwright.until("prod waits", || shows(&first, "meshwright/prod", "pending"));
    assert_eq!(meshwright.runs("orderFulfilment", "dev").as_deref(), Some("1.0.0"));
    assert_eq!(meshwright.runs("orderFulfilment", "prod"), None);

    // She presses the button on the commit, and it comes to prod.
    meshwright.until("there is a button", || {
        retail.check_run(&first, "Meshwright prod").is_some_and(|run| !run.actions.is_empty())
    });
    retail.press(&retail.check_run(&first, "Meshwright prod").unwrap(), "approve", "paula");
    meshwright.until("the mesh runs at prod", || shows(&first, "meshwright/prod", "success"));

    // Alice drops a column that another product reads, and opens a pull request.
    alice.begin("drop-days-late");
    alice.copy("demo/breaking");
    let breaking = alice.push("orderFulfilment: drop days_late, which nobody needs");
    let pull = retail.open_pull_request_from(retail, "drop-days-late");
    meshwright.until("the change is refused", || shows(&breaking, "meshwright/policy", "failure"));
    meshwright.until("the check says so", || {
        retail.check_run(&breaking, "Meshwright").is_some_and(|run| run.conclusion.as_deref() == Some("failure"))
    });

    // She sees the line, and what would be broken.
    let check = retail.check_run(&breaking, "Meshwright").unwrap();
    let annotation = check.annotations.iter().find(|annotation| annotation["path"] == TABLE);
    let annotation = annotation.unwrap_or_else(|| panic!("the line is not shown: {:#?}", check.annotations));
    assert!(annotation["message"].as_str().unwrap().contains("days_late"), "{annotation}");
    let line = usize::try_from(annotation["start_line"].as_u64().unwrap()).unwrap();
    assert!(alice.line(TABLE, line).contains("\"columns\""), "line {line}");
    let bot = meshwright.app.bot();
    meshwright.until("there is a comment", || !pull.comments_by(&bot).is_empty());
    let comment = pull.comments_by(&bot).remove(0);
    assert!(comment.body.contains("orderFulfilment") && comment.body.contains("days_late"), "{}", comment.body);
    assert_eq!(meshwright.runs("orderFulfilment", "dev").as_deref(), Some("1.0.0"), "nothing was executed");

    // She keeps the column, and everything turns green. The comment is the same one, edited.
    alice.git(&["checkout", "--quiet", "origin/main", "--", "logistics/orderFulfilment"]);
    alice.replace("logistics/orderFulfilment/data-product-descriptor.yaml", "  version: 1.0.0", "  version: 1.0.1");
    let mended = alice.push("orderFulfilment: a patch, and the column stays");
    meshwright.until("the change is let through", || {
        ["validate", "policy", "plan"].iter().all(|name| shows(&mended, &format!("meshwright/{name}"), "success"))
    });
    meshwright.until("the check is green", || {
        retail.check_run(&mended, "Meshwright").is_some_and(|run| run.conclusion.as_deref() == Some("success"))
    });
    meshwright.until("the comment is edited", || {
        pull.comments_by(&bot).iter().any(|known| known.id == comment.id && known.body != comment.body)
    });
    assert_eq!(pull.comments_by(&bot).len(), 1);
    assert_eq!(meshwright.runs("orderFulfilment", "dev").as_deref(), Some("1.0.0"), "nothing was executed");

    // It is merged: dev rolls out, prod waits.
    let merged = pull.merge(Merge::Commit);
    meshwright.until("dev rolls out", || shows(&merged, "meshwright/dev", "success"));
    meshwright.until("prod waits again", || shows(&merged, "meshwright/prod", "pending"));
    assert_eq!(meshwright.runs("orderFulfilment", "dev").as_deref(), Some("1.0.1"));
    assert_eq!(meshwright.runs("orderFulfilment", "prod").as_deref(), Some("1.0.0"));

    // Rita may read, and not approve. Paula may, in a comment.
    let refused = pull.comment("rita", "/meshwright approve prod");
    meshwright.until("Rita is told no", || !pull.reactions(refused).is_empty());
    assert!(shows(&merged, "meshwright/prod", "pending"));
    let says = |words: &str| pull.comments_by(&bot).iter().any(|comment| comment.body.contains(words));
    let words = "- `/meshwright approve prod` by `rita`: refused: rita may not write to the repository";
    meshwright.until("and why", || says(words));
    let approval = pull.comment("paula", "Looks good to me.\n\n/meshwright approve prod");
    meshwright.until("Paula is understood", || !pull.reactions(approval).is_empty());
    meshwright.until("in words, too", || says("by `paula`: the commit"));
    assert_eq!(pull.comments_by(&bot).len(), 1);
    assert_ne!(pull.reactions(approval)[0].1, pull.reactions(refused)[0].1);
    meshwright.until("prod rolls out", || shows(&merged, "meshwright/prod", "success"));
    assert_eq!(meshwright.runs("orderFulfilment", "prod").as_deref(), Some("1.0.1"));

    // The Environments page is right, and nothing is left pending anywhere.
    for stage in ["dev", "prod"] {
        meshwright.until("the deployment is shown", || {
            let deployments = retail.deployments();
            let newest = deployments.iter().rev().find(|deployment| deployment.environment == stage);
            newest.is_some_and(|deployment| {
                deployment.sha == merged && deployment.statuses.last().is_some_and(|status| status.state == "success")
            })
        });
    }
    for commit in [&first, &mended, &merged] {
        let pending: Vec<String> =
            retail.shown(commit).into_iter().filter(|(_, shown)| shown.0 == "pending").map(|(name, _)| name).collect();
        assert!(pending.is_empty(), "{commit} still shows {pending:?} as pending");
    }
    meshwright.stop();
}

#[test]
fn a_bad_day_at_github_leaves_nothing_pending() {
    let hub = Hub::start();
    let retail = team::retail(&hub);
    let (_alice, head) = team::alice(retail);
    let statuses = "POST /repos/acme/retail-data-products/statuses/*";
    for trouble in [Trouble::Html(502), Trouble::Status(500), Trouble::Lost, Trouble::CutOff, Trouble::Secondary(1)] {
        hub.fail(statuses, trouble, 1);
    }
    hub.fail("POST /app/installations/*/access_tokens", Trouble::Refused, 1);
    hub.fail("POST /repos/acme/retail-data-products/deployments", Trouble::HtmlInstead, 1);
    let mut meshwright = Installed::watching(&hub, retail, "  - name: dev");
    meshwright.app.install_on("acme");
    let contexts = ["validate", "policy", "plan", "dev"].map(|name| format!("meshwright/{name}"));
    meshwright.until("all is shown in the end", || {
        contexts.iter().all(|context| retail.state(&head, context).as_deref() == Some("success"))
    });
    meshwright.until("the deployment, too", || {
        let deployments = retail.deployments();
        let newest = deployments.last().and_then(|deployment| deployment.statuses.last());
        newest.is_some_and(|status| status.state == "success")
    });
    meshwright.stop();
}
