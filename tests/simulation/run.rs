//! One run: a mesh lives for some minutes while everything goes wrong that can; then nothing goes wrong any
//! more, and all has to come to its end.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use meshwright::domain::forge::{Command, PullState};
use meshwright::domain::id::SourceName;
use meshwright::engine::Retain;
use meshwright::port::forge::Abilities;
use meshwright::port::requests::Action;
use tokio::time::sleep;

use super::chance::Chance;
use super::fleet::{Fleet, Outside};
use super::hooks::{Event, WRITER, delivery};
use super::invariants::{Released, always, unexplained, unsettled};
use super::mesh::Mesh;
use super::record::Record;
use super::world::{Broken, Rates, World};

/// How long a run may take, when all faults have stopped, until all is as it must be.
const MOST_QUIET: Duration = Duration::from_secs(45 * 60);
/// How often it is looked at whether it is.
const LOOK: Duration = Duration::from_secs(10);

/// How a run went.
#[derive(Debug)]
pub struct Outcome {
    /// The hash of the trace, and the number of its lines.
    pub hash: (u64, u64),
    /// The trace, where it was to be kept.
    pub lines: Vec<String>,
    /// What was not as it must be.
    pub violations: Vec<String>,
    /// Faults that happened, by name.
    pub faults: BTreeMap<&'static str, u64>,
    /// How long it took until all was as it must be, after the faults had stopped; in seconds of the run.
    pub quiet: u64,
}

/// What is not in the seed.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    pub broken: Option<Broken>,
    pub keep_trace: bool,
}

/// Runs a seed.
pub fn run(seed: u64, options: Options) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let world = {
        let _entered = runtime.enter();
        Arc::new(World::new(seed, rates(seed), options.broken, options.keep_trace))
    };
    let inner = Arc::clone(&world);
    let panics = panics_of(AssertUnwindSafe(move || runtime.block_on(live(seed, inner))));
    let mut violations = world.violations();
    violations.extend(panics.1.into_iter().map(|panic| format!("panicked: {panic}")));
    let faults = world.faults.lock().unwrap().clone();
    Outcome {
        hash: world.trace.hash(),
        lines: world.trace.lines(),
        violations,
        faults,
        quiet: panics.0.unwrap_or_default(),
    }
}

/// What this comes to, and what panicked meanwhile on this thread: tasks that panic end in silence.
fn panics_of<T>(work: AssertUnwindSafe<impl FnOnce() -> T>) -> (Option<T>, Vec<String>) {
    thread_local! {
        static PANICS: Mutex<Vec<String>> = const { Mutex::new(Vec::new()) };
    }
    static HOOK: std::sync::Once = std::sync::Once::new();
    HOOK.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            PANICS.with(|panics| panics.lock().unwrap().push(info.to_string().replace('\n', ": ")));
            if std::thread::current().name().is_some_and(|name| !name.starts_with("run ")) {
                before(info);
            }
        }));
    });
    PANICS.with(|panics| panics.lock().unwrap().clear());
    let value = std::panic::catch_unwind(work).ok();
    (value, PANICS.with(|panics| std::mem::take(&mut *panics.lock().unwrap())))
}

/// How wild a run is.
fn rates(seed: u64) -> Rates {
    let chance = Chance::of(seed, "rates");
    let scale = chance.weighed(&[(2, 0), (4, 1), (2, 3)]);
    let rate = |most: u64| if scale == 0 || chance.one_in(3) { 0 } else { chance.number(1..=most * scale) };
    Rates {
        store_fails: rate(10),
        store_answer_lost: rate(6),
        fetch_fails: rate(120),
        old_head: rate(60),
        task_fails: rate(80),
        task_answer_lost: rate(80),
        task_hangs: rate(20),
        task_dies: rate(12),
        forge_fails: rate(60),
        forge_answer_lost: rate(60),
        forge_limits: rate(20),
        forge_hangs: rate(10),
        judge_fails: rate(15),
        rings_lost: rate(200),
        delays: chance.weighed(&[(1, 20), (2, 120), (2, 350)]),
    }
}

