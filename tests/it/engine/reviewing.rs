//! Proposals: what would happen is told, at its line, and nothing happens.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use meshwright::domain::forge::CommentMode;
use meshwright::domain::forge::{Proposal, PullState, ReviewVerdict};
use meshwright::domain::id::Revision;
use meshwright::domain::report::{Check, Comment, Detail, Report, Review};
use meshwright::domain::source::Target;
use meshwright::engine::Reviewed;
use meshwright::port::door::WakeReason;
use meshwright::port::forge::ForgeError;
use meshwright::port::judge::Judge;
use meshwright::port::store::{Look, ProposalBook};
use tokio_util::sync::CancellationToken;

use crate::support::repository::TestRepository;
use crate::support::reviews::{PullRequests, pull};
use crate::support::world::{Descriptor, Started, World, eventually, path_of, source};

fn orders(version: &str) -> Descriptor {
    Descriptor::new("orders", version).only_at("dev")
}

/// What was said of a proposal.
pub(super) struct Told {
    pub review: Review,
    pub reports: Vec<Report>,
}

impl Told {
    /// By context without its prefix: `state: description`.
    pub fn statuses(&self) -> BTreeMap<String, String> {
        let statuses = self.reports.iter().filter(|report| report.detail.is_none());
        let short = |context: &str| context.trim_start_matches("meshwright/").to_owned();
        statuses.map(|it| (short(&it.context), format!("{}: {}", it.state.as_str(), it.description))).collect()
    }

    pub fn check(&self) -> &Check {
        let mut details = self.reports.iter().filter_map(|report| report.detail.as_ref());
        details.find_map(|detail| if let Detail::Check(check) = detail { Some(check) } else { None }).unwrap()
    }

    pub fn comment(&self) -> Option<&Comment> {
        let mut details = self.reports.iter().filter_map(|report| report.detail.as_ref());
        details.find_map(|detail| if let Detail::Comment(comment) = detail { Some(comment) } else { None })
    }

    /// `rule file:line`, the line as the proposal has it.
    pub fn findings(&self) -> Vec<String> {
        let of = |found: &meshwright::domain::report::ReviewedFinding| {
            let line = found.line_in_head.map_or("-".to_owned(), |line| line.to_string());
            format!("{} {}:{line}", found.finding.rule, found.finding.location.file)
        };
        self.review.findings.iter().map(of).collect()
    }
}

impl Started {
    pub(super) async fn review(&self, number: u64) -> Reviewed {
        self.engine.review(&pull(number), &Proposal::Pull(number)).await.unwrap()
    }

    pub(super) async fn told(&self, number: u64) -> Told {
        match self.review(number).await {
            Reviewed::Told { review, reports } => Told { review: *review, reports },
            other => panic!("nothing was told: {other:?}"),
        }
    }

