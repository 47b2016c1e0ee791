//! The replicas: engines over one record, that are started, killed, stopped and started again.

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use meshwright::domain::forge::delivery::Delivery;
use meshwright::domain::id::{Digest, ExecutorName};
use meshwright::domain::source::Target;
use meshwright::domain::stage::{ExecutorProfile, Gate, OnNewCommit, Phase, Platform, Stage};
use meshwright::engine::{Engine, EngineDoor, EngineSettings, LedgerRequests, Ports, Retain, Watched, prune};
use meshwright::port::clock::Clock;
use meshwright::port::door::{Door, WakeReason};
use meshwright::port::executor::Executor;
use meshwright::port::forge::reviews::Reviews;
use meshwright::port::forge::{Abilities, Forge};
use meshwright::port::judge::Judge;
use meshwright::port::requests::Requests;
use meshwright::port::source::Source;
use meshwright::port::store::{LeaseName, Recorded, Retention, Store};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::executor::{Ledger, SimExecutor};
use super::forge::{Shown, SimForge};
use super::git::SimGit;
use super::invariants::unexplained;
use super::mesh::{Mesh, TASKS};
use super::people::{Desk, SimDesk, SimJudge};
use super::record::Record;
use super::reviews::{Reactions, SimReviews};
use super::store::reached;
use super::world::{Replica, World};

/// How often history is let go of.
const LET_GO_EVERY: Duration = Duration::from_secs(7);
/// How long the forge waits for an answer to a delivery: longer than any replica is paused.
const MOST_WAITING: Duration = Duration::from_secs(60);
/// How long a replica may take to stop when it is asked to.
const MOST_STOPPING: Duration = Duration::from_secs(90);

/// What outlives every replica.
pub struct Outside {
    pub world: Arc<World>,
    pub mesh: Mesh,
    pub record: Record,
    pub ledger: Arc<Mutex<Ledger>>,
    pub shown: Arc<Mutex<Shown>>,
    pub desk: Arc<Mutex<Desk>>,
    pub reactions: Reactions,
    /// Counts what happens at the forge.
    pub events: AtomicU64,
    /// Whether `prod` has a gate.
    pub gated: bool,
    /// How often each source is looked at without being woken.
    pub poll: Duration,
    pub abilities: Abilities,
    /// How much history is kept, where any is let go of.
    pub retain: Option<Retain>,
}

/// A replica that runs.
struct Running {
    replica: Arc<Replica>,
    store: Arc<dyn Store>,
    door: Arc<EngineDoor>,
    stop: CancellationToken,
    loops: JoinHandle<()>,
}

/// All replicas.
pub struct Fleet {
    pub outside: Arc<Outside>,
    running: Mutex<Vec<Option<Running>>>,
    started: Mutex<Vec<u64>>,
}

impl Fleet {
    /// So many replicas, none of them started.
    pub fn new(outside: Arc<Outside>, replicas: usize) -> Self {
        let running = Mutex::new((0..replicas).map(|_| None).collect());
        Self { outside, running, started: Mutex::new(vec![0; replicas]) }
    }

    /// How many replicas there are to be.
    pub fn len(&self) -> usize {
        self.running.lock().unwrap().len()
    }

    /// The replica at this place, if it runs.
    pub fn replica(&self, place: usize) -> Option<Arc<Replica>> {
        let running = self.running.lock().unwrap();
        let running = running[place].as_ref()?;
        (!running.replica.is_dead()).then(|| Arc::clone(&running.replica))
    }

