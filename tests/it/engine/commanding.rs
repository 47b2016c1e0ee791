//! What people ask for in comments and by buttons: done once, for those who may, and answered visibly.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use meshwright::adapter::store::SqlStore;
use meshwright::domain::forge::{Person, Proposal, PullRequest, PullState};
use meshwright::domain::id::Revision;
use meshwright::domain::source::Target;
use meshwright::domain::time::Timestamp;
use meshwright::port::clock::Clock;
use meshwright::port::forge::ForgeError;
use meshwright::port::requests::{Action, Origin, Request};
use meshwright::port::store::{Lane, Look, LookEnd, Store, TakeWake, WakeBook};

use crate::support::crashing_store::CrashingStore;
use crate::support::forge::{ModelRequests, ModelReviews};
use crate::support::world::{Allowing, Descriptor, Started, World, source};

struct Team {
    world: World,
    book: Arc<ModelRequests>,
    reviews: Arc<ModelReviews>,
}

impl Team {
    /// A gate at `prod`, and `ann`, who may write to the repository.
    fn new() -> Self {
        let (book, reviews) = (Arc::new(ModelRequests::default()), Arc::new(ModelReviews::default()));
        let mut world = World::new();
        world.approvals = 1;
        world.requests.push(Arc::clone(&book) as _);
        world.reviews.insert(source(), Arc::clone(&reviews) as _);
        reviews.writers.lock().unwrap().insert("ann".to_owned());
        Self { world, book, reviews }
    }

    /// A pull request, merged as this commit or still open.
    fn pull(&self, number: u64, merged: Option<&Revision>) {
        let pull = PullRequest {
            number,
            title: "a change".to_owned(),
            author: "ann".to_owned(),
            state: if merged.is_some() { PullState::Merged } else { PullState::Open },
            is_draft: false,
            is_fork: false,
            head: "1".repeat(40).parse().unwrap(),
            base: "main".to_owned(),
            merge_commit: merged.cloned(),
        };
        self.reviews.pulls.lock().unwrap().insert(number, pull);
    }

    fn request(&self, who: &str, action: Result<Action, String>, origin: Origin) -> String {
        let mut asked = self.book.asked.lock().unwrap();
        let id = format!("acme/{}", asked.len());
        let by = Person { name: who.to_owned(), via: "acme".to_owned() };
        asked.push(Request { id: id.clone(), source: source(), action, origin, by, at: self.world.clock.now() });
        id
    }

    fn comment(&self, who: &str, pull: u64, action: Action) -> String {
        let comment = 100 + self.book.asked.lock().unwrap().len() as u64;
        self.request(who, Ok(action), Origin::Comment { pull, comment })
    }

    /// What was answered to a comment, with its reactions.
    fn answer(&self, id: &str) -> (String, BTreeSet<&'static str>) {
        let comment = 100 + id.trim_start_matches("acme/").parse::<u64>().unwrap();
        let reactions = self.reviews.reactions.lock().unwrap().get(&comment).cloned().unwrap_or_default();
        (self.book.answer_to(id).unwrap_or_default(), reactions)
    }
}

fn approve() -> Action {
    Action::Approve("prod".parse().unwrap())
}

fn orders(version: &str) -> Descriptor {
    Descriptor::new("orders", version)
}

async fn answer_all(started: &Started) {
    started.engine.answer_requests().await.unwrap();
}

