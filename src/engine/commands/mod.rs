//! Doing what people ask for: in comments, by the buttons of checks, on the command line.
//!
//! Needs: a request is answered once, whatever happens in between; nobody does anything that the forge
//! would not let them do; a refusal is seen by who asked.
//!
//! The steps of one request, and what a crash after each of them leaves:
//! 1. The forge is asked whether its author may. Nothing has happened yet.
//! 2. The decision is recorded under the request's id, with all that follows from it, in one transaction.
//!    The next process finds it decided, and goes on with the next step.
//! 3. What is shown of the stages is worked out anew. Doing it again changes nothing.
//! 4. The comment gets its reaction; forges show one however often it is given.
//! 5. The request is marked as answered.
//! 6. The comment of the pull request tells it in words, that of a button as well: whose commit it stands at is
//!    found out before the request is marked as answered. When that is lost, the next look at the proposal
//!    or the next answer makes up for it.
//!
//! One comment asks every source of its repository, and has one reaction: done, as soon as one source did
//! it; refused, when the last of them refuses it and none has done it. In words it is told by the same source.
//!
//! What costs the forge's patience is bounded: those who may not write are answered so often in an hour and
//! no more, and what waits for a forge that is left alone does not stand before what others ask.

mod ask;
mod decide;
mod ledger;
mod outsiders;
mod tell;

pub use ledger::LedgerRequests;
pub(super) use outsiders::Outsiders;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::domain::activity::ActivityStatus;
use crate::domain::id::{Digest, SourceName, StageName};
use crate::domain::time::Timestamp;
use crate::port::forge::ForgeError;
use crate::port::forge::reviews::Reaction;
use crate::port::requests::{Elsewhere, Origin, Request, Requests};
use crate::port::store::{Bell, LeaseName, StoreError};

use super::Engine;

/// How many requests are read at once.
const BATCH: usize = 500;
/// How often the loop looks without being rung.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// How long a forge that cannot be asked is left alone.
const REST: Duration = Duration::from_secs(15);
/// The longest that a forge can ask to be left alone for.
const LONGEST_REST: Duration = Duration::from_secs(3_600);
/// A request that could not be answered for so long is refused: nobody expects it any more.
const MOST_AGE: Duration = Duration::from_secs(24 * 3_600);

/// Sources whose forges are left alone for now.
pub(super) type Resting = BTreeMap<SourceName, Timestamp>;

/// What comes of a request.
enum Answer {
    Done(String),
    Refused(String),
    /// The same, for somebody who may not ask for anything.
    NotAllowed(String),
    /// The forge cannot be asked before then.
    Later(Timestamp),
}

/// Why a request is not done, for `?`.
enum Stop {
    Refuse(String),
    /// Who asks may not ask for anything.
    Outsider(String),
    Later(Timestamp),
    Store(StoreError),
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Stop::Store(error)
    }
}

impl Engine {
    /// There may be a request. Losing this costs latency and nothing else.
    pub fn ring_for_requests(&self) {
        self.ring(Bell::Requests);
    }

    /// Answers what can be answered now; returns how many requests were.
    pub async fn answer_requests(&self) -> Result<usize, StoreError> {
        let mut answered = 0;
        let mut failure = None;
        for book in &self.ports.requests {
            // What stands at one place is not held up by another that cannot be read.
            match self.answer_all(book.as_ref(), &mut answered).await {
                Ok(()) => {}
                Err(error) => failure = Some(error),
            }
        }
        failure.map_or(Ok(answered), Err)
    }

    async fn answer_all(&self, book: &dyn Requests, answered: &mut usize) -> Result<(), StoreError> {
        let resting = self.resting_sources();
        for request in book.open(BATCH, &resting).await? {
            *answered += usize::from(self.answer(book, &request).await?);
        }
        Ok(())
    }

    /// Answers requests as they come, until told to stop. Of several replicas one does.
    pub async fn answer_until(self: &Arc<Self>, stop: &CancellationToken) {
        self.alone(&LeaseName::commands(), stop, |engine| {
            let stop = stop.clone();
            async move { engine.answer_while_leased(&stop).await }
        })
        .await;
    }