    /// Starts what does not run.
    pub fn start(&self, place: usize) {
        if self.replica(place).is_some() {
            return;
        }
        let world = &self.outside.world;
        let again = {
            let mut started = self.started.lock().unwrap();
            started[place] += 1;
            started[place]
        };
        let name = format!("r{}.{again}", place + 1);
        let skew =
            if world.chance.one_in(2) { 0 } else { i64::try_from(world.chance.number(0..=4_000)).unwrap() - 2_000 };
        world.tell(format_args!("{name} starts"));
        let replica = Arc::new(Replica::new(world, name, skew));
        // One daemon at a time uses a record in a file: whoever starts was the one that ran before.
        let holder = if self.len() == 1 { "single".to_owned() } else { replica.name.clone() };
        let store = reached(&self.outside, &replica);
        let engine = engine(&self.outside, &replica, Arc::clone(&store), holder);
        let (door, stop) = (Arc::new(EngineDoor::new(Arc::clone(&engine))), CancellationToken::new());
        let outside = Arc::clone(&self.outside);
        let loops = tokio::spawn(serve(outside, Arc::clone(&replica), engine, Arc::clone(&door), stop.clone()));
        self.running.lock().unwrap()[place] = Some(Running { replica, store, door, stop, loops });
    }

    /// Asks a replica to stop, and waits until it has.
    pub async fn stop(&self, place: usize) {
        let Some(running) = self.running.lock().unwrap()[place].take() else { return };
        let world = &self.outside.world;
        if running.replica.is_dead() {
            return;
        }
        world.tell(format_args!("{} is to stop", running.replica.name));
        running.stop.cancel();
        let mut loops = running.loops;
        match tokio::time::timeout(MOST_STOPPING, &mut loops).await {
            Ok(_) => world.tell(format_args!("{} has stopped", running.replica.name)),
            // The second signal.
            Err(_) => world.tell(format_args!("{} does not stop in time", running.replica.name)),
        }
        running.replica.kill();
    }

    /// Something is delivered to one replica; whether it says that it has it.
    pub async fn deliver(&self, place: usize, delivery: Delivery) -> bool {
        let (store, door) = {
            let running = self.running.lock().unwrap();
            let Some(running) = running[place].as_ref().filter(|running| !running.replica.is_dead()) else {
                return false;
            };
            (Arc::clone(&running.store), Arc::clone(&running.door))
        };
        let (targets, asks) = (delivery.targets.clone(), !delivery.commands.is_empty());
        // A replica that dies meanwhile never answers.
        let recorded = tokio::time::timeout(MOST_WAITING, store.record_delivery(delivery)).await;
        let Ok(Ok(recorded)) = recorded else { return false };
        if recorded != Recorded::Duplicate {
            if asks {
                door.asked();
            }
            door.recorded(&targets);
        }
        true
    }

    /// One replica reads the policies again.
    pub fn reload_policies(&self, place: usize) {
        let running = self.running.lock().unwrap();
        if let Some(running) = running[place].as_ref() {
            running.door.policies_changed();
        }
    }
}

/// All that a daemon does, until it is told to stop.
async fn serve(
    outside: Arc<Outside>,
    replica: Arc<Replica>,
    engine: Arc<Engine>,
    door: Arc<EngineDoor>,
    stop: CancellationToken,
) {
    // What cannot start is started again.
    while let Err(error) = engine.recover().await {
        replica.world.tell(format_args!("{} cannot start: {error}", replica.name));
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
    let sources = &outside.mesh.sources;
    let polls = async {
        for source in sources {
            door.wake(Target::branch(source.clone()), WakeReason::StartUp);
        }
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                () = tokio::time::sleep(outside.poll) => {}
            }
            for source in sources {
                door.wake(Target::branch(source.clone()), WakeReason::Poll);
            }
        }
    };
    let upkeep = async {
        let Some(retain) = &outside.retain else { return };
        let name = LeaseName::upkeep();
        engine.alone(&name, &stop, |leased| let_go(&outside, leased, retain, &stop)).await;
    };
    tokio::join!(engine.run_until(&stop), door.carry_until(&stop), polls, upkeep);
    if !stop.is_cancelled() {
        replica.world.violated(format!("the loops of {} ended by themselves", replica.name));
    }
}

