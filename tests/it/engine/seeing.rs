//! What commits do to the record.

use std::time::Duration;

use meshwright::domain::change::ChangeKind;
use meshwright::domain::plan::Plan;
use meshwright::engine::PassOutcome;
use meshwright::port::store::{Look, PassBook};

use crate::support::repository::TestRepository;
use crate::support::world::{Descriptor, World, path_of, source, target};

/// The plan's changes, `name kind`.
fn changes(plan: &Plan) -> Vec<String> {
    let kind = |kind| match kind {
        ChangeKind::Created => "created",
        ChangeKind::Updated => "updated",
        ChangeKind::Retired => "retired",
        ChangeKind::Unchanged => "unchanged",
    };
    plan.changes.iter().map(|change| format!("{} {}", change.product.product_name(), kind(change.kind))).collect()
}

fn orders(version: &str) -> Descriptor {
    Descriptor::new("orders", version).only_at("dev")
}

fn sales(version: &str) -> Descriptor {
    Descriptor::new("sales", version).only_at("dev")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_first_commit_is_rolled_out_everywhere_and_told() {
    let world = World::new();
    let head = world.commit(&[Descriptor::new("orders", "1.0.0"), Descriptor::new("sales", "1.0.0").reads("orders")]);
    let started = world.start().await;
    let plan = started.trip().await;
    assert_eq!(plan.activities.len(), 4);
    let everywhere = ["orders dev 1.0.0", "orders prod 1.0.0", "sales dev 1.0.0", "sales prod 1.0.0"];
    assert_eq!(started.running().await, everywhere);
    assert_eq!(world.ledger().len(), 12);
    let statuses: Vec<String> =
        started.statuses(&head).into_iter().map(|(context, status)| format!("{context} {status}")).collect();
    let told = [
        "dev success: 2 products running",
        "plan success: 2 created, 0 updated, 0 retired; 4 rollouts",
        "policy success: policies agree",
        "prod success: 2 products running",
        "validate success: 2 descriptors, no errors (2 looked at)",
    ];
    assert_eq!(statuses, told);
    started.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn products_are_created_updated_left_alone_and_retired() {
    let world = World::new();
    world.commit(&[orders("1.0.0"), sales("1.0.0"), Descriptor::new("stock", "1.0.0").only_at("dev")]);
    let started = world.start().await;
    assert_eq!(changes(&started.trip().await), ["orders created", "sales created", "stock created"]);

    world.repository.git(&["rm", "--quiet", "-r", "stock"]);
    let head = world.commit(&[orders("1.1.0")]);
    assert_eq!(changes(&started.trip().await), ["orders updated", "stock retired"]);
    // What left the source keeps running.
    assert_eq!(started.running().await, ["orders dev 1.1.0", "sales dev 1.0.0", "stock dev 1.0.0"]);
    let products = started.store.products().await.unwrap();
    let retired: Vec<&str> = products.iter().filter(|row| row.retired).map(|row| row.product.product_name()).collect();
    assert_eq!(retired, ["stock"]);
    assert_eq!(started.statuses(&head)["plan"], "success: 0 created, 1 updated, 1 retired; 1 rollout");

    // It comes back: it is no longer retired, and what runs there is what it wants.
    world.commit(&[Descriptor::new("stock", "1.0.0").only_at("dev")]);
    let plan = started.trip().await;
    assert_eq!((changes(&plan), plan.activities.len()), (vec!["stock updated".to_owned()], 0));
    assert!(started.store.products().await.unwrap().iter().all(|row| !row.retired));
    started.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_renamed_folder_is_neither_retired_nor_claimed_twice() {
    let world = World::new();
    world.commit(&[orders("1.0.0"), sales("1.0.0")]);
    let started = world.start().await;
    started.trip().await;

    world.repository.git(&["mv", "orders", "purchases"]);
    let head = world.repository.commit(&[], "renamed");
    let plan = started.trip().await;
    assert_eq!((changes(&plan), plan.refused.len(), plan.activities.len()), (vec!["orders updated".to_owned()], 0, 0));
    assert_eq!(started.findings().await, Vec::<String>::new());
    assert!(started.statuses(&head).values().all(|status| status.starts_with("success")));
    let orders = started.store.products().await.unwrap().into_iter().find(|row| !row.retired).unwrap();
    assert_eq!(orders.path, "purchases/data-product-descriptor.yaml");
    started.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_emptied_tree_retires_nothing_and_says_so() {
    let world = World::new();
    world.commit(&[orders("1.0.0"), sales("1.0.0")]);
    let started = world.start().await;
    started.trip().await;

    world.repository.git(&["rm", "--quiet", "-r", "orders", "sales"]);
    let head = world.repository.commit(&[("README.md", "empty")], "emptied");
    let seen = started.pass().await;
    assert!(matches!(seen, PassOutcome::NotSeen { condition } if condition.reason == "no-descriptors"));
    started.settle().await;
    assert!(started.store.products().await.unwrap().iter().all(|row| !row.retired));
    assert_eq!(started.running().await.len(), 2);
    // Nothing could be evaluated, so nothing is green.
    assert!(started.statuses(&head).values().all(|status| status.starts_with("error: no descriptors found")));
    let sources = started.store.sources().await.unwrap();
    assert_eq!(sources[0].condition.as_deref(), Some("no-descriptors"));
    // Looking again does not forget it.
    started.pass().await;
    assert_eq!(started.store.sources().await.unwrap()[0].condition.as_deref(), Some("no-descriptors"));

    // One of them comes back; the other one has left in earnest now.
    let head = world.commit(&[sales("1.0.0")]);
    assert_eq!(changes(&started.trip().await), ["orders retired"]);
    assert_eq!(started.store.sources().await.unwrap()[0].condition, None);
    assert!(started.statuses(&head)["validate"].starts_with("success"));
    started.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_branch_that_is_gone_or_a_repository_leaves_everything_as_it_is() {
    let world = World::new();
    let started = world.start().await;
    assert!(matches!(started.pass().await, PassOutcome::NotSeen { condition } if condition.reason == "empty"));

    world.commit(&[orders("1.0.0")]);
    started.trip().await;
    world.repository.git(&["checkout", "--quiet", "-b", "aside"]);
    world.repository.git(&["branch", "--quiet", "-D", "main"]);
    assert!(matches!(started.pass().await, PassOutcome::NotSeen { condition } if condition.reason == "no-such-branch"));
    assert_eq!(started.store.sources().await.unwrap()[0].condition.as_deref(), Some("no-such-branch"));

    let hidden = world.path("hidden");
    std::fs::rename(world.repository.file(".git"), &hidden).unwrap();
    let PassOutcome::NotSeen { condition } = started.pass().await else { panic!("it is not there") };
    assert!(["unreachable", "refused"].contains(&condition.reason.as_str()), "{condition:?}");
    assert_eq!(started.running().await, ["orders dev 1.0.0"]);
    assert!(started.store.products().await.unwrap().iter().all(|row| !row.retired));

    std::fs::rename(&hidden, world.repository.file(".git")).unwrap();
    world.repository.git(&["checkout", "--quiet", "-b", "main"]);
    assert!(matches!(started.pass().await, PassOutcome::Unchanged { .. }));
    assert_eq!(started.store.sources().await.unwrap()[0].condition, None);
    started.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_branch_that_is_forced_back_and_forth_is_followed_each_time() {
    let world = World::new();
    let older = world.commit(&[orders("1.0.0")]);
    let started = world.start().await;
    let mut plans = vec![started.trip().await];
    let newer = world.commit(&[orders("1.1.0")]);
    plans.push(started.trip().await);
    for (head, version) in [(&older, "1.0.0"), (&newer, "1.1.0"), (&older, "1.0.0")] {
        world.repository.git(&["reset", "--quiet", "--hard", head.as_str()]);
        plans.push(started.trip().await);
        assert_eq!(started.running().await, [format!("orders dev {version}")]);
        assert!(started.statuses(head).values().all(|status| status.starts_with("success")));
    }
    let ids: std::collections::BTreeSet<_> = plans.iter().map(|plan| plan.activities[0].id.clone()).collect();
    assert_eq!(ids.len(), 5, "each time it is another activity");
    assert_eq!(world.ledger().len(), 15);
    assert_eq!(started.findings().await, Vec::<String>::new());
    started.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broken_descriptor_stops_no_other_and_stays_red_until_it_is_mended() {
    let world = World::new();
    let broken = |text: &str| world.repository.commit(&[(&path_of("sales"), text)], "a change");
    world.commit(&[orders("1.0.0"), Descriptor::new("stock", "1.0.0").only_at("dev")]);
    let head = broken("dataProductDescriptor: 1.0.0\ninfo: [\n");
    let started = world.start().await;
    started.trip().await;
    assert_eq!(started.running().await, ["orders dev 1.0.0", "stock dev 1.0.0"]);
    assert_eq!(started.statuses(&head)["validate"], "failure: 1 of 3 descriptors with errors");

    // The next commit does not touch it: the tree is what counts.
    let head = world.commit(&[orders("1.1.0")]);
    started.trip().await;
    assert_eq!(started.running().await, ["orders dev 1.1.0", "stock dev 1.0.0"]);
    let statuses = started.statuses(&head);
    assert_eq!(statuses["validate"], "failure: 1 of 3 descriptors with errors");
    assert!(statuses["plan"].starts_with("failure"), "{statuses:?}");
    assert!(statuses["dev"].starts_with("failure"), "{statuses:?}");

    let head = broken(&sales("1.0.0").yaml());
    started.trip().await;
    assert_eq!(started.running().await, ["orders dev 1.1.0", "sales dev 1.0.0", "stock dev 1.0.0"]);
    assert!(started.statuses(&head).values().all(|status| status.starts_with("success")));
    started.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_released_version_never_changes_and_one_that_never_ran_may() {
    let world = World::new();
    world.control("orders", "build", "exit 1");
    world.commit(&[orders("1.0.0"), sales("1.0.0")]);
    let started = world.start().await;
    started.trip().await;
    assert_eq!(started.running().await, ["sales dev 1.0.0"]);

    world.control("orders", "build", "");
    let head = world.commit(&[orders("1.0.0").described("mended"), sales("1.0.0").described("other")]);
    let plan = started.trip().await;
    assert_eq!(started.running().await, ["orders dev 1.0.0", "sales dev 1.0.0"]);
    assert_eq!(plan.refused.iter().map(|product| product.product_name()).collect::<Vec<_>>(), ["sales"]);
    assert_eq!(started.findings().await, ["version/not-bumped sales/data-product-descriptor.yaml:4"]);
    let statuses = started.statuses(&head);
    assert_eq!(statuses["validate"], "failure: 1 of 2 descriptors with errors");

    let head = world.commit(&[sales("1.0.1").described("other")]);
    started.trip().await;
    assert_eq!(started.running().await, ["orders dev 1.0.0", "sales dev 1.0.1"]);
    assert!(started.statuses(&head).values().all(|status| status.starts_with("success")));
    started.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_product_belongs_to_the_descriptor_that_was_first() {
    let world = World::new();
    let twice = orders("1.0.0").yaml();
    world.repository.commit(&[(&path_of("orders"), &twice), (&path_of("zebra"), &twice)], "twice at once");
    let started = world.start().await;
    let plan = started.trip().await;
    assert_eq!(started.findings().await, ["identity/claimed-twice zebra/data-product-descriptor.yaml:3"]);
    assert_eq!(started.running().await, ["orders dev 1.0.0"], "{plan:?}");

    // Later, and first by path: the recorded one keeps it.
    world.repository.git(&["rm", "--quiet", "-r", "zebra"]);
    world.repository.commit(&[(&path_of("apple"), &twice)], "once more");
    started.trip().await;
    assert_eq!(started.findings().await, ["identity/claimed-twice apple/data-product-descriptor.yaml:3"]);
    // The first one goes: the other one may have it now.
    world.repository.git(&["rm", "--quiet", "-r", "orders"]);
    let head = world.repository.commit(&[], "the first one goes");
    started.trip().await;
    assert_eq!(started.findings().await, Vec::<String>::new());
    assert!(started.statuses(&head).values().all(|status| status.starts_with("success")));
    let products = started.store.products().await.unwrap();
    assert_eq!((products.len(), products[0].retired, products[0].path.as_str()), (1, false, path_of("apple").as_str()));
    started.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_product_of_another_source_cannot_be_claimed() {
    let other = TestRepository::new();
    let mut world = World::new();
    world.others.insert("wholesale".parse().unwrap(), other.path().to_path_buf());
    world.commit(&[orders("1.0.0")]);
    let started = world.start().await;
    started.trip().await;

    let yaml = orders("2.0.0").yaml().replace("2.0.0", "1.5.0");
    let head = other.commit(&[(&path_of("orders"), &yaml)], "mine as well");
    let wholesale = meshwright::domain::source::Target::branch("wholesale".parse().unwrap());
    let PassOutcome::Recorded { plan } = started.engine.pass(&wholesale).await.unwrap() else { panic!("no plan") };
    assert_eq!((plan.changes.len(), plan.activities.len()), (0, 0));
    started.settle().await;
    assert_eq!(started.running().await, ["orders dev 1.0.0"]);
    assert_eq!(started.findings().await, ["identity/claimed-twice orders/data-product-descriptor.yaml:3"]);
    let shown = crate::support::world::statuses(other.path(), &head);
    assert!(shown["validate"].starts_with("failure"), "{shown:?}");
    started.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pass_without_a_change_writes_nothing() {
    let world = World::new();
    world.commit(&[orders("1.0.0"), sales("1.0.0")]);
    let started = world.start().await;
    started.trip().await;
    let dump = async || {
        let store = &started.store;
        (
            store.audit_rows(1_000).await.unwrap(),
            store.pass_rows(None, 1_000).await.unwrap(),
            store.report_rows(1_000).await.unwrap(),
            store.activity_rows(1_000).await.unwrap(),
            store.versions(None).await.unwrap(),
        )
    };
    let (before, source_before) = (dump().await, started.store.source(&source()).await.unwrap());
    world.clock.advance(Duration::from_secs(60));
    for _ in 0..3 {
        assert!(matches!(started.pass().await, PassOutcome::Unchanged { .. }));
    }
    assert_eq!(dump().await, before);
    assert_eq!(started.store.source(&source()).await.unwrap(), source_before);
    let seen = started.store.sources().await.unwrap()[0].seen_at.clone().unwrap();
    let first = &before.1[0].at;
    assert!(seen > *first, "that it was looked at is noted: {seen}, {first}");
    started.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_draft_shows_is_what_is_recorded() {
    let world = World::new();
    world.commit(&[orders("1.0.0"), sales("1.0.0")]);
    let started = world.start().await;
    for next in [orders("1.1.0"), sales("1.1.0").described("other"), Descriptor::new("stock", "0.1.0")] {
        let draft = started.engine.draft(&target(), None).await.unwrap().unwrap();
        assert_eq!(started.plan().await, draft.pass.plan);
        started.settle().await;
        world.commit(&[next]);
    }
    // Drafts record nothing.
    let before = started.store.audit_rows(1_000).await.unwrap();
    started.engine.draft(&target(), None).await.unwrap().unwrap();
    assert_eq!(started.store.audit_rows(1_000).await.unwrap(), before);
    assert_eq!(started.plan().await.changes.len(), 1);
    started.close().await;
}
