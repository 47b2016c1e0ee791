//! Two replicas that say something of the same proposal at once: an answer is not taken back by an assessment
//! that read the answers before.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::mpsc::{self, Receiver, Sender};

use async_trait::async_trait;
use meshwright::adapter::store::SqlStore;
use meshwright::adapter::store::postgres::PostgresOptions;
use meshwright::domain::forge::delivery::{Asked, CommandRequest, Delivery, Hint};
use meshwright::domain::forge::{Command, Proposal, PullRequest, PullState};
use meshwright::domain::id::SourceName;
use meshwright::domain::report::{Detail, Report};
use meshwright::engine::{LedgerRequests, Reviewed};
use meshwright::port::clock::Clock;
use meshwright::port::forge::{Abilities, Forge, ForgeError};
use meshwright::port::store::Store;

use crate::support::forge::{ModelForge, ModelReviews};
use crate::support::postgres::Postgres;
use crate::support::reviews;
use crate::support::world::{Descriptor, World, source, target};

/// A forge at which whoever works out what it shows is kept, once: what it is able to is asked for after the
/// answers were read.
struct Keeping {
    inner: Arc<ModelForge>,
    keep: Mutex<Option<(Sender<()>, Receiver<()>)>>,
}

#[async_trait]
impl Forge for Keeping {
    fn abilities(&self) -> Abilities {
        if let Some((reached, go_on)) = self.keep.lock().unwrap().take() {
            reached.send(()).unwrap();
            go_on.recv().unwrap();
        }
        self.inner.abilities()
    }

    async fn publish(&self, report: &Report, external: Option<&str>) -> Result<Option<String>, ForgeError> {
        self.inner.publish(report, external).await
    }

    async fn shows(&self, report: &Report, external: Option<&str>) -> Result<bool, ForgeError> {
        self.inner.shows(report, external).await
    }
}

async fn an_answer_between_reading_and_recording_is_kept(stores: [Arc<dyn Store>; 2]) {
    let (forge, reviews) = (Arc::new(ModelForge::able()), Arc::new(ModelReviews::default()));
    let keeping = Arc::new(Keeping { inner: Arc::clone(&forge), keep: Mutex::default() });
    let mut world = World::new();
    world.reviews.insert(source(), Arc::clone(&reviews) as _);
    reviews.writers.lock().unwrap().insert("ann".to_owned());
    let [one, other] = stores;
    world.requests.push(Arc::new(LedgerRequests::new(Arc::clone(&other))));
    let base = world.commit(&[Descriptor::new("orders", "1.0.0")]);
    world.forges.insert(source(), Arc::clone(&keeping) as _);
    let assessing = world.replica("one", Arc::clone(&one));
    world.forges.insert(source(), forge);
    let answering = world.replica("other", Arc::clone(&other));

    answering.pass(&target()).await.unwrap();
    let orders = Descriptor::new("orders", "1.1.0");
    world.repository.git(&["checkout", "--quiet", "--detach", base.as_str()]);
    let head = world.repository.commit(&[(&orders.path(), &orders.yaml())], "proposed");
    world.repository.git(&["checkout", "--quiet", "main"]);
    world.repository.git(&["update-ref", "refs/pull/7/head", head.as_str()]);
    let pull = PullRequest {
        number: 7,
        title: "a change".to_owned(),
        author: "ann".to_owned(),
        state: PullState::Open,
        is_draft: false,
        is_fork: false,
        head,
        base: "main".to_owned(),
        merge_commit: None,
    };
    reviews.pulls.lock().unwrap().insert(7, pull);
    let proposal = Proposal::Pull(7);
    answering.review(&reviews::pull(7), &proposal).await.unwrap();
    ask_for_help(&world, other.as_ref()).await;
    one.assess_again(&source(), &proposal).await.unwrap();

    let (reached, is_reached) = mpsc::channel();
    let (let_go, go_on) = mpsc::channel();
    *keeping.keep.lock().unwrap() = Some((reached, go_on));
    let review = tokio::spawn(async move { assessing.review(&reviews::pull(7), &proposal).await.unwrap() });
    tokio::task::spawn_blocking(move || is_reached.recv().unwrap()).await.unwrap();
    assert_eq!(answering.answer_requests().await.unwrap(), 1);
    let_go.send(()).unwrap();
    assert!(matches!(review.await.unwrap(), Reviewed::Told { .. }));

    let wanted = one.wanted_comment(&source(), 7).await.unwrap().unwrap();
    let Some(Detail::Comment(comment)) = wanted.detail else { panic!("{:?}", wanted.detail) };
    assert!(comment.text().contains("`/meshwright help` by `ann`"), "{}", comment.text());
}

async fn ask_for_help(world: &World, store: &dyn Store) {
    let (forge, id) = ("acme".parse().unwrap(), "d1".parse().unwrap());
    let command = CommandRequest {
        forge,
        delivery: id,
        origin: "comment:1".to_owned(),
        source: SourceName::clone(&source()),
        pull: Some(7),
        comment: Some(1),
        head: None,
        author: "ann".to_owned(),
        asked: Asked::Command(Command::Help),
        at: world.clock.now(),
    };
    let delivery = Delivery {
        forge: command.forge.clone(),
        id: command.delivery.clone(),
        received_at: world.clock.now(),
        hint: Hint { event: "issue_comment".to_owned(), ..Hint::default() },
        targets: Vec::new(),
        commands: vec![command],
    };
    store.record_delivery(delivery).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_answer_outlasts_another_replicas_assessment() {
    let folder = tempfile::tempdir().unwrap();
    // A file has one writer; the two engines know nothing of each other.
    let store: Arc<dyn Store> = Arc::new(SqlStore::open(&folder.path().join("state.db")).await.unwrap());
    an_answer_between_reading_and_recording_is_kept([Arc::clone(&store), store]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_answer_outlasts_another_replicas_assessment_on_a_server() {
    let Some(server) = Postgres::shared() else { return };
    let options: PostgresOptions = server.record_url("saying").parse().unwrap();
    let connect = async || Arc::new(SqlStore::connect(&options).await.unwrap()) as Arc<dyn Store>;
    an_answer_between_reading_and_recording_is_kept([connect().await, connect().await]).await;
}
