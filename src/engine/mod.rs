//! Floor 3: the trip of a commit. A wake makes a pass; a pass records a plan; rolling out runs it;
//! publishing tells the forge; people are answered. A proposal's trip ends with what a pass would find
//! (`review`). Each of the loops reads its work from the record, so each can be stopped at any point and
//! begun again, here or at another replica; what one replica does at a time is leased (`tenure`).
//!
//! Absent: concrete adapters, configuration files, terminals. The engine knows ports only.

mod apart;
mod commands;
mod gates;
mod looks;
mod pass;
mod pause;
mod publish;
mod reports;
mod review;
mod rollout;
mod run;
mod settings;
mod upkeep;
mod standing;
mod tenure;

pub use commands::LedgerRequests;
pub use gates::Unfinished;
pub use looks::EngineDoor;
pub use pass::{Draft, PassError, PassOutcome};
pub use review::Reviewed;
pub use settings::{EngineSettings, Watched};
pub use upkeep::{Pruned, Retain, prune};

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::domain::id::{ExecutorName, SourceName};
use crate::port::clock::Clock;
use crate::port::executor::Executor;
use crate::port::forge::Forge;
use crate::port::forge::reviews::Reviews;
use crate::port::judge::Judge;
use crate::port::requests::Requests;
use crate::port::source::Source;
use crate::port::store::{Bell, Lease, Store};

/// The parts that the engine works with.
#[derive(Clone)]
pub struct Ports {
    /// The record.
    pub store: Arc<dyn Store>,
    /// The repositories.
    pub source: Arc<dyn Source>,
    /// The policies.
    pub judge: Arc<dyn Judge>,
    /// Executors, by the names that descriptors use.
    pub executors: BTreeMap<ExecutorName, Arc<dyn Executor>>,
    /// The forge of each source that has one.
    pub forges: BTreeMap<SourceName, Arc<dyn Forge>>,
    /// Where people ask for something.
    pub requests: Vec<Arc<dyn Requests>>,
    /// Where the proposals of each source are asked for, where its forge has such.
    pub reviews: BTreeMap<SourceName, Arc<dyn Reviews>>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// The engine: ports, settings, and the bells by which its loops ring each other.
///
/// A bell is only a hint that there may be work. Losing one costs latency and nothing else,
/// because every loop also looks by itself from time to time.
///
/// Cloning it is cheap, and gives the same engine: its loops, and those of others on the same record,
/// may run at the same time.
#[derive(Clone)]
pub struct Engine {
    ports: Ports,
    settings: Arc<EngineSettings>,
    bells: Arc<LocalBells>,
    /// Something that runs may have been cancelled.
    cancel_bell: Arc<Notify>,
    /// Who of this process stands on which source.
    stands: Arc<standing::Stands>,
    /// Which stages are to be told of.
    telling: Arc<reports::Telling>,
    /// Whose turn it is to be looked at.
    turns: Arc<std::sync::Mutex<looks::Turns>>,
    /// Which branches rest.
    rests: Arc<looks::Rests>,
    /// When the open proposals of each source were asked for last.
    listings: Arc<review::Listings>,
    /// Forges that are not asked about requests for now.
    resting: Arc<std::sync::Mutex<commands::Resting>>,
    /// How often people were answered who may not ask for anything.
    outsiders: Arc<commands::Outsiders>,
}

/// Where the loops of this process wait.
#[derive(Debug, Default)]
struct LocalBells {
    /// Waited for by each worker.
    wakes: Notify,
    /// Waited for by one loop each.
    rollouts: Notify,
    reports: Notify,
    requests: Notify,
}

impl std::fmt::Debug for Ports {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ports").field("executors", &self.executors.keys()).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl Engine {
    /// Puts the parts together. Nothing runs yet.
    pub fn new(ports: Ports, settings: EngineSettings) -> Self {
        Self {
            ports,
            settings: Arc::new(settings),
            bells: Arc::default(),
            cancel_bell: Arc::default(),
            stands: Arc::default(),
            telling: Arc::default(),
            turns: Arc::default(),
            rests: Arc::default(),
            listings: Arc::default(),
            resting: Arc::default(),
            outsiders: Arc::default(),
        }
    }

    /// What the engine was told.
    pub fn settings(&self) -> &EngineSettings {
        &self.settings
    }

    /// The parts it works with.
    pub fn ports(&self) -> &Ports {
        &self.ports
    }

    /// The same engine, all of whose writes are `Fenced` once another was given the lease.
    fn under(&self, lease: &Lease) -> Arc<Self> {
        let ports = Ports { store: self.ports.store.under(lease), ..self.ports.clone() };
        Arc::new(Self { ports, ..self.clone() })
    }

    /// There may be work, here and at other replicas. To be called when what it is about is durable.
    pub fn ring(&self, bell: Bell) {
        self.bells.ring(bell);
        self.ports.store.ring(bell);
    }

    /// Passes on what others ring, until told to stop.
    async fn hear_until(&self, stop: &CancellationToken) {
        let mut listener = self.ports.store.listen();
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                bell = listener.next() => self.bells.ring(bell),
            }
        }
    }
}

impl LocalBells {
    fn ring(&self, bell: Bell) {
        match bell {
            Bell::Wakes => self.wakes.notify_waiters(),
            Bell::Rollouts => self.rollouts.notify_one(),
            Bell::Reports => self.reports.notify_one(),
            Bell::Requests => self.requests.notify_one(),
        }
    }
}
