//! What people ask for once more, and what several of them do at once.

use crate::support::github::{Hub, Merge};

use super::clone::Clone;
use super::installed::Installed;
use super::team::{self, STAGES};

const PRODUCT: &str = "logistics/orderFulfilment/data-product-descriptor.yaml";

#[test]
fn the_check_of_a_forks_pull_request_runs_again() {
    let hub = Hub::start();
    let retail = hub.repository("acme/retail-data-products").collaborator("alice", "write");
    team::alice(retail);
    let mut meshwright = Installed::watching(&hub, retail, STAGES);
    meshwright.app.install_on("acme");

    let fork = retail.fork("mallory");
    let mallory = Clone::of(fork, "mallory");
    mallory.begin("patch-1");
    mallory.replace(PRODUCT, "  version: 1.0.0", "  version: 1.0.1");
    let head = mallory.push("orderFulfilment: a patch");
    retail.open_pull_request_from(fork, "patch-1");
    meshwright.until("it is assessed", || {
        retail.check_run(&head, "Meshwright").is_some_and(|run| run.conclusion.as_deref() == Some("success"))
    });

    let run = retail.check_run(&head, "Meshwright").unwrap();
    let edits = || {
        let path = format!("/check-runs/{}", run.id);
        hub.requests().iter().filter(|seen| seen.method == "PATCH" && seen.path.ends_with(&path)).count()
    };
    let before = edits();
    retail.rerun(&run, "alice");
    meshwright.until("it is written again", || edits() > before);
    meshwright.stop();
}

#[test]
fn what_is_pressed_is_answered_in_words_under_its_pull_request() {
    let hub = Hub::start();
    let retail = team::retail(&hub);
    let (alice, base) = team::alice(retail);
    let mut meshwright = Installed::watching(&hub, retail, STAGES);
    meshwright.app.install_on("acme");
    let has = |commit: &str, check: &str, action: &str| {
        retail.check_run(commit, check).is_some_and(|run| run.actions.iter().any(|it| it["identifier"] == action))
    };
    // Nobody proposed the first commit: there is no comment, and what is pressed is done all the same.
    meshwright.until("there is a button", || has(&base, "Meshwright prod", "approve"));
    retail.press(&retail.check_run(&base, "Meshwright prod").unwrap(), "approve", "paula");
    let shows = |commit: &str, context: &str, state: &str| retail.state(commit, context).as_deref() == Some(state);
    meshwright.until("the mesh runs at prod", || shows(&base, "meshwright/prod", "success"));

    alice.begin("patch-1");
    alice.replace(PRODUCT, "  version: 1.0.0", "  version: 1.0.1");
    let head = alice.push("orderFulfilment: a patch");
    let pull = retail.open_pull_request_from(retail, "patch-1");
    let bot = meshwright.app.bot();
    let says = |words: &str| pull.comments_by(&bot).iter().any(|comment| comment.body.contains(words));
    meshwright.until("it is assessed", || has(&head, "Meshwright", "plan") && !pull.comments_by(&bot).is_empty());
    retail.press(&retail.check_run(&head, "Meshwright").unwrap(), "plan", "alice");
    meshwright.until("alice is answered", || says("- the button `plan`, pressed by `alice`: looked at anew"));

    let merged = pull.merge(Merge::Squash);
    meshwright.until("it waits before prod", || has(&merged, "Meshwright prod", "approve"));
    retail.press(&retail.check_run(&merged, "Meshwright prod").unwrap(), "approve", "rita");
    let refused = "- the button `approve prod`, pressed by `rita`: refused: rita may not write to the repository";
    meshwright.until("rita is told why not", || says(refused));
    retail.press(&retail.check_run(&merged, "Meshwright prod").unwrap(), "approve", "paula");
    meshwright.until("paula is answered", || says("- the button `approve prod`, pressed by `paula`: the commit"));
    meshwright.until("prod rolls out", || shows(&merged, "meshwright/prod", "success"));
    assert_eq!(pull.comments_by(&bot).len(), 1);
    meshwright.stop();
}

#[test]
fn two_that_are_merged_at_once_are_both_told() {
    let hub = Hub::start();
    let retail = team::retail(&hub);
    let (alice, base) = team::alice(retail);
    let mut meshwright = Installed::watching(&hub, retail, STAGES);
    meshwright.app.install_on("acme");
    let shows = |commit: &str, context: &str, state: &str| retail.state(commit, context).as_deref() == Some(state);
    meshwright.until("the mesh runs at dev", || shows(&base, "meshwright/dev", "success"));

    let propose = |branch: &str, version: &str| {
        alice.begin(branch);
        alice.replace(PRODUCT, "  version: 1.0.0", &format!("  version: {version}"));
        alice.push(branch);
        retail.open_pull_request_from(retail, branch)
    };
    let first = propose("one", "1.0.1");
    meshwright.until("it is assessed", || shows(&first.head(), "meshwright/plan", "success"));
    // Nobody is told of either merge until both are there.
    hub.lose_deliveries(true);
    let passed_over = first.merge(Merge::Commit);
    alice.begin("two");
    alice.replace(PRODUCT, "  version: 1.0.1", "  version: 1.0.2");
    alice.push("two");
    let head = retail.open_pull_request_from(retail, "two").merge(Merge::Commit);
    hub.lose_deliveries(false);
    let approval = first.comment("alice", "/meshwright approve prod");
    meshwright.until("alice is answered", || !first.reactions(approval).is_empty());
    let bot = meshwright.app.bot();
    let says = |words: &str| first.comments_by(&bot).iter().any(|comment| comment.body.contains(words));
    meshwright.until("in words", || says("was not looked at yet: ask again in a moment"));

    let mut lost =
        hub.deliveries().into_iter().filter(|delivery| delivery.event == "push" && delivery.status != Some(200));
    hub.redeliver(lost.next_back().expect("the push of the merge").id);
    meshwright.until("the head is rolled out", || shows(&head, "meshwright/dev", "success"));
    meshwright.until("the commit before it says so", || shows(&passed_over, "meshwright/dev", "error"));
    let told = retail.shown(&passed_over)["meshwright/prod"].1.clone();
    assert_eq!(told, format!("superseded by {} before it was looked at: see there", &head[..8]));
    first.comment("alice", "/meshwright approve prod");
    meshwright.until("where to ask is said", || says("ask under the pull request that was merged last"));
    assert_eq!(meshwright.runs("orderFulfilment", "prod"), None);
    meshwright.stop();
}