/// Some things are kept for some seconds, and some not at all.
fn retain(chance: &Chance) -> Retain {
    let length = || Duration::from_secs(chance.weighed(&[(1, 0), (2, 10), (1, 60)]));
    Retain {
        rollouts_for: length(),
        activities: chance.weighed(&[(1, 0), (1, 5), (1, 1_000)]),
        contents_for: length(),
        audit_for: length(),
        audit: chance.weighed(&[(1, 0), (1, 20), (1, 1_000)]),
    }
}

/// Lives, and says how long it took until all was well.
async fn live(seed: u64, world: Arc<World>) -> u64 {
    let chance = Chance::of(seed, "story");
    let mesh = Mesh::new(&world, seed, chance.number(1..=2), chance.number(1..=3));
    let abilities = if chance.one_in(3) {
        Abilities { checks: true, comments: true, deployments: true }
    } else {
        Abilities::default()
    };
    let outside = Arc::new(Outside {
        world: Arc::clone(&world),
        mesh,
        record: Record::new(),
        ledger: Arc::default(),
        shown: Arc::default(),
        desk: Arc::default(),
        events: AtomicU64::new(1),
        gated: chance.one_in(2),
        poll: Duration::from_secs(chance.weighed(&[(2, 15), (1, 60)])),
        reactions: Arc::default(),
        abilities,
        retain: chance.one_in(2).then(|| retain(&chance)),
    });
    let replicas = chance.weighed(&[(2, 1), (4, 2), (2, 3)]);
    let fleet = Arc::new(Fleet::new(Arc::clone(&outside), replicas));
    for place in 0..fleet.len() {
        fleet.start(place);
    }
    let mut released = Released::new();
    trouble(&chance, &fleet).await;
    heal(&chance, &fleet).await;
    let began = world.elapsed();
    let quiet = settle(&fleet, &mut released).await;
    world.tell(format_args!("settled after {} s: {:?}", (world.elapsed() - began) / 1_000, quiet));
    (world.elapsed() - began) / 1_000
}

/// Everything goes wrong.
async fn trouble(chance: &Chance, fleet: &Arc<Fleet>) {
    let world = &fleet.outside.world;
    let end = world.elapsed() + chance.number(15_000..=75_000);
    while world.elapsed() < end {
        sleep(chance.millis(50..=6_000)).await;
        let place = usize::try_from(chance.number(0..=fleet.len() as u64 - 1)).unwrap();
        let source = chance.pick(&fleet.outside.mesh.sources).unwrap().clone();
        match chance.weighed(&[
            (24, "commit"),
            (12, "propose"),
            (5, "comment"),
            (14, "kill"),
            (16, "pause"),
            (4, "stop"),
            (3, "all stop"),
            (3, "disk full"),
            (3, "clock"),
            (3, "skew"),
            (8, "approve"),
            (2, "reject"),
            (2, "hold"),
            (3, "resume"),
            (3, "retry"),
            (3, "policies"),
            (4, "forget"),
        ]) {
            "commit" => {
                fleet.outside.mesh.change(&source);
                let head = fleet.outside.mesh.head_of(&source);
                deliver(chance, fleet, &source, &Event::Push { head });
            }
            "propose" => {
                if let Some(number) = fleet.outside.mesh.propose(&source) {
                    deliver(chance, fleet, &source, &Event::Pull { number });
                    let head = fleet.outside.mesh.head_of(&source);
                    deliver(chance, fleet, &source, &Event::Push { head });
                }
            }
            "comment" => comment(chance, fleet, &source),
            "kill" => {
                if let Some(replica) = fleet.replica(place) {
                    replica.kill_in(i64::try_from(chance.number(1..=25)).unwrap(), chance.one_in(2));
                    restart_when_dead(chance, fleet, place);
                }
            }
            "pause" => {
                if let Some(replica) = fleet.replica(place) {
                    world.count("pause");
                    let most = chance.weighed(&[(1, 10_000), (2, 45_000)]);
                    let length = chance.millis(500..=most);
                    world.tell(format_args!("{} pauses for {length:?}", replica.name));
                    replica.pause(length);
                }
            }
            "stop" => stop_and_start(chance, fleet, place),
            "all stop" => {
                world.count("all killed");
                for place in 0..fleet.len() {
                    if let Some(replica) = fleet.replica(place) {
                        replica.kill();
                    }
                }
                fleet.outside.record.reopen();
                sleep(chance.millis(10..=5_000)).await;
                for place in 0..fleet.len() {
                    fleet.start(place);
                }
            }
            "disk full" => {
                let until = world.elapsed() + chance.number(200..=15_000);
                world.tell(format_args!("the disk is full until {until}"));
                world.disk_full_until.store(until, Ordering::SeqCst);
            }
            "clock" => {
                world.count("clock jump");
                let by = chance.weighed(&[(2, -30_000), (1, -2_000), (2, 40_000), (1, 300_000)]);
                world.tell(format_args!("all clocks jump by {by} ms"));
                world.jump(by);
            }
            "skew" => {
                if let Some(replica) = fleet.replica(place) {
                    world.count("clock skew");
                    let by = chance.weighed(&[(2, -20_000), (1, -1_000), (2, 25_000), (1, 90_000)]);
                    world.tell(format_args!("the clock of {} is {by} ms off", replica.name));
                    replica.skew.store(by, Ordering::SeqCst);
                }
            }
            "policies" => {
                world.count("policies changed");
                world.policies.fetch_add(1, Ordering::SeqCst);
                for place in 0..fleet.len() {
                    let (fleet, after) = (Arc::clone(fleet), chance.millis(0..=4_000));
                    tokio::spawn(async move {
                        sleep(after).await;
                        fleet.reload_policies(place);
                    });
                }
            }
            "forget" => {
                world.count("forge forgets");
                let mut shown = fleet.outside.shown.lock().unwrap();
                let all = shown.reports.len() as u64;
                if all > 0 {
                    shown.forget(usize::try_from(chance.number(0..=all - 1)).unwrap());
                }
            }
            what => ask(fleet, &source, what),
        }
    }
}

