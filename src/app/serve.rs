//! The daemon: triggers, the loops of the engine, health and webhooks over HTTP.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{error, info};

use crate::adapter::executors::ArtifactStore;
use crate::config::{Checked, CheckedSource, Schedule};
use crate::domain::id::ForgeName;
use crate::domain::source::Target;
use crate::engine::{Engine, EngineDoor, Ports, Retain};
use crate::face::cli::ServeArgs;
use crate::face::http;
use crate::face::http::health::{self, Readiness};
use crate::face::http::webhooks::{self, Keep, Receiver};
use crate::face::{ExitStatus, Output, setup};
use crate::port::door::Door;
use crate::port::forge::redelivery::Redelivery;
use crate::port::store::LeaseName;
use crate::trigger::{self, Rhythm};

use super::hooks;
use super::wire::{RecordUse, assemble, retain};
use super::working::stop_on_signal;

pub(super) async fn serve(config: &Checked, args: &ServeArgs, output: &mut Output<'_>) -> io::Result<ExitStatus> {
    let stop = CancellationToken::new();
    let _signals = stop_on_signal(stop.clone())?;
    let listener = match TcpListener::bind(args.listen).await {
        Ok(listener) => listener,
        Err(error) => {
            let hint = "choose another address with --listen";
            output.error(&format!("{} cannot be listened on: {error}", args.listen), Some(hint))?;
            return Ok(ExitStatus::Failed);
        }
    };
    match run(config, listener, &stop).await {
        Ok(()) => Ok(ExitStatus::Success),
        Err(error) => {
            output.error(&error.to_string(), None)?;
            Ok(ExitStatus::Failed)
        }
    }
}

/// Runs the daemon until told to stop. Work that is under way then goes on at the next start.
pub(super) async fn run(
    config: &Checked,
    listener: TcpListener,
    stop: &CancellationToken,
) -> Result<(), super::wire::StartError> {
    let started = Arc::new(AtomicBool::new(false));
    let assembled = assemble(config, RecordUse::Write).await?;
    let engine = Arc::clone(&assembled.engine);
    for command in &assembled.commands {
        let swept = command.sweep();
        if swept > 0 {
            info!(swept, "what an earlier run left behind was removed");
        }
    }
    engine.recover().await?;
    let readiness = Arc::new(DaemonReadiness { engine: Arc::clone(&engine), started: Arc::clone(&started) });
    info!(address = ?listener.local_addr().ok(), sources = config.sources.len(), "serving");

    let entrance = Arc::new(EngineDoor::new(Arc::clone(&engine)));
    let door = Arc::clone(&entrance) as Arc<dyn Door>;
    let (book, clock) = (Arc::clone(&assembled.store), Arc::clone(&engine.ports().clock));
    let receiver = Arc::new(Receiver::new(hooks::settings(config), book, Arc::clone(&door), clock));
    let telling = webhooks::tell_counts(receiver.counters(), stop.clone());
    let routes = health::router(readiness).merge(receiver.router()).merge(setup::guide());
    let served = tokio::spawn(http::serve(listener, routes, stop.clone()));
    let watched: Vec<trigger::Watched> = config.sources.iter().map(watched).collect();
    let policies: Vec<PathBuf> = config.policies.clone();
    let mut triggers = trigger::start(&door, &engine.ports().clock, &watched, &policies, stop);
    let upkeep = Upkeep { keep: hooks::keep(config), retain: retain(config), artifacts: assembled.artifacts.clone() };
    let mut alone = what_one_does(&engine, &assembled.redeliveries, upkeep, stop);
    started.store(true, Ordering::Release);

    tokio::join!(engine.run_until(stop), entrance.carry_until(stop), telling);
    while triggers.join_next().await.is_some() {}
    while alone.join_next().await.is_some() {}
    if let Err(panic) = served.await {
        error!(%panic, "serving over HTTP ended early");
    }
    assembled.store.close().await;
    info!("stopped");
    Ok(())
}

/// What is let go of, and where it lies.
struct Upkeep {
    keep: Keep,
    retain: Retain,
    artifacts: ArtifactStore,
}

/// What one replica does at a time, beside what the engine does.
fn what_one_does(
    engine: &Arc<Engine>,
    redeliveries: &BTreeMap<ForgeName, Arc<dyn Redelivery>>,
    upkeep: Upkeep,
    stop: &CancellationToken,
) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    let (own, ending) = (Arc::clone(engine), stop.clone());
    tasks.spawn(async move {
        let (upkeep, ending) = (&upkeep, &ending);
        own.alone(&LeaseName::upkeep(), ending, |leased| async move {
            let Ports { store, clock, .. } = leased.ports().clone();
            let artifacts = Arc::new(upkeep.artifacts.clone());
            tokio::join!(
                webhooks::keep_up(store, clock, upkeep.keep, ending.clone()),
                leased.prune_until(&upkeep.retain, artifacts, ending)
            );
        })
        .await;
    });
    for (name, forge) in redeliveries {
        let (own, ending) = (Arc::clone(engine), stop.clone());
        let (name, forge) = (name.to_string(), Arc::clone(forge));
        tasks.spawn(async move {
            own.alone(&LeaseName::redelivery(&name), &ending, |leased| {
                let clock = Arc::clone(&leased.ports().clock);
                trigger::ask_again(name.clone(), Arc::clone(&forge), clock, ending.clone())
            })
            .await;
        });
    }
    tasks
}

fn watched(source: &CheckedSource) -> trigger::Watched {
    let rhythm = match &source.schedule {
        Schedule::Every(interval) => Rhythm::Every(*interval),
        Schedule::Cron(schedule) => Rhythm::At(schedule.clone()),
    };
    trigger::Watched {
        target: Target::branch(source.name.clone()),
        rhythm,
        repository: source.location.local_path().map(std::path::Path::to_path_buf),
    }
}

/// Ready when the start is over and the record answers.
struct DaemonReadiness {
    engine: Arc<Engine>,
    started: Arc<AtomicBool>,
}

#[async_trait]
impl Readiness for DaemonReadiness {
    async fn ready(&self) -> Result<(), &'static str> {
        if !self.started.load(Ordering::Acquire) {
            return Err("starting");
        }
        self.engine.ports().store.audit_rows(1).await.map(|_| ()).map_err(|_| "record")
    }
}
