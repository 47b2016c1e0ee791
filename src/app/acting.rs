//! Verbs by which people decide about rollouts. What they decide goes to the inbox; while a daemon runs it
//! is the daemon that answers, and otherwise this process does.

use std::io;
use std::time::Duration;

use tracing::debug;

use crate::adapter::clock::SystemClock;
use crate::adapter::inbox::{Answered, Inbox, Note};
use crate::config::Checked;
use crate::domain::id::SourceName;
use crate::face::cli::AboutArgs;
use crate::face::render::harmless;
use crate::face::verbs;
use crate::face::{ExitStatus, Output};
use crate::port::clock::Clock;
use crate::port::requests::Action;
use crate::port::store::StoreError;

use super::looking::chosen;
use super::record::Place;
use super::wire::{RecordUse, StartError, assemble, inbox_of};

/// How long an answer of the daemon is waited for.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often it is looked for.
const LOOK_EVERY: Duration = Duration::from_millis(100);

pub(super) async fn act(
    config: &Checked,
    action: Action,
    about: &AboutArgs,
    output: &mut Output<'_>,
) -> io::Result<ExitStatus> {
    let sources = match chosen(config, about.source.as_ref(), output)? {
        Ok(sources) => sources,
        Err(status) => return Ok(status),
    };
    let there = async {
        let place = Place::of(&config.state)?;
        Ok(if place.is_there().await? { None } else { Some(place) })
    };
    match there.await {
        Ok(None) => {}
        Ok(Some(place)) => return verbs::no_record(&place.to_string(), output),
        Err(error) => return verbs::store_failed(&error, output),
    }
    let inbox = inbox_of(config);
    let mut asked = Vec::new();
    for source in sources {
        let note = Note {
            source: source.clone(),
            action: action.clone(),
            plan: about.plan.clone(),
            name: who(),
            at: SystemClock.now(),
        };
        match inbox.put(&note) {
            Ok(name) => asked.push((source, name)),
            Err(error) => {
                let hint = format!("whoever may write to {} may ask", config.folder.display());
                output.error(&format!("the request cannot be left for the daemon: {error}"), Some(&hint))?;
                return Ok(ExitStatus::Failed);
            }
        }
    }
    let is_daemon_there = match answer_here(config).await {
        Ok(()) => false,
        // Somebody else writes to the record: the daemon, or a `reconcile` that is under way.
        Err(StartError::Store(StoreError::Unavailable(why))) => {
            debug!(%why, "waiting for the daemon to answer");
            true
        }
        Err(error) => {
            for (_, name) in &asked {
                inbox.take_back(name)?;
            }
            output.error(&error.to_string(), None)?;
            return Ok(ExitStatus::Failed);
        }
    };
    let mut answers = Vec::new();
    for (source, name) in asked {
        let patience = if is_daemon_there { PATIENCE } else { Duration::ZERO };
        answers.push((source, answer(&inbox, &name, patience).await?));
    }
    show(&answers, output)
}

/// Answers what stands in the inbox, when nobody else does.
async fn answer_here(config: &Checked) -> Result<(), StartError> {
    let assembled = assemble(config, RecordUse::Write).await?;
    // What is woken by it stands in the record.
    let answered = assembled.engine.answer_requests().await;
    assembled.store.close().await;
    answered?;
    Ok(())
}

async fn answer(inbox: &Inbox, name: &str, patience: Duration) -> io::Result<Option<Answered>> {
    let waiting = async {
        loop {
            if let Some(answer) = inbox.take_answer(name)? {
                return Ok(Some(answer));
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    };
    match tokio::time::timeout(patience, waiting).await {
        Ok(answer) => answer,
        Err(_) => inbox.take_answer(name),
    }
}

/// Says what was done. Where all sources were asked, those that have nothing to do with it are not worth a
/// word.
fn show(answers: &[(SourceName, Option<Answered>)], output: &mut Output<'_>) -> io::Result<ExitStatus> {
    let is_done = |answer: &Option<Answered>| answer.as_ref().is_some_and(|answer| answer.done);
    let any_done = answers.iter().any(|(_, answer)| is_done(answer));
    let mut fine = any_done;
    for (source, answer) in answers {
        match answer {
            Some(Answered { done: true, text }) => writeln!(output.out, "{source}: {}", harmless(text))?,
            Some(Answered { done: false, text }) if !any_done => {
                output.error(&format!("source {source}: {}", harmless(text)), None)?;
            }
            Some(_) => {}
            None => {
                fine = false;
                let hint =
                    "it stands in the inbox, and is answered when a daemon or `meshwright reconcile` looks at it";
                output.error(&format!("source {source}: there is no answer yet"), Some(hint))?;
            }
        }
    }
    Ok(if fine { ExitStatus::Success } else { ExitStatus::Failed })
}

/// Who asks, as the environment has it.
fn who() -> String {
    let named = ["USER", "LOGNAME"].into_iter().find_map(|name| std::env::var(name).ok().filter(|it| !it.is_empty()));
    named.map_or_else(|| "somebody".to_owned(), |name| name.chars().filter(|c| !c.is_control()).take(64).collect())
}