/// What was woken since.
async fn woken(started: &Started) -> Vec<Target> {
    let mut targets = Vec::new();
    let (now, until) = (Timestamp::from_second(2_000_000_000).unwrap(), Timestamp::MAX);
    let order = Lane::ALL.map(|lane| (lane, None));
    while let Some(taken) =
        started.store.take_wake(&TakeWake { holder: "test", order: order.clone(), now, until }).await.unwrap()
    {
        started.store.settle_wake(&taken, &LookEnd::Done, now).await.unwrap();
        targets.push(taken.target);
    }
    targets
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_merged_it_approves_it_under_its_pull_request() {
    let team = Team::new();
    let head = team.world.commit(&[orders("1.0.0")]);
    team.pull(7, Some(&head));
    let started = team.world.start().await;
    started.trip().await;
    let id = team.comment("ann", 7, approve());
    answer_all(&started).await;
    let words = format!("done: the commit {}: approved at 'prod' (1 of 1)", head.short());
    assert_eq!(team.answer(&id), (words, BTreeSet::from(["seen"])));
    started.settle().await;
    assert_eq!(started.running().await, ["orders dev 1.0.0", "orders prod 1.0.0"]);
    started.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outsider_is_refused_and_nothing_happens() {
    let team = Team::new();
    let head = team.world.commit(&[orders("1.0.0")]);
    team.pull(7, Some(&head));
    let started = team.world.start().await;
    started.trip().await;
    let before = started.store.audit_rows(99).await.unwrap();
    let statuses = started.statuses(&head);
    for action in [approve(), Action::Hold, Action::Retry, Action::Plan, Action::Help] {
        let id = team.comment("mallory", 7, action.clone());
        answer_all(&started).await;
        let words = "refused: mallory may not write to the repository".to_owned();
        assert_eq!(team.answer(&id), (words, BTreeSet::from(["refused"])), "{action:?}");
        assert_eq!(woken(&started).await, []);
    }
    let button = team.request("mallory", Ok(approve()), Origin::Button { head: head.clone(), pull: None });
    answer_all(&started).await;
    assert!(team.answer(&button).0.starts_with("refused"));
    started.settle().await;
    assert_eq!(started.store.audit_rows(99).await.unwrap(), before);
    assert_eq!(started.statuses(&head), statuses);
    assert_eq!(started.running().await, ["orders dev 1.0.0"]);
    started.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_approval_goes_to_the_commit_that_its_author_saw() {
    let team = Team::new();
    let first = team.world.commit(&[orders("1.0.0")]);
    team.pull(1, Some(&first));
    team.pull(3, None);
    let started = team.world.start().await;
    started.trip().await;
    // Somebody pushes on while ann writes.
    let second = team.world.commit(&[orders("1.1.0")]);
    team.pull(2, Some(&second));
    started.trip().await;
    let stale = team.comment("ann", 1, approve());
    let open = team.comment("ann", 3, approve());
    let nowhere = team.comment("ann", 4, approve());
    let no_stage = team.comment("ann", 2, Action::Approve("moon".parse().unwrap()));
    let no_gate = team.comment("ann", 2, Action::Approve("dev".parse().unwrap()));
    answer_all(&started).await;
    started.settle().await;
    assert_eq!(started.running().await, ["orders dev 1.1.0"], "nobody has approved the second commit");
    let refusals = [
        (stale, format!("refused: nothing of the commit {} waits at 'prod'", first.short())),
        (open, "refused: the pull request is not merged: nothing of it is rolled out yet".to_owned()),
        (nowhere, "refused: there is no pull request 4".to_owned()),
        (no_stage, "refused: there is no stage 'moon'; there are: dev, prod".to_owned()),
        (no_gate, format!("refused: nothing of the commit {} waits at 'dev'", second.short())),
    ];
    for (id, words) in refusals {
        assert_eq!(team.answer(&id), (words, BTreeSet::from(["refused"])));
    }
    let button = team.request("ann", Ok(approve()), Origin::Button { head: second.clone(), pull: None });
    answer_all(&started).await;
    assert!(team.answer(&button).0.starts_with("done"));
    started.settle().await;
    assert_eq!(started.running().await, ["orders dev 1.1.0", "orders prod 1.1.0"]);
    started.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_earlier_commit_left_is_told_and_begins_by_the_button() {
    let team = Team::new();
    let (orders, sales) = (|version| Descriptor::new("orders", version), |version| Descriptor::new("sales", version));
    let first = team.world.commit(&[orders("1.0.0"), sales("1.0.0")]);
    let started = team.world.start().await;
    started.trip().await;
    let second = team.world.commit(&[orders("1.0.0"), sales("1.1.0")]);
    team.pull(7, Some(&second));
    started.trip().await;
    let prod = || started.statuses(&second)["prod"].clone();
    assert!(prod().starts_with("pending: waits for approval (0 of 1)"), "{}", prod());
    // Under the pull request, what it brought is approved, and nothing else.
    let comment = team.comment("ann", 7, approve());
    answer_all(&started).await;
    let left = first.short();
    let answer = format!(
        "done: the commit {}: approved at 'prod' (1 of 1); what the commit {left} left waits there as well",
        second.short()
    );
    assert_eq!(team.answer(&comment).0, answer);
    started.settle().await;
    assert_eq!(started.running().await, ["orders dev 1.0.0", "sales dev 1.1.0", "sales prod 1.1.0"]);
    let waits =
        format!("pending: waits for approval of the commit {left} (0 of 1): comment '/meshwright approve prod'");
    assert!(prod().starts_with(&waits), "{}", prod());
    // The button stands where all of it is shown.
    let button = team.request("ann", Ok(approve()), Origin::Button { head: second.clone(), pull: None });
    answer_all(&started).await;
    assert_eq!(team.answer(&button).0, format!("done: the commit {}: approved at 'prod' (1 of 1)", second.short()));
    started.settle().await;
    assert_eq!(started.running().await.len(), 4);
    assert!(prod().starts_with("success"), "{}", prod());
    started.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_asked_for_wakes_what_it_is_about() {
    let team = Team::new();
    team.world.control("orders", "build", "exit 1");
    let head = team.world.commit(&[orders("1.0.0")]);
    team.pull(7, Some(&head));
    let started = team.world.start().await;
    started.trip().await;
    let proposal = Target::proposal(source(), Proposal::Pull(7));
    team.comment("ann", 7, Action::Plan);
    answer_all(&started).await;
    assert_eq!(woken(&started).await, std::slice::from_ref(&proposal));
    team.comment("ann", 7, Action::Help);
    answer_all(&started).await;
    assert_eq!(woken(&started).await, [proposal]);
    team.comment("ann", 7, Action::Retry);
    answer_all(&started).await;
    assert_eq!(woken(&started).await, [Target::branch(source())]);
    team.world.control("orders", "build", "");
    started.trip().await;
    assert_eq!(started.running().await, ["orders dev 1.0.0"]);
    let unclear =
        team.request("ann", Err("there is no such command".to_owned()), Origin::Comment { pull: 7, comment: 103 });
    answer_all(&started).await;
    assert_eq!(team.answer(&unclear), ("refused: there is no such command".to_owned(), BTreeSet::from(["refused"])));
    started.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_held_under_a_pull_request_goes_on_when_it_is_approved() {
    let team = Team::new();
    let head = team.world.commit(&[orders("1.0.0")]);
    team.pull(7, Some(&head));
    let started = team.world.start().await;
    started.plan().await;
    let hold = team.comment("ann", 7, Action::Hold);
    answer_all(&started).await;
    assert_eq!(team.answer(&hold), (format!("done: the commit {}: held", head.short()), BTreeSet::from(["seen"])));
    started.settle().await;
    assert_eq!(started.running().await, [""; 0]);
    assert!(started.statuses(&head)["dev"].starts_with("pending: held by ann (acme)"));
    team.comment("ann", 7, approve());
    answer_all(&started).await;
    started.settle().await;
    assert_eq!(started.running().await, ["orders dev 1.0.0", "orders prod 1.0.0"]);
    started.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_forge_that_cannot_be_asked_is_asked_later_and_not_for_ever() {
    let team = Team::new();
    let head = team.world.commit(&[orders("1.0.0")]);
    team.pull(7, Some(&head));
    let started = team.world.start().await;
    started.trip().await;
    let until = Timestamp::from_second(team.world.clock.now().as_second() + 300).unwrap();
    let limited = ForgeError::Limited { until, message: "slow down".to_owned() };
    *team.reviews.trouble.lock().unwrap() = vec![limited, ForgeError::Transient("HTTP 502".to_owned())];
    let id = team.comment("ann", 7, approve());
    let answered = async || started.engine.answer_requests().await.unwrap();
    assert_eq!(answered().await, 0);
    assert_eq!(answered().await, 0, "it is left alone for a while");
    assert_eq!(team.reviews.trouble.lock().unwrap().len(), 1);
    team.world.clock.advance(Duration::from_secs(15));
    assert_eq!(answered().await, 0);
    team.world.clock.advance(Duration::from_secs(280));
    assert_eq!(answered().await, 0, "a limit is honoured");
    team.world.clock.advance(Duration::from_secs(5));
    assert_eq!(answered().await, 1);
    assert!(team.answer(&id).0.starts_with("done"));

    // Nobody expects an answer after a day.
    let down = ForgeError::Transient("HTTP 503".to_owned());
    *team.reviews.trouble.lock().unwrap() = vec![down; 9];
    let id = team.comment("ann", 7, Action::Plan);
    assert_eq!(answered().await, 0);
    team.world.clock.advance(Duration::from_secs(24 * 3_600 + 1));
    assert_eq!(answered().await, 1);
    assert!(team.answer(&id).0.starts_with("refused: the forge could not be asked"), "{:?}", team.answer(&id));
    started.close().await;
}

/// A crash after each write, and between the decision, the reaction and the answer: the next process comes
/// to the same end, and the decision was taken once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_is_done_once_whatever_comes_between() {
    for writes in 0..6 {
        let team = Team::new();
        let head = team.world.commit(&[orders("1.0.0")]);
        team.pull(7, Some(&head));
        let started = team.world.start().await;
        started.trip().await;
        started.close().await;
        let id = team.comment("ann", 7, approve());

        let inner = Arc::new(SqlStore::open(&team.world.state()).await.unwrap());
        let store = Arc::new(CrashingStore::new(Arc::clone(&inner) as Arc<dyn Store>, writes));
        let engine = team.world.engine(store, Arc::new(Allowing));
        // The reaction is lost on one of two ways.
        if writes % 2 == 0 {
            let lost = ForgeError::Transient("the connection was lost".to_owned());
            // The three questions: may they write, what was merged, the reaction.
            team.reviews.trouble.lock().unwrap().push(lost);
            let _ = engine.answer_requests().await;
            team.world.clock.advance(Duration::from_secs(16));
        }
        let _ = engine.answer_requests().await;
        let _ = engine.roll_out_all(&tokio_util::sync::CancellationToken::new()).await;
        inner.close().await;

        let started = team.world.start().await;
        for _ in 0..2 {
            answer_all(&started).await;
            team.world.clock.advance(Duration::from_secs(60));
        }
        started.settle().await;
        let words = format!("done: the commit {}: approved at 'prod' (1 of 1)", head.short());
        assert_eq!(team.answer(&id), (words, BTreeSet::from(["seen"])), "after {writes} writes");
        assert_eq!(started.running().await, ["orders dev 1.0.0", "orders prod 1.0.0"], "after {writes} writes");
        assert_eq!(started.statuses(&head)["prod"], "success: 1 product running");
        let trail = started.store.audit_rows(99).await.unwrap();
        assert_eq!(trail.iter().filter(|row| row.kind == "rollout-approved").count(), 1, "after {writes} writes");
        started.close().await;
    }
}