/// Lets go of history, far sooner than anybody would.
async fn let_go(outside: &Outside, engine: Arc<Engine>, retain: &Retain, stop: &CancellationToken) {
    loop {
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            () = tokio::time::sleep(LET_GO_EVERY) => {}
        }
        let (store, now) = (engine.ports().store.as_ref(), engine.ports().clock.now());
        if let Ok(gone) = prune(store, now, retain, None, false, stop).await {
            outside.world.tell(format_args!("let go of {gone:?}"));
            if gone.values().any(|gone| *gone > 0) {
                outside.world.count("history is let go of");
            }
            for missing in unexplained(outside) {
                outside.world.violated(missing);
            }
        }
        let ago = |seconds| now.checked_sub(Duration::from_secs(seconds)).unwrap();
        let keep = Retention { most: 10, since: ago(30), commands_since: ago(30 * 24 * 3_600) };
        let _ = store.forget_deliveries(&keep).await;
    }
}

fn engine(outside: &Arc<Outside>, replica: &Arc<Replica>, store: Arc<dyn Store>, holder: String) -> Arc<Engine> {
    let phases = [Phase::Provision, Phase::Build, Phase::Deploy];
    let name = |task: &str| task.parse::<ExecutorName>().unwrap();
    let executor: Arc<dyn Executor> =
        Arc::new(SimExecutor { replica: Arc::clone(replica), ledger: Arc::clone(&outside.ledger) });
    let profile = |phase| ExecutorProfile { phase, timeout_seconds: 20, attempts: 3 };
    let dev = Stage { name: "dev".parse().unwrap(), after: Vec::new(), gate: None, on_new_commit: OnNewCommit::Finish };
    let gate = outside.gated.then_some(Gate { approvals: 1 });
    let prod = Stage {
        name: "prod".parse().unwrap(),
        after: vec!["dev".parse().unwrap()],
        gate,
        on_new_commit: OnNewCommit::Finish,
    };
    let platform = Platform {
        stages: vec![dev, prod],
        executors: TASKS.iter().zip(phases).map(|(task, phase)| (name(task), profile(phase))).collect(),
    };
    let watched = Watched {
        url: "https://example.com/mesh.git".to_owned(),
        branch: "main".to_owned(),
        globs: meshwright::config::default_descriptors(),
        platform: Digest::of(format!("{platform:?}").as_bytes()),
        comment: Default::default(),
    };
    let sources = &outside.mesh.sources;
    let settings = EngineSettings {
        namespace: "com.example".parse().unwrap(),
        compatibility: Default::default(),
        sources: sources.iter().map(|source| (source.clone(), watched.clone())).collect(),
        platform,
        holder,
        lease: Duration::from_secs(12),
        grace: Duration::from_secs(8),
        parallel_looks: 2,
        parallel_activities: 3,
        retry_pause: Duration::from_secs(1),
        longest_pause: Duration::from_secs(20),
    };
    let forge: Arc<dyn Forge> = Arc::new(SimForge {
        replica: Arc::clone(replica),
        shown: Arc::clone(&outside.shown),
        abilities: outside.abilities,
    });
    let desk: Arc<dyn Requests> = Arc::new(SimDesk { replica: Arc::clone(replica), desk: Arc::clone(&outside.desk) });
    let ledger: Arc<dyn Requests> = Arc::new(LedgerRequests::new(Arc::clone(&store)));
    let reviews: Arc<dyn Reviews> = Arc::new(SimReviews {
        replica: Arc::clone(replica),
        repositories: Arc::clone(&outside.mesh.repositories),
        reactions: Arc::clone(&outside.reactions),
    });
    let ports = Ports {
        store,
        source: Arc::new(SimGit { replica: Arc::clone(replica), repositories: Arc::clone(&outside.mesh.repositories) })
            as Arc<dyn Source>,
        judge: Arc::new(SimJudge { replica: Arc::clone(replica) }) as Arc<dyn Judge>,
        executors: TASKS.iter().map(|task| (name(task), Arc::clone(&executor))).collect(),
        forges: sources.iter().map(|source| (source.clone(), Arc::clone(&forge))).collect(),
        requests: vec![desk, ledger],
        reviews: sources.iter().map(|source| (source.clone(), Arc::clone(&reviews))).collect(),
        clock: Arc::clone(replica) as Arc<dyn Clock>,
    };
    Arc::new(Engine::new(ports, settings))
}
