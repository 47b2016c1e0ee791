//! Proposals of people whom nobody knows: what they may cost, and what they cannot do.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use meshwright::domain::forge::{Proposal, ReviewVerdict};
use meshwright::domain::id::Digest;
use meshwright::domain::policy::{Question, Verdict};
use meshwright::domain::source::Target;
use meshwright::port::door::WakeReason;
use meshwright::port::judge::{Judge, PolicyLoadError};
use meshwright::port::store::{Look, ProposalBook};
use tokio_util::sync::CancellationToken;

use crate::support::reviews::{PullRequests, pull};
use crate::support::world::{Allowing, Descriptor, World, eventually, path_of, source};

/// A judge that panics over a product of this name.
struct Poisoned;

#[async_trait]
impl Judge for Poisoned {
    fn policies(&self) -> Digest {
        Allowing.policies()
    }

    async fn reload(&self) -> Result<Digest, PolicyLoadError> {
        Ok(self.policies())
    }

    async fn judge(&self, questions: Vec<Question>) -> Vec<Verdict> {
        let poison = |question: &Question| format!("{:?}", question.after_state).contains("poison");
        assert!(!questions.iter().any(poison), "this one takes the task down");
        Allowing.judge(questions).await
    }
}

fn new(name: &str) -> Descriptor {
    Descriptor::new(name, "1.0.0").only_at("dev")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_poisoned_proposal_is_told_and_stops_no_other() {
    let mut world = World::new();
    let pulls = PullRequests::of(&mut world);
    let base = world.commit(&[new("orders")]);
    let started = world.start_with(Arc::new(Poisoned)).await;
    started.trip().await;
    for (number, name) in [(1, "poison"), (2, "fine"), (3, "good")] {
        pulls.push(&world.repository, number, &base, &[(&path_of(name), &new(name).yaml())]);
    }
    let stop = CancellationToken::new();
    let working = {
        let (engine, stop) = (Arc::clone(&started.engine), stop.clone());
        tokio::spawn(async move { engine.pass_until(&stop).await })
    };
    for number in 1..=3 {
        started.engine.wake(&pull(number), WakeReason::Webhook).await.unwrap();
    }
    started.engine.wake(&Target::branch(source()), WakeReason::Webhook).await.unwrap();
    let verdicts = async || {
        let open = started.store.open_proposals(&source()).await.unwrap();
        open.into_iter().map(|record| record.verdict).collect::<Vec<_>>()
    };
    let wanted = [ReviewVerdict::NotEvaluated, ReviewVerdict::Accepted, ReviewVerdict::Accepted];
    eventually("all three are told", async || verdicts().await == wanted).await;
    // The branch goes on as well, and what is the matter is no condition of the source.
    world.commit(&[Descriptor::new("orders", "1.1.0").only_at("dev")]);
    started.engine.wake(&Target::branch(source()), WakeReason::Webhook).await.unwrap();
    eventually("the branch goes on", async || {
        started.store.versions(None).await.unwrap().iter().any(|row| row.version == "1.1.0")
    })
    .await;
    assert_eq!(started.store.sources().await.unwrap()[0].condition, None);
    stop.cancel();
    working.await.unwrap();
    started.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn policies_and_configuration_of_a_proposal_count_for_nothing() {
    let mut world = World::new();
    let pulls = PullRequests::of(&mut world);
    let base = world.commit(&[new("orders")]);
    let rego = "# METADATA\n# custom:\n#   events: [DATA_PRODUCT_CREATION]\n#   enforcement: block\n\
                package mesh.strict\n\ndeny contains {\"msg\": \"nothing new\"}\n";
    world.policy("strict", rego);
    let started = world.start_with(world.worker_judge().await).await;
    started.pass().await;
    let evil = "mesh: { namespace: evil }\npolicies: []\nexecutors: { own: { kind: command, command: [sh] } }\n";
    let allow = "package mesh.strict\n\nallow := true\n";
    let files = [
        ("policies/strict.rego", allow),
        ("meshwright.yaml", evil),
        (&path_of("mine"), &new("mine").configured("build", "{ token: '${secret.TOKEN}' }").yaml()),
    ];
    pulls.push(&world.repository, 2, &base, &files);
    let told = started.told(2).await;
    let expected = BTreeSet::from(["policy/mesh.strict.deny mine/data-product-descriptor.yaml:1".to_owned()]);
    assert_eq!(told.findings().into_iter().collect::<BTreeSet<_>>(), expected, "{:?}", told.statuses());
    assert_eq!(told.statuses()["policy"], "failure: 1 product refused by policies");
    assert_eq!(told.review.verdict(), ReviewVerdict::Refused);
    assert!(world.ledger().is_empty(), "no executor ran");
    started.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_hundred_proposals_at_once_are_all_told() {
    let mut world = World::new();
    let pulls = PullRequests::of(&mut world);
    let base = world.commit(&[new("orders")]);
    let started = world.start().await;
    started.trip().await;
    let names = (1..=300).map(|number| format!("p{number}"));
    let files: Vec<_> = names.map(|name| (path_of(&name), new(&name).yaml())).collect();
    pulls.push_many(&world.repository, &base, &files);
    let stop = CancellationToken::new();
    let working = {
        let (engine, stop) = (Arc::clone(&started.engine), stop.clone());
        tokio::spawn(async move { engine.pass_until(&stop).await })
    };
    let began = Instant::now();
    for number in 1..=300 {
        started.engine.wake(&pull(number), WakeReason::Webhook).await.unwrap();
    }
    world.repository.commit(&[("README.md", "words")], "the branch goes on");
    started.engine.wake(&Target::branch(source()), WakeReason::Webhook).await.unwrap();
    let head = world.repository.head();
    eventually("the branch does not wait for them", async || {
        started.store.sources().await.unwrap()[0].revision.as_ref() == Some(&head)
    })
    .await;
    let open = started.store.open_proposals(&source()).await.unwrap().len();
    assert!(open < 300, "the branch waited for {open} proposals");
    // Some seconds of work, on a machine that may be busy with other things.
    let all = async || started.store.open_proposals(&source()).await.unwrap();
    while all().await.len() < 300 && began.elapsed() < Duration::from_secs(300) {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let open = all().await;
    let verdicts: BTreeSet<&str> = open.iter().map(|record| record.verdict.as_str()).collect();
    eprintln!("300 proposals took {:?}", began.elapsed());
    assert_eq!((open.len(), verdicts), (300, BTreeSet::from(["accepted"])));
    stop.cancel();
    working.await.unwrap();
    started.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_proposal_with_five_thousand_files_is_told_within_the_limits() {
    let mut world = World::new();
    let pulls = PullRequests::of(&mut world);
    let base = world.commit(&[new("orders")]);
    let started = world.start().await;
    started.trip().await;
    let files: Vec<(String, String)> = (0..5_000)
        .map(|number| match number % 5 {
            0 => (path_of(&format!("p{number}")), new(&format!("p{number}")).yaml().replace("  owner:", "  ownr:")),
            _ => (format!("p{number}/table.csv"), format!("{number}")),
        })
        .collect();
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    pulls.push(&world.repository, 1, &base, &files);
    let began = Instant::now();
    let told = started.told(1).await;
    eprintln!("5,000 files took {:?}", began.elapsed());
    assert_eq!(told.statuses()["validate"], "failure: 1000 of 1000 descriptors with errors");
    let check = told.check();
    assert_eq!(check.annotations.len(), meshwright::domain::report::markdown::MOST_ANNOTATIONS);
    assert!(check.summary.len() <= meshwright::domain::report::CHECK_TEXT_LIMIT);
    let comment = &told.comment().unwrap().body;
    assert!(comment.encode_utf16().count() <= meshwright::domain::report::COMMENT_LIMIT);
    assert!(comment.contains("further findings"), "it says what it leaves out");
    started.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_proposal_that_costs_too_much_is_refused_once() {
    let mut world = World::new();
    let pulls = PullRequests::of(&mut world);
    let base = world.commit(&[new("orders")]);
    let started = world.start().await;
    started.trip().await;
    let repository = &world.repository;
    let blob = repository.git_with_input(&["hash-object", "-w", "--stdin"], "x");
    let mut tree = repository.git_with_input(&["mktree"], &format!("100644 blob {blob}\tf\n"));
    for _ in 0..10 {
        let rows: String = (0..10).map(|number| format!("040000 tree {tree}\td{number}\n")).collect();
        tree = repository.git_with_input(&["mktree"], &rows);
    }
    let bomb = repository.git(&["commit-tree", &tree, "-p", base.as_str(), "-m", "bomb"]).parse().unwrap();
    pulls.point(repository, 1, &bomb);
    let told = started.told(1).await;
    assert_eq!(told.review.verdict(), ReviewVerdict::Refused);
    assert!(told.statuses()["plan"].starts_with("failure: it costs too much to merge"), "{:?}", told.statuses());
    assert_eq!(started.review(1).await, meshwright::engine::Reviewed::Unchanged);
    let recorded = started.store.proposal(&source(), &Proposal::Pull(1)).await.unwrap().unwrap();
    assert_eq!(recorded.verdict, ReviewVerdict::Refused);
    started.close().await;
}