/// The forge tells us of something: late, twice, or not at all, to one replica or another.
fn deliver(chance: &Chance, fleet: &Arc<Fleet>, source: &SourceName, event: &Event) {
    let world = &fleet.outside.world;
    let id = format!("d{}", fleet.outside.events.fetch_add(1, Ordering::SeqCst));
    let times = chance.weighed(&[(2, 0), (5, 1), (2, 2), (1, 3)]);
    if times != 1 {
        world.count(if times == 0 { "delivery lost" } else { "delivery doubled" });
    }
    for _ in 0..times {
        let place = usize::try_from(chance.number(0..=fleet.len() as u64 - 1)).unwrap();
        let after = chance.weighed(&[(3, 20), (2, 800), (1, 12_000)]);
        let (fleet, source, id, event) = (Arc::clone(fleet), source.clone(), id.clone(), event.clone());
        tokio::spawn(async move {
            sleep(Duration::from_millis(after)).await;
            let delivery = delivery(&id, &source, &event, fleet.outside.world.now());
            let is_taken = fleet.deliver(place, delivery).await;
            fleet.outside.world.tell(format_args!("the forge delivers {id} {event:?}: {is_taken}"));
            if is_taken && !fleet.outside.world.seen.lock().unwrap().deliveries.contains(&id) {
                fleet.outside.world.violated(format!("{id} was taken, and is in no ledger"));
            }
        });
    }
}

/// Somebody asks for something under a pull request.
fn comment(chance: &Chance, fleet: &Arc<Fleet>, source: &SourceName) {
    let mesh = &fleet.outside.mesh;
    let mut pulls = mesh.pulls(source, PullState::Merged);
    pulls.extend(mesh.pulls(source, PullState::Open));
    let Some(number) = chance.pick(&pulls).copied() else { return };
    let command = match chance.number(0..=5) {
        0 => Command::Plan,
        1 => Command::Retry,
        2 => Command::Help,
        3 => Command::Cancel,
        _ => Command::Approve("prod".parse().unwrap()),
    };
    let author = if chance.one_in(4) { "eve" } else { WRITER }.to_owned();
    let comment = fleet.outside.events.fetch_add(1, Ordering::SeqCst);
    fleet.outside.world.tell(format_args!("{author} asks under {source} pull/{number} for {command}"));
    deliver(chance, fleet, source, &Event::Comment { number, comment, author, command });
}