    async fn answer_while_leased(&self, stop: &CancellationToken) {
        let mut policies = None;
        loop {
            let rung = self.bells.requests.notified();
            let work = async {
                if let Err(error) = self.tell_of_void_approvals(&mut policies).await {
                    warn!(%error, "what waits for approval could not be told; trying again");
                }
                if let Err(error) = self.answer_requests().await {
                    warn!(%error, "requests could not be read; trying again");
                }
            };
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                () = work => {}
            }
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                () = rung => {}
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
        }
    }

    /// Approvals count for the policies of when they were given. When those are others, what waits says so.
    async fn tell_of_void_approvals(&self, known: &mut Option<Digest>) -> Result<(), StoreError> {
        let policies = self.ports.judge.policies();
        if known.as_ref() == Some(&policies) {
            return Ok(());
        }
        let open = self.ports.store.unfinished().await?;
        let waiting: BTreeSet<(&SourceName, &StageName)> = open
            .iter()
            .filter(|record| record.state.status == ActivityStatus::Waiting)
            .map(|record| (&record.source, &record.planned.container.stage))
            .filter(|(_, stage)| self.settings.platform.gate(stage).is_some())
            .collect();
        for (source, stage) in waiting {
            self.tell_stage(source, stage).await?;
        }
        *known = Some(policies);
        Ok(())
    }

    /// Answers one request, if that can be done now.
    async fn answer(&self, book: &dyn Requests, request: &Request) -> Result<bool, StoreError> {
        let now = self.ports.clock.now();
        if self.is_resting(&request.source, now) {
            return Ok(false);
        }
        let answer = match self.done(request).await {
            Ok(outcome) => Answer::Done(outcome),
            Err(Stop::Refuse(why)) => Answer::Refused(why),
            Err(Stop::Outsider(why)) => Answer::NotAllowed(why),
            Err(Stop::Later(until)) if is_old(request, now) => {
                Answer::Refused(format!("the forge could not be asked for a day (until {until})"))
            }
            Err(Stop::Later(until)) => Answer::Later(until),
            Err(Stop::Store(error)) => return Err(error),
        };
        let (answer, is_outsider) = match answer {
            Answer::Later(until) => {
                self.rest(&request.source, until);
                return Ok(false);
            }
            Answer::Done(outcome) => (Ok(outcome), false),
            Answer::Refused(why) => (Err(why), false),
            Answer::NotAllowed(why) => (Err(why), true),
        };
        let is_told = self.is_told(book, request, answer.is_ok()).await?
            && (!is_outsider || self.outsiders.may_be_answered(&request.source, now));
        let reaction = if answer.is_ok() { Reaction::Seen } else { Reaction::Refused };
        if is_told
            && let Err(until) = self.react(request, reaction).await
            && !is_old(request, now)
        {
            self.rest(&request.source, until);
            return Ok(false);
        }
        let request = match self.located(request).await? {
            Ok(located) => &located.clone(),
            Err(_) if is_old(request, now) => request,
            Err(until) => {
                self.rest(&request.source, until);
                return Ok(false);
            }
        };
        let words = match &answer {
            Ok(outcome) => {
                info!(source = %request.source, by = %request.by, "{outcome}");
                Ok(outcome.as_str())
            }
            Err(why) => {
                warn!(source = %request.source, by = %request.by, "a request was refused: {why}");
                Err(why.as_str())
            }
        };
        book.answer(request, words, self.ports.clock.now()).await?;
        if is_told {
            self.tell_answers(request, !is_outsider).await?;
        }
        Ok(true)
    }

    /// Whether the forge is told by this answer what became of a comment: by the first source that did what
    /// it asks, or else by the last one that refuses it.
    async fn is_told(&self, book: &dyn Requests, request: &Request, is_done: bool) -> Result<bool, StoreError> {
        Ok(is_done || book.elsewhere(request).await?.iter().all(|other| *other == Elsewhere::Refused))
    }

    /// Shows who asked in a comment what became of it; an error says until when the forge is left alone.
    async fn react(&self, request: &Request, reaction: Reaction) -> Result<(), Timestamp> {
        let Origin::Comment { comment, .. } = request.origin else { return Ok(()) };
        let Some(reviews) = self.ports.reviews.get(&request.source) else { return Ok(()) };
        match reviews.react(&request.source, comment, reaction).await {
            Ok(()) => Ok(()),
            Err(error) => match self.later(&error) {
                Some(until) => Err(until),
                // The comment is gone, or we may not: what was asked for is done (or not) all the same.
                None => {
                    warn!(source = %request.source, %error, "a comment could not be answered");
                    Ok(())
                }
            },
        }
    }

    /// Until when a forge is left alone after this, if it is worth asking again at all.
    fn later(&self, error: &ForgeError) -> Option<Timestamp> {
        let now = self.ports.clock.now();
        let after = |pause: Duration| now.checked_add(pause).unwrap_or(now);
        match error {
            ForgeError::Transient(_) => Some(after(REST)),
            ForgeError::Limited { until, .. } | ForgeError::Crowded { until, .. } => {
                Some((*until).clamp(after(REST), after(LONGEST_REST)))
            }
            ForgeError::Denied(_) | ForgeError::Permanent(_) => None,
        }
    }

    /// The sources whose forges are left alone for now.
    fn resting_sources(&self) -> Vec<SourceName> {
        let now = self.ports.clock.now();
        let resting = self.resting.lock().unwrap_or_else(PoisonError::into_inner);
        resting.iter().filter(|(_, until)| **until > now).map(|(source, _)| source.clone()).collect()
    }

    fn is_resting(&self, source: &SourceName, now: Timestamp) -> bool {
        let mut resting = self.resting.lock().unwrap_or_else(PoisonError::into_inner);
        resting.retain(|_, until| *until > now);
        resting.contains_key(source)
    }

    fn rest(&self, source: &SourceName, until: Timestamp) {
        self.resting.lock().unwrap_or_else(PoisonError::into_inner).insert(source.clone(), until);
    }
}

fn is_old(request: &Request, now: Timestamp) -> bool {
    request.at.checked_add(MOST_AGE).is_ok_and(|end| end < now)
}
