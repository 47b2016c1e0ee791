//! Floor 3: the trip of a commit. A wake makes a pass; a pass records a plan; rolling out runs it;
//! Floor 3: the trip of a commit. A wake makes a pass; a pass records a plan; rolling out runs it;
//! publishing tells the forge; people are answered. A proposal's trip ends with what a pass would find
//! (`review`). Each of the four loops reads its work from the record, so each can be stopped at any
//! point and begun again.
//!
//! Absent: concrete adapters, configuration files, terminals. The engine knows ports only.

mod apart;
mod commands;
mod gates;
mod pass;
mod pause;
mod publish;
mod queue;
mod reports;
mod review;
mod rollout;
mod settings;
mod work;

pub use commands::LedgerRequests;
pub use gates::Unfinished;
pub use pass::{Draft, PassError, PassOutcome};
pub use queue::WakeQueue;
pub use review::Reviewed;
pub use settings::{EngineSettings, Watched};

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::{Mutex, Notify};

use crate::domain::id::{ExecutorName, SourceName};
use crate::port::clock::Clock;
use crate::port::executor::Executor;
use crate::port::forge::Forge;
use crate::port::forge::reviews::Reviews;
use crate::port::judge::Judge;
use crate::port::requests::Requests;
use crate::port::source::Source;
use crate::port::store::Store;

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
pub struct Engine {
    ports: Ports,
    settings: EngineSettings,
    rollout_bell: Notify,
    publish_bell: Notify,
    request_bell: Notify,
    /// Held while the status of a commit's stages is worked out and recorded. See `reports`.
    report_gate: Mutex<()>,
    /// When the open proposals of each source were asked for last.
    listings: review::Listings,
    /// Forges that are not asked about requests for now.
    resting: std::sync::Mutex<commands::Resting>,
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
            settings,
            rollout_bell: Notify::new(),
            publish_bell: Notify::new(),
            request_bell: Notify::new(),
            report_gate: Mutex::new(()),
            listings: review::Listings::default(),
            resting: std::sync::Mutex::default(),
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
}