    pub(super) async fn stale(&self, world: &World) -> Vec<Proposal> {
        self.engine.stale_proposals(&source(), Some(&world.repository.head())).await.unwrap()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn from_a_mistake_to_a_merge() {
    let mut world = World::new();
    let pulls = PullRequests::of(&mut world);
    world.shown_url = Some("https://github.com/acme/retail.git".to_owned());
    let base = world.commit(&[orders("1.0.0"), Descriptor::new("stock", "1.0.0").only_at("dev")]);
    let started = world.start().await;
    started.trip().await;
    let (before, ledger) = (started.store.versions(None).await.unwrap(), world.ledger());

    // Released content changes, and its number does not.
    let mistake = orders("1.0.0").described("other words");
    let head = pulls.push(&world.repository, 7, &base, &[(&mistake.path(), &mistake.yaml())]);
    let told = started.told(7).await;
    let wanted = [
        ("validate", "failure: 1 of 1 descriptor with errors"),
        ("policy", "success: policies agree"),
        ("plan", "failure: 1 updated; 1 product refused"),
        ("dev", "failure: would roll out nothing; 1 product refused"),
        ("prod", "failure: would roll out nothing; 1 product refused"),
    ];
    assert_eq!(told.statuses(), wanted.map(|(context, text)| (context.to_owned(), text.to_owned())).into());
    assert!(told.reports.iter().all(|report| report.revision == head), "all of it stands on the proposal's commit");
    assert_eq!(told.findings(), ["version/not-bumped orders/data-product-descriptor.yaml:4"]);
    let annotation = &told.check().annotations[0];
    assert_eq!((annotation.line, annotation.path.as_str()), (4, mistake.path().as_str()));
    let comment = told.comment().unwrap();
    assert_eq!(comment.pull, 7);
    let link = format!("https://github.com/acme/retail/blob/{head}/orders/data-product-descriptor.yaml#L4");
    assert!(comment.body.contains(&link) && comment.body.contains("-  description: a product"), "{}", comment.body);

    // Nothing of it happened, and nothing of it is the mesh's.
    assert_eq!(started.store.versions(None).await.unwrap(), before);
    assert_eq!(started.store.finding_rows(None).await.unwrap(), []);
    assert_eq!(world.ledger(), ledger);
    assert_eq!(started.engine.roll_out_all(&started.stop).await.ok().map(|_| world.ledger()), Some(ledger));

    // It is mended.
    let mended = orders("1.0.1").described("other words");
    let head = pulls.push(&world.repository, 7, &head, &[(&mended.path(), &mended.yaml())]);
    let told = started.told(7).await;
    assert_eq!(told.review.verdict(), ReviewVerdict::Accepted);
    assert_eq!(told.statuses()["plan"], "success: 1 updated; 1 rollout");
    assert_eq!(told.statuses()["dev"], "success: would roll out 1 product");
    assert_eq!(started.review(7).await, Reviewed::Unchanged, "the same is not assessed twice");

    // It is merged, and what was said comes true.
    world.repository.git(&["merge", "--quiet", "--no-ff", "-m", "merge", head.as_str()]);
    pulls.change(7, |pull| pull.state = PullState::Merged);
    let plan = started.trip().await;
    assert_eq!((plan.changes.len(), plan.activities.len()), (1, 1));
    assert_eq!(started.running().await, ["orders dev 1.0.1", "stock dev 1.0.0"]);
    assert_eq!(started.review(7).await, Reviewed::Closed);
    let row = started.store.proposal_rows(None, 9).await.unwrap().remove(0);
    assert_eq!((row.proposal.as_str(), row.state.as_str(), row.verdict.as_str()), ("pull/7", "merged", "accepted"));
    assert_eq!(started.stale(&world).await, [], "nobody looks at it any more");
    started.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_head_that_becomes_the_branchs_says_what_came_of_it() {
    let mut world = World::new();
    let pulls = PullRequests::of(&mut world);
    let base = world.commit(&[orders("1.0.0")]);
    let started = world.start().await;
    started.trip().await;
    let shown = async |revision: &Revision| {
        let rows = started.store.report_rows(1_000).await.unwrap().into_iter();
        rows.filter(|row| row.revision == *revision && row.sort == "check")
            .map(|row| (row.context, row.description))
            .collect::<Vec<_>>()
    };
    let check = |text: &str| vec![("Meshwright".to_owned(), text.to_owned())];
    assert_eq!(shown(&base).await, [], "it was never proposed");
    let head = pulls.push(&world.repository, 7, &base, &[(&path_of("orders"), &orders("1.1.0").yaml())]);
    started.told(7).await;
    assert_eq!(shown(&head).await, check("1 updated; 1 rollout"));

    world.repository.git(&["merge", "--quiet", "--ff-only", head.as_str()]);
    pulls.change(7, |pull| pull.state = PullState::Merged);
    started.trip().await;
    assert_eq!(shown(&head).await, check("0 created, 1 updated, 0 retired; 1 rollout"));
    assert_eq!(started.review(7).await, Reviewed::Closed);
    assert_eq!(shown(&head).await, check("0 created, 1 updated, 0 retired; 1 rollout"));
    started.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_touches_no_descriptor_is_a_success_that_says_so() {
    let mut world = World::new();
    let pulls = PullRequests::of(&mut world);
    let base = world.commit(&[orders("1.0.0")]);
    let started = world.start().await;
    started.trip().await;
    let head = pulls.push(&world.repository, 1, &base, &[("docs/page.md", "words")]);
    let told = started.told(1).await;
    assert_eq!(told.review.verdict(), ReviewVerdict::Untouched);
    assert_eq!(told.review.head, head);
    assert!(told.statuses().values().all(|status| status.starts_with("success")), "{:?}", told.statuses());
    assert_eq!(told.statuses()["plan"], "success: touches no data product");
    assert!(told.comment().is_none(), "nobody is bothered");
    let recorded = started.store.proposal(&source(), &Proposal::Pull(1)).await.unwrap().unwrap();
    assert_eq!((recorded.inputs.head, recorded.verdict), (head.clone(), ReviewVerdict::Untouched));

    // A file beside the descriptor that changes nothing of it: the same.
    pulls.push(&world.repository, 1, &head, &[("orders/README.md", "words")]);
    assert_eq!(started.told(1).await.review.verdict(), ReviewVerdict::Untouched);
    started.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_comment_comes_with_a_descriptor_and_stays_right() {
    for (mode, expected) in [
        (CommentMode::OnChange, [false, true, true]),
        (CommentMode::Always, [true, true, true]),
        (CommentMode::Never, [false, false, false]),
    ] {
        let mut world = World::new();
        let pulls = PullRequests::of(&mut world);
        world.comment = mode;
        let base = world.commit(&[orders("1.0.0")]);
        let started = world.start().await;
        started.trip().await;
        let mut seen = Vec::new();
        let next = orders("1.1.0");
        for files in [&[("a.md", "1")][..], &[(next.path().as_str(), next.yaml().as_str())], &[("a.md", "2")]] {
            pulls.push(&world.repository, 1, &base, files);
            seen.push(started.told(1).await.comment().is_some());
        }
        assert_eq!(seen, expected, "{mode:?}");
        started.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn conflicts_fail_the_plan_and_are_named() {
    let mut world = World::new();
    let pulls = PullRequests::of(&mut world);
    let base = world.commit(&[orders("1.0.0")]);
    let started = world.start().await;
    started.trip().await;
    let proposed = orders("1.1.0");
    pulls.push(&world.repository, 2, &base, &[(&proposed.path(), &proposed.yaml())]);
    world.commit(&[orders("2.0.0")]);
    let told = started.told(2).await;
    assert_eq!(told.review.verdict(), ReviewVerdict::Conflicted);
    assert_eq!(told.statuses()["plan"], "failure: conflicts with main in 1 file");
    assert_eq!(told.statuses()["validate"], "error: not evaluated: it cannot be merged into main");
    assert!(told.check().summary.contains("`orders/data-product-descriptor.yaml`"), "{}", told.check().summary);
    started.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_merge_result_counts_and_lines_are_the_proposals_own() {
    let mut world = World::new();
    let pulls = PullRequests::of(&mut world);
    let lines = |yaml: &str| yaml.replace("info:\n", "info:\n  # one\n  # two\n  # three\n");
    let base = world.repository.commit(&[(&path_of("orders"), &lines(&orders("1.0.0").yaml()))], "first");
    let started = world.start().await;
    started.trip().await;
    // The proposal breaks the end of the file, and the branch goes on at its beginning.
    let broken = format!("{}surprise: 1\n", lines(&orders("1.0.0").yaml()));
    let line = broken.lines().count();
    let head = pulls.push(&world.repository, 3, &base, &[(&path_of("orders"), &broken)]);
    let longer = lines(&orders("1.0.0").yaml()).replace("  # one\n", "  # one\n  # and a half\n  # and more\n");
    let moved = world.repository.commit(&[(&path_of("orders"), &longer)], "moved");
    started.pass().await;
    let told = started.told(3).await;
    assert_eq!(told.review.base, moved);
    let recorded = started.store.proposal(&source(), &Proposal::Pull(3)).await.unwrap().unwrap();
    assert!(recorded.result.is_some_and(|result| result != head && result != moved));
    let place = format!("orders/data-product-descriptor.yaml:{line}");
    assert!(told.findings().iter().any(|found| found.ends_with(&place)), "{:?} and not {place}", told.findings());
    started.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_descriptor_of_a_repository_is_assessed_before_it_is_merged() {
    let mut world = World::new();
    let pulls = PullRequests::of(&mut world);
    let base = world.repository.commit(&[("README.md", "soon")], "first");
    let started = world.start().await;
    started.pass().await;
    pulls.push(&world.repository, 1, &base, &[(&path_of("orders"), &orders("1.0.0").yaml())]);
    let told = started.told(1).await;
    assert_eq!(told.statuses()["plan"], "success: 1 created; 1 rollout");
    pulls.push(&world.repository, 2, &base, &[("README.md", "sooner")]);
    assert_eq!(started.told(2).await.review.verdict(), ReviewVerdict::Untouched);
    started.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_leaves_is_told_and_emptying_the_branch_is_refused() {
    let mut world = World::new();
    let pulls = PullRequests::of(&mut world);
    let base = world.commit(&[orders("1.0.0"), Descriptor::new("stock", "1.0.0").only_at("dev")]);
    let started = world.start().await;
    started.trip().await;
    let propose = |number: u64, gone: &[&str]| {
        world.repository.git(&["checkout", "--quiet", "--detach", base.as_str()]);
        for product in gone {
            std::fs::remove_file(world.repository.file(&path_of(product))).unwrap();
        }
        let head = world.repository.commit(&[("a", "b")], "without");
        world.repository.git(&["checkout", "--quiet", "main"]);
        pulls.point(&world.repository, number, &head);
    };
    propose(1, &["stock"]);
    assert_eq!(started.told(1).await.statuses()["plan"], "success: 1 retired; 0 rollouts");
    propose(2, &["stock", "orders"]);
    let told = started.told(2).await;
    assert_eq!(told.review.verdict(), ReviewVerdict::Refused);
    assert!(told.statuses()["plan"].starts_with("failure: it leaves the branch without descriptors"));
    assert_eq!(started.running().await.len(), 2);
    started.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_merge_group_is_assessed_by_its_commit() {
    let mut world = World::new();
    PullRequests::of(&mut world);
    let base = world.commit(&[orders("1.0.0")]);
    let started = world.start().await;
    started.trip().await;
    world.repository.git(&["checkout", "--quiet", "--detach", base.as_str()]);
    let head = world.commit(&[orders("1.1.0")]);
    world.repository.git(&["checkout", "--quiet", "main"]);
    let group = Proposal::MergeGroup(head.clone());
    let target = Target::proposal(source(), group.clone());
    let look = async || started.engine.review(&target, &group).await.unwrap();
    assert_eq!(look().await, Reviewed::Closed, "whoever says so, it is no merge group");
    let name = format!("refs/heads/gh-readonly-queue/main/pr-1-{base}");
    world.repository.git(&["update-ref", &name, head.as_str()]);
    let Reviewed::Told { review, reports } = look().await else { panic!("it is one") };
    assert_eq!((review.verdict(), &review.head), (ReviewVerdict::Accepted, &head));
    assert!(reports.iter().all(|report| !matches!(report.detail, Some(Detail::Comment(_)))), "nobody to comment to");
    // The queue merges it: the branch's statuses stand on this commit from now on.
    world.repository.git(&["update-ref", "refs/heads/main", head.as_str()]);
    assert_eq!(look().await, Reviewed::Merged);
    world.repository.git(&["update-ref", "-d", &name]);
    assert_eq!(look().await, Reviewed::Closed);
    started.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_assessment_depends_on_makes_it_stale() {
    let mut world = World::new();
    let pulls = PullRequests::of(&mut world);
    let base = world.commit(&[orders("1.0.0")]);
    let rego = |body: &str| {
        let metadata = "# METADATA\n# custom:\n#   events: [DATA_PRODUCT_CREATION]\n#   enforcement: warn\n";
        format!("{metadata}package mesh.strict\n\n{body}\n")
    };
    world.policy("strict", &rego("deny contains {\"msg\": \"no\"} if false"));
    let judge = world.worker_judge().await;
    let started = world.start_with(Arc::clone(&judge) as Arc<dyn Judge>).await;
    started.trip().await;
    for number in [1, 2] {
        let name = format!("new-{number}");
        let product = Descriptor::new(&name, "1.0.0").only_at("dev");
        pulls.push(&world.repository, number, &base, &[(&product.path(), &product.yaml())]);
    }
    // Nobody told of them: the forge is asked from time to time.
    let both = [Proposal::Pull(1), Proposal::Pull(2)];
    assert_eq!(started.stale(&world).await, both);
    started.told(1).await;
    started.told(2).await;
    assert_eq!(started.stale(&world).await, []);
    assert_eq!(pulls.listed.load(Ordering::SeqCst), 1, "it is not asked at every look");

    world.commit(&[orders("1.1.0")]);
    assert_eq!(started.stale(&world).await, both, "the base has moved");
    started.trip().await;
    started.told(1).await;
    started.told(2).await;
    assert_eq!(started.stale(&world).await, []);

    world.policy("strict", &rego("deny contains {\"msg\": \"yes\"} if input.afterState"));
    judge.reload().await.unwrap();
    assert_eq!(started.stale(&world).await, both, "the policies are others");
    started.store.assess_again(&source(), &Proposal::Pull(1)).await.unwrap();
    started.told(2).await;

    // A head that moved, and a proposal that was closed, are seen by the next listing.
    world.clock.advance(Duration::from_secs(300));
    pulls.change(2, |pull| pull.state = PullState::Closed);
    pulls.push(&world.repository, 1, &base, &[("x", "y")]);
    assert_eq!(started.stale(&world).await, both);
    assert_eq!(started.review(2).await, Reviewed::Closed);
    started.told(1).await;
    assert_eq!(started.stale(&world).await, []);
    started.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_closed_proposal_is_settled_and_can_come_back() {
    let mut world = World::new();
    let pulls = PullRequests::of(&mut world);
    let base = world.commit(&[orders("1.0.0")]);
    let started = world.start().await;
    started.trip().await;
    let old = pulls.push(&world.repository, 1, &base, &[(&path_of("orders"), &orders("1.1.0").yaml())]);
    started.told(1).await;
    // Forced elsewhere: nothing about the old head is pending, because nothing ever is.
    let new = pulls.push(&world.repository, 1, &base, &[(&path_of("orders"), &orders("1.2.0").yaml())]);
    started.told(1).await;
    let rows = started.store.report_rows(1_000).await.unwrap();
    for head in [&old, &new] {
        let of_head: Vec<_> = rows.iter().filter(|row| row.revision == *head).collect();
        assert!(!of_head.is_empty() && of_head.iter().all(|row| row.state != "pending"), "{of_head:?}");
    }
    // Into another branch, it is not ours; back again, it is.
    pulls.change(1, |pull| pull.base = "release".to_owned());
    assert_eq!(started.review(1).await, Reviewed::Closed);
    assert_eq!(started.store.open_proposals(&source()).await.unwrap(), []);
    pulls.change(1, |pull| pull.base = "main".to_owned());
    assert_eq!(started.told(1).await.review.head, new);
    assert_eq!(started.review(99).await, Reviewed::Closed, "a number that a payload made up");
    started.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn proposals_are_found_and_followed_without_a_single_webhook() {
    let mut world = World::new();
    let pulls = PullRequests::of(&mut world);
    let base = world.commit(&[orders("1.0.0")]);
    pulls.push(&world.repository, 5, &base, &[(&path_of("orders"), &orders("1.1.0").yaml())]);
    let started = world.start().await;
    let stop = CancellationToken::new();
    let working = {
        let (engine, stop) = (Arc::clone(&started.engine), stop.clone());
        tokio::spawn(async move { engine.pass_until(&stop).await })
    };
    let verdict = async || {
        let record = started.store.proposal(&source(), &Proposal::Pull(5)).await.unwrap();
        record.map(|record| (record.verdict, record.inputs.base))
    };
    started.engine.wake(&Target::branch(source()), WakeReason::Webhook).await.unwrap();
    eventually("it is assessed", async || verdict().await == Some((ReviewVerdict::Accepted, base.clone()))).await;
    let moved = world.commit(&[Descriptor::new("stock", "1.0.0").only_at("dev")]);
    started.engine.wake(&Target::branch(source()), WakeReason::Webhook).await.unwrap();
    eventually("it is assessed again", async || verdict().await == Some((ReviewVerdict::Accepted, moved.clone())))
        .await;
    stop.cancel();
    working.await.unwrap();
    started.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_seen_is_an_error_and_is_tried_again() {
    let mut world = World::new();
    let pulls = PullRequests::of(&mut world);
    let base = world.commit(&[orders("1.0.0")]);
    let started = world.start().await;
    started.trip().await;
    let head = pulls.push(&world.repository, 1, &base, &[(&path_of("orders"), &orders("1.1.0").yaml())]);
    let look = async || started.engine.review(&pull(1), &Proposal::Pull(1)).await;

    *pulls.down.lock().unwrap() = Some(ForgeError::Transient("502".to_owned()));
    assert!(look().await.is_err());
    assert_eq!(started.store.open_proposals(&source()).await.unwrap(), [], "nothing is known of its head");
    *pulls.down.lock().unwrap() = None;

    let hidden = world.repository.file("hidden");
    std::fs::rename(world.repository.file(".git"), &hidden).unwrap();
    assert!(look().await.is_err());
    let told = started.store.open_proposals(&source()).await.unwrap().remove(0);
    assert_eq!((told.verdict, &told.inputs.head), (ReviewVerdict::NotEvaluated, &head));
    let rows = started.store.report_rows(1_000).await.unwrap();
    let of_head: Vec<_> = rows.iter().filter(|row| row.revision == head).collect();
    assert!(of_head.len() >= 5 && of_head.iter().all(|row| row.state == "error"), "{of_head:?}");
    // Where the repository lies, and why it cannot be read, is for operators.
    let shown = format!("{of_head:?}");
    assert!(shown.contains("or does not let Meshwright in; it is tried again"), "{shown}");
    assert!(!shown.contains("fatal:") && !shown.contains(&world.repository.path().display().to_string()), "{shown}");
    std::fs::rename(&hidden, world.repository.file(".git")).unwrap();
    assert_eq!(started.stale(&world).await, [], "whoever saw it fail tries again");
    world.clock.advance(Duration::from_secs(60));
    assert_eq!(started.stale(&world).await, [Proposal::Pull(1)], "and when nobody remembers, somebody looks");
    assert_eq!(started.told(1).await.review.verdict(), ReviewVerdict::Accepted);

    // The forge tells of a head that the repository does not have: neither of the two is assessed.
    pulls.change(1, |pull| pull.head = base.clone());
    assert!(look().await.is_err());
    pulls.point(&world.repository, 1, &head);
    assert_eq!(started.review(1).await, Reviewed::Unchanged);
    started.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_source_without_a_forge_has_no_proposals() {
    let world = World::of(TestRepository::new());
    world.commit(&[orders("1.0.0")]);
    let started = world.start().await;
    assert_eq!(started.review(1).await, Reviewed::Closed);
    assert_eq!(started.stale(&world).await, []);
    started.close().await;
}
