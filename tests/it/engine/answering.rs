//! What people are told in words about what they asked for: in the one comment of the pull request.

use std::sync::Arc;

use meshwright::domain::forge::delivery::{Asked, CommandRequest, Delivery, Hint};
use meshwright::domain::forge::{Command, CommentMode, Proposal, PullRequest, PullState};
use meshwright::domain::id::{Revision, SourceName};
use meshwright::domain::report::{Detail, Report};
use meshwright::engine::{Engine, LedgerRequests};
use meshwright::port::clock::Clock;
use meshwright::port::store::{DeliveryBook, ReportBook, Store};

use crate::support::forge::{ModelForge, ModelReviews};
use crate::support::world::{Allowing, Descriptor, Started, World, source};

/// A world with a forge that shows comments, and the ledger of deliveries as the place where people ask.
struct Desk {
    world: World,
    forge: Arc<ModelForge>,
    reviews: Arc<ModelReviews>,
    started: Started,
    engine: Arc<Engine>,
    head: Revision,
}

impl Desk {
    async fn open(change: impl FnOnce(&mut World)) -> Self {
        let (forge, reviews) = (Arc::new(ModelForge::able()), Arc::new(ModelReviews::default()));
        let mut world = World::new();
        world.approvals = 1;
        world.forges.insert(source(), Arc::clone(&forge) as _);
        world.reviews.insert(source(), Arc::clone(&reviews) as _);
        reviews.writers.lock().unwrap().insert("ann".to_owned());
        change(&mut world);
        let head = world.commit(&[Descriptor::new("orders", "1.0.0")]);
        let started = world.start().await;
        let ledger = LedgerRequests::new(Arc::clone(&started.store) as Arc<dyn Store>);
        world.requests.push(Arc::new(ledger));
        let engine = world.engine(Arc::clone(&started.store) as _, Arc::new(Allowing));
        Self { world, forge, reviews, started, engine, head }
    }

    /// A pull request with one change on top of the branch.
    fn propose(&self, number: u64) -> Revision {
        let orders = Descriptor::new("orders", "1.1.0");
        self.world.repository.git(&["checkout", "--quiet", "--detach", self.head.as_str()]);
        let head = self.world.repository.commit(&[(&orders.path(), &orders.yaml())], "proposed");
        self.world.repository.git(&["checkout", "--quiet", "main"]);
        self.world.repository.git(&["update-ref", &format!("refs/pull/{number}/head"), head.as_str()]);
        self.told(number, &head, PullState::Open, None);
        head
    }

    fn told(&self, number: u64, head: &Revision, state: PullState, merge_commit: Option<Revision>) {
        let pull = PullRequest {
            number,
            title: "a change".to_owned(),
            author: "ann".to_owned(),
            state,
            is_draft: false,
            is_fork: false,
            head: head.clone(),
            base: "main".to_owned(),
            merge_commit,
        };
        self.reviews.pulls.lock().unwrap().insert(number, pull);
    }

    /// Somebody comments; every one of these sources is asked.
    async fn comment(&self, who: &str, pull: u64, id: u64, asked: Asked, sources: &[SourceName]) {
        let request = |source: &SourceName| CommandRequest {
            forge: "acme".parse().unwrap(),
            delivery: format!("d{id}").parse().unwrap(),
            origin: format!("comment:{id}"),
            source: source.clone(),
            pull: Some(pull),
            comment: Some(id),
            head: None,
            author: who.to_owned(),
            asked: asked.clone(),
            at: self.world.clock.now(),
        };
        let delivery = Delivery {
            forge: "acme".parse().unwrap(),
            id: format!("d{id}").parse().unwrap(),
            received_at: self.world.clock.now(),
            hint: Hint { event: "issue_comment".to_owned(), ..Hint::default() },
            targets: Vec::new(),
            commands: sources.iter().map(request).collect(),
        };
        self.started.store.record_delivery(delivery).await.unwrap();
    }

    async fn ask(&self, who: &str, pull: u64, id: u64, command: Command) {
        self.comment(who, pull, id, Asked::Command(command), &[source()]).await;
    }

    /// Somebody presses a button of a check at a commit.
    async fn press(&self, who: &str, head: &Revision, id: u64, command: Command) {
        let request = CommandRequest {
            forge: "acme".parse().unwrap(),
            delivery: format!("d{id}").parse().unwrap(),
            origin: format!("signed:{id}"),
            source: source(),
            pull: None,
            comment: None,
            head: Some(head.clone()),
            author: who.to_owned(),
            asked: Asked::Command(command),
            at: self.world.clock.now(),
        };
        let delivery = Delivery {
            forge: "acme".parse().unwrap(),
            id: format!("d{id}").parse().unwrap(),
            received_at: self.world.clock.now(),
            hint: Hint { event: "check_run".to_owned(), ..Hint::default() },
            targets: Vec::new(),
            commands: vec![request],
        };
        self.started.store.record_delivery(delivery).await.unwrap();
    }

