//! The daemon: triggers, the four loops of the engine, health and webhooks over HTTP.

use std::collections::BTreeSet;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tracing::{error, info};

use crate::config::{Checked, CheckedSource, Schedule};
use crate::domain::id::{Revision, SourceName};
use crate::domain::source::Target;
use crate::engine::{Engine, WakeQueue};
use crate::face::cli::ServeArgs;
use crate::face::http;
use crate::face::http::health::{self, Readiness};
use crate::face::http::webhooks::{self, Receiver};
use crate::face::{ExitStatus, Output, setup};
use crate::port::door::{Door, WakeReason};
use crate::port::judge::Judge;
use crate::trigger::{self, Rhythm};

use super::hooks;
use super::wire::{RecordUse, assemble, retain};
use super::working::stop_on_signal;

pub(super) async fn serve(config: &Checked, args: &ServeArgs, output: &mut Output<'_>) -> io::Result<ExitStatus> {
    let listener = match TcpListener::bind(args.listen).await {
        Ok(listener) => listener,
        Err(error) => {
            let hint = "choose another address with --listen";
            output.error(&format!("{} cannot be listened on: {error}", args.listen), Some(hint))?;
            return Ok(ExitStatus::Failed);
        }
    };
    let stop = CancellationToken::new();
    tokio::spawn(stop_on_signal(stop.clone()));
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
    let readiness = Arc::new(DaemonReadiness { engine: Arc::clone(&engine), started: Arc::clone(&started) });
    info!(address = ?listener.local_addr().ok(), sources = config.sources.len(), "serving");

    let queue = Arc::new(WakeQueue::default());
    let door: Arc<dyn Door> = Arc::new(EngineDoor {
        queue: Arc::clone(&queue),
        judge: Arc::clone(&engine.ports().judge),
        sources: config.sources.iter().map(|source| source.name.clone()).collect(),
        engine: Arc::clone(&engine),
    });
    let (book, clock) = (Arc::clone(&assembled.store), Arc::clone(&engine.ports().clock));
    let receiver =
        Arc::new(Receiver::new(hooks::settings(config), book.clone(), Arc::clone(&door), Arc::clone(&clock)));
    let upkeep = webhooks::keep_up(book, receiver.counters(), clock, hooks::keep(config), stop.clone());
    let routes = health::router(readiness).merge(receiver.router()).merge(setup::guide());
    let served = tokio::spawn(http::serve(listener, routes, stop.clone()));
    let watched: Vec<trigger::Watched> = config.sources.iter().map(watched).collect();
    let policies: Vec<PathBuf> = config.policies.clone();
    let mut triggers = trigger::start(&door, &engine.ports().clock, &watched, &policies, stop);
    let mut asking = trigger::ask_for_lost_deliveries(&assembled.redeliveries, &engine.ports().clock, stop);
    let retain = retain(config);
    started.store(true, Ordering::Release);

    tokio::join!(
        engine.pass_until(&queue, stop),
        engine.roll_out_until(stop),
        engine.publish_until(stop),
        engine.answer_until(&queue, stop),
        engine.prune_until(&retain, Arc::new(assembled.artifacts.clone()), stop),
        upkeep
    );
    while triggers.join_next().await.is_some() {}
    while asking.join_next().await.is_some() {}
    if let Err(panic) = served.await {
        error!(%panic, "serving over HTTP ended early");
    }
    assembled.store.close().await;
    info!("stopped");
    Ok(())
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

/// The one door: wakes go to the queue; changed policies are loaded, and then wake every source.
struct EngineDoor {
    queue: Arc<WakeQueue>,
    judge: Arc<dyn Judge>,
    sources: BTreeSet<SourceName>,
    engine: Arc<Engine>,
}

impl Door for EngineDoor {
    fn asked(&self) {
        self.engine.ring_for_requests();
    }

    fn look_anew(&self, target: Target) {
        let Some(proposal) = target.proposal.clone() else { return self.wake(target, WakeReason::Webhook) };
        let (queue, store) = (Arc::clone(&self.queue), Arc::clone(&self.engine.ports().store));
        tokio::spawn(async move {
            // When it cannot be marked, the forge still has its button.
            if let Err(error) = store.assess_again(&target.source, &proposal).await {
                tracing::warn!(source = %target.source, %proposal, %error, "it could not be marked to be assessed again");
            }
            queue.wake_for(&target, WakeReason::Webhook);
        });
    }

    fn run_again(&self, source: SourceName, head: Revision) {
        let (queue, engine) = (Arc::clone(&self.queue), Arc::clone(&self.engine));
        tokio::spawn(async move {
            match engine.run_again(&source, &head).await {
                Ok(targets) => targets.iter().for_each(|target| queue.wake_for(target, WakeReason::Webhook)),
                // The forge still has its button.
                Err(error) => tracing::warn!(%source, %error, "what was to run again could not be found"),
            }
        });
    }

    fn wake(&self, target: Target, reason: WakeReason) {
        tracing::debug!(source = %target.source, reason = reason.as_str(), "woken");
        self.queue.wake_for(&target, reason);
    }

    fn policies_changed(&self) {
        let (queue, judge, sources) = (Arc::clone(&self.queue), Arc::clone(&self.judge), self.sources.clone());
        tokio::spawn(async move {
            let before = judge.policies();
            match judge.reload().await {
                Ok(policies) if policies == before => return,
                Ok(policies) => info!(policies = policies.short(), "policies changed"),
                Err(error) => error!(%error, "nothing is let through until the policies are mended"),
            }
            for source in sources {
                queue.wake_for(&Target::branch(source), WakeReason::PolicyChange);
            }
        });
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