/// Starts a replica again some time after it has died.
fn restart_when_dead(chance: &Chance, fleet: &Arc<Fleet>, place: usize) {
    let Some(replica) = fleet.replica(place) else { return };
    let (fleet, after) = (Arc::clone(fleet), chance.millis(10..=20_000));
    tokio::spawn(async move {
        replica.died.notified().await;
        sleep(after).await;
        fleet.start(place);
    });
}

/// A rolling restart of one replica.
fn stop_and_start(chance: &Chance, fleet: &Arc<Fleet>, place: usize) {
    let (fleet, after) = (Arc::clone(fleet), chance.millis(10..=3_000));
    tokio::spawn(async move {
        fleet.stop(place).await;
        sleep(after).await;
        fleet.start(place);
    });
}

fn ask(fleet: &Fleet, source: &SourceName, what: &str) {
    let prod = "prod".parse().unwrap();
    let action = match what {
        "approve" => Action::Approve(prod),
        "reject" => Action::Reject(prod),
        "hold" => Action::Hold,
        "resume" => Action::Resume,
        _ => Action::Retry,
    };
    fleet.outside.desk.lock().unwrap().ask(&fleet.outside.world, source, action);
}

/// From now on nothing goes wrong; and mostly, people mend what they did wrong.
async fn heal(chance: &Chance, fleet: &Arc<Fleet>) {
    let world = &fleet.outside.world;
    world.tell(format_args!("all faults stop"));
    world.faulty.store(false, Ordering::SeqCst);
    world.disk_full_until.store(0, Ordering::SeqCst);
    for place in 0..fleet.len() {
        if let Some(replica) = fleet.replica(place) {
            replica.spare();
            replica.resume();
            replica.skew.store(0, Ordering::SeqCst);
        }
        fleet.start(place);
        fleet.reload_policies(place);
    }
    if !chance.one_in(4) {
        for source in &fleet.outside.mesh.sources {
            fleet.outside.mesh.mend(source);
        }
    }
    // Mostly the forge delivers again what was lost; and else it has to be found without.
    if !chance.one_in(16) {
        for source in &fleet.outside.mesh.sources {
            for state in [PullState::Open, PullState::Closed, PullState::Merged] {
                for number in fleet.outside.mesh.pulls(source, state) {
                    let id = format!("d{}", fleet.outside.events.fetch_add(1, Ordering::SeqCst));
                    let delivery = delivery(&id, source, &Event::Pull { number }, world.now());
                    fleet.deliver(0, delivery).await;
                }
            }
        }
    }
}

/// Waits until all is as it must be; whether it came to be.
async fn settle(fleet: &Arc<Fleet>, released: &mut Released) -> bool {
    let world = &fleet.outside.world;
    let end = world.elapsed() + u64::try_from(MOST_QUIET.as_millis()).unwrap();
    let mut is_first = true;
    loop {
        sleep(LOOK).await;
        for place in 0..fleet.len() {
            fleet.start(place);
        }
        let wrong = unsettled(&fleet.outside);
        world.tell(format_args!("{} things are not settled: {:?}", wrong.len(), wrong.first()));
        if is_first || wrong.is_empty() {
            let always = always(&fleet.outside, released);
            for violation in always.into_iter().chain(unexplained(&fleet.outside)) {
                world.violated(violation);
            }
        }
        is_first = false;
        if wrong.is_empty() || !world.violations().is_empty() {
            return wrong.is_empty();
        }
        if world.elapsed() >= end {
            for wrong in wrong {
                world.violated(format!("in {} min: {wrong}", MOST_QUIET.as_secs() / 60));
            }
            return false;
        }
        for source in &fleet.outside.mesh.sources {
            ask(fleet, source, "resume");
            ask(fleet, source, "retry");
            if fleet.outside.gated {
                ask(fleet, source, "approve");
            }
        }
    }
}