    async fn answer(&self) -> usize {
        let answered = self.engine.answer_requests().await.unwrap();
        self.engine.publish_due().await.unwrap();
        answered
    }

    /// The text of the comment that the forge shows.
    fn text(&self, pull: u64) -> Option<String> {
        let shown: Report = self.forge.of(&Proposal::Pull(pull).to_string(), "comment")?;
        let Some(Detail::Comment(comment)) = shown.detail else { panic!("{shown:?}") };
        Some(comment.text())
    }

    fn reactions(&self, comment: u64) -> Vec<&'static str> {
        self.reviews.reactions.lock().unwrap().get(&comment).cloned().unwrap_or_default().into_iter().collect()
    }

    async fn review(&self, number: u64) {
        let proposal = Proposal::Pull(number);
        self.engine.review(&crate::support::reviews::pull(number), &proposal).await.unwrap();
        self.engine.publish_due().await.unwrap();
    }
}

fn approve() -> Command {
    Command::Approve("prod".parse().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_says_why_in_the_one_comment_and_stays_there_through_the_next_look() {
    let desk = Desk::open(|_| {}).await;
    desk.started.trip().await;
    desk.propose(7);
    desk.review(7).await;
    let before = desk.text(7).unwrap();
    assert!(!before.contains("Last commands"), "{before}");
    assert!(before.contains("| `dev`, `prod` after 1 approval |"), "{before}");

    desk.ask("ann", 7, 1, approve()).await;
    desk.comment("ann", 7, 2, Asked::Unclear("name the stage: 'approve <stage>'".to_owned()), &[source()]).await;
    assert_eq!(desk.answer().await, 2);
    let text = desk.text(7).unwrap();
    assert!(text.starts_with(&before), "{text}");
    let lines = [
        "- a command that was not understood by `ann`: refused: name the stage: 'approve &lt;stage&gt;'",
        "- `/meshwright approve prod` by `ann`: refused: the pull request is not merged: nothing of it is rolled out yet",
    ];
    assert!(text.ends_with(&format!("\n**Last commands**\n\n{}\n", lines.join("\n"))), "{text}");
    assert_eq!(desk.reactions(1), ["refused"]);

    // It is looked at again: the answers are still there, once.
    desk.ask("ann", 7, 3, Command::Plan).await;
    desk.answer().await;
    desk.review(7).await;
    let text = desk.text(7).unwrap();
    assert_eq!(text.matches("Last commands").count(), 1, "{text}");
    assert!(text.contains("- `/meshwright plan` by `ann`: looked at anew\n"), "{text}");
    let comments = desk.forge.writes().iter().filter(|write| write.starts_with("comment")).count();
    assert_eq!(comments, 3, "one for each look or round of answers that changed it: {:?}", desk.forge.writes());
    desk.started.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_nothing_was_said_yet_the_answer_begins_the_comment_unless_there_are_to_be_none() {
    for (mode, begins) in [(CommentMode::OnChange, true), (CommentMode::Never, false)] {
        let desk = Desk::open(|world| world.comment = mode).await;
        desk.started.trip().await;
        desk.world.repository.git(&["update-ref", "refs/pull/7/head", desk.head.as_str()]);
        desk.told(7, &desk.head, PullState::Open, None);
        desk.review(7).await;
        assert_eq!(desk.text(7), None);
        desk.ask("mallory", 7, 1, Command::Help).await;
        desk.answer().await;
        assert_eq!(desk.text(7), None, "an outsider begins nothing");
        desk.ask("ann", 7, 2, Command::Help).await;
        desk.answer().await;
        assert_eq!(desk.reactions(2), ["seen"]);
        let text = desk.text(7);
        assert_eq!(text.is_some(), begins, "{text:?}");
        if let Some(text) = text {
            let help =
                "by `ann`: there are '/meshwright plan', 'approve &lt;stage&gt;', 'retry', 'hold', 'cancel' and 'help'";
            assert!(text.contains(help), "{text}");
            assert!(text.contains("by `mallory`: refused: mallory may not write to the repository"), "{text}");
        }
        desk.started.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_comment_that_asks_several_sources_has_one_reaction() {
    let other: SourceName = "other".parse().unwrap();
    let second = World::new();
    second.commit(&[Descriptor::new("stock", "1.0.0")]);
    let desk = Desk::open(|world| {
        world.others.insert(other.clone(), second.repository.path().to_path_buf());
        let (forge, reviews) = (world.forges[&source()].clone(), world.reviews[&source()].clone());
        world.forges.insert(other.clone(), forge);
        world.reviews.insert(other.clone(), reviews);
    })
    .await;
    desk.started.trip().await;
    desk.told(7, &desk.head, PullState::Merged, Some(desk.head.clone()));
    // The first knows nothing of the commit, the second does what it is asked.
    desk.comment("ann", 7, 1, Asked::Command(approve()), &[other.clone(), source()]).await;
    assert_eq!(desk.answer().await, 2);
    assert_eq!(desk.reactions(1), ["seen"]);
    // Nobody does it.
    desk.comment("ann", 7, 2, Asked::Command(Command::Retry), &[other.clone(), source()]).await;
    assert_eq!(desk.answer().await, 2);
    assert_eq!(desk.reactions(2), ["refused"]);
    desk.started.settle().await;
    assert_eq!(desk.started.running().await, ["orders dev 1.0.0", "orders prod 1.0.0"]);
    desk.started.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn outsiders_are_answered_so_often_and_all_of_them_are_written_down() {
    let desk = Desk::open(|_| {}).await;
    desk.started.trip().await;
    desk.propose(7);
    desk.review(7).await;
    for id in 1..=40 {
        desk.ask("mallory", 7, id, Command::Plan).await;
    }
    desk.ask("ann", 7, 41, Command::Help).await;
    assert_eq!(desk.answer().await, 41);
    let answered = (1..=40).filter(|id| !desk.reactions(*id).is_empty()).count();
    assert_eq!(answered, 10);
    assert_eq!(desk.reactions(41), ["seen"]);
    let told = desk.started.store.answered_commands(&source(), 7, 99).await.unwrap();
    assert_eq!(told.len(), 41);
    let text = desk.text(7).unwrap();
    assert_eq!((text.matches("`mallory`").count(), text.matches("`ann`").count()), (2, 1), "{text}");
    desk.started.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_run_finds_whose_commit_it_is_and_shows_that_it_ran() {
    let desk = Desk::open(|_| {}).await;
    desk.started.trip().await;
    let head = desk.propose(7);
    desk.review(7).await;
    let checks = || desk.forge.writes().iter().filter(|write| write.starts_with("check Meshwright ")).count();
    let before = checks();
    let reviewed = desk.engine.review(&crate::support::reviews::pull(7), &Proposal::Pull(7)).await.unwrap();
    assert_eq!(reviewed, meshwright::engine::Reviewed::Unchanged);

    // Of a fork's pull request the forge names the commit alone.
    let targets = desk.engine.run_again(&source(), &head).await.unwrap();
    assert_eq!(targets, [crate::support::reviews::pull(7)]);
    desk.review(7).await;
    assert_eq!(checks(), before + 1, "nothing of it is new, and the check is written all the same");
    desk.review(7).await;
    assert_eq!(checks(), before + 1);

    // A commit of the branch: what stands at its gate is worked out and written anew.
    let gates = || desk.forge.writes().iter().filter(|write| write.starts_with("check Meshwright prod")).count();
    let before = gates();
    let targets = desk.engine.run_again(&source(), &desk.head).await.unwrap();
    assert_eq!(targets, [crate::support::world::target()]);
    desk.engine.publish_due().await.unwrap();
    assert_eq!(gates(), before + 1);
    assert_eq!(desk.started.store.unpublished(&[source()], desk.world.clock.now(), 9).await.unwrap(), []);
    desk.started.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pressed_button_is_answered_where_a_comment_would_be() {
    let desk = Desk::open(|_| {}).await;
    desk.started.trip().await;
    let proposed = desk.propose(7);
    desk.review(7).await;
    let reviewed = async || desk.engine.review(&crate::support::reviews::pull(7), &Proposal::Pull(7)).await.unwrap();
    assert_eq!(reviewed().await, meshwright::engine::Reviewed::Unchanged);

    // At the head of a proposal it is that proposal's, and is what the button says: another look.
    desk.press("ann", &proposed, 1, Command::Plan).await;
    assert_eq!(desk.answer().await, 1);
    let text = desk.text(7).unwrap();
    assert!(text.ends_with("\n**Last commands**\n\n- the button `plan`, pressed by `ann`: looked at anew\n"), "{text}");
    assert!(matches!(reviewed().await, meshwright::engine::Reviewed::Told { .. }), "it is looked at again");

    // At a commit of the branch it is that of the pull request that was merged as it.
    desk.told(7, &proposed, PullState::Merged, Some(desk.head.clone()));
    desk.press("mallory", &desk.head, 2, approve()).await;
    desk.press("ann", &desk.head, 3, approve()).await;
    assert_eq!(desk.answer().await, 2);
    let text = desk.text(7).unwrap();
    let lines: Vec<&str> = text.lines().filter(|line| line.starts_with("- the button")).collect();
    assert!(lines[0].starts_with("- the button `approve prod`, pressed by `ann`: the commit "), "{text}");
    assert!(lines[0].contains("approved at 'prod'"), "{text}");
    assert_eq!(
        lines[1..],
        [
            "- the button `approve prod`, pressed by `mallory`: refused: mallory may not write to the repository",
            "- the button `plan`, pressed by `ann`: looked at anew",
        ]
    );

    // A commit of which the forge names no pull request: it is done, and there is no place to say so.
    desk.told(7, &proposed, PullState::Merged, None);
    desk.press("ann", &desk.head, 4, Command::Retry).await;
    assert_eq!(desk.answer().await, 1);
    assert_eq!(desk.text(7).unwrap(), text);
    desk.started.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_asks_while_it_is_assessed_gets_another_look() {
    let desk = Desk::open(|_| {}).await;
    desk.started.trip().await;
    desk.propose(7);
    desk.review(7).await;
    let (store, proposal) = (&desk.started.store, Proposal::Pull(7));
    use meshwright::port::store::ProposalBook as _;
    store.assess_again(&source(), &proposal).await.unwrap();
    let under_way = store.proposal(&source(), &proposal).await.unwrap().unwrap();
    // The assessment that answers the first has read the record when the second comes.
    store.assess_again(&source(), &proposal).await.unwrap();
    store.record_proposal(&under_way, &[]).await.unwrap();
    let reviewed = async || desk.engine.review(&crate::support::reviews::pull(7), &proposal).await.unwrap();
    assert!(matches!(reviewed().await, meshwright::engine::Reviewed::Told { .. }));
    assert_eq!(reviewed().await, meshwright::engine::Reviewed::Unchanged);
    desk.started.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_merged_at_once_say_that_the_last_one_superseded_them() {
    let desk = Desk::open(|_| {}).await;
    desk.started.trip().await;
    let first = desk.world.commit(&[Descriptor::new("orders", "1.1.0")]);
    desk.told(1, &first, PullState::Merged, Some(first.clone()));
    desk.ask("ann", 1, 1, approve()).await;
    desk.answer().await;
    let last = desk.world.commit(&[Descriptor::new("orders", "1.2.0")]);
    desk.told(2, &last, PullState::Merged, Some(last.clone()));
    desk.started.trip().await;
    let text = format!("superseded by {} before it was looked at: see there", last.short());
    for context in ["meshwright/plan", "meshwright/dev", "meshwright/prod"] {
        let shown = desk.forge.of(first.as_str(), context).unwrap();
        assert_eq!((shown.state.as_str(), shown.description), ("error", text.clone()), "{context}");
    }
    assert_eq!(desk.forge.of(desk.head.as_str(), "meshwright/plan").unwrap().state.as_str(), "success");

    desk.ask("ann", 1, 2, approve()).await;
    desk.answer().await;
    let told = desk.started.store.answered_commands(&source(), 1, 9).await.unwrap();
    let told: Vec<&str> = told.iter().map(|it| it.outcome.as_str()).collect();
    let (first, last) = (first.short(), last.short());
    assert_eq!(
        told,
        [
            format!(
                "refused: the commit {first} was superseded by {last} before it was looked at, and is rolled out as \
                 part of it: ask under the pull request that was merged last"
            ),
            format!("refused: the commit {first} was not looked at yet: ask again in a moment"),
        ]
    );
    desk.ask("ann", 2, 3, approve()).await;
    desk.answer().await;
    desk.started.settle().await;
    assert_eq!(desk.started.running().await, ["orders dev 1.2.0", "orders prod 1.2.0"]);
    desk.started.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_for_a_resting_forge_does_not_stand_before_what_others_ask() {
    let other: SourceName = "other".parse().unwrap();
    let second = World::new();
    second.commit(&[Descriptor::new("stock", "1.0.0")]);
    let busy = Arc::new(ModelReviews::default());
    let desk = Desk::open(|world| {
        world.others.insert(other.clone(), second.repository.path().to_path_buf());
        world.reviews.insert(other.clone(), Arc::clone(&busy) as _);
    })
    .await;
    desk.started.trip().await;
    desk.propose(7);
    let down = meshwright::port::forge::ForgeError::Transient("502".to_owned());
    *busy.trouble.lock().unwrap() = vec![down; 3];
    for id in 1..=600 {
        desk.comment("bob", 9, id, Asked::Command(Command::Help), std::slice::from_ref(&other)).await;
    }
    desk.ask("ann", 7, 601, Command::Help).await;
    assert_eq!(desk.answer().await, 0, "the first look finds out that the forge is down");
    assert_eq!(desk.answer().await, 1);
    assert_eq!(desk.reactions(601), ["seen"]);
    desk.started.close().await;
}
